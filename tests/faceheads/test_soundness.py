"""Arrays that compiled code would read without looking are checked before the first prediction."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.kernel_approximation import Nystroem
from sklearn.svm import SVC, SVR

from faceheads.fitting import fit_head
from faceheads.heads import KINDS, head_kind, make_head
from faceheads.soundness import check_sound

RNG = np.random.default_rng(0)
EMBEDDINGS = RNG.standard_normal((120, 4)).astype(np.float32)
CLASSES = np.digitize(EMBEDDINGS[:, 0], [-0.5, 0.5])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_training_makes_is_sound(kind, task):
    head = make_head(head_kind(kind, task), task, 120, 4)
    fit_head(head, EMBEDDINGS, CLASSES if task == "classification" else EMBEDDINGS[:, 0], np.arange(120))
    check_sound(head)


@pytest.mark.parametrize("machine", [SVC(), SVR()])
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("support_vectors_", lambda a: a[:3]),
        ("support_vectors_", lambda a: a[:, :2]),
        ("support_", lambda a: a[:3]),
        ("_n_support", lambda a: a[:1]),
        ("_dual_coef_", lambda a: a[:, :3]),
        ("_intercept_", lambda a: a[:0]),
        ("_probA", lambda a: np.zeros(3)),
    ],
)
def test_support_vectors_of_the_wrong_number_are_refused(machine, name, change):
    machine.fit(EMBEDDINGS, CLASSES)
    setattr(machine, name, change(getattr(machine, name)))
    with pytest.raises(ValueError, match="must have the shape"):
        check_sound(machine)


def test_counts_of_support_vectors_that_do_not_add_up_are_refused():
    machine = SVC().fit(EMBEDDINGS, CLASSES)
    machine._n_support = machine._n_support + np.int32([1000, 0, 0])
    with pytest.raises(ValueError, match="their number per class"):
        check_sound(machine)
    machine._n_support = np.int32([-5, 5, len(machine.support_)])
    with pytest.raises(ValueError, match="their number per class"):
        check_sound(machine)


def test_another_kernel_is_refused():
    machine = SVC().fit(EMBEDDINGS, CLASSES)
    machine.kernel = "precomputed"
    with pytest.raises(ValueError, match="RBF kernel"):
        check_sound(machine)
    with pytest.raises(ValueError, match="RBF kernel"):
        check_sound(Nystroem(kernel="laplacian"))


@pytest.mark.parametrize(
    "trees", [HistGradientBoostingClassifier(max_iter=3), HistGradientBoostingRegressor(max_iter=3)]
)
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("left", 10_000, "its own later nodes"),
        ("right", 0, "its own later nodes"),
        ("feature_idx", 4, "numeric features"),
        ("feature_idx", -1, "numeric features"),
        ("is_categorical", 1, "numeric features"),
    ],
)
def test_a_tree_that_points_elsewhere_is_refused(trees, field, value, message):
    trees.fit(EMBEDDINGS, CLASSES)
    check_sound(trees)
    trees._predictors[1][0].nodes[field][0] = value
    with pytest.raises(ValueError, match=message):
        check_sound(trees)


def test_trees_of_another_kind_are_refused():
    trees = HistGradientBoostingClassifier(max_iter=2).fit(EMBEDDINGS, CLASSES)
    tree = trees._predictors[0][0]
    nodes = tree.nodes
    tree.nodes = np.zeros(5)
    with pytest.raises(ValueError, match="a list of nodes"):
        check_sound(trees)
    tree.nodes = nodes
    tree.raw_left_cat_bitsets = np.zeros((1, 8), np.uint32)
    with pytest.raises(ValueError, match="no categories"):
        check_sound(trees)
    trees._predictors[1].pop()
    with pytest.raises(ValueError, match="must have 3 trees"):
        check_sound(trees)
    trees._preprocessor = StopIteration
    with pytest.raises(ValueError, match="numeric features only"):
        check_sound(trees)
