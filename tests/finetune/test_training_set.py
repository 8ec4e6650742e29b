import numpy as np
import pytest

from faceheads.labels import LabelError
from finetune.training_set import SplitOptions, make_training_set
from tests.finetune.crops import write_crops


@pytest.fixture(scope="module")
def extraction(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set") / "crops"
    return folder, *write_crops(folder, n_people=20)


def test_no_person_is_in_two_parts_and_the_test_part_is_that_of_train_py(extraction):
    from faceheads.samples import group_samples, join_labels, split_samples

    folder, table, labels = extraction
    training = make_training_set(folder, table, labels, ["gender"], SplitOptions(validation_size=0.3))
    people = training.labels["identity"].to_numpy()
    assert not set(people[training.is_validation]) & set(people[~training.is_validation])
    samples = split_samples(group_samples(join_labels(table, labels)), "auto", 0.2, 0)
    assert set(training.labels.index) == set(samples.table.keys[samples.in_part("train")])
    assert training.n_test == samples.in_part("test").sum() > 0


def test_crops_and_labels_are_joined_by_key_whatever_their_order(extraction):
    folder, table, labels = extraction
    shuffled = labels.sample(frac=1, random_state=1)
    training = make_training_set(folder, table[np.arange(len(table))[::-1]], shuffled, ["age"], SplitOptions())
    red = training.crops.pixels[training.crop_row, 0, 0, 0]  # 20 times the person, plus the photo
    np.testing.assert_array_equal(red // 20, np.minimum(training.labels["age"] / 10, 12))


def test_rows_without_a_label_are_counted_and_left_out(extraction):
    folder, table, labels = extraction
    labels = labels.astype(object)
    labels.loc[labels["identity"] == "p3", "age"] = None
    whole = make_training_set(folder, table, labels, ["gender"], SplitOptions())
    training = make_training_set(folder, table, labels, ["age"], SplitOptions())
    assert training.n_unlabelled == len(whole) - len(training) == 3


def test_an_unknown_column_is_named(extraction):
    folder, table, labels = extraction
    with pytest.raises(LabelError, match=r"\['smile'\] are missing"):
        make_training_set(folder, table, labels, ["smile"], SplitOptions())
