"""Feature tables as Parquet: the layout, and damaged and foreign files refused with a sentence."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faceheads.table import TableError
from faceheads.table_io import read_table
from faceheads.table_parquet import write_parquet
from tests.tables import small_table


def test_embeddings_are_a_fixed_size_float_list_in_zstd_with_byte_stream_split_and_null_in_failed_rows(tmp_path):
    write_parquet(tmp_path / "t.parquet", [small_table()])
    file = pq.ParquetFile(tmp_path / "t.parquet")
    assert file.schema_arrow.field("embedding").type == pa.list_(pa.float32(), 8)
    column = file.metadata.row_group(0).column(file.metadata.num_columns - 1)
    assert column.path_in_schema == "embedding.list.element"
    assert column.compression == "ZSTD"
    assert "BYTE_STREAM_SPLIT" in column.encodings
    assert file.read(["embedding"])["embedding"].null_count == 2


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all", bytes(1000)])
def test_a_file_that_is_not_parquet_is_refused(tmp_path, content):
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(TableError, match="not a readable Parquet file"):
        read_table(tmp_path / "t.parquet")


def test_foreign_parquet_is_refused(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(TableError, match="not a faceheads feature table"):
        read_table(tmp_path / "t.parquet")


def test_flipped_bytes_never_escape_as_another_error(tmp_path):
    write_parquet(tmp_path / "t.parquet", [small_table()])
    good = (tmp_path / "t.parquet").read_bytes()
    rng = np.random.default_rng(0)
    n_refused = 0
    for _ in range(60):
        data = bytearray(good)
        for place in rng.integers(0, len(data), 5):
            data[place] ^= int(rng.integers(1, 256))
        (tmp_path / "t.parquet").write_bytes(bytes(data))
        try:
            read_table(tmp_path / "t.parquet")
        except TableError:
            n_refused += 1
    assert n_refused > 10


def test_faces_without_landmarks_are_written_without_that_column(tmp_path):
    table = small_table()
    embedder = replace(table.spec.embedder, landmark_scheme="none")
    spec = replace(table.spec, embedder=embedder)
    table = replace(table, landmarks_xy=np.empty((len(table), 0, 2)), spec=spec)
    write_parquet(tmp_path / "t.parquet", [table])
    assert "landmarks_xy" not in pq.read_schema(tmp_path / "t.parquet").names
    again = read_table(tmp_path / "t.parquet")
    assert again.landmarks_xy.shape == (len(table), 0, 2)
    np.testing.assert_array_equal(again.embedding, table.embedding)


def test_a_table_that_needs_landmarks_and_lacks_them_is_refused(tmp_path):
    write_parquet(tmp_path / "t.parquet", [small_table()])
    whole = pq.read_table(tmp_path / "t.parquet")
    pq.write_table(whole.drop_columns("landmarks_xy"), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="no embedding or landmark column"):
        read_table(tmp_path / "t.parquet")


def test_a_missing_column_is_named(tmp_path):
    write_parquet(tmp_path / "t.parquet", [small_table()])
    arrow = pq.read_table(tmp_path / "t.parquet").drop_columns(["status"])
    pq.write_table(arrow, tmp_path / "t.parquet")
    with pytest.raises(TableError, match="Column 'status'"):
        read_table(tmp_path / "t.parquet")


def test_a_process_that_is_killed_while_it_writes_leaves_what_was_there(tmp_path):
    write_parquet(tmp_path / "t.parquet", [small_table()])
    before = (tmp_path / "t.parquet").read_bytes()
    code = (
        "import os, sys; from faceheads.table_parquet import write_parquet; from tests.tables import small_table\n"
        "def tables():\n    yield small_table()\n    os._exit(9)\n"
        f"write_parquet({str(tmp_path / 't.parquet')!r}, tables())"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert (tmp_path / "t.parquet").read_bytes() == before
