"""`train.py --audit`: what a user gets."""

import pandas as pd
import pytest
from PIL import Image

from faceheads.cli import train_main
from faceheads.images.reading import read_image
from faceheads.labels import write_labels
from faceheads.table_io import write_table
from tests.faceheads.audit.subjects import changed, people

FILES = ("balance", "lost_faces", "unlabelled", "identities", "duplicates", "near_duplicates", "label_errors")


@pytest.fixture
def audited(tmp_path):
    """A table whose first two photos are one photo, with contradicting labels."""
    table, labels = people()
    for path in table.path[:2]:
        (tmp_path / "photos" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (120, 100), (200, 30, 90)).save(tmp_path / "photos" / path)
    table = changed(table, [0, 1], sha256=read_image(tmp_path / "photos" / table.path[0]).sha256)
    labels.loc[table.path[:2], "gender"] = ["male", "female"]
    write_table(tmp_path / "f.parquet", table)
    write_labels(tmp_path / "f.label.csv", labels)
    (tmp_path / "f.problems.csv").write_text("path,what\nx.jpg,malformed name\n")
    return tmp_path


def test_an_audit_is_tables_a_page_and_pictures_and_nothing_is_trained(audited, monkeypatch, capsys):
    monkeypatch.chdir(audited)
    options = ["--feature", "f.parquet", "--target", "gender", "--cohort", "glasses"]
    assert train_main([*options, "--audit", "out", "--data_dir", "photos"]) == 0
    assert {f"{name}.csv" for name in FILES} <= {path.name for path in (audited / "out").iterdir()}
    assert len(pd.read_csv("out/duplicates.csv")) == 2
    page = (audited / "out" / "audit.md").read_text(encoding="utf-8")
    assert "malformed name" in page
    assert "pictures/contradicting_copies_02.jpg" in page
    assert (audited / "out" / "pictures" / "contradicting_copies_02.jpg").is_file()
    assert "1 of 1 sets contradict themselves" in capsys.readouterr().out
    assert not (audited / "face_model.skops").exists()


def test_a_column_that_is_not_there_is_one_sentence(audited, monkeypatch, capsys):
    monkeypatch.chdir(audited)
    assert train_main(["--feature", "f.parquet", "--target", "hat", "--audit", "out"]) == 2
    assert "There is no label column ['hat']" in capsys.readouterr().err
