"""Reads what dlib's ``serialize`` writes: numbers, names and tensors, one after the other, without trusting the bytes.

Every length is compared with the bytes that are left before memory is touched; tensors are read-only views of them.

References
----------
dlib's ``serialize.h``, version 20.0.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

#: Longest name of a layer or label that is accepted, in bytes.
MAX_NAME_BYTES = 256
#: Exponents that stand for infinity, minus infinity and not-a-number in dlib's floats.
_SPECIAL_FLOATS = {32000: math.inf, 32001: -math.inf, 32002: math.nan}


class DlibReader:
    """A position in bytes that dlib serialized; every read is checked against what is left.

    Parameters
    ----------
    origin : str or Path
        Where the bytes come from, for error messages.
    data : bytes
    advice : str
        What to do about bytes that are wrong, a sentence or two.
    """

    def __init__(self, origin: str | Path, data: bytes, advice: str) -> None:
        self.origin = origin
        self.data = data
        self.advice = advice
        self.offset = 0

    def fail(self, offset: int, expected: str, got: object) -> ValueError:
        """The error to raise, naming the origin, the offset and what was expected there."""
        return ValueError(
            f"{self.origin}: byte {offset} of {len(self.data)} must be {expected}; got {got}. {self.advice}"
        )

    def take(self, n_bytes: int, what: str) -> memoryview:
        """The next ``n_bytes``, which must exist."""
        left = len(self.data) - self.offset
        if n_bytes > left:
            raise self.fail(self.offset, f"the start of {what} ({n_bytes} bytes)", f"only {left} bytes more")
        self.offset += n_bytes
        return memoryview(self.data)[self.offset - n_bytes : self.offset]

    def integer(self, what: str, low: int = -(1 << 63), high: int = (1 << 63) - 1) -> int:
        """An integer in [low, high]: control byte (sign in bit 7, number of bytes below), then the magnitude."""
        start = self.offset
        control = self.take(1, what)[0]
        n_bytes = control & 0x0F
        if control & 0x70 or not 1 <= n_bytes <= 8:
            raise self.fail(start, f"an integer ({what})", f"control byte {control:#04x}")
        magnitude = int.from_bytes(self.take(n_bytes, what), "little")
        value = -magnitude if control & 0x80 else magnitude
        if not low <= value <= high:
            raise self.fail(start, f"{what} in [{low}, {high}]", value)
        return value

    def pair(self, what: str, low: int = 0, high: int = 1 << 20) -> tuple[int, int]:
        """Two integers, vertical first."""
        return self.integer(what, low, high), self.integer(what, low, high)

    def real(self, what: str) -> float:
        """A float: integer mantissa, then integer exponent of two."""
        start = self.offset
        mantissa, exponent = self.integer(what), self.integer(what)
        if exponent in _SPECIAL_FLOATS:
            return _SPECIAL_FLOATS[exponent]
        try:
            return math.ldexp(mantissa, exponent)
        except OverflowError:
            raise self.fail(start, f"a float ({what})", f"{mantissa} · 2^{exponent}") from None

    def finite(self, what: str) -> float:
        """A float that is neither infinite nor NaN."""
        start = self.offset
        value = self.real(what)
        if not math.isfinite(value):
            raise self.fail(start, f"a finite float ({what})", value)
        return value

    def boolean(self, what: str) -> bool:
        """An ASCII 0 or 1."""
        start = self.offset
        byte = self.take(1, what)[0]
        if byte not in b"01":
            raise self.fail(start, f"'0' or '1' ({what})", f"{byte:#04x}")
        return byte == ord("1")

    def name(self, what: str) -> str:
        """A string: its length, then ASCII bytes."""
        n_bytes = self.integer(f"the length of {what}", 0, MAX_NAME_BYTES)
        start = self.offset
        text = bytes(self.take(n_bytes, what))
        if not text.isascii():
            raise self.fail(start, what, repr(text[:32]))
        return text.decode("ascii")

    def tensor(self, what: str) -> np.ndarray:
        """A view of a float32 tensor, shape (samples, channels, rows, columns); its values must be finite."""
        self.integer(f"the tensor version of {what}", 2, 2)
        shape = tuple(self.integer(f"a dimension of {what}", 0) for _ in range(4))
        start = self.offset
        values = np.frombuffer(self.take(4 * math.prod(shape), what), "<f4").reshape(shape)
        if not np.isfinite(values).all():
            raise self.fail(start, f"{what}, all finite", "an infinite value or NaN")
        return values

    def alias(self, what: str) -> tuple[int, ...]:
        """The shape of a part of a tensor."""
        self.integer(f"the alias version of {what}", 1, 1)
        return tuple(self.integer(f"a dimension of {what}", 0) for _ in range(4))

    def split(self, params: np.ndarray, start: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
        """``params`` cut into consecutive arrays of these shapes, which must use it up."""
        sizes = [math.prod(shape) for shape in shapes]
        if sum(sizes) != params.size:
            raise self.fail(start, f"parameters of shapes {shapes}", f"{params.size} values")
        parts = np.split(params.reshape(-1), np.cumsum(sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes)]
