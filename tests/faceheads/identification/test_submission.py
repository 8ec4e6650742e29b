"""``verify.py --submission`` on tiny folders of two challenges, with photos that the table has already."""

import numpy as np
import pandas as pd
import pytest

from faceheads.datasets.submissions import write_facecom_predictions
from faceheads.table import FaceRow, FaceTable, Status
from faceheads.table_io import write_table
from features.cli import verify_main
from tests.tables import face_row, table_spec

KRYPTONITE = [
    "train/images/000001/0.jpg",
    *(f"test_public/images/0000000{p}/{i}.jpg" for p in (3, 4, 7) for i in (0, 1)),
]
FACECOM = [
    "train/Zed/Zed.jpg",
    "train/Zed/distortion/Zed_foggy.jpg",
    *(f"val/{p}/{name}" for p in ("Ann", "Bob") for name in (f"{p}.jpg", f"distortion/{p}_foggy.jpg")),
    "val/Bob/distortion/Bob_rainy.jpg",
]


def make(folder, images, vectors):
    """Empty files, and a table with a vector for each, or no face where there is none."""
    rng, rows = np.random.default_rng(0), []
    for image in images:
        (folder / "data" / image).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / image).touch()
        vector = vectors.get(image, (1, 0))
        if vector is None:
            rows.append(FaceRow(image, rng.bytes(32).hex(), Status.NO_FACE, image_hw=(9, 9)))
        else:
            rows.append(face_row(image, rng, 2, embedding=np.array(vector, float)))
    write_table(folder / "f.parquet", FaceTable.from_rows(rows[::-1], 5, table_spec(2)))
    return folder


def submit(folder, *options):
    paths = ("--feature", folder / "f.parquet", "--data_dir", folder / "data", "--submission", folder / "s.csv")
    return verify_main([str(option) for option in (*paths, "--metric", "cosine", *options)])


def test_every_test_pair_has_a_line_and_lost_ones_are_below_all_others(tmp_path):
    vectors = {KRYPTONITE[1]: (0, 1), KRYPTONITE[5]: None}
    make(tmp_path, KRYPTONITE, vectors)
    (tmp_path / "data/train/meta.json").write_text('{"000001/0.jpg": 0}')
    assert submit(tmp_path) == 0
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert lines[:3] == ["pair_id,similarity", "00000003,0.0", "00000004,1.0"]
    assert lines[3].startswith("00000007,-") and len(lines) == 4


def test_every_distorted_photo_has_the_person_of_the_most_alike_clean_one(tmp_path):
    vectors = {"val/Bob/Bob.jpg": (0, 1), "val/Bob/distortion/Bob_foggy.jpg": (0.1, 1)}
    make(tmp_path, FACECOM, vectors | {"val/Bob/distortion/Bob_rainy.jpg": None})
    assert submit(tmp_path) == 0
    found = pd.read_csv(tmp_path / "s.csv")
    assert list(found.columns) == ["path", "true", "pred", "similarity"]
    assert found["pred"].tolist() == ["Ann", "Bob", "unknown"] and found["true"].tolist() == ["Ann", "Bob", "Bob"]
    assert found["similarity"].isna().tolist() == [False, False, True]


def test_a_folder_of_no_challenge_and_one_without_test_images_are_refused(tmp_path, capsys):
    make(tmp_path, ["a.jpg"], {})
    assert submit(tmp_path) == 2
    assert "knows the folders of kryptonite and facecom" in capsys.readouterr().err
    make(tmp_path / "k", KRYPTONITE[:1], {})
    (tmp_path / "k/data/train/meta.json").write_text('{"000001/0.jpg": 0}')
    assert submit(tmp_path / "k") == 2
    assert "has no test images of kryptonite" in capsys.readouterr().err


def test_predictions_are_joined_by_image_and_counted(tmp_path):
    truth = pd.Series(["x", "y"], index=["1.jpg", "2.jpg"])
    write_facecom_predictions(tmp_path / "p.csv", truth, pd.Series(["q", "x"], index=["2.jpg", "1.jpg"]))
    assert (tmp_path / "p.csv").read_text() == "path,true,pred\n1.jpg,x,x\n2.jpg,y,q\n"
    with pytest.raises(ValueError, match=r"1 values for 2 listed. without a value: \['2.jpg'\]"):
        write_facecom_predictions(tmp_path / "p.csv", truth, pd.Series(["x"], index=["1.jpg"]))
    with pytest.raises(ValueError, match="must have a prediction; 1 have none"):
        write_facecom_predictions(tmp_path / "p.csv", truth, pd.Series(["x", None], index=truth.index))
