"""What the compiled loops of :mod:`.pixels` turn into apparent temperatures; :mod:`.physics` says by which formula."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.view import CameraView
from .balance import Balance
from .surface import Lattice

__all__ = [
    "Cars",
    "Parts",
    "Passes",
    "Scene",
    "Surfaces",
    "Surroundings",
    "Tables",
    "transmittance_distances_m",
]

Floats = NDArray[np.float64]

# Rows of the table of transmittance: exponent and 6 bits of mantissa of a float32.
TRANSMITTANCE_SHIFT, TRANSMITTANCE_FIRST_ROW, _TRANSMITTANCE_LAST_ROW = 17, 124 << 6, 138 << 6


class Passes(NamedTuple):
    """What the camera sees; arrays are (H, W)."""

    depth_m: NDArray[np.float32]
    zone: NDArray[np.uint8]
    instance_id: NDArray[np.uint16]
    part: NDArray[np.uint16]
    """1 + index of the mesh."""
    normal: NDArray[np.float32]
    """(H, W, 3) world, unit length."""


class Surfaces(NamedTuple):
    """Each zone's surface; arrays are (256,) by zone."""

    emissivity: Floats
    """At normal incidence."""
    mirror: Floats
    """Share of what is reflected that comes from one direction, 0-1."""
    grazing: Floats
    """How far reflectance rises at grazing incidence, 0-1."""
    base_K: Floats
    """Temperature before sun and sky."""
    variation_K: Floats
    """Size of the pattern inside the zone."""


class Cars(NamedTuple):
    """The frame's R - 1 cars; row 0 stands for an id that no instance explains."""

    row_of_id: NDArray[np.int32]
    """(65536,)"""
    world_to_model: Floats
    """(R, 3, 4)"""
    base_K: Floats
    """(R, 32) by zone: temperature before sun and sky."""
    variation_K: Floats
    """(R, 32) by zone."""
    sun_gain: Floats
    """(R, 32) by zone: share of a standing car's warming by the sun that is left."""
    gloss: Floats
    """(R, 32) by zone: share of its mirror that dirt has left."""
    half_length_m: Floats
    """(R,) as all that follow."""
    half_width_m: Floats
    height_m: Floats
    sky_gain: Floats
    """Share of a standing car's cooling by the sky."""
    shift: Floats
    """Where in the noise the car's patterns begin."""


class Parts(NamedTuple):
    """The frame's P - 1 meshes, by part number; row 0 stands for none."""

    world_to_wheel: Floats
    """(P, 3, 4) metres from the hub, y along the axle; 0 for what is no wheel."""
    wheel_radius_m: Floats
    """(P,) 0: not a wheel."""
    origin_z_m: Floats
    """(P,) height of the mesh's origin in the world, of those with :data:`Zone.PERSON`."""


class Surroundings(NamedTuple):
    """What surfaces mirror, and what the air does; radiances in W m-2 sr-1."""

    sky_mean: Floats
    """(512,) as the next two, by square root of the sine of elevation: the sky without its clouds' shapes."""
    sky_clear: Floats
    sky_cloud: Floats
    """What a cloud adds to the clear sky."""
    air: float
    """Radiance of a black body at air temperature."""
    ground: float
    walls: float
    """Of houses and trees."""
    hemisphere: float
    """Mean of the whole sky weighted by cosine."""
    cloud_cover: float
    """0-1."""
    cloud_contrast: float
    """Of the clouds' shapes; 0: none."""
    canopy: float
    """How fast trees and houses give way to the sky with the sine of elevation; 2 in a street with some trees."""
    dappled_sun: float
    """Share of the sun on the ground that trees and houses beyond the picture keep away in places."""
    air_K: float
    foliage_K: float
    """Warming of leaves by the sun, whichever way they face."""


class Tables(NamedTuple):
    """Functions of one number that are looked up."""

    transmittance: Floats
    """At :func:`transmittance_distances_m`."""
    radiance: NDArray[np.float32]
    """:attr:`.planck.BandTable.forward`"""
    temperature: NDArray[np.float32]
    """:attr:`.planck.BandTable.inverse`"""


class Scene(NamedTuple):
    """All that a frame's temperatures follow from, besides its passes."""

    camera: CameraView
    street_heading_rad: float
    """Direction of the street's patterns, counter-clockwise from the world's x axis."""
    lattice: Lattice
    surfaces: Surfaces
    balance: Balance
    cars: Cars
    parts: Parts
    surroundings: Surroundings
    tables: Tables


def transmittance_distances_m() -> Floats:
    """Rising distances at which the table of transmittance is made: 64 equal steps in each octave from 1/8 m to 2 km.

    So the bits of a distance's float32 are its place in the table.
    """
    steps = np.arange(TRANSMITTANCE_FIRST_ROW, _TRANSMITTANCE_LAST_ROW + 1, dtype=np.int32) << TRANSMITTANCE_SHIFT
    return steps.view(np.float32).astype(np.float64)
