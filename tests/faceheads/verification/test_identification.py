"""Searches in a gallery against a plain loop, scikit-learn's F1, and cases by hand."""

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score

from faceheads.verification.identification import NO_RANK, Searches, search


def people(seed=0, n_people=12, n_strangers=5, noise=0.8):
    """Two gallery images a person, three probes; strangers have probes only; one lost image on either side."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (n_people + n_strangers, 6))
    names = np.array([f"p{i}" for i in range(n_people + n_strangers)], object)
    gallery_who, probe_who = np.repeat(np.arange(n_people), 2), np.repeat(np.arange(n_people + n_strangers), 3)
    gallery, probes = (centres[who] + rng.normal(0, noise, (len(who), 6)) for who in (gallery_who, probe_who))
    gallery[3], probes[4] = np.nan, np.nan
    order = rng.permutation(len(gallery))
    return probes.astype(np.float32), names[probe_who], gallery[order].astype(np.float32), names[gallery_who][order]


def looped(probe, gallery, names, metric):
    """Best similarity of each person, in plain Python."""
    best = {}
    for vector, name in zip(gallery, names, strict=True):
        if np.isfinite(vector).all():
            a, b = probe.astype(float), vector.astype(float)
            s = a @ b / math.sqrt(a @ a * (b @ b)) if metric == "cosine" else -math.dist(a, b)
            best[name] = max(s, best.get(name, -math.inf))
    return best


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_searches_equal_a_plain_loop(metric, monkeypatch):
    monkeypatch.setattr("faceheads.verification.identification._BLOCK", 7)
    probes, who, gallery, names = people()
    found = search(probes, who, gallery, names, metric)
    for i, probe in enumerate(probes):
        if i == 4:
            assert found.found[i] == "" and np.isnan(found.top_similarity[i]) and found.mate_rank[i] == NO_RANK
            continue
        best = looped(probe, gallery, names, metric)
        assert found.found[i] == max(best, key=best.get)
        assert found.top_similarity[i] == pytest.approx(max(best.values()), abs=1e-5)
        assert found.is_mated[i] == (who[i] in best)
        if who[i] in best:
            assert found.mate_rank[i] == 1 + sum(s > best[who[i]] for s in best.values())
            assert found.mate_similarity[i] == pytest.approx(best[who[i]], abs=1e-5)


def test_rates_count_lost_probes_and_strangers():
    found = search(*people())
    mated = [i for i in range(len(found)) if found.is_mated[i]]
    assert found.hit_rate(1) == sum(found.mate_rank[i] == 1 for i in mated) / len(mated) < 1
    assert (np.diff(found.cmc(20)) >= 0).all()
    assert found.cmc(20)[-1] == pytest.approx(1 - 1 / len(mated))  # all but the lost probe
    assert found.fnir(-np.inf) == found.fnir(-1.0) == 1 / len(mated)
    assert found.fnir(0.5, rank=1) >= found.fnir(0.5) >= 0
    strangers = found.top_similarity[~found.is_mated]
    assert found.fpir(0.8) == np.mean(strangers >= 0.8)


def searches_of(tops):
    n = len(tops)
    names = np.array(["x"] * n, object)
    infinite = np.full(n, -np.inf)
    return Searches(names, names, np.array(tops, float), np.zeros(n, bool), infinite, np.full(n, 2), 1)


def test_the_threshold_for_an_fpir_keeps_it_and_is_refused_without_evidence():
    searches = searches_of([*np.linspace(0, 0.9, 28), 0.95, 0.95])
    threshold = searches.threshold_at_fpir(0.1)
    assert searches.fpir(threshold) == pytest.approx(3 / 30)
    assert searches.fpir(np.sort(searches.top_similarity)[-4]) > 0.1
    lost = searches_of([np.nan] * 15 + [0.3] * 15)
    assert lost.fpir(lost.threshold_at_fpir(0.5)) == 0.5 and lost.fpir(lost.threshold_at_fpir(0.4)) == 0
    tied = searches_of([0.5] * 30)
    assert tied.fpir(tied.threshold_at_fpir(0.1)) == 0
    with pytest.raises(ValueError, match=r"FPIR 0.01 needs 300 searches.*there are 30"):
        searches.threshold_at_fpir(0.01)


def test_macro_f1_has_rejects_as_a_class_and_falls_with_every_error():
    found = search(*people())
    truth = np.where(found.is_mated, found.identity, "")
    for threshold in (0.3, 0.7, 0.9):
        assert found.macro_f1(threshold) == pytest.approx(
            f1_score(truth.astype(str), found.decided(threshold).astype(str), average="macro")
        )
    assert found.macro_f1(2.0) < found.macro_f1(0.7)


def test_a_tie_counts_against_the_person_looked_for():
    vectors = np.array([[1, 0], [1, 0]], np.float32)
    found = search(vectors[:1], ["b"], vectors, ["a", "b"])
    assert found.mate_rank[0] == 2


@pytest.mark.parametrize(
    ("probes", "gallery", "metric", "words"),
    [
        (np.ones((1, 3)), np.ones((1, 2)), "cosine", "one dimension"),
        (np.ones((1, 2)), np.full((1, 2), np.nan), "cosine", "it has none"),
        (np.ones((1, 2)), np.ones((1, 2)), "taxi", "metric must be"),
    ],
)
def test_what_does_not_fit_is_refused(probes, gallery, metric, words):
    with pytest.raises(ValueError, match=words):
        search(probes, ["a"], gallery, ["a"], metric)
