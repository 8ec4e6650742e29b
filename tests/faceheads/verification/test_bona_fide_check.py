"""Bona fide checks: fakes of a person are no match, rows and people are the right ones, files are safe."""

import json
from dataclasses import replace

import numpy as np
import pytest

from faceheads.headfile import HeadError
from faceheads.splits import TEST, TRAIN, save_split
from faceheads.table import FaceRow, Status, TableError
from faceheads.verification.bona_fide_check import BonaFideCheck
from faceheads.verification.bona_fide_file import head_path
from faceheads.verification.bona_fide_head import BonaFideHead
from faceheads.verification.bona_fide_rows import ScoredTable, learned_rows
from faceheads.verification.comparisons import Comparisons
from faceheads.verification.error_rates import ErrorCurve
from faceheads.verification.kinds import errors_by_kind
from faceheads.verification.report import markdown, measure
from faceheads.verification.rules import Request
from faceheads.verification.threshold_file import ThresholdError, load_threshold, save_threshold
from faceheads.verification.threshold_tuning import tune_threshold
from tests.faceheads.verification.fakes import bona_fide_head, looked_at_spec, tables_with_fakes, trained
from tests.tables import face_row, small_table

REQUEST = Request("fmr", 0.01, fake_fmr=0.05)


@pytest.fixture(scope="module")
def made():
    """Everything that verify.py makes: head, rows, comparisons of other people, a threshold."""
    faces, looked_at, labels = tables_with_fakes()
    head = bona_fide_head(looked_at, labels)
    scored = ScoredTable.of(faces, looked_at, head)
    is_fake = (labels["kind"] == "fake").to_numpy()
    person = labels["identity"].to_numpy(object)
    both = Comparisons.from_identities(scored.table, person, "cosine", "made up", 20_000, 0, is_fake)
    tuned, reported = replace(both, bona_fide=scored.bona_fide).split_people(0.5)
    check = BonaFideCheck.fit(head, tuned)
    file = tune_threshold(check.fused(tuned), check.fused(reported), REQUEST, check=check)
    return faces, looked_at, labels, head, scored, reported, file


def test_fakes_pass_the_similarity_and_not_the_score_that_knows_of_them(made):
    reported, file = made[5], made[6]
    alone = {kind.kind: kind.eer.value for kind in errors_by_kind(reported.trials, 0.0)}
    fused = {kind.kind: kind for kind in errors_by_kind(file.check.fused(reported).trials, file.threshold)}
    assert alone["fake"] > 0.4 and fused["fake"].eer.value < 0.2  # chance, and what the head can tell
    assert fused["real"].eer.value < alone["real"] + 0.03
    assert fused["fake"].fmr.value < 0.08 and fused["real"].fmr.value < 0.02


def test_the_threshold_keeps_both_limits_on_the_people_it_was_found_on(made):
    file = made[6]
    assert file.tuned_on.fmr.value <= 0.01 and file.check.errors.tuned_on.fmr.value <= 0.05
    assert file.tuned_on.acquisition.n_non_mated > 0 and file.check.errors.reported_on.n_non_mated > 0
    # one of the two limits is met exactly: no lower threshold would do
    rates = [(file.tuned_on, 0.01), (file.check.errors.tuned_on, 0.05)]
    assert any(limit - known.fmr.value < 1.01 / known.n_non_mated for known, limit in rates)


def test_a_decision_about_two_photos_says_what_it_was_made_of(made):
    scored, labels, file = made[4], made[2], made[6]
    rows = [labels.index.get_loc(f"real/Person_003/000{i}.jpg") for i in (0, 1)]
    faces, bona_fide = scored.table[np.array(rows)], np.array([3.0, 2.5])
    real = file.decide_photos(faces, bona_fide)
    fake = file.decide_photos(faces, np.array([3.0, -4.0]))
    assert (real.answer, fake.answer) == ("match", "non-match")
    assert fake.evidence.one_person == real.evidence.one_person > 0.9
    assert fake.evidence.real[1] < 0.1 and fake.evidence.real[0] > 0.9
    product = real.evidence.one_person * np.prod(real.evidence.real)
    assert real.probability == pytest.approx(product)
    assert real.similarity == pytest.approx(np.log(product / (1 - product)))
    curve = ErrorCurve.from_similarities(*_fakes_of(file.check.fused(made[5])))
    assert fake.evidence.fake_fmr == pytest.approx(curve.rates_at(fake.similarity)[0], abs=0.02)
    assert json.loads(json.dumps(fake.to_json()))["evidence"]["real"] == list(fake.evidence.real)
    with pytest.raises(ThresholdError, match="without bona fide scores"):
        file.decide_photos(faces)


def _fakes_of(comparisons):
    trials = comparisons.of_fakes.trials
    return trials.similarity, trials.is_mated


def test_the_report_tells_errors_against_people_and_fakes_apart(made):
    reported, file = made[5], made[6]
    values = measure(file.check.fused(reported), file)
    n_fakes = int(reported.trials.is_fake.sum())
    assert values["n_non_mated"] + n_fakes + values["n_mated"] == len(reported)
    assert values["score"] == "bona_fide" and values["threshold"]["fmr"]["value"] == file.reported_on.fmr.value
    by_kind = {kind["kind"]: kind for kind in values["kinds"]["rows"]}
    assert by_kind["fake"]["n_non_mated"] == n_fakes
    assert by_kind["fake"]["eer"]["value"] < values["bona_fide"]["eer_alone"]["fake"]["value"]
    text = markdown(values)
    assert "EER of the similarity alone" in text and "EER, fakes" in text and "of fakes 0.05" in text


# ------------------------------------------------------------------------------------------------- heads and rows


def test_only_a_head_that_tells_fakes_from_photos_is_taken(made):
    looked_at, labels = made[1], made[2]
    others = trained(looked_at, labels.assign(kind=labels["kind"].str.upper()), targets=("kind",))
    with pytest.raises(HeadError, match=r"this file decides \[\('kind', 'FAKE', 'REAL'\)\].*--target fake"):
        BonaFideHead.of(others.file)
    words = trained(looked_at, labels.assign(fake=labels["fake"].map({0: "no", 1: "yes"})))
    with pytest.raises(HeadError, match=r"between 0 \(photo\) and 1 \(fake\).*\('fake', 'no', 'yes'\)"):
        BonaFideHead.of(words.file)
    both = trained(looked_at, labels, targets=("kind", "fake")).file
    assert BonaFideHead.of(both).file.targets == ("fake",)
    with pytest.raises(HeadError, match="on a table of feature_extraction.py"):
        BonaFideHead(replace(made[3].file, table_spec=None))


def test_a_score_is_higher_for_photos_and_missing_without_a_vector(made):
    looked_at, labels, head = made[1], made[2], made[3]
    scores = head.scores(looked_at)
    is_fake = labels["fake"].to_numpy() == 1
    assert scores[~is_fake].mean() > 1 > -1 > scores[is_fake].mean()
    p_fake = head.file.predict(looked_at.embedding[:9], looked_at.spec)[0].probability_of(1)
    np.testing.assert_allclose(1 / (1 + np.exp(scores[:9])), p_fake, rtol=1e-9)
    with pytest.raises(HeadError, match="The heads need embeddings"):
        head.scores(small_table())


def test_a_photo_that_the_head_could_not_see_is_not_compared(made):
    faces, looked_at, head = made[0], made[1], made[3]
    lost = face_row(faces.path[0], np.random.default_rng(0))
    lost = FaceRow(lost.path, looked_at.sha256[0], Status.UNREADABLE, "empty file")
    rest = type(looked_at).from_rows([lost], 5, looked_at_spec())
    some = type(looked_at).concatenate([rest, looked_at[np.arange(5, 0, -1)]])
    scored = ScoredTable.of(faces[:6], some, head)
    assert scored.table.reason[0] == "empty file" and not scored.table.has_embedding[0]
    assert np.isnan(scored.bona_fide[0]) and np.isnan(scored.table.embedding[0]).all()
    np.testing.assert_allclose(
        scored.bona_fide[1:], head.scores(looked_at)[1:6], rtol=1e-5
    )  # by path, whatever the order
    with pytest.raises(TableError, match=r"2 photos have no row"):
        ScoredTable.of(faces[:8], some, head)
    with pytest.raises(TableError, match="1 photos changed"):
        ScoredTable.of(replace(faces[:6], sha256=np.array(["ab" * 32, *faces.sha256[1:6]], object)), some, head)


def test_people_that_the_head_learned_from_are_left_out(made, tmp_path):
    faces, labels, reported = made[0], made[2], made[5]
    assert learned_rows(tmp_path / "head.skops", faces) is None
    parts = np.where(labels["identity"] < "Person_060", TRAIN, TEST)
    save_split(tmp_path / "head.split.csv", faces.path, faces.sha256, list(labels["identity"]), list(parts))
    learned = learned_rows(tmp_path / "head.skops", faces[::-1])[::-1]
    np.testing.assert_array_equal(learned, parts == TRAIN)
    left = reported.without_people_of(learned)
    people = set(left.trials.probe_identity) | set(left.trials.reference_identity)
    assert people and min(people) >= "Person_060" and "that the bona fide head learned from" in left.remarks[-1]
    assert reported.without_people_of(np.zeros(len(faces), bool)) is reported


def test_photos_are_known_again_by_what_is_in_them_and_by_their_path_where_that_is_not_known(made, tmp_path):
    faces = made[0][:4]
    learned = ["ab" * 32, "", faces.sha256[2], ""]
    paths = [*faces.path[:2], "moved.jpg", "elsewhere.jpg"]
    save_split(tmp_path / "head.split.csv", paths, learned, ["a", "b", "c", "d"], [TRAIN] * 4)
    changed = replace(faces, sha256=np.array([faces.sha256[0], "", faces.sha256[2], ""], object))
    assert learned_rows(tmp_path / "head.skops", changed).tolist() == [False, True, True, False]


def test_the_first_face_of_a_photo_counts_for_the_head(made):
    faces, looked_at, head = made[0], made[1], made[3]
    second = replace(
        looked_at[:4], face_index=np.ones_like(looked_at.face_index[:4]), embedding=looked_at.embedding[4:8]
    )
    both = type(looked_at).concatenate([second, looked_at[:4]])
    np.testing.assert_array_equal(ScoredTable.of(faces[:4], both, head).bona_fide, head.scores(looked_at[:4]))


def test_a_check_is_fitted_to_all_three_kinds(made):
    with pytest.raises(ValueError, match="there are .* 0. Give labels with the column kind"):
        BonaFideCheck.fit(made[3], made[5].of_people)
    with pytest.raises(ValueError, match="give both or neither"):
        tune_threshold(made[5], None, REQUEST)


def test_many_comparisons_are_thinned_kind_by_kind(made, monkeypatch):
    head, reported = made[3], made[5]
    full = BonaFideCheck.fit(head, reported).fusion
    monkeypatch.setattr("faceheads.verification.bona_fide_check._MAX_FITTED", 300)
    thinned = BonaFideCheck.fit(head, reported).fusion
    np.testing.assert_allclose(thinned.slopes_, full.slopes_, rtol=0.5)
    assert (thinned.slopes_ != full.slopes_).all()


# ------------------------------------------------------------------------------------------------- files


@pytest.fixture
def saved(made, tmp_path):
    save_threshold(tmp_path / "t.json", made[6])
    return tmp_path / "t.json"


def test_a_check_comes_back_as_it_was_written(made, saved):
    file, again, reported = made[6], load_threshold(saved), made[5]
    np.testing.assert_array_equal(
        again.check.fused(reported).trials.similarity, file.check.fused(reported).trials.similarity
    )
    assert again.check.errors == file.check.errors and again.request == file.request
    assert again.score_name == "cosine+bona_fide"
    assert {path.name for path in saved.parent.iterdir()} == {"t.json", "t.bona_fide.skops"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda check: check.update(sha256="0" * 64), "is not the head that the threshold was saved with"),
        (lambda check: check.update(embedder_digest="0" * 16), "for other embeddings"),
        (lambda check: check.update(slopes=[1.0]), "two numbers"),
        (lambda check: check.update(slopes="12"), "two numbers"),
        (lambda check: check.update(slopes=[-1.0, 1.0]), "must not be negative"),
        (lambda check: check.update(intercepts=[1.0, "2"]), "a number is wanted"),
        (lambda check: check.update(surprise=1), "exactly the fields"),
        (lambda check: check.pop("errors"), "exactly the fields"),
        (lambda check: check["errors"].update(points=[]), "points must be"),
        (lambda check: check["errors"].update(tuned_on=None), "not a threshold file"),
    ],
)
def test_a_check_that_someone_changed_is_refused(saved, change, words):
    values = json.loads(saved.read_text())
    change(values["bona_fide"])
    saved.write_text(json.dumps(values))
    with pytest.raises(ThresholdError, match=words):
        load_threshold(saved)


def test_a_threshold_without_its_check_is_refused(saved):
    values = json.loads(saved.read_text())
    check = values.pop("bona_fide")
    saved.write_text(json.dumps(values))
    with pytest.raises(ThresholdError, match="go together"):
        load_threshold(saved)
    del values["request"]["fake_fmr"]
    saved.write_text(json.dumps({**values, "bona_fide": check}))
    with pytest.raises(ThresholdError, match="go together"):
        load_threshold(saved)


def test_another_head_is_refused(made, saved):
    other = bona_fide_head(made[1], made[2], saved.parent / "other.skops")
    assert other.spec == made[3].spec
    content = (saved.parent / "other.skops").read_bytes()
    head_path(saved).write_bytes(content[:-1] + b"0")
    with pytest.raises(ThresholdError, match="is not the head that the threshold was saved with"):
        load_threshold(saved)
    head_path(saved).unlink()
    with pytest.raises(ThresholdError, match="t.bona_fide.skops of its bona fide head must lie beside it"):
        load_threshold(saved)


@pytest.mark.parametrize("fake_fmr", [0.0, 1.0, -0.1])
def test_a_limit_of_fakes_out_of_range_is_refused(fake_fmr):
    with pytest.raises(ValueError, match="FMR of fakes must be in"):
        Request("fmr", 0.01, fake_fmr=fake_fmr)
    with pytest.raises(ValueError, match="goes with an FMR"):
        Request("eer", fake_fmr=0.05)
