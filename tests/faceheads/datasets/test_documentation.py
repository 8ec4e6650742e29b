"""What docs/datasets.md says about names and columns is what the adapters do."""

import re
from pathlib import Path

import pytest

from faceheads.datasets import ADAPTERS, open_dataset

TEXT = (Path(__file__).parents[3] / "docs" / "datasets.md").read_text(encoding="utf-8")


def test_every_adapter_has_a_row_and_every_row_an_adapter():
    assert sorted(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == sorted(ADAPTERS)


@pytest.mark.parametrize(
    ("name", "images", "file", "content"),
    [
        ("utkface", ["1_0_0_20170109150557335.jpg"], None, ""),
        ("lfw", ["A/A_0001.jpg"], "gender.csv", "path,gender\nA/A_0001.jpg,male\n"),
        (
            "fairface",
            ["val/1.jpg"],
            "fairface_label_val.csv",
            "file,age,gender,race,service_test\nval/1.jpg,3-9,Male,White,True\n",
        ),
        (
            "appa_real",
            ["train/0.jpg"],
            "gt_avg_train.csv",
            "file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age\n0.jpg,36,5.25,0.96,4\n",
        ),
        (
            "adience",
            ["faces/u/landmark_aligned_face.1.x.jpg"],
            "fold_0_data.txt",
            "user_id\toriginal_image\tface_id\tage\tgender\nu\tx.jpg\t1\t35\tf\n",
        ),
        ("facecom", ["train/A/A.jpg", "train/A/distortion/A_foggy.jpg"], None, ""),
        ("kryptonite", ["train/images/0/0.jpg", "test_public/images/1/0.jpg"], "meta.json", '{"0/0.jpg": 0}'),
        ("idemia", ["train/0.jpg"], "train.txt", "0.jpg\t1\t1\n"),
    ],
)
def test_every_column_of_a_set_is_in_its_row(make_tree, write, name, images, file, content):
    root = make_tree(*images)
    if file is not None:
        write(file, content)
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |"))
    documented = set(re.findall(r"`(\w+)`", row.split("|")[3]))
    assert documented >= set(open_dataset(root).labels.columns) != set()
    assert documented - set(open_dataset(root).labels.columns) <= ({"gender"} if name == "facecom" else set())
