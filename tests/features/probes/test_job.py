from pathlib import Path

import numpy as np

from faceheads.prediction import number
from faceheads.table import FaceRow, Status
from features.probes import job as job_module
from features.probes.job import Answers, ProbeJob
from features.probes.prober import ProbedPhoto
from tests.features.photos import whole_image_config


def test_few_photos_spread_over_the_folder_are_shown_and_the_dead_are_counted(monkeypatch):
    asked = []

    def probe(job, photo):
        asked.append(photo)
        if photo[0] == "007.png":
            return job_module._after_death(photo)
        return ProbedPhoto([FaceRow(photo[0], "", Status.NO_FACE)])

    monkeypatch.setattr(job_module, "_probe_photo", probe)
    job = ProbeJob(Path(), Path("none"), whole_image_config(), None, ("glasses",))
    probed = job.run([f"{i:03d}.png" for i in range(100)])
    shown = [path for path, is_shown in asked if is_shown]
    assert len(shown) == 24
    assert (shown[0], shown[-1] > "080") == ("000.png", True)
    assert probed.table.status_counts() == {**dict.fromkeys(Status, 0), Status.NO_FACE: 99, Status.FAILED: 1}
    assert (probed.answers, probed.is_made.shape, probed.shown) == ((), (0, 5), [])


def test_a_run_makes_the_changes_of_its_families_each_control_after_its_probe():
    job = ProbeJob(Path(), Path("none"), whole_image_config(), None, ("glasses", "eyes"))
    assert job.changes == (
        "glasses",
        "glasses on the mouth",
        "sunglasses",
        "sunglasses on the mouth",
        "eyes blurred",
        "mouth blurred",
        "invisible noise",
    )


def test_answers_of_photos_are_joined_face_by_face():
    photos = [number("age", np.arange(6.0), "years", 4.0), number("age", np.array([9.0, 8, 7]), "years", 4.0)]
    joined = Answers.joined(photos, 3)
    assert joined.value.tolist() == [[0, 1, 2], [3, 4, 5], [9, 8, 7]]
    assert joined.probabilities.shape == (3, 3, 0)
    assert (joined.target, joined.classes, joined.unit) == ("age", (), "years")
