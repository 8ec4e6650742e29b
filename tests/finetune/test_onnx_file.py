"""An exported network as an ONNX file: the same numbers, or no file."""

import sys

import numpy as np
import pytest
import torch

from faceheads.extra import MissingPackage
from features.embed import EmbedderRequest
from finetune import onnx_file
from finetune.backbones import build_backbone
from finetune.export import ExportError, embeddings, export_network, spec_of
from finetune.onnx_file import export_onnx, require_onnx

SIZE_PX = 40
CROPS = type(
    "Crops", (), {"landmark_scheme": "dlib5", "crop": {"kind": "dlib_chip", "size": SIZE_PX, "padding": 0.25}}
)
PIXELS = np.random.default_rng(0).integers(0, 256, (5, SIZE_PX, SIZE_PX, 3), np.uint8)


def exported(folder, name="timm:test_resnet"):
    torch.manual_seed(0)
    network = build_backbone(name)
    export_network(folder, spec_of(name, ("final",), network.layer_dimension("final"), CROPS), network, PIXELS)
    return network.eval()


@pytest.mark.parametrize("name", ["timm:test_resnet", "timm:test_vit", "timm:test_efficientnet"])
def test_the_pipeline_runs_the_folder_and_the_file_with_the_same_numbers(tmp_path, name):
    network = exported(tmp_path / "embedder", name)
    assert export_onnx(tmp_path / "embedder", PIXELS) < 1e-4
    expected = embeddings(network, PIXELS, ("final",))
    folder, file = (EmbedderRequest(str(tmp_path / where)).build() for where in ("embedder", "embedder.onnx"))
    np.testing.assert_allclose(folder.embed(PIXELS), expected, atol=1e-4)
    np.testing.assert_allclose(file.embed(PIXELS), expected, atol=1e-4)
    assert file.spec.crop == folder.spec.crop and file.spec.dimension == folder.spec.dimension
    assert sorted(path.name for path in tmp_path.iterdir()) == ["embedder", "embedder.json", "embedder.onnx"]


def test_dlibs_layers_are_written_too(tmp_path):
    network = build_backbone("dlib")
    crops = type(
        "Crops", (), {"landmark_scheme": "dlib5", "crop": {"kind": "dlib_chip", "size": 150, "padding": 0.25}}
    )
    pixels = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), np.uint8)
    export_network(tmp_path / "net", spec_of("dlib", ("block07", "final"), 192, crops), network, pixels)
    assert export_onnx(tmp_path / "net", pixels) < 1e-4


def test_a_file_that_computes_something_else_is_not_kept(tmp_path, monkeypatch):
    exported(tmp_path / "net")
    monkeypatch.setattr(onnx_file, "embeddings", lambda *args: embeddings(*args) + 2e-4)
    with pytest.raises(ExportError, match="within 0.0001; they differ by 0.0002"):
        export_onnx(tmp_path / "net", PIXELS)
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_numbers_that_are_none_are_not_near_to_any(tmp_path, monkeypatch):
    network = exported(tmp_path / "net")
    monkeypatch.setattr(onnx_file, "embeddings", lambda *args: embeddings(*args) * np.nan)
    with pytest.raises(ExportError, match="differ by nan"):
        export_onnx(tmp_path / "net", PIXELS)
    next(network.parameters()).data.fill_(np.nan)
    with pytest.raises(ExportError, match="differ by nan. Nothing was exported"):
        export_network(tmp_path / "new", spec_of("timm:test_resnet", ("final",), 512, CROPS), network, PIXELS)
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_an_exported_folder_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "old").touch()
    exported(tmp_path / "net")
    assert not (tmp_path / "net" / "old").exists() and [path.name for path in tmp_path.iterdir()] == ["net"]


def test_what_onnx_has_no_operator_for_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    class Spectrum(torch.nn.Module):
        def forward(self, crops, layers):
            return torch.linalg.svdvals(crops.float()).mean(1)

    exported(tmp_path / "net")
    spec = onnx_file.load_exported(tmp_path / "net")[0]
    monkeypatch.setattr(onnx_file, "load_exported", lambda folder: (spec, Spectrum()))
    with pytest.raises(ExportError, match="the network 'timm:test_resnet' cannot be written as ONNX: .*svd"):
        export_onnx(tmp_path / "net", PIXELS)
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_layers_over_a_grid_are_refused(tmp_path):
    network = build_backbone("dlib")
    pixels = np.zeros((2, 150, 150, 3), np.uint8)
    export_network(tmp_path / "net", spec_of("dlib", ("block10@2x2",), 512, CROPS), network, pixels)
    with pytest.raises(ExportError, match="cells of a grid, such as 'block10@2x2'. Leave --onnx out"):
        export_onnx(tmp_path / "net", pixels)


def test_without_onnxruntime_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingPackage, match=r"--onnx needs onnxruntime, .*faceheads\[onnx\]"):
        require_onnx()
