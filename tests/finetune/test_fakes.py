"""The command that makes fakes: who is paired with whom, what is written, what it says of itself."""

import json

import numpy as np
import pandas as pd
import pytest

from faceheads.datasets.pairs import read_pairs
from faceheads.images.reading import read_image
from faceheads.images.writing import write_image
from faceheads.table import FaceTable
from faceheads.table_io import write_table
from finetune.contact_sheet import contact_sheet
from finetune.face_collection import FaceCollection
from finetune.fake_maker import FakeMaker, crop_square
from finetune.fake_pairs import list_pairs
from finetune.fake_plan import GENERATORS, draw_pairs, plan_images
from finetune.fakes import fakes_main
from tests.tables import face_row, table_spec

from .faces import face_photo

#: Persons and their photos; the last has one photo only.
PEOPLE = {"Ann": 3, "Bob": 2, "Cem": 5, "Dora": 1}


def people_table(order=1):
    """A table of those people, faces all over."""
    rng = np.random.default_rng(0)
    box = np.array([25.0, 30, 95, 100])
    rows = [face_row(f"{n}/{k}.jpg", rng, box_xyxy=box) for n, count in PEOPLE.items() for k in range(count)]
    return FaceTable.from_rows(rows[::order], 5, table_spec())


def people_labels(table):
    return pd.DataFrame(
        {"identity": [path.partition("/")[0] for path in table.path]}, index=pd.Index(table.path, name="path")
    )


def people(order=1):
    table = people_table(order)
    return FaceCollection.from_table(table, people_labels(table))


def test_a_fake_is_of_two_persons_and_claims_one_who_has_another_photo():
    faces = people()
    pairs = draw_pairs(faces, 60, seed=3)
    assert all(faces.identity[s] != faces.identity[t] for s, t in pairs)
    claimed = [faces.identity[s] for s, _ in pairs]
    assert {name: claimed.count(name) for name in set(claimed)} == {"Ann": 20, "Bob": 20, "Cem": 20}
    assert {faces.identity[t] for _, t in pairs} == set(PEOPLE)
    cem = [faces.faces[s].path for s, _ in pairs if faces.identity[s] == "Cem"]
    assert len(set(cem[:5])) == 5  # all photos before one comes again


def test_pairs_depend_on_the_seed_and_not_on_the_order_of_rows_or_the_count():
    assert draw_pairs(people(), 20, seed=1) == draw_pairs(people(order=-1), 20, seed=1)
    assert draw_pairs(people(), 20, seed=1)[:7] == draw_pairs(people(), 7, seed=1)
    assert draw_pairs(people(), 20, seed=1) != draw_pairs(people(), 20, seed=2)


def test_other_embeddings_are_other_settings():
    table = people_table()
    table.embedding[3] += 1  # may pair other people
    assert FaceCollection.from_table(table, people_labels(table)).sha256 != people().sha256 == people(order=-1).sha256


def test_the_target_is_alike_in_pose():
    table = people_table()
    wanted = list(table.path).index("Dora/0.jpg")
    table.landmarks_xy[wanted] = table.landmarks_xy[0] * 1.5 + 10  # elsewhere and larger: the same pose
    table.embedding[:] = table.embedding[0]  # all look alike
    faces = FaceCollection.from_table(table, people_labels(table))
    targets = {faces.faces[t].path for s, t in draw_pairs(faces, 60, seed=0) if faces.faces[s].path == table.path[0]}
    assert targets == {"Dora/0.jpg"}


def test_every_image_is_planned_once_and_labelled():
    plans = plan_images(people(), GENERATORS, 4, seed=0)
    kinds = [plan.labels["generator"] for plan in plans]
    assert {kind: kinds.count(kind) for kind in kinds} == {"real": 11, "poisson": 4, "feather": 4, "self_blend": 4}
    assert len({plan.path for plan in plans}) == len(plans)
    swaps = {g: [(p.source, p.target.path) for p in plans if p.generator == g] for g in GENERATORS}
    assert swaps["poisson"] == swaps["feather"]
    assert all(source == target for source, target in swaps["self_blend"])


@pytest.mark.parametrize(("kinds", "count"), [((), 3), (("magic",), 3), (("poisson",), 0)])
def test_a_plan_without_sense_is_refused(kinds, count):
    with pytest.raises(ValueError, match="fakes are made by"):
        plan_images(people(), kinds, count, 0)


def test_boxes_of_another_detector_are_refused():
    table = people_table()
    other = FaceTable(
        **{name: getattr(table, name) for name in FaceTable._column_names()}, spec=table_spec(detector="mtcnn")
    )
    with pytest.raises(ValueError, match="Extract with --detector hog"):
        FaceCollection.from_table(other, people_labels(other))


def test_pairs_compare_a_fake_with_other_photos_of_the_claimed_person_only():
    labels = pd.DataFrame(
        {p.path: {"source": p.source, **p.labels} for p in plan_images(people(), GENERATORS, 6, 0)}
    ).T
    pairs = list_pairs(labels, seed=0)
    mated, fake = pairs[pairs["label"] == 1], pairs[pairs["deepfake_a"] == 1]
    assert len(mated) == 3 + 1 + 10
    one, other = labels.loc[fake["pathA"]], labels.loc[fake["pathB"]]
    assert (one["fake"].to_numpy() == 1).all() and (other["fake"].to_numpy() == 0).all()
    assert (one["identity"].to_numpy() == other["identity"].to_numpy()).all()
    assert (one["source"].to_numpy() != other["source"].to_numpy()).all()
    rest = pairs[(pairs["label"] == 0) & (pairs["deepfake_a"] == 0)]
    assert (labels.loc[rest["pathA"], "identity"].to_numpy() != labels.loc[rest["pathB"], "identity"].to_numpy()).all()
    assert 10 <= len(rest) <= len(mated)


def test_a_crop_is_centred_on_the_box_and_black_beyond_the_photo():
    rgb = np.full((100, 100, 3), 200, np.uint8)
    rgb[48:52, 18:22] = 0
    crop = crop_square(rgb, (10, 40, 30, 60), 80, 0.5)
    assert crop.shape == (80, 80, 3)
    dark = np.argwhere(crop[10:70, 10:70, 0] < 50) + 10
    assert np.abs(dark.mean(axis=0) - 39.5).max() <= 1
    assert len(dark) == pytest.approx(8 * 8, abs=12)  # 4 of 40 pixels in the photo
    assert (crop_square(rgb, (-30, 40, -10, 60), 80, 0.5)[:, :39] == 0).all()


def test_fakes_of_one_photo_differ_and_are_the_same_again(photo_folder):
    plans = [p for p in plan_images(people(), ["self_blend"], 12, seed=0, with_real=False) if p.source == "Bob/0.jpg"]
    maker = FakeMaker(photo_folder, size_px=64)
    one, two = (maker.make(maker.open(plan.source), plan) for plan in plans[:2])
    assert (one != two).any()
    assert (one == maker.make(maker.open(plans[0].source), plans[0])).all()


def test_a_contact_sheet_shows_every_picture_once():
    rows = [[np.full((5, 6, 3), 10 * k, np.uint8) for k in (1, 2, 3)], [np.full((5, 6, 3), 40, np.uint8)]]
    sheet = contact_sheet(rows)
    assert sheet.shape == (22, 34, 3)
    assert [int((sheet[:, :, 0] == value).sum()) for value in (10, 20, 30, 40)] == [30] * 4


@pytest.fixture(scope="module")
def photo_folder(tmp_path_factory):
    """Drawn photos of the people, with table and labels."""
    folder = tmp_path_factory.mktemp("photos")
    table = people_table()
    for seed, path in enumerate(table.path):
        (folder / path).parent.mkdir(exist_ok=True)
        write_image(folder / path, face_photo(seed % 4).rgb)
    write_table(folder / "f.parquet", table)
    people_labels(table).to_csv(folder / "l.csv")
    return folder


def options(photos, out, *more):
    named = {"--data_dir": photos, "--feature": photos / "f.parquet", "--identity": photos / "l.csv", "--out": out}
    return [str(part) for pair in named.items() for part in pair] + ["--size", "64", "--jobs", "1", *map(str, more)]


def test_the_command_writes_images_labels_pairs_and_a_sheet(photo_folder, tmp_path, capsys):
    out, pairs, sheet = tmp_path / "out", tmp_path / "pairs.csv", tmp_path / "sheet.png"
    more = ("--kind", *GENERATORS, "--count", "2", "--pairs", pairs, "--sheet", sheet)
    assert fakes_main(options(photo_folder, out, *more)) == 0
    labels = pd.read_csv(out / "labels.csv", index_col=0)
    assert labels["kind"].value_counts().to_dict() == {"real": 11, "fake": 6}
    assert all(read_image(out / path).rgb.shape == (64, 64, 3) for path in labels.index)
    assert set(read_pairs(pairs)["kind"]) == {"real", "fake"}
    assert read_image(sheet).rgb.shape[0] == 2 * 68 + 4
    assert "17   made" in capsys.readouterr().out
    assert json.loads((out / "made.json").read_text())["seed"] == 0
    assert fakes_main(options(photo_folder, out, *more)) == 0
    assert "17 were there" in capsys.readouterr().out
    assert fakes_main(options(photo_folder, out, "--seed", 5)) == 2
    assert "other settings" in capsys.readouterr().err
