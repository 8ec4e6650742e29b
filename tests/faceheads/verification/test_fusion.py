"""Several tables compared at once."""

from dataclasses import replace

import numpy as np
import pytest

from faceheads.table import TableError
from faceheads.verification.fusion import fused_table
from faceheads.verification.similarity import similarities
from tests.faceheads.verification.faces import faces_table
from tests.tables import table_spec


def other_table(table, n_lost=0):
    """Another embedder's vectors of the same faces, ten times as long."""
    rng = np.random.default_rng(5)
    embedding = 10 * table.embedding + rng.normal(0, 5, table.embedding.shape)
    status = table.status.copy()
    embedding[:n_lost], status[:n_lost] = np.nan, "no_face"
    return replace(table, embedding=embedding, status=status, spec=table_spec(8, detector="cnn"))


def test_the_cosine_of_fused_vectors_is_the_mean_of_the_cosines():
    table = faces_table(n_people=10)
    other = other_table(table, n_lost=2)
    fused = fused_table([table, other])
    one, two = np.arange(2, 20), np.arange(20, 38)
    both = [similarities(t.embedding, one, two, "cosine") for t in (table, other)]
    np.testing.assert_allclose(similarities(fused.embedding, one, two, "cosine"), np.mean(both, axis=0), atol=1e-6)
    assert list(np.flatnonzero(~fused.has_embedding)) == [0, 1]
    assert fused.spec.embedder_digest not in (table.spec.embedder_digest, other.spec.embedder_digest)


def test_one_table_stays_as_it_is_and_tables_of_other_photos_are_refused():
    table = faces_table(n_people=10)
    assert fused_table([table]) is table
    with pytest.raises(TableError, match="must be of the same photos"):
        fused_table([table, faces_table(n_people=11)])
