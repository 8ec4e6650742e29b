from dataclasses import replace

import pytest

from faceheads.identification.thresholds import (
    default_threshold_path,
    highest_fpir,
    threshold_at_fmr,
    threshold_at_fpir,
)
from faceheads.verification.scores.registry import make_score
from faceheads.verification.threshold_file import ThresholdError, load_threshold
from features.embed import EmbedderRequest
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig


@pytest.fixture(scope="module")
def file():
    return load_threshold(default_threshold_path())


def test_the_file_that_ships_belongs_to_the_default_embedder_with_flip(file):
    file.check_spec(FacePipeline(PipelineConfig(EmbedderRequest(flip=True))).table_spec)


def test_the_threshold_is_the_lowest_whose_fmr_is_low_enough(file):
    threshold = threshold_at_fmr(file, 1e-3)
    assert abs(threshold - file.threshold) < 0.002  # which the file states for the same FMR, off its curve
    assert file.decide(threshold).fmr <= 1e-3
    below = max(similarity for similarity, _, _ in file.points if similarity < threshold)
    assert file.decide(below).fmr > 1e-3


def test_a_larger_gallery_takes_a_higher_threshold_and_the_fpir_is_kept(file):
    thresholds = [threshold_at_fpir(file, 0.01, n_photos) for n_photos in (1, 10, 1000)]
    assert thresholds == sorted(thresholds) and len(set(thresholds)) == 3
    assert 0.009 < highest_fpir(file, thresholds[1], 10) <= 0.01
    assert highest_fpir(file, -1.0, 10) == 1


def test_what_the_comparisons_cannot_bear_is_refused_with_their_number(file):
    with pytest.raises(ThresholdError, match=r"takes 30,000,000 non-mated comparisons .* has 5,837,460"):
        threshold_at_fpir(file, 0.01, 100_000)
    with pytest.raises(ValueError, match=r"in \(0, 1\); got 1"):
        threshold_at_fpir(file, 1, 10)


def test_points_of_a_fitted_score_are_no_thresholds_of_similarities(file):
    with pytest.raises(ThresholdError, match="this one is of the score 'plda'"):
        threshold_at_fmr(replace(file, score=make_score("plda", "cosine")), 1e-2)
