"""What is in a pickle, without running it: plain values, numbers in arrays, and records of everything else.

A pickle is a small program that may name any function of any module and call it. Here no module is imported for it and
nothing that it names is called: whatever it names becomes a :class:`Record` of that name, with the arguments and the state
that the real object would have got. Only what numpy's arrays need is interpreted, by functions of this module. Memory stays
within a multiple of the file's size.

Pickles of Python 2 are read as Latin-1, which keeps every byte.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from collections.abc import Sequence

import numpy as np

#: Largest pickle that is read.
MAX_BYTES = 256 * 1024**2
#: Kinds of elements that are read: truth values, whole numbers, fractions, and text.
_ELEMENT = re.compile(r"[biufSU][0-9]{1,4}", re.ASCII)
_MAX_DIMENSIONS = 8
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)


class PickleError(ValueError):
    """A pickle cannot be read as data; the message says why."""


class Record:
    """An object that a pickle describes and that was not made.

    Attributes
    ----------
    name : str
        What the pickle calls its type or function, such as ``"sklearn.svm.classes.SVC"``.
    arguments : tuple
        What it would have been called with.
    state : object
        What would have been put into it: attributes by name, mostly; None if nothing.
    """

    name = ""
    arguments: tuple = ()
    state: object = None

    def __init__(self, *arguments: object, **named: object) -> None:
        self.arguments = (*arguments, named) if named else arguments

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __repr__(self) -> str:
        return f"<{self.name}>"


def read_records(data: bytes) -> object:
    """The value in a pickle of any protocol, objects as records.

    Raises
    ------
    PickleError
        If it is too large, damaged, or holds an array that is not what it says.
    """
    if len(data) > MAX_BYTES:
        raise PickleError(f"it has {len(data):,} bytes; at most {MAX_BYTES:,} are read.")
    try:
        return _RecordReader(io.BytesIO(data), encoding="latin1").load()
    except PickleError:
        raise
    except _DAMAGED as error:
        raise PickleError(f"it is damaged or no pickle ({type(error).__name__}: {error}).") from error


class _RecordReader(pickle._Unpickler):
    """Python's own reader in Python: unlike the compiled one it takes no memory for what a file only numbers."""

    def find_class(self, module: str, name: str) -> object:
        """A stand-in for what the pickle names; nothing is imported."""
        known = _INTERPRETED.get(f"{module}.{name}".replace("numpy._core.", "numpy.core."))
        return type("Record", (Record,), {"name": f"{module}.{name}"}) if known is None else known

    def get_extension(self, code: int) -> object:
        """Refuse numbers for classes: what they stand for is known to the process that wrote them only."""
        raise PickleError(f"it names a class by the number {code}.")


# ------------------------------------------------------------------------------------------------- arrays


class _DType(Record):
    """What an element is: kind and size, then byte order."""

    name = "numpy.dtype"

    def resolved(self) -> np.dtype:
        """The type of numbers or of text; PickleError for anything else."""
        text, order = self.arguments[0], "="
        if isinstance(self.state, tuple):
            order = self.state[1]
        if not isinstance(text, str) or _ELEMENT.fullmatch(text) is None or order not in ("<", ">", "|", "="):
            raise PickleError(f"it holds an array of {text!r}; only numbers and text are read.")
        return np.dtype(text).newbyteorder(order)


class Array(Record):
    """An array of numbers or text, or of objects, whose elements are then a list."""

    name = "numpy.ndarray"

    def values(self) -> np.ndarray | list:
        """The array, or the list of its elements.

        Raises
        ------
        PickleError
            If size, shape and type do not fit each other.
        """
        try:
            _, shape, dtype, is_fortran, raw = self.state
            return raw if isinstance(raw, list) else _numbers(raw, dtype, shape, "F" if is_fortran else "C")
        except PickleError:
            raise
        except _DAMAGED as error:
            raise PickleError(f"it holds a damaged array ({type(error).__name__}: {error}).") from error


def _numbers(raw: object, dtype: _DType, shape: Sequence[int], order: str) -> np.ndarray:
    kind, content = dtype.resolved(), _bytes(raw)
    if len(shape) > _MAX_DIMENSIONS or any(not isinstance(n, int) or n < 0 for n in shape):
        raise PickleError(f"it holds an array of the shape {tuple(shape)}.")
    if math.prod(shape) * kind.itemsize != len(content):
        raise PickleError(f"it holds an array of the shape {tuple(shape)} with {len(content):,} bytes.")
    array = np.frombuffer(content, kind).reshape(shape, order=order)
    return array.astype(str) if kind.kind == "S" else array.astype(kind.newbyteorder("="))


def _bytes(raw: object) -> bytes:
    """Bytes as they are, or as the text that a pickle of Python 2 has for them."""
    return raw.encode("latin1") if isinstance(raw, str) else bytes(memoryview(raw))


def _new_array(kind: type, shape: tuple, typecode: object) -> Array:
    return Array()


def _array_of_buffer(buffer: object, dtype: _DType, shape: tuple, order: str) -> Array:
    array = Array()
    array.state = (1, shape, dtype, order == "F", buffer)
    return array


def _scalar(dtype: _DType, raw: object) -> object:
    return _numbers(raw, dtype, (), "C")[()]


def _encoded(text: str, encoding: str) -> bytes:
    """Bytes, as protocols before 3 write them."""
    if encoding != "latin1":
        raise PickleError(f"it holds bytes as text in {encoding!r}.")
    return text.encode("latin1")


def _old_object(kind: type, base: type, state: object) -> Record:
    """An object as protocols 0 and 1 write them."""
    return kind()


_INTERPRETED = {
    "_codecs.encode": _encoded,
    "copy_reg._reconstructor": _old_object,
    "copyreg._reconstructor": _old_object,
    "numpy.dtype": _DType,
    "numpy.core.multiarray._reconstruct": _new_array,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _array_of_buffer,
}
