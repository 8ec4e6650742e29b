import numpy as np
import pytest

from faceheads.datasets import open_dataset

h5py = pytest.importorskip("h5py")

PEOPLE = ("Ann_Lee/Ann_Lee_0001.jpg", "Bob_Ray/Bob_Ray_0001.jpg", "Bob_Ray/Bob_Ray_0002.jpg")
LABEL = np.array(
    [[0, 1, 1], [1, 0, 1]], dtype=float
)  # attributes × images, as HDF5 shows MATLAB's images × attributes


def write_mat(file, names=PEOPLE, attributes=("Male", "5 o Clock Shadow"), label=LABEL):
    """Write what MATLAB's save -v7.3 writes: cells of texts are references to arrays of UTF-16 codes."""
    with h5py.File(file, "w", userblock_size=512) as mat:

        def cells(variable, texts):
            references = np.empty((1, len(texts)), dtype=h5py.ref_dtype)
            for column, text in enumerate(texts):
                codes = np.frombuffer(text.encode("utf-16-le"), dtype=np.uint16)[:, None]
                references[0, column] = mat.create_dataset(f"#refs#/{variable}{column}", data=codes).ref
            mat.create_dataset(variable, data=references, dtype=h5py.ref_dtype)

        cells("AttrName", attributes)
        cells("name", [name.replace("/", "\\") for name in names])
        mat.create_dataset("label", data=label)
    with open(file, "r+b") as mat:
        mat.write(b"MATLAB 7.3 MAT-file")


@pytest.fixture
def tree(make_tree):
    return make_tree(*(f"lfw/{path}" for path in PEOPLE))


@pytest.mark.parametrize("name", ["lfw_att_73.mat", "lfw_att_40.mat"])
@pytest.mark.parametrize("is_transposed", [False, True])
def test_attributes_of_a_matlab_file_are_joined_by_path(tree, name, is_transposed):
    order = [2, 0, 1]
    label = LABEL[:, order]
    write_mat(tree / name, [PEOPLE[i] for i in order], label=label.T if is_transposed else label)
    dataset = open_dataset(tree)
    assert (dataset.name, dataset.images, dataset.problems) == ("lfwa", PEOPLE, ())
    assert list(dataset.labels.columns) == ["identity", "Male", "5 o Clock Shadow"]
    assert dataset.labels["Male"].tolist() == [0, 1, 1]
    assert dataset.labels["5 o Clock Shadow"].tolist() == [1, 0, 1]


def test_the_richest_table_is_taken_unless_another_is_named(tree, write):
    write_mat(tree / "lfw_att_73.mat")
    write_mat(tree / "lfw_att_40.mat", attributes=("Male", "Young"))
    assert "5 o Clock Shadow" in open_dataset(tree).labels
    assert "Young" in open_dataset(tree, "lfwa", attributes="lfw_att_40.mat").labels


def test_scores_above_zero_count_as_present(tree, write):
    write(
        "lfw_attributes.txt",
        "# lfw_attributes.txt - 73 attributes\n"
        "#\tperson\timagenum\tMale\tPale Skin\n"
        "Ann Lee\t1\t-1.56\t0.0\nBob Ray\t1\t0.12\t-2e-3\nBob Ray\t2\t3\t1e-3\n",
    )
    dataset = open_dataset(tree)
    assert (dataset.name, dataset.problems) == ("lfwa", ())
    assert dataset.labels["Male"].tolist() == [0, 1, 1]
    assert dataset.labels["Pale Skin"].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Ann Lee\t1\tx\t0", r"line 2: a score must be a number; got 'x'"),
        ("Ann Lee\t1\t1", r"line 2: a row must have 4 fields; got 3"),
        ("Ann Lee\tone\t1\t1", r"line 2: the number of an image must be a whole number; got 'one'"),
        ("Ann Lee\t1\tinf\t0", r"line 2: a score must be a number; got 'inf'"),
    ],
)
def test_a_malformed_row_of_scores_is_named_with_its_line(tree, write, row, message):
    write("lfw_attributes.txt", f"#\tperson\timagenum\tMale\tPale Skin\n{row}\n")
    with pytest.raises(ValueError, match=message):
        open_dataset(tree)


def test_an_attribute_list_that_is_no_table_of_scores_is_an_error(tree, write):
    write("lfw_attributes.txt", "Asian - Identity_Related\nWhite - Identity_Related\n")
    with pytest.raises(ValueError, match="must begin with a line that names the columns"):
        open_dataset(tree)


def test_a_file_of_an_older_matlab_is_an_error_that_says_what_to_do(tree, write):
    write("lfw_att_73.mat", b"MATLAB 5.0 MAT-file" + bytes(500))
    with pytest.raises(ValueError, match=r"must be a MATLAB 7\.3 \(HDF5\) file"):
        open_dataset(tree)


def test_a_damaged_file_is_a_value_error(tree):
    write_mat(tree / "lfw_att_73.mat")
    content = (tree / "lfw_att_73.mat").read_bytes()
    (tree / "lfw_att_73.mat").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="is damaged"):
        open_dataset(tree)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": np.zeros((3, 3))}, "must hold numbers for 3 images and 2 attributes"),
        ({"label": np.full((2, 3), np.nan)}, "finite"),
        ({"names": ("x" * 2_000,) * 3}, "at most 1000 characters"),
        ({"attributes": ("Male", "Male")}, r"repeated: \['Male'\]"),
    ],
)
def test_contents_that_contradict_each_other_are_an_error(tree, changes, message):
    write_mat(tree / "lfw_att_73.mat", **changes)
    with pytest.raises(ValueError, match=message):
        open_dataset(tree)


def test_a_missing_variable_is_an_error_that_lists_what_there_is(tree):
    write_mat(tree / "lfw_att_73.mat")
    with h5py.File(tree / "lfw_att_73.mat", "r+") as mat:
        del mat["name"]
    with pytest.raises(ValueError, match=r"must hold the variable 'name'; it holds \['#refs#', 'AttrName', 'label'\]"):
        open_dataset(tree)


def test_numbers_from_another_file_are_refused(tree, write):
    write_mat(tree / "lfw_att_73.mat")
    secret = write("secret.bin", bytes(48))
    with h5py.File(tree / "lfw_att_73.mat", "r+") as mat:
        del mat["label"]
        mat.create_dataset("label", shape=(2, 3), dtype=float, external=[(str(secret), 0, 48)])
    with pytest.raises(ValueError, match="stored in the file itself"):
        open_dataset(tree)


def test_a_link_to_another_file_is_refused(tree):
    write_mat(tree / "lfw_att_73.mat")
    with h5py.File(tree / "lfw_att_73.mat", "r+") as mat:
        mat.move("label", "elsewhere")
        mat["label"] = h5py.ExternalLink("other.mat", "/label")
    with pytest.raises(ValueError, match="must hold the variable 'label'"):
        open_dataset(tree)


def test_numbers_where_texts_belong_are_refused(tree):
    write_mat(tree / "lfw_att_73.mat")
    with h5py.File(tree / "lfw_att_73.mat", "r+") as mat:
        del mat["AttrName"]
        mat.create_dataset("AttrName", data=np.zeros(2))
    with pytest.raises(ValueError, match="must be a cell array"):
        open_dataset(tree)
