import pandas as pd
import pytest

from faceheads.datasets import Problem, manifest, open_dataset


def test_a_manifest_in_the_folder_is_found_and_its_columns_keep_their_kind(make_tree, write):
    root = make_tree("b.jpg", "a.jpg", "unlisted.jpg")
    write("manifest.csv", "age,path,identity\n3,b.jpg,007\n4.5,a.jpg,\n")
    dataset = open_dataset(root)
    assert (dataset.name, dataset.images, dataset.problems) == ("csv", ("a.jpg", "b.jpg"), ())
    assert dataset.labels["age"].tolist() == [4.5, 3]
    assert dataset.labels["identity"]["b.jpg"] == "007"
    assert pd.isna(dataset.labels["identity"]["a.jpg"])


def test_a_manifest_that_is_opened_itself_may_have_any_name(make_tree, write):
    make_tree("photos/a.jpg")
    dataset = open_dataset(write("my people.csv", "file,label\nphotos\\a.jpg,x\n"))
    assert dataset.labels["label"].to_dict() == {"photos/a.jpg": "x"}


def test_a_manifest_elsewhere_and_a_column_of_any_name_can_be_given(make_tree, write, tmp_path):
    make_tree("photos/a.jpg")
    file = write("lists/labels.csv", f"where,label\n{tmp_path / 'photos' / 'a.jpg'},x\n")
    dataset = open_dataset(tmp_path / "photos", "csv", manifest=file, path_column="where")
    assert dataset.images == ("a.jpg",)


def test_a_parquet_manifest_gives_the_same_as_a_csv_one(make_tree, tmp_path):
    make_tree("a.jpg", "b.jpg")
    pd.DataFrame({"path": ["a.jpg", "b.jpg"], "age": [1, 2], "identity": [7, 8]}).to_parquet(
        tmp_path / "manifest.parquet"
    )
    labels = open_dataset(tmp_path).labels
    assert labels["age"].tolist() == [1, 2]
    assert labels["identity"].tolist() == ["7", "8"]


def test_a_parquet_manifest_over_the_limit_is_refused(make_tree, tmp_path, monkeypatch):
    make_tree("a.jpg")
    pd.DataFrame({"path": ["a.jpg"], "age": [1]}).to_parquet(tmp_path / "manifest.parquet")
    monkeypatch.setattr(manifest, "MAX_PARQUET_BYTES", 10)
    with pytest.raises(ValueError, match="must decode to at most 10 bytes"):
        open_dataset(tmp_path)


def test_files_outside_the_folder_are_problems_and_never_opened(make_tree, write):
    root = make_tree("photos/a.jpg", "secret.jpg")
    write("photos/manifest.csv", "path,label\na.jpg,1\n../secret.jpg,2\n/etc/passwd,3\n")
    dataset = open_dataset(root / "photos")
    assert dataset.images == ("a.jpg",)
    assert [problem.path for problem in dataset.problems] == ["../secret.jpg", "/etc/passwd"]


def test_a_repeated_path_is_a_problem(make_tree, write):
    root = make_tree("a.jpg")
    write("manifest.csv", "path,age\na.jpg,1\na.jpg,2\n")
    assert open_dataset(root).problems == (
        Problem("a.jpg", "listed more than once in manifest.csv with different age: set to missing"),
    )


def test_a_table_without_a_column_of_paths_is_an_error(make_tree, write):
    root = make_tree("a.jpg")
    write("manifest.csv", "name,age\na.jpg,1\n")
    with pytest.raises(ValueError, match=r"got \['name', 'age'\]. Name it with path_column"):
        open_dataset(root)


def test_two_tables_of_usual_names_must_be_told_apart(make_tree, write):
    root = make_tree("a.jpg")
    write("manifest.csv", "path,age\na.jpg,1\n")
    write("labels.csv", "path,age\na.jpg,2\n")
    with pytest.raises(ValueError, match="found \\['manifest.csv', 'labels.csv'\\]"):
        open_dataset(root, "csv")
    assert open_dataset(root, "csv", manifest="labels.csv").labels["age"].tolist() == [2]
