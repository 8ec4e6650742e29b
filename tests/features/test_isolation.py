"""One item of a batch that fails leaves its neighbours; mistakes of the program are raised."""

import pytest

from features.isolation import isolated


def test_mistakes_of_the_program_are_raised_not_recorded():
    def broken(items):
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        isolated(broken, [1, 2], "testing")


def test_isolation_runs_a_good_batch_once():
    calls = []
    assert isolated(lambda items: calls.append(len(items)) or items, [1, 2, 3], "x") == [1, 2, 3]
    assert calls == [3]
    assert isolated(lambda items: items, [], "x") == []
