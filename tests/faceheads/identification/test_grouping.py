import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score, pairwise_distances

from faceheads.identification.grouping import group_faces, similarity_to_group
from faceheads.verification.similarity import prepared, similarity_matrix


def faces(n_people=12, n_photos=5, noise=0.9, seed=0):
    rng = np.random.default_rng(seed)
    person = np.arange(n_people * n_photos) % n_people
    return rng.normal(0, 1, (n_people, 6))[person] + noise * rng.normal(0, 1, (len(person), 6)), person


def mean_similarity(vectors, metric, one, other):
    each = similarity_matrix(vectors[one], vectors[other], metric)
    return each.mean() if metric == "cosine" else -np.sqrt((each**2).mean())


def by_plain_loops(embedding, photo, metric, threshold):
    """Average linkage with cannot-link as its definition says it."""
    vectors = prepared(embedding, metric)
    groups = [[i] for i in range(len(vectors))]
    while True:
        pairs = [
            (mean_similarity(vectors, metric, groups[a], groups[b]), a, b)
            for a in range(len(groups))
            for b in range(a)
            if not set(photo[groups[a]]) & set(photo[groups[b]])
        ]
        best = max(pairs, default=(-np.inf, 0, 0))
        if best[0] < threshold:
            return groups
        groups[best[2]] += groups.pop(best[1])


def as_sets(labels):
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


@given(st.integers(0, 10_000), st.sampled_from([("cosine", 0.5), ("euclidean", -2.2)]), st.sampled_from([2, 100]))
@settings(max_examples=20)
def test_groups_are_those_of_plain_loops_also_where_neighbours_are_cut(seed, metric_and_threshold, max_neighbours):
    embedding, _ = faces(5, 4, seed=seed)
    photo = np.random.default_rng(seed).integers(0, 8, len(embedding))
    found = group_faces(embedding, photo, *metric_and_threshold, max_neighbours)
    expected = by_plain_loops(embedding, photo, *metric_and_threshold)
    if max_neighbours == 100:
        assert as_sets(found) == {frozenset(group) for group in expected}
    for group in as_sets(found):  # cutting may change the order of joining, never these
        assert len(set(photo[list(group)])) == len(group)


def test_without_photos_in_common_groups_are_those_of_scikit_learn():
    embedding, _ = faces(40, 6, seed=1)
    found = group_faces(embedding, np.arange(len(embedding)), "cosine", 0.55, max_neighbours=1000)
    distances = pairwise_distances(embedding, metric="cosine")
    model = AgglomerativeClustering(None, linkage="average", metric="precomputed", distance_threshold=1 - 0.55)
    assert adjusted_rand_score(model.fit_predict(distances), found) == 1


def test_two_occasions_of_more_photos_than_neighbours_are_kept_are_one_person():
    rng = np.random.default_rng(0)
    occasion = np.array([[1, 0.3, 0], [1, -0.3, 0], [0, 0, 1]])[np.arange(60) % 3]
    embedding = occasion + 0.02 * rng.normal(size=(60, 3))
    found = group_faces(embedding, np.arange(60), "cosine", 0.8, max_neighbours=3)
    assert adjusted_rand_score(np.arange(60) % 3 == 2, found) == 1


def test_two_faces_of_one_photo_are_two_people_however_alike():
    embedding = np.array([[1, 0], [1, 0.01], [1, 0.02]])
    assert list(group_faces(embedding, np.array(["x", "x", "y"]), "cosine", 0.5)) == [1, 0, 0]


def test_numbers_go_by_size_and_first_face_and_nothing_is_a_group_of_nothing():
    embedding = np.array([[0, 1, 0], [1, 0, 0], [1, 0.1, 0], [0, 0, 1]])
    assert list(group_faces(embedding, np.arange(4), "cosine", 0.9)) == [1, 0, 0, 2]
    assert group_faces(np.empty((0, 3)), np.empty(0), "cosine", 0.9).shape == (0,)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_similarity_to_the_others_of_the_group_is_their_mean(metric):
    embedding, person = faces(3, 4)
    group = np.append(person, 3)
    embedding = np.append(embedding, embedding[:1], axis=0)
    found = similarity_to_group(embedding, group, metric)
    others = np.flatnonzero(group == 1)
    assert found[others[0]] == pytest.approx(
        mean_similarity(prepared(embedding, metric), metric, others[:1], others[1:]), abs=1e-5
    )
    assert np.isnan(found[-1]) and np.isfinite(found[:-1]).all()
