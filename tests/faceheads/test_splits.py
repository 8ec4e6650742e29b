import hashlib
import math
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from faceheads.splits import (
    check_disjoint,
    conflicting_duplicates,
    grouped_folds,
    grouped_split,
    load_split,
    make_groups,
    save_split,
    split_by_content,
)


def sha(text):
    return hashlib.sha256(str(text).encode()).hexdigest()


#: Few contents and few persons, so that they meet often; "" is an unknown person.
IMAGES = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from(["", "Ann", "Bob", "Cid", "Dan"])), min_size=1, max_size=20
)
SHAPES = st.lists(st.integers(0, 12), min_size=1, max_size=60)


def columns(images):
    return [sha(content) for content, _ in images], [person for _, person in images]


def linked_by_hand(images):
    """The groups as sets of rows, by merging sets that share a content or a person until none do."""
    sets = [{row} for row in range(len(images))]
    linked = True
    while linked:
        linked = False
        for one, other in combinations(sets, 2):
            if any(images[a][0] == images[b][0] or (images[a][1] == images[b][1] != "") for a in one for b in other):
                sets = [s for s in sets if s is not one and s is not other] + [one | other]
                linked = True
                break
    return {frozenset(s) for s in sets}


# ------------------------------------------------------------------------------------------- split by content


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=30))
def test_the_part_by_content_is_the_big_endian_remainder_by_five(digests):
    part = split_by_content([digest.hex() for digest in digests])
    assert [p == "test" for p in part] == [int.from_bytes(digest, "big") % 5 == 0 for digest in digests]


def test_upper_case_digests_are_the_same_content():
    assert split_by_content([sha(1).upper()]).tolist() == split_by_content([sha(1)]).tolist()


def test_identical_files_with_different_labels_are_in_neither_part():
    labels = pd.DataFrame({"age": [30, 31, 30, 30], "gender": ["male", "male", "female", None]})
    part = split_by_content([sha(1), sha(1), sha(2), sha(2)], labels)
    assert part[:2].tolist() == ["none", "none"]
    assert "none" not in part[2:]


@pytest.mark.parametrize("value", ["", "a" * 63, "g" * 64, None])
def test_a_malformed_digest_is_an_error(value):
    with pytest.raises(ValueError, match="64 hexadecimal characters"):
        split_by_content([value])


def test_labels_of_another_length_are_an_error():
    with pytest.raises(ValueError, match="labels must have one value per image, 2; got 1"):
        conflicting_duplicates([sha(1), sha(2)], pd.DataFrame({"age": [1]}))


@given(images=st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1.0, 2.0, math.nan])), max_size=12))
def test_twins_conflict_when_two_of_their_known_labels_differ(images):
    contents, labels = [content for content, _ in images], [label for _, label in images]
    expected = [
        any(
            contents[a] == contents[row] == contents[b] and labels[a] < labels[b]  # never true for a missing label
            for a in range(len(images))
            for b in range(len(images))
        )
        for row in range(len(images))
    ]
    frame = pd.DataFrame({"age": labels}, index=[f"{row}.jpg" for row in range(len(images))], dtype=float)
    assert conflicting_duplicates([sha(c) for c in contents], frame).tolist() == expected


# ------------------------------------------------------------------------------------------------------ groups


@given(images=IMAGES)
def test_groups_are_the_images_linked_by_content_or_person(images):
    groups = make_groups(*columns(images))
    found = {frozenset(np.flatnonzero(groups == group)) for group in groups}
    assert found == linked_by_hand(images)
    assert groups.dtype == np.int64 and (groups >= 0).all()


@given(images=IMAGES, data=st.data())
def test_groups_do_not_depend_on_the_order_of_rows(images, data):
    order = data.draw(st.permutations(range(len(images))))
    groups = make_groups(*columns(images))
    assert make_groups(*columns([images[row] for row in order])).tolist() == groups[order].tolist()


def test_a_person_keeps_the_group_whatever_else_is_in_the_table():
    alone = make_groups([sha(1)], ["Ann"])
    among = make_groups([sha(0), sha(7), sha(8)], ["Bob", "Ann", ""])
    assert alone[0] == among[1]


def test_without_identities_only_equal_bytes_belong_together():
    groups = make_groups([sha(1), sha(2), sha(1)])
    assert groups[0] == groups[2] != groups[1]


@pytest.mark.parametrize("missing", ["", None, math.nan, pd.NA])
def test_unknown_persons_are_not_one_person(missing):
    groups = make_groups([sha(1), sha(2)], [missing, missing])
    assert groups[0] != groups[1]


def test_a_person_named_like_a_digest_is_not_that_content():
    assert len(set(make_groups([sha(1), ""], ["", sha(1)]))) == 2


def test_unknown_bytes_are_grouped_by_the_person_and_are_an_error_without_one():
    assert len(set(make_groups(["", "", sha(1)], ["Ann", "Ann", "Ann"]))) == 1
    with pytest.raises(ValueError, match="1 of 2 have neither, the first in row 1"):
        make_groups([sha(1), ""], ["Ann", ""])


def test_identities_of_another_length_are_an_error():
    with pytest.raises(ValueError, match="identities must have one value per image, 1; got 2"):
        make_groups([sha(1)], ["Ann", "Bob"])


# ------------------------------------------------------------------------------------------------------ splits


def split_or_none(groups, *arguments):
    """The split, or None where a part would be empty."""
    try:
        return grouped_split(groups, *arguments)
    except ValueError as error:
        assert "both parts must hold at least one group" in str(error)
        return None


@given(
    groups=SHAPES, test_size=st.floats(0.05, 0.95), seed=st.integers(0, 5), is_stratified=st.booleans(), data=st.data()
)
def test_a_split_is_disjoint_in_groups_and_independent_of_the_order_of_rows(
    groups, test_size, seed, is_stratified, data
):
    classes = data.draw(st.lists(st.sampled_from("ab"), min_size=len(groups), max_size=len(groups)))
    order = data.draw(st.permutations(range(len(groups))))
    part = split_or_none(groups, test_size, seed, classes if is_stratified else None)
    reordered = [classes[row] for row in order] if is_stratified else None
    again = split_or_none([groups[row] for row in order], test_size, seed, reordered)
    assert (part is None) == (again is None)
    if part is not None:
        check_disjoint(groups, part)
        assert again.tolist() == part[list(order)].tolist()


@given(groups=SHAPES, more=SHAPES)
def test_a_group_stays_in_its_part_when_others_are_added(groups, more):
    part, larger = split_or_none(groups, 0.3, 0), split_or_none([*groups, *more], 0.3, 0)
    if part is not None and larger is not None:
        assert larger[: len(groups)].tolist() == part.tolist()


def test_a_group_may_be_a_number_or_the_same_number_as_text():
    groups = list(range(50))
    assert grouped_split(groups, 0.3, 0).tolist() == grouped_split([str(g) for g in groups], 0.3, 0).tolist()
    assert grouped_split(groups, 0.3, 0).tolist() == grouped_split(np.array(groups, dtype=np.int32), 0.3, 0).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_the_share_of_the_test_part_is_within_its_stated_sampling_error(seed):
    sizes = np.arange(2_000) % 7 + 1
    share, wished = np.mean(grouped_split(np.repeat(np.arange(2_000), sizes), 0.2, seed) == "test"), 0.2
    deviation = math.sqrt(wished * (1 - wished) * (sizes**2).sum()) / sizes.sum()
    assert abs(share - wished) < 4 * deviation


def test_the_sampling_errors_in_the_documentation_are_those_of_the_formula():
    assert math.sqrt(0.2 * 0.8 * 10_000) / 10_000 == pytest.approx(0.004)
    assert math.sqrt(0.2 * 0.8 * 100 * 7**2) / 700 == pytest.approx(0.04)


def test_seeds_give_unrelated_splits():
    parts = [grouped_split(range(4_000), 0.5, seed) for seed in (0, 1)]
    assert np.mean(parts[0] == parts[1]) == pytest.approx(0.5, abs=0.04)  # 5 standard deviations


def test_groups_that_follow_each_other_are_split_independently():
    is_test = grouped_split(range(4_000), 0.5, 0) == "test"
    assert np.mean(is_test[1:] == is_test[:-1]) == pytest.approx(0.5, abs=0.04)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=8, max_size=60), test_size=st.floats(0.2, 0.8), seed=st.integers(0, 3)
)
def test_a_stratified_share_is_met_within_half_of_the_largest_group_of_each_class(sizes, test_size, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    classes = np.where(groups % 2, "odd", "even")
    part = split_or_none(groups, test_size, seed, classes)
    if part is not None:
        for name in ("odd", "even"):
            of_class = part[classes == name]
            assert abs(np.sum(of_class == "test") - test_size * len(of_class)) <= 2.5 + 1e-9


def test_a_group_counts_as_the_class_of_most_of_its_images():
    groups = np.repeat(np.arange(40), 3)
    classes = np.array(["a", "a", "b"] * 20 + ["b", "b", "b"] * 20)
    part = grouped_split(groups, 0.25, 0, classes)
    assert [np.sum(part[:60] == "test"), np.sum(part[60:] == "test")] == [15, 15]


def test_stratifying_by_thousands_of_values_is_no_burden():
    groups = np.arange(20_000)
    assert set(grouped_split(groups, 0.5, 0, np.append(groups[:-2], [0, 0]))) == {"train", "test"}


@pytest.mark.parametrize("test_size", [0, 1, -0.2, math.nan])
def test_a_share_outside_of_zero_to_one_is_an_error(test_size):
    with pytest.raises(ValueError, match=r"a share in \(0, 1\)"):
        grouped_split([1, 2], test_size, 0)


@pytest.mark.parametrize("group", [None, 1.5, math.nan, True, ("a",)])
def test_a_group_that_is_no_name_is_an_error(group):
    with pytest.raises(ValueError, match="a group must be a whole number or a name"):
        grouped_split(["a", group], 0.5, 0)


def test_a_part_without_a_group_is_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match="with 1 groups, test_size=0.2 and seed=0 the test part is empty"):
        grouped_split(["Ann", "Ann"], 0.2, 0)


def test_no_groups_at_all_are_an_error():
    with pytest.raises(ValueError, match="must not be empty"):
        grouped_split([], 0.2, 0)


SCRIPT = """
from faceheads.splits import grouped_folds, grouped_split, make_groups
sha256 = [f"{row % 37:064x}" for row in range(200)]
persons = [f"person {row % 53}" if row % 3 else None for row in range(200)]
groups = make_groups(sha256[:150], persons[:150])
print(groups.tolist(), grouped_split(range(99), 0.3, 7).tolist(), grouped_split(range(99), 0.3, 7, ["a", "b", "c"] * 33).tolist())
print([test.tolist() for _, test in grouped_folds(range(99), 4, 7)])
"""


def test_another_process_gives_the_same_groups_splits_and_folds():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "12345")
    }
    assert len(outputs) == 1 and len(outputs.pop()) > 1_000


def test_the_hash_is_never_changed_by_accident():
    # python -c "import hashlib as h; print(h.blake2b(b'0:Ann', digest_size=8, key=b'group').hexdigest())" → halved
    assert make_groups([sha(1)], ["Ann"]).tolist() == [4_353_150_433_988_487_920]
    # … and of b'0' … b'9' with key=b'split:0', those below 0.5 × 2^64
    assert np.flatnonzero(grouped_split(range(10), 0.5, 0) == "test").tolist() == [0, 3, 7, 8, 9]


# ------------------------------------------------------------------------------------------------------- folds


@given(groups=SHAPES, seed=st.integers(0, 3), data=st.data())
def test_folds_are_disjoint_complete_balanced_and_independent_of_the_order_of_rows(groups, seed, data):
    n_groups = len(set(groups))
    if n_groups < 2:
        return
    n_splits = data.draw(st.integers(2, n_groups))
    folds = grouped_folds(groups, n_splits, seed)
    assert len(folds) == n_splits
    assert sorted(row for _, test in folds for row in test) == list(range(len(groups)))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(len(groups)))
        assert {groups[row] for row in train}.isdisjoint(groups[row] for row in test)
    sizes = [len(test) for _, test in folds]
    assert max(sizes) - min(sizes) <= max(groups.count(group) for group in groups)
    order = data.draw(st.permutations(range(len(groups))))
    again = grouped_folds([groups[row] for row in order], n_splits, seed)
    assert [{order[row] for row in test} for _, test in again] == [set(test) for _, test in folds]


def test_another_seed_gives_other_folds():
    first, second = (grouped_folds(range(100), 4, seed) for seed in (0, 1))
    assert first[0][1].tolist() != second[0][1].tolist()


def test_folds_scatter_groups_that_follow_each_other():
    fold = np.empty(4_000, dtype=int)
    for number, (_, test) in enumerate(grouped_folds(range(4_000), 2, 0)):
        fold[test] = number
    assert np.mean(fold[1:] == fold[:-1]) == pytest.approx(0.5, abs=0.04)


def test_folds_are_what_scikit_learn_takes():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 4)
    y = np.repeat(rng.integers(0, 2, 30), 4)
    X = y[:, None] + rng.normal(scale=0.1, size=(120, 2))
    assert cross_val_score(LogisticRegression(), X, y, cv=grouped_folds(groups, 5, 0)).min() == 1


@pytest.mark.parametrize("n_splits", [0, 1, 4])
def test_more_folds_than_groups_or_fewer_than_two_are_an_error(n_splits):
    with pytest.raises(ValueError, match=f"between 2 and the number of groups, 3; got {n_splits}"):
        grouped_folds(["a", "b", "c", "c"], n_splits, 0)


# ------------------------------------------------------------------------------------------------------- files


def test_a_split_survives_being_saved(tmp_path):
    groups = make_groups([sha(1), sha(2), sha(3)])
    save_split(
        tmp_path / "split.csv",
        ["b, c.jpg", "ä.jpg", "NA"],
        [sha(1), sha(2), sha(3)],
        groups,
        ["test", "train", "none"],
    )
    split = load_split(tmp_path / "split.csv")
    assert split.to_dict("list") == {
        "path": ["NA", "b, c.jpg", "ä.jpg"],
        "sha256": [sha(3), sha(1), sha(2)],
        "group": [str(groups[2]), str(groups[0]), str(groups[1])],
        "part": ["none", "test", "train"],
    }
    assert [file.name for file in tmp_path.iterdir()] == ["split.csv"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", 1, 1, "train"), ("b", 2, 1, "test")], r"no group may be in both parts; 1 are, for example \['1'\]"),
        ([("a", 1, 1, "train"), ("b", 1, 2, "test")], "no group may be in both parts"),
        ([("a", 1, 1, "train"), ("a", 2, 2, "test")], r"list each path once; repeated: \['a'\]"),
        ([("a", 1, 1, "dev")], r"must be train, test or none; got \['dev'\]"),
    ],
)
def test_a_split_that_leaks_or_is_malformed_is_neither_saved_nor_loaded(tmp_path, rows, message):
    paths, contents, groups, parts = zip(*rows)
    contents = [sha(content) for content in contents]
    with pytest.raises(ValueError, match=message):
        save_split(tmp_path / "split.csv", paths, contents, groups, parts)
    assert list(tmp_path.iterdir()) == []
    frame = pd.DataFrame({"path": paths, "sha256": contents, "group": groups, "part": parts})
    frame.to_csv(tmp_path / "split.csv", index=False)
    with pytest.raises(ValueError, match=message):
        load_split(tmp_path / "split.csv")


def test_a_file_that_is_no_split_is_an_error(tmp_path):
    (tmp_path / "split.csv").write_text("path,part\na,train\n")
    with pytest.raises(ValueError, match=r"must have the columns \['path', 'sha256', 'group', 'part'\]"):
        load_split(tmp_path / "split.csv")


def test_a_split_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    save_split(tmp_path / "split.csv", ["a"], [sha(1)], [1], ["train"])

    def fail(frame, file, **_):
        Path(file).write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(OSError, match="disk full"):
        save_split(tmp_path / "split.csv", ["b"], [sha(2)], [2], ["test"])
    assert load_split(tmp_path / "split.csv")["path"].tolist() == ["a"]
    assert [file.name for file in tmp_path.iterdir()] == ["split.csv"]


def test_columns_of_different_lengths_are_not_saved(tmp_path):
    with pytest.raises(ValueError, match="part must have one value per image, 1; got 2"):
        save_split(tmp_path / "split.csv", ["a"], [sha(1)], [1], ["train", "test"])
