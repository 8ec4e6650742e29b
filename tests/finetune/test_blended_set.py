"""Photos blended with themselves while they are loaded, as fakes of a recipe that has none."""

import numpy as np
import pandas as pd
import pytest
import torch

from faceheads.labels import LabelError, write_labels
from faceheads.table_io import write_table
from finetune.blended_pixels import BlendedPixels
from finetune.blended_set import SUFFIX, with_blended
from finetune.cli import finetune_main
from finetune.crop_face import face_in_crop
from finetune.face_points import BROWS, EYES, MOUTH
from finetune.loader import BatchLoader
from finetune.mean_face import mean_face_points
from finetune.recipes import recipe
from finetune.session import examples_of
from finetune.tasks import make_task
from finetune.training_set import SplitOptions, make_training_set
from tests.finetune.crops import write_crops

CHIP = {"kind": "dlib_chip", "size": 40, "padding": 0.25}
POINTS = mean_face_points(face_in_crop(CHIP, 40))
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 40, 40, 3), np.uint8)


@pytest.mark.parametrize(
    "crop",
    [
        CHIP,
        {"kind": "similarity", "template": [[13.7, 18.5], [26.3, 18.4], [20, 25.6], [14.8, 33], [25.3, 32.9]]},
    ],
)
def test_the_average_face_lies_where_the_crop_shows_faces(crop):
    face = face_in_crop(crop, 40)
    eye, other_eye, nose, mouth = face.parts_xy
    points = mean_face_points(face)
    left, right = points[list(EYES)[:6]].mean(axis=0), points[list(EYES)[6:]].mean(axis=0)
    for found, expected in (
        (left, eye),
        (right, other_eye),
        (points[30], nose),
        (points[list(MOUTH)].mean(axis=0), mouth),
    ):
        np.testing.assert_allclose(found, expected, atol=2)
    assert points[list(BROWS), 1].max() < min(eye[1], other_eye[1]) < points[8, 1]


def test_crops_are_followed_by_the_same_blended_anew_in_each_step_and_alike_without_one():
    blended = BlendedPixels(PIXELS, POINTS, 3)
    rows = np.array([2, 7, 4, 5])
    crops = blended.at_step(rows, 9)
    np.testing.assert_array_equal(crops[[0, 2]], PIXELS[[2, 4]])
    assert (crops[1] != PIXELS[2]).any() and (crops[3] != PIXELS[0]).any()
    np.testing.assert_array_equal(blended.at_step(rows[::-1], 9), crops[::-1])  # whatever else is in the batch
    assert (blended.at_step(rows, 10)[1] != crops[1]).any()
    np.testing.assert_array_equal(blended[rows], blended[rows])
    assert len(blended) == 10 and blended.shape == (10, 40, 40, 3)


def test_the_loader_blends_by_step_in_training_and_alike_in_validation():
    loader = BatchLoader(BlendedPixels(PIXELS, POINTS, 3), torch.device("cpu"))
    rows = np.array([1, 6])
    first, second = loader.changed_batches([(rows, 1), (rows, 2)])
    assert torch.equal(first[0], second[0]) and not torch.equal(first[1], second[1])
    one, other = loader.batches([rows, rows])
    assert torch.equal(one, other) and not torch.equal(one[0], one[1])


@pytest.fixture(scope="module")
def extraction(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blended") / "crops"
    table, labels = write_crops(folder, n_people=14)
    return folder, table, labels


def training_set(extraction, labels):
    return make_training_set(*extraction[:2], labels, ["identity"], SplitOptions(validation_size=0.4))


def test_each_photo_has_a_fake_in_its_own_part_and_with_its_own_labels(extraction):
    training = training_set(extraction, extraction[2])
    both = with_blended(training, 0)
    is_photo = (training.labels["fake"] == 0).to_numpy()
    n, new = len(training), slice(len(training), None)
    assert len(both) == n + is_photo.sum() and both.labels["fake"].iloc[new].eq(1).all()
    pd.testing.assert_frame_equal(both.labels.iloc[:n], training.labels, check_dtype=False, check_index_type=False)
    assert both.labels["identity"].iloc[new].tolist() == training.labels["identity"][is_photo].tolist()
    for name in ("is_validation", "groups"):
        assert getattr(both, name)[new].tolist() == getattr(training, name)[is_photo].tolist()
    photos = np.array(training.keys)[is_photo]
    assert both.keys == [*training.keys, *(key + SUFFIX for key in photos)]
    source = both.crops.pixels.pixels[both.crop_row[new] - len(training.crops)]
    np.testing.assert_array_equal(source, training.crops.pixels[training.crop_row[is_photo]])


def test_without_the_label_every_row_is_a_photo_and_half_a_label_is_refused(extraction):
    labels = extraction[2].drop(columns="fake")
    assert len(with_blended(training_set(extraction, labels), 0)) == 2 * len(training_set(extraction, labels))
    with pytest.raises(LabelError, match="'fake' must be 0 or 1 for every face or no column at all"):
        with_blended(training_set(extraction, labels.assign(fake=[0, np.nan] * 21)), 0)


def test_the_recipe_quadruplet_trains_on_photos_alone(extraction, tmp_path, capsys):
    folder, table, labels = extraction
    write_table(tmp_path / "f.parquet", table)
    write_labels(tmp_path / "f.label.csv", labels[["identity"]])
    files = ["--crops", str(folder), "--feature", str(tmp_path / "f.parquet"), "--out", str(tmp_path / "out")]
    options = ["--recipe", "quadruplet", "--backbone", "resnet18", "--epochs", "1", "--validation_size", "0.4"]
    options += ["--n_persons", "4", "--n_photos", "3", "--jobs", "1", "--self_blend", "1"]
    assert finetune_main([*files, *options, "--teacher", str(tmp_path / "f.parquet")]) == 2
    assert "--teacher has no embeddings of" in capsys.readouterr().err
    assert finetune_main([*files, *options, "--dry-run"]) == 0


def test_a_third_of_the_photos_of_a_batch_are_blended_and_both_kinds_of_errors_are_measured(extraction):
    chosen = recipe("quadruplet", n_persons=4, n_photos=3, self_blend=1)
    both = with_blended(training_set(extraction, extraction[2].drop(columns="fake")), 0)
    batches = examples_of(both, chosen).batches_of(0)
    is_blended = both.crop_row >= len(both.crops) // 2
    assert is_blended[batches].mean(axis=1).tolist() == pytest.approx([1 / 3] * len(batches))
    task = make_task(chosen, both.labels, both.is_validation, 4)
    embedding = torch.randn(len(both), 4, generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(task.loss(embedding[batches[0]], torch.from_numpy(batches[0]))["d_fake"])
    rows = torch.from_numpy(np.flatnonzero(both.is_validation))
    assert 0 < task.metrics(embedding[rows], rows)["eer_fake"] < 1
