"""Tables survive the disk, in every form."""

import numpy as np
import pytest

from faceheads.table import FaceTable, TableError
from faceheads.table_io import iterate_table, read_spec, read_table, write_table
from faceheads.table_parquet import write_parquet
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


def test_shards_of_other_specifications_are_refused(tmp_path):
    write_parquet(tmp_path / "t" / "part-00000.parquet", [small_table()])
    other = FaceTable.from_rows([face_row("z.jpg", np.random.default_rng(1))], 5, table_spec(detector="cnn"))
    write_parquet(tmp_path / "t" / "part-00001.parquet", [other])
    with pytest.raises(TableError, match="another specification"):
        read_table(tmp_path / "t")


def test_nothing_to_write_and_unknown_names_are_errors(tmp_path):
    with pytest.raises(TableError, match="nothing to write"):
        write_parquet(tmp_path / "t.parquet", [])
    with pytest.raises(TableError, match=r"must end in .parquet or .csv"):
        write_table(tmp_path / "t.txt", small_table())
    assert list(tmp_path.iterdir()) == []
