import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceheads.datasets.labelfile import read_json_object, read_lines, read_rows, read_table, read_text


def test_a_table_is_read_as_text(write):
    table = read_table(write("t.csv", "a,b\n1, x y \n007,\n"))
    assert table.to_dict("list") == {"a": ["1", "007"], "b": ["x y", ""]}


def test_a_table_without_a_header_takes_the_names_it_is_given(write):
    table = read_table(write("t.txt", "a.jpg\t-1\t1\n"), "\t", ["image", "label", "gender"])
    assert table.to_dict("records") == [{"image": "a.jpg", "label": "-1", "gender": "1"}]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(write):
    table = read_table(write("t.csv", b"\xef\xbb\xbfpath,age\r\na.jpg,3\r\n\r\n"))
    assert table.to_dict("records") == [{"path": "a.jpg", "age": "3"}]


def test_a_comma_within_quotes_belongs_to_the_field(write):
    assert read_table(write("t.csv", 'age,gender\n"(25, 32)",f\n'))["age"].tolist() == ["(25, 32)"]


def test_a_quotation_mark_in_a_tab_separated_file_is_an_ordinary_character(write):
    assert list(read_rows(write("t.txt", '"a\tb\nc\td"\n'), "\t")) == [(1, ['"a', "b"]), (2, ["c", 'd"'])]


def test_a_byte_that_is_not_utf8_is_named_with_its_line(write):
    with pytest.raises(ValueError, match=r"t\.csv, line 3: byte 0xe9 is not UTF-8"):
        read_text(write("t.csv", b"a\nb\nR\xe9my\n"))


def test_a_nul_byte_is_named_with_its_line(write):
    with pytest.raises(ValueError, match=r"line 2: NUL byte"):
        read_text(write("t.csv", b"a\nb\0c\n"))


def test_a_file_over_the_limit_is_refused_before_it_is_decoded(write):
    with pytest.raises(ValueError, match="must have at most 3 bytes"):
        read_text(write("t.csv", b"\xff\xff\xff\xff"), max_bytes=3)


def test_a_row_of_another_length_is_named_with_its_line(write):
    with pytest.raises(ValueError, match=r"t\.csv, line 3: a row must have 2 fields; got 3"):
        read_table(write("t.csv", "a,b\n1,2\n1,2,3\n"))


def test_a_quote_that_never_ends_is_an_error(write):
    with pytest.raises(ValueError, match=r"t\.csv, line"):
        read_table(write("t.csv", 'a,b\n1,"2\n'))


def test_a_field_of_a_megabyte_is_an_error_and_not_a_crash(write):
    with pytest.raises(ValueError, match="field limit"):
        read_table(write("t.csv", "a,b\n1," + "x" * 2**20 + "\n"))


@pytest.mark.parametrize(("content", "message"), [("", "is empty"), ("a,b,a\n", r"repeated: \['a'\]")])
def test_a_header_must_name_columns_and_each_once(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_table(write("t.csv", content))


def test_lines_are_numbered_and_blank_ones_left_out(write):
    assert read_lines(write("t.txt", "a\n\n  b \r\n")) == [(1, "a"), (3, "b")]


def test_a_line_separator_of_unicode_does_not_end_a_line(write):
    assert read_lines(write("t.txt", "a\u2028b\x0cc\n")) == [(1, "a\u2028b\x0cc")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1]", "one JSON object; got list"),
        ("{", "not valid JSON"),
        ('{"a": 1, "a": 2}', "'a' occurs twice"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "not valid JSON"),
    ],
)
def test_json_that_is_no_label_file_is_an_error(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_json_object(write("t.json", content))


@given(content=st.binary(max_size=60))
def test_any_bytes_give_a_table_or_a_value_error(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("hostile") / "t.csv"
    file.write_bytes(content)
    for delimiter in (",", "\t", None):
        try:
            read_table(file, delimiter)
        except ValueError:
            continue
