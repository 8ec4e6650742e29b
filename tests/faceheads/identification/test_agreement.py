import numpy as np
import pytest
from sklearn.metrics.cluster import pair_confusion_matrix

from faceheads.identification.agreement import agreement


def test_figures_are_those_of_plain_loops_and_of_scikit_learn():
    rng = np.random.default_rng(0)
    group, person = rng.integers(0, 12, 60), rng.integers(0, 20, 60)
    found = agreement(group, person)
    same_group, same_person = (values[:, None] == values[None, :] for values in (group, person))
    precision = (same_group & same_person).sum(axis=1) / same_group.sum(axis=1)
    recall = (same_group & same_person).sum(axis=1) / same_person.sum(axis=1)
    assert found.b_cubed_precision.value == pytest.approx(precision.mean())
    assert found.b_cubed_recall.value == pytest.approx(recall.mean())
    f = 2 * precision.mean() * recall.mean() / (precision.mean() + recall.mean())
    assert found.b_cubed_f.value == pytest.approx(f)
    (_, false_pairs), (missed, right) = pair_confusion_matrix(person, group)
    assert found.pairwise_precision.value == pytest.approx(right / (right + false_pairs))
    assert found.pairwise_recall.value == pytest.approx(right / (right + missed))
    assert found.pairwise_f.low < found.pairwise_f.value < found.pairwise_f.high
    assert (found.n_faces, found.n_people, found.n_groups) == (60, len(set(person)), len(set(group)))


def test_perfect_groups_are_one_and_pairs_that_do_not_exist_are_undefined():
    people = np.array(["a", "b", "c"], object)
    found = agreement(np.array([2, 0, 1]), people)
    assert found.b_cubed_f.value == 1 and np.isnan(found.pairwise_f.value)
    with pytest.raises(ValueError, match="name each face once; got 2 and 3"):
        agreement(np.array([1, 2]), people)
