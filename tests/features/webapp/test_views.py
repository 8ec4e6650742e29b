import numpy as np
import pytest

from faceheads.identification.thresholds import default_threshold_path
from faceheads.store import load_heads
from faceheads.verification.threshold_file import load_threshold
from features.annotate.cli import default_heads
from features.annotate.decisions import FaceDecisions, describe
from features.face import Face
from features.pipeline_config import PipelineConfig
from features.webapp.cards import comparison_card, head_card
from features.webapp.comparing import Comparison
from features.webapp.models import ComparisonChoice, HeadChoice
from features.webapp.views import AnswerView, DecisionView, FaceView

RACES = ("Asian", "Black", "Indian", "Others", "White")


@pytest.fixture(scope="module")
def heads():
    return load_heads(default_heads())


@pytest.fixture(scope="module")
def threshold():
    return load_threshold(default_threshold_path())


def compared(similarity, file):
    decision = None if file is None else file.decide(similarity)
    return Comparison(None, None, ComparisonChoice("x", PipelineConfig(), file), None, similarity, decision)


def test_a_number_has_its_typical_error_and_where_nine_of_ten_test_faces_lie(heads):
    (age,) = (head for head in heads.heads if head.target.name == "age")
    low, high = (age.report.residual_quantiles[q] for q in ("0.05", "0.95"))
    view = DecisionView.of(describe("age", 34.2, error=5.7), heads)
    assert view.headline == "34 ± 6"
    assert view.note == f"nine of ten test faces: {round(34.2 + low)} to {round(34.2 + high)} years"
    assert view.target == "age"


def test_nobody_is_younger_than_zero(heads):
    assert DecisionView.of(describe("age", 3.0, error=5.7), heads).note.startswith("nine of ten test faces: 0 to")


def test_a_number_of_other_heads_has_no_interval_and_no_explanation(heads):
    view = DecisionView.of(describe("weight", 70.0), heads)
    assert (view.note, view.target) == ("", "")


def test_bars_are_sorted_and_rare_classes_are_counted(heads):
    probabilities = dict(zip(RACES, (0.004, 0.9, 0.001, 0.002, 0.093), strict=True))
    view = DecisionView.of(describe("race", probabilities), heads)
    assert view.label == "race as annotated"
    assert [(bar.name, bar.is_decided) for bar in view.bars] == [("Black", True), ("White", False)]
    assert view.n_rare == 3


def test_of_a_sure_decision_the_second_class_is_shown_too(heads):
    view = DecisionView.of(describe("gender", {"female": 0.999, "male": 0.001}), heads)
    assert [bar.name for bar in view.bars] == ["female", "male"]
    assert view.n_rare == 0


def test_an_unsure_decision_says_so_and_marks_no_class(heads):
    view = DecisionView.of(describe("gender", {"female": 0.52, "male": 0.48}), heads)
    assert (view.headline, view.is_unsure) == ("unsure", True)
    assert not any(bar.is_decided for bar in view.bars)


def test_the_number_of_a_face_has_the_colour_of_its_box(heads):
    face = FaceDecisions(Face(np.array([0, 0, 9, 9]), 1.0, "hog"), (describe("gender", {"female": 0.9, "male": 0.1}),))
    view = FaceView.of(2, face, "data:", heads)
    assert (view.number, view.colour, view.ink) == (3, "rgb(230, 159, 0)", "rgb(0, 0, 0)")


@pytest.mark.parametrize(("similarity", "answer"), [(0.99, "match"), (0.929, "unsure"), (0.7, "non-match")])
def test_the_answer_is_that_of_the_threshold_file(threshold, similarity, answer):
    view = AnswerView.of(compared(similarity, threshold))
    assert view.answer == answer
    assert 0 <= view.scale.unsure_low <= view.scale.threshold <= view.scale.unsure_high <= 100
    assert (view.scale.similarity >= view.scale.threshold) == (similarity >= threshold.threshold)


def test_the_answer_names_its_error_rate_and_what_it_was_measured_on(threshold):
    lines = dict(AnswerView.of(compared(0.99, threshold)).lines)
    assert (
        lines["false match rate"] == "less than about one in 1,900,000 of pairs of two people are at least this alike"
    )
    assert lines["threshold"] == "false match rate one in 1,000; misses 5.2 % of pairs of one person"
    assert "if half of all pairs were" in lines["probability"]
    assert "5,837,460 pairs of 2,119 people" in lines["measured on"]


def test_without_a_threshold_there_is_no_answer():
    view = AnswerView.of(compared(0.99, None))
    assert (view.answer, view.scale) == ("", None)
    assert view.headline.startswith("No answer")
    assert view.lines == (("cosine similarity", "0.9900"),)


def test_the_card_of_heads_has_errors_terms_and_what_they_are_not_for(heads):
    card = dict(head_card(HeadChoice("shipped", heads, PipelineConfig(), is_shipped=True)).rows)
    assert "accuracy 93.4 % [92.6, 94.2], most frequent class alone 52.4 %" in card["gender"]
    assert "3,461 test faces" in card["age"]
    assert "non-commercial" in card["data and terms"]
    assert "EU AI Act" in card["not for"]
    assert card["embedder digest"] == heads.table_spec.embedder_digest


def test_the_card_of_a_threshold_says_on_whom_it_was_measured(threshold):
    card = dict(comparison_card(ComparisonChoice("x", PipelineConfig(), threshold)).rows)
    assert card["false match rate"] == "0.1 % [0.081, 0.12], on the people it was found on: on others it may err more"


def test_the_card_of_an_embedder_says_how_to_make_a_threshold():
    card = dict(comparison_card(ComparisonChoice("x", PipelineConfig())).rows)
    assert "--save_threshold" in card["claim"]
    assert "--threshold T.json" in card["claim"]
