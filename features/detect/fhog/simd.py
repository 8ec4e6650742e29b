"""Explicit vectors for numba: a function that writes LLVM code, lane by lane, becomes a function of compiled code.

numba leaves vectorisation to LLVM's judgement. Where that is not good enough, :func:`emitted` turns a Python function
that *writes* instructions through :class:`Writer` into something compiled functions call. The vectors are LLVM's
portable ones: a vector of 16 floats is one register with AVX-512, two with AVX, four with SSE2 or NEON, and the code
means the same on each. Nothing is contracted or reordered unless :meth:`Writer.fma` asks for it, so what has to be
exact to the bit is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

FLOAT = ir.FloatType()
DOUBLE = ir.DoubleType()
INT32 = ir.IntType(32)
INT64 = ir.IntType(64)
_FLOATS = (FLOAT, DOUBLE)


def _machine() -> tuple[int, int]:
    """Floats of a vector register and number of vector registers of the machine that numba compiles for."""
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    enabled = features.split(",")
    if "+avx512f" in enabled:
        return 16, 32
    if "+avx" in enabled:
        return 8, 16
    return 4, 32 if triple.startswith(("aarch64", "arm64")) else 16


#: Floats in one vector, and how many vectors the registers hold.
LANES, REGISTERS = _machine()


class Value:
    """A scalar or a vector in the code being written; Python's operators write the instruction of the same name."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder = builder
        self.value = value

    @property
    def _element(self) -> ir.Type:
        return self.value.type.element if isinstance(self.value.type, ir.VectorType) else self.value.type

    def _other(self, other: Value | float) -> ir.Value:
        if isinstance(other, Value):
            return other.value
        if isinstance(self.value.type, ir.VectorType):
            return ir.Constant(self.value.type, [other] * self.value.type.count)
        return ir.Constant(self.value.type, other)

    def _write(self, for_floats: str, for_integers: str, other: Value | float) -> Value:
        name = for_floats if self._element in _FLOATS else for_integers
        return Value(self.builder, getattr(self.builder, name)(self.value, self._other(other)))

    def _compare(self, operator: str, other: Value | float) -> Value:
        is_float = self._element in _FLOATS
        compare = self.builder.fcmp_ordered if is_float else self.builder.icmp_signed
        return Value(self.builder, compare(operator, self.value, self._other(other)))

    def __add__(self, other: Value | float) -> Value:
        return self._write("fadd", "add", other)

    def __sub__(self, other: Value | float) -> Value:
        return self._write("fsub", "sub", other)

    def __mul__(self, other: Value | float) -> Value:
        return self._write("fmul", "mul", other)

    def __truediv__(self, other: Value) -> Value:
        return Value(self.builder, self.builder.fdiv(self.value, other.value))

    def __rshift__(self, n_bits: int) -> Value:
        """Logical: zeros come in."""
        return Value(self.builder, self.builder.lshr(self.value, self._other(n_bits)))

    def __lshift__(self, n_bits: int) -> Value:
        return Value(self.builder, self.builder.shl(self.value, self._other(n_bits)))

    def __and__(self, other: Value | int) -> Value:
        return Value(self.builder, self.builder.and_(self.value, self._other(other)))

    def __or__(self, other: Value | int) -> Value:
        return Value(self.builder, self.builder.or_(self.value, self._other(other)))

    def __xor__(self, other: Value | int) -> Value:
        return Value(self.builder, self.builder.xor(self.value, self._other(other)))

    def __gt__(self, other: Value | float) -> Value:
        return self._compare(">", other)

    def __lt__(self, other: Value | float) -> Value:
        return self._compare("<", other)

    def __ge__(self, other: Value | float) -> Value:
        return self._compare(">=", other)

    def equals(self, other: Value | float) -> Value:
        """Where both are the same; ``==`` keeps its meaning for Python objects."""
        return self._compare("==", other)


class Pointer:
    """The first element of an array in the code being written; ``p + n`` moves it on by n elements."""

    def __init__(self, builder: ir.IRBuilder, pointer: ir.Value) -> None:
        self.builder = builder
        self.pointer = pointer

    def __add__(self, index: Value | int) -> Pointer:
        offset = index.value if isinstance(index, Value) else ir.Constant(INT64, index)
        return Pointer(self.builder, self.builder.gep(self.pointer, [offset]))

    @property
    def element(self) -> ir.Type:
        """LLVM type of the elements."""
        return self.pointer.type.pointee

    def viewed_as(self, element: ir.Type) -> Pointer:
        """The same address, holding another type; loads and stores assume no alignment beyond four bytes."""
        return Pointer(self.builder, self.builder.bitcast(self.pointer, element.as_pointer()))


class Writer:
    """Writes loads, stores, arithmetic and loops at the builder's position."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder

    def load(self, pointer: Pointer, lanes: int = 1) -> Value:
        """One element, or ``lanes`` neighbours as a vector."""
        source = pointer if lanes == 1 else pointer.viewed_as(ir.VectorType(pointer.element, lanes))
        return Value(self.builder, self.builder.load(source.pointer, align=4))

    def store(self, value: Value, pointer: Pointer) -> None:
        """A scalar to one element, a vector to neighbours."""
        self.builder.store(value.value, pointer.viewed_as(value.value.type).pointer, align=4)

    def constant(self, number: float, element: ir.Type = FLOAT, lanes: int = LANES) -> Value:
        """A vector of equal constants."""
        return Value(self.builder, ir.Constant(ir.VectorType(element, lanes), [number] * lanes))

    def index(self, number: int) -> Value:
        """A constant to count with."""
        return Value(self.builder, ir.Constant(INT64, number))

    def splat(self, scalar: Value, lanes: int = LANES) -> Value:
        """A vector of ``lanes`` copies."""
        vector = ir.VectorType(scalar.value.type, lanes)
        undefined = ir.Constant(vector, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar.value, ir.Constant(INT32, 0))
        zeros = ir.Constant(ir.VectorType(INT32, lanes), [0] * lanes)
        return Value(self.builder, self.builder.shuffle_vector(first, undefined, zeros))

    def shuffle(self, first: Value, second: Value, lanes: Sequence[int]) -> Value:
        """The named lanes of two vectors laid end to end."""
        order = ir.Constant(ir.VectorType(INT32, len(lanes)), list(lanes))
        return Value(self.builder, self.builder.shuffle_vector(first.value, second.value, order))

    def select(self, mask: Value, yes: Value, no: Value) -> Value:
        """``yes`` where the mask is set, ``no`` elsewhere."""
        return Value(self.builder, self.builder.select(mask.value, yes.value, no.value))

    def minimum(self, first: Value, second: Value) -> Value:
        """Lane by lane the smaller."""
        return self.select(first < second, first, second)

    def maximum(self, first: Value, second: Value) -> Value:
        """Lane by lane the larger."""
        return self.select(first > second, first, second)

    def fma(self, factor: Value, other: Value, addend: Value) -> Value:
        """``factor * other + addend``, rounded once where the machine can and that is fast, twice elsewhere."""
        return self._call("fmuladd", factor, other, addend)

    def reduce(self, combine: Callable[[Value, Value], Value], vector: Value) -> Value:
        """One scalar from a vector, halving it again and again."""
        n_lanes = vector.value.type.count
        while n_lanes > 1:
            n_lanes //= 2
            low = self.shuffle(vector, vector, range(n_lanes))
            vector = combine(low, self.shuffle(vector, vector, range(n_lanes, 2 * n_lanes)))
        return Value(self.builder, self.builder.extract_element(vector.value, ir.Constant(INT32, 0)))

    def sqrt(self, value: Value) -> Value:
        """Correctly rounded square root."""
        return self._call("sqrt", value)

    def absolute(self, value: Value) -> Value:
        """Lane by lane without sign."""
        return self._call("fabs", value)

    def _call(self, name: str, *operands: Value) -> Value:
        kind = operands[0].value.type
        function_type = ir.FunctionType(kind, [kind] * len(operands))
        suffix = f"v{kind.count}f32" if isinstance(kind, ir.VectorType) else "f32"
        function = cgutils.get_or_insert_function(self.builder.module, function_type, f"llvm.{name}.{suffix}")
        return Value(self.builder, self.builder.call(function, [operand.value for operand in operands]))

    def to_float(self, value: Value) -> Value:
        """int32 to float32, rounded to nearest."""
        return Value(self.builder, self.builder.sitofp(value.value, self._like(value, FLOAT)))

    def to_int32(self, value: Value) -> Value:
        """float32 to int32, truncated."""
        return Value(self.builder, self.builder.fptosi(value.value, self._like(value, INT32)))

    def to_index(self, value: Value) -> Value:
        """A scalar int32 to something to count with."""
        return Value(self.builder, self.builder.sext(value.value, INT64))

    def _like(self, value: Value, element: ir.Type) -> ir.Type:
        kind = value.value.type
        return ir.VectorType(element, kind.count) if isinstance(kind, ir.VectorType) else element

    def variable(self, initial: Value) -> Variable:
        """Something that changes from one turn of a loop to the next; LLVM keeps it in a register."""
        return Variable(self, initial)

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """``if condition``: what is written inside runs only then."""
        with self.builder.if_then(condition.value):
            yield

    @contextmanager
    def loop(self, start: Value | int, stop: Value | int, step: int = 1) -> Iterator[Value]:
        """``for index in range(start, stop, step)``: what is written inside is the body."""
        first, last = (self.index(bound) if isinstance(bound, int) else bound for bound in (start, stop))
        steps = cgutils.for_range_slice(self.builder, first.value, last.value, ir.Constant(INT64, step), INT64)
        with steps as (index, _):
            yield Value(self.builder, index)


class Variable:
    """A value that a loop updates."""

    def __init__(self, writer: Writer, initial: Value) -> None:
        self._writer = writer
        self._slot = cgutils.alloca_once(writer.builder, initial.value.type)
        self.set(initial)

    def set(self, value: Value) -> None:
        """Replace what is held."""
        self._writer.builder.store(value.value, self._slot)

    def get(self) -> Value:
        """What is held now."""
        return Value(self._writer.builder, self._writer.builder.load(self._slot))


def _exact_type(kind: types.Type) -> types.Type:
    if isinstance(kind, types.BaseTuple):
        return types.Tuple([_exact_type(member) for member in kind.types])
    if isinstance(kind, types.Integer):
        return types.intp
    return types.float32 if isinstance(kind, types.Float) else kind


def _operand(context, builder: ir.IRBuilder, kind: types.Type, value: ir.Value) -> Value | Pointer | tuple:
    if isinstance(kind, types.BaseTuple):
        members = zip(kind.types, cgutils.unpack_tuple(builder, value))
        return tuple(_operand(context, builder, *member) for member in members)
    if isinstance(kind, types.Array):
        return Pointer(builder, context.make_array(kind)(context, builder, value).data)
    if isinstance(kind, types.CPointer):
        return Pointer(builder, value)
    return Value(builder, value)


def emitted(write: Callable[..., Value | None], returns: types.Type = types.void) -> Callable:
    """A function for compiled code, whose body ``write(writer, *operands)`` writes.

    Parameters
    ----------
    write : callable
        Its first parameter is a :class:`Writer`; the others become the parameters of the result. Arrays arrive as
        :class:`Pointer` to the first element (nothing checks bounds), what :func:`at` returns as that pointer, whole
        numbers as int64, others as float32, tuples as tuples of these. The value to return, if ``returns`` is not void.
    returns : numba type
        What the function returns.
    """
    parameters = list(inspect.signature(write).parameters.values())[1:]

    def typed(typingctx, *kinds):
        exact = [_exact_type(kind) for kind in kinds]

        def codegen(context, builder, signature, values):
            operands = [_operand(context, builder, kind, value) for kind, value in zip(signature.args, values)]
            result = write(Writer(builder), *operands)
            return context.get_dummy_value() if result is None else result.value

        return returns(*exact), codegen

    context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    typed.__signature__ = inspect.Signature([context, *plain])
    typed.__name__ = write.__name__
    typed.__qualname__ = write.__qualname__
    typed.__module__ = write.__module__
    typed.__doc__ = write.__doc__
    return intrinsic(typed)


@intrinsic
def at(typingctx, numbers, index):
    """The place of element ``index`` of an array, or ``index`` elements on from a place.

    A slice would do, but counts references; this is the address alone.
    """

    def codegen(context, builder, signature, values):
        place = _operand(context, builder, signature.args[0], values[0]) + Value(builder, values[1])
        return place.pointer

    return types.CPointer(numbers.dtype)(numbers, types.intp), codegen


@emitted
def clear(writer: Writer, numbers: Pointer, start: Value, n: Value) -> None:
    """Set ``n`` float32 numbers to 0."""
    with writer.loop(start, start + n) as index:
        writer.store(Value(writer.builder, ir.Constant(FLOAT, 0.0)), numbers + index)
