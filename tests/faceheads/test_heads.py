"""Every kind of head learns every task it has, repeatably, in the units of the target."""

import contextlib
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC

from faceheads import fitting, heads
from faceheads.fitting import fit_head, parts_of, predict_numbers, predict_probabilities
from faceheads.head_settings import candidates, complete
from faceheads.heads import KINDS, head_kind, make_head

CLASS_KINDS = ("logistic", "mlp", "linear_svm", "svm", "hgb")
NUMBER_KINDS = ("ridge", "mlp", "linear_svr", "svr", "hgb", "distribution")


@pytest.fixture(autouse=True)
def _fast_networks(monkeypatch):
    """Small and few networks, which may stop before they have converged."""
    monkeypatch.setattr(heads, "N_NETWORKS", 2)
    monkeypatch.setattr(heads, "MLP_MAX_EPOCHS", 60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def problem(seed=0, n_rows=300, dimension=8):
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(3, 2, (n_rows, dimension)).astype(np.float32)
    signal = (embeddings[:, 0] - 3) / 2
    return embeddings, signal, np.arange(n_rows) // 3


def fitted(kind, task, y, embeddings, groups, seed=0):
    head = make_head(kind, task, len(embeddings), embeddings.shape[1], seed)
    fit_head(head, embeddings, y, groups, seed)
    return head


@pytest.mark.parametrize("kind", CLASS_KINDS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_are_learned_with_probabilities(kind, n_classes):
    embeddings, signal, groups = problem()
    y = np.digitize(signal, [0.0] if n_classes == 2 else [-0.5, 0.5])
    p = predict_probabilities(fitted(kind, "classification", y, embeddings, groups), embeddings, "classification")
    assert p.shape == (300, n_classes)
    assert p.dtype == np.float64
    assert p.sum(axis=1) == pytest.approx(np.ones(300), abs=1e-5)
    assert (p.argmax(axis=1) == y).mean() > 0.9


@pytest.mark.parametrize("kind", NUMBER_KINDS)
def test_numbers_come_back_in_the_unit_of_the_target(kind):
    embeddings, signal, groups = problem()
    years = 40 + 15 * signal
    got = predict_numbers(fitted(kind, "regression", years, embeddings, groups), embeddings)
    assert got.shape == (300,)
    assert np.abs(got - years).mean() < 4
    assert got.mean() == pytest.approx(years.mean(), abs=2)


@pytest.mark.parametrize("kind", CLASS_KINDS)
def test_several_attributes_are_learned_at_once(kind):
    embeddings, _, groups = problem()
    y = (embeddings[:, :3] > 3).astype(int)
    p = predict_probabilities(fitted(kind, "multilabel", y, embeddings, groups), embeddings, "multilabel")
    assert p.shape == (300, 3)
    assert ((p >= 0.5) == y).mean() > 0.85


@pytest.mark.parametrize(
    ("kind", "task"),
    [(kind, "classification") for kind in CLASS_KINDS] + [(kind, "regression") for kind in NUMBER_KINDS],
)
def test_rows_without_weight_teach_nothing(kind, task):
    """Half of the rows say the opposite of the others."""
    embeddings, signal, groups = problem()
    is_wrong = groups % 2 == 0
    y = ((signal > 0) ^ is_wrong).astype(int) if task == "classification" else np.where(is_wrong, -signal, signal)
    head = make_head(kind, task, 300, 8)
    fit_head(head, embeddings, y, groups, weights=np.where(is_wrong, 1e-6, 1.0))
    if task == "classification":
        decided = predict_probabilities(head, embeddings, task).argmax(axis=1)
        assert (decided == (signal > 0)).mean() > 0.8
    else:
        assert np.corrcoef(predict_numbers(head, embeddings), signal)[0, 1] > 0.8


def test_settings_change_the_estimator_and_unknown_ones_are_explained():
    assert make_head("svm", "classification", 100, 8, settings={"c": 7})[-1].estimator.C == 7
    assert make_head("ridge", "regression", 100, 8, settings={"alpha_per_dimension": 2}).regressor[-1].alpha == 16
    with pytest.raises(ValueError, match="settings of a svm head are c, gamma_times_dimension; got depth"):
        make_head("svm", "classification", 100, 8, settings={"depth": 3})
    with pytest.raises(ValueError, match="c of a svm head must be a positive number; got nan"):
        make_head("svm", "classification", 100, 8, settings={"c": float("nan")})


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_of_each_kind_is_in_its_grid_and_comes_first(kind):
    tried = candidates(kind)
    assert tried[0] == complete(kind, None)
    assert len({str(settings) for settings in tried}) == len(tried) > 1


def test_the_original_has_one_network_with_an_output_for_each_attribute():
    embeddings, _, groups = problem()
    network = fitted("mlp", "multilabel", (embeddings[:, :5] > 3).astype(int), embeddings, groups)[-1]
    assert [c.shape[1] for c in network.coefs_] == [128, 128, 5]


def test_networks_of_different_seeds_are_averaged():
    embeddings, signal, groups = problem()
    head = fitted("mlp", "classification", (signal > 0).astype(int), embeddings, groups, seed=2**32 - 1)
    standard = head[0].transform(embeddings)
    each = [network.predict_proba(standard) for network in head[-1].estimators_]
    assert not np.array_equal(each[0], each[1])
    assert predict_probabilities(head, embeddings, "classification") == pytest.approx(np.mean(each, axis=0))


@pytest.mark.parametrize(
    ("kind", "task"), [("mlp", "classification"), ("svm", "classification"), ("svr", "regression")]
)
def test_the_same_seed_gives_the_same_head(kind, task):
    embeddings, signal, groups = problem()
    y = (signal > 0).astype(int) if task == "classification" else signal
    predict = predict_numbers if task == "regression" else lambda h, x: predict_probabilities(h, x, task)
    first, second = (predict(fitted(kind, task, y, embeddings, groups), embeddings) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_many_rows_go_through_an_approximated_kernel(monkeypatch, task):
    monkeypatch.setattr(heads, "EXACT_ROWS", 100)
    monkeypatch.setattr(heads, "N_LANDMARKS", 50)
    embeddings, signal, groups = problem()
    kind = head_kind("svm", task)
    y = (signal > 0).astype(int) if task == "classification" else 40 + 15 * signal
    head = fitted(kind, task, y, embeddings, groups)
    assert "Nystroem" in {type(part).__name__ for part in parts_of(head)}
    if task == "classification":
        assert (predict_probabilities(head, embeddings, task).argmax(axis=1) == y).mean() > 0.9
    else:
        assert np.abs(predict_numbers(head, embeddings) - y).mean() < 3


@pytest.mark.parametrize("kind", ["mlp", "svr", "ridge"])
def test_long_embeddings_are_shortened_but_for_linear_heads(monkeypatch, kind):
    for name, value in {"PCA_ABOVE_DIMENSION": 6, "PCA_ROWS": 200, "N_COMPONENTS": 5}.items():
        monkeypatch.setattr(heads, name, value)
    embeddings, signal, groups = problem()
    head = fitted(kind, "regression", 40 + 15 * signal, embeddings, groups)
    pipeline = head.regressor_
    assert ("FeatureUnion" in {type(part).__name__ for part in parts_of(head)}) == (kind != "ridge")
    if kind != "ridge":
        inputs = pipeline[:2].transform(embeddings)
        assert inputs.shape == (300, 5)
        kept = pipeline[1].transformer_list[0][1].explained_variance_ratio_.sum()
        assert inputs.var(axis=0).mean() == pytest.approx(kept, rel=1e-2)  # 1, had the components kept everything
    assert "FeatureUnion" not in {type(part).__name__ for part in parts_of(make_head(kind, "regression", 100, 8))}


def test_probabilities_of_a_support_vector_machine_come_from_other_groups(monkeypatch):
    """Rows that repeat within a group would look certain if a machine were calibrated on copies of its training rows."""
    rng = np.random.default_rng(0)
    embeddings = np.repeat(rng.normal(size=(60, 8)), 5, axis=0).astype(np.float32)
    y = np.repeat(rng.integers(0, 2, 60), 5)  # nothing can be learned
    groups = np.repeat(np.arange(60), 5)
    apart = predict_probabilities(fitted("svm", "classification", y, embeddings, groups), embeddings, "classification")
    together = predict_probabilities(
        fitted("svm", "classification", y, embeddings, np.arange(300)), embeddings, "classification"
    )
    assert np.abs(apart - 0.5).mean() < 0.5 * np.abs(together - 0.5).mean()


def test_a_class_in_one_group_only_can_still_be_calibrated():
    embeddings, signal, _ = problem()
    y = np.digitize(signal, [-0.5, 0.5])
    groups = np.where(y == 2, -1, np.arange(300))
    p = predict_probabilities(fitted("svm", "classification", y, embeddings, groups), embeddings, "classification")
    assert p.shape == (300, 3)


def test_kinds_stand_for_each_other_across_tasks():
    assert head_kind("svm", "regression") == "svr"
    assert head_kind("svr", "classification") == "svm"
    assert head_kind("logistic", "regression") == "ridge"
    assert head_kind("ridge", "multilabel") == "logistic"
    assert head_kind("linear_svm", "regression") == "linear_svr"
    assert head_kind("linear_svr", "classification") == "linear_svm"
    assert head_kind("distribution", "classification") == "logistic"
    assert [head_kind(kind, "classification") for kind in ("mlp", "hgb")] == ["mlp", "hgb"]


def test_unknown_kinds_and_tasks_are_explained():
    with pytest.raises(ValueError, match=f"must be one of {', '.join(KINDS)}; got 'forest'"):
        head_kind("forest", "classification")
    with pytest.raises(ValueError, match="got 'ranking'"):
        head_kind("mlp", "ranking")
    with pytest.raises(ValueError, match="A svr head cannot do classification; use 'svm' instead"):
        make_head("svr", "classification", 10, 8)


def test_what_only_training_needs_is_dropped():
    embeddings, signal, groups = problem()
    average = fitted("mlp", "regression", signal, embeddings, groups).regressor_[-1]
    assert not hasattr(average, "named_estimators_")
    assert not any(hasattr(network, "_optimizer") for network in average.estimators_)
    machine = fitted("svm", "classification", (signal > 0).astype(int), embeddings, groups)[-1]
    assert machine.cv is None
    assert any(isinstance(part, SVC) and hasattr(part, "support_") for part in parts_of(machine))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_are_trained_on_one_blas_thread(monkeypatch):
    limits = []

    def record(limit, user_api):
        limits.append((limit, user_api))
        return contextlib.nullcontext()

    monkeypatch.setattr(fitting, "threadpool_limits", record)
    monkeypatch.setattr(heads, "MLP_MAX_EPOCHS", 2)
    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2
    for kind in ("mlp", "logistic"):
        fit_head(make_head(kind, "classification", 60, 4), x, y, np.arange(60))
    assert limits == [(1, "blas"), (None, "blas")]
