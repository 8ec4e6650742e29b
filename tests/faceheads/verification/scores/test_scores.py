"""Scores of pairs: scikit-learn's own checks, and each formula against a slow second way to compute it."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from faceheads.verification.error_rates import ErrorCurve
from faceheads.verification.pairing import pair_identities
from faceheads.verification.scores.cluster_calibrated import ClusterCalibratedScore
from faceheads.verification.scores.cohort_calibrated import CohortCalibratedScore
from faceheads.verification.scores.cohort_norm import CohortNormScore
from faceheads.verification.scores.moments import diagonalising, person_moments
from faceheads.verification.scores.plda import PldaScore
from faceheads.verification.scores.quality import QualityScore
from faceheads.verification.scores.whitened import WhitenedScore

SCORES = [
    CohortNormScore(),
    WhitenedScore(),
    WhitenedScore(n_components=1, metric="cosine"),
    PldaScore(),
    QualityScore(),
]


@parametrize_with_checks(SCORES)
def test_scores_are_estimators_as_scikit_learn_has_them(estimator, check):
    check(estimator)


def people(n_people=300, n_faces=4, seed=0, noise=(0.2, 0.5, 1.0, 2.0)):
    """Vectors whose spread within persons differs much between directions."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_people), rng.integers(1, n_faces + 1, n_people))
    centres = rng.normal(0, 1, (n_people, len(noise)))
    return centres[y] + rng.normal(0, 1, (len(y), len(noise))) * noise, y


def eer_of(score, X, y):
    pairs = pair_identities(y, 20_000)
    return (
        ErrorCurve.from_similarities(score.score_rows(X, pairs.probe, pairs.reference), pairs.is_mated)
        .eer()
        .interpolated
    )


def test_the_plda_score_is_the_logarithm_of_the_ratio_of_two_gaussian_likelihoods():
    X, y = people()
    score = PldaScore(shrinkage=0.1, unit_length=False).fit(X, y)
    back = np.linalg.inv(score.projection_)
    within, between = back.T @ back, back.T @ np.diag(score.ratio_) @ back
    total = within + between
    both = multivariate_normal(np.tile(score.mean_, 2), np.block([[total, between], [between, total]]))
    alone = multivariate_normal(score.mean_, total)
    one, other = X[:20], X[20:40]
    wanted = both.logpdf(np.hstack([one, other])) - alone.logpdf(one) - alone.logpdf(other)
    got = score.score_rows(X, np.arange(20), np.arange(20, 40))
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)


def likelihood(score, X, y):
    """Log-likelihood of all vectors under a fitted model, person by person, with whole covariance matrices."""
    back = np.linalg.inv(score.projection_)
    within, between = back.T @ back, back.T @ np.diag(score.ratio_) @ back
    total = 0.0
    for person in np.unique(y):
        own = X[y == person]
        covariance = np.kron(np.eye(len(own)), within) + np.kron(np.ones((len(own),) * 2), between)
        total += multivariate_normal(np.tile(score.mean_, len(own)), covariance).logpdf(own.ravel())
    return total


def test_every_step_of_expectation_maximisation_makes_the_faces_likelier_and_finds_the_covariances():
    X, y = people(150)
    fits = [PldaScore(shrinkage=0, n_iterations=n, unit_length=False).fit(X, y) for n in (0, 1, 2, 5, 30)]
    found = [likelihood(fit, X, y) for fit in fits]
    assert (np.diff(found) > 0).all()
    back = np.linalg.inv(fits[-1].projection_)
    np.testing.assert_allclose(np.sqrt(np.diag(back.T @ back)), [0.2, 0.5, 1.0, 2.0], rtol=0.1)
    np.testing.assert_allclose(np.diag(back.T @ np.diag(fits[-1].ratio_) @ back), 1, atol=0.35)


@pytest.mark.parametrize("score", [WhitenedScore(0.0, unit_length=False), PldaScore(0.0, unit_length=False)])
def test_a_learned_metric_tells_new_people_apart_better_than_the_plain_distance(score):
    plain = WhitenedScore(shrinkage=1.0, unit_length=False)
    train, test = people(seed=1), people(seed=2)
    eers = [eer_of(one.fit(*train), *test) for one in (plain, score)]
    assert eers[1] < 0.6 * eers[0]


def test_whitening_makes_the_spread_within_persons_the_identity_and_full_shrinkage_learns_nothing():
    X, y = people()
    white = WhitenedScore(0.0, unit_length=False).fit(X, y)
    np.testing.assert_allclose(person_moments(white.transform(X), y).within, np.eye(4), atol=1e-9)
    plain = WhitenedScore(1.0, unit_length=False).fit(X, y)
    distance = -plain.compare(plain.transform(X[:9]), plain.transform(X[9:18]))
    ratio = distance / np.linalg.norm(X[:9] - X[9:18], axis=1)
    np.testing.assert_allclose(ratio, ratio[0])


def test_the_directions_of_lda_are_those_in_which_people_differ_most():
    X, y = people(noise=(1.0, 0.1, 1.0))
    direction = WhitenedScore(0.0, n_components=1, unit_length=False).fit(X, y).projection_[:, 0]
    assert abs(direction[1]) > 5 * abs(direction[[0, 2]]).max()
    moments = person_moments(X, y)
    projection, ratio = diagonalising(moments.within, moments.between)
    np.testing.assert_allclose(projection.T @ moments.between @ projection, np.diag(ratio), atol=1e-9)


@pytest.mark.parametrize("kind", ["s", "z", "t"])
def test_normalised_similarities_equal_a_plain_loop(kind):
    X, y = people(40)
    score = CohortNormScore(kind=kind, n_top=5, cohort_size=20).fit(X, y)
    assert len(score.cohort_) == 20

    def cosine(a, b):
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    for i, j in [(0, 1), (3, 50)]:
        tops = [sorted((cosine(X[k], c) for c in score.cohort_.astype(float)), reverse=True)[:5] for k in (i, j)]
        own = cosine(X[i], X[j])
        probe, reference = [(own - np.mean(top)) / np.std(top) for top in tops]
        wanted = {"s": (probe + reference) / 2, "z": reference, "t": probe}[kind]
        assert score.score_rows(X, np.array([i]), np.array([j]))[0] == pytest.approx(wanted, rel=1e-5)


def test_a_cohort_has_one_face_of_a_person():
    X, y = people(30)
    cohort = CohortNormScore(metric="euclidean").fit(X, y).cohort_
    rows = [int(np.argmin(np.linalg.norm(X - member, axis=1))) for member in cohort]
    assert sorted(y[rows]) == list(range(30))


def test_quality_lifts_what_bad_photos_hide():
    rng = np.random.default_rng(0)

    def photos(seed):
        X, y = people(300, seed=seed, noise=(0.3,) * 6)
        quality = rng.random(len(X))
        return np.hstack([X + rng.normal(0, 1, X.shape) * (1 - quality[:, None]) ** 3, quality[:, None]]), y

    train, (X, y) = photos(1), photos(2)
    plain, corrected = QualityScore().fit(train[0][:, :-1], train[1]), QualityScore(n_qualities=1).fit(*train)
    assert eer_of(corrected, X, y) < 0.97 * eer_of(plain, X[:, :-1], y)
    with_gap = X.copy()
    with_gap[0, -1] = np.nan
    typical = X.copy()
    typical[0, -1] = corrected.typical_[0]
    np.testing.assert_array_equal(corrected.transform(with_gap), corrected.transform(typical))


def test_without_qualities_the_score_is_a_logistic_regression_on_the_similarity():
    X, y = people(60)
    score = QualityScore(C=1e8).fit(X, y)
    pairs = pair_identities(y)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    similarity = (unit[pairs.probe] * unit[pairs.reference]).sum(axis=1)[:, None]
    model = LogisticRegression(C=1e8, class_weight="balanced").fit(similarity, pairs.is_mated)
    got = score.score_rows(X, pairs.probe, pairs.reference)
    np.testing.assert_allclose(got, model.decision_function(similarity), atol=0.02)


def test_missing_rows_have_no_score():
    X, y = people(20)
    got = clone(PldaScore()).fit(X, y).score_rows(X, np.array([0, -1, 2]), np.array([1, 1, -1]))
    assert np.isfinite(got[0]) and np.isnan(got[1:]).all()


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (CohortNormScore(kind="x"), "kind of"),
        (CohortNormScore(n_top=1), "at least 2"),
        (WhitenedScore(shrinkage=2), "in \\[0, 1\\]"),
        (WhitenedScore(metric="x"), "metric must be"),
        (PldaScore(n_iterations=-1), "at least 0"),
        (QualityScore(C=0), "C above 0"),
    ],
)
def test_parameters_out_of_range_are_refused(score, words):
    with pytest.raises(ValueError, match=words):
        score.fit(*people(10))


def two_populations(seed):
    """Vectors of which a half varies twice as much around persons that are twice as far apart; the last column is the half."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(400), 3)
    half = (y % 2)[:, None].astype(float)
    centres = np.hstack([10 * half[::3], rng.normal(0, 1, (400, 6)) * (1 + half[::3])])
    noise = np.hstack([np.zeros((len(y), 1)), rng.normal(0, 0.5, (len(y), 6)) * (1 + half)])
    return np.hstack([centres[y] + noise, half]), y


@pytest.mark.parametrize("told", [False, True])
def test_calibration_by_part_makes_false_matches_more_equally_frequent(told):
    score = CohortCalibratedScore("euclidean") if told else ClusterCalibratedScore("euclidean", 2)
    plain = clone(score).set_params(prior_pairs=1e9)  # one curve for all
    (X, y), (new, who) = two_populations(1), two_populations(2)
    unequal = []
    for one in (plain, score):
        columns = slice(None) if told else slice(0, -1)
        fitted = one.fit(X[:, columns], y)
        pairs = pair_identities(who, 60_000)
        log_odds = fitted.score_rows(new[:, columns], pairs.probe, pairs.reference)
        half = new[pairs.probe, -1]
        within = ~pairs.is_mated & (half == new[pairs.reference, -1])
        rates = [np.mean(log_odds[within & (half == k)] > 0) for k in (0, 1)]
        unequal.append(max(rates) / min(rates))
    assert unequal[1] < 0.25 * unequal[0]


def test_a_pair_has_the_mean_probability_of_its_parts_weighted_by_their_sizes():
    X, y = two_populations(3)
    score = CohortCalibratedScore("euclidean").fit(X, y)
    score.sizes_ = np.array([30.0, 90.0, 0.0])
    rows = np.arange(5)
    got = score.score_rows(X, rows, rows + 602)
    similarity = -np.linalg.norm(X[rows, :-1] - X[rows + 602, :-1], axis=1)
    part = X[[rows, rows + 602], -1].astype(int)
    probability = 1 / (1 + np.exp(-(score.slopes_[part] * similarity + score.intercepts_[part])))
    weight = score.sizes_[part] + 0.5
    mean = (weight * probability).sum(axis=0) / weight.sum(axis=0)
    np.testing.assert_allclose(got, np.log(mean / (1 - mean)), atol=1e-6)


def test_a_cohort_that_was_never_seen_has_the_curve_of_all():
    X, y = two_populations(4)
    one = CohortCalibratedScore("euclidean", prior_pairs=1e9).fit(X, y)
    unseen = X[:4].copy()
    unseen[:, -1] = 7
    got = one.transform(unseen)
    np.testing.assert_allclose(got[:, -3:-1], np.tile([one.slopes_[0], one.intercepts_[0]], (4, 1)), rtol=1e-3)
    assert (got[:, -1] == 0).all()


def test_the_example_of_the_documentation_runs():
    page = (Path(__file__).parents[4] / "docs" / "comparisons.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    X, identity = people(30)
    names = {"PldaScore": PldaScore, "X": X, "identity": identity, "new_X": people(2, seed=9)[0]}
    exec(example, names)  # noqa: S102 - a page of ours
    assert np.isfinite(names["log_likelihood_ratio"]).all()
