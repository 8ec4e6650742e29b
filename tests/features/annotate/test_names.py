"""No output file takes the place of another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.annotate.names import FACES_CSV, FACES_JSON, FACES_PARQUET, PHOTOS_CSV, plan_names

PATHS = st.lists(
    st.from_regex(r"\A([ab]/)?[abAB]{1,2}(~2)?(\.png)?\.(jpg|JPG|png|gif|csv)\Z"), unique=True, max_size=12
)


@given(PATHS, st.randoms())
def test_all_names_differ_whatever_the_capitals_and_the_order(paths, random):
    names = plan_names(paths)
    files = [FACES_CSV, FACES_JSON, FACES_PARQUET, PHOTOS_CSV]
    for n in names.values():
        files += {n.copy, n.picture} | {n.table}
    assert len({f.casefold() for f in files}) == len(files)
    shuffled = list(paths)
    random.shuffle(shuffled)
    assert plan_names(shuffled) == names


def test_names_and_folders_are_kept():
    names = plan_names(["a/b/team.jpg", "Team.JPEG", "x.png"])
    assert names["a/b/team.jpg"].picture == "a/b/team.jpg"
    assert names["a/b/team.jpg"].table == "a/b/team.csv"
    assert names["Team.JPEG"].picture == "Team.JPEG"


def test_photos_that_differ_in_the_extension_only_have_tables_with_the_whole_name():
    names = plan_names(["team.jpg", "team.png", "Other.jpg"])
    assert [names[p].table for p in ("team.jpg", "team.png", "Other.jpg")] == [
        "team.jpg.csv",
        "team.png.csv",
        "Other.csv",
    ]


def test_a_photo_named_like_a_table_of_all_photos_does_not_replace_it():
    names = plan_names(["faces.jpg", "photos.png", "sub/faces.jpg"])
    assert names["faces.jpg"].table == "faces.jpg.csv"
    assert names["photos.png"].table == "photos.png.csv"
    assert names["sub/faces.jpg"].table == "sub/faces.csv"


def test_formats_that_cannot_be_written_become_png():
    name = plan_names(["anim.gif", "anim.gif.png"])["anim.gif"]
    assert name.copy == "anim.gif"
    assert name.picture == "anim.gif~2.png" or name.picture == "anim.gif.png"
    assert plan_names(["phone.HEIC"])["phone.HEIC"].picture == "phone.HEIC.png"


@pytest.mark.parametrize("path", ["/etc/a.jpg", "../a.jpg", "a/../../b.jpg", ""])
def test_paths_that_lead_out_of_the_folder_are_refused(path):
    with pytest.raises(ValueError, match="relative"):
        plan_names([path])


def test_a_path_given_twice_is_refused():
    with pytest.raises(ValueError, match="once"):
        plan_names(["a.jpg", "a.jpg"])
