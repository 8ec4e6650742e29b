"""Drift: how far a table in 8 bits is from float32, measured on its own images."""

import math

import numpy as np
import pytest
from PIL import Image

from faceheads.table import FaceTable
from features.drift import measure_drift
from features.embed import EmbedderRequest
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig

CONFIG = PipelineConfig(EmbedderRequest(precision="int8"), detector="none")
NAMES = ["a.png", "b.png", "c.png"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for name in NAMES:
        small = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8))
        small.resize((160, 160), Image.Resampling.BICUBIC).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def table(folder):
    pipeline = FacePipeline(CONFIG)
    return FaceTable.from_rows(pipeline.rows_of(folder, NAMES), 5, pipeline.table_spec)


def test_the_distances_are_those_of_the_same_faces_in_float32(folder, table):
    drift = measure_drift(folder, table, CONFIG)
    assert drift.n_faces == 3
    assert 0 < drift.mean <= drift.largest < 0.05
    in_float32 = PipelineConfig(EmbedderRequest(), detector="none")
    again = FaceTable.from_rows(FacePipeline(in_float32).rows_of(folder, NAMES), 5, table.spec)
    assert measure_drift(folder, again, CONFIG).largest == pytest.approx(0, abs=1e-6)


def test_a_sample_is_taken_of_many_images_and_a_vanished_one_does_not_count(folder, table):
    assert measure_drift(folder, table, CONFIG, n_images=2).n_faces == 2
    assert measure_drift(folder.parent, table, CONFIG).n_faces == 0
    assert math.isnan(measure_drift(folder.parent, table, CONFIG).mean)
