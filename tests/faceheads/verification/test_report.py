"""The report: every number where it belongs, the same in JSON and Markdown, pictures that are pictures."""

import json
import sys

import numpy as np
import pytest

from faceheads.report.extra import MissingPackage
from faceheads.report.markdown import markdown as document_as_markdown
from faceheads.verification.comparisons import Comparisons
from faceheads.verification.document import verification_document
from faceheads.verification.error_rates import ErrorCurve
from faceheads.verification.kinds import errors_by_kind
from faceheads.verification.pair_blocks import pair_blocks
from faceheads.verification.plots import draw
from faceheads.verification.report import markdown, measure, write_report
from faceheads.verification.rules import Request
from faceheads.verification.threshold_tuning import tune_threshold
from tests.faceheads.verification.faces import faces_table, identities_of, pairs_of


@pytest.fixture(scope="module")
def listed():
    table = faces_table(n_people=80, n_lost=3, noise=1.0)
    return Comparisons.from_pairs(table, pairs_of(table, 600, fakes=True, folds=10), "cosine", "made-up pairs")


def test_rates_are_those_of_each_kind_of_pair_against_the_mated_ones(listed):
    trials = listed.trials.made
    found = {row.kind: row for row in errors_by_kind(listed.trials, 0.5)}
    assert list(found) == ["fake", "real"]
    for kind, row in found.items():
        chosen = trials.is_mated | (trials.kind == kind)
        alone = ErrorCurve.from_similarities(trials.similarity[chosen], trials.is_mated[chosen])
        assert row.eer.value == alone.eer().interpolated
        assert row.fmr.value == np.mean(trials.similarity[~trials.is_mated & (trials.kind == kind)] >= 0.5)
        assert row.n_non_mated == alone.n_non_mated
    assert (found["fake"].n_mated, found["real"].n_mated) == (0, trials.is_mated.sum())
    assert errors_by_kind(Comparisons.from_pairs(listed.table, pairs_of(listed.table), "cosine", "").trials, 0.5) == []


def test_a_report_has_every_number_and_its_markdown_says_the_same(listed):
    tuned, reported = listed.split_people(0.5)
    file = tune_threshold(tuned, reported, Request("eer"))
    values = json.loads(json.dumps(measure(reported, file), allow_nan=False))
    curve = reported.rates.curve
    assert values["eer"]["interpolated"]["value"] == curve.eer().interpolated
    assert [point["fnmr"]["value"] is None for point in values["operating_points"]] == [False, True, True, True, True]
    assert values["operating_points"][1]["n_needed"] == 300
    assert values["threshold"]["fmr"]["value"] == curve.rates_at(file.threshold)[0]
    lost = values["acquisition"]
    fnmr = values["threshold"]["fnmr"]["value"]
    share = lost["n_mated_lost"] / lost["n_mated"]
    assert values["threshold"]["frr"] == pytest.approx(share + (1 - share) * fnmr)
    assert values["accuracy"]["n_folds"] == 10 and values["accuracy"]["folds"] == "the list's"
    text = markdown(values)
    for words in (
        f"EER, interpolated | {100 * curve.eer().interpolated:.3g} %",
        "refused: FMR 0.01 needs 300 non-mated comparisons",
        "| fake |",
        "asked for by equal error rates",
        "images (",
        "by the folder of each image",
    ):
        assert words in text


def test_a_report_is_written_with_pictures_that_show_something(listed, tmp_path):
    matplotlib_image = pytest.importorskip("matplotlib.image")
    file = tune_threshold(*listed.split_people(0.5), Request("eer"))
    write_report(tmp_path / "out", measure(listed, file), draw(listed, file, listed.rates.curve))
    names = {"verification.html", "verification.json", "verification.md", "pictures"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert "](pictures/det.png)" in (tmp_path / "out" / "verification.md").read_text()
    page = (tmp_path / "out" / "verification.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "<span>feature_extraction.py</span> <span>--data_dir</span> <span>PHOTOS</span>" in page
    for name in ("det.png", "similarities.png"):
        picture = matplotlib_image.imread(tmp_path / "out" / "pictures" / name)
        assert min(picture.shape[:2]) > 300 and picture[..., :3].std() > 0.05


def test_the_worst_pairs_are_the_most_alike_and_the_least_alike_each_photo_once(listed):
    shown = []

    def photos(table):
        shown.append(table)
        return [b"jpeg"] * len(table)

    blocks = pair_blocks(listed, photos)
    trials = listed.trials
    highest = np.flatnonzero(~trials.is_mated)[np.nanargmax(trials.similarity[~trials.is_mated])]
    lowest = np.flatnonzero(trials.is_mated)[np.nanargmin(trials.similarity[trials.is_mated])]
    for table, trial, gallery in zip(shown, (highest, lowest), (blocks[2], blocks[4]), strict=True):
        keys = listed.table.keys
        assert list(table.keys[:2]) == [keys[listed.probe[trial]], keys[listed.reference[trial]]]
        assert len(set(table.keys)) == len(table) == 12 == len(gallery.tiles)
        assert gallery.tiles[0].lines == (f"1: {trials.similarity[trial]:.4f}", table.keys[0])
    assert "## Worst pairs" in document_as_markdown(verification_document(measure(listed), (), blocks))
    notes = [block for block in pair_blocks(listed, lambda table: [None] * len(table)) if block.kind == "note"]
    assert len(notes) == 2 and notes[0].words.startswith("No photo of these pairs was found")


def test_without_matplotlib_the_error_says_what_to_install(listed, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackage, match=r'needs matplotlib, .*pip install "faceheads\[report\]"'):
        draw(listed, None, listed.rates.curve)


def test_without_pictures_a_report_needs_no_other_package(listed, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    write_report(tmp_path, measure(listed))
    assert {path.name for path in tmp_path.iterdir()} == {"verification.json", "verification.md"}


def test_rates_over_all_pairs_keep_the_intervals_of_those_listed():
    table = faces_table(n_people=40)
    drawn = Comparisons.from_identities(table, identities_of(table), "cosine", "faces", max_pairs=2000)
    every = Comparisons.from_identities(table, identities_of(table), "cosine", "faces")
    values = measure(drawn, curve=every.rates.curve)
    assert (values["n_mated"], values["n_non_mated"]) == (240, 12480)
    assert values["auc"]["value"] == every.rates.curve.auc
    assert values["auc"]["low"] == drawn.rates.auc().low
    assert values["operating_points"][2]["fnmr"]["note"].startswith("no interval")
    assert "240 of 240 mated and 1,760 of 12,480 non-mated pairs, drawn at random" in markdown(values)


def test_a_report_where_nothing_should_match_is_still_json():
    table = faces_table(n_people=30)
    pairs = pairs_of(table, 200, fakes=True)
    values = measure(Comparisons.from_pairs(table, pairs.assign(is_mated=~pairs["is_mated"]), "cosine", "upside down"))
    assert values["eer"]["interpolated"]["value"] > 0.8
    assert json.loads(json.dumps(values, allow_nan=False))["kinds"]["rows"]


def test_without_people_to_tune_on_the_accuracy_is_undefined_and_says_so():
    table = faces_table(n_people=3)
    pairs = pairs_of(table, 40)
    values = measure(Comparisons.from_pairs(table, pairs, "cosine", "three people"))
    assert values["accuracy"]["value"] is None
    assert "| accuracy | undefined: An accuracy over folds needs" in markdown(values)


def test_fakes_are_paired_with_the_person_they_show():
    table = faces_table(n_people=10, n_photos=4)
    is_fake = np.arange(len(table)) % 4 == 3
    made = Comparisons.from_identities(table, identities_of(table), "cosine", "faces", is_fake=is_fake)
    fakes = made.trials.kind == "fake"
    assert fakes.sum() == 30 and not made.trials.is_mated[fakes].any()
    assert (made.trials.probe_identity[fakes] == made.trials.reference_identity[fakes]).all()
    assert is_fake[made.reference[fakes]].all() and not is_fake[made.probe].any()
    assert made.trials.is_mated.sum() == 30 and not is_fake[made.reference[~fakes]].any()
