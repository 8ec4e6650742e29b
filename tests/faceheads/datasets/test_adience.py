from faceheads.datasets import Problem, open_dataset

HEADER = "user_id\toriginal_image\tface_id\tage\tgender\tx\ty\n"
ROWS = (
    "30601258@N03\t1039_o.jpg\t1\t(25, 32)\tf\t0\t414\n"
    "30601258@N03\t1042_o.jpg\t2\t35\tu\t301\t105\n"
    "30601258@N03\t1042_o.jpg\t3\tNone\tm\t301\t105\n"
)
FACES = tuple(
    f"faces/30601258@N03/coarse_tilt_aligned_face.{name}" for name in ("1.1039_o.jpg", "2.1042_o.jpg", "3.1042_o.jpg")
)


def test_labels_of_every_fold_are_read(make_tree, write):
    root = make_tree(*FACES)
    write("fold_0_data.txt", HEADER + ROWS.splitlines(keepends=True)[0])
    write("fold_3_data.txt", HEADER + "".join(ROWS.splitlines(keepends=True)[1:]))
    write("fold_frontal_0_data.txt", HEADER + ROWS)
    dataset = open_dataset(root)
    assert (dataset.name, dataset.images, dataset.problems) == ("adience", FACES, ())
    labels = dataset.labels
    assert labels["identity"].tolist() == ["1", "2", "3"]
    assert labels["album"].unique().tolist() == ["30601258@N03"]
    assert labels["age_band"].tolist()[:2] == ["25-32", "35"]
    assert labels["age_low"].tolist()[:2] == [25, 35]
    assert labels["age_high"].tolist()[:2] == [32, 35]
    assert labels.isna().loc[FACES[2], ["age_band", "age_low", "age_high"]].all()
    assert labels["gender"].isna().tolist() == [False, True, False]
    assert labels["fold"].tolist() == [0, 3, 3]


def test_aligned_faces_carry_the_same_labels(make_tree, write):
    aligned = "aligned/30601258@N03/landmark_aligned_face.1.1039_o.jpg"
    root = make_tree(FACES[0], aligned)
    write("fold_0_data.txt", HEADER + ROWS.splitlines(keepends=True)[0])
    assert open_dataset(root).labels["gender"].to_dict() == {aligned: "female", FACES[0]: "female"}


def test_values_and_files_that_do_not_fit_are_problems(make_tree, write):
    stray = "faces/30601258@N03/other.jpg"
    root = make_tree(FACES[0], stray)
    write("fold_0_data.txt", HEADER + ROWS.replace("(25, 32)", "__import__('os').system('true')"))
    assert open_dataset(root).problems == (
        Problem(
            "30601258@N03/1.1039_o.jpg", "age in fold_0_data.txt cannot be read: \"__import__('os').system('true')\""
        ),
        Problem("30601258@N03/2.1042_o.jpg", "labelled in the fold files, but there is no such file"),
        Problem("30601258@N03/3.1042_o.jpg", "labelled in the fold files, but there is no such file"),
        Problem(stray, "not labelled in the fold files"),
    )


def test_a_fold_without_rows_is_no_error(make_tree, write):
    root = make_tree(FACES[0])
    write("fold_0_data.txt", HEADER)
    assert open_dataset(root).problems == (Problem(FACES[0], "not labelled in the fold files"),)
