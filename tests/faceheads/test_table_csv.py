"""The CSV of the original scripts: readable by pandas alone, refused where its files do not fit each other."""

import json

import numpy as np
import pandas as pd
import pytest

from faceheads.table import FaceTable, TableError
from faceheads.table_csv import split_keys, write_csv
from faceheads.table_io import read_table
from tests.tables import face_row, small_table, table_spec


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


def test_a_status_file_of_before_quality_was_measured_is_read_without_it(tmp_path):
    write_csv(tmp_path / "f.csv", [small_table()])
    status = pd.read_csv(tmp_path / "f.status.csv")
    assert list(status["sharpness"].notna()) == list(small_table().has_embedding)
    status.drop(columns=["brightness", "sharpness"]).to_csv(tmp_path / "f.status.csv", index=False)
    table = read_table(tmp_path / "f.csv")
    assert np.isnan(table.brightness).all()
    assert np.isnan(table.sharpness).all()


def test_keys_are_split_into_paths_and_face_indices():
    paths, indices = split_keys(["a.jpg", "a.jpg#2", "odd#name.jpg", "b#1", "c#x"])
    assert list(paths) == ["a.jpg", "a.jpg", "odd#name.jpg", "b#1", "c#x"]
    assert list(indices) == [0, 1, 0, 0, 0]


def test_statuses_that_are_missing_or_unknown_are_refused_by_name(tmp_path):
    write_csv(tmp_path / "f.csv", [small_table()])
    status = pd.read_csv(tmp_path / "f.status.csv")
    failed = np.flatnonzero(status["status"] != "ok")
    status.loc[failed[0], "status"] = None
    status.loc[failed[1], "status"] = "lost"
    status.to_csv(tmp_path / "f.status.csv", index=False)
    with pytest.raises(TableError, match="f.csv: status must be one of .*'lost'"):
        read_table(tmp_path / "f.csv")


def test_a_table_with_68_landmarks_comes_back_without_a_warning(tmp_path):
    rng = np.random.default_rng(0)
    points = rng.random((68, 2)).astype(np.float32)
    table = FaceTable.from_rows([face_row("a.jpg", rng, landmarks_xy=points)], 68, table_spec())
    write_csv(tmp_path / "f.csv", [table])
    np.testing.assert_array_equal(read_table(tmp_path / "f.csv").landmarks_xy[0], points)
    header = (tmp_path / "f.status.csv").read_text().partition("\n")[0].split(",")
    assert header[6:12] == ["x0", "y0", "x1", "y1", "landmark_0_x", "landmark_0_y"]
