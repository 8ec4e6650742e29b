"""Thresholds: found as asked, on some people, reported on others, written with all that it takes to use them."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceheads.verification.comparisons import Comparisons
from faceheads.verification.error_rates import ErrorCurve
from faceheads.verification.known_errors import KnownErrors
from faceheads.verification.probability import Probability
from faceheads.verification.rules import Request
from faceheads.verification.threshold_file import ThresholdError, load_threshold, save_threshold
from faceheads.verification.threshold_search import threshold_reach
from faceheads.verification.threshold_tuning import tune_threshold
from tests.faceheads.verification.faces import faces_table, identities_of, pairs_of
from tests.tables import table_spec


def compared(table=None, **settings):
    table = faces_table() if table is None else table
    return Comparisons.from_identities(table, identities_of(table), "cosine", "made-up faces", **settings)


@pytest.fixture(scope="module")
def tuned():
    return tune_threshold(*compared().split_people(0.5), Request("fmr", 0.01))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=4, max_size=30).filter(
        lambda cases: len({mated for _, mated in cases}) == 2
    )
)
def test_no_threshold_has_more_right_decisions_or_a_lower_cost(cases):
    curve = ErrorCurve.from_similarities([s / 4 for s, _ in cases], [m for _, m in cases])
    fmr, fnmr = curve.rates_at(Request("accuracy").find(curve))
    errors = curve.n_false_matches + curve.n_false_non_matches
    assert round(fmr * curve.n_non_mated + fnmr * curve.n_mated) == errors.min()
    request = Request("cost", false_match_cost=10, false_non_match_cost=1, mated_share=0.1)
    fmr, fnmr = curve.rates_at(request.find(curve))
    assert 9 * fmr + 0.1 * fnmr == pytest.approx((9 * curve.fmr + 0.1 * curve.fnmr).min())
    fmr, fnmr = curve.rates_at(Request("eer").find(curve))
    assert abs(fmr - fnmr) == pytest.approx(np.abs(curve.fmr - curve.fnmr).min())


def test_an_fmr_that_the_pairs_cannot_bear_is_no_threshold():
    curve = ErrorCurve.from_similarities(np.arange(200) / 200, np.arange(200) >= 100)
    with pytest.raises(ValueError, match="needs 300,000 non-mated comparisons.*Ask for a higher FMR"):
        Request("fmr", 1e-5).find(curve)
    assert curve.rates_at(Request("fmr", 0.05).find(curve))[0] <= 0.05


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"by": "taste"}, "asked for by fmr, eer"),
        ({"by": "fmr", "fmr": 1.0}, "must be in"),
        ({"by": "fmr"}, "must be in"),
        ({"by": "cost", "false_match_cost": 0.0}, "must be positive"),
        ({"by": "cost", "mated_share": 1.0}, "share of mated"),
        ({"by": "eer", "fmr": 0.1}, "other fields"),
    ],
)
def test_a_request_out_of_range_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        Request.from_json(values)


def test_the_reach_of_a_threshold_is_about_what_other_people_move_it_by():
    request, found, reach = Request("fmr", 0.05), [], []
    for seed in range(40):
        comparisons = compared(faces_table(n_people=50, n_photos=2, seed=seed))
        found.append(request.find(comparisons.rates.curve))
        reach.append(threshold_reach(comparisons.trials, request))
    ratio = np.mean(reach) / (2.05 * np.std(found))  # 2.05: t of 29 degrees of freedom, 95 %
    assert 0.9 < ratio < 1.8  # a jackknife is never too short on average, and counts the noise of pairs twice


def test_the_share_at_a_similarity_is_that_of_the_last_point_up_to_it():
    points = ((0.2, 0.5, 0.0), (0.4, 0.1, 0.2), (0.6, 0.0, 0.3))
    errors = KnownErrors(SimpleNamespace(n_non_mated=300), None, points)
    assert [errors.fmr_at(at) for at in (0.1, 0.2, 0.3, 0.4)] == [(1, False), (0.5, False), (0.5, False), (0.1, False)]
    assert errors.fmr_at(0.6) == (pytest.approx(3 / 300, rel=0.01), True)  # the rule of 3


def test_tuning_keeps_people_apart_and_counts_both_sides(tuned):
    comparisons = compared()
    first, second = comparisons.split_people(0.5)
    people = [set(c.trials.probe_identity) | set(c.trials.reference_identity) for c in (first, second)]
    assert not people[0] & people[1] and len(people[0] | people[1]) == 60
    assert tuned.tuned_on.fmr.value <= 0.01
    assert (tuned.tuned_on.n_identities, tuned.reported_on.n_identities) == tuple(map(len, people))
    assert tuned.reported_on.fmr.value == second.rates.curve.rates_at(tuned.threshold)[0]
    assert tuned.tuned_on.sha256 != tuned.reported_on.sha256
    with pytest.raises(ValueError, match=r"other people.*60 are in both, for example \['Person_000'"):
        tune_threshold(comparisons, comparisons, Request("eer"))


def test_the_hash_is_of_what_was_compared_whatever_the_order():
    table = faces_table(n_people=10)
    pairs = pairs_of(table, 20)
    one = Comparisons.from_pairs(table, pairs, "cosine", "pairs")
    turned = pairs.rename(columns={"probe": "reference", "reference": "probe"})[::-1]
    again = Comparisons.from_pairs(table[np.arange(len(table))[::-1]], turned, "cosine", "pairs")
    assert one.sha256 == again.sha256
    assert one.sha256 != Comparisons.from_pairs(table, pairs[1:], "cosine", "pairs").sha256
    false = pairs.assign(is_mated=~pairs["is_mated"])
    assert one.sha256 != Comparisons.from_pairs(table, false, "cosine", "pairs").sha256


def test_a_decision_has_its_probability_and_the_fmr_of_such_a_similarity(tuned):
    curve = compared().split_people(0.5)[1].rates.curve
    low, high = (tuned.decide(x) for x in (tuned.unsure_low - 0.01, tuned.unsure_high + 0.01))
    assert (low.answer, high.answer, tuned.decide(tuned.threshold).answer) == ("non-match", "match", "unsure")
    for similarity in np.linspace(-0.9, 0.99, 30):
        decision = tuned.decide(similarity)
        true_fmr = curve.rates_at(similarity)[0]
        if true_fmr > 0:  # points are few: never too low, and at most one step of the log scale too high
            assert true_fmr <= decision.fmr <= 1.1 * true_fmr + 2 / curve.n_non_mated and not decision.fmr_is_bound
    sure = replace(tuned, unsure_low=tuned.threshold, unsure_high=tuned.threshold)
    assert sure.decide(tuned.threshold).answer == "match"
    none = tuned.decide(1.0)
    assert none.fmr_is_bound and none.fmr == 3 / curve.n_non_mated
    assert 0.9 < none.probability <= 1 and tuned.decide(-1.0).probability < 0.01
    with pytest.raises(ValueError, match="must be a number"):
        tuned.decide(math.nan)


def test_probabilities_are_calibrated_on_other_people():
    first, second = compared(faces_table(n_people=150, noise=1.0)).split_people(0.5)
    curve, trials = Probability.fit(first.trials), second.trials
    found, is_mated = curve.at(trials.similarity), trials.is_mated
    weight = np.where(is_mated, 1 / is_mated.sum(), 1 / (~is_mated).sum())  # as if half of all pairs were mated
    for low, high in ((0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1)):
        inside = (found >= low) & (found < high)
        share, said = (np.average(values[inside], weights=weight[inside]) for values in (is_mated, found))
        assert share == pytest.approx(said, abs=0.1)
    assert curve.at(0.5, mated_share=0.1) < curve.at(0.5)


def test_a_file_comes_back_as_it_was_written_and_refuses_another_embedder(tuned, tmp_path):
    save_threshold(tmp_path / "t.json", tuned)
    again = load_threshold(tmp_path / "t.json")
    assert again == tuned
    again.check_spec(table_spec(8))
    with pytest.raises(ThresholdError, match=r"(?s)belongs to embeddings \w{16}.*feature_extraction.py"):
        again.check_spec(table_spec(9))
    with pytest.raises(ThresholdError, match="without a specification"):
        again.check_spec(None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.update(threshold="0.5"), "a number is wanted"),
        (lambda v: v.update(threshold=True), "a number is wanted"),
        (lambda v: v.update(unsure_low=9.0), "must lie between"),
        (lambda v: v.update(version=2), "version 1"),
        (lambda v: v.update(metric="taxi"), "metric must be"),
        (lambda v: v.update(surprise=1), "exactly the fields"),
        (lambda v: v.pop("points"), "exactly the fields"),
        (lambda v: v["spec"]["embedder"].update(dimension=9), "does not fit its embedder digest"),
        (lambda v: v["points"].append([0.0, 2.0, 0.0]), "points must be"),
        (lambda v: v["points"].extend([[2.0, 0.0, 0.0]] * 500), "1 to 400"),
        (lambda v: v["probability"].update(slope=-1.0), "slope"),
        (lambda v: v["tuned_on"].update(sha256="no"), "64 hexadecimal"),
        (lambda v: v["tuned_on"]["fmr"].update(value=1.5), r"\[0, 1\]"),
        (lambda v: v["tuned_on"]["acquisition"].update(n_images=-1), "a count is wanted"),
        (lambda v: v.update(tuned_on=None), "not a threshold file"),
        (lambda v: v.update(threshold=math.nan), "NaN is no number"),
    ],
)
def test_a_file_that_someone_changed_is_refused(tuned, tmp_path, change, words):
    values = json.loads(json.dumps(tuned.to_json()))
    change(values)
    (tmp_path / "t.json").write_text(json.dumps(values))
    with pytest.raises(ThresholdError, match=words):
        load_threshold(tmp_path / "t.json")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b"7" * (2**20 + 1)])
def test_a_file_that_is_no_threshold_is_refused(tmp_path, content):
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(ThresholdError, match="threshold file"):
        load_threshold(tmp_path / "t.json")
    with pytest.raises(ThresholdError, match="no readable threshold file"):
        load_threshold(tmp_path / "gone.json")


def test_a_table_without_a_specification_gives_no_threshold():
    table = faces_table(n_people=10)
    bare = type(table)(**{**{n: getattr(table, n) for n in table._column_names()}, "spec": None})
    with pytest.raises(ThresholdError, match="needs a feature table with a specification"):
        tune_threshold(compared(bare), None, Request("eer"))


def test_with_too_few_people_nobody_knows_how_sure_a_threshold_is():
    table = faces_table(n_people=5)
    lone = np.where(np.isin(identities_of(table), ["Person_000"]), "Person_000", table.path)
    with pytest.raises(ThresholdError, match="cannot be told from 17 people"):
        tune_threshold(Comparisons.from_identities(table, lone, "cosine", "one person"), None, Request("eer"))
