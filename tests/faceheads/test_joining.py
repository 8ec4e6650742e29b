"""Tables of several embedders joined: the right vectors of the right faces, or a clear refusal."""

from dataclasses import replace

import numpy as np
import pytest

from faceheads.extraction_command import extraction_command
from faceheads.headfile import HeadError
from faceheads.joining import DIFFERENT_FACES, join_tables, joined_spec, parts_of_spec
from faceheads.spec import TableSpec
from faceheads.table import FaceTable, Status, TableError
from faceheads.training import TrainingOptions, train_heads
from tests.faceheads.people import DIMENSION, people_table


def two_tables():
    """The same photos in two orders, with numbers that tell the tables apart."""
    table, labels = people_table(n_people=20)
    other = table[np.random.default_rng(1).permutation(len(table))]
    spec = table.spec.with_embedder(replace(table.spec.embedder, network="facenet"))
    return table, replace(other, embedding=other.embedding + 100, spec=spec), labels


def test_the_vectors_of_a_photo_stand_side_by_side():
    table, other, _ = two_tables()
    joined = join_tables([table, other])
    assert list(joined.path) == list(table.path)
    has = joined.has_embedding
    assert has.sum() == table.has_embedding.sum()
    assert np.allclose(joined.embedding[has, DIMENSION:], table.embedding[has] + 100)
    assert np.array_equal(joined.embedding[has, :DIMENSION], table.embedding[has])


def test_a_single_table_is_itself():
    table, _, _ = two_tables()
    assert join_tables([table]) is table


def test_the_digest_covers_every_part_and_their_order():
    table, other, _ = two_tables()
    spec = joined_spec([table.spec, other.spec])
    assert spec.embedder.dimension == 2 * DIMENSION
    assert parts_of_spec(TableSpec.from_json(spec.to_json())) == [table.spec, other.spec]
    assert parts_of_spec(table.spec) == [table.spec]
    digests = {joined_spec(pair).embedder_digest for pair in ([table.spec] * 2, [other.spec, table.spec])}
    assert spec.embedder_digest not in digests
    assert list(spec.embedder.layers) == [table.spec.embedder_digest, other.spec.embedder_digest]


def test_a_face_that_one_table_lacks_keeps_its_reason():
    table, other, _ = two_tables()
    lost = int(np.flatnonzero(other.has_embedding)[0])
    status, reason = other.status.copy(), other.reason.copy()
    status[lost], reason[lost] = Status.TOO_SMALL.value, "12 px"
    joined = join_tables([table, replace(other, status=status, reason=reason)])
    row = list(joined.path).index(other.path[lost])
    assert (joined.status[row], joined.reason[row]) == (Status.TOO_SMALL.value, "12 px")


def test_different_faces_of_a_photo_are_told_apart():
    table, other, _ = two_tables()
    row = int(np.flatnonzero(table.has_embedding)[0])
    boxes = other.box_xyxy.copy()
    boxes[list(other.path).index(table.path[row])] += 1000
    joined = join_tables([table, replace(other, box_xyxy=boxes)])
    assert (joined.status[row], joined.reason[row]) == (Status.SEVERAL_FACES.value, DIFFERENT_FACES)
    assert joined.has_embedding.sum() == table.has_embedding.sum() - 1


def test_tables_that_do_not_fit_are_refused():
    table, other, _ = two_tables()
    with pytest.raises(TableError, match="must be of the same photos; 'Person"):
        join_tables([table, other[:-1]])
    with pytest.raises(TableError, match="table 2 has no specification"):
        join_tables([table, replace(other, spec=None)])
    with pytest.raises(TableError, match="1 photos changed"):
        join_tables([table, replace(other, sha256=np.array(["0" * 64, *other.sha256[1:]], object))])
    twice = FaceTable.concatenate([other, replace(other[:1], face_index=np.array([1]))])
    with pytest.raises(TableError, match="table 2 has several faces of .* --faces largest"):
        join_tables([table, twice])


def test_a_head_names_both_embedders_and_refuses_one_alone():
    table, other, labels = two_tables()
    options = TrainingOptions(targets=("gender",), head="logistic", n_resamples=20)
    file = train_heads(join_tables([table, other]), labels, options).file
    assert file.dimension == 2 * DIMENSION
    with pytest.raises(HeadError, match="shape"):
        file.predict(table.usable.embedding, table.spec)
    with pytest.raises(HeadError, match="feature1.parquet --embedder .* and python feature_extraction.py"):
        file.check_spec(table.spec)
    assert extraction_command(file.table_spec).count("feature_extraction.py") == 2
