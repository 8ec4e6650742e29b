"""Embedders: what the user asks for is what is built, in batches, from folders, with the same numbers as dlib's own code."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from faceheads.networks.exported import SPEC_NAME, WEIGHTS_NAME, build_network, load_exported, save_exported
from faceheads.networks.spectrum import spectrum
from faceheads.spec import EmbedderSpec
from features.align import crop_faces
from features.embed import EmbedderRequest, TorchEmbedder
from features.face import Face

REPOSITORY = Path(__file__).resolve().parents[2]
CROPS = np.random.default_rng(0).integers(0, 256, (5, 150, 150, 3), np.uint8)


@pytest.fixture(scope="module")
def dlib():
    return EmbedderRequest("dlib").build()


@pytest.fixture
def exported(tmp_path):
    dlib = EmbedderRequest("dlib", backend="torch").build()
    save_exported(tmp_path / "net", dlib.spec, dlib.module)
    return tmp_path / "net"


def test_dlibs_own_code_gives_the_same_numbers_and_the_same_digest(dlib):
    reference = EmbedderRequest("dlib-reference").build()
    np.testing.assert_allclose(dlib.embed(CROPS), reference.embed(CROPS), atol=1e-5)
    assert dlib.spec.embedder_digest == reference.spec.embedder_digest


def test_the_batch_size_does_not_change_the_numbers(dlib):
    two = EmbedderRequest("dlib", batch_size=2).build()
    np.testing.assert_allclose(dlib.embed(CROPS), two.embed(CROPS), atol=1e-6)
    assert two.spec == dlib.spec


def test_a_preset_is_its_layers_side_by_side(dlib):
    attributes = EmbedderRequest("dlib", layers=("attributes",)).build()
    single = [EmbedderRequest("dlib", layers=(name,)).build() for name in attributes.spec.layers]
    assert attributes.spec.dimension == sum(one.spec.dimension for one in single) > dlib.spec.dimension
    side_by_side = np.concatenate([one.embed(CROPS[:2]) for one in single], axis=1)
    np.testing.assert_allclose(attributes.embed(CROPS[:2]), side_by_side, atol=1e-6)


def test_flip_is_the_mean_with_the_mirror_image(dlib):
    flipped = EmbedderRequest("dlib", flip=True).build().embed(CROPS)
    mirrored = dlib.embed(np.ascontiguousarray(CROPS[:, :, ::-1]))
    np.testing.assert_allclose(flipped, (dlib.embed(CROPS) + mirrored) / 2, atol=1e-6)


def test_an_exported_network_gives_the_numbers_it_had(dlib, exported):
    again = EmbedderRequest(str(exported)).build()
    np.testing.assert_array_equal(again.embed(CROPS), dlib.embed(CROPS))
    assert again.spec.weights_sha256 != dlib.spec.weights_sha256


def test_an_exported_network_is_asked_for_by_path_where_a_head_needs_it(exported):
    spec, _ = load_exported(exported)
    with pytest.raises(ValueError, match="--embedder PATH"):
        EmbedderRequest.from_spec(spec)
    assert EmbedderRequest.from_spec(spec, str(exported)).build().spec == spec


def test_layers_that_an_exported_network_does_not_give_are_refused(exported):
    with pytest.raises(ValueError, match=r"--layers: .* exported with \('final',\); got \('block07',\)"):
        EmbedderRequest(str(exported), layers=("block07",)).build()


def test_a_path_for_a_network_that_is_built_in_is_refused(dlib):
    with pytest.raises(ValueError, match="need the network 'dlib', which is built in; --embedder x.onnx is another"):
        EmbedderRequest.from_spec(dlib.spec, "x.onnx")


def test_built_in_networks_are_found_from_a_specification_alone(dlib):
    assert EmbedderRequest.from_spec(dlib.spec).build().spec == dlib.spec


def test_other_weights_than_the_specification_names_are_refused(exported):
    data = bytearray((exported / WEIGHTS_NAME).read_bytes())
    data[-1] ^= 1
    (exported / WEIGHTS_NAME).write_bytes(bytes(data))
    with pytest.raises(ValueError, match="sha256 .* says"):
        load_exported(exported)


def test_folders_that_are_no_networks_are_refused(exported, tmp_path):
    with pytest.raises(ValueError, match=f"it has no {SPEC_NAME}"):
        EmbedderRequest(str(tmp_path)).build()
    values = json.loads((exported / SPEC_NAME).read_text())
    (exported / SPEC_NAME).write_text(json.dumps({**values, "network": "facenet"}))
    with pytest.raises(ValueError, match="does not fit the network 'facenet'"):
        load_exported(exported)
    (exported / SPEC_NAME).write_text("{")
    with pytest.raises(ValueError, match="not an embedder specification"):
        load_exported(exported)
    with pytest.raises(ValueError, match="must be one of dlib, dlib_traces, facenet, resnet18, .*; got 'vit'"):
        build_network("vit")


class SmallDevice:
    """A network on a device whose memory is too small for more than ``n_fit`` crops; says which batches it was given."""

    def __init__(self, n_fit):
        self.n_fit = n_fit
        self.batches = []

    def run(self, crops):
        self.batches.append(len(crops))
        if len(crops) > self.n_fit:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return crops[:, 0, 0].astype(np.float32)


def embedder_on(device, monkeypatch):
    embedder = TorchEmbedder(EmbedderSpec("corner", "0" * 64, 3, "none"), lambda: None, "cuda", batch_size=5)
    monkeypatch.setattr(embedder, "_run", device.run)
    return embedder


def test_batches_are_halved_until_they_fit_and_stay_so(monkeypatch):
    device = SmallDevice(1)
    embedder = embedder_on(device, monkeypatch)
    with pytest.warns(RuntimeWarning, match=r"cuda is too small for batches of (5|2) crops; going on with (2|1)"):
        np.testing.assert_array_equal(embedder.embed(CROPS), CROPS[:, 0, 0])
    assert device.batches == [5, 2, 1, 1, 1, 1, 1]
    embedder.embed(CROPS[:1])
    assert device.batches[7:] == [1]


def test_a_crop_that_does_not_fit_alone_is_an_error(monkeypatch):
    with pytest.warns(RuntimeWarning), pytest.raises(torch.OutOfMemoryError):
        embedder_on(SmallDevice(0), monkeypatch).embed(CROPS)


def test_the_specification_of_dlibs_network_is_known_without_torch():
    code = (
        "import sys; from features.embed import EmbedderRequest; "
        "print(EmbedderRequest(layers=('attributes',)).build().spec.dimension, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["448", "False"]


def test_int8_is_another_embedder_whose_vectors_point_almost_where_those_of_float32_do(dlib):
    int8 = EmbedderRequest("dlib", precision="int8").build()
    assert int8.spec.embedder_digest != dlib.spec.embedder_digest
    assert EmbedderRequest.from_spec(int8.spec) == EmbedderRequest("dlib", precision="int8")
    one, other = int8.embed(CROPS[:2]), dlib.embed(CROPS[:2])
    cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    assert 0.9 < cosines.min() < 0.99999


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "facenet", "precision": "int8"}, "int8 is for --embedder dlib on --device cpu; got 'facenet'"),
        ({"precision": "int4"}, "precision must be one of"),
        ({"precision": "int8", "backend": "torch"}, "leave backend at 'auto', got 'torch'"),
        ({"precision": "int8", "layers": ("block10@2x2",)}, "need float32"),
    ],
)
def test_int8_is_refused_where_it_is_not_there(settings, message):
    with pytest.raises(ValueError, match=message):
        EmbedderRequest(**settings).build()


def test_int8_without_its_packages_says_what_to_install(monkeypatch):
    monkeypatch.setattr("features.embed.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"needs onnx and onnxruntime: pip install faceheads\[onnx\]"):
        EmbedderRequest(precision="int8").build()


#: What runs dlib's network in OpenVINO.
OPENVINO_MODULE = "faceheads.networks.dlib_resnet_openvino"


def test_openvino_gives_the_same_numbers_and_the_same_digest():
    pytest.importorskip("openvino")
    torch, openvino = (EmbedderRequest("dlib", flip=True, backend=name).build() for name in ("torch", "openvino"))
    np.testing.assert_allclose(openvino.embed(CROPS), torch.embed(CROPS), rtol=0, atol=1e-6)
    assert openvino.spec.embedder_digest == torch.spec.embedder_digest


def test_openvino_runs_dlibs_network_on_the_cpu_where_it_is_installed(monkeypatch, exported):
    compiled = []

    def compile_(module, layers, n_threads):
        compiled.append(layers)
        return lambda crops: np.full((len(crops), 128), 0.25, np.float32)

    monkeypatch.setattr("features.embed._has_openvino", lambda: True)
    monkeypatch.setitem(sys.modules, OPENVINO_MODULE, SimpleNamespace(OpenVinoDlibResNet=compile_))
    for name in ("dlib", str(exported)):
        assert (EmbedderRequest(name).build().embed(CROPS) == 0.25).all()
    assert compiled == [("final",)] * 2
    assert isinstance(EmbedderRequest("dlib", backend="torch").build(), TorchEmbedder)


def test_without_openvino_torch_runs_and_openvino_by_name_says_what_to_install(monkeypatch):
    monkeypatch.setattr("features.embed._has_openvino", lambda: False)
    assert isinstance(EmbedderRequest("dlib").build(), TorchEmbedder)
    with pytest.raises(ImportError, match=r"pip install faceheads\[fast\]"):
        EmbedderRequest("dlib", backend="openvino").build()


def test_a_backend_that_is_unknown_or_cannot_serve_is_refused():
    with pytest.raises(ValueError, match=r"backend must be one of \['auto', 'torch', 'openvino'\]; got 'tvm'"):
        EmbedderRequest("dlib", backend="tvm").build()
    with pytest.raises(ValueError, match="on the device cpu; got 'dlib' on 'cuda:0'"):
        EmbedderRequest("dlib", backend="openvino").build("cuda:0")


def test_the_spectrum_is_an_embedder_without_weights():
    embedder = EmbedderRequest("spectrum").build()
    crops = np.random.default_rng(0).integers(0, 256, (3, 200, 200, 3), dtype=np.uint8)
    assert np.array_equal(embedder.embed(crops), spectrum(crops))
    assert EmbedderRequest.from_spec(embedder.spec).name == "spectrum"
    whole = Face(np.array([0, 0, 200, 200]), 1.0, "none")
    assert np.array_equal(crop_faces(crops[0], [whole], embedder.spec.crop)[0], crops[0])  # not resampled
    with pytest.raises(ValueError, match="one layer"):
        EmbedderRequest("spectrum", layers=("block03",)).build()


def test_an_unknown_embedder_is_refused_by_name():
    with pytest.raises(ValueError, match="got 'arcface', which is none of them"):
        EmbedderRequest("arcface").build()


def test_dlibs_own_code_refuses_layers():
    with pytest.raises(ValueError, match="use dlib"):
        EmbedderRequest("dlib-reference", layers=("block10",)).build()
