"""The training report: every figure is that of the summary, every cohort is named, every photo that is there is shown."""

import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import auc, roc_curve

from faceheads.cli import train_main
from faceheads.fitted_head import CohortThresholds
from faceheads.labels import write_labels
from faceheads.metrics import cohorts
from faceheads.metrics.intervals import N_RESAMPLES
from faceheads.report.charts.confusion import confusion_counts
from faceheads.report.charts.curves import reliability
from faceheads.report.html import html
from faceheads.report.markdown import markdown
from faceheads.report.thumbnails import face_thumbnails
from faceheads.report.training import ModelCard, Sources, training_document
from faceheads.report.training import threshold_blocks as sweeps
from faceheads.report.training.example_blocks import example_blocks
from faceheads.report.training.threshold_blocks import threshold_blocks
from faceheads.summary import summary_json
from faceheads.table_io import write_table
from faceheads.training import TrainingOptions, train_heads
from faceheads.wording import value_and_interval
from tests.faceheads.people import people_table
from tests.faceheads.report.pages import Page

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

EVIL = "<script>alert('x')</script>"


@pytest.fixture(scope="module", autouse=True)
def _small_cohorts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cohorts, "MIN_ROWS", 12)
        patch.setattr(cohorts, "MIN_GROUPS", 3)
        yield


@pytest.fixture(scope="module")
def people():
    """A table and labels; one mood is a script, one is rare."""
    table, labels = people_table(n_without_face=8)
    moods = labels["mood"].replace({"c": EVIL})
    moods[labels.index[::24]] = "rare"
    return table, labels.assign(mood=moods)


@pytest.fixture(scope="module")
def result(people):
    options = TrainingOptions(
        targets=("gender", "age"), head="logistic", cohorts=("mood",), n_resamples=100, seed=1, test_size=0.4
    )
    return train_heads(*people, options)


@pytest.fixture(scope="module")
def photos(people, tmp_path_factory):
    """A folder with a photo for most rows; their sha256 is not known to the table, as with a CSV of other software."""
    folder = tmp_path_factory.mktemp("photos")
    for path in people[0].path[:-20]:
        (folder / path).parent.mkdir(exist_ok=True)
        Image.new("RGB", (120, 100), (200, 150, 100)).save(folder / path)
    return folder


@pytest.fixture(scope="module")
def written(people, result, photos):
    """The document with photos, as a page and as Markdown."""
    table = result.samples.table
    unknown = replace(result.samples, table=replace(table, sha256=np.full(len(table), "", object)))
    sources = Sources(
        people[0], f"{EVIL}.parquet", "l.csv", partial(face_thumbnails, folder=photos), ModelCard(terms=EVIL)
    )
    document = training_document(replace(result, samples=unknown), sources)
    return Page(html(document)), markdown(document)


def test_page_and_markdown_tell_every_figure_of_the_summary(written, result):
    page, text = written
    for head in result.file.heads:
        for estimates in (head.report.metrics, head.report.baseline):
            for name, estimate in estimates.items():
                value, interval = value_and_interval(name, estimate)
                assert value in page.words
                assert f"| {value} [{interval}] |" in text if interval else "| undefined |" in text
    for words in ("Made by train.py: python", "random, 40% of the groups", "the label column 'identity'"):
        assert words in page.words and words in text


def test_the_curves_and_counts_belong_to_the_printed_metrics(result):
    answers, report = result.held_out[0].answers, result.file.heads[0].report
    counts = confusion_counts(answers)
    assert counts.sum() == report.n_test
    assert counts.trace() / counts.sum() == report.metrics["accuracy"].value
    assert counts[1, 1] / counts[1].sum() == report.metrics["recall"].value
    false, true, _ = roc_curve(answers.y, answers.raw[:, 1])
    assert auc(false, true) == pytest.approx(report.metrics["roc_auc"].value)
    rows, confidence, right = reliability(answers)
    filled = rows > 0
    error = (np.abs(right - confidence)[filled] * rows[filled]).sum() / rows.sum()
    assert error == pytest.approx(report.metrics["ece"].value)


def test_cohorts_are_shown_and_small_ones_named_only(written, result):
    table = result.details[0].cohorts[0]
    shown = [cohort.name for cohort in table.cohorts if cohort.metrics]
    assert set(shown) == {"a", "b", EVIL} and "rare" in {cohort.name for cohort in table.cohorts}
    page, text = written
    assert "Not shown: fewer than 12 rows or 3 groups: rare." in page.words
    assert not re.search(r"^\| rare \|", text, re.MULTILINE)
    assert re.search(r"^\| b \| \d+ \| \d+ \| \d", text, re.MULTILINE)


def test_names_from_files_stay_words(written):
    page, text = written
    assert "script" not in page.tags()
    assert page.words.count(EVIL) > 5
    assert "<script" not in text


def test_the_price_of_levelling_stands_beside_the_sweep_of_a_decision_between_two_classes(result):
    blocks = threshold_blocks(result, 0, "gender")
    assert [block.kind for block in blocks] == ["heading", "text", "pictures", "table", "text", "table", "text"]
    assert blocks[4].words.startswith("The price of mean - gap against minimum: ")
    assert f"errors for {EVIL}" in blocks[4].words
    assert threshold_blocks(result, 1, "age") == []


def test_each_cohort_has_its_own_threshold_in_the_sweep_of_its_column(monkeypatch, result):
    drawn = []
    monkeypatch.setattr(
        sweeps, "draw_sweep", lambda figure, cuts, names, thresholds: drawn.append((names, thresholds))
    )
    own = CohortThresholds("mood", (0.1, 0.2, 0.3, 0.4))  # of EVIL, a, b, rare
    answers = result.held_out[0].answers
    held = replace(result.held_out[0], answers=replace(answers, head=replace(answers.head, by_cohort=own)))
    threshold_blocks(replace(result, held_out=(held, result.held_out[1])), 0, "gender")
    other = replace(held, answers=replace(answers, head=replace(answers.head, by_cohort=replace(own, target="x"))))
    threshold_blocks(replace(result, held_out=(other, result.held_out[1])), 0, "gender")
    assert drawn == [([EVIL, "a", "b"], (0.1, 0.2, 0.3)), ([EVIL, "a", "b"], (0.5,))]


def test_the_worst_mistakes_come_first_with_what_was_said(written, result):
    rows, answers = result.held_out[1].rows, result.held_out[1].answers
    has_face = result.samples.table[rows].has_embedding
    worst = np.argmax(np.where(has_face, np.abs(answers.raw - answers.y), -1))
    shown = f"true {answers.y[worst]:.4g}<br>predicted {answers.raw[worst]:.1f}<br>{result.samples.table.path[rows[worst]]}"
    page, text = written
    assert text.index("### Worst mistakes") < text.index(shown)
    assert re.search(rf"\| (no photo|!\[\]\(pictures/2_age_mistake_01.jpg\))<br>{re.escape(shown)}", text)
    pictures = [a["alt"] for tag, a in page.elements if tag == "img" and a["src"].startswith("data:image/jpeg")]
    assert "There are none." in page.words  # gender has no mistake among the faces
    assert 25 < len(pictures) <= 36
    assert len(pictures) + page.words.count("no photo") == 36


def test_without_photos_a_sentence_says_how_to_see_examples(people, result):
    sources = Sources(people[0], "f.parquet", "l.csv")
    (_, note) = example_blocks(result, sources, 1, "age")
    assert note.words.startswith("Examples are not shown, because the photos were not given: --data_dir DIR names")
    blocks = example_blocks(result, replace(sources, photos=lambda table: [None] * len(table)), 1, "age")
    assert [block.words[:14] for block in blocks if block.kind == "note"] == ["No photo of th"] * 2


def test_the_card_says_what_is_needed_to_use_the_heads(written, result):
    page, text = written
    spec = result.file.table_spec
    for words in (
        "intended use",
        "not for",
        f"| terms of the data | {EVIL.replace('<', '&lt;').replace('>', '&gt;')} |",
    ):
        assert words in text
    for words in (
        spec.embedder_digest,
        spec.table_digest,
        result.file.training["data_sha256"],
        "threshold 0.5000, not tuned",
    ):
        assert words in page.words
    assert "    python feature_extraction.py --data_dir PHOTOS" in text


def test_images_without_a_face_are_counted_by_part(written, result):
    lost = ~result.samples.table.has_embedding
    n = [int((lost & result.samples.in_part(part)).sum()) for part in ("train", "test")]
    assert sum(n) == 8
    assert f"| no face found | 8 | {n[0]} | {n[1]} | 0 |" in written[1]


def test_decades_of_an_age_have_their_errors(written, result):
    by_decade = result.details[1].by_decade
    assert by_decade.column == "decade of age"
    counts = result.details[1].decades.counts.sum(axis=1)
    assert [c.n_rows for c in by_decade.cohorts] == counts[counts > 0].tolist()
    assert summary_json(result)["heads"][1]["by_decade"]["column"] == "decade of age"
    assert "| by decade of age |" in written[1]


def test_attributes_have_a_line_each_and_a_table_of_other_software_says_that_no_photo_fits():
    table, labels = people_table()
    people = replace(table, spec=None), labels
    labels = people[1].assign(male=(people[1]["gender"] == "male").astype(int))[["male", "glasses", "identity"]]
    options = TrainingOptions(head="logistic", n_resamples=20, task="multilabel", targets=("male", "glasses"))
    text = markdown(training_document(train_heads(people[0], labels, options), Sources(people[0], "f", "l")))
    assert re.search(r"^\| glasses \| \d+\.\d % \[", text, re.MULTILINE)
    assert "Examples are shown of heads for one target only." in text
    assert "(pictures/1_attributes_accuracies.png)" in text
    assert "it is not known how its vectors were made: these heads fit no photos." in text


def test_the_command_writes_the_report_and_names_it(people, tmp_path, capsys):
    table, labels = people
    write_table(tmp_path / "f.parquet", table)
    write_labels(tmp_path / "f.label.csv", labels)
    (tmp_path / "card.json").write_text(json.dumps({"data": "Made-up people."}))
    base = ["--feature", str(tmp_path / "f.parquet"), "--save_model", str(tmp_path / "h.skops"), "--head", "logistic"]
    options = ["--target", "glasses", "--jobs", "1", "--card", str(tmp_path / "card.json")]
    assert train_main([*base, *options, "--report", str(tmp_path / "out")]) == 0
    assert f"report: {tmp_path / 'out' / 'report.html'}" in capsys.readouterr().out
    assert "Made-up people." in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert f"{N_RESAMPLES} draws" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert train_main([*base, *options]) == 2
    assert "--card holds words of the report: it needs --report DIR" in capsys.readouterr().err
    assert train_main([*base, "--report", str(tmp_path), "--data_dir", str(tmp_path / "nowhere")]) == 2
    assert "--data_dir must be the folder of the photos" in capsys.readouterr().err
