"""Threshold tuners: checked by scikit-learn, against enumeration, in searches and with unknown cohorts."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score, make_scorer, recall_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from faceheads.calibration.outoffold import make_splits
from faceheads.calibration.tuner import ThresholdTuner
from faceheads.calibration.unknown_cohort import UnknownCohortTuner
from faceheads.fairness.chance import chance_gap
from faceheads.fairness.criterion import Criterion
from faceheads.fairness.optimum import cohort_thresholds, shared_threshold
from faceheads.fairness.scores import cohort_accuracies, mean_minus_gap_score


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def people(n=400, seed=0):
    """Features, a rare class, cohorts that shift the scores and can be seen in the features, and persons."""
    rng = np.random.default_rng(seed)
    cohort = np.where(rng.random(n) < 0.4, "woman", "man")
    truth = rng.random(n) < np.where(cohort == "woman", 0.5, 0.15)
    signal = 1.5 * truth + rng.normal(size=n) + 0.8 * (cohort == "woman")
    gender = 2.5 * (cohort == "woman") + rng.normal(size=n)
    return np.c_[signal, gender, rng.normal(size=n)], np.where(truth, "yes", "no"), cohort, np.arange(n) // 4


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks warn about estimators of their own
@pytest.mark.parametrize(
    "estimator",
    [
        ThresholdTuner(LogisticRegression(), criterion="mean_minus_gap", per_cohort=True, unsure_share=0.1, cv=2),
        UnknownCohortTuner(LogisticRegression(), cv=2),
        ThresholdTuner(LogisticRegression(), criterion=Criterion("recall_at_precision", min_precision=0.1), cv=2),
    ],
)
def test_scikit_learn_finds_nothing_wrong(estimator):
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] not in ("passed", "skipped")] == []


@pytest.mark.parametrize("tune", [shared_threshold, cohort_thresholds])
def test_thresholds_come_from_scores_of_folds_that_share_no_group(tune):
    X, y, cohorts, groups = people()
    is_own = tune is cohort_thresholds
    tuner = ThresholdTuner(LogisticRegression(), criterion="mean_minus_gap", per_cohort=is_own)
    tuner.fit(X, y, sensitive_features=cohorts, groups=groups)
    splits = make_splits(5, X, y, groups)
    assert not any(set(groups[train]) & set(groups[test]) for train, test in splits)
    scores = cross_val_predict(LogisticRegression(), X, y, cv=splits, method="predict_proba")[:, 1]
    assert tuner.tuned_ == tune(scores, y == "yes", cohorts)
    everyone = LogisticRegression().fit(X, y)
    limits = np.array([tuner.tuned_.thresholds[c] for c in cohorts])
    expected = np.where(everyone.predict_proba(X)[:, 1] >= limits, "yes", "no")
    assert (tuner.predict(X, sensitive_features=cohorts) == expected).all()


def test_a_gap_within_chance_is_tolerated_and_persons_count_once():
    X, y, cohorts, groups = people()
    tuner = ThresholdTuner(LogisticRegression(), criterion=Criterion(tolerance="chance"), per_cohort=True)
    tuner.fit(X, y, sensitive_features=cohorts, groups=groups)
    splits = make_splits(5, X, y, groups)
    scores = cross_val_predict(LogisticRegression(), X, y, cv=splits, method="predict_proba")[:, 1]
    counts = {name: len(set(groups[cohorts == name])) for name in ("man", "woman")}
    limit = chance_gap(cohort_thresholds(scores, y == "yes", cohorts, "accuracy"), counts)
    assert tuner.tuned_ == cohort_thresholds(scores, y == "yes", cohorts, Criterion(tolerance=limit))
    with pytest.raises(ValueError, match="tolerance must be a number of at least 0 or 'chance'; got 'some'"):
        ThresholdTuner(LogisticRegression(), criterion=Criterion(tolerance="some")).fit(X, y)


def test_a_criterion_with_numbers_is_a_parameter_as_a_name_is():
    X, y, _, _ = people()
    asked = [Criterion("recall_at_precision", min_precision=share) for share in (0.5, 0.8)]
    search = GridSearchCV(ThresholdTuner(LogisticRegression(), cv=2), {"criterion": asked}, cv=2, error_score="raise")
    best = search.fit(X, y).best_estimator_
    assert best.criterion == asked[0]  # recall falls with the precision that is asked for
    assert clone(best).get_params()["criterion"] == asked[0]
    named = ThresholdTuner(LogisticRegression(), criterion="recall_at_precision").fit(X, y)
    with_numbers = ThresholdTuner(LogisticRegression(), criterion=Criterion("recall_at_precision", 0.9)).fit(X, y)
    assert named.tuned_ == with_numbers.tuned_
    assert best.threshold_ < named.threshold_


def test_a_fitted_estimator_is_tuned_on_what_it_is_given():
    X, y, cohorts, _ = people()
    fitted = LogisticRegression().fit(X[:200], y[:200])
    tuner = ThresholdTuner(FrozenEstimator(fitted), criterion="minimum").fit(
        X[200:], y[200:], sensitive_features=cohorts[200:]
    )
    expected = shared_threshold(fitted.predict_proba(X[200:])[:, 1], y[200:] == "yes", cohorts[200:], "minimum")
    assert tuner.tuned_ == expected
    assert tuner.threshold_ == expected.thresholds["man"]


def test_the_criterion_improves_on_people_who_were_not_tuned_on():
    X, y, cohorts, _ = people(4000)
    tuner = ThresholdTuner(LogisticRegression(), criterion="mean_minus_gap")
    tuner.fit(X[:2000], y[:2000], sensitive_features=cohorts[:2000])
    new = {"X": X[2000:], "sensitive_features": cohorts[2000:]}
    tuned = mean_minus_gap_score(y[2000:], tuner.predict(**new), sensitive_features=cohorts[2000:])
    plain = mean_minus_gap_score(y[2000:], tuner.estimator_.predict(X[2000:]), sensitive_features=cohorts[2000:])
    assert tuned > plain


def test_decision_values_serve_where_there_are_no_probabilities_and_params_reach_the_estimator():
    X, y, _, _ = people()
    weights = np.where(y == "yes", 3.0, 1.0)
    tuner = ThresholdTuner(RidgeClassifier(), criterion="f1").fit(X, y, sample_weight=weights)
    expected = RidgeClassifier().fit(X, y, sample_weight=weights)
    assert np.array_equal(tuner.estimator_.coef_, expected.coef_)
    assert np.allclose(tuner.decision_function(X), expected.decision_function(X) - tuner.threshold_)


def test_a_search_routes_cohorts_and_persons_to_fit_predict_and_score(routing):
    X, y, cohorts, groups = people()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    tuner = ThresholdTuner(pipeline, criterion="mean_minus_gap", per_cohort=True, cv=3)
    tuner.set_fit_request(sensitive_features=True, groups=True).set_predict_request(sensitive_features=True)
    tuner.set_score_request(sensitive_features=True)
    grid = {"estimator__logisticregression__C": [1e-4, 1.0], "per_cohort": [True, False]}
    search = GridSearchCV(tuner, grid, cv=GroupKFold(3), error_score="raise")
    search.fit(X, pd.Series(y), sensitive_features=pd.Series(cohorts), groups=groups)
    assert search.best_params_["estimator__logisticregression__C"] == 1.0
    best = search.best_estimator_
    expected = mean_minus_gap_score(y, best.predict(X, sensitive_features=cohorts), sensitive_features=cohorts)
    assert best.score(X, y, sensitive_features=cohorts) == expected
    assert set(best.tuned_.accuracy) == {"man", "woman"}
    assert set(best.predict(X, sensitive_features=cohorts)) == {"no", "yes"}


def test_weights_are_routed_to_the_estimator_in_every_fold_under_the_name_it_asks_for(routing):
    X, y, _, _ = people()
    weights = np.where(y == "yes", 5.0, 1.0)
    tuner = ThresholdTuner(LogisticRegression().set_fit_request(sample_weight="w"), criterion="f1").fit(
        X, y, w=weights
    )
    with sklearn.config_context(enable_metadata_routing=False):
        expected = ThresholdTuner(LogisticRegression(), criterion="f1").fit(X, y, sample_weight=weights)
    assert tuner.tuned_ == expected.tuned_
    assert np.array_equal(tuner.estimator_.coef_, expected.estimator_.coef_)


def test_a_scorer_gets_the_cohorts_of_each_fold(routing):
    X, y, cohorts, _ = people()
    scorer = make_scorer(mean_minus_gap_score).set_score_request(sensitive_features=True)
    search = GridSearchCV(LogisticRegression(), {"C": [1e-6, 1.0]}, scoring=scorer, error_score="raise")
    assert search.fit(X, y, sensitive_features=cohorts).best_params_ == {"C": 1.0}


def test_the_score_is_that_of_the_criterion():
    X, y, _, _ = people()
    measures = {
        "balanced_accuracy": balanced_accuracy_score,
        "f1": lambda truth, decided: f1_score(truth, decided, pos_label="yes"),
        "recall_at_precision": lambda truth, decided: recall_score(truth, decided, pos_label="yes"),
    }
    for criterion, measure in measures.items():
        tuner = ThresholdTuner(LogisticRegression(), criterion=Criterion(criterion, min_precision=0.6)).fit(X, y)
        assert tuner.score(X, y) == measure(y, tuner.predict(X))
    unknown = UnknownCohortTuner(LogisticRegression(), criterion="minimum").fit(X, y, sensitive_features=y)
    assert unknown.score(X, y, sensitive_features=y) == min(cohort_accuracies(y, unknown.predict(X), y).values())


def test_the_unsure_rows_are_the_share_nearest_to_the_threshold():
    X, y, _, _ = people()
    fitted = FrozenEstimator(LogisticRegression().fit(X, y))
    tuner = ThresholdTuner(fitted, unsure_share=0.1).fit(X, y)
    is_unsure = tuner.is_unsure(X)
    assert is_unsure.sum() == 40
    assert np.abs(tuner.decision_function(X))[is_unsure].max() <= np.abs(tuner.decision_function(X))[~is_unsure].min()
    assert not ThresholdTuner(fitted).fit(X, y).is_unsure(X).any()


def test_unknown_cohorts_are_predicted_and_used_softly():
    X, y, cohorts, groups = people(1000)
    tuner = UnknownCohortTuner(LogisticRegression(), LogisticRegression(C=0.1), criterion="minimum", unsure_share=0.2)
    tuner.fit(X, y, sensitive_features=cohorts, groups=groups)
    probabilities = LogisticRegression(C=0.1).fit(X, cohorts).predict_proba(X)
    limits = probabilities @ np.array([tuner.tuned_.thresholds["man"], tuner.tuned_.thresholds["woman"]])
    scores = LogisticRegression().fit(X, y).predict_proba(X)[:, 1]
    assert np.allclose(tuner.decision_function(X), scores - limits)
    assert (tuner.predict(X) == np.where(scores >= limits, "yes", "no")).all()
    assert tuner.tuned_.thresholds["man"] != tuner.tuned_.thresholds["woman"]
    assert 0.8 < tuner.cohort_accuracy_ < 1
    assert 0.15 < tuner.is_unsure(X).mean() < 0.25
    for name in ("man", "woman"):
        assert tuner.added_error_[name] == pytest.approx(tuner.tuned_.accuracy[name] - tuner.accuracy_[name])


def test_where_the_cohort_is_plain_not_knowing_it_costs_nothing():
    X, y, cohorts, _ = people()
    X[:, 1] = np.where(cohorts == "woman", 50.0, -50.0)
    known = ThresholdTuner(LogisticRegression(), criterion="mean_minus_gap", per_cohort=True)
    known.fit(X, y, sensitive_features=cohorts)
    unknown = UnknownCohortTuner(LogisticRegression()).fit(X, y, sensitive_features=cohorts)
    assert unknown.cohort_accuracy_ == 1.0
    assert unknown.added_error_ == pytest.approx({"man": 0.0, "woman": 0.0}, abs=0.01)
    decided = known.predict(X, sensitive_features=cohorts)
    assert cohort_accuracies(decided, unknown.predict(X), cohorts) == pytest.approx({"man": 1, "woman": 1}, abs=0.02)


def test_what_is_wrong_is_said():
    X, y, cohorts, _ = people(60)
    with pytest.raises(ValueError, match=r"unsure_share must be in \[0, 1\); got 1.5"):
        ThresholdTuner(LogisticRegression(), unsure_share=1.5).fit(X, y)
    with pytest.raises(ValueError, match="criterion must be one of accuracy, .*; got 'gini'"):
        ThresholdTuner(LogisticRegression(), criterion="gini").fit(X, y)
    with pytest.raises(ValueError, match="it has 1 class; there must be two"):
        ThresholdTuner(LogisticRegression()).fit(X, np.ones(60))
    with pytest.raises(ValueError, match="as there are folds, 50; class True has"):
        ThresholdTuner(LogisticRegression(), cv=50).fit(X, y)
    with pytest.raises(TypeError, match="StandardScaler has neither. Wrap it"):
        ThresholdTuner(StandardScaler()).fit(X, y)
    with pytest.raises(TypeError, match="SVC has no predict_proba. Give another cohort_estimator"):
        UnknownCohortTuner(LogisticRegression(), SVC()).fit(X, y, sensitive_features=cohorts)
    own = ThresholdTuner(LogisticRegression(), per_cohort=True).fit(X, y, sensitive_features=cohorts)
    with pytest.raises(ValueError, match="predict needs sensitive_features"):
        own.predict(X)
    with pytest.raises(ValueError, match=r"among those of fit, \['man', 'woman'\]; got \['child'\]"):
        own.predict(X, sensitive_features=["child"] * 60)
    with pytest.raises(AttributeError, match="Each cohort has its own threshold"):
        _ = own.threshold_
