"""Error rates against plain loops, scikit-learn, and the numbers that pyeer gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import det_curve, roc_auc_score, roc_curve

from faceheads.verification.error_rates import RULE_OF_30, ErrorCurve, comparisons_needed

CASES = st.lists(st.tuples(st.integers(-3, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda cases: len({mated for _, mated in cases}) == 2
)


def curve_of(cases):
    return ErrorCurve.from_similarities([s / 4 for s, _ in cases], [m for _, m in cases])


def random_sets(n_sets, seed=0):
    """Score sets with ties: rounded to few values, of unequal sizes."""
    rng = np.random.default_rng(seed)
    for _ in range(n_sets):
        n_mated, n_non_mated = rng.integers(5, 200, 2)
        scores = np.concatenate([rng.normal(1, 1, n_mated), rng.normal(0, 1, n_non_mated)])
        yield np.round(scores, int(rng.integers(0, 4))), np.arange(n_mated + n_non_mated) < n_mated


@given(CASES)
def test_rates_equal_a_count_at_every_threshold(cases):
    curve = curve_of(cases)
    mated, others = ([s / 4 for s, m in cases if m is kind] for kind in (True, False))
    for k, threshold in enumerate(curve.thresholds):
        assert curve.fmr[k] == sum(s >= threshold for s in others) / len(others)
        assert curve.fnmr[k] == sum(s < threshold for s in mated) / len(mated)
        assert curve.rates_at(threshold) == (curve.fmr[k], curve.fnmr[k])
    assert (curve.fmr[0], curve.fnmr[0], curve.fmr[-1], curve.fnmr[-1]) == (1, 0, 0, 1)


def test_curve_and_area_equal_those_of_scikit_learn():
    for scores, is_mated in random_sets(20):
        curve = ErrorCurve.from_similarities(scores, is_mated)
        fpr, tpr, thresholds = roc_curve(is_mated, scores, drop_intermediate=False)
        assert np.array_equal(thresholds[::-1], curve.thresholds)
        assert np.allclose(fpr[::-1], curve.fmr, atol=1e-15)
        assert np.allclose(1 - tpr[::-1], curve.fnmr, atol=1e-15)
        assert curve.auc == pytest.approx(roc_auc_score(is_mated, scores), abs=1e-12)
        fpr, fnr, thresholds = det_curve(is_mated, scores)
        k = np.searchsorted(curve.thresholds, thresholds)
        assert np.allclose(fpr, curve.fmr[k], atol=1e-15) and np.allclose(fnr, curve.fnmr[k], atol=1e-15)


def test_the_equal_error_rate_has_the_value_of_each_definition():
    for scores, is_mated in random_sets(20, seed=1):
        fpr, tpr, thresholds = roc_curve(is_mated, scores, drop_intermediate=False)
        fnr, eer = 1 - tpr, ErrorCurve.from_similarities(scores, is_mated).eer()
        gap = np.round(np.abs(fnr - fpr), 12)
        i = np.argmin(gap)
        assert eer.threshold == thresholds[i]
        assert eer.fnmr_at_nearest == pytest.approx(fnr[i])
        assert eer.mean_at_nearest == pytest.approx((fpr[i] + fnr[i]) / 2)
        k = next(k for k in range(len(fpr)) if fpr[k] - fnr[k] >= -1e-12)  # the curves cross between k − 1 and k
        slope = (fnr[k] - fnr[k - 1]) / max(fpr[k] - fpr[k - 1], 1e-12)
        crossing = (fnr[k] - slope * fpr[k]) / (1 - slope)
        assert eer.interpolated == pytest.approx(crossing, abs=1e-9)


def test_the_equal_error_rate_by_hand():
    # FMR 1, 3/4, 2/4, 1/4, 0, 0 and FNMR 0, 0, 0, 0, 1/2, 1 at 0.1, 0.2, 0.4, 0.6, 0.9, inf: they cross between 0.6 and 0.9
    curve = ErrorCurve.from_similarities([0.1, 0.2, 0.4, 0.6, 0.6, 0.9], [0, 0, 0, 0, 1, 1])
    eer = curve.eer()
    assert eer.interpolated == pytest.approx(1 / 6)  # on the line from (1/4, 0) to (0, 1/2)
    assert (eer.mean_at_nearest, eer.fnmr_at_nearest, eer.fvc2000, eer.threshold) == (1 / 8, 0, 1 / 8, 0.6)


def test_of_equally_near_thresholds_the_highest_counts():
    eer = ErrorCurve.from_similarities([0.2, 0.6, 0.5], [0, 0, 1]).eer()  # (1/2, 0) at 0.5, (1/2, 1) at 0.6
    assert (eer.threshold, eer.fnmr_at_nearest, eer.mean_at_nearest, eer.fvc2000) == (0.6, 1, 0.75, 0.25)


@pytest.mark.parametrize(
    ("decimals", "expected"),
    [(0, (0.29, 0.7571875)), (1, (0.28125, 0.7706875)), (3, (0.2775, 0.77134375))],
)
def test_eer_and_area_equal_those_of_pyeer(decimals, expected):
    # pyeer 0.5.6 (numpy 2.4.6): get_eer_stats(mated, non_mated).eer and .auc; python -m benchmarks.error_rates --pyeer PYTHON
    rng = np.random.default_rng(7)
    scores = np.round(np.concatenate([rng.normal(1, 1, 80), rng.normal(0, 1, 200)]), decimals)
    curve = ErrorCurve.from_similarities(scores, np.arange(280) < 80)
    assert (curve.eer().fvc2000, curve.auc) == pytest.approx(expected, abs=1e-12)


@given(CASES)
def test_counts_in_bins_give_the_curve_of_their_edges(cases):
    edges = np.arange(-3, 7) / 4
    mated, others = (
        np.array([sum(s / 4 == e and m is kind for s, m in cases) for e in edges]) for kind in (True, False)
    )
    binned, single = ErrorCurve.from_counts(edges, mated, others), curve_of(cases)
    for threshold in single.thresholds:
        assert binned.rates_at(threshold) == single.rates_at(threshold)
    assert binned.auc == pytest.approx(single.auc)


@given(CASES, st.sampled_from([0.2, 0.35, 0.5]))
def test_an_operating_point_keeps_its_limit_and_no_lower_threshold_does(cases, limit):
    curve = curve_of(cases)
    point = curve.operating_point(limit)
    if curve.n_non_mated < 3 / limit:
        assert not point.is_supported
        return
    assert point.fmr <= limit
    assert curve.rates_at(point.threshold) == (point.fmr, point.fnmr)
    lower = curve.thresholds[curve.thresholds < point.threshold]
    assert all(curve.rates_at(t)[0] > limit for t in lower)


def test_a_limit_that_the_comparisons_cannot_bear_is_refused_with_the_number_that_could():
    curve = ErrorCurve.from_similarities(np.arange(3001) / 3001, np.arange(3001) == 3000)
    assert curve.operating_point(1e-3).note.startswith("weak: 30,000 non-mated comparisons")
    refused = curve.operating_point(1e-4)
    assert not refused.is_supported
    assert (
        "needs 30,000 non-mated comparisons (rule of 3), better 300,000 (rule of 30); there are 3,000" in refused.note
    )


def test_the_rules_of_3_and_30_are_whole_numbers_of_comparisons():
    assert [comparisons_needed(10.0**-k) for k in range(1, 6)] == [30, 300, 3000, 30_000, 300_000]
    assert comparisons_needed(1e-3, RULE_OF_30) == 30_000


def test_a_threshold_lies_in_the_gap_and_the_last_lets_nothing_match():
    curve = ErrorCurve.from_similarities([0.2, 0.6, 0.6], [0, 1, 0])
    assert curve.threshold_before(1) == pytest.approx(0.4)
    assert curve.threshold_before(0) == 0.2
    assert curve.rates_at(curve.threshold_before(2)) == (0, 1)


@pytest.mark.parametrize(
    ("similarity", "is_mated", "words"),
    [([0.1, 0.2], [1, 1], "got 2 and 0"), ([0.1, np.nan], [1, 0], "must be finite"), ([], [], "got 0 and 0")],
)
def test_a_curve_needs_both_kinds_and_numbers(similarity, is_mated, words):
    with pytest.raises(ValueError, match=words):
        ErrorCurve.from_similarities(similarity, is_mated)
