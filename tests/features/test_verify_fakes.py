"""The command verify.py where it knows of fakes: from a head of train.py to the answer for two photos."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from faceheads.cli import train_main
from faceheads.labels import write_labels
from faceheads.splits import TRAIN, load_split
from faceheads.table import FaceTable, Status
from faceheads.table_io import write_table
from faceheads.verification.threshold_file import load_threshold
from features import threshold_pipelines, verify_cli
from features.cli import verify_main
from features.explain.pair_job import PairExplanationJob
from features.face import Face
from features.pipeline import FacePipeline
from features.pipeline_config import PipelineConfig
from features.seen_image import ImageFaces
from features.verify_cli import verification_parser
from tests.faceheads.verification.fakes import LOOKED_AT, looked_at_spec, tables_with_fakes
from tests.tables import face_row, table_spec

NAMES = ("who.parquet", "seen.parquet", "labels.csv", "head.skops", "t.json", "other.json", "report", "pairs.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fakes")
    faces, looked_at, labels = tables_with_fakes()
    write_table(folder / "who.parquet", faces)
    write_table(folder / "seen.parquet", looked_at)
    write_labels(folder / "labels.csv", labels)
    options = ["--target", "fake", "--head", "logistic", "--test_size", "0.6", "--jobs", "1"]
    tables = ["--feature", folder / "seen.parquet", "--label", folder / "labels.csv"]
    assert train_main([*map(str, tables), *options, "--save_model", str(folder / "head.skops")]) == 0
    assert run(folder, *TUNE, "--save_threshold", "t.json", "--report", "report", "--no_pictures") == 0
    return folder


TUNE = ("--identity", "labels.csv", "--bona_fide", "head.skops", "--bona_fide_feature", "seen.parquet")
TUNE += ("--fmr", "0.01", "--fake_fmr", "0.1", "--metric", "cosine")


def run(folder, *options):
    resolved = [str(folder / option) if option in NAMES else option for option in options]
    return verify_main(["--feature", str(folder / "who.parquet"), *resolved])


def test_people_of_the_head_of_the_threshold_and_of_the_report_are_others(folder):
    file = load_threshold(folder / "t.json")
    values = json.loads((folder / "report" / "verification.json").read_text())
    assert str(file.request) == "FMR of at most 0.01, of fakes 0.1"
    split = load_split(folder / "head.split.csv")
    n_others = 120 - split[split["part"] == TRAIN]["group"].nunique()
    assert file.tuned_on.n_identities + file.reported_on.n_identities == n_others < 90
    assert "people that the bona fide head learned from are left out" in values["remarks"][-1]
    assert values["n_identities"] == file.reported_on.n_identities
    # a fake is not compared with the photo that it was made of: 2 fakes with 4 photos but that one
    assert values["kinds"]["rows"][0]["n_non_mated"] == file.reported_on.n_identities * 2 * 3


def test_the_threshold_measures_a_table_with_its_own_head(folder, capsys):
    options = ["--identity", "labels.csv", "--threshold", "t.json", "--bona_fide_feature", "seen.parquet", "--json"]
    assert run(folder, *options) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["score"], values["n_identities"]) == ("bona_fide", 120)
    assert run(folder, *[option for option in options if option not in ("--bona_fide_feature", "seen.parquet")]) == 2
    assert "Name a table of them with --bona_fide_feature" in capsys.readouterr().err


def test_a_score_and_the_check_go_together(folder, capsys):
    assert run(folder, *TUNE, "--score", "plda", "--save_threshold", "other.json") == 0
    assert "score plda+bona_fide" in capsys.readouterr().out
    file = load_threshold(folder / "other.json")
    assert file.score.name == "plda" and file.score_name == "plda+bona_fide"


def test_listed_pairs_say_which_are_fakes(folder, capsys):
    labels = tables_with_fakes()[2]
    rng = np.random.default_rng(0)
    real, fake = labels.index[labels["fake"] == 0], labels.index[labels["fake"] == 1]
    lines = []
    for _ in range(4000):
        one, two = rng.choice(real, 2, replace=False)
        lines += [(one, two, int(labels["identity"][one] == labels["identity"][two]), 0, 0)]
    lines += [
        (path.replace("fake", "real").replace("/0004", "/0001").replace("/0005", "/0000"), path, 0, 0, 1)
        for path in fake
    ]
    by_person = [list(group) for group in np.array(real).reshape(-1, 4)]
    lines += [(group[0], group[i], 1, 0, 0) for group in by_person for i in (1, 2, 3)]
    text = "\n".join(",".join(map(str, line)) for line in lines)
    (folder / "pairs.csv").write_text(f"pathA,pathB,label,deepfake_a,deepfake_b\n{text}\n")
    options = ["--pairs", "pairs.csv", *TUNE, "--save_threshold", "other.json", "--json"]
    assert run(folder, *options) == 0
    kinds = json.loads(capsys.readouterr().out)["kinds"]["rows"]
    assert [kind["kind"] for kind in kinds] == ["fake", "real"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((*TUNE,), "give --save_threshold"),
        ((*TUNE, "--save_threshold", "other.json", "--by", "eer"), "leave --by at fmr"),
        ((*TUNE, "--save_threshold", "other.json", "--max_pairs", "all"), "leave --by at fmr"),
        ((*TUNE, "--save_threshold", "other.json", "--fake_fmr", "2"), "the FMR of fakes must be in"),
        ((*TUNE, "--save_threshold", "other.json", "--fake_fmr", "1e-4"), "needs 30,000 non-mated"),
        ((*TUNE[:4], "--save_threshold", "other.json"), "--bona_fide_feature; such are made by"),
        (
            (*TUNE[:4], "--bona_fide_feature", "who.parquet", "--save_threshold", "other.json"),
            "The heads need embeddings",
        ),
        (("--identity", "labels.csv", "--fake_fmr", "0.1"), "give --bona_fide"),
        (("--identity", "labels.csv", "--bona_fide_feature", "seen.parquet"), "is for --bona_fide"),
        (("--identity", "labels.csv", "--bona_fide", "x.pkl", "--save_threshold", "other.json"), "must be a .skops"),
        (("--identity", "labels.csv", "--gallery", "first", "--threshold", "t.json"), "--score and --bona_fide"),
        (("--identity", "labels.csv", "--gallery", "first", "--bona_fide", "x"), "leave it away with --gallery"),
        (("--identity", "folder", *TUNE[2:], "--save_threshold", "other.json"), "Give labels with the column kind"),
    ],
)
def test_what_the_user_can_repair_is_one_line_and_exit_code_2(folder, capsys, options, words):
    assert run(folder, *options) == 2
    error = capsys.readouterr().err
    assert error.startswith("verify.py: ") and words in error


def test_a_source_that_many_photos_share_is_not_the_photo_that_a_fake_was_made_of(folder, tmp_path, capsys):
    write_labels(tmp_path / "web.csv", tables_with_fakes()[2].assign(source="web"))
    options = [str(tmp_path / "web.csv") if option == "labels.csv" else option for option in TUNE]
    assert run(folder, *options, "--save_threshold", "other.json", "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert values["kinds"]["rows"][0]["n_non_mated"] == values["n_identities"] * 2 * 4


def test_a_head_of_unknown_people_is_said_to_be_one(folder, capsys, tmp_path):
    head = tmp_path / "lone.skops"
    head.write_bytes((folder / "head.skops").read_bytes())
    options = [str(head) if option == "head.skops" else option for option in TUNE]
    assert run(folder, *options, "--save_threshold", "other.json") == 0
    assert "is not known (no lone.split.csv beside it)" in capsys.readouterr().out
    split = (folder / "head.split.csv").read_text().replace(",test\n", ",none\n").replace(",none\n", ",train\n")
    (tmp_path / "lone.split.csv").write_text(split)
    assert run(folder, *options, "--save_threshold", "other.json") == 2
    assert "learned from all of these people" in capsys.readouterr().err


def test_photos_are_extracted_for_the_faces_and_for_the_head(folder, tmp_path, monkeypatch):
    asked = []

    class Recorded:
        def __init__(self, root, images, config, path, jobs):
            asked.append((path.name, config.detector, len(images)))

        def run(self):
            pass

    monkeypatch.setattr(verify_cli, "Extraction", Recorded)
    monkeypatch.setattr(
        PipelineConfig, "from_spec", lambda spec, path=None, **changes: PipelineConfig(detector=spec.detector)
    )
    options = ["--identity", "labels.csv", "--threshold", "t.json", "--bona_fide_feature", "seen.parquet"]
    assert run(folder, *options, "--data_dir", str(tmp_path)) == 0
    assert asked == [("who.parquet", "hog", 720), ("seen.parquet", "none", 720)]


def test_a_submission_has_the_score_that_knows_of_fakes(folder, tmp_path):
    images = [f"test_public/images/0000000{pair}/{i}.jpg" for pair in (3, 4) for i in (0, 1)]
    images.append("train/images/000001/0.jpg")
    rng, rows = np.random.default_rng(0), ([], [])
    for number, image in enumerate(images):
        (tmp_path / "data" / image).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / image).touch()
        sha256 = rng.bytes(32).hex()
        seen = np.eye(LOOKED_AT)[0] * (6 if number == 3 else -2)  # the last one is a fake
        for table, (dimension, vector) in zip(rows, ((8, np.ones(8)), (LOOKED_AT, seen)), strict=True):
            table.append(face_row(image, rng, dimension, sha256=sha256, embedding=vector))
    specs = {"f.parquet": table_spec(8), "s.parquet": looked_at_spec()}
    for (name, spec), table in zip(specs.items(), rows, strict=True):
        write_table(tmp_path / name, FaceTable.from_rows(table, 5, spec))
    (tmp_path / "data" / "train" / "meta.json").write_text('{"000001/0.jpg": 0}')
    options = ["--feature", tmp_path / "f.parquet", "--data_dir", tmp_path / "data", "--threshold", folder / "t.json"]
    options += ["--bona_fide_feature", tmp_path / "s.parquet", "--submission", tmp_path / "out.csv"]
    assert verify_main([str(option) for option in options]) == 0
    real, fake = pd.read_csv(tmp_path / "out.csv")["similarity"]
    assert real > load_threshold(folder / "t.json").threshold > 0 > fake


# ------------------------------------------------------------------------------------------------- two photos


class SeeingPipeline(FacePipeline):
    """Reads the person of a photo from its red and whether it is a fake from its green; no face where blue says so."""

    @property
    def table_spec(self):
        return looked_at_spec() if self.config.detector == "none" else table_spec(8)

    def find_faces(self, images):
        face = Face(np.array([0, 0, 9, 9]), 1.0, "hog", np.eye(5, 2), "dlib5")
        return [
            ImageFaces(Status.NO_FACE) if image[0, 0, 2] else ImageFaces(Status.OK, "", 1, [face], image[None, None])
            for image in images
        ]

    def embed(self, found):
        return [None if one.crops is None else self._vector(one.crops[0, 0, 0, 0])[None] for one in found]

    def _vector(self, pixel):
        if self.config.detector == "none":
            return np.eye(LOOKED_AT)[0] * 8 * (pixel[1] - 0.5)
        return np.eye(8)[pixel[0]]


@pytest.fixture
def compare(folder, tmp_path, monkeypatch):
    pixels = {"real": (1, 0, 0), "again": (1, 0, 0), "fake": (1, 1, 0), "other": (2, 0, 0), "none": (1, 0, 1)}
    for name, pixel in pixels.items():
        Image.new("RGB", (9, 9), pixel).save(tmp_path / f"{name}.png")
    monkeypatch.setattr(threshold_pipelines, "FacePipeline", SeeingPipeline)
    monkeypatch.setattr(
        PipelineConfig, "from_spec", lambda spec, path=None, **changes: PipelineConfig(detector=spec.detector)
    )

    def run_photos(*names, threshold=folder / "t.json", options=("--json",)):
        photos = [str(tmp_path / f"{name}.png") for name in names]
        return verify_main([*photos, "--threshold", str(threshold), *options])

    return run_photos


def test_a_fake_of_the_same_person_is_no_match(compare, capsys):
    assert compare("real", "again") == 0
    real = json.loads(capsys.readouterr().out)
    assert compare("real", "fake") == 1
    fake = json.loads(capsys.readouterr().out)
    assert (real["answer"], fake["answer"]) == ("match", "non-match")
    assert real["evidence"]["similarity"] == fake["evidence"]["similarity"] == 1.0
    assert fake["evidence"]["real"][0] > 0.9 and fake["evidence"]["real"][1] < 0.1
    assert compare("real", "other") == 1 and compare("fake", "other") == 1


def test_a_person_is_told_how_likely_each_photo_is_a_fake(compare, capsys):
    assert compare("real", "fake", options=()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "non-match" and lines[1].startswith("score        -") and "cosine+bona_fide" in lines[1]
    assert [line[:12].strip() for line in lines[2:]] == [
        "probability",
        "one person",
        "bona fide",
        "bona fide",
        "FMR",
        "FMR, fakes",
    ]
    assert "real.png is no fake" in lines[4] and "fake.png is no fake" in lines[5]
    assert "share of pairs with a fake" in lines[7]


def test_a_photo_without_a_face_is_no_decision(compare, capsys):
    assert compare("real", "none") == 2
    assert "none.png cannot be compared: no_face" in capsys.readouterr().err
    assert compare("real", "fake", options=("--bona_fide", "x.skops")) == 2
    assert "two photos are compared by what the threshold says" in capsys.readouterr().err


def test_the_similarity_is_explained_and_what_the_head_saw_is_not(compare, capsys, tmp_path, monkeypatch):
    called = []
    monkeypatch.setattr(
        PairExplanationJob, "run", lambda self, *given: called.append((self, *given)) or tmp_path / "x.png"
    )
    assert (
        compare("real", "fake", options=("--json", "--explain", str(tmp_path / "out"), "--explain_by", "occlusion"))
        == 1
    )
    captured = capsys.readouterr()
    assert json.loads(captured.out)["explanation"] == str(tmp_path / "x.png")
    assert "what the bona fide head saw is not" in captured.err
    ((job, photos, file, faces),) = called
    assert (job.output, job.method, job.config.detector) == (tmp_path / "out", "occlusion", "hog")
    assert [photo.name for photo in photos] == ["real.png", "fake.png"] and len(faces) == 2 and file.check is not None
    assert compare("real", "again", options=("--explain", str(tmp_path))) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"explained    {tmp_path / 'x.png'}"


def test_the_commands_of_the_documentation_are_understood():
    text = (Path(__file__).parents[2] / "docs" / "fakes.md").read_text(encoding="utf-8").replace("\\\n", " ")
    commands = [shlex.split(line)[2:] for line in text.splitlines() if line.startswith("python verify.py")]
    parsed = [verification_parser().parse_args(command) for command in commands]
    assert [len(args.photos) for args in parsed] == [0, 2]
    assert parsed[0].save_threshold == parsed[1].threshold and parsed[0].bona_fide.suffix == ".skops"
