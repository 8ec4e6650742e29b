"""The command from crops to a folder that the pipeline runs, on pictures of noise."""

import json

import numpy as np
import pytest
import torch

from faceheads.labels import write_labels
from faceheads.networks.resnet import ResNet18
from faceheads.table_io import write_table
from features.embed import EmbedderRequest
from finetune import export
from finetune.cli import finetune_main
from finetune.export import ExportError, export_network, spec_of
from tests.finetune.crops import write_crops

SMALL = ["--backbone", "resnet18", "--optimiser", "sgd", "--batch_size", "10", "--n_persons", "4", "--n_photos", "3"]


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finetune")
    table, labels = write_crops(folder / "crops", n_people=14)
    write_table(folder / "f.parquet", table)
    write_labels(folder / "f.label.csv", labels)
    files = ["--crops", str(folder / "crops"), "--feature", str(folder / "f.parquet"), "--validation_size", "0.4"]
    return lambda name, *options: finetune_main([*files, "--recipe", name, "--jobs", "1", *SMALL, *options])


def test_what_is_trained_is_what_the_pipeline_runs(command, tmp_path, capsys):
    out = tmp_path / "out"
    (tmp_path / "words.json").write_text(json.dumps({"data": "pictures of noise"}))
    assert command("gender", "--out", str(out), "--epochs", "1", "--card", str(tmp_path / "words.json")) == 0
    told = capsys.readouterr().out
    assert "exported" in told and "card.md" in told
    card = (out / "embedder/card.md").read_text()
    assert "pictures of noise" in card and "### gender" in card and "not shown: fewer than 50 rows" in card
    assert {path.name for path in (out / "embedder/pictures").iterdir()} >= {"curves.png", "embeddings_000.png"}
    embedder = EmbedderRequest(str(out / "embedder")).build()
    assert embedder.spec.crop == {"kind": "dlib_chip", "size": 150, "padding": 0.25}
    assert (embedder.spec.network, embedder.spec.landmark_scheme, embedder.spec.dimension) == (
        "resnet18",
        "dlib5",
        512,
    )
    network = ResNet18().eval()
    network.load_state_dict(torch.load(out / "best.pt", weights_only=True)["network"])
    crops = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), np.uint8)
    with torch.inference_mode():
        expected = network(torch.from_numpy(crops).permute(0, 3, 1, 2))
    np.testing.assert_allclose(embedder.embed(crops), expected, atol=1e-5)

    assert command("gender", "--out", str(out)) == 2
    assert "Go on with --resume" in capsys.readouterr().err
    assert command("gender", "--out", str(out), "--epochs", "1", "--lr", "0.5", "--resume") == 2
    assert "other settings: lr differ" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["age_gender", "arcface", "quadruplet"])
def test_every_recipe_rehearses_and_writes_nothing(command, tmp_path, capsys, name):
    assert command(name, "--out", str(tmp_path / "out"), "--dry-run") == 0
    assert "a step" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_a_network_that_computes_something_else_is_not_exported(tmp_path, monkeypatch):
    def changed(network):
        network.conv1.weight.data *= 1.01
        return network

    monkeypatch.setattr(export, "exportable", changed)
    torch.manual_seed(0)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 3), np.uint8)
    crops = type("Crops", (), {"landmark_scheme": "dlib5", "crop": {}})
    with pytest.raises(ExportError, match=r"within 0.0001; they differ by"):
        export_network(tmp_path / "net", spec_of("resnet18", ("final",), 512, crops), ResNet18(), pixels)
    assert not list(tmp_path.iterdir())


def test_dlibs_network_is_trained_unfolded_and_exported_folded(tmp_path):
    from finetune.backbones import build_backbone

    network = build_backbone("dlib")
    for conv in network.convolutions():
        conv.gamma.data *= 1.05
    crops = type("Crops", (), {"landmark_scheme": "dlib5", "crop": {"kind": "dlib_chip"}})
    pixels = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), np.uint8)
    spec = spec_of("dlib", ("block07", "final"), 192, crops)
    assert export_network(tmp_path / "net", spec, network, pixels) < 1e-4
    assert json.loads((tmp_path / "net/embedder.json").read_text())["layers"] == ["block07", "final"]
    assert not network.is_folded
