"""The command with recipes of files, criteria, cohorts and teachers, on pictures of noise."""

import csv

import pytest
import torch

from faceheads.labels import write_labels
from faceheads.table_io import write_table
from finetune.cli import finetune_main
from tests.finetune.crops import write_crops


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipes")
    table, labels = write_crops(folder / "crops", n_people=14)
    write_table(folder / "f.parquet", table)
    write_labels(folder / "f.label.csv", labels.assign(hat=[1, -1, -1] * 14))
    files = ["--crops", str(folder / "crops"), "--feature", str(folder / "f.parquet"), "--validation_size", "0.4"]
    small = ["--backbone", "resnet18", "--batch_size", "8", "--epochs", "1", "--jobs", "1"]

    def run(name, out, *options):
        options = [str(option).replace("TABLE", str(folder / "f.parquet")) for option in options]
        return finetune_main([*files, *small, "--recipe", str(name), "--out", str(out), *options])

    return run


def test_a_criterion_is_learned_for_both_cohorts_near_to_a_teacher_and_its_settings_are_a_recipe(
    run, tmp_path, capsys
):
    out = tmp_path / "out"
    settings = ["--target", "hat", "--cohort", "gender", "--gap_weight", "0.5", "--balance", "sampler"]
    settings += ["--cutout", "0.5", "--distort", "0.5", "--distort_kinds", "blur,noise", "--optimiser", "sing"]
    assert run("criterion", out, *settings, "--teacher", "TABLE") == 0
    warning = capsys.readouterr().err
    assert "warning: --cutout 0.5, --distort 0.5" in warning and "--flip" not in warning and "--colour" not in warning
    with open(out / "epochs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for row in rows:
        accuracies = [float(row["accuracy_female"]), float(row["accuracy_male"])]
        expected = sum(accuracies) / 2 - abs(accuracies[0] - accuracies[1])
        assert float(row["mean_minus_gap"]) == pytest.approx(expected)
        assert float(row["score"]) == pytest.approx(100 * (1 - expected)) and float(row["distil"]) > 0
    with open(out / "steps.csv", newline="") as file:
        assert {"gap", "distil"} < set(csv.DictReader(file).fieldnames)
    best = torch.load(out / "best.pt", weights_only=True)
    assert best["epoch"] == min(range(2), key=lambda i: float(rows[i]["score"]))
    card = (out / "embedder" / "card.md").read_text(encoding="utf-8")
    assert "0.5 · the gap between cohorts of gender; 1 · (1 − cosine) to the embeddings of a teacher." in card

    again = out / "settings.json"
    assert run(again, out, "--resume") == 2  # without the teacher these are other data
    assert "other settings: data differ" in capsys.readouterr().err
    assert run(again, out, "--teacher", "TABLE", "--gap_weight", "1", "--resume") == 2  # the command line goes first
    assert "other settings: gap_weight differ" in capsys.readouterr().err


def test_a_file_of_few_lines_is_a_recipe_and_an_option_goes_before_it(run, tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text("task: gender\naccumulate: 2\nepochs: 7\naugmentation:\n  colour: 0.1\n")
    assert run(tmp_path / "mine.yaml", tmp_path / "out", "--dry-run") == 0
    told = capsys.readouterr()
    assert "1 epochs of 1" in told.out  # --batch_size 8 of 24 to 31 rows makes three batches, two of them a step
    assert "warning" not in told.err


def test_what_is_missing_is_said_in_one_sentence(run, tmp_path, capsys):
    for options, words in {
        (): "must know what to learn. Give --target COLUMN",
        ("--target", "nose"): "'nose'] are missing",
        ("--target", "identity"): "a column of two values; 'identity' has",
        ("--target", "hat", "--cohort", "hat", "--epochs", "0"): "--epochs must be at least 1; got 0",
    }.items():
        assert run("criterion", tmp_path / "out", *options) == 2
        error = capsys.readouterr().err
        assert words in error and error.count("\n") == 1, error
