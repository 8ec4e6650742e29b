"""Head files: they come back as they were written, and refuse what does not fit."""

import dataclasses
import functools
import json
import math
import pickle
import warnings

import numpy as np
import pytest

from faceheads import archive, heads
from faceheads.fitted_head import Head, default_thresholds
from faceheads.fitting import fit_head, parts_of
from faceheads.head_report import HeadReport
from faceheads.headfile import HeadError, HeadFile, HeadWarning
from faceheads.heads import head_kind, make_head
from faceheads.metrics import Estimate
from faceheads.store import load_heads, make_golden_inputs, save_heads
from faceheads.targets import Target
from tests.tables import table_spec

DIMENSION = 8
RNG = np.random.default_rng(0)
EMBEDDINGS = RNG.normal(1, 2, (120, DIMENSION)).astype(np.float32)
TARGETS = {
    "gender": Target("gender", "classification", ("gender",), ("female", "male")),
    "race": Target("race", "classification", ("race",), ("Asian", "Black", "White")),
    "age": Target("age", "regression", ("age",), unit="years"),
    "attributes": Target("attributes", "multilabel", ("Bald", "Smiling"), (0, 1)),
}
LABELS = {
    "gender": (EMBEDDINGS[:, 0] > 1).astype(int),
    "race": np.digitize(EMBEDDINGS[:, 1], [0, 2]),
    "age": 40.0 + 10 * EMBEDDINGS[:, 2],
    "attributes": (EMBEDDINGS[:, 3:5] > 1).astype(int),
}
REPORT = HeadReport(
    100, 20, 1, {"mae": Estimate(5.0, 4.0, 6.0)}, {"mae": Estimate(15.0, note="x")}, residual_quantiles={"0.05": -9.5}
)


@pytest.fixture(scope="module", autouse=True)
def _fast_networks():
    """Small and few networks, which may stop before they have converged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "N_NETWORKS", 2)
        patch.setattr(heads, "MLP_MAX_EPOCHS", 60)
        yield


@functools.lru_cache
def head_of(name, kind="logistic"):
    target = TARGETS[name]
    kind = head_kind(kind, target.task)
    estimator = make_head(kind, target.task, len(EMBEDDINGS), DIMENSION)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit_head(estimator, EMBEDDINGS, LABELS[name], np.arange(len(EMBEDDINGS)))
    return Head(target, kind, estimator, REPORT, default_thresholds(target))


def head_file(*names, kind="logistic", spec="default"):
    chosen_heads = tuple(head_of(name, kind) for name in names or ("gender", "race", "age", "attributes"))
    chosen = table_spec(DIMENSION) if spec == "default" else spec
    return HeadFile(chosen_heads, chosen, make_golden_inputs(EMBEDDINGS), {"seed": 0})


@pytest.fixture(scope="module")
def plain_file():
    return head_file()


def saved(file, folder, name="heads.skops"):
    save_heads(folder / name, file)
    return folder / name


def rewritten(path, change):
    """The file with its payload changed, and a checksum that fits."""
    payload = archive.read_archive(path)
    description = json.loads(payload["description"])
    change(payload, description)
    archive.write_archive(path, {**payload, "description": json.dumps(description)})
    return path


@pytest.mark.parametrize("kind", ["logistic", "mlp", "linear_svm", "svm", "hgb", "distribution"])
@pytest.mark.parametrize("suffix", [".skops", ".pkl", ".joblib"])
def test_heads_predict_the_same_after_a_round_trip(tmp_path, kind, suffix):
    file = head_file(kind=kind)
    again = load_heads(saved(file, tmp_path, "heads" + suffix), trust=suffix != ".skops")
    for before, after in zip(file.heads, again.heads, strict=True):
        assert np.array_equal(before.raw(EMBEDDINGS), after.raw(EMBEDDINGS))


def test_everything_known_about_a_head_comes_back(tmp_path, plain_file):
    again = load_heads(saved(plain_file, tmp_path))
    assert again.table_spec == plain_file.table_spec
    assert again.training == {"seed": 0}
    assert again.versions == plain_file.versions
    assert set(again.versions) == {"python", "faceheads", "numpy", "scikit-learn", "skops"}
    for before, after in zip(plain_file.heads, again.heads, strict=True):
        assert after.target == before.target
        assert repr(after.report) == repr(before.report)
        assert (after.kind, after.thresholds, after.unsure_margin) == (before.kind, before.thresholds, 0.2)


def test_training_and_writing_twice_gives_the_same_bytes(tmp_path):
    first = saved(head_file("age", kind="mlp"), tmp_path, "1.skops").read_bytes()
    head_of.cache_clear()
    assert saved(head_file("age", kind="mlp"), tmp_path, "2.skops").read_bytes() == first


def test_support_vectors_lose_nothing_by_being_stored_as_float32(tmp_path):
    file = head_file("gender", "race", "age", kind="svm")
    again = load_heads(saved(file, tmp_path))
    for before, after in zip(file.heads, again.heads, strict=True):
        assert np.array_equal(before.raw(EMBEDDINGS), after.raw(EMBEDDINGS))
        assert before.raw(EMBEDDINGS).dtype == np.float64  # the heads in memory were not touched


def test_predictions_carry_classes_units_and_doubt(plain_file):
    gender, race, age, bald, smiling = plain_file.predict(EMBEDDINGS, plain_file.table_spec)
    assert plain_file.targets == ("gender", "race", "age", "Bald", "Smiling")
    assert [p.target for p in (gender, race, age, bald, smiling)] == list(plain_file.targets)
    assert gender.classes == ("female", "male")
    assert race.probabilities.shape == (120, 3)
    assert race.probabilities.sum(axis=1) == pytest.approx(np.ones(120))
    assert list(race.value) == [race.classes[i] for i in race.probabilities.argmax(axis=1)]
    assert list(gender.is_unsure) == list(np.abs(gender.probabilities[:, 1] - 0.5) < 0.1)
    assert age.is_number
    assert (age.unit, age.typical_error) == ("years", 5.0)
    assert age.value.dtype == np.float64
    assert smiling.classes == (0, 1)
    assert set(smiling.value) == {0, 1}
    assert np.array_equal(smiling.probability_of(1), smiling.probabilities[:, 1])
    assert np.array_equal(gender.confidence, gender.probabilities.max(axis=1))
    with pytest.raises(ValueError, match=r"\['female', 'male'\]; got 'man'"):
        gender.probability_of("man")


def test_a_threshold_moves_the_decision_and_the_doubt(plain_file):
    head = dataclasses.replace(plain_file.heads[0], thresholds=(0.8,))
    (gender,) = head.predict(EMBEDDINGS)
    assert list(gender.value == "male") == list(gender.probabilities[:, 1] >= 0.8)
    assert list(gender.is_unsure) == list(np.abs(gender.probabilities[:, 1] - 0.8) < 0.1)


def test_no_faces_give_empty_predictions(plain_file):
    predictions = plain_file.predict(np.empty((0, DIMENSION), np.float32), plain_file.table_spec)
    assert [len(p.value) for p in predictions] == [0] * 5
    assert predictions[1].probabilities.shape == (0, 3)


def test_heads_can_be_selected(plain_file):
    assert plain_file.select(["age"]).targets == ("age",)
    assert plain_file.select(["Bald"]).targets == ("Bald", "Smiling")
    with pytest.raises(HeadError, match="has no"):
        plain_file.select(["height"])


# ------------------------------------------------------------------------------------------------- wrong embeddings


def other_embedder(**changes):
    spec = table_spec(DIMENSION)
    return spec.with_embedder(dataclasses.replace(spec.embedder, **changes))


def test_embeddings_of_another_embedder_are_refused_with_the_command_to_make_them(plain_file):
    with pytest.raises(HeadError, match="need embeddings .* Extract again with: python feature_extraction.py"):
        plain_file.predict(EMBEDDINGS, other_embedder(flip=True))


def test_another_detector_is_a_warning(plain_file):
    with pytest.warns(HeadWarning, match=r"found by hog \(upsample 1\).* found by cnn"):
        plain_file.predict(
            EMBEDDINGS, dataclasses.replace(table_spec(DIMENSION), detector="cnn", detector_settings={})
        )


def test_an_embedder_alone_is_enough_to_check(plain_file):
    plain_file.check_spec(plain_file.table_spec.embedder)


def test_embeddings_of_unknown_origin_are_refused(plain_file):
    with pytest.raises(HeadError, match="without a specification"):
        plain_file.predict(EMBEDDINGS, None)


def test_heads_of_a_bare_csv_serve_bare_embeddings_only():
    file = head_file("gender", spec=None)
    file.predict(EMBEDDINGS, None)
    with pytest.raises(HeadError, match="CSV of other software"):
        file.predict(EMBEDDINGS, table_spec(DIMENSION))


def test_the_wrong_dimension_and_missing_numbers_are_refused(plain_file):
    with pytest.raises(HeadError, match=r"\(n_faces, 8\); got \(120, 3\)"):
        plain_file.predict(EMBEDDINGS[:, :3], plain_file.table_spec)
    with pytest.raises(HeadError, match="finite"):
        plain_file.predict(np.full((1, DIMENSION), np.nan), plain_file.table_spec)


# ------------------------------------------------------------------------------------------------- wrong files


def test_a_pickle_is_not_read_without_trust(tmp_path, plain_file):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was read",))

    for suffix in (".pkl", ".joblib"):
        path = tmp_path / f"bomb{suffix}"
        path.write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(HeadError, match="runs code that its author put into it"):
            load_heads(path)
    renamed = tmp_path / "bomb.skops"
    renamed.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(HeadError, match="no skops archive"):
        load_heads(renamed, trust=True)


def test_a_pickle_of_something_else_is_explained(tmp_path):
    path = tmp_path / "face_model.pkl"
    path.write_bytes(pickle.dumps(["clf", "labels"]))
    with pytest.raises(HeadError, match="holds no heads of faceheads"):
        load_heads(path, trust=True)
    path.write_bytes(b"not a pickle")
    with pytest.raises(HeadError, match="not a readable pickle"):
        load_heads(path, trust=True)


def test_names_and_missing_files_are_explained(tmp_path, plain_file):
    with pytest.raises(HeadError, match=r"must end in \.skops, \.pkl, \.joblib; got 'heads\.h5'"):
        save_heads(tmp_path / "heads.h5", plain_file)
    with pytest.raises(HeadError, match="no head file at"):
        load_heads(tmp_path / "heads.skops")


def test_an_archive_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.skops"
    archive.write_archive(path, {"x": 1})
    with pytest.raises(HeadError, match="holds no heads of faceheads"):
        load_heads(path)


def test_another_format_version_is_refused(tmp_path, plain_file):
    def change(_, description):
        description["format_version"] = 2

    with pytest.raises(HeadError, match="format version 2, this faceheads reads 1"):
        load_heads(rewritten(saved(plain_file, tmp_path), change))


def test_a_digest_that_does_not_belong_to_the_specification_is_refused(tmp_path, plain_file):
    def change(_, description):
        description["table_spec"]["embedder"]["flip"] = True

    with pytest.raises(HeadError, match="does not fit its embedder digest"):
        load_heads(rewritten(saved(plain_file, tmp_path), change))


def test_another_dimension_is_refused(tmp_path, plain_file):
    def change(_, description):
        description["dimension"] = 9

    with pytest.raises(HeadError, match="for embeddings of 9 numbers"):
        load_heads(rewritten(saved(plain_file, tmp_path), change))


@pytest.mark.parametrize("name", ["race", "age"])
def test_heads_on_an_approximated_kernel_are_read_back(tmp_path, monkeypatch, name):
    monkeypatch.setattr(heads, "EXACT_ROWS", 10)
    monkeypatch.setattr(heads, "N_LANDMARKS", 20)
    head = head_of.__wrapped__(name, "svm")
    file = HeadFile((head,), table_spec(DIMENSION), make_golden_inputs(EMBEDDINGS), {"seed": 0})
    again = load_heads(saved(file, tmp_path)).heads[0]
    assert "Nystroem" in {type(part).__name__ for part in parts_of(again.estimator)}
    assert np.array_equal(head.raw(EMBEDDINGS), again.raw(EMBEDDINGS))


@pytest.mark.parametrize("n_classes", [2, 4])
def test_another_class_list_is_refused(tmp_path, plain_file, n_classes):
    def change(_, description):
        description["heads"][1]["target"]["classes"] = list("abcd")[:n_classes]
        description["heads"][1]["thresholds"] = [0.5] if n_classes == 2 else []

    with pytest.raises(HeadError, match=f"'race' must have {n_classes} outputs"):
        load_heads(rewritten(saved(plain_file, tmp_path), change))


def test_swapped_estimators_are_noticed_by_the_golden_vectors(tmp_path):
    def change(payload, _):
        payload["estimators"].reverse()

    names = ("gender", "age", "race")
    with pytest.raises(HeadError):
        load_heads(rewritten(saved(head_file(*names), tmp_path), change))


@pytest.mark.parametrize("name", ["gender", "age"])
def test_other_results_than_where_it_was_written_are_noticed(tmp_path, plain_file, name):
    position = {"gender": 0, "age": 2}[name]

    def change(payload, _):
        payload["golden_outputs"][position] = payload["golden_outputs"][position] * 1.01

    with pytest.raises(HeadError, match=f"'{name}' gives other results here .* scikit-learn"):
        load_heads(rewritten(saved(plain_file, tmp_path), change))


def test_support_vectors_of_the_wrong_number_are_refused_before_they_are_used(tmp_path):
    def change(payload, _):
        machine = payload["estimators"][0][-1].calibrated_classifiers_[0].estimator
        machine.support_vectors_ = machine.support_vectors_[:2]

    with pytest.raises(HeadError, match="must have the shape"):
        load_heads(rewritten(saved(head_file("gender", kind="svm"), tmp_path), change))


@pytest.mark.parametrize("missing", ["heads", "table_spec", "training", "dimension", "embedder_digest"])
def test_a_description_without_a_part_is_damaged(tmp_path, plain_file, missing):
    def change(_, description):
        del description[missing]

    with pytest.raises(HeadError, match="damaged"):
        load_heads(rewritten(saved(plain_file, tmp_path), change))


def test_an_estimator_too_many_is_damaged(tmp_path, plain_file):
    def change(payload, _):
        payload["estimators"].append(payload["estimators"][0])

    with pytest.raises(HeadError, match="damaged"):
        load_heads(rewritten(saved(plain_file, tmp_path), change))


def test_golden_inputs_are_nobody(plain_file):
    distance = np.linalg.norm(plain_file.golden_inputs[:, None] - EMBEDDINGS[None], axis=2)
    assert distance.min() > 0.1
    assert plain_file.golden_inputs.dtype == np.float32
    assert plain_file.golden_inputs.mean() == pytest.approx(1, abs=1)


def test_the_typical_error_of_classes_is_undefined():
    assert math.isnan(Head(TARGETS["gender"], "mlp", None).typical_error)
