import pandas as pd
import pytest

from faceheads.datasets import Problem, open_dataset
from faceheads.datasets.pairs import PAIR_COLUMNS, check_pairs, kryptonite_test_pairs, read_pairs


def rows_of(pairs):
    return pairs[["probe", "reference", "is_mated"]].values.tolist()


def test_pairs_of_view_1_have_no_folds(write):
    pairs = read_pairs(write("pairsDevTest.txt", "1\nAnn_Lee\t1\t12\nAnn_Lee\t1\tBob_Ray\t2\n"))
    assert tuple(pairs.columns) == PAIR_COLUMNS
    assert rows_of(pairs) == [
        ["Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0012.jpg", True],
        ["Ann_Lee/Ann_Lee_0001.jpg", "Bob_Ray/Bob_Ray_0002.jpg", False],
    ]
    assert pairs["fold"].isna().all() and pairs["kind"].isna().all()
    assert pairs["is_mated"].dtype == bool


def test_pairs_of_view_2_have_the_fold_of_their_block(write):
    fold = "A\t1\t2\nA\t1\tB\t1\n"
    pairs = read_pairs(write("pairs.txt", f"2\t1\n{fold}{fold}"), suffix=".png")
    assert pairs["fold"].tolist() == [0, 0, 1, 1]
    assert pairs["is_mated"].tolist() == [True, False, True, False]
    assert pairs["probe"].unique().tolist() == ["A/A_0001.png"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: must be the number of pairs"),
        ("x\n", "line 1: must be the number of pairs"),
        ("2\nA\t1\t2\nA\t1\tB\t1\n", "must have 4 pairs by its first line; it has 2"),
        ("1\nA\t1\tB\t1\nA\t1\t2\n", r"line 2: must be a mated pair"),
        ("1\nA\t1\t2\nA\t1\t3\n", r"line 3: must be a non-mated pair"),
        ("1\nA\t1\t2\nA\t1\n", r"line 3: a pair must have 3 or 4 fields"),
        ("1\nA\t1\tx\nA\t1\tB\t1\n", r"line 2: must name a person and an image; got 'A' and 'x'"),
        ("1\n../../etc\t1\t2\nA\t1\tB\t1\n", r"line 2: must name a person and an image"),
        ("1\n..\t1\t2\nA\t1\tB\t1\n", r"line 2: must name a person and an image"),
        ("1000000000000\t3\n", "line 1: must be the number of pairs"),
        ("999999999\t0\n", "line 1: must be the number of pairs"),
        ("1\t1\t1\n", "line 1: must be the number of pairs"),
    ],
)
def test_malformed_pairs_of_lfw_are_errors_with_their_line(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_pairs(write("pairs.txt", content))


def test_declared_counts_that_are_huge_cost_nothing(write):
    with pytest.raises(ValueError, match="it has 0"):
        read_pairs(write("pairs.txt", "999999999\t999999999\n"))


def test_a_pair_with_a_deepfake_is_of_that_kind(write):
    pairs = read_pairs(
        write(
            "pairs.csv",
            "pathA,pathB,label,deepfake_a,deepfake_b\na/0.jpg,a/1.jpg,1,0,0\na/0.jpg,a/2.jpg,0,0,1\na/0.jpg,b/0.jpg,0,0,0\n",
        )
    )
    assert pairs["kind"].tolist() == ["real", "fake", "real"]
    assert pairs["is_mated"].tolist() == [True, False, False]


def test_a_mated_pair_with_a_deepfake_is_an_error(write):
    with pytest.raises(ValueError, match="pair 1: a pair with a deepfake must not be mated"):
        read_pairs(write("pairs.csv", "pathA,pathB,label,deepfake_a,deepfake_b\na/0.jpg,a/1.jpg,1,1,0\n"))


@pytest.mark.parametrize("header", ["file_x,file_y,Decision", "file_x,file_y,decision"])
def test_deepface_decisions_are_yes_and_no(write, header):
    pairs = read_pairs(write("master.csv", f"{header}\nimg1.jpg,img2.jpg,Yes\nimg1.jpg,img3.jpg,No\n"))
    assert rows_of(pairs) == [["img1.jpg", "img2.jpg", True], ["img1.jpg", "img3.jpg", False]]


def test_the_own_form_survives_being_written(write, tmp_path):
    first = read_pairs(
        write(
            "own.csv", "probe,reference,is_mated,fold,kind\na\\1.jpg,b.jpg,True,0,real\na/1.jpg,c.jpg,0,3,distorted\n"
        )
    )
    assert rows_of(first) == [["a/1.jpg", "b.jpg", True], ["a/1.jpg", "c.jpg", False]]
    first.to_csv(tmp_path / "again.csv", index=False)
    pd.testing.assert_frame_equal(read_pairs(tmp_path / "again.csv"), first)


def test_fold_and_kind_may_be_left_out(write):
    pairs = read_pairs(write("own.csv", "probe,reference,is_mated\na.jpg,b.jpg,yes\n"))
    assert pairs[["fold", "kind"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "must have the columns of a known form"),
        ("probe,reference,is_mated\na,b,maybe\n", "pair 1: is_mated must be yes or no.*got 'maybe'"),
        ("probe,reference,is_mated,fold\na,b,1,x\n", "a fold must be a whole number or empty; got 'x'"),
    ],
)
def test_malformed_tables_of_pairs_are_errors(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_pairs(write("pairs.csv", content))


def test_pairs_are_checked_against_the_images_and_against_each_other(write):
    pairs = read_pairs(write("own.csv", "probe,reference,is_mated\na,b,1\nb,a,0\nc,c,1\na,d,0\na,d,0\n"))
    assert check_pairs(pairs, ["a", "b", "c"]) == (
        Problem("d", "named in a pair, but there is no such image"),
        Problem("a", "paired 2 times with b, with different ground truth"),
        Problem("c", "paired with itself"),
        Problem("a", "paired 2 times with d, with the same ground truth"),
    )


def test_test_pairs_of_kryptonite_are_the_images_0_and_1_of_each_folder(make_tree, write):
    images = [f"test_public/images/{pair:08d}/{image}.jpg" for pair in (3, 12) for image in (1, 0)]
    root = make_tree("train/images/0/0.jpg", *images)
    write("train/meta.json", '{"0/0.jpg": 0}')
    pairs = kryptonite_test_pairs(open_dataset(root))
    assert pairs.index.tolist() == ["00000003", "00000012"]
    assert pairs.loc["00000003"].tolist() == ["test_public/images/00000003/0.jpg", "test_public/images/00000003/1.jpg"]
    (root / images[0]).unlink()
    with pytest.raises(ValueError, match="'00000003' must have the images 0 and 1"):
        kryptonite_test_pairs(open_dataset(root))


@pytest.mark.parametrize(("name", "count"), [("pairsDevTrain.txt", 2_200), ("pairsDevTest.txt", 1_000)])
def test_the_shared_pairs_of_lfw_are_complete_and_balanced(data_dir, name, count):
    pairs = read_pairs(data_dir / "lfw" / name)
    assert (len(pairs), int(pairs["is_mated"].sum())) == (count, count // 2)
    assert check_pairs(pairs, open_dataset(data_dir / "lfw").images) == ()
    same_person = pairs["probe"].str.split("/").str[0] == pairs["reference"].str.split("/").str[0]
    assert (same_person == pairs["is_mated"]).all()


def test_no_person_of_devtrain_is_in_devtest(data_dir):
    persons = []
    for name in ("pairsDevTrain.txt", "pairsDevTest.txt"):
        pairs = read_pairs(data_dir / "lfw" / name)
        persons.append({path.split("/")[0] for path in [*pairs["probe"], *pairs["reference"]]})
    assert persons[0].isdisjoint(persons[1])


def test_the_shared_pairs_of_celebrities_are_read(data_dir):
    pairs = read_pairs(data_dir / "celebrity_pairs" / "master.csv")
    assert (len(pairs), int(pairs["is_mated"].sum())) == (300, 38)  # cut -d, -f3 master.csv | sort | uniq -c
    images = open_dataset(data_dir / "celebrity_pairs").images
    assert [problem for problem in check_pairs(pairs, images) if "no such image" in problem.what] == []
