"""Training: honest parts, honest numbers, the same in every run."""

import dataclasses
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as reference
from sklearn.exceptions import ConvergenceWarning

from faceheads import head_training, heads, training
from faceheads.labels import LabelError
from faceheads.splits import check_disjoint
from faceheads.table import FaceRow, FaceTable, Status
from faceheads.training import TrainingOptions, train_heads
from tests.faceheads.people import DIMENSION, people_table
from tests.tables import face_row, table_spec

FAST = {"head": "logistic", "n_resamples": 50}


@pytest.fixture(scope="module", autouse=True)
def _fast_networks():
    """Small and few networks, which may stop before they have converged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "N_NETWORKS", 2)
        patch.setattr(heads, "MLP_MAX_EPOCHS", 60)
        yield


def trained(table, labels, **options):
    return train_heads(table, labels, TrainingOptions(**{**FAST, **options}))


@pytest.fixture(scope="module")
def people():
    return people_table()


@pytest.fixture(scope="module")
def result(people):
    return trained(*people)


def test_every_column_gets_a_head_for_its_kind(result):
    found = {head.target.name: (head.target.task, head.kind) for head in result.file.heads}
    assert found == {
        "gender": ("classification", "logistic"),
        "age": ("regression", "ridge"),
        "glasses": ("classification", "logistic"),
        "mood": ("classification", "logistic"),
    }


def test_what_can_be_learned_is_learned(result):
    reports = {head.target.name: head.report for head in result.file.heads}
    assert reports["gender"].metrics["accuracy"].value > 0.9
    assert reports["gender"].baseline["balanced_accuracy"].value == 0.5
    assert reports["mood"].metrics["macro_f1"].value > 0.8
    assert reports["age"].metrics["mae"].value < 8 < reports["age"].baseline["mae"].value


def test_no_person_is_on_both_sides(result):
    check_disjoint(result.samples.groups, result.samples.parts)
    persons = result.samples.labels["identity"]
    assert not set(persons[result.samples.in_part("train")]) & set(persons[result.samples.in_part("test")])


def test_the_metrics_are_those_of_the_test_part_with_faces_that_were_not_found():
    table, labels = people_table(n_without_face=41)
    labels["age"] = labels["age"] ** 2 / 50  # skewed, so that median and mean are far apart
    result = trained(table, labels, targets=("gender", "age"))
    samples = result.samples
    test, train = samples.in_part("test"), samples.in_part("train") & samples.table.has_embedding
    has_face = samples.table.has_embedding[test]
    assert 0 < (~has_face).sum() < test.sum()
    embeddings = samples.table.embedding[test][has_face]
    gender, age = result.file.predict(embeddings, result.file.table_spec)

    truth = samples.labels["gender"].to_numpy()[test]
    said = np.full(len(truth), samples.labels["gender"][train].mode()[0], object)
    said[has_face] = gender.value
    report = result.file.heads[0].report
    assert report.metrics["accuracy"].value == pytest.approx((said == truth).mean())
    assert (report.n_train, report.n_test) == (train.sum(), test.sum())
    assert report.n_test_without_face == (~has_face).sum()

    years = np.full(len(truth), np.median(samples.labels["age"][train].astype(float)))
    years[has_face] = age.value
    expected = reference.mean_absolute_error(samples.labels["age"][test].astype(float), years)
    assert result.file.heads[1].report.metrics["mae"].value == pytest.approx(expected)


def test_the_test_part_has_no_influence_on_the_heads(people, result):
    table, labels = people
    is_test = pd.Series(result.samples.in_part("test"), index=result.samples.table.keys)
    embedding = table.embedding.copy()
    embedding[is_test[list(table.keys)].to_numpy() & table.has_embedding] = 1e3
    spoiled = trained(dataclasses.replace(table, embedding=embedding), labels)
    assert list(spoiled.samples.parts) == list(result.samples.parts)
    inputs = result.file.golden_inputs
    assert np.array_equal(spoiled.file.golden_inputs, inputs)
    for before, after in zip(result.file.heads, spoiled.file.heads, strict=True):
        assert np.array_equal(before.raw(inputs), after.raw(inputs))
    assert spoiled.file.training["data_sha256"] == result.file.training["data_sha256"]


def test_the_order_of_rows_and_labels_does_not_matter(people):
    table, labels = people
    options = {"targets": ("gender",), "head": "mlp"}
    first = trained(table, labels, **options)
    order = np.random.default_rng(5).permutation(len(table))
    second = trained(table[order], labels.sample(frac=1, random_state=2), **options)
    inputs = first.file.golden_inputs
    assert np.array_equal(first.file.heads[0].raw(inputs), second.file.heads[0].raw(inputs))
    assert first.file.heads[0].report == second.file.heads[0].report
    assert first.file.training == second.file.training


def test_rows_without_a_value_are_left_out_of_their_head_only(people):
    table, labels = people
    labels = labels.copy()
    labels.loc[labels.index[:30], "age"] = np.nan
    result = trained(table, labels, targets=("gender", "age"))
    assert "age: 30 rows have no value and were left out" in result.remarks
    gender, age = (head.report for head in result.file.heads)
    assert gender.n_train + gender.n_test > age.n_train + age.n_test


def test_equal_images_with_different_labels_are_in_neither_part(people):
    table, labels = people
    sha256 = table.sha256.copy()
    sha256[1] = sha256[0]
    labels = labels.copy()
    labels.loc[table.path[:2], "age"] = [20.0, 60.0]
    result = trained(dataclasses.replace(table, sha256=sha256), labels, targets=("age",))
    assert any("2 copies of equal images" in remark for remark in result.remarks)
    assert not set(table.path[:2]) & set(result.samples.table.path)


@pytest.mark.parametrize("kind", ["mlp", "logistic"])
def test_a_table_of_attributes_trains_in_one_go(people, kind):
    table, labels = people
    attributes = pd.DataFrame(
        {
            "Male": (labels["gender"] == "male") * 1.0,
            "Eyeglasses": labels["glasses"] * 1.0,
            "identity": labels["identity"],
        }
    )
    result = trained(table, attributes, head=kind)
    (head,) = result.file.heads
    assert head.target.columns == ("Male", "Eyeglasses")
    assert set(head.report.attributes) == {"Male", "Eyeglasses"}
    expected = np.mean([m["accuracy"].value for m in head.report.attributes.values()])
    assert head.report.metrics["accuracy"].value == pytest.approx(expected)
    assert head.report.attributes["Male"]["accuracy"].value > 0.8
    assert [p.target for p in result.file.predict(table.usable.embedding, table.spec)] == ["Male", "Eyeglasses"]


def test_each_target_can_have_its_own_kind_and_task(people):
    result = trained(*people, targets=("age", "glasses"), heads={"age": "svr"}, tasks={"glasses": "regression"})
    assert [(h.target.task, h.kind) for h in result.file.heads] == [("regression", "svr"), ("regression", "ridge")]


def test_several_jobs_give_the_same_heads(people, result, monkeypatch):
    monkeypatch.setattr(training, "PARALLEL_ROWS", 0)
    with joblib.parallel_config(backend="threading"):  # processes take seconds to start
        parallel = trained(*people, jobs=2)
    inputs = result.file.golden_inputs
    for one, other in zip(result.file.heads, parallel.file.heads, strict=True):
        assert one.raw(inputs) == pytest.approx(other.raw(inputs))


def test_the_hash_of_the_data_changes_with_a_training_label_only(people, result):
    table, labels = people
    for part, is_same in (("train", False), ("test", True)):
        changed = labels.copy()
        key = result.samples.table.path[result.samples.in_part(part)][0]
        changed.loc[key, "age"] += 1
        again = trained(table, changed).file.training["data_sha256"]
        assert (again == result.file.training["data_sha256"]) == is_same, part


def test_residual_quantiles_surround_zero(result):
    (age,) = (head for head in result.file.heads if head.target.name == "age")
    quantiles = age.report.residual_quantiles
    assert list(quantiles) == ["0.05", "0.25", "0.5", "0.75", "0.95"]
    assert quantiles["0.05"] < 0 < quantiles["0.95"]


def test_a_rare_class_is_an_error_that_names_it(people):
    table, labels = people
    mood = labels["mood"].where(labels.index != table.path[0], "z")
    with pytest.raises(LabelError, match=r"Each class of 'mood' must have at least 5 training rows; got {'z': [01]}"):
        trained(table, labels.assign(mood=mood), targets=("mood",))


def test_a_target_without_test_rows_is_an_error(people, result):
    table, labels = people
    tested = result.samples.table.path[result.samples.in_part("test")]
    labels = labels.copy()
    labels.loc[tested, "age"] = np.nan
    with pytest.raises(LabelError, match="'age' has no rows in the test part"):
        trained(table, labels, targets=("age",))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "forest"}, "got 'forest'"),
        ({"heads": {"age": "forest"}}, "got 'forest'"),
        ({"test_size": 1.5}, "between 0 and 1; got 1.5"),
        ({"seed": -1}, "seed must be between"),
    ],
)
def test_wrong_options_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        TrainingOptions(**options)


def test_a_head_for_an_unknown_target_is_an_error(people):
    with pytest.raises(LabelError, match=r"\['height'\], which is not among \['age'\]"):
        trained(*people, targets=("age",), heads={"height": "svr"})


def test_several_faces_of_an_image_stay_on_one_side():
    rng = np.random.default_rng(0)
    rows, labels = [], {}
    for i in range(80):
        sha = rng.bytes(32).hex()
        for face in range(2):
            gender = (i + face) % 2
            embedding = rng.normal(0, 0.5, DIMENSION) + 3 * gender
            rows.append(
                face_row(f"{i}.jpg", rng, DIMENSION, sha256=sha, face_index=face, n_faces=2, embedding=embedding)
            )
            labels[f"{i}.jpg" if face == 0 else f"{i}.jpg#2"] = gender
    rows.append(FaceRow("none.jpg", rng.bytes(32).hex(), Status.NO_FACE))
    labels["none.jpg"] = 1
    table = FaceTable.from_rows(rows, 5, table_spec(DIMENSION))
    result = trained(table, pd.DataFrame({"gender": labels}))
    parts = pd.Series(result.samples.parts, index=result.samples.table.path)
    assert (parts.groupby(level=0).nunique() == 1).all()
    assert result.file.heads[0].report.metrics["accuracy"].value > 0.9


def test_a_fit_that_does_not_converge_is_one_remark_and_other_warnings_pass(people, monkeypatch):
    fit = head_training.fit_head

    def fit_with_warnings(*arguments):
        fit(*arguments)
        for _ in range(3):
            warnings.warn("Maximum iterations (200) reached", ConvergenceWarning, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)

    monkeypatch.setattr(head_training, "fit_head", fit_with_warnings)
    with pytest.warns(UserWarning, match="something else") as caught:
        result = trained(*people, targets=("gender",), head="logistic")
    assert [str(warning.message) for warning in caught] == ["something else"]
    (remark,) = [remark for remark in result.remarks if "converged" in remark]
    assert remark == "gender: logistic reached its limit of steps before it had converged; few rows do that"
