import numpy as np
import pytest

from finetune.augment import Augmentation
from finetune.distorting import Distorter
from finetune.distortions import KINDS, Subject, distort

CROPS = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
ROWS = np.arange(40)
FACE = Subject(24.0)


def distorted(step=3, rows=ROWS, seed=1, **settings):
    crops = CROPS[rows].copy()
    Distorter(Augmentation(**{"distort": 0.5, **settings}), FACE, seed)(crops, rows, step)
    return crops


def test_what_is_drawn_depends_on_seed_step_and_row_alone():
    whole = distorted()
    order = np.random.default_rng(0).permutation(40)
    np.testing.assert_array_equal(distorted(rows=order), whole[order])
    np.testing.assert_array_equal(distorted(rows=ROWS[7:9]), whole[7:9])  # a part of the batch, in another process
    for other in (distorted(step=4), distorted(seed=2)):
        assert (other != whole).any()


def test_crops_are_distorted_with_the_probability_and_by_the_kinds_and_severities_asked_for():
    is_changed = (distorted() != CROPS).any(axis=(1, 2, 3))
    assert 12 <= is_changed.sum() <= 28
    np.testing.assert_array_equal(distorted(distort=0.0), CROPS)
    blurs = {distort(CROPS[0], "blur", severity, 0, FACE).tobytes() for severity in (1, 2)}
    settings = {"distort": 1.0, "distort_kinds": "blur", "distort_severity": 2}
    found = {distorted(step, ROWS[:1], **settings)[0].tobytes() for step in range(12)}
    assert found == blurs


def test_a_kind_that_needs_landmarks_says_so_where_there_are_none():
    with pytest.raises(ValueError, match="need landmarks"):
        distorted(distort=1.0, distort_kinds="occlude_eyes")


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="'distort_kinds' must be of .*; got 'snow'"):
        Augmentation(distort_kinds="snow")
    with pytest.raises(ValueError, match=r"'distort_severity' must be one of \[1, 2, 3\]; got 4"):
        Augmentation(distort_severity=4)
    assert Augmentation(distort_kinds=", ".join(KINDS)).kinds == tuple(KINDS)
