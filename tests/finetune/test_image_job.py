"""The runner of the commands that write pictures: nothing lost, nothing mixed, nothing stopped by one bad photo."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from faceheads.datasets import open_dataset
from faceheads.images.reading import read_image
from finetune.image_job import ImageJob
from finetune.picture import CannotMake, Picture


class Colours:
    """One gray a picture; counts its work in a file, for workers share no memory."""

    def __init__(self, log):
        self.log = log

    def open(self, source):
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(f"{source}\n")
        if source == "bad":
            raise CannotMake("not a photo")
        return source

    def make(self, opened, picture):
        if picture.labels["gray"] > 255:
            raise ValueError("too bright\nmore lines")
        return np.full((4, 5, 3), picture.labels["gray"], np.uint8)


def pictures(*sources, grays=(10, 20)):
    return [Picture(f"{gray}/{source}.png", source, {"gray": gray}) for source in sources for gray in grays]


def run(folder, planned, settings=None, **options):
    job = ImageJob(planned, Colours(folder / "log"), folder / "out", {"seed": 1} if settings is None else settings)
    for name, value in options.items():
        setattr(job, name, value)
    return job.run()


def labels(folder):
    return pd.read_csv(folder / "out" / "labels.csv", index_col="path")


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_picture_is_written_and_labelled_whatever_the_number_of_processes(tmp_path, jobs):
    summary = run(tmp_path, pictures("a", "b"), jobs=jobs)
    assert (summary.n_made, summary.n_reused, summary.problems) == (4, 0, {})
    assert labels(tmp_path).to_dict("index")["20/b.png"] == {"source": "b", "gray": 20}
    assert (read_image(tmp_path / "out/20/b.png").rgb == 20).all()
    assert sorted((tmp_path / "log").read_text().split()) == ["a", "b"], "one opening serves all pictures of a photo"


def test_what_cannot_be_made_is_listed_and_stops_nothing(tmp_path):
    summary = run(tmp_path, pictures("a", "bad", "b", grays=(10, 300)))
    reasons = {"10/bad.png": "not a photo", "300/bad.png": "not a photo"}
    reasons |= {f"300/{name}.png": "ValueError: too bright" for name in "ab"}
    assert summary.problems == reasons
    assert pd.read_csv(tmp_path / "out/problems.csv", index_col="path")["reason"].to_dict() == reasons
    assert list(labels(tmp_path).index) == ["10/a.png", "10/b.png"]


def test_a_second_run_makes_only_what_is_missing_and_keeps_the_labels_of_the_first(tmp_path):
    run(tmp_path, pictures("a", "b"))
    (tmp_path / "out/10/a.png").unlink()
    (tmp_path / "out/10/b.png").unlink()
    summary = run(tmp_path, pictures("a", "c"))
    assert (summary.n_made, summary.n_reused) == (3, 1)
    assert sorted(labels(tmp_path).index) == ["10/a.png", "10/c.png", "20/a.png", "20/b.png", "20/c.png"]


def test_other_settings_are_refused_unless_everything_is_made_again(tmp_path):
    run(tmp_path, pictures("a"))
    with pytest.raises(ValueError, match=r"other settings: seed differ.*--overwrite"):
        run(tmp_path, pictures("a"), {"seed": 2})
    summary = run(tmp_path, pictures("b"), {"seed": 2}, overwrite=True)
    assert (summary.n_made, list(labels(tmp_path).index)) == (2, ["10/b.png", "20/b.png"])
    assert not (tmp_path / "out/10/a.png").exists(), "a later run with seed 2 would take it for its own"


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_damaged_settings_name_their_file(tmp_path, text):
    run(tmp_path, pictures("a"))
    (tmp_path / "out/made.json").write_text(text)
    with pytest.raises(ValueError, match=r"made\.json must hold .*--overwrite"):
        run(tmp_path, pictures("a"))


@pytest.mark.parametrize("path", ["../a.png", "/a.png", "b/../../a.png"])
def test_no_picture_leaves_the_folder(tmp_path, path):
    with pytest.raises(ValueError, match="must lie in the output folder"):
        run(tmp_path, [Picture(path, "a", {"gray": 1})])


def test_two_pictures_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="planned twice"):
        run(tmp_path, pictures("a", "a"))


def test_the_folder_is_a_data_set_with_its_labels(tmp_path):
    run(tmp_path, pictures("a", "b"))
    dataset = open_dataset(Path(tmp_path / "out"))
    assert dataset.name == "csv"
    assert dataset.labels["gray"].to_dict() == {"10/a.png": 10, "10/b.png": 10, "20/a.png": 20, "20/b.png": 20}
