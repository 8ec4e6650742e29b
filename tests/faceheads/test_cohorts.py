"""Which cohort a row belongs to."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from faceheads.cohorts import cohort_columns, face_size_px, sideways_turn
from faceheads.labels import LabelError
from faceheads.samples import Samples
from faceheads.table import FaceRow, FaceTable, Status
from tests.tables import face_row, table_spec

N = 30


def samples_of(labels, n=N):
    rng = np.random.default_rng(0)
    table = FaceTable.from_rows([face_row(f"{i:02d}.jpg", rng, 4) for i in range(n)], 5, table_spec(4))
    return Samples(table, pd.DataFrame(labels, index=table.keys), np.arange(n), np.full(n, "test", object))


def test_classes_are_cohorts_in_their_order_and_unknown_ones_are_none():
    gender = ["male", "female", None] * 10
    cohorts = cohort_columns(samples_of({"gender": gender}), ["gender"])["gender"]
    assert list(cohorts.categories) == ["female", "male"]
    assert [None if pd.isna(c) else c for c in cohorts] == gender


def test_ages_become_decades():
    ages = np.r_[9.0, 10.0, 19.0, 20.0, np.nan, np.full(N - 5, 101.0)]
    cohorts = cohort_columns(samples_of({"age": ages}), ["age"])["age"]
    assert list(cohorts[:4]) == ["0 to 9", "10 to 19", "10 to 19", "20 to 29"]
    assert pd.isna(cohorts[4])
    assert cohorts[5] == "100 to 109"
    assert list(cohorts.categories)[:2] == ["0 to 9", "10 to 19"]


def test_other_numbers_become_three_parts_of_equally_many_rows():
    cohorts = cohort_columns(samples_of({"light": np.linspace(0.05, 0.95, N)}), ["light"])["light"]
    assert cohorts.value_counts().tolist() == [10, 10, 10]
    assert cohorts[0].startswith("up to")
    assert cohorts[N - 1].startswith("above")


def test_two_columns_are_also_crossed():
    labels = {"gender": ["f", "m"] * 15, "race": ["x", "y", None] * 10}
    columns = cohort_columns(samples_of(labels), ["gender", "race"])
    assert list(columns) == ["gender", "race", "gender × race"]
    assert list(columns["gender × race"][:2]) == ["f × x", "m × y"]
    assert pd.isna(columns["gender × race"][2])


def test_a_label_that_is_not_there_is_an_error_that_names_what_is():
    with pytest.raises(
        LabelError, match=r"face_size, turn, brightness, sharpness or detection; got 'light'. Columns: \['gender'\]"
    ):
        cohort_columns(samples_of({"gender": ["f", "m"] * 15}), ["light"])


def test_what_no_photo_tells_is_an_error():
    samples = samples_of({"gender": ["f", "m"] * 15})
    table = dataclasses.replace(samples.table, box_xyxy=np.full((N, 4), np.nan))
    with pytest.raises(LabelError, match="--cohort face_size: the table has nothing .* needs boxes"):
        cohort_columns(dataclasses.replace(samples, table=table), ["face_size"])


@pytest.mark.parametrize("name", ["brightness", "sharpness"])
def test_what_was_measured_on_the_crops_makes_three_cohorts(name):
    samples = samples_of({"gender": ["f", "m"] * 15})
    table = dataclasses.replace(samples.table, **{name: np.arange(N)})
    cohorts = cohort_columns(dataclasses.replace(samples, table=table), [name])[name]
    assert cohorts.value_counts().tolist() == [10, 10, 10]
    older = dataclasses.replace(samples.table, **{name: None})
    with pytest.raises(LabelError, match=f"--cohort {name}: .* Extract again with --overwrite"):
        cohort_columns(dataclasses.replace(samples, table=older), [name])


def one_face(landmarks, status=Status.OK):
    rng = np.random.default_rng(0)
    row = face_row("a.jpg", rng, 4)
    row = dataclasses.replace(
        row, box_xyxy=np.array([10, 20, 70, 60]), landmarks_xy=np.array(landmarks, float), status=status
    )
    return FaceTable.from_rows([row, FaceRow("b.jpg", "", Status.NO_FACE)], 5, table_spec(4))


def test_the_size_of_a_face_is_the_shorter_side_of_its_box():
    eyes_and_nose = [[0, 0], [10, 0], [40, 0], [30, 0], [20, 15]]
    assert face_size_px(one_face(eyes_and_nose))[0] == 40
    assert np.isnan(face_size_px(one_face(eyes_and_nose))[1])
    assert np.isnan(face_size_px(one_face(eyes_and_nose, Status.WHOLE_IMAGE))[0])


@pytest.mark.parametrize("angle_deg", [0, 30])
@pytest.mark.parametrize(("nose_x", "turn"), [(20, 0.0), (27.5, 0.25), (12.5, 0.25)])
def test_the_turn_is_the_way_of_the_nose_along_the_line_of_the_eyes(nose_x, turn, angle_deg):
    angle = np.deg2rad(angle_deg)
    tilt = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = np.array([[0, 0], [10, 0], [40, 0], [30, 0], [nose_x, 15]]) @ tilt  # eye centres 30 apart
    found = sideways_turn(one_face(points))
    assert found[0] == pytest.approx(turn, abs=1e-6)
    assert np.isnan(found[1])
