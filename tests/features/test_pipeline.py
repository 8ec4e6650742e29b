"""The steps from photo to rows: policies, isolation of failures, landmarks that fit the embedder."""

import numpy as np
import pytest
from PIL import Image

from faceheads.spec import EmbedderSpec
from faceheads.table import FaceTable
from features.face import LANDMARK_SCHEMES, Face
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig

SQUARE = {"kind": "box_square", "size": 16, "margin": 0.0}


class FakeDetector:
    """Finds the boxes that it was made with in every image."""

    name = "fake"
    landmark_scheme = "none"

    def __init__(self, *boxes):
        self.settings = {"n": len(boxes)}
        self._boxes = boxes

    def detect(self, images):
        return [[Face(np.array(box), 1.0, "fake") for box in self._boxes] for _ in images]


class MeanColour:
    """The embedding of a crop is its mean colour; black crops make it fail."""

    spec = EmbedderSpec("mean", "0" * 64, 3, "none", SQUARE)

    def embed(self, crops):
        if (crops.reshape(len(crops), -1).max(axis=1) == 0).any():
            raise RuntimeError("a black crop\nand more words")
        return crops.mean(axis=(1, 2), dtype=np.float32)


def pipeline(*boxes, **config):
    made = FacePipeline(PipelineConfig(**config))
    made.__dict__.update(detector=FakeDetector(*boxes), embedder=MeanColour())
    return made


GRAY = np.full((100, 120, 3), 90, np.uint8)
SMALL, CENTRAL, LARGE = (0, 0, 10, 10), (50, 40, 70, 60), (60, 0, 110, 50)


@pytest.mark.parametrize(
    ("policy", "kept"), [("largest", [LARGE]), ("central", [CENTRAL]), ("all", [SMALL, CENTRAL, LARGE])]
)
def test_the_policy_chooses_among_several_faces_and_the_count_stays(policy, kept):
    found = pipeline(SMALL, CENTRAL, LARGE, faces=policy).find_faces([GRAY])[0]
    assert [tuple(f.box_xyxy) for f in found.faces] == kept
    assert found.n_faces == 3
    assert found.status == "ok"


def test_several_faces_are_a_status_when_only_one_is_allowed():
    found = pipeline(SMALL, LARGE, faces="only").find_faces([GRAY])[0]
    assert (found.status, found.reason, found.faces) == ("several_faces", "2 faces", [])


def test_small_faces_do_not_count_and_are_said_to_be_too_small():
    assert pipeline(SMALL, LARGE, faces="only", min_face_px=11).find_faces([GRAY])[0].status == "ok"
    found = pipeline(SMALL, min_face_px=11).find_faces([GRAY])[0]
    assert (found.status, found.reason) == ("too_small", "the largest face has 10 px")
    assert pipeline(SMALL, min_face_px=10).find_faces([GRAY])[0].status == "ok"


def test_an_image_without_a_face_is_skipped_or_taken_whole():
    assert pipeline().find_faces([GRAY])[0].status == "no_face"
    found = pipeline(no_face="whole").find_faces([GRAY])[0]
    assert found.status == "whole_image"
    assert tuple(found.faces[0].box_xyxy) == (0, 0, 120, 100)
    assert np.isnan(found.faces[0].detection_score)


def test_embeddings_belong_to_their_image():
    images = [GRAY, GRAY // 2, GRAY // 3]
    made = pipeline(SMALL, LARGE, faces="all")
    vectors = made.embed(made.find_faces(images))
    assert [v.shape for v in vectors] == [(2, 3)] * 3
    np.testing.assert_allclose([v[0, 0] for v in vectors], [90, 45, 30])


def test_one_image_that_fails_leaves_its_neighbours(tmp_path):
    from PIL import Image

    for name, value in (("a.png", 90), ("b.png", 0), ("c.png", 60)):
        Image.fromarray(np.full((100, 120, 3), value, np.uint8)).save(tmp_path / name)
    (tmp_path / "d.png").write_bytes(b"")
    rows = pipeline(LARGE).rows_of(tmp_path, ["a.png", "b.png", "c.png", "d.png"])
    assert [r.status for r in rows] == ["ok", "failed", "ok", "unreadable"]
    assert rows[1].reason == "embedding failed: RuntimeError: a black crop"
    np.testing.assert_allclose([rows[0].embedding[0], rows[2].embedding[0]], [90, 60])


@pytest.mark.parametrize(("most_waiting", "batches"), [(256, [11]), (5, [5, 5, 1])])
def test_the_crops_of_many_images_are_embedded_together_but_not_of_too_many(
    tmp_path, monkeypatch, most_waiting, batches
):
    monkeypatch.setattr("features.pipeline.WAITING_CROPS", most_waiting)
    names = [f"{i:02d}.png" for i in range(12)]
    for name in names:
        Image.fromarray(np.full((100, 120, 3), 100 + int(name[:2]), np.uint8)).save(tmp_path / name)
    (tmp_path / "09.png").write_bytes(b"")
    made, sizes = pipeline(LARGE), []
    embed = made.embedder.embed
    made.embedder.embed = lambda crops: sizes.append(len(crops)) or embed(crops)
    rows = made.rows_of(tmp_path, names)
    assert sizes == batches
    assert [r.path for r in rows] == names
    assert [100 if r.embedding is None else round(r.embedding[0]) - int(r.path[:2]) for r in rows] == [100] * 12
    assert (rows[9].status, rows[9].image_hw) == ("unreadable", (0, 0))


def test_a_detector_whose_landmarks_cannot_serve_is_refused_with_the_way_out():
    made = pipeline(LARGE)
    made.__dict__["embedder"] = type(
        "E", (), {"spec": EmbedderSpec("onnx", "0" * 64, 3, "arcface5", {"kind": "similarity"})}
    )()
    with pytest.raises(ValueError, match="--detector mtcnn, or --landmarks 68"):
        _ = made.landmark_source
    allowed = pipeline(LARGE, landmarks="68")
    allowed.__dict__["embedder"] = made.embedder
    assert allowed.landmark_source == "dlib68"


def test_whole_images_are_refused_where_only_the_detector_gives_the_landmarks():
    spec = EmbedderSpec("onnx", "0" * 64, 3, "arcface5", {"kind": "similarity"})
    made = FacePipeline(PipelineConfig(detector="mtcnn", no_face="whole"))
    made.__dict__["embedder"] = type("E", (), {"spec": spec})()
    with pytest.raises(ValueError, match="--no_face whole needs landmarks.*--landmarks 68"):
        _ = made.landmark_source
    made.__dict__["config"] = PipelineConfig(detector="mtcnn")
    assert made.landmark_source is None


def test_a_network_that_needs_five_points_gets_them_from_dlibs_68(tmp_path):
    made = pipeline((20, 20, 80, 80), landmarks="68")
    crop = {"kind": "similarity", "template": [[4, 5], [11, 5], [8, 9], [5, 12], [10, 12]], "size_hw": [16, 16]}
    made.embedder.spec = EmbedderSpec("five", "0" * 64, 3, "arcface5", crop)
    Image.fromarray(np.tile(np.arange(1, 121, dtype=np.uint8)[None, :, None], (100, 1, 3))).save(tmp_path / "a.png")
    rows = made.rows_of(tmp_path, ["a.png"])
    table = FaceTable.from_rows(rows, LANDMARK_SCHEMES["arcface5"], made.table_spec)
    assert (table.status[0], table.landmarks_xy.shape) == ("ok", (1, 5, 2))
    assert made.table_spec.detector_settings["landmarks"] == "dlib68"
