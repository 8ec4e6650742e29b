"""Bad photos made clearer: what the steps do, and that the option reaches detection, crops and digests."""

import argparse
from dataclasses import replace

import numpy as np
import pytest

from faceheads.extraction_command import extraction_command
from features.align import crop_faces
from features.embed import EmbedderRequest
from features.options import add_detection_options, add_embedder_options, pipeline_config
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig
from features.restore import restored
from tests.features.scenes import face_at, smooth_image


def pipeline(*options):
    parser = argparse.ArgumentParser()
    add_detection_options(parser)
    add_embedder_options(parser)
    return pipeline_config(parser.parse_args([*options]))


def test_darkness_and_fog_are_stretched_back_to_the_photo():
    photo = restored(smooth_image())
    for gain, veil in ((0.2, 0), (0.3, 150)):
        bad = np.rint(photo * gain + veil).astype(np.uint8)
        assert np.abs(restored(bad).astype(int) - photo).mean() < 4
    assert restored(smooth_image()).min() == 0 and restored(smooth_image()).max() == 255


def test_hues_stay_because_the_colours_are_stretched_together():
    red = np.full((40, 40, 3), (90, 40, 40), np.uint8)
    red[:20] //= 2
    out = restored(red).astype(int)
    assert (out[30, 30, 0] > out[30, 30, 1]) and (out[30, 30, 1] == out[30, 30, 2])


def test_single_pixels_are_taken_out():
    photo = smooth_image()
    speckled = photo.copy()
    speckled[::5, ::5] = 255
    assert np.abs(restored(speckled).astype(int) - restored(photo)).mean() < 2


def test_what_is_nearly_flat_is_not_stretched_to_noise():
    nearly = np.repeat(np.linspace(100, 103, 1600).reshape(40, 40, 1), 3, axis=2).astype(np.uint8)
    assert 0 < np.ptp(restored(nearly)) < 80


@pytest.mark.parametrize("level", [0, 7, 255])
def test_a_flat_image_stays_flat(level):
    assert np.ptp(restored(np.full((5, 6, 3), level, np.uint8))) == 0


def test_crops_are_restored_where_the_specification_says_so():
    face = face_at([40, 40, 140, 140])
    crop = {"kind": "box_square", "size": 50, "margin": 0.1}
    (plain,), (clear,) = (
        crop_faces(smooth_image() // 3, [face], {**crop, **more}) for more in ({}, {"restore": True})
    )
    np.testing.assert_array_equal(clear, restored(plain))
    assert plain.max() < 90 < clear.max()


def test_the_option_changes_the_digests_and_the_command_repeats_it():
    plain, clear = (FacePipeline(pipeline(*options)).table_spec for options in ([], ["--restore"]))
    assert clear.embedder_digest != plain.embedder_digest
    assert clear.detection_digest != plain.detection_digest
    assert "--restore" in extraction_command(clear).split()
    assert "--restore" not in extraction_command(plain).split()
    assert FacePipeline(PipelineConfig.from_spec(clear)).table_spec == clear
    assert FacePipeline(replace(pipeline(), embedder=EmbedderRequest())).table_spec == plain
