"""Finished trainings side by side."""

import json

import pandas as pd
import pytest
import torch

from faceheads.metrics.intervals import Estimate
from faceheads.networks.exported import build_network, save_exported
from faceheads.spec import EmbedderSpec
from finetune import throughput
from finetune.compare import compare_main, comparison, figure_cell
from finetune.finished_run import read_run
from finetune.throughput import Speed, measure_speeds

EPOCHS = "step,epoch,gender_accuracy,score\n0,0,0.5,50\n4,1,0.75,25\n8,2,0.75,25\n12,3,0.7,30\n"


def write_run(folder, network="timm:test_vit", data="ab", epochs=EPOCHS):
    """A folder as a training leaves it: the best epoch is the first."""
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({"backbone": network, "data": data}))
    (folder / "epochs.csv").write_text(epochs)
    right = {"key": list("abcd"), "group": range(4), "gender_accuracy": [1, 1, 0, 1]}
    pd.DataFrame(right).to_csv(folder / "validation.csv", index=False)
    torch.manual_seed(0)
    module = build_network(network)
    spec = EmbedderSpec(network, "", module.layer_dimension("final"), "dlib5", {"kind": "dlib_chip", "size": 32})
    save_exported(folder / "embedder", spec, module)
    return folder


def test_a_run_is_read_with_the_figures_of_the_epoch_that_was_kept(tmp_path):
    run = read_run(write_run(tmp_path / "run"))
    accuracy = run.figures["gender_accuracy"]
    assert accuracy.value == 0.75 and accuracy.low < 0.75 < accuracy.high  # three of four rows, of four persons
    assert run.figures["score"] == Estimate(25.0)
    assert run.size_hw == (32, 32) and run.size_bytes == (tmp_path / "run/embedder/weights.safetensors").stat().st_size
    assert run.n_parameters == sum(parameter.numel() for parameter in build_network("timm:test_vit").parameters())


def test_the_command_writes_a_row_for_each_run(tmp_path, capsys):
    runs = [str(write_run(tmp_path / name, f"timm:{name}")) for name in ("test_vit", "test_resnet")]
    table = tmp_path / "table.md"
    assert compare_main([*runs, "--rounds", "1", "--batch_size", "1", "--out", str(table)]) == 0
    said = capsys.readouterr().out
    assert said == table.read_text()
    rows = [line for line in said.splitlines() if line.startswith("| " + str(tmp_path))]
    assert len(rows) == 2 and all("| 32 x 32 | 75.0 % [" in row for row in rows)
    assert "1.00 [1.00, 1.00]" in rows[0] and "different rows" not in said


def test_trainings_on_other_rows_are_not_compared_without_a_word(tmp_path):
    runs = [read_run(write_run(tmp_path / data, data=data)) for data in ("ab", "cd")]
    notes = comparison(runs, [Speed(1, 1, 1, 1)] * 2, "").sections[0].blocks
    assert "different rows" in notes[0].words


def test_networks_take_turns_and_ratios_are_of_one_round(monkeypatch):
    order = []
    speeds = {"slow": iter([10, 20, 30]), "fast": iter([40, 40, 90])}

    class Turn:
        def __init__(self, run, device, batch_size):
            self.run = run

        def crops_per_s(self):
            order.append(self.run)
            return next(speeds[self.run])

    monkeypatch.setattr(throughput, "_Turn", Turn)
    slow, fast = measure_speeds(["slow", "fast"], torch.device("cpu"), 1, 3)
    assert order == ["slow", "fast"] * 3
    assert slow == Speed(20, 1, 1, 1) and fast == Speed(40, 3, 2, 4)


@pytest.mark.parametrize("missing", ["settings.json", "epochs.csv"])
def test_a_training_that_has_not_ended_is_named(tmp_path, capsys, missing):
    folder = write_run(tmp_path / "run")
    (folder / missing).unlink()
    assert compare_main([str(folder)]) == 2
    assert f"it has no {missing}. Go on with the same command and --resume" in capsys.readouterr().err


def test_damaged_logs_are_named(tmp_path):
    with pytest.raises(ValueError, match="holds damaged logs"):
        read_run(write_run(tmp_path / "run", epochs="step,epoch\n0,0\n"))


def test_no_rounds_are_refused(capsys):
    assert compare_main(["run", "--rounds", "0"]) == 2
    assert "--rounds must be at least 1; got 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "estimate", "text"),
    [
        ("gender_accuracy", Estimate(0.934, 0.92, 0.95), "93.4 % [92.0, 95.0]"),
        ("eer_fake", Estimate(0.0312), "3.1 %"),
        ("age_mae", Estimate(4.567, 4.4, 4.71), "4.57 [4.40, 4.71]"),
        ("score", Estimate(11.2), "11.20"),
    ],
)
def test_shares_are_in_percent_and_years_are_not(name, estimate, text):
    assert str(figure_cell(name, estimate)) == text
