"""Files that come out: pictures, tables, and nothing lost or replaced on the way."""

import json
import os
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from faceheads.images.reading import read_image
from features.annotate import AnnotationWriter, Decision, PhotoRecord, describe, draw_faces, write_results
from features.annotate.records import original_box
from features.detect.hog import HogDetector
from tests.features.annotate.scenes import age, face, gender, race, square

ATTRIBUTES = {"Male": 0.25, "Asian": 0.01, "White": 0.9, "Black": 0.02, "Bald": 0.5}
PROVENANCE = {"heads": ["gender", "age"], "embedder_digest": "ab" * 8, "detector": "hog"}


@pytest.fixture
def photos(tmp_path):
    """Return a folder with five photos in two folders, two of them with the same stem."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("a.jpg", "a.png", "sub/a.jpg", "faces.jpg", "old.gif"):
        Image.fromarray(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)).save(folder / name)
    return folder


def names(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def decode(path):
    return np.asarray(Image.open(path).convert("RGB"))


def write_all(photos, out, **more):
    """Photos with two, one and no faces, one that cannot be read and one that is never added."""
    two = [square(20, 20, 40, gender(), age()), face([90.5, -3, 130, 45], gender(0.5), age(61), score=float("nan"))]
    with AnnotationWriter(out, photos, names(photos), provenance=PROVENANCE, **more) as writer:
        writer.add_photo("a.jpg", decode(photos / "a.jpg"), two)
        writer.add_photo("sub/a.jpg", decode(photos / "sub/a.jpg"), [square(50, 50, 30, gender(0.1), age(8))])
        writer.add_photo("faces.jpg", decode(photos / "faces.jpg"), status="no_face", reason="nothing found")
        writer.add_photo("old.gif", status="unreadable", reason="truncated")


def test_every_photo_has_its_files_and_the_tables_stand_beside_them(photos, tmp_path):
    out = tmp_path / "made" / "out"
    write_all(photos, out)
    tables = ["faces.csv", "faces.json", "faces.parquet", "photos.csv"]
    assert names(out) == sorted([*tables, "a.jpg", "a.jpg.csv", "sub/a.jpg", "sub/a.csv", "faces.jpg"])
    assert decode(out / "a.jpg").shape == (120, 160, 3)
    assert (out / "faces.jpg").read_bytes() == (photos / "faces.jpg").read_bytes()


def test_the_picture_is_what_draw_faces_gives(photos, tmp_path):
    faces = [square(20, 20, 40, gender())]
    image = decode(photos / "a.png")
    write_results(tmp_path / "out", photos, [PhotoRecord("a.png", image, tuple(faces))])
    assert (decode(tmp_path / "out" / "a.png") == draw_faces(image, faces)).all()


def test_every_photo_is_listed_with_its_status_and_the_counts_add_up(photos, tmp_path):
    write_all(photos, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "photos.csv", index_col="path", keep_default_na=False)
    assert sorted(table.index) == names(photos)
    assert table.status.to_dict() == {
        "a.jpg": "ok",
        "sub/a.jpg": "ok",
        "faces.jpg": "no_face",
        "old.gif": "unreadable",
        "a.png": "failed",
    }
    assert table.reason["old.gif"] == "truncated"
    assert table.reason["a.png"] == "the run ended before this photo"
    assert table.picture.to_dict()["old.gif"] == ""
    counts = table[["n_faces", "gender_male", "gender_female", "gender_unsure"]].loc[
        ["a.jpg", "sub/a.jpg", "faces.jpg"]
    ]
    assert counts.values.tolist() == [[2, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_the_table_of_faces_has_one_row_a_face(photos, tmp_path):
    write_all(photos, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "faces.csv")
    assert table.path.tolist() == ["a.jpg", "a.jpg", "sub/a.jpg"]
    assert table.face_index.tolist() == [0, 1, 0]
    assert table.face_number.tolist() == [1, 2, 1]
    assert table[["x0", "y0", "x1", "y1"]].values.tolist() == [[20, 20, 60, 60], [90.5, -3, 130, 45], [50, 50, 80, 80]]
    assert table.gender.tolist() == ["female", "male", "male"]
    assert table.gender_is_unsure.tolist() == [False, True, False]
    assert table.gender_female.tolist() == pytest.approx([0.97, 0.5, 0.1])
    assert table.age.tolist() == [34.2, 61, 8]
    assert table.age_error.tolist() == [5.7] * 3
    assert table.detection_score.isna().tolist() == [False, True, False]


def test_csv_parquet_and_json_say_the_same(photos, tmp_path):
    out = tmp_path / "out"
    write_all(photos, out)
    flat = pd.read_csv(out / "faces.csv", keep_default_na=False, na_values={"detection_score": ""})
    pd.testing.assert_frame_equal(flat, pd.read_parquet(out / "faces.parquet"), check_dtype=False)
    nested = json.loads((out / "faces.json").read_text(encoding="utf-8"))
    assert nested["provenance"] == PROVENANCE
    faces = [(p["path"], f) for p in nested["photos"] for f in p["faces"]]
    assert [path for path, _ in faces] == flat.path.tolist()
    assert [f["box_xyxy"] for _, f in faces] == flat[["x0", "y0", "x1", "y1"]].values.tolist()
    assert [f["decisions"][0]["probabilities"]["female"] for _, f in faces] == flat.gender_female.tolist()
    assert [f["decisions"][1]["text"] for _, f in faces] == ["age 34 ± 6", "age 61 ± 6", "age 8 ± 6"]
    assert json.loads(pq.read_schema(out / "faces.parquet").metadata[b"faceheads.provenance"]) == PROVENANCE


def test_the_table_of_a_photo_is_the_originals_where_the_heads_have_its_attributes(photos, tmp_path):
    faces = [face([20, 20, 60, 60], gender(), attributes=ATTRIBUTES), face([-5, -7, 30, 200], attributes=ATTRIBUTES)]
    write_results(tmp_path / "out", photos, [PhotoRecord("a.jpg", decode(photos / "a.jpg"), tuple(faces))])
    assert (tmp_path / "out" / "a.csv").read_text() == (
        "Male,Asian,White,Black,top,right,bottom,left\n0.25,0.01,0.9,0.02,20,59,59,20\n0.25,0.01,0.9,0.02,0,29,120,0\n"
    )
    assert pd.read_csv(tmp_path / "out" / "faces.csv").attribute_Bald.tolist() == [0.5, 0.5]


def test_other_heads_have_their_own_columns_before_the_box(photos, tmp_path):
    write_all(photos, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "sub" / "a.csv")
    decisions = ["gender", "gender_is_unsure", "gender_male", "gender_female", "age", "age_error"]
    assert list(table.columns) == [*decisions, "top", "right", "bottom", "left"]
    assert table[["top", "right", "bottom", "left"]].values.tolist() == [[50, 79, 79, 50]]


def test_boxes_are_those_that_the_original_wrote_in_2018(data_dir, tmp_path):
    # Its detector found the same 15 faces; one of them reaches beyond the right side.
    photo = data_dir / "group_photos" / "photos" / "grammy-selfie.jpg"
    image = read_image(photo).rgb
    faces = [face(f.box_xyxy, attributes=ATTRIBUTES) for f in HogDetector().detect([image])[0]]
    write_results(tmp_path, photo.parent, [PhotoRecord(photo.name, image, tuple(faces))])
    ours, theirs = (
        pd.read_csv(folder / "grammy-selfie.csv") for folder in (tmp_path, data_dir / "group_photos" / "expected")
    )
    assert list(ours.columns) == list(theirs.columns)
    box = ["top", "right", "bottom", "left"]
    assert sorted(ours[box].values.tolist()) == sorted(theirs[box].values.tolist())


def test_floating_boxes_are_rounded():
    assert original_box((9.6, 10.4, 50.5, 60.51), (100, 100)) == (10, 49, 60, 10)


def test_heads_that_begin_later_and_faces_without_decisions_leave_cells_empty(photos, tmp_path):
    image = decode(photos / "a.jpg")
    small = face([1, 1, 9, 9], status="too_small", reason="8 px")
    records = [
        PhotoRecord("a.jpg", image, (small,), status="too_small"),
        PhotoRecord("sub/a.jpg", image, (small, square(50, 50, 30, gender(), race()))),
    ]
    write_results(tmp_path / "out", photos, records)
    table = pd.read_csv(tmp_path / "out" / "faces.csv")
    assert table.gender.isna().tolist() == [True, True, False]
    assert table.status.tolist() == ["too_small", "too_small", "ok"]
    assert pd.read_csv(tmp_path / "out" / "photos.csv").race_White.tolist() == [0, 1]


def test_no_photo_at_all_gives_empty_tables(tmp_path):
    (tmp_path / "photos").mkdir()
    write_results(tmp_path / "out", tmp_path / "photos", [])
    assert len(pd.read_csv(tmp_path / "out" / "faces.csv")) == 0
    assert len(pd.read_parquet(tmp_path / "out" / "faces.parquet")) == 0
    assert json.loads((tmp_path / "out" / "faces.json").read_text())["photos"] == []


def test_two_runs_write_identical_files(photos, tmp_path):
    for run in ("one", "two"):
        write_all(photos, tmp_path / run)
    for name in names(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_photos_are_never_replaced_by_pictures(photos, tmp_path):
    before = {name: (photos / name).read_bytes() for name in names(photos)}
    link = tmp_path / "link"
    link.symlink_to(photos, target_is_directory=True)
    for out in (photos, photos / ".", link, photos / "sub" / ".."):
        with pytest.raises(ValueError, match="where the photos are"):
            AnnotationWriter(out, photos, names(photos))
    with pytest.raises(ValueError, match="sub/a.jpg"):
        AnnotationWriter(photos / "sub", photos, names(photos))
    assert {name: (photos / name).read_bytes() for name in names(photos)} == before


def test_an_output_folder_among_the_photos_is_fine(photos):
    write_all(photos, photos / "results")
    assert (photos / "results" / "a.jpg").is_file()


def test_an_error_while_annotating_loses_neither_the_tables_nor_the_error(photos, tmp_path):
    out = tmp_path / "out"
    with (
        pytest.raises(RuntimeError, match="out of memory"),
        AnnotationWriter(out, photos, ["a.jpg", "a.png"]) as writer,
    ):
        writer.add_photo("a.jpg", decode(photos / "a.jpg"), [square(20, 20, 40, gender())])
        raise RuntimeError("out of memory")
    assert pd.read_csv(out / "photos.csv").status.tolist() == ["ok", "failed"]


def test_a_picture_that_fails_leaves_no_file_and_can_be_listed_as_failed(photos, tmp_path, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError("disk full")

    out = tmp_path / "out"
    with AnnotationWriter(out, photos, ["a.jpg"]) as writer:
        with monkeypatch.context() as patch:
            patch.setattr("PIL.Image.Image.save", broken)
            with pytest.raises(OSError, match="disk full"):
                writer.add_photo("a.jpg", decode(photos / "a.jpg"), [square(20, 20, 40, gender())])
        assert names(out) == []
        writer.add_photo("a.jpg", status="failed", reason="disk full")
    assert pd.read_csv(out / "photos.csv").reason.tolist() == ["disk full"]


def test_nothing_hidden_is_left_behind(photos, tmp_path):
    write_all(photos, tmp_path / "out")
    assert not [name for name in os.listdir(tmp_path / "out") if name.startswith(".")]


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda w, image: w.add_photo("other.jpg", image), "announced"),
        (lambda w, image: [w.add_photo("a.jpg", image) for _ in range(2)], "once"),
        (lambda w, image: w.add_photo("a.jpg", None, [square(1, 1, 9)]), "image"),
        (lambda w, image: [w.close(), w.add_photo("a.jpg", image)], "close"),
        (
            lambda w, image: w.add_photo("a.jpg", image, [square(1, 1, 9, describe("path", {"x": 1.0}))]),
            "'path' would stand for",
        ),
        (
            lambda w, image: w.add_photo("a.jpg", image, [square(1, 1, 9, describe("g", {"unsure": 1.0}))]),
            "'g_unsure' would stand for",
        ),
        (
            lambda w, image: w.add_photo(
                "a.jpg", image, [square(1, 1, 9, age()), square(1, 1, 9, describe("age", {"old": 1.0}))]
            ),
            "'age' would stand for",
        ),
    ],
)
def test_mistakes_are_said(photos, tmp_path, mistake, message):
    with (
        pytest.raises(ValueError, match=message),
        AnnotationWriter(tmp_path / "out", photos, names(photos)) as writer,
    ):
        mistake(writer, decode(photos / "a.jpg"))


def test_provenance_that_is_no_json_is_refused_at_once(photos, tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        AnnotationWriter(tmp_path / "out", photos, ["a.jpg"], provenance={"x": float("nan")})
    assert not (tmp_path / "out").exists()


def test_a_text_without_classes_is_written_to_the_nested_file(photos, tmp_path):
    note = face([20, 20, 60, 60], Decision("note", "seen before"))
    write_results(tmp_path / "out", photos, [PhotoRecord("a.jpg", decode(photos / "a.jpg"), (note,))])
    (photo,) = json.loads((tmp_path / "out" / "faces.json").read_text())["photos"]
    assert photo["faces"][0]["decisions"][0]["text"] == "seen before"


def test_memory_does_not_grow_with_the_number_of_photos(tmp_path, monkeypatch):
    # 600 photos with two faces each: as Python objects their records would take about 4 MB
    paths = [f"{i:05d}.jpg" for i in range(700)]
    (tmp_path / "photos").mkdir()
    writer = AnnotationWriter(tmp_path / "out", tmp_path / "photos", paths)
    monkeypatch.setattr(writer, "_write_files", lambda record: ("", ""))
    image, faces = np.zeros((4, 4, 3), np.uint8), [square(0, 0, 3, gender(), age(), race())] * 2
    for path in paths[:100]:
        writer.add_photo(path, image, faces)
    tracemalloc.start()
    for path in paths[100:]:
        writer.add_photo(path, image, faces)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    writer.close()
    assert grown < 200_000
