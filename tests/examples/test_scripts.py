"""The short scripts of examples/ run and say what they promise."""

import runpy


def test_a_new_criterion_is_learned_better_than_always_no(capsys):
    runpy.run_module("examples.new_criterion", run_name="__main__")
    share, accuracy, balanced = capsys.readouterr().out.splitlines()
    assert share == "10.1% of 3000 faces fulfil the criterion"
    assert float(accuracy.split()[1]) > 0.899
    assert float(balanced.split()[2]) > 0.8
