"""All pixels of a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...geometry.edge_samples import SAMPLE_GRID, EdgeSamples
from ...optional import fast_kernel
from ...zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone
from ..ground import GroundEffects
from ..kernels import Passes, Scene
from ..surface import Lattice, wrapped
from .objects import object_pixels
from .order import FIRST_OBJECT, ROW_SHIFT, Order, in_order
from .radiance import Air, Levels, air_of, levels_of
from .street import Flat, sky_pixels, street_pixels

__all__ = ["render", "render_samples"]


def render(passes: Passes, ground: GroundEffects, scene: Scene, cars_only: bool, out: NDArray[np.float32]) -> None:
    """Fill ``out`` (H, W), contiguous, with kelvin.

    Pixels of one zone, and of one object's zone, go in step: what they have in common is told to the loop once, and
    none waits for what only another kind needs.

    Args:
        passes: what the camera sees.
        ground: what cars do to it.
        scene: all else that temperatures follow from.
        cars_only: leave all pixels without an instance at air temperature.
        out: the temperatures.
    """
    passes = Passes(*map(np.ascontiguousarray, passes))
    order = in_order(passes, scene.cars.row_of_id, len(scene.cars.shift), cars_only)
    if cars_only:
        out.fill(scene.surroundings.air_K)
    flat = Flat(
        out.shape[1], passes.depth_m.reshape(-1), passes.part.reshape(-1), passes.normal.reshape(-1),
        ground.heat_K.reshape(-1), ground.shade.reshape(-1), out.reshape(-1),
    )  # fmt: skip
    around = scene.surroundings
    air, levels = air_of(around, scene.tables.transmittance), levels_of(around)
    _render(flat, order, wrapped(scene.lattice), scene, air, levels)


def render_samples(samples: EdgeSamples, scene: Scene) -> NDArray[np.float32]:
    """Kelvin of the S sub-samples of pixels, all of objects' zones.

    Args:
        samples: of the frame.
        scene: as for :func:`render`, of the whole frame.
    """
    out = np.empty(samples.zone.size, np.float32)
    alone = Passes(
        samples.depth_m[None], samples.zone[None], samples.instance_id[None], samples.part[None], samples.normal[None]
    )
    order = in_order(alone, scene.cars.row_of_id, len(scene.cars.shift), True)
    order = order._replace(places=((samples.row << ROW_SHIFT) + samples.column)[order.numbers])
    nothing = np.zeros(1, np.float32)  # of the ground, which no object asks
    flat = Flat(out.size, samples.depth_m, samples.part, samples.normal.reshape(-1), nothing, nothing, out)
    view, around = scene.camera, scene.surroundings
    finer = view._replace(**{name: SAMPLE_GRID * getattr(view, name) for name in ("fx", "fy", "cx", "cy")})
    air, levels = air_of(around, scene.tables.transmittance), levels_of(around)
    _render(flat, order, wrapped(scene.lattice), scene._replace(camera=finer), air, levels)
    return out


@fast_kernel
def _render(flat: Flat, order: Order, values: Lattice, scene: Scene, air: Air, levels: Levels) -> None:
    """Group after group."""
    for k in range(order.kinds.size):
        kind, start, end = order.kinds[k], order.starts[k], order.ends[k]
        if kind >= FIRST_OBJECT:
            car, zone = (kind - FIRST_OBJECT) // FIRST_ENVIRONMENT_ZONE, (kind - FIRST_OBJECT) % FIRST_ENVIRONMENT_ZONE
            object_pixels(flat, order.places, order.numbers, start, end, car, zone, values, scene, air, levels)
        elif kind == Zone.SKY:
            sky_pixels(flat, order.places, start, end, values, scene, air)
        else:
            street_pixels(flat, order.places, start, end, kind, values, scene, air, levels)
