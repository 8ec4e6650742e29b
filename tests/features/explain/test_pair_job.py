"""What makes two faces similar, by networks whose answer is known, and what is refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from faceheads.images.reading import read_image
from faceheads.joining import joined_spec
from faceheads.table import FaceTable, Status
from faceheads.verification.scores.registry import make_score
from faceheads.verification.similarity import similarities
from features.embedders import TorchEmbedder
from features.explain import pair_job
from features.explain.decision import ScoreDecision, SimilarityDecision
from features.explain.gradients import blurred
from features.explain.methods import pixel_map
from features.explain.pair_job import PairExplanationJob, explain_pair, similarity_decision
from features.face import Face
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig
from features.seen_image import ImageFaces
from tests.tables import face_row, table_spec

SIDE = 40
SQUARE = (slice(8, 16), slice(24, 32))
SPEC = replace(table_spec(3).embedder, dimension=3)


class TwoSquares(torch.nn.Module):
    """The colour of a square, the mean of three channels; nothing else of a crop matters."""

    def forward(self, crops, layers):
        return crops[:, :, SQUARE[0], SQUARE[1]].float().mean(dim=(2, 3)) / 255


@pytest.fixture
def crops():
    made = np.random.default_rng(0).integers(60, 200, (2, SIDE, SIDE, 3), dtype=np.uint8)
    made[0, SQUARE[0], SQUARE[1]], made[1, SQUARE[0], SQUARE[1]] = (250, 40, 10), (240, 50, 20)
    return made


EMBEDDER = TorchEmbedder(SPEC, TwoSquares, "cpu", 8)


def threshold(metric="cosine", score=None, spec=None):
    return SimpleNamespace(
        spec=table_spec(3) if spec is None else spec, score=score, metric=metric, check=None, similarity_name=metric
    )


def faces_of(crops):
    rng = np.random.default_rng(0)
    rows = [face_row(f"{i}", rng, 3, embedding=vector) for i, vector in enumerate(EMBEDDER.embed(crops))]
    return FaceTable.from_rows(rows, 5, table_spec(3))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("method", ["gradients", "occlusion"])
def test_what_two_faces_share_is_found_in_both(crops, metric, method):
    faces = faces_of(crops)
    found = explain_pair(SimpleNamespace(embedder=EMBEDDER), threshold(metric), faces, tuple(crops), method)
    similarity = similarities(faces.embedding, np.array([0]), np.array([1]), metric)[0]
    for one in found.maps:
        assert one.score == pytest.approx(similarity, abs=1e-6)  # of the pair, not of a face with itself
        inside = one.values[SQUARE].sum()
        assert inside > 0 and np.abs(one.values[SQUARE]).max() == np.abs(one.values).max()
        assert one.score > one.baseline_score
    assert found.picture.shape == (600, 600, 3)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_shares_add_up_to_what_blurring_the_crop_takes_away(crops, metric):
    faces = faces_of(crops)
    decision = similarity_decision(threshold(metric), faces, other=1)
    found = pixel_map(EMBEDDER, decision, crops[0])
    at_crop, at_blur = (
        decision.score(EMBEDDER.embed(np.rint(c).astype(np.uint8)[None]))[0] for c in (crops[0], blurred(crops[0]))
    )
    assert found.values.sum() == pytest.approx(at_crop - at_blur, abs=0.01)
    a, b = faces.embedding.astype(float)
    expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b) if metric == "cosine" else -np.linalg.norm(a - b)
    assert at_crop == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_gradient_of_a_similarity_is_that_of_differences(metric):
    rng = np.random.default_rng(1)
    decision, at, h = SimilarityDecision(rng.standard_normal(5), metric=metric), rng.standard_normal((1, 5)), 1e-6
    numeric = [(decision.score(at + h * e) - decision.score(at - h * e))[0] / (2 * h) for e in np.eye(5)]
    assert decision.gradient(at)[0] == pytest.approx(numeric, abs=1e-8)
    same = SimilarityDecision(at[0], metric="euclidean")
    assert same.score(at)[0] == 0 and not same.gradient(at).any()  # no direction is nearer


@pytest.mark.parametrize("name", ["s_norm", "plda", "quality", "faircal"])
def test_fitted_scores_are_explained_as_they_are(name):
    rng = np.random.default_rng(2)
    centres = rng.standard_normal((40, 6))
    vectors = np.repeat(centres, 4, axis=0) + 0.3 * rng.standard_normal((160, 6))
    rows = [face_row(f"{i}", rng, 6, embedding=vector) for i, vector in enumerate(vectors)]
    table = FaceTable.from_rows(rows, 5, table_spec(6))
    score = make_score(name, "cosine")
    inputs = pair_job.face_inputs(table, pair_job.wants_quality(score))
    score = score.fit(inputs, np.repeat(np.arange(40), 4))
    decision = similarity_decision(threshold(score=score, spec=table_spec(6)), table[:2], other=1)
    assert isinstance(decision, ScoreDecision)
    assert decision.score(table.embedding[:1]) == pytest.approx(
        score.score_rows(inputs, np.array([0]), np.array([1])), rel=1e-5
    )
    h = 1e-4
    moved = (
        decision.score(table.embedding[:1] + h * e) - decision.score(table.embedding[:1] - h * e) for e in np.eye(6)
    )
    numeric = np.concatenate(list(moved)) / (2 * h)
    assert decision.gradient(table.embedding[:1])[0] == pytest.approx(
        numeric, rel=0.05, abs=0.02 * np.abs(numeric).max()
    )


def test_fused_tables_are_refused(crops):
    fused = joined_spec([table_spec(3), table_spec(3, detector="cnn")])
    with pytest.raises(ValueError, match="of 2 fused tables. Explain with a threshold of a single table"):
        explain_pair(
            SimpleNamespace(embedder=EMBEDDER), threshold(spec=fused), faces_of(crops), tuple(crops), "gradients"
        )


class SquarePipeline(FacePipeline):
    """Takes a photo as its crop; black photos have no face."""

    embedder = EMBEDDER

    def find_faces(self, images):
        face = Face(np.array([0, 0, 9, 9]), 1.0, "hog", np.eye(5, 2), "dlib5")
        return [
            ImageFaces(Status.OK, "", 1, [face], image[None, None]) if image.any() else ImageFaces(Status.NO_FACE)
            for image in images
        ]


def test_a_picture_and_arrays_are_written(crops, tmp_path, monkeypatch):
    monkeypatch.setattr(pair_job, "FacePipeline", SquarePipeline)
    photos = (tmp_path / "a.png", tmp_path / "b.png")
    for path, crop in zip(photos, crops, strict=True):
        Image.fromarray(crop).save(path)
    job = PairExplanationJob(tmp_path / "out", PipelineConfig())
    picture = job.run(photos, threshold(), faces_of(crops))
    assert picture == tmp_path / "out" / "a.png-b.png.similarity.png"
    assert read_image(picture).rgb.shape == (600, 600, 3)
    with np.load(tmp_path / "out" / "a.png-b.png.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["probe_crop"], crops[0])
        np.testing.assert_array_equal(arrays["reference_crop"], crops[1])
        assert arrays["probe"].dtype == np.float32 and arrays["probe"].shape == (SIDE, SIDE)
        assert not np.allclose(arrays["probe"], arrays["reference"])
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(photos[1])
    with pytest.raises(ValueError, match=r"b.png has no face any more: no_face"):
        job.run(photos, threshold(), faces_of(crops))
    photos[0].unlink()
    with pytest.raises(ValueError, match=r"a.png can no longer be read: missing file"):
        job.run(photos, threshold(), faces_of(crops))
