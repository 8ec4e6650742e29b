"""Numbers that dlib serialized are read as they were written."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceheads.networks.dlib_reader import DlibReader
from tests.faceheads.networks import dlib_files as files


def reader_of(data):
    return DlibReader("memory", data, "Fetch it again.")


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_integers_are_read_as_written(value):
    reader = reader_of(files.integer(value))
    assert reader.integer("a number") == value
    assert reader.offset == len(reader.data)


@given(st.floats())
def test_floats_are_read_as_written(value):
    read = reader_of(files.real(value)).real("a number")
    assert read == value or math.isnan(read) and math.isnan(value)


@pytest.mark.parametrize("exponent", [-1200, -(2**31) - 1, -(2**63) + 1])
def test_a_float_too_small_for_a_double_is_zero(exponent):
    assert reader_of(files.integers(5, exponent)).real("a number") == 0


def test_a_float_too_large_for_a_double_is_refused():
    with pytest.raises(ValueError, match=r"a float \(a number\); got 5 · 2\^2000"):
        reader_of(files.integers(5, 2000)).real("a number")


@pytest.mark.parametrize("control", [0x00, 0x09, 0x11, 0x21, 0x41])
def test_a_control_byte_that_dlib_never_writes_is_refused(control):
    with pytest.raises(ValueError, match=f"an integer .*; got control byte {control:#04x}"):
        reader_of(bytes([control, *range(15)])).integer("a number")
