import numpy as np
import pandas as pd
import pytest

from features.probes.changes import Probe
from features.probes.document import probe_document
from features.probes.effects import measure_effects
from features.probes.job import Answers, Probed
from features.probes.tables import effects_frame, effects_text, faces_frame
from tests.tables import small_table

N = 400
RNG = np.random.default_rng(0)
PROBES = (Probe("sunglasses", "sunglasses on the mouth", "glasses"), Probe("invisible noise", None, "noise"))
CHANGES = ("sunglasses", "sunglasses on the mouth", "invisible noise")


def probed(**changes):
    """A criterion of which 30 % flip under the probe, 10 % under its control and none under noise; and an age."""
    p = np.full((N, 4), 0.1)
    p[: N * 3 // 10, 1] = 0.9
    p[: N // 10, 2] = 0.8
    age = np.tile(RNG.uniform(20, 60, (N, 1)), 4) + np.array([0, -3.0, 1, 0])
    value = np.where(p >= 0.5, "yes", "no").astype(object)
    criterion = Answers("criterion", ("no", "yes"), "", value, np.stack([1 - p, p], axis=2))
    years = Answers("age", (), "years", age, np.empty((N, 4, 0)))
    fields = {"table": small_table(), "probes": PROBES, "changes": CHANGES, "answers": (criterion, years)}
    return Probed(**{**fields, "is_made": np.ones((N, 3), bool), "shown": [], **changes})


def test_flips_controls_and_their_difference_are_counted():
    effect, noise = measure_effects(probed(), np.arange(N), {})[:2]
    values = {name: estimate.value for name, estimate in effect.metrics.items()}
    expected = {"effect": 0.3, "control": 0.1, "difference": 0.2}
    expected |= {"change of p(yes)": 0.3 * 0.8, "change of p(yes), control": 0.1 * 0.7}
    assert values == pytest.approx(expected)
    width = 1.96 * np.sqrt(0.3 * 0.7 / N)
    assert effect.metrics["effect"].low == pytest.approx(0.3 - width, abs=0.01)
    assert effect.metrics["effect"].high == pytest.approx(0.3 + width, abs=0.01)
    assert set(noise.metrics) == {"effect", "change of p(yes)"}
    assert noise.metrics["effect"].high == pytest.approx(0.0095, abs=1e-3)  # Wilson: 1.96² / (400 + 1.96²)


def test_numbers_have_sizes_and_signs():
    effect = measure_effects(probed(), np.arange(N), {})[2]
    values = {name: estimate.value for name, estimate in effect.metrics.items()}
    assert values == pytest.approx({"effect": 3, "control": 1, "difference": 2, "change": -3, "change, control": 1})


def test_a_difference_that_no_face_shows_has_an_interval():
    same = probed()
    answers = same.answers[0]
    answers.value[:, 1], answers.value[:, 2] = "no", "no"
    difference = measure_effects(same, np.arange(N), {})[0].metrics["difference"]
    assert (difference.value, difference.low) == (0, -difference.high)
    assert difference.high == pytest.approx(0.0095, abs=1e-3)


def test_photos_of_one_person_count_as_one():
    alone = measure_effects(probed(), np.arange(N), {})[0].metrics["effect"]
    persons = measure_effects(probed(), np.arange(N) // 20, {})[0].metrics["effect"]
    assert persons.value == alone.value
    assert persons.high - persons.low > 2 * (alone.high - alone.low)


def test_a_face_counts_where_probe_and_control_could_be_made():
    made = np.ones((N, 3), bool)
    made[: N // 2, 1] = False
    found = measure_effects(probed(is_made=made), np.arange(N), {})
    assert [effect.n_faces for effect in found[:2]] == [N // 2, N]
    assert found[0].metrics["effect"].value == 0
    nowhere = measure_effects(probed(is_made=np.zeros((N, 3), bool)), np.arange(N), {})
    assert (nowhere[0].n_faces, nowhere[0].metrics) == (0, {})
    assert "sunglasses" in effects_text(nowhere)


def test_cohorts_have_effects_of_their_own():
    cohort = pd.Categorical(np.where(np.arange(N) < N // 2, "first", "second"))
    effects = measure_effects(probed(), np.arange(N), {"half": cohort})
    table = effects[0].cohorts[0]
    assert [c.metrics["effect"].value for c in table.cohorts] == pytest.approx([0.6, 0])
    assert table.gaps["difference"].value == pytest.approx(0.4)
    frame = effects_frame(effects)
    row = frame[(frame.cohort == "first") & (frame.metric == "difference") & (frame.target == "criterion")].iloc[0]
    assert (row.faces, row.value) == (N // 2, pytest.approx(0.4))
    document = probe_document(effects, [], CHANGES, ["A remark."])
    assert [section.title for section in document.sections] == ["In short", "criterion", "age"]
    assert "sunglasses" in document.sections[0].blocks[0].figures[0].label
    cells = document.sections[1].blocks[-1].rows[0]
    assert [str(cell).split(" [")[0] for cell in cells] == ["sunglasses", "+40.0 %", "+0.0 %", "+40.0 %"]


def test_every_face_is_listed_with_what_was_said_before_and_after():
    table = small_table()
    n = int(table.has_embedding.sum())
    full = probed()
    answers = tuple(Answers(a.target, a.classes, a.unit, a.value[:n], a.probabilities[:n]) for a in full.answers)
    made = np.ones((n, 3), bool)
    made[0, 0] = False
    frame = faces_frame(probed(table=table, answers=answers, is_made=made))
    assert len(frame) == 2 * (3 * n - 1)
    row = frame[(frame.path == "c.PNG") & (frame.change == "sunglasses") & (frame.target == "criterion")].iloc[0]
    assert (row.before, row.after, row.p_before, row.p_after) == ("no", "yes", 0.9, pytest.approx(0.1))
