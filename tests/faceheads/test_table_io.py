"""Tables survive the disk, in every form; damaged and foreign files are refused with a sentence."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faceheads.table import FaceTable
from faceheads.table_io import (
    TableError,
    atomic_path,
    iterate_table,
    read_spec,
    read_table,
    split_keys,
    write_csv,
    write_parquet,
    write_table,
)
from tests.tables import face_row, small_table, table_spec


def assert_same(one, two):
    assert one.spec == two.spec
    for name in FaceTable._column_names():
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_table_comes_back_bit_for_bit(tmp_path, name):
    table = small_table()
    write_table(tmp_path / name, [table[:3], table[3:]])
    assert_same(read_table(tmp_path / name), table)
    assert read_spec(tmp_path / name) == table.spec


def test_a_folder_of_shards_is_a_table(tmp_path):
    table = small_table()
    write_parquet(tmp_path / "t" / "part-00001.parquet", [table[3:]])
    write_parquet(tmp_path / "t" / "part-00000.parquet", [table[:3]])
    assert_same(read_table(tmp_path / "t"), table)


def test_the_csv_is_read_by_pandas_alone_as_the_original_scripts_do(tmp_path):
    table = small_table()
    write_csv(tmp_path / "f.csv", [table])
    frame = pd.read_csv(tmp_path / "f.csv", index_col=0)
    assert list(frame.columns) == [str(i) for i in range(8)]
    assert list(frame.index) == list(table.usable.keys)
    np.testing.assert_array_equal(frame.to_numpy(np.float32), table.usable.embedding)
    status = pd.read_csv(tmp_path / "f.status.csv")
    assert list(status["path"]) == list(table.path)


def test_a_csv_of_the_original_scripts_is_a_table_without_specification(tmp_path):
    (tmp_path / "old.csv").write_text(",0,1\nA/A_1.jpg,0.5,-1\nA/A_2.jpg,0.25,2\n")
    table = read_table(tmp_path / "old.csv")
    assert table.spec is None
    assert list(table.path) == ["A/A_1.jpg", "A/A_2.jpg"]
    np.testing.assert_array_equal(table.embedding, np.array([[0.5, -1], [0.25, 2]], np.float32))


def test_embeddings_are_a_fixed_size_float_list_in_zstd_with_byte_stream_split_and_null_in_failed_rows(tmp_path):
    write_parquet(tmp_path / "t.parquet", [small_table()])
    file = pq.ParquetFile(tmp_path / "t.parquet")
    assert file.schema_arrow.field("embedding").type == pa.list_(pa.float32(), 8)
    column = file.metadata.row_group(0).column(file.metadata.num_columns - 1)
    assert column.path_in_schema == "embedding.list.element"
    assert column.compression == "ZSTD"
    assert "BYTE_STREAM_SPLIT" in column.encodings
    assert file.read(["embedding"])["embedding"].null_count == 2


def test_long_tables_are_read_in_pieces(tmp_path):
    rng = np.random.default_rng(0)
    rows = [face_row(f"{i:05d}.jpg", rng) for i in range(5000)]
    table = FaceTable.from_rows(rows, 5, table_spec())
    write_parquet(tmp_path / "t.parquet", [table])
    pieces = list(iterate_table(tmp_path / "t.parquet"))
    assert [len(p) for p in pieces] == [4096, 904]
    assert_same(FaceTable.concatenate(pieces), table)


def test_a_missing_table_says_how_to_make_one(tmp_path):
    for name in ("t.parquet", "t.csv"):
        with pytest.raises(TableError, match="no feature table at .*feature_extraction.py"):
            read_table(tmp_path / name)


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


def test_a_missing_column_is_named(tmp_path):
    write_parquet(tmp_path / "t.parquet", [small_table()])
    arrow = pq.read_table(tmp_path / "t.parquet").drop_columns(["status"])
    pq.write_table(arrow, tmp_path / "t.parquet")
    with pytest.raises(TableError, match="Column 'status'"):
        read_table(tmp_path / "t.parquet")


def test_shards_of_other_specifications_are_refused(tmp_path):
    write_parquet(tmp_path / "t" / "part-00000.parquet", [small_table()])
    other = FaceTable.from_rows([face_row("z.jpg", np.random.default_rng(1))], 5, table_spec(detector="cnn"))
    write_parquet(tmp_path / "t" / "part-00001.parquet", [other])
    with pytest.raises(TableError, match="another specification"):
        read_table(tmp_path / "t")


def test_a_csv_whose_rows_do_not_fit_its_status_file_is_refused(tmp_path):
    write_csv(tmp_path / "f.csv", [small_table()])
    lines = (tmp_path / "f.csv").read_text().splitlines(keepends=True)
    (tmp_path / "f.csv").write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    with pytest.raises(TableError, match="are not the same"):
        read_table(tmp_path / "f.csv")
    (tmp_path / "f.csv").write_text("".join(lines[:-1]))
    with pytest.raises(TableError, match="lists 4 faces with an embedding, .* has 3"):
        read_table(tmp_path / "f.csv")


def test_a_csv_with_words_among_its_numbers_is_refused(tmp_path):
    (tmp_path / "f.csv").write_text(",0,1\na.jpg,0.5,word\n")
    with pytest.raises(TableError, match="not a number"):
        read_table(tmp_path / "f.csv")


def test_a_damaged_specification_is_refused(tmp_path):
    write_csv(tmp_path / "f.csv", [small_table()])
    (tmp_path / "f.json").write_text(json.dumps({"embedder": 3}))
    with pytest.raises(TableError, match="damaged"):
        read_table(tmp_path / "f.csv")


def test_nothing_to_write_and_unknown_names_are_errors(tmp_path):
    with pytest.raises(TableError, match="nothing to write"):
        write_parquet(tmp_path / "t.parquet", [])
    with pytest.raises(TableError, match=r"must end in .parquet or .csv"):
        write_table(tmp_path / "t.txt", small_table())
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_what_was_there(tmp_path):
    target = tmp_path / "x.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_a_process_that_is_killed_while_it_writes_leaves_what_was_there(tmp_path):
    write_parquet(tmp_path / "t.parquet", [small_table()])
    before = (tmp_path / "t.parquet").read_bytes()
    code = (
        "import os, sys; from faceheads.table_io import write_parquet; from tests.tables import small_table\n"
        "def tables():\n    yield small_table()\n    os._exit(9)\n"
        f"write_parquet({str(tmp_path / 't.parquet')!r}, tables())"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert (tmp_path / "t.parquet").read_bytes() == before


def test_keys_are_split_into_paths_and_face_indices():
    paths, indices = split_keys(["a.jpg", "a.jpg#2", "odd#name.jpg", "b#1", "c#x"])
    assert list(paths) == ["a.jpg", "a.jpg", "odd#name.jpg", "b#1", "c#x"]
    assert list(indices) == [0, 1, 0, 0, 0]
