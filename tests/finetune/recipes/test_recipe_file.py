import dataclasses
import json
import sys
import textwrap
from pathlib import Path

import pytest

from faceheads.extra import MissingPackage
from finetune.recipes import RECIPES, RecipeFileError, find_recipe, recipe

YAML = """
task: criterion
target: Eyeglasses
epochs: 20
lr: 1e-4          # YAML reads a number without a point as a text
weight_decay: 0
augmentation:
  flip: 0.5
  cutout_part: eyes
"""


def read(tmp_path, text, name="mine.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return find_recipe(str(path))


def test_a_file_says_what_differs_from_the_bundled_recipe_of_its_task(tmp_path):
    found = read(tmp_path, YAML)
    base = RECIPES["criterion"]
    changed = dataclasses.replace(base.augmentation, flip=0.5, cutout_part="eyes")
    expected = dataclasses.replace(
        base, target="Eyeglasses", epochs=20, lr=1e-4, weight_decay=0.0, augmentation=changed
    )
    assert found == expected
    assert found.augmentation.colour == 0 != RECIPES["gender"].augmentation.colour
    assert isinstance(found.weight_decay, float)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_settings_of_a_run_are_a_recipe(tmp_path, name):
    chosen = recipe(name, lr=0.5, seed=7, target="hat")
    text = json.dumps({**dataclasses.asdict(chosen), "data": "0" * 64})
    assert read(tmp_path, text, "settings.json") == chosen
    assert read(tmp_path, text, "settings.yml") == chosen  # JSON is YAML too


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task: gender\nlearning_rate: 1", "there is no setting 'learning_rate'; see"),
        ("task: gender\nepoch: 1", "there is no setting 'epoch'; did you mean 'epochs'?"),
        ("task: gender\naugmentation: {flips: 1}", "no setting 'flips'; did you mean 'flip'"),
        ("task: gender\nflip: 1", "no setting 'flip'"),
        ("task: gender\nepochs: 2.5", "'epochs' must be a whole number; got 2.5"),
        ("task: gender\nepochs: true", "'epochs' must be a whole number; got True"),
        ("task: gender\nlr: fast", "'lr' must be a number; got 'fast'"),
        ("task: gender\nlr: yes", "'lr' must be a number; got True"),
        ("task: gender\nlayers: [final]", r"'layers' must be a text; got \['final'\]"),
        ("task: gender\naugmentation: none", "'augmentation' must hold settings"),
        ("task: noses", "must say 'task: ' and one of .*; got 'noses'"),
        ("epochs: 3", "must say 'task: ' and one of"),
        ("task: [gender]", "must say 'task: ' and one of"),
        ("- gender", "must hold settings, one 'name: value' a line; got list"),
        ("task: !!python/object/apply:os.system [ls]", "cannot be read"),
        ("task: {gender", "cannot be read"),
        ("task: gender\n" + "#" * (1 << 20), "larger than"),
    ],
)
def test_what_is_no_recipe_is_refused_in_one_sentence(tmp_path, text, words):
    with pytest.raises(RecipeFileError, match=words) as refused:
        read(tmp_path, text)
    assert "mine.yaml" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["task: gender\nlr: .nan", "task: gender\nlr: 1e999", "task: gender\nlr: -1"])
def test_a_value_out_of_range_is_refused(tmp_path, text):
    with pytest.raises(ValueError, match="--lr must be above 0; got"):
        read(tmp_path, text)


def test_ranges_say_what_belongs_to_them():
    for setting, words in {
        "epochs": "at least 1",
        "momentum": "at least 0 and below 1",
        "margin": "a finite number",
    }.items():
        with pytest.raises(ValueError, match=f"--{setting} must be {words}; got"):
            recipe("gender", **{setting: -float("inf")})


def test_a_file_that_is_damaged_or_absent_is_an_error(tmp_path):
    (tmp_path / "bad.json").write_bytes(b"\xff{")
    with pytest.raises(RecipeFileError, match="bad.json cannot be read"):
        find_recipe(str(tmp_path / "bad.json"))
    with pytest.raises(FileNotFoundError):
        find_recipe(str(tmp_path / "none.yaml"))
    with pytest.raises(ValueError, match="--recipe must be one of .*; got 'gendre'"):
        find_recipe("gendre")


def test_yaml_needs_the_extra_and_json_does_not(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingPackage, match=r'pip install "faceheads\[finetune\]", or write it as .json'):
        read(tmp_path, "task: gender")
    assert read(tmp_path, '{"task": "gender"}', "mine.json") == RECIPES["gender"]


def test_the_recipe_of_the_documentation_is_one(tmp_path):
    page = (Path(__file__).parents[3] / "docs/finetuning.md").read_text(encoding="utf-8")
    lines = page[page.index("    task: ") :].split("\n\n")[0]
    found = read(tmp_path, textwrap.dedent(lines))
    assert (found.cohort, found.augmentation.cutout_part) == ("Male", "mouth")
    assert all(f"\n| `{name}` |" in page for name in RECIPES)
