"""Relief of a car's skin that its mesh leaves out: creases, ledges, rounded bars, panels that are never quite flat.

A panel reflects a fourteenth of what it mirrors, and the sky is 20 to 60 K colder than the street. So a crease whose
upper side faces the sky shows as a dark line over a bright one, which is most of what is seen of a car's flank. The
relief turns normals only: it moves no outline. Its shapes and sizes are assumed after pictures of real cars.

Everything here is compiled into the loops of :mod:`.pixels`, and does single points and :mod:`.lanes` of them alike.
"""

from __future__ import annotations

from ..optional import inlined_kernel
from ..zones.catalogue import Zone
from .lanes.in_step import absolute, anywhere, choose, greatest, least
from .surface import Lattice, noise2

__all__ = ["mirror_share", "panel_tilt"]

_ENDS = 0.86
"""Share of the half length from which on nose and tail begin."""
_SIDES = 0.8
_BAR_M = 0.05
"""Width of bars, frames and badges. A pixel is one sample: where it is wider, it would be all metal or none of it."""


@inlined_kernel
def _crease(distance: float, width: float, soft: float) -> float:
    """Faces up by 1 above an edge, down by 1 below it, flat again at twice ``width``."""
    t = distance / (2.0 * width)
    s = greatest(0.0, 1.0 - t * t)
    tilt: float = s * s * least(1.0, greatest(-1.0, distance / soft))
    return tilt


@inlined_kernel
def panel_tilt(
    values: Lattice, zone: int, x: float, y: float, z: float, half_l: float, half_w: float, height: float,
    shift: float, fine: float,
) -> tuple[float, float, float]:  # fmt: skip
    """What the relief adds to the unit normal at a point, all in the model's axes (x forward, y left, z up).

    Args:
        values: the lattice.
        zone: of the point.
        x: metres, as y and z.
        y: to the left.
        z: above the ground.
        half_l: half length of the car, metres.
        half_w: half width.
        height: of the car.
        shift: what tells this car from others of its model.
        fine: size of a pixel on the surface, metres.
    """
    if zone == Zone.TRIM:  # bars and frames are round
        return 0.0 * x, 0.0 * x, 0.35 * least(1.0, _BAR_M / fine)
    if zone == Zone.GLASS:
        # Panes are bent more than panels, and what they mirror is drawn out and torn.
        wave = 0.05 * noise2(values, 2.3 * x + shift, 2.9 * y + 1.7 * z)
        return wave, wave, 0.0 * x
    if zone != Zone.BODY and zone != Zone.BONNET and zone != Zone.ROOF:
        return 0.0 * x, 0.0 * x, 0.0 * x
    wide = noise2(values, 2.1 * (x - y) + shift, 1.7 * (x + y) + 3.1 * z)
    near = noise2(values, 6.7 * (x + y), 7.9 * z + 5.3 * (x - y) + shift)
    keep = least(1.0, greatest(0.0, 1.25 - fine / 0.12))
    if zone != Zone.BODY:
        return 0.035 * wide + 0.03 * near * keep, 0.03 * wide - 0.03 * near * keep, 0.0 * x
    # Upright panels mirror the line between ground and sky: waves as large as a roof's would darken half of them.
    wave = 0.009 * wide + 0.008 * near * keep
    return wave, wave, wave + _folds(x / half_l, y / half_w, z / height, shift, fine / height)


@inlined_kernel
def _folds(u: float, v: float, w: float, shift: float, fine: float) -> float:
    """Tilt towards the sky by the folds of flanks, nose and tail at a height ``w``, as a share of the car's."""
    low, high = 0.37 * shift, 0.61 * shift
    low, high = low - int(low), high - int(high)
    soft = greatest(0.004, fine)
    on_end, on_side = absolute(u) > _ENDS, absolute(v) > _SIDES
    tilt = 0.0 * w
    if anywhere(on_side):
        side = 0.1 * _crease(w - 0.5 - 0.07 * high, 0.035, soft) + 0.08 * _crease(w - 0.29 - 0.06 * low, 0.03, soft)
        tilt = choose(on_side, side, tilt)
    if anywhere(on_end):  # edge of the bumper, the fold above the plate, the undercut near the ground
        ledge = 0.40 + 0.05 * low
        own = 0.2 * _crease(w - ledge, 0.02, soft) + 0.08 * _crease(w - 0.5 - 0.07 * high, 0.03, soft)
        tilt = choose(on_end, own - 0.3 * least(1.0, greatest(0.0, (0.24 - w) * 9.0)), tilt)
    return tilt


@inlined_kernel
def mirror_share(
    values: Lattice, zone: int, x: float, y: float, z: float, height: float, shift: float, gloss: float, fine: float
) -> float:
    """What dirt leaves of a point's mirror: beside the film of ``gloss``, what wheels throw up, low and in patches.

    A washed car (``gloss`` 1) has no spray. Of narrow bars of metal it is what they take of a pixel of size ``fine``.
    """
    if zone == Zone.TRIM:
        bars: float = least(1.0, _BAR_M / fine)
        return bars
    low = least(1.0, greatest(0.0, 1.5 - 3.0 * z / height))
    patches = 0.65 + 0.35 * noise2(values, 5.0 * (x - y) + shift, 7.0 * z + 3.0 * (x + y))
    share: float = gloss * (1.0 - 2.0 * least(0.45, 1.0 - gloss) * low * patches)
    return share
