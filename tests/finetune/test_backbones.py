"""Every light network learns, in steps and by the command, and comes back as something that the pipeline runs."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from faceheads.labels import write_labels
from faceheads.table_io import write_table
from features.embed import EmbedderRequest
from finetune.backbones import build_backbone
from finetune.cli import finetune_main
from finetune.export import export_network, spec_of
from finetune.optimisation import make_optimiser
from finetune.recipes import Recipe
from tests.finetune.crops import write_crops

SIZE_PX = 32
CROPS = type(
    "Crops", (), {"landmark_scheme": "dlib5", "crop": {"kind": "dlib_chip", "size": SIZE_PX, "padding": 0.25}}
)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3", "timm:test_vit"])
def test_two_steps_change_every_stage_and_what_is_exported_computes_the_same(tmp_path, name):
    torch.manual_seed(0)
    network = build_backbone(name)
    head = nn.Linear(network.layer_dimension("final"), 2)
    before = {key: parameter.clone() for key, parameter in network.named_parameters()}
    optimiser = make_optimiser(network, head, Recipe("gender", name, lr=0.01, layer_decay=0.9))
    pixels = np.random.default_rng(0).integers(0, 256, (4, SIZE_PX, SIZE_PX, 3), np.uint8)
    crops = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    for _ in range(2):
        loss = nn.functional.cross_entropy(head(network.train()(crops.float())), torch.tensor([0, 1, 0, 1]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    unchanged = [key for key, parameter in network.named_parameters() if torch.equal(parameter, before[key])]
    assert torch.isfinite(loss) and unchanged == []
    spec = spec_of(name, ("final",), network.layer_dimension("final"), CROPS)
    assert export_network(tmp_path / "net", spec, network, pixels) < 1e-4
    with torch.inference_mode():
        expected = network(crops).numpy()
    np.testing.assert_allclose(EmbedderRequest(str(tmp_path / "net")).build().embed(pixels), expected, atol=1e-4)


def test_the_command_trains_a_network_of_timm_stage_by_stage_and_writes_both_forms(tmp_path, capsys):
    table, labels = write_crops(tmp_path / "crops", n_people=10, n_photos=2, size_px=150)
    write_table(tmp_path / "f.parquet", table)
    write_labels(tmp_path / "f.label.csv", labels)
    files = ["--crops", str(tmp_path / "crops"), "--feature", str(tmp_path / "f.parquet"), "--validation_size", "0.4"]
    network = ["--backbone", "timm:test_vit", "--unfreeze", "1", "--layer_decay", "0.7", "--onnx"]
    run = tmp_path / "run"
    assert (
        finetune_main(
            [*files, *network, "--recipe", "gender", "--epochs", "2", "--batch_size", "6", "--out", str(run)]
        )
        == 0
    )
    said = capsys.readouterr().out
    assert "timm:test_vit" in said and f"--embedder {run / 'embedder'}.onnx" in said
    epochs, outcomes = (pd.read_csv(run / name) for name in ("epochs.csv", "validation.csv"))
    best = epochs.loc[epochs["score"].idxmin()]
    assert outcomes["gender_accuracy"].mean() == pytest.approx(best["gender_accuracy"]) and len(outcomes) == 4
    crops = np.random.default_rng(0).integers(0, 256, (3, 150, 150, 3), np.uint8)
    folder, file = (EmbedderRequest(str(run / where)).build() for where in ("embedder", "embedder.onnx"))
    np.testing.assert_allclose(folder.embed(crops), file.embed(crops), atol=1e-4)
