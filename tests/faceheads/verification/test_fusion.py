"""Several tables compared at once."""

from dataclasses import replace

import numpy as np
import pytest

from faceheads.joining import parts_of_spec
from faceheads.table import TableError
from faceheads.verification.fusion import fused_table
from faceheads.verification.similarity import similarities
from tests.faceheads.verification.faces import faces_table
from tests.tables import table_spec


def other_spec():
    spec = table_spec(8, detector="cnn")
    return replace(spec, embedder=replace(spec.embedder, weights_sha256="cd" * 32))


def other_table(table, n_lost=0):
    """Another embedder's vectors of the same faces, ten times as long."""
    rng = np.random.default_rng(5)
    embedding = 10 * table.embedding + rng.normal(0, 5, table.embedding.shape)
    status = table.status.copy()
    embedding[:n_lost], status[:n_lost] = np.nan, "no_face"
    return replace(table, embedding=embedding, status=status, spec=other_spec())


def test_the_cosine_of_fused_vectors_is_the_mean_of_the_cosines():
    table = faces_table(n_people=10)
    other = other_table(table, n_lost=2)
    fused = fused_table([table, other])
    one, two = np.arange(2, 20), np.arange(20, 38)
    both = [similarities(t.embedding, one, two, "cosine") for t in (table, other)]
    np.testing.assert_allclose(similarities(fused.embedding, one, two, "cosine"), np.mean(both, axis=0), atol=1e-6)
    assert list(np.flatnonzero(~fused.has_embedding)) == [0, 1]
    assert fused.spec.embedder_digest not in (table.spec.embedder_digest, other.spec.embedder_digest)


def test_a_face_that_one_detector_missed_takes_the_vector_of_the_other():
    table = faces_table(n_people=10)
    order = np.arange(len(table))[::-1]
    cnn = replace(other_table(table, n_lost=3), spec=table_spec(8, detector="cnn"))[order]
    status, embedding = table.status.copy(), table.embedding.copy()
    status[2:5], embedding[2:5] = "no_face", np.nan
    fused = fused_table([replace(table, status=status, embedding=embedding), cnn])
    assert list(np.flatnonzero(~fused.has_embedding)) == [2]
    units = [t.embedding / np.linalg.norm(t.embedding, axis=1, keepdims=True) for t in (table, cnn[order])]
    np.testing.assert_allclose(fused.embedding[4], units[1][4], rtol=1e-6)
    np.testing.assert_allclose(fused.embedding[9], (units[0][9] + units[1][9]) / 2, rtol=1e-6)
    assert [part.detector for part in parts_of_spec(fused.spec)] == ["hog", "cnn"]


def test_one_table_stays_as_it_is_and_tables_of_other_photos_are_refused():
    table = faces_table(n_people=10)
    assert fused_table([table]) is table
    with pytest.raises(TableError, match="must be of the same photos"):
        fused_table([table, faces_table(n_people=11)])
