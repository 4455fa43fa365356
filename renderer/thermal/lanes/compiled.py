"""Lanes as a type of numba's, and the functions of :mod:`.in_step` as LLVM's instructions for kernels.

LLVM translates its vectors for any processor, into several registers or number by number where it must: the same
arithmetic in the same order for each pixel.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from numba.core import cgutils
from numba.core import types as numba_types
from numba.core.datamodel import models, register_default
from numba.core.imputils import lower_builtin
from numba.core.registry import cpu_target
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import make_attribute_wrapper, overload

from .width import LANES

__all__ = ["Lanes", "Table", "type_of", "type_of_two"]

ir: Any = cgutils.ir
types: Any = numba_types  # whose stubs lack much
_I32, _I64 = ir.IntType(32), ir.IntType(64)


class Lanes(numba_types.Type):
    """:data:`.width.LANES` numbers of a kind, or for each whether something holds."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_default(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        element = ir.IntType(1) if fe_type.dtype is types.boolean else dmm.lookup(fe_type.dtype).get_value_type()
        super().__init__(dmm, fe_type, ir.VectorType(element, LANES))


class Table(numba_types.Type):
    """Numbers in a row, not counted who holds them."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Table({dtype})")


@register_default(Table)
class _TableModel(models.StructModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, [("data", types.CPointer(fe_type.dtype)), ("size", types.int64)])


make_attribute_wrapper(Table, "size", "size")


# --- which types meet -------------------------------------------------------------------------------------------------


def _kind(kinds: Sequence[Any]) -> Any:
    """What numbers of several types become: of lanes the widest, to which single ones adapt."""
    lanes = [kind.dtype for kind in kinds if isinstance(kind, Lanes)]
    if lanes:
        return Lanes(max(lanes, key=lambda dtype: (isinstance(dtype, types.Float), getattr(dtype, "bitwidth", 1))))
    numbers = [types.unliteral(kind) for kind in kinds]
    if not all(isinstance(kind, types.Number | types.Boolean) for kind in numbers):
        return None
    return cpu_target.typing_context.unify_types(*numbers)


def _with(kind: Any, dtype: Any) -> Any:
    """The same number of them, of another type."""
    return Lanes(dtype) if isinstance(kind, Lanes) else dtype


def _logical(kind: Any) -> Any:
    return _with(kind, types.boolean)


def _element(kind: Any) -> Any:
    return kind.dtype if isinstance(kind, Lanes) else types.unliteral(kind)


def _looked_up_kind(table: Any, i: Any) -> Any:
    if not isinstance(i, Lanes):
        return table.dtype
    small = isinstance(table.dtype, types.Integer) and table.dtype.bitwidth < 32
    return Lanes(types.int32 if small else table.dtype)


def _lattice_kind(values: Any, row: Any, column: Any) -> Any:
    return Lanes(values.dtype) if isinstance(_kind((row, column)), Lanes) else values.dtype


def _whole_kind(x: Any) -> Any:
    return Lanes(types.int32) if isinstance(x, Lanes) else types.int64


_RESULTS: dict[str, Callable[..., Any]] = {
    "least": lambda a, b: _kind((a, b)),
    "greatest": lambda a, b: _kind((a, b)),
    "choose": lambda which, a, b: _with(which, _element(_kind((a, b)))),
    "anywhere": lambda _: types.boolean,
    "floored": lambda x: x,
    "rooted": lambda x: x,
    "absolute": lambda x: x,
    "narrow": lambda x: _with(x, types.float32) if isinstance(x, Lanes) else x,
    "wide": lambda x: _with(x, types.float64),
    "whole": _whole_kind,
    "bits_of": lambda _: Lanes(types.int32),
    "float_of": lambda _: Lanes(types.float32),
    "bare": lambda table: Table(table.dtype) if table.layout == "C" else None,
    "lanes_at": lambda table, _: _looked_up_kind(table, Lanes(types.int32)),
    "looked_up": _looked_up_kind,
    "pair": lambda table, i: types.UniTuple(_looked_up_kind(table, i), 2),
    "put": lambda *_: types.none,
    "in_lattice": _lattice_kind,
    "corners": lambda values, x, y: types.UniTuple(_lattice_kind(values, x, y), 4),
}
"""Type of what a function gives, by those of its arguments."""


# --- instructions -----------------------------------------------------------------------------------------------------


class _Builder:
    """What a function is built with."""

    def __init__(self, context: Any, builder: Any, result: Any, kinds: Sequence[Any]) -> None:
        self.context, self.b, self.result, self.kinds = context, builder, result, kinds

    def as_kind(self, value: Any, kind: Any, wanted: Any) -> Any:
        """A value as another type; a single number becomes one in all lanes."""
        if kind == wanted:
            return value
        if not isinstance(wanted, Lanes):
            return self.context.cast(self.b, value, types.unliteral(kind), wanted)
        if not isinstance(kind, Lanes):
            return self.every(self.context.cast(self.b, value, types.unliteral(kind), wanted.dtype))
        return self._converted(value, kind.dtype, wanted.dtype)

    def every(self, value: Any) -> Any:
        """A vector of equal elements."""
        one = self.b.insert_element(ir.VectorType(value.type, LANES)(ir.Undefined), value, _I32(0))
        return self.b.shuffle_vector(one, one, ir.VectorType(_I32, LANES)([0] * LANES))

    def _converted(self, value: Any, dtype: Any, wanted: Any) -> Any:
        kind = ir.VectorType(self.context.get_value_type(wanted), LANES)
        if isinstance(dtype, types.Float):
            if isinstance(wanted, types.Float):
                step = self.b.fpext if wanted.bitwidth > dtype.bitwidth else self.b.fptrunc
                return step(value, kind)
            return self.b.fptosi(value, kind)
        return self.b.sitofp(value, kind)

    def alike(self, values: Sequence[Any], kinds: Sequence[Any]) -> tuple[Any, ...]:
        """Values as the type that they have in common."""
        kind = _kind(kinds)
        return tuple(self.as_kind(value, own, kind) for value, own in zip(values, kinds, strict=True))

    def call(self, name: str, value: Any) -> Any:
        """One of LLVM's own functions of a number."""
        vector = isinstance(value.type, ir.VectorType)
        element = value.type.element if vector else value.type
        suffix = f"{f'v{LANES}' if vector else ''}{'f32' if isinstance(element, ir.FloatType) else 'f64'}"
        kind = ir.FunctionType(value.type, [value.type])
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, f"llvm.{name}.{suffix}"), [value])

    def data(self, array: Any, kind: Any) -> Any:
        """Where the elements of an array or a table begin."""
        if isinstance(kind, Table):
            return cgutils.create_struct_proxy(kind)(self.context, self.b, array).data
        return self.context.make_array(kind)(self.context, self.b, array).data

    def numbers(self, i: Any) -> list[Any]:
        """The lanes of a number of an element, one by one."""
        return [self.b.sext(self.b.extract_element(i, _I32(k)), _I64) for k in range(LANES)]

    def vector(self, values: Sequence[Any]) -> Any:
        """One of values."""
        found = ir.VectorType(values[0].type, LANES)(ir.Undefined)
        for k, value in enumerate(values):
            found = self.b.insert_element(found, value, _I32(k))
        return found

    def gathered(self, data: Any, i: Any) -> Any:
        """Elements by number."""
        return self.vector([self.b.load(self.b.gep(data, [one])) for one in self.numbers(i)])

    def pairs(self, data: Any, i: Any) -> tuple[Any, Any]:
        """32-bit numbers and their next neighbours: 64 bits at a time."""
        b, both = self.b, ir.DoubleType().as_pointer()
        found = [b.load(b.bitcast(b.gep(data, [one]), both), align=4) for one in self.numbers(i)]
        flat = b.bitcast(self.vector(found), ir.VectorType(ir.FloatType(), 2 * LANES))
        parts = [ir.VectorType(_I32, LANES)(list(range(start, 2 * LANES, 2))) for start in (0, 1)]
        return b.shuffle_vector(flat, flat, parts[0]), b.shuffle_vector(flat, flat, parts[1])

    def small(self, value: Any, dtype: Any) -> Any:
        """Integers of fewer bits as int32."""
        if isinstance(dtype, types.Integer) and dtype.bitwidth < 32:
            return self.b.zext(value, ir.VectorType(_I32, LANES))
        return value

    def pack(self, values: Sequence[Any]) -> Any:
        """As the tuple that is the result."""
        return self.context.make_tuple(self.b, self.result, values)


def _compared(v: _Builder, sign: str, a: Any, b: Any) -> Any:
    if isinstance(_element(_kind(v.kinds)), types.Float):
        return v.b.fcmp_unordered(sign, a, b) if sign == "!=" else v.b.fcmp_ordered(sign, a, b)
    return v.b.icmp_signed(sign, a, b)


def _extreme(sign: str) -> Callable[..., Any]:
    def build(v: _Builder, *values: Any) -> Any:
        a, b = v.alike(values, v.kinds)
        return v.b.select(_compared(v, sign, a, b), a, b)

    return build


def _choose(v: _Builder, which: Any, a: Any, b: Any) -> Any:
    return v.b.select(
        which, *(v.as_kind(value, kind, v.result) for value, kind in zip((a, b), v.kinds[1:], strict=True))
    )


def _anywhere(v: _Builder, which: Any) -> Any:
    if not isinstance(v.kinds[0], Lanes):
        return which
    return v.b.icmp_unsigned("!=", v.b.bitcast(which, ir.IntType(LANES)), ir.IntType(LANES)(0))


def _bare(v: _Builder, array: Any) -> Any:
    whole = v.context.make_array(v.kinds[0])(v.context, v.b, array)
    table = cgutils.create_struct_proxy(v.result)(v.context, v.b)
    table.data, table.size = whole.data, whole.nitems
    return table._getvalue()


def _lanes_at(v: _Builder, table: Any, i: Any) -> Any:
    dtype = v.kinds[0].dtype
    at = v.b.gep(v.data(table, v.kinds[0]), [v.context.cast(v.b, i, types.unliteral(v.kinds[1]), types.int64)])
    vector = ir.VectorType(v.context.get_data_type(dtype), LANES)
    return v.small(v.b.load(v.b.bitcast(at, vector.as_pointer()), align=dtype.bitwidth // 8), dtype)


def _element_at(v: _Builder, table: Any, i: Any, further: int = 0) -> Any:
    i = v.context.cast(v.b, i, types.unliteral(v.kinds[1]), types.int64)
    return v.b.load(v.b.gep(v.data(table, v.kinds[0]), [v.b.add(i, _I64(further))]))


def _looked_up(v: _Builder, table: Any, i: Any) -> Any:
    if not isinstance(v.kinds[1], Lanes):
        return _element_at(v, table, i)
    return v.small(v.gathered(v.data(table, v.kinds[0]), i), v.kinds[0].dtype)


def _pair(v: _Builder, table: Any, i: Any) -> Any:
    if not isinstance(v.kinds[1], Lanes):
        return v.pack([_element_at(v, table, i), _element_at(v, table, i, 1)])
    return v.pack(v.pairs(v.data(table, v.kinds[0]), i))


def _put(v: _Builder, table: Any, i: Any, value: Any) -> Any:
    dtype, data = v.kinds[0].dtype, v.data(table, v.kinds[0])
    values = v.as_kind(value, v.kinds[2], Lanes(dtype))
    for k, one in enumerate(v.numbers(i)):
        v.b.store(v.b.extract_element(values, _I32(k)), v.b.gep(data, [one]))
    return v.context.get_dummy_value()


def _cell(v: _Builder, row: Any, column: Any) -> Any:
    """Number of a lattice's value: of a wrapped one for lanes, else of one of 256 columns."""
    kind = Lanes(types.int32) if isinstance(_kind(v.kinds[1:]), Lanes) else types.int64
    mask = v.as_kind(_I64(255), types.int64, kind)
    i, j = (v.b.and_(v.as_kind(value, own, kind), mask) for value, own in zip((column, row), v.kinds[1:], strict=True))
    above = v.b.shl(j, v.as_kind(_I64(8), types.int64, kind))
    return v.b.add(v.b.add(above, j), i) if isinstance(kind, Lanes) else v.b.add(above, i)


def _in_lattice(v: _Builder, values: Any, row: Any, column: Any) -> Any:
    cell, data = _cell(v, row, column), v.data(values, v.kinds[0])
    return v.gathered(data, cell) if isinstance(cell.type, ir.VectorType) else v.b.load(v.b.gep(data, [cell]))


def _corners(v: _Builder, values: Any, x: Any, y: Any) -> Any:
    data = v.data(values, v.kinds[0])
    if isinstance(_kind(v.kinds[1:]), Lanes):
        cell = _cell(v, y, x)
        return v.pack([*v.pairs(data, cell), *v.pairs(v.b.gep(data, [_I64(257)]), cell)])
    i, j = (v.as_kind(value, own, types.int64) for value, own in zip((x, y), v.kinds[1:], strict=True))
    next_i, next_j = v.b.add(i, _I64(1)), v.b.add(j, _I64(1))
    cells = [_cell(v, *place) for place in ((j, i), (j, next_i), (next_j, i), (next_j, next_i))]
    return v.pack([v.b.load(v.b.gep(data, [cell])) for cell in cells])


def _absolute(v: _Builder, x: Any) -> Any:
    if isinstance(_element(v.kinds[0]), types.Float):
        return v.call("fabs", x)
    raise NotImplementedError("absolute of integers")


_BUILDERS: dict[str, Callable[..., Any]] = {
    "least": _extreme("<"),
    "greatest": _extreme(">"),
    "choose": _choose,
    "anywhere": _anywhere,
    "floored": lambda v, x: v.call("floor", x),
    "rooted": lambda v, x: v.call("sqrt", x),
    "absolute": _absolute,
    "narrow": lambda v, x: v.as_kind(x, v.kinds[0], v.result),
    "wide": lambda v, x: v.as_kind(x, v.kinds[0], v.result),
    "whole": lambda v, x: v.as_kind(x, v.kinds[0], v.result),
    "bits_of": lambda v, x: v.b.bitcast(v.as_kind(x, v.kinds[0], Lanes(types.float32)), ir.VectorType(_I32, LANES)),
    "float_of": lambda v, bits: v.b.bitcast(bits, ir.VectorType(ir.FloatType(), LANES)),
    "bare": _bare,
    "lanes_at": _lanes_at,
    "looked_up": _looked_up,
    "pair": _pair,
    "put": _put,
    "in_lattice": _in_lattice,
    "corners": _corners,
}


def _arithmetic(of_floats: str, of_integers: str) -> Callable[..., Any]:
    def build(v: _Builder, *values: Any) -> Any:
        name = of_floats if isinstance(v.result.dtype, types.Float) else of_integers
        return getattr(v.b, name)(*v.alike(values, v.kinds))

    return build


def _comparison(sign: str) -> Callable[..., Any]:
    return lambda v, *values: _compared(v, sign, *v.alike(values, v.kinds))


_OPERATORS: dict[Any, Callable[..., Any]] = {
    operator.add: _arithmetic("fadd", "add"),
    operator.sub: _arithmetic("fsub", "sub"),
    operator.mul: _arithmetic("fmul", "mul"),
    operator.truediv: _arithmetic("fdiv", ""),
    operator.and_: _arithmetic("", "and_"),
    operator.or_: _arithmetic("", "or_"),
    operator.rshift: _arithmetic("", "ashr"),
    operator.lshift: _arithmetic("", "shl"),
    operator.iadd: _arithmetic("fadd", "add"),
    operator.isub: _arithmetic("fsub", "sub"),
    operator.imul: _arithmetic("fmul", "mul"),
}
_COMPARISONS = {
    operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.eq: "==", operator.ne: "!=",
}  # fmt: skip


# --- what numba is told -----------------------------------------------------------------------------------------------


def _type_operator(key: Any, result: Callable[[Any], Any]) -> None:
    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if not any(isinstance(one, Lanes) for one in args):
                return None
            return signature(result(_kind(args)), *args)

    Template.key = key
    infer_global(key)(Template)


def _lower(key: Any, build: Callable[..., Any], *kinds: Any) -> None:
    def lowered(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return build(_Builder(context, builder, sig.return_type, sig.args), *values)

    lower_builtin(key, *kinds)(lowered)


def _add_operators() -> None:
    both = ((Lanes, Lanes), (Lanes, types.Number), (types.Number, Lanes))
    logical = {key: _comparison(sign) for key, sign in _COMPARISONS.items()}
    for key, build in {**_OPERATORS, **logical}.items():
        _type_operator(key, _logical if key in logical else lambda kind: kind)
        for kinds in both:
            _lower(key, build, *kinds)
    _type_operator(operator.neg, lambda kind: kind)
    _lower(operator.neg, lambda v, x: v.b.fneg(x), Lanes)


def _function(name: str) -> Any:
    """The type of one of our functions."""

    class Template(AbstractTemplate):
        key = f"lanes.{name}"

        def generic(self, args: Any, kws: Any) -> Any:
            found = _RESULTS[name](*args)
            return None if found is None else signature(found, *args)

    _lower(Template.key, _BUILDERS[name], types.VarArg(types.Any))
    return types.Function(Template)


@functools.cache
def type_of(name: str) -> Any:
    """Of one of the functions of :mod:`.in_step` that are instructions, as numba wants it."""
    _prepare()
    found = _function(name)
    cpu_target.target_context.refresh()
    return found


@functools.cache
def type_of_two(of_one: Callable[..., Any], of_lanes: Callable[..., Any]) -> Any:
    """Of a function that is compiled from one form for a number and from another for lanes."""

    def key(*arguments: Any) -> Any: ...

    def chosen(*kinds: Any) -> Any:
        return of_lanes if isinstance(kinds[0], Lanes) else of_one

    _prepare()
    overload(key, strict=False, inline="always", jit_options={"fastmath": _FAST})(chosen)
    cpu_target.typing_context.refresh()
    return cpu_target.typing_context.resolve_value_type(key)


@functools.cache
def _prepare() -> None:
    _add_operators()
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


_FAST = {"contract", "nsz", "arcp"}
"""As :func:`...optional.fast_kernel` has it."""
