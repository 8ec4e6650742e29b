"""Pairs from identity labels, lost images, and who is who."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceheads.labels import LabelError
from faceheads.verification.acquisition import Acquisition
from faceheads.verification.error_rates import ErrorCurve
from faceheads.verification.identities import guessed_identities, labelled_identities
from faceheads.verification.pairing import count_all_pairs, pair_identities
from faceheads.verification.similarity import similarities
from faceheads.verification.trials import compare_rows
from tests.tables import small_table

NAMES = st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=2, max_size=12)


@settings(max_examples=50)
@given(NAMES)
def test_all_pairs_are_those_of_a_double_loop(names):
    loop = {(i, j) for i in range(len(names)) for j in range(i + 1, len(names)) if names[i] and names[j]}
    mated = {(i, j) for i, j in loop if names[i] == names[j]}
    if not mated or mated == loop:
        with pytest.raises(ValueError, match="both kinds are needed"):
            pair_identities(np.array(names, object))
        return
    pairs = pair_identities(np.array(names, object))
    listed = list(zip(pairs.probe, pairs.reference, strict=True))
    assert len(listed) == len(set(listed)) and set(listed) == loop
    assert {pair for pair, is_mated in zip(listed, pairs.is_mated, strict=True) if is_mated} == mated
    assert pairs.is_complete and (pairs.n_mated_all, pairs.n_non_mated_all) == (len(mated), len(loop - mated))


def test_a_part_of_the_pairs_is_drawn_without_repetition_and_the_same_by_the_same_seed():
    names = np.array([f"p{i // 3}" for i in range(300)], object)
    pairs, again, other = (pair_identities(names, 1000, seed) for seed in (0, 0, 1))
    listed = set(zip(pairs.probe, pairs.reference, strict=True))
    assert len(listed) == len(pairs.probe) == 1000 and not pairs.is_complete
    assert pairs.is_mated.sum() == pairs.n_mated_all == 300
    assert ((names[pairs.probe] == names[pairs.reference]) == pairs.is_mated).all()
    assert (pairs.probe < pairs.reference).all()
    assert np.array_equal(pairs.probe, again.probe) and not np.array_equal(pairs.probe, other.probe)


def test_every_non_mated_pair_is_drawn_equally_often():
    names = np.array(["a", "a", "b", "c"], object)
    drawn = [tuple(pair_identities(names, 3, seed).probe[1:]) for seed in range(600)]
    _, counts = np.unique([p for pair in drawn for p in pair], return_counts=True)
    assert counts[2] / 1200 == pytest.approx(1 / 5, abs=0.04)  # of the five pairs one has row 2 first


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_counting_in_blocks_gives_the_rates_of_listed_pairs(metric, monkeypatch):
    monkeypatch.setattr("faceheads.verification.pairing._BLOCK", 16)
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 1, (50, 6)).astype(np.float32)
    names = np.array([f"p{i % 12}" for i in range(48)] + ["", None], object)
    pairs = pair_identities(names)
    similarity = similarities(vectors, pairs.probe, pairs.reference, metric)
    counted, listed = count_all_pairs(vectors, names, metric), ErrorCurve.from_similarities(similarity, pairs.is_mated)
    assert (counted.n_mated, counted.n_non_mated) == (listed.n_mated, listed.n_non_mated)
    middle = (listed.thresholds[:-2] + listed.thresholds[1:-1]) / 2  # no edge of a bin lies between
    wide = np.diff(listed.thresholds[:-1]) > 1e-3
    found = np.array([counted.rates_at(t) for t in middle[wide]])
    assert np.allclose(found, [listed.rates_at(t) for t in middle[wide]], atol=0)


def test_lost_images_are_counted_once_and_their_comparisons_reject():
    table = small_table()  # rows: a/one, a/two, a/two#2, b/none (no face), b/ümlaut (unreadable), c
    probe, reference = np.array([0, 0, 3, 1, 4]), np.array([1, 3, 5, 5, 3])
    is_mated = np.array([True, True, False, False, False])
    trials = compare_rows(table, probe, reference, is_mated, "cosine", table.path)
    found = Acquisition.of(table, np.concatenate([probe, reference]), trials)
    assert (found.n_images, found.n_images_lost, found.fta) == (5, 2, 0.4)
    assert found.status_counts == {"no_face": 1, "ok": 3, "unreadable": 1}
    assert (found.n_mated_lost, found.n_non_mated_lost) == (1, 2)
    assert found.frr(0.2) == pytest.approx(
        (1 + 0.2 * 1) / 2
    )  # one of two lost, the other rejected in one case of five
    assert found.far(0.5) == pytest.approx(0.5 * 1 / 3)


def test_folders_are_identities_only_where_the_pairs_agree():
    table = small_table()[[0, 1, 3, 5]]
    probe, reference = np.array([0, 0]), np.array([1, 2])
    agreeing, how = guessed_identities(table, probe, reference, np.array([True, False]), np.zeros(2, bool))
    assert list(agreeing[:3]) == ["a", "a", "b"] and how == "the folder of each image"
    joined, how = guessed_identities(table, probe, reference, np.array([False, True]), np.zeros(2, bool))
    assert joined[0] == joined[2] != joined[1] and how == "images that mated pairs join"
    _, how = guessed_identities(table, probe, reference, np.array([False, False]), np.array([True, False]))
    assert how == "the folder of each image"


def test_identities_come_from_the_label_column_and_may_be_missing():
    table = small_table()[[0, 5]]
    labels = pd.DataFrame({"identity": ["anna"]}, index=pd.Index(["a/one.jpg"], name="path"))
    assert list(labelled_identities(table, labels)) == ["anna", ""]
    with pytest.raises(LabelError, match="must have a column 'who'"):
        labelled_identities(table, labels, "who")
