"""The command: photos in, distorted photos and labels out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from faceheads.images.reading import read_image
from faceheads.images.writing import write_image
from faceheads.table import FaceTable
from faceheads.table_io import write_table
from finetune.distort import _names, distort_main, subjects_of
from finetune.distortions import Subject, distort, seed_of
from tests.tables import face_row, small_table, table_spec


@pytest.fixture
def photos(tmp_path):
    """Two people with a photo each, and a file that is none."""
    folder = tmp_path / "photos"
    for name, gray in (("ann/1.png", 60), ("bob/1.png", 120)):
        (folder / name).parent.mkdir(parents=True)
        write_image(folder / name, np.full((40, 50, 3), gray, np.uint8))
    return folder


def run(photos, out, *options):
    return distort_main(["--data_dir", str(photos), "--out", str(out), "--jobs", "1", "--dataset", "folder", *options])


def labels(out):
    return pd.read_csv(out / "labels.csv", index_col="path")


def test_a_picture_is_what_its_label_says(photos, tmp_path):
    out = tmp_path / "out"
    assert run(photos, out, "--kinds", "noise", "fog", "--severities", "1", "3", "--format", "png", "--seed", "7") == 0
    found = labels(out)
    assert len(found) == 2 * 2 * 2
    row = found.loc["noise-3/bob/1.png"]
    assert (row["source"], row["kind"], row["severity"]) == ("bob/1.png", "noise", 3)
    assert row["seed"] == seed_of(7, "bob/1.png", "noise")
    expected = distort(read_image(photos / "bob/1.png").rgb, "noise", 3, int(row["seed"]))
    np.testing.assert_array_equal(read_image(out / "noise-3/bob/1.png").rgb, expected)


def test_a_photos_distortion_does_not_depend_on_the_others(photos, tmp_path):
    run(photos, tmp_path / "all", "--kinds", "rain")
    (photos / "ann/1.png").unlink()
    run(photos, tmp_path / "one", "--kinds", "fog", "rain")
    for severity in (1, 2, 3):
        name = f"rain-{severity}/bob/1.jpg"
        assert (tmp_path / "all" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_a_bad_photo_is_counted_and_stops_nothing(photos, tmp_path, capsys):
    (photos / "ann/0.png").write_bytes(b"no photo")
    assert run(photos, tmp_path / "out", "--kinds", "blur", "--severities", "2") == 1
    assert "2   made, 0 were there, 1 failed" in capsys.readouterr().out
    problems = pd.read_csv(tmp_path / "out/problems.csv", index_col="path")
    assert problems["reason"].to_dict() == {"blur-2/ann/0.jpg": "not an image"}


def test_a_sheet_shows_photos_of_every_kind(photos, tmp_path):
    sheet = tmp_path / "sheet.png"
    assert run(photos, tmp_path / "out", "--kinds", "blur", "sun", "--sheet", str(sheet)) == 0
    height, width, _ = read_image(sheet).rgb.shape
    assert width / height == pytest.approx(9 / 2, abs=0.1), "a name, and two photos in four versions; two kinds"


def test_names_differ_even_where_only_the_extension_does():
    assert list(_names(["a.jpg", "a.png", "b.tif"], ".jpg")) == ["a.jpg", "a.png.jpg", "b.jpg"]


def test_the_first_face_of_a_photo_is_its_subject():
    table = small_table()
    subjects = subjects_of(table)
    assert set(subjects) == {"a/one.jpg", "a/two.jpg", "c.PNG"}
    x0, y0, x1, y1 = table.box_xyxy[1]
    assert subjects["a/two.jpg"].face_px == pytest.approx(float(np.sqrt((x1 - x0) * (y1 - y0))))
    np.testing.assert_array_equal(subjects["a/two.jpg"].landmarks_xy, table.landmarks_xy[1])


def test_a_table_of_the_photos_scales_what_is_done_and_says_where_parts_are(photos, tmp_path):
    rng = np.random.default_rng(0)
    box = {"box_xyxy": np.array([0.0, 0, 30, 30])}
    table = FaceTable.from_rows([face_row("ann/1.png", rng, **box)], 5, table_spec())
    write_table(tmp_path / "f.parquet", table)
    options = ["--feature", str(tmp_path / "f.parquet"), "--severities", "2", "--format", "png"]
    assert run(photos, tmp_path / "out", "--kinds", "rain", "occlude_nose", *options) == 1, "bob's nose is not known"
    ann = read_image(photos / "ann/1.png").rgb
    for kind in ("rain", "occlude_nose"):
        seed = seed_of(0, "ann/1.png", kind)
        expected = distort(ann, kind, 2, seed, Subject(30.0, table.landmarks_xy[0], "dlib5"))
        np.testing.assert_array_equal(read_image(tmp_path / f"out/{kind}-2/ann/1.png").rgb, expected)
    assert (tmp_path / "out/rain-2/bob/1.png").is_file()


def test_a_table_of_other_photos_is_refused(photos, tmp_path, capsys):
    write_table(tmp_path / "f.parquet", small_table())
    assert run(photos, tmp_path / "out", "--feature", str(tmp_path / "f.parquet")) == 2
    assert "must hold faces of the photos" in capsys.readouterr().err
    assert not Path(tmp_path / "out").exists()


def test_occlusion_without_landmarks_is_a_problem_of_each_photo(photos, tmp_path):
    assert run(photos, tmp_path / "out", "--kinds", "occlude_eyes", "--severities", "1") == 1
    reasons = pd.read_csv(tmp_path / "out/problems.csv")["reason"]
    assert len(reasons) == 2 and reasons.str.contains("need landmarks").all()


def test_the_default_subject_is_the_reference():
    assert Subject().scale == 1
