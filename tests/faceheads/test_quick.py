"""`load_table`: X, y, groups in one line."""

import dataclasses
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score

import faceheads
from faceheads import load_table
from faceheads.labels import LabelError, write_labels
from faceheads.table_io import write_table
from tests.faceheads.people import people_table


@pytest.fixture
def file(tmp_path):
    table, labels = people_table()
    write_table(tmp_path / "feature.parquet", table)
    write_labels(tmp_path / "feature.label.csv", labels)
    return tmp_path / "feature.parquet"


def test_one_line_is_enough_for_a_cross_validation_by_person(file):
    X, y, groups = load_table(file, target="gender")
    assert X.shape == (238, 8)
    assert X.dtype == np.float32
    assert len(np.unique(groups)) == 60
    scores = cross_val_score(LogisticRegression(), X, y, groups=groups, cv=GroupKFold(3))
    assert scores.mean() > 0.9


def test_rows_are_joined_by_key(file):
    table, labels = people_table()
    loaded = load_table(file)
    assert list(loaded.y.columns) == ["gender", "age", "glasses", "mood"]
    assert list(loaded.y.index) == sorted(table.usable.keys)
    by_key = dict(zip(table.keys, table.embedding, strict=True))
    assert np.array_equal(loaded.X, [by_key[key] for key in loaded.y.index])
    assert list(loaded.y["age"]) == list(labels.loc[loaded.y.index, "age"])


def test_several_targets_give_a_frame_and_missing_values_are_left_out(file):
    labels = people_table()[1]
    labels.loc[labels.index[:50], "age"] = np.nan
    write_labels(file.parent / "other.csv", labels)
    y = load_table(file, file.parent / "other.csv", ["age", "gender"]).y
    assert isinstance(y, pd.DataFrame)
    assert 188 <= len(y) <= 190
    assert y["age"].notna().all()
    assert y["age"].dtype == np.float64


def test_copies_of_an_image_that_are_labelled_differently_are_left_out(file):
    table, labels = people_table()
    twins = list(table.usable.keys[:2])
    sha256 = np.where(np.isin(table.keys, twins), table.sha256[table.keys == twins[0]][0], table.sha256)
    write_table(file, dataclasses.replace(table, sha256=sha256))
    labels.loc[twins, "age"] = [20.0, 60.0]
    write_labels(file.parent / "feature.label.csv", labels)
    assert not set(twins) & set(load_table(file, target=["age"]).y.index)


def test_without_labels_there_is_no_y(file):
    (file.parent / "feature.label.csv").unlink()
    X, y, groups = load_table(file)
    assert y is None
    assert len(X) == len(groups) == 238
    with pytest.raises(LabelError, match="no label file"):
        load_table(file, target="age")


def test_an_unknown_column_is_an_error(file):
    with pytest.raises(LabelError, match=r"no label column \['height'\]"):
        load_table(file, target="height")


def test_importing_the_package_loads_nothing_else():
    code = "import sys, faceheads; print(sorted({'numpy', 'pandas', 'sklearn', 'torch'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert result.stdout.strip() == "[]"


def test_every_public_name_exists():
    for name in faceheads._EXPORTS:
        assert getattr(faceheads, name).__name__ == name
        assert name in dir(faceheads)
    with pytest.raises(AttributeError, match="has no attribute 'load_tables'"):
        faceheads.load_tables  # noqa: B018
