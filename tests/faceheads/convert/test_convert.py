"""Old pickles become heads with the same probabilities, and nothing in them is run."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from benchmarks.hostile_files import Canary
from faceheads.convert.cli import convert_file, convert_main
from faceheads.convert.records import PickleError, Record, read_records
from faceheads.headfile import HeadError
from faceheads.store import load_heads
from faceheads.table_io import write_table
from tests.faceheads.convert.old_pickles import python2_pickle, python3_pickle
from tests.tables import small_table

RNG = np.random.default_rng(0)
X = RNG.normal(0, 0.1, (60, 8))
NAMES = ["Male", "Asian", "5 o Clock Shadow"]


def trained(y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return MLPClassifier((10,), max_iter=20, random_state=0, learning_rate="adaptive", **options).fit(X, y)


ATTRIBUTES = trained((X[:, :3] > 0).astype(float))


def old_file(folder, data):
    (folder / "face_model.pkl").write_bytes(data)
    return folder / "face_model.pkl"


def stripped(network):
    """As Python 2 had it: without what this version of scikit-learn and numpy add."""
    left_out = ("_random_state", "_optimizer", "_sklearn_version", "n_features_in_", "classes_", "validation_scores_")
    values = {name: value for name, value in vars(network).items() if name not in left_out}
    old = MLPClassifier.__new__(MLPClassifier)
    vars(old).update({name: value for name, value in values.items() if not isinstance(value, np.floating)})
    return old


@pytest.mark.parametrize("made", ["python 2", 0, 2, 3, 5])
def test_the_networks_of_face_classification_give_the_same_probabilities(tmp_path, made):
    data = (
        python2_pickle([stripped(ATTRIBUTES), NAMES])
        if made == "python 2"
        else python3_pickle(ATTRIBUTES, NAMES, made)
    )
    path, new = old_file(tmp_path, data), tmp_path / "new.skops"
    write_table(tmp_path / "like.parquet", small_table())
    assert convert_main([str(path), str(new), "--like", str(tmp_path / "like.parquet")]) == 0
    file = load_heads(new)
    assert file.targets == tuple(NAMES)
    embeddings = X.astype(np.float32)
    found = np.stack([p.probabilities[:, 1] for p in file.predict(embeddings, small_table().spec)], axis=1)
    np.testing.assert_allclose(found, ATTRIBUTES.predict_proba(embeddings), atol=1e-12)


@pytest.mark.parametrize("classes", [["female", "male"], [0, 1, 2]])
def test_a_classifier_alone_keeps_its_classes_in_their_order(tmp_path, classes):
    y = np.array(classes)[(X[:, :1] > X[:, 1:3]).sum(axis=1) % len(classes)]
    network = trained(y)
    file = convert_file(old_file(tmp_path, python3_pickle(network, None, 4)), target_name="mood")
    (prediction,) = file.predict(X.astype(np.float32), None)
    assert (prediction.target, list(prediction.classes)) == ("mood", classes)
    np.testing.assert_allclose(prediction.probabilities, network.predict_proba(X.astype(np.float32)), atol=1e-12)


@pytest.mark.parametrize("protocol", range(6))
def test_what_a_pickle_wants_to_run_becomes_a_record(tmp_path, protocol):
    canary = tmp_path / "canary"
    data = pickle.dumps([Canary(canary), NAMES], protocol)
    record = read_records(data)[0]
    assert isinstance(record, Record)
    assert record.name in ("io.open", "__builtin__.open", "_io.open")
    with pytest.raises(HeadError, match=r"it holds a list, not scikit-learn's MLPClassifier"):
        convert_file(old_file(tmp_path, data))
    assert not canary.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'touch canary'\ntR.",
        b'cbuiltins\neval\n(S\'open("canary", "w")\'\ntR.',
        b"(S'touch canary'\nios\nsystem\n.",
        b"(cos\nsystem\nS'touch canary'\no.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0ctouch canary\x85R.",
        b"\x80\x02cos\nsystem\nU\x0ctouch canary\x85\x81.",
        b"ccopy_reg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nS'touch canary'\ntR.",
        b"c__builtin__\ngetattr\n(cos\nsystem\nS'__call__'\ntR(S'touch canary'\ntR.",
        b"cfaceheads.convert.cli\nconvert_main\n(lS'x'\natR.",
        b"P1\n.",
        b"\x82\x01.",
        b"\x80\x02]r\xff\xff\xff\x7f.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x0f.",
        b"(" * 1000,
        b"",
        b"PK\x03\x04",
    ],
)
def test_nothing_is_run_whatever_the_opcodes(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HeadError, match=r"face_model\.pkl cannot be converted"):
        convert_file(old_file(tmp_path, data))
    assert [path.name for path in tmp_path.iterdir()] == ["face_model.pkl"]


def with_changed(name, value):
    network = stripped(ATTRIBUTES)
    setattr(network, name, value)
    return python2_pickle([network, NAMES])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (with_changed("coefs_", [np.zeros((8, 10)), np.zeros((9, 3))]), "do not fit each other"),
        (with_changed("coefs_", [np.full((8, 10), np.nan), np.zeros((10, 3))]), "finite numbers"),
        (with_changed("coefs_", 3), "must be a list of arrays"),
        (with_changed("out_activation_", "identity"), "has the activations"),
        (python2_pickle([stripped(ATTRIBUTES), NAMES[:2]]), "3 outputs and 2 different names"),
        (python2_pickle([stripped(ATTRIBUTES), ["Male", "Male", "Bald"]]), "3 outputs and 2 different names"),
        (python2_pickle([stripped(ATTRIBUTES), [1, 2, 3]]), "must be the names"),
        (python2_pickle([stripped(ATTRIBUTES), NAMES]).replace(b"(I8\nI10\nt", b"(I8\nI11\nt"), "with 640 bytes"),
        (python2_pickle([stripped(ATTRIBUTES), NAMES]).replace(b"S'f8'", b"S'O8'"), "only numbers and text are read"),
        (pickle.dumps(LogisticRegression()), "it holds sklearn.linear_model._logistic.LogisticRegression"),
    ],
)
def test_what_does_not_fit_is_one_sentence(tmp_path, capsys, data, message):
    assert convert_main([str(old_file(tmp_path, data)), str(tmp_path / "new.skops")]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "new.skops").exists()


def test_embeddings_of_another_length_and_another_ending_are_refused(tmp_path, capsys):
    path = old_file(tmp_path, python2_pickle([stripped(ATTRIBUTES), NAMES]))
    write_table(tmp_path / "other.parquet", small_table(dimension=4))
    assert convert_main([str(path), str(tmp_path / "new.skops"), "--like", str(tmp_path / "other.parquet")]) == 2
    assert "takes embeddings of 8 numbers; those of --like have 4" in capsys.readouterr().err
    assert convert_main([str(path), str(tmp_path / "new.pkl")]) == 2
    assert "must end in .skops" in capsys.readouterr().err
    with pytest.raises(HeadError, match="no file"):
        convert_file(Path(tmp_path / "absent.pkl"))


def test_a_number_for_a_class_is_refused():
    with pytest.raises(PickleError, match="names a class by the number 1"):
        read_records(b"\x82\x01.")


def test_a_pickle_that_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr("faceheads.convert.records.MAX_BYTES", 10)
    with pytest.raises(PickleError, match="at most 10 are read"):
        read_records(bytes(11))
