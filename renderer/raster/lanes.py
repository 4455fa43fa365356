"""Eight neighbours at once: the innermost steps of the z-buffer as vector instructions.

Rows of a triangle are a few pixels long, and triangles a few rows high. The compiler's own vector loops leave that few
to a loop of single ones, whose end processors guess wrong. So these steps are written in LLVM's vectors, which it
translates for any processor. They do to each pixel the very arithmetic of their plain forms, which stand in for them
where there is no numba.

All take flat arrays, and may read and write back up to :data:`LANES` - 1 elements behind the last one that is meant:
whoever makes the arrays makes them that much longer (:func:`lane_array`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..optional import found_intrinsic

__all__ = [
    "LANES",
    "blend_lanes",
    "draw_lanes",
    "fill_lanes",
    "is_new_or_seen",
    "is_seen",
    "lane_array",
    "row_lanes",
    "stamp_lanes",
    "unit_lanes",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Stamps = NDArray[np.uint16]

intrinsic = found_intrinsic()
LANES = 8
"""How many at a time."""
_CENTRE = 0.5
"""Where in a pixel its centre is."""


def lane_array(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An array (H, W) or (H, W, 3), not filled, that the steps may overrun."""
    count, each = math.prod(shape), math.prod(shape[2:])
    return np.empty(count + LANES * each, dtype)[:count].reshape(shape)


def _draw_lanes(
    inverse_depth: Floats, hit: Ints, i: int, count: int, column: int, q_row: float, gx: float, q_low: float,
    q_high: float, face: int,
) -> None:  # fmt: skip
    """Draw up to :data:`LANES` pixels of a triangle's row.

    Args:
        inverse_depth: 1 / metres of what is there.
        hit: which face that is.
        i: number of the first pixel.
        count: how many, from there; more than :data:`LANES` count as that many.
        column: of the first pixel.
        q_row: 1 / depth of the triangle's plane at column 0.
        gx: how much it grows from column to column.
        q_low: least 1 / depth.
        q_high: greatest.
        face: the triangle; of equal depths the lower number stays.
    """
    for k in range(min(count, LANES)):
        q = q_row + gx * (column + k)
        q = q if q > q_low else q_low
        q = q if q < q_high else q_high
        depth_there = inverse_depth[i + k]
        if q > depth_there or (q == depth_there and face < hit[i + k]):
            inverse_depth[i + k], hit[i + k] = q, face


def _row_lanes(
    first: NDArray[np.int32], end: NDArray[np.int32], q: Floats, i: int, row: int, x0: float, y0: float, x1: float,
    y1: float, long: float, upper: float, lower: float, q0: float, gy: float, back: float, width: float,
) -> None:  # fmt: skip
    """Columns whose centres lie inside a triangle, from the first to the end, and 1 / depth at column 0.

    Args:
        first: filled for :data:`LANES` rows, from ``i`` on; so are ``end`` and ``q``.
        end: see first.
        q: see first.
        i: where.
        row: the first of the rows.
        x0: the uppermost corner of the triangle.
        y0: see x0.
        x1: the middle one.
        y1: see x1.
        long: columns per row along the edge from the uppermost corner to the lowest.
        upper: along that from the uppermost to the middle one.
        lower: along that from the middle one to the lowest.
        q0: 1 / depth of the uppermost corner.
        gy: how it grows from row to row.
        back: how it grows from the centre of column 0 to the uppermost corner.
        width: of the picture.
    """
    for k in range(LANES):
        y = (row + k) + _CENTRE
        a = x0 + (y - y0) * long
        b = x0 + (y - y0) * upper if y < y1 else x1 + (y - y1) * lower
        first[i + k] = np.int32(np.ceil(min(max(min(a, b), 0.0), width + 1.0) - _CENTRE))
        end[i + k] = np.int32(np.ceil(min(max(a, b, 0.0), width) - _CENTRE))
        q[i + k] = q0 + gy * (y - y0) - back


def _is_seen(inverse_depth: Floats, i: int, count: int, closest: float) -> bool:
    """Whether any of up to :data:`LANES` pixels from ``i`` on is no nearer than ``closest``, 1 / metres."""
    return bool((inverse_depth[i : i + min(count, LANES)] <= closest).any())


def _is_new_or_seen(inverse_depth: Floats, stamp: Stamps, i: int, count: int, closest: float, instance: int) -> bool:
    """As :func:`is_seen`; or was not covered by the instance yet."""
    pixels = slice(i, i + min(count, LANES))
    return bool(((inverse_depth[pixels] <= closest) | (stamp[pixels] != instance)).any())


def _stamp_lanes(stamp: Stamps, i: int, count: int, instance: int) -> int:
    """Mark up to :data:`LANES` pixels as covered by an instance; returns how many were not yet."""
    pixels = stamp[i : i + min(count, LANES)]
    fresh = int((pixels != instance).sum())
    pixels[:] = instance
    return fresh


def _fill_lanes(out: NDArray[Any], i: int, value: int) -> None:
    """Put a number into :data:`LANES` elements from ``i`` on."""
    out[i : i + LANES] = value


def _blend_lanes(setups: Floats, slot: int, sums: Floats, i: int, step: int, y: float) -> None:
    """Weighted sums of a triangle's three normals at :data:`LANES` pixels of a row.

    Args:
        setups: from ``slot`` on, 18 numbers: how the weight of each corner grows by column and by row, and what it is
            at column and row 0; the normal of each corner.
        slot: see setups.
        sums: filled from ``i`` on: the three axes of the sums, ``step`` apart, and behind them the weights' sums.
        i: column of the first pixel.
        step: see sums.
        y: row of the pixels' centres.
    """
    three = setups[slot : slot + 9].tolist(), setups[slot + 9 : slot + 18].tolist()
    (ax, ay, at, bx, by, bt, dx, dy, dt), (s0, s1, s2, t0, t1, t2, u0, u1, u2) = three
    for c in range(i, i + LANES):
        x = c + _CENTRE
        a, b, d = ax * x + ay * y + at, bx * x + by * y + bt, dx * x + dy * y + dt
        sums[c], sums[c + step] = a * s0 + b * t0 + d * u0, a * s1 + b * t1 + d * u1
        sums[c + 2 * step], sums[c + 3 * step] = a * s2 + b * t2 + d * u2, a + b + d


def _unit_lanes(sums: Floats, i: int, step: int, out: NDArray[np.float32], at: int) -> None:
    """Unit vectors of :data:`LANES` sums of :func:`blend_lanes`; 0 where a sum is.

    Args:
        sums: see :func:`blend_lanes`.
        i: number of the first.
        step: see sums.
        out: filled from ``at`` on, the axes of a pixel beside each other.
        at: see out.
    """
    for k in range(LANES):
        x, y, z = sums[i + k], sums[i + k + step], sums[i + k + 2 * step]
        length = np.sqrt(x * x + y * y + z * z)
        # The weights share a sign, that of their sum.
        scale = (1.0 if sums[i + k + 3 * step] > 0.0 else -1.0) / length if length > 0.0 else 0.0
        for axis, value in enumerate((x, y, z)):
            out[at + 3 * k + axis] = value * scale if length > 0.0 else 0.0


class _Vectors:
    """What a compiled step is built with: LLVM's instructions on vectors of :data:`LANES` elements."""

    def __init__(self, context: Any, builder: Any, types: Any, values: Any) -> None:
        from numba.core import cgutils

        self.ir, self._cgutils, self.context, self.b = cgutils.ir, cgutils, context, builder
        self._types, self._values = types, values

    def number(self, argument: int, dtype: str) -> Any:
        """An argument that is a number, as a type of numba's."""
        from numba.core import types

        return self.context.cast(self.b, self._values[argument], self._types[argument], getattr(types, dtype))

    def every(self, value: Any) -> Any:
        """A vector of equal elements."""
        ir, b = self.ir, self.b
        one = b.insert_element(ir.VectorType(value.type, LANES)(ir.Undefined), value, ir.IntType(32)(0))
        return b.shuffle_vector(one, one, ir.VectorType(ir.IntType(32), LANES)([0] * LANES))

    def numbers(self, argument: int, dtype: str) -> Any:
        """A vector of an argument that is a number."""
        return self.every(self.number(argument, dtype))

    def floats(self, values: Sequence[float]) -> Any:
        """A constant vector."""
        return self.ir.VectorType(self.ir.DoubleType(), LANES)([self.ir.DoubleType()(float(one)) for one in values])

    def place(self, array: int, i: Any) -> Any:
        """Where the elements of an argument that is an array lie, from number ``i`` on."""
        kind = self._types[array]
        data = self.context.make_array(kind)(self.context, self.b, self._values[array]).data
        vector = self.ir.VectorType(self.context.get_data_type(kind.dtype), LANES)
        return self.b.bitcast(self._cgutils.gep_inbounds(self.b, data, i), vector.as_pointer())

    def read(self, array: int, i: Any) -> Any:
        """The elements there."""
        return self.b.load(self.place(array, i), align=self._types[array].dtype.bitwidth // 8)

    def write(self, vector: Any, array: int, i: Any) -> None:
        """Put others in their place."""
        self.b.store(vector, self.place(array, i), align=self._types[array].dtype.bitwidth // 8)

    def dtype(self, array: int) -> Any:
        """What an argument that is an array holds, as a type of numba's."""
        return self._types[array].dtype

    def element(self, array: int, i: Any) -> Any:
        """A vector of one element."""
        kind = self._types[array]
        data = self.context.make_array(kind)(self.context, self.b, self._values[array]).data
        return self.every(self.b.load(self._cgutils.gep_inbounds(self.b, data, i)))

    def further(self, i: Any, by: Any, times: int) -> Any:
        """A place further on."""
        return self.b.add(i, self.b.mul(by, by.type(times)))

    def root(self, vector: Any) -> Any:
        """Square roots."""
        kind = self.ir.FunctionType(vector.type, [vector.type])
        return self.b.call(
            self._cgutils.get_or_insert_function(self.b.module, kind, f"llvm.sqrt.v{LANES}f64"), [vector]
        )

    def beside(self, x: Any, y: Any, z: Any) -> list[Any]:
        """The elements of three vectors beside each other, ``x0 y0 z0 x1 ...``, as three vectors."""
        index = self.ir.VectorType(self.ir.IntType(32), 2 * LANES)
        pair = self.b.shuffle_vector(x, y, index(list(range(2 * LANES))))
        last = self.b.shuffle_vector(z, z, index(list(range(2 * LANES))))
        places = [k // 3 + (0, LANES, 2 * LANES)[k % 3] for k in range(3 * LANES)]
        third = self.ir.VectorType(self.ir.IntType(32), LANES)
        return [self.b.shuffle_vector(pair, last, third(places[k * LANES : (k + 1) * LANES])) for k in range(3)]

    def within(self, count: Any) -> Any:
        """Which elements are among the first ``count``."""
        steps = self.ir.VectorType(count.type, LANES)([count.type(step) for step in range(LANES)])
        return self.b.icmp_signed("<", steps, self.every(count))

    def least(self, a: Any, b: Any) -> Any:
        """The lesser of each two."""
        return self.b.select(self.b.fcmp_ordered("<", a, b), a, b)

    def greatest(self, a: Any, b: Any) -> Any:
        """The greater of each two."""
        return self.b.select(self.b.fcmp_ordered(">", a, b), a, b)

    def ceil(self, vector: Any) -> Any:
        """Rounded up, 32 bits."""
        kind = self.ir.FunctionType(vector.type, [vector.type])
        function = self._cgutils.get_or_insert_function(self.b.module, kind, f"llvm.ceil.v{LANES}f64")
        return self.b.fptosi(self.b.call(function, [vector]), self.ir.VectorType(self.ir.IntType(32), LANES))

    def bits(self, mask: Any) -> Any:
        """A mask as one number."""
        return self.b.bitcast(mask, self.ir.IntType(LANES))

    def any(self, mask: Any) -> Any:
        """Whether a mask has any element."""
        return self.b.icmp_unsigned("!=", self.bits(mask), self.ir.IntType(LANES)(0))


def _emit_draw(v: _Vectors) -> Any:
    b, i, face = v.b, v.number(2, "int64"), v.numbers(9, "int64")
    columns = b.fadd(v.numbers(4, "float64"), v.floats(range(LANES)))
    q = b.fadd(v.numbers(5, "float64"), b.fmul(v.numbers(6, "float64"), columns))
    q = v.least(v.greatest(q, v.numbers(7, "float64")), v.numbers(8, "float64"))
    depth_there, face_there = v.read(0, i), v.read(1, i)
    earlier = b.and_(b.fcmp_ordered("==", q, depth_there), b.icmp_signed("<", face, face_there))
    nearer = b.and_(b.or_(b.fcmp_ordered(">", q, depth_there), earlier), v.within(v.number(3, "int64")))
    with b.if_then(v.any(nearer)):
        v.write(b.select(nearer, q, depth_there), 0, i)
        v.write(b.select(nearer, face, face_there), 1, i)
    return v.context.get_dummy_value()


def _emit_rows(v: _Vectors) -> Any:
    b, i = v.b, v.number(3, "int64")
    row, x0, y0, x1, y1, long, upper, lower, q0, gy, back, width = (v.numbers(k, "float64") for k in range(4, 16))
    half, zero = v.floats([_CENTRE] * LANES), v.floats([0.0] * LANES)
    y = b.fadd(b.fadd(row, v.floats(range(LANES))), half)
    below = b.fsub(y, y0)
    one, upper_edge = b.fadd(x0, b.fmul(below, long)), b.fadd(x0, b.fmul(below, upper))
    lower_edge = b.fadd(x1, b.fmul(b.fsub(y, y1), lower))
    other = b.select(b.fcmp_ordered("<", y, y1), upper_edge, lower_edge)
    left = v.least(v.greatest(v.least(one, other), zero), b.fadd(width, v.floats([1.0] * LANES)))
    right = v.least(v.greatest(v.greatest(one, other), zero), width)
    for array, edge in enumerate((left, right)):
        v.write(v.ceil(b.fsub(edge, half)), array, i)
    v.write(b.fsub(b.fadd(q0, b.fmul(gy, below)), back), 2, i)
    return v.context.get_dummy_value()


def _emit_seen(v: _Vectors) -> Any:
    seen = v.b.fcmp_ordered("<=", v.read(0, v.number(1, "int64")), v.numbers(3, "float64"))
    return v.any(v.b.and_(seen, v.within(v.number(2, "int64"))))


def _emit_new_or_seen(v: _Vectors) -> Any:
    i = v.number(2, "int64")
    seen = v.b.fcmp_ordered("<=", v.read(0, i), v.numbers(4, "float64"))
    new = v.b.icmp_unsigned("!=", v.read(1, i), v.numbers(5, "uint16"))
    return v.any(v.b.and_(v.b.or_(seen, new), v.within(v.number(3, "int64"))))


def _emit_stamp(v: _Vectors) -> Any:
    i, instance, within = v.number(1, "int64"), v.numbers(3, "uint16"), v.within(v.number(2, "int64"))
    there = v.read(0, i)
    v.write(v.b.select(within, instance, there), 0, i)
    new = v.b.and_(v.b.icmp_unsigned("!=", there, instance), within)
    return v.b.zext(v.b.ctpop(v.bits(new)), v.ir.IntType(64))


def _emit_fill(v: _Vectors) -> Any:
    v.write(v.numbers(2, str(v.dtype(0))), 0, v.number(1, "int64"))
    return v.context.get_dummy_value()


def _emit_blend(v: _Vectors) -> Any:
    b, slot, i, step, y = v.b, v.number(1, "int64"), v.number(3, "int64"), v.number(4, "int64"), v.numbers(5, "float64")
    x = b.fadd(b.fadd(v.numbers(3, "float64"), v.floats(range(LANES))), v.floats([_CENTRE] * LANES))

    def setup(k: int) -> Any:
        return v.element(0, b.add(slot, slot.type(k)))

    def sum_of(values: Sequence[Any]) -> Any:
        return b.fadd(b.fadd(values[0], values[1]), values[2])

    weights = [sum_of((b.fmul(setup(k), x), b.fmul(setup(k + 1), y), setup(k + 2))) for k in (0, 3, 6)]
    for axis in range(3):
        v.write(sum_of([b.fmul(weights[k], setup(9 + 3 * k + axis)) for k in range(3)]), 2, v.further(i, step, axis))
    v.write(sum_of(weights), 2, v.further(i, step, 3))
    return v.context.get_dummy_value()


def _emit_unit(v: _Vectors) -> Any:
    b, i, step, at = v.b, v.number(1, "int64"), v.number(2, "int64"), v.number(4, "int64")
    x, y, z, side = (v.read(0, v.further(i, step, axis)) for axis in range(4))
    length = v.root(b.fadd(b.fadd(b.fmul(x, x), b.fmul(y, y)), b.fmul(z, z)))
    zero, one, other = (v.floats([value] * LANES) for value in (0.0, 1.0, -1.0))
    scale, there = (
        b.fdiv(b.select(b.fcmp_ordered(">", side, zero), one, other), length),
        b.fcmp_ordered(">", length, zero),
    )
    single = v.ir.VectorType(v.ir.FloatType(), LANES)
    axes = [b.fptrunc(b.select(there, b.fmul(axis, scale), zero), single) for axis in (x, y, z)]
    for k, some in enumerate(v.beside(*axes)):
        v.write(some, 3, b.add(at, at.type(k * LANES)))
    return v.context.get_dummy_value()


def _step(emit: Callable[[_Vectors], Any], result: str, arguments: tuple[Any, ...]) -> Any:
    """A step's types and how it is built, as numba wants them."""
    from numba.core import types

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return emit(_Vectors(context, builder, signature.args, values))

    return getattr(types, result)(*arguments), code


# What numba calls with the types of the arguments; it reads how many there are, and the first is its own.


def _draw_step(
    _: Any, depth: Any, hit: Any, i: Any, n: Any, col: Any, q: Any, gx: Any, low: Any, high: Any, face: Any
) -> Any:
    return _step(_emit_draw, "void", (depth, hit, i, n, col, q, gx, low, high, face))


def _row_step(
    _: Any, first: Any, end: Any, q: Any, i: Any, row: Any, x0: Any, y0: Any, x1: Any, y1: Any, long: Any, upper: Any,
    lower: Any, q0: Any, gy: Any, back: Any, width: Any,
) -> Any:  # fmt: skip
    numbers = x0, y0, x1, y1, long, upper, lower, q0, gy, back, width
    return _step(_emit_rows, "void", (first, end, q, i, row, *numbers))


def _seen_step(_: Any, depth: Any, i: Any, n: Any, closest: Any) -> Any:
    return _step(_emit_seen, "boolean", (depth, i, n, closest))


def _new_or_seen_step(_: Any, depth: Any, stamp: Any, i: Any, n: Any, closest: Any, instance: Any) -> Any:
    return _step(_emit_new_or_seen, "boolean", (depth, stamp, i, n, closest, instance))


def _stamp_step(_: Any, stamp: Any, i: Any, n: Any, instance: Any) -> Any:
    return _step(_emit_stamp, "int64", (stamp, i, n, instance))


def _fill_step(_: Any, out: Any, i: Any, value: Any) -> Any:
    return _step(_emit_fill, "void", (out, i, value))


def _blend_step(_: Any, setups: Any, slot: Any, sums: Any, i: Any, step: Any, y: Any) -> Any:
    return _step(_emit_blend, "void", (setups, slot, sums, i, step, y))


def _unit_step(_: Any, sums: Any, i: Any, step: Any, out: Any, at: Any) -> Any:
    return _step(_emit_unit, "void", (sums, i, step, out, at))


draw_lanes: Any = _draw_lanes if intrinsic is None else intrinsic(_draw_step)
row_lanes: Any = _row_lanes if intrinsic is None else intrinsic(_row_step)
is_seen: Any = _is_seen if intrinsic is None else intrinsic(_seen_step)
is_new_or_seen: Any = _is_new_or_seen if intrinsic is None else intrinsic(_new_or_seen_step)
stamp_lanes: Any = _stamp_lanes if intrinsic is None else intrinsic(_stamp_step)
fill_lanes: Any = _fill_lanes if intrinsic is None else intrinsic(_fill_step)
blend_lanes: Any = _blend_lanes if intrinsic is None else intrinsic(_blend_step)
unit_lanes: Any = _unit_lanes if intrinsic is None else intrinsic(_unit_step)
