"""The short scripts of examples/ run and say what they promise."""

import runpy
import sys

import pytest


def test_a_new_criterion_is_learned_better_than_always_no(capsys):
    runpy.run_module("examples.new_criterion", run_name="__main__")
    share, accuracy, balanced = capsys.readouterr().out.splitlines()
    assert share == "10.1% of 3000 faces fulfil the criterion"
    assert float(accuracy.split()[1]) > 0.899
    assert float(balanced.split()[2]) > 0.8


@pytest.mark.data
def test_two_embedders_are_compared_on_a_labelled_folder(data_dir, capsys, monkeypatch):
    folder = data_dir / "utkface" / "UTKFace"
    monkeypatch.setattr(sys, "argv", ["two_embedders", str(folder), "--n", "16"])
    runpy.run_module("examples.two_embedders", run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["final embedding", "attribute layers", "the median age"]
    assert "128 numbers" in lines[0]
    assert "448 numbers" in lines[1]
