"""A head of a made-up criterion, "the region of the eyes is dark", probed on drawn faces."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from faceheads.fitted_head import Head, default_thresholds
from faceheads.headfile import HeadError, HeadFile
from faceheads.table import Status
from faceheads.targets import CLASSIFICATION, Target
from features.embedders import ArrayEmbedder
from features.face import Face
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig
from features.probes import prober as prober_module
from features.probes import subject as subject_module
from features.probes.effects import measure_effects
from features.probes.job import ProbeJob
from features.probes.prober import Prober
from tests.features.probes.drawn_faces import drawn_head
from tests.tables import table_spec

N_PHOTOS = 3
#: Rows and columns of dlib's chip where the eyes are.
EYES = (slice(46, 66), slice(38, 112))


def eye_brightness(crops):
    """The network: brightness of the eyes, and of the whole crop."""
    eyes = crops[:, EYES[0], EYES[1]].mean(axis=(1, 2, 3))
    return np.stack([eyes, crops.mean(axis=(1, 2, 3))], axis=1).astype(np.float32)


def know(monkeypatch, pipeline, frame):
    """Let the pipeline find one face there in every picture that is not black: no detector finds drawings."""
    (x0, y0), (x1, y1) = frame.landmarks_xy.min(axis=0), frame.landmarks_xy.max(axis=0)
    face = Face([x0, y0, x1, y1], 1.0, "hog", frame.landmarks_xy[[45, 42, 36, 39, 33]], "dlib5")
    detector = SimpleNamespace(
        settings={}, landmark_scheme="dlib5", detect=lambda images: [[face] if image.any() else [] for image in images]
    )
    monkeypatch.setattr(pipeline, "detector", detector)
    known = lambda image, faces, scheme: [one.with_landmarks(frame.landmarks_xy, scheme) for one in faces]
    monkeypatch.setattr(subject_module, "find_landmarks", known)


@pytest.fixture
def pipeline(monkeypatch):
    spec = replace(table_spec(2).embedder, dimension=2)
    made = FacePipeline(PipelineConfig(), ArrayEmbedder(spec, lambda: eye_brightness, 8))
    know(monkeypatch, made, drawn_head()[1])
    return made


@pytest.fixture
def heads():
    rng = np.random.default_rng(0)
    X = rng.uniform(20, 230, (200, 2)).astype(np.float32)
    target = Target("dark_eyes", CLASSIFICATION, ("dark_eyes",), ("no", "yes"))
    estimator = make_pipeline(StandardScaler(), LogisticRegression(C=100)).fit(X, (X[:, 0] < 110).astype(int))
    head = Head(target, "logistic", estimator, thresholds=default_thresholds(target))
    return HeadFile((head,), table_spec(2), X[:5])


@pytest.fixture
def photos(tmp_path):
    for i in range(N_PHOTOS):
        Image.fromarray(drawn_head(seed=i)[0]).save(tmp_path / f"{i:02d}.png")
    Image.fromarray(np.zeros((260, 260, 3), np.uint8)).save(tmp_path / "nobody.png")
    (tmp_path / "text.png").write_bytes(b"no photo")
    return tmp_path


def probe_all(prober, folder, job):
    names = sorted(path.name for path in folder.iterdir())
    return job.gathered([prober.probe_file(folder, name, name == "01.png") for name in names])


def test_a_decision_about_the_eyes_flips_under_their_probe_and_not_under_its_control(
    pipeline, heads, photos, monkeypatch
):
    job = ProbeJob(photos, None, pipeline.config, None, ("glasses", "eyes", "light"))
    monkeypatch.setattr("features.probes.job.FacePipeline", lambda config: pipeline)
    probed = probe_all(Prober(pipeline, heads, job.changes), photos, job)
    counts = {status: n for status, n in probed.table.status_counts().items() if n}
    assert counts == {"ok": N_PHOTOS, "no_face": 1, "unreadable": 1}
    effects = {e.probe.name: e.metrics for e in measure_effects(probed, np.arange(N_PHOTOS), {})}
    rates = {
        name: [metrics[key].value for key in ("effect", "control")]
        for name, metrics in effects.items()
        if "control" in metrics
    }
    assert rates["sunglasses"] == [1, 0]
    assert rates["darker"] == [1, 0]
    assert rates["eyes blurred"] == rates["cool light"] == [0, 0]
    assert effects["sunglasses"]["change of p(yes)"].value > 0.9
    assert effects["invisible noise"]["effect"].value == 0
    assert [name for name, _ in probed.shown] == ["01.png"]
    assert len(probed.shown[0][1]) == 1 + len(job.changes)


def test_a_probe_that_cannot_be_made_leaves_the_decision(pipeline, heads, photos, monkeypatch):
    rgb, frame, _ = drawn_head()
    Image.fromarray(rgb[95:]).save(photos / "tight.png")
    know(monkeypatch, pipeline, frame.moved((0, 95)))
    found = Prober(pipeline, heads, ("blond hair", "darker")).probe_file(photos, "tight.png")
    assert found.is_made.tolist() == [[False, True]]
    p = found.predictions[0].probabilities
    assert p[0] == pytest.approx(p[1])
    assert p[0] != pytest.approx(p[2])


def test_noise_is_that_of_the_photo_and_of_the_seed(pipeline, heads, photos):
    content = (photos / "00.png").read_bytes()
    (photos / "copy.png").write_bytes(content)

    def noisy(name, seed=0):
        found = Prober(pipeline, heads, ("invisible noise",), seed).probe_file(photos, name)
        return found.predictions[0].probabilities[1, 1]

    assert noisy("00.png") == noisy("00.png")
    assert len({noisy("00.png"), noisy("copy.png"), noisy("00.png", seed=1)}) == 3


def test_a_photo_that_breaks_a_change_fails_alone(pipeline, heads, photos, monkeypatch):
    def broken(scene):
        raise ValueError("odd pixels")

    monkeypatch.setitem(prober_module.CHANGES, "darker", broken)
    found = Prober(pipeline, heads, ("darker",)).probe_file(photos, "00.png")
    assert [row.status for row in found.rows] == [Status.FAILED]
    assert found.rows[0].reason == "probing failed: ValueError: odd pixels"
    assert found.predictions == []


def test_crops_that_cannot_be_embedded_fail_their_photo_alone(pipeline, heads, photos, monkeypatch):
    monkeypatch.setattr(pipeline, "embed", lambda found: ["embedding failed: RuntimeError: no memory"])
    (row,) = Prober(pipeline, heads, ("darker",)).probe_file(photos, "00.png").rows
    assert (row.status, row.embedding) == (Status.FAILED, None)
    assert row.reason.endswith("no memory")


def test_heads_for_other_embeddings_are_refused(pipeline, heads):
    other = replace(heads, table_spec=table_spec(3))
    with pytest.raises(HeadError, match="Extract again"):
        Prober(pipeline, other, ("darker",))
