"""What a label column is taken for, and what is said about it."""

import numpy as np
import pandas as pd
import pytest

from faceheads.labels import LabelError
from faceheads.targets import find_targets


def frame(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=[f"{i}.jpg" for i in range(n)])


def only(labels, *names, **options):
    targets, _ = find_targets(labels, names, **options)
    assert len(targets) == 1
    return targets[0]


def test_text_is_classes_in_alphabetical_order():
    target = only(frame(gender=["male", "female", "male"]), "gender")
    assert (target.task, target.classes, target.why) == ("classification", ("female", "male"), "its values are text")


def test_few_whole_numbers_are_codes_of_classes():
    target = only(frame(race=[0.0, 4, 2, 1, 3] * 3), "race")
    assert (target.task, target.classes) == ("classification", (0, 1, 2, 3, 4))
    assert "5 distinct whole numbers from 0 to 4" in target.why


def test_many_whole_numbers_are_a_number():
    assert only(frame(weight=range(40, 90)), "weight").task == "regression"


def test_an_age_is_years_however_few_there_are():
    target = only(frame(apparent_age=[20, 30, 40] * 3), "apparent_age")
    assert (target.task, target.unit) == ("regression", "years")
    assert "says age" in target.why


@pytest.mark.parametrize("name", ["image", "cage", "teenager"])
def test_a_name_that_contains_age_by_chance_is_not_an_age(name):
    assert only(frame(**{name: [1, 2, 3] * 3}), name).task == "classification"


def test_an_age_of_two_values_is_classes_unless_asked_otherwise():
    labels = frame(age=[0, 1] * 4)
    assert only(labels, "age").task == "classification"
    asked = only(labels, "age", task="regression")
    assert (asked.task, asked.why) == ("regression", "asked for")


def test_fractions_are_a_number():
    assert only(frame(occlusion=[0.1, 0.2, 0.1]), "occlusion").task == "regression"


def test_a_task_can_be_asked_for_one_of_several_targets():
    labels = frame(age=[20, 30, 40] * 3, race=[0, 1, 2] * 3)
    targets, _ = find_targets(labels, ["age", "race"], tasks={"age": "classification"})
    assert [t.task for t in targets] == ["classification", "classification"]


def test_without_names_every_column_is_a_target_but_identity_and_split():
    labels = frame(identity=["a"] * 9, split=["train"] * 9, age=[20, 30, 40] * 3, mood=["x", "y", "z"] * 3)
    labels = pd.concat([labels] * 4)
    assert [t.name for t in find_targets(labels)[0]] == ["age", "mood"]


def test_without_names_remarks_and_constants_are_left_out_and_said():
    labels = frame(age=np.arange(40) % 30, note=[f"text {i}" for i in range(40)], same=[1] * 40)
    targets, remarks = find_targets(labels)
    assert [t.name for t in targets] == ["age"]
    assert remarks == [
        "note: not a target, its 40 rows have 40 distinct texts",
        "same: not a target, it has 1 distinct value",
    ]


def test_a_table_of_0_and_1_is_one_multilabel_target_as_in_the_original():
    labels = frame(Male=[0.0, 1, 0, 1], Smiling=[1.0, 1, 0, 0], Bald=[0.0, 0, 0, 1])
    target = only(labels)
    assert (target.task, target.columns, target.classes) == ("multilabel", ("Male", "Smiling", "Bald"), (0, 1))
    assert target.encode(labels).tolist() == [[0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 0, 1]]


def test_columns_of_0_and_1_that_are_named_get_a_head_each():
    labels = frame(Male=[0, 1, 0, 1], Smiling=[1, 1, 0, 0])
    assert [t.task for t in find_targets(labels, ["Male", "Smiling"])[0]] == ["classification"] * 2
    assert only(labels, "Male", "Smiling", task="multilabel").task == "multilabel"


def test_plus_and_minus_one_are_attributes_too():
    target = only(frame(Male=[-1, 1, -1], Bald=[1, -1, -1]))
    assert target.classes == (-1, 1)


def test_truth_values_are_attributes():
    assert only(frame(a=[True, False], b=[False, True])).classes == (False, True)


def test_numbers_are_encoded_in_their_unit_and_classes_by_position():
    labels = frame(age=[20, 31.5], mood=["b", "a"])
    assert only(labels, "age").encode(labels).tolist() == [20.0, 31.5]
    assert only(labels, "mood").encode(labels).tolist() == [1, 0]


def test_an_unknown_class_is_refused_when_encoding():
    target = only(frame(mood=["a", "b"]), "mood")
    with pytest.raises(LabelError, match=r"must be one of \['a', 'b'\]; got 'c'"):
        target.encode(frame(mood=["a", "c"]))


@pytest.mark.parametrize(
    ("labels", "names", "options", "message"),
    [
        (frame(a=[0, 1]), ["b"], {}, r"no label column \['b'\]; the label file has \['a'\]"),
        (frame(a=[1, 1]), ["a"], {}, "at least two different values"),
        (frame(a=["x", "y"]), ["a"], {"task": "regression"}, "must be numbers for regression; got 'x'"),
        (frame(a=[0, np.inf]), ["a"], {"task": "regression"}, "finite numbers"),
        (frame(a=[0, 1]), ["a"], {"task": "ranking"}, "must be one of classification, regression, multilabel"),
        (frame(a=[0, 1]), ["a"], {"tasks": {"b": "regression"}}, "not among the targets"),
        (frame(a=[0, 1], b=[0, 2]), ["a", "b"], {"task": "multilabel"}, r"must be 0/1 \(or -1/1\); \['b'\] are not"),
        (frame(a=[0, 1], b=[-1, 1]), [], {}, "share two values"),
        (frame(a=[1, 1]), [], {}, "No label column can be predicted"),
        (frame(a=[str(i) for i in range(1200)]), ["a"], {}, "at most 1000 classes; got 1200"),
    ],
)
def test_what_cannot_be_learned_is_explained(labels, names, options, message):
    with pytest.raises(LabelError, match=message):
        find_targets(labels, names, **options)
