"""What the buttons do, without a server: the heads and the threshold that ship, on photos of shared/data."""

import base64
import csv
import io
import json
import logging
import re
from dataclasses import replace

import pytest

from benchmarks.app_client import sent
from benchmarks.hostile_photos import encoded, picture
from features.pipeline import FacePipeline
from features.webapp.actions import FAILED, answered
from features.webapp.annotating import annotate
from features.webapp.comparing import compare, compared_face
from features.webapp.limits import Limits
from features.webapp.models import Catalogue
from features.webapp.photo import PhotoReader
from features.webapp.refusal import Refused
from features.webapp.throttle import Throttle

ADDRESS = "127.0.0.1"


def file_of(path):
    return sent(path.name, path.read_bytes())


def address(html, name):
    """Return the content of a download."""
    code = re.search(rf'href="data:[^,]*,([^"]*)" download="{re.escape(name)}"', html)[1]
    return base64.b64decode(code).decode()


def blank(name="blank.png"):
    return sent(name, encoded(picture(), "PNG"))


def test_a_photo_without_a_face_is_shown_with_a_sentence(actions):
    html = actions.annotate(blank("<b>&.png"), "", ADDRESS)
    assert "No face was found in “&lt;b&gt;&amp;.png”" in html
    assert 'class="fh-photo" src="data:image/png;base64,' in html
    assert "<b>" not in html


def test_nothing_is_said_before_something_is_chosen(actions):
    assert actions.annotate(None, "", ADDRESS) == ""
    assert actions.compare(blank(), None, "", ADDRESS) == ""


def test_what_is_no_photo_is_refused_in_words(actions):
    html = actions.annotate(sent("a.jpg", b"hello"), "", ADDRESS)
    assert 'role="alert"' in html
    assert "is not a picture" in html


def test_a_failure_is_logged_and_the_page_says_no_more_than_that(caplog):
    def fail():
        raise RuntimeError("secret")

    with caplog.at_level(logging.ERROR):
        html = answered(fail)
    assert FAILED in html
    assert "secret" not in html
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    "ask",
    [
        lambda actions: actions.annotate(blank(), "", ADDRESS),
        lambda actions: actions.explain(blank(), "", 0, "gender", ADDRESS),
        lambda actions: actions.compare(blank(), blank(), "", ADDRESS),
        lambda actions: actions.explain_pair(blank(), blank(), "", ADDRESS),
        lambda actions: actions.group([blank()], "", ADDRESS, lambda *_: None),
        lambda actions: actions.head_card(""),
        lambda actions: actions.comparison_card(""),
    ],
    ids=["annotate", "explain", "compare", "explain_pair", "group", "head_card", "comparison_card"],
)
def test_a_choice_that_cannot_be_had_is_a_sentence_everywhere(actions, ask):
    nothing = Catalogue((), ())
    assert FAILED in ask(replace(actions, catalogue=nothing))


@pytest.mark.parametrize(
    ("n_photos", "ask"),
    [
        (1, lambda actions: actions.annotate(blank(), "", ADDRESS)),
        (2, lambda actions: actions.compare(blank(), blank(), "", ADDRESS)),
        (3, lambda actions: actions.group([blank()] * 3, "", ADDRESS, lambda *_: None)),
    ],
    ids=["annotate", "compare", "group"],
)
def test_every_photo_of_a_request_counts(actions, n_photos, ask):
    limit = 2 * n_photos
    throttled = replace(actions, throttle=Throttle(limit))
    refusal = f"More than {limit} photos in a minute"
    assert [refusal in ask(throttled) for _ in range(3)] == [False, False, True]


def test_a_face_that_is_not_there_cannot_be_explained(actions):
    for face, target in ((0, "gender"), (-1, "gender"), ("x", "gender"), (0, "hair"), (None, None)):
        html = actions.explain(blank(), "", face, target, ADDRESS)
        assert "This face is not there any more" in html


def test_too_many_photos_are_refused_and_a_photo_that_is_none_is_listed(actions):
    done = []
    progress = lambda n, of: done.append((n, of))
    assert "at most 3 at a time" in actions.group([blank()] * 4, "", ADDRESS, progress)
    html = actions.group([blank(), sent("<i>.jpg", b"hello"), {"example": 5}], "", ADDRESS, progress)
    assert "No face was found in these photos" in html
    assert "&lt;i&gt;.jpg: “&lt;i&gt;.jpg” is not a picture" in html
    assert "There is no such example" in html
    assert done == [(1, 3), (2, 3), (3, 3)]


def test_cards_are_shown(actions):
    assert "UTKFace" in actions.head_card("")
    assert "LFW" in actions.comparison_card("")


@pytest.mark.data
def test_a_photo_of_several_people_gives_a_picture_a_table_and_files(actions, group_photo):
    html = actions.annotate(file_of(group_photo), "", ADDRESS)
    n_faces = int(re.search(r"<strong>(\d+) faces</strong>", html)[1])
    assert n_faces >= 6
    assert html.count('class="fh-face"') == n_faces
    assert len(re.findall(r'data-face="\d+" data-target="(?:gender|age|race)"', html)) == 3 * n_faces
    rows = list(csv.DictReader(io.StringIO(address(html, "ellen-selfie_faces.csv"))))
    photo = json.loads(address(html, "ellen-selfie_faces.json"))
    assert len(rows) == len(photo["faces"]) == n_faces
    assert [row["gender"] for row in rows] == [face["decisions"][0]["predicted"] for face in photo["faces"]]
    assert photo["provenance"]["heads"].startswith("gender")


@pytest.mark.data
def test_the_decisions_are_those_of_pred(actions, group_photo):
    """The app and ``pred.py`` (features.annotate.run.Annotator) decide alike about one photo."""
    from faceheads.images.reading import read_image
    from features.annotate.run import Annotator

    choice = actions.catalogue.heads[0]
    photo = PhotoReader(Limits()).read(file_of(group_photo))
    shown = actions.workers.run(lambda pipeline_of: annotate(pipeline_of(choice.config), choice, photo, 100))
    _, expected = Annotator(choice.config, choice.file).annotate(read_image(group_photo).rgb)
    assert [[d.text for d in face.decisions] for face in shown.faces] == [
        [d.text for d in f.decisions] for f in expected
    ]


@pytest.mark.data
def test_more_faces_than_the_page_takes_are_refused(actions, group_photo):
    choice = actions.catalogue.heads[0]
    photo = PhotoReader(Limits()).read(file_of(group_photo))
    with pytest.raises(Refused, match="faces; the page takes at most 2"):
        annotate(FacePipeline(choice.config), choice, photo, 2)


@pytest.mark.data
def test_two_photos_of_one_person_match_and_say_why(actions, pair, group_photo):
    probe, reference = map(file_of, pair)
    html = actions.compare(probe, reference, "", ADDRESS)
    assert 'class="fh-answer match"' in html
    assert "if half of all pairs were" in html
    other = actions.compare(probe, file_of(group_photo), "", ADDRESS)
    assert 'class="fh-answer non-match"' in other
    assert re.search(r"the largest of \d+ faces", other)
    maps = actions.explain_pair(probe, reference, "", ADDRESS)
    assert maps.count("<figure>") == 2
    assert "Similarity: 0.9" in maps


@pytest.mark.data
def test_the_similarity_is_that_of_verify(actions, pair, capsys):
    """Second source: ``verify.py`` on the same two photos (largest face, as the page takes it)."""
    from faceheads.identification.thresholds import default_threshold_path
    from features.verify_cli import verify_main

    verify_main([*map(str, pair), "--threshold", str(default_threshold_path()), "--json", "--faces", "largest"])
    expected = json.loads(capsys.readouterr().out)
    choice = actions.catalogue.comparisons[0]
    pipeline = FacePipeline(choice.config)
    faces = [compared_face(pipeline, PhotoReader(Limits()).read(file_of(path)), 9) for path in pair]
    got = compare(pipeline, choice, *faces)
    assert got.similarity == pytest.approx(expected["similarity"], abs=1e-5)
    assert got.decision.answer == expected["answer"]


@pytest.mark.data
def test_of_several_faces_the_largest_is_compared(actions, group_photo):
    pipeline = FacePipeline(actions.catalogue.comparisons[0].config)
    photo = PhotoReader(Limits()).read(file_of(group_photo))
    found = pipeline.find_faces([photo.rgb])[0]
    compared = compared_face(pipeline, photo, 100)
    assert compared.face.size_px == max(face.size_px for face in found.faces)
    assert compared.n_faces == len(found.faces) > 1


@pytest.mark.data
def test_a_photo_without_a_face_cannot_be_compared(actions, pair):
    assert "nothing to compare" in actions.compare(file_of(pair[0]), blank(), "", ADDRESS)


@pytest.mark.data
def test_photos_are_grouped_by_person(actions, pair, group_photo):
    html = actions.group([*map(file_of, pair), file_of(group_photo)], "", ADDRESS, lambda *_: None)
    assert "<h4>Person 1 <span" in html
    assert "2 faces" in html
    rows = list(csv.DictReader(io.StringIO(address(html, "people.csv"))))
    first = [row["photo"] for row in rows if row["person"] == "1"]
    assert first == [path.name for path in pair]
    of_group = [row["person"] for row in rows if row["photo"] == group_photo.name]
    assert len(set(of_group)) == len(of_group) >= 6  # two faces of one photo are never one person


@pytest.mark.data
def test_a_decision_is_explained(actions, pair):
    html = actions.explain(file_of(pair[0]), "", 0, "gender", ADDRESS)
    assert re.search(r"<strong>Face 1: gender = (fe)?male</strong>\. Log-odds: ", html)
    assert "integrated gradients" in html
    assert "Years: " in actions.explain(file_of(pair[0]), "", 0, "age", ADDRESS)
