"""Vehicles drawn with the curves of a relative: published sizes of their own, other ends, lamps, grilles and load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from renderer.zones.catalogue import Zone

from .cabin import End
from .commercial import LORRY
from .details import Details
from .family import CAR_ROWS, Family, Points, panels, raised
from .passenger import ESTATE, HATCHBACK, PICKUP, SALOON, SUV, TAXI
from .tub import Panel
from .wheel import WheelShape

__all__ = ["RELATIVES", "resized"]


def resized(
    base: Family, name: str, source: str, size: tuple[float, float, float], axles: tuple[float, float], **changes: Any
) -> Family:
    """A family stretched to other sizes.

    Args:
        base: whose curves are taken.
        name: of the new model.
        source: vehicle that the sizes are those of.
        size: length, width, height, metres.
        axles: front overhang and wheelbase, metres.
        changes: fields that are drawn anew, in the new sizes.
    """
    length, width, height = size
    overhang, wheelbase = axles
    old = (0.0, base.overhang, base.overhang + base.wheelbase, base.length)
    new = (0.0, overhang, overhang + wheelbase, length)
    wider, taller = width / base.width, height / base.height

    def d(at: float) -> float:
        return float(np.interp(at, old, new))

    def points(curve: Points, factor: float) -> Points:
        return tuple((d(at), value * factor) for at, value in curve)

    stretched: dict[str, Any] = {
        "front": _end(base.front, d), "rear": _end(base.rear, d),
        "shoulder": points(base.shoulder, taller), "top": points(base.top, taller), "roof": points(base.roof, taller),
        "roof_half": points(base.roof_half, wider), "posts": tuple((d(a), d(b), w) for a, b, w in base.posts),
        "doors": tuple(d(at) for at in base.doors), "handles": tuple((d(at), z * taller) for at, z in base.handles),
        "mirror": (d(base.mirror[0]), base.mirror[1], base.mirror[2] * taller),
        "rows": raised(base.rows, 0.0, taller), "sill": base.sill * taller, "front_plate": base.front_plate * taller,
        "bonnet": base.bonnet and (d(base.bonnet[0]), d(base.bonnet[1])),
        "marks": {key: d(at) for key, at in base.marks.items()}, "tip_z": base.tip_z * taller,
        "details": _taller(base.details, taller),
    }  # fmt: skip
    if base.body_width:
        stretched["body_width"] = base.body_width * wider
    sizes = {"length": length, "width": width, "height": height, "overhang": overhang, "wheelbase": wheelbase}
    return replace(base, name=name, source=source, **(sizes | stretched | changes))


def _end(end: End, d: Callable[[float], float]) -> End:
    """A screen at stretched distances."""
    (belt, belt_corner), (roof, roof_corner) = end.belt_m, end.roof_m
    return replace(end, belt_m=(d(belt), d(belt_corner)), roof_m=(d(roof), d(roof_corner)))


def _taller(details: Details, factor: float) -> Details:
    """Details at stretched heights."""

    def up(height: float | None) -> float | None:
        return height and height * factor

    def bar(at: tuple[float, float] | None) -> tuple[float, float] | None:
        return at and (at[0] * factor, at[1])

    return replace(
        details, rear_plate=details.rear_plate * factor, badges=(up(details.badges[0]), up(details.badges[1])),
        letters=up(details.letters), front_bar=bar(details.front_bar), rear_bar=bar(details.rear_bar),
    )  # fmt: skip


_SUPERMINI = resized(
    HATCHBACK, "supermini", "VW Polo (6R, 2009): technical data 3970 x 1682 x 1462, wheelbase 2470; tyres 185/60 R15",
    (3.970, 1.682, 1.462), (0.810, 2.470), tyre=WheelShape(0.185, 0.60, 15, spokes=6, segments=24),
    across={"grille": 0.5, "lamp_in": 0.54, "tail_in": 0.74}, tail_lamp=0.2, tips=1,
    panels=panels(tail=("lamp_lo", "roll"), plate=("lamp_lo", "lamp_hi")),
)  # fmt: skip

_LIFTBACK = resized(
    HATCHBACK, "liftback", "Toyota Prius (XW30, 2009): brochure 4460 x 1745 x 1490, wheelbase 2700; tyres 195/65 R15",
    (4.460, 1.745, 1.490), (0.925, 2.700), tyre=WheelShape(0.195, 0.65, 15, spokes=5),
    front=End((0.92, 1.26), (2.05, 2.2)), posts=((2.55, 2.62, 0.09),),
    rear=End((4.30, 4.12), (3.20, 3.1), glass=(0.2, 0.94), glass_f=0.95,
             curve=((0, 0), (0.5, 0.4), (1, 1)), pillar_m=(0.06, 0.4, 0.16)),
    roof=((2.0, 1.43), (2.35, 1.485), (2.6, 1.490), (3.0, 1.465), (3.25, 1.43)),
    top=((0.19, 0.78), (0.35, 0.86), (0.9, 0.98), (1.2, 1.03), (2.1, 1.03), (4.0, 1.08), (4.46, 1.05)),
    tail_lamp=0.22, across={"grille": 0.4, "lamp_in": 0.6, "tail_in": 0.8}, nose=(0.8, 2.3),
    panels=panels(grille=("bumper", "ledge"), tail=("lamp_lo", "roll")),
    details=Details(rear_plate=0.82, badges=(0.67, 0.96), letters=None, rear_wiper=True),
)  # fmt: skip

_COMPACT_SALOON = resized(
    SALOON, "compact_saloon",
    "Toyota Corolla (E170, 2013): brochure 4620 x 1775 x 1460, wheelbase 2700; tyres 195/65 R15",
    (4.620, 1.775, 1.460), (0.925, 2.700), tyre=WheelShape(0.195, 0.65, 15, spokes=6, segments=24), tips=1,
    rear=End((4.10, 3.90), (3.42, 3.32), glass=(0.06, 0.92), curve=((0, 0), (0.5, 0.48), (1, 1)),
             pillar_m=(0.06, 0.22, 0.16)),
    across={"grille": 0.5, "lamp_in": 0.52, "tail_in": 0.6}, tail_lamp=0.3,
    panels=panels(grille=("lamp_lo", "lamp_hi")),
    details=Details(rear_plate=0.77, badges=(0.67, 0.885), letters=0.885, rear_bar=(0.85, 0.3)),
)  # fmt: skip

_MIDSIZE_SALOON = resized(
    TAXI, "midsize_saloon",
    "Toyota Camry (XV50, 2012): brochure 189.2 x 71.7 x 57.9 in, wheelbase 109.3 in; tyres 205/65 R16",
    (4.806, 1.821, 1.471), (0.970, 2.776), tyre=WheelShape(0.205, 0.65, 16, spokes=5, spoke_share=0.55), parts=None,
    roof=((2.14, 1.40), (2.5, 1.45), (2.9, 1.471), (3.3, 1.455), (3.52, 1.42)),
    rear=End((4.30, 4.06), (3.52, 3.42), glass=(0.06, 0.92), curve=((0, 0), (0.5, 0.5), (1, 1)),
             pillar_m=(0.06, 0.3, 0.2)),
    shoulder=((0.3, 0.80), (0.9, 0.90), (1.6, 0.945), (3.2, 0.985), (4.3, 1.0), (4.6, 0.985)),
    top=((0.19, 0.74), (0.35, 0.82), (0.9, 0.93), (1.42, 1.01), (2.5, 1.02), (4.0, 1.06), (4.5, 1.06), (4.75, 1.02)),
    rows=CAR_ROWS, sill=0.21, front_plate=0.47, tip_z=0.27, mirror=(1.8, 0.01, 1.0), bonnet=(0.36, 1.42),
    handles=((2.52, 0.89), (3.5, 0.91)), across={"grille": 0.45, "lamp_in": 0.55, "tail_in": 0.64}, tail_lamp=0.32,
    panels=panels(grille=("bumper", "lamp_hi"), tail=("lamp_lo", "lamp_hi")),
    details=Details(rear_bar=(0.872, 0.34), badges=(0.64, 0.915), letters=None, front_bar=(0.6, 0.36)),
)  # fmt: skip

_LARGE_SALOON = resized(
    TAXI, "large_saloon",
    "Ford Crown Victoria (1998): brochure 212.0 x 78.2 x 56.8 in, wheelbase 114.7 in; tyres 225/60 R16",
    (5.385, 1.986, 1.443), (1.080, 2.913), tyre=WheelShape(0.225, 0.60, 16, spokes=8, segments=24, spoke_share=0.6),
    parts=None, front=End((1.65, 1.95), (2.45, 2.6)),
    rear=End((4.30, 4.12), (3.70, 3.6), glass=(0.08, 0.9), curve=((0, 0), (0.5, 0.48), (1, 1)),
             pillar_m=(0.06, 0.28, 0.24)),
    roof=((2.4, 1.37), (2.75, 1.42), (3.1, 1.443), (3.5, 1.43), (3.75, 1.395)),
    shoulder=((0.3, 0.78), (1.0, 0.86), (1.9, 0.91), (3.4, 0.93), (4.4, 0.945), (5.2, 0.93)),
    top=((0.19, 0.72), (0.35, 0.79), (1.0, 0.90), (1.75, 0.965), (2.7, 0.98), (4.1, 1.0), (5.0, 1.01), (5.3, 0.98)),
    roof_half=((2.5, 0.60), (3.1, 0.62), (3.75, 0.57)), posts=((3.05, 3.1, 0.1),), doors=(2.0, 3.07, 4.02),
    handles=((2.9, 0.84), (3.85, 0.85)), mirror=(2.1, 0.01, 0.97), bonnet=(0.36, 1.75), rows=CAR_ROWS,
    sill=0.21, front_plate=0.47, tip_z=0.26, nose=(0.6, 3.0), tail=(0.5, 3.4), open_panes=(0,),
    across={"grille": 0.45, "lamp_in": 0.5, "tail_in": 0.72}, tail_lamp=0.14,
    panels=panels(),
    details=Details(front_bar=(0.68, 0.4), badges=(None, 0.91), letters=0.91),
)  # fmt: skip

_MINIVAN = resized(
    ESTATE, "minivan",
    "Honda Odyssey (RL3, 2005): brochure 201.0 x 77.1 x 68.8 in, wheelbase 118.1 in; tyres 235/65 R16",
    (5.105, 1.958, 1.748), (0.975, 3.000), tyre=WheelShape(0.235, 0.65, 16, spokes=6, segments=24),
    front=End((0.92, 1.3), (1.95, 2.15)), parts=None, crown=0.05,
    rear=End((5.0, 4.84), (4.82, 4.68), glass=(0.1, 0.84), glass_f=0.93,
             curve=((0, 0), (0.5, 0.3), (0.84, 0.68), (1, 1)), pillar_m=(0.06, 0.14, 0.14)),
    roof=((1.95, 1.62), (2.4, 1.72), (2.9, 1.748), (4.3, 1.735), (4.83, 1.68)),
    roof_half=((2.0, 0.62), (2.9, 0.65), (4.8, 0.61)),
    shoulder=((0.3, 0.90), (0.9, 0.99), (1.6, 1.02), (3.3, 1.05), (4.9, 1.08)),
    top=((0.19, 0.84), (0.35, 0.93), (0.9, 1.05), (1.2, 1.11), (2.1, 1.11), (5.1, 1.08)),
    rows=raised(CAR_ROWS, 0.02, 1.08), sill=0.23, bonnet=(0.36, 1.05), mirror=(1.6, 0.02, 1.1), arch=0.06,
    across={"grille": 0.5, "lamp_in": 0.55, "tail_in": 0.8}, tail_lamp=0.2, tips=1,
    panels=panels(tail=("lamp_lo", "shoulder"), lid=("ledge", "lamp_lo")),
    details=Details(rear_plate=0.873, badges=(0.71, 0.995), letters=None, rear_bar=(0.965, 0.4), lip=0.1,
                    rear_wiper=True, front_bar=(0.74, 0.4)),
)  # fmt: skip

_CROSSOVER = resized(
    SUV, "crossover",
    "Honda CR-V (2007): brochure 177.9 x 71.6 x 66.1 in, wheelbase 103.1 in; tyres 225/65 R17",
    (4.519, 1.819, 1.679), (0.940, 2.619), tyre=WheelShape(0.225, 0.65, 17, spokes=5), parts=None,
    rear=End((4.44, 4.28), (4.02, 3.86), glass=(0.1, 0.82), glass_f=0.92, pillar_m=(0.06, 0.26, 0.2),
             curve=((0, 0), (0.5, 0.33), (0.84, 0.7), (1, 1))),
    roof=((1.8, 1.60), (2.2, 1.665), (2.6, 1.679), (3.4, 1.65), (4.03, 1.58)), tail_lamp=0.16,
    across={"grille": 0.5, "lamp_in": 0.56, "tail_in": 0.84}, open_panes=(0,),
    panels=panels(grille=("lamp_lo", "lamp_hi"), tail=("lamp_hi", "shoulder"), plate=("lamp_lo", "lamp_hi"),
                  lid=("ledge", "lamp_hi")),
)  # fmt: skip

_LARGE_SUV = resized(
    ESTATE, "large_suv",
    "Chevrolet Tahoe (2007): brochure 202.0 x 79.0 x 76.9 in, wheelbase 116.0 in; tyres 265/70 R17",
    (5.131, 2.007, 1.953), (1.000, 2.946), tyre=WheelShape(0.265, 0.70, 17, spokes=5, spoke_share=0.6),
    front=End((1.45, 1.7), (2.02, 2.2)), parts=None, crown=0.05,
    rear=End((5.06, 4.95), (4.88, 4.78), glass=(0.08, 0.84), glass_f=0.94, pillar_m=(0.06, 0.12, 0.12),
             curve=((0, 0), (0.5, 0.33), (0.84, 0.7), (1, 1))),
    roof=((2.0, 1.86), (2.4, 1.93), (2.9, 1.953), (4.3, 1.945), (4.89, 1.89)),
    roof_half=((2.1, 0.69), (2.9, 0.71), (4.9, 0.67)),
    shoulder=((0.3, 1.08), (0.9, 1.16), (1.6, 1.19), (3.3, 1.21), (5.0, 1.22)),
    top=((0.17, 1.04), (0.33, 1.11), (0.9, 1.19), (1.55, 1.24), (2.3, 1.24), (5.13, 1.22)),
    rows=raised(CAR_ROWS, 0.12, 1.18), sill=0.38, bonnet=(0.36, 1.5), mirror=(1.85, 0.04, 1.3), arch=0.08,
    flare=0.02, mirror_size=(0.11, 0.13, 0.1), front_plate=0.68, tip_z=0.42, tips=1, nose=(0.5, 3.0), tail=(0.25, 3.8),
    across={"grille": 0.62, "lamp_in": 0.66, "tail_in": 0.86}, tail_lamp=0.16, handles=((2.42, 1.08), (3.42, 1.09)),
    panels=panels(grille=("bumper", "lamp_hi"), lamp=("lamp_lo", "lamp_hi"), tail=("lamp_lo", "shoulder"),
                  lid=("ledge", "lamp_lo")),
    details=Details(rear_plate=1.05, badges=(0.9, None), letters=None, lip=0.12, rear_wiper=True, front_bar=(0.86, 0.5),
                    rear_bar=(1.19, 0.4)),
)  # fmt: skip

_OFF_ROADER = resized(
    SUV, "off_roader",
    "Mercedes-Benz G-Class (W463, 2012): technical data 4662 x 1760 x 1951, wheelbase 2850; tyres 265/60 R18",
    (4.662, 1.760, 1.951), (0.860, 2.850), tyre=WheelShape(0.265, 0.60, 18, spokes=5, spoke_share=0.6), parts=None,
    front=End((1.55, 1.62), (1.85, 1.93), curve=((0, 0), (0.5, 0.5), (1, 1))), crown=0.04,
    rear=End((4.60, 4.54), (4.54, 4.48), glass=(0.08, 0.8), glass_f=0.9, pillar_m=(0.05, 0.1, 0.1),
             curve=((0, 0), (0.5, 0.45), (1, 1))),
    roof=((1.83, 1.90), (2.1, 1.935), (2.6, 1.951), (4.0, 1.95), (4.55, 1.925)),
    roof_half=((1.9, 0.66), (2.6, 0.67), (4.5, 0.66)), belt_in=0.05,
    shoulder=((0.2, 1.16), (0.9, 1.19), (1.6, 1.21), (4.6, 1.22)),
    top=((0.12, 1.15), (0.3, 1.18), (0.9, 1.22), (1.5, 1.24), (2.3, 1.24), (4.66, 1.22)),
    rows=raised(CAR_ROWS, 0.16, 1.12), sill=0.42, arch=0.08, flare=0.04, nose=(0.25, 4.0), tail=(0.14, 4.5),
    bonnet=(0.28, 1.5), mirror=(1.8, 0.04, 1.3), mirror_size=(0.09, 0.12, 0.1), lamp_d=0.14, front_plate=0.68,
    across={"grille": 0.5, "lamp_in": 0.56, "tail_in": 0.8}, tail_lamp=0.1, doors=(1.7, 2.6, 3.5), tip_z=0.45,
    handles=((2.45, 1.08), (3.35, 1.08)), posts=((2.6, 2.62, 0.1), (3.55, 3.55, 0.1)),
    panels=panels(grille=("lamp_lo", "lamp_hi"), tail=("intake_hi", "lamp_lo"), plate=None, lid=("ledge", "shoulder")),
    details=Details(rear_plate=0.76, plate_recess=0.0, badges=(0.9, None), letters=None, framed=False),
)  # fmt: skip

_FULLSIZE_PICKUP = resized(
    PICKUP, "fullsize_pickup",
    "Ford F-150 SuperCrew (2009): brochure 231.9 x 78.9 x 76.2 in, wheelbase 144.5 in; tyres 235/75 R17",
    (5.890, 2.004, 1.935), (0.960, 3.670), tyre=WheelShape(0.235, 0.75, 17, spokes=5, spoke_share=0.6),
    across={"tail_in": 0.86, "grille": 0.6, "lamp_in": 0.64, "lid": 0.84}, sill=0.46, tail_lamp=0.14, tips=1,
    parts=None, panels=(
        *panels(grille=("bumper", "lamp_hi"), lamp=("lamp_lo", "lamp_hi"), tail=("lamp_lo", "roll"), plate=None),
        Panel(("intake_hi", "bumper"), ("tail_out", "-middle"), Zone.TRIM),
        Panel(("intake_hi", "bumper"), ("middle", "lamp_out"), Zone.TRIM),
    ),
    details=Details(rear_plate=0.80, plate_recess=0.0, badges=(0.95, 1.13), letters=1.0, front_bar=(0.95, 0.42)),
)  # fmt: skip

_SMALL_VAN = resized(
    SUV, "small_van", "VW Caddy (2010): technical data 4406 x 1794 x 1823, wheelbase 2682; tyres 195/65 R15",
    (4.406, 1.794, 1.823), (0.879, 2.682), category="van", tyre=WheelShape(0.195, 0.65, 15, spokes=6, segments=24),
    front=End((0.98, 1.28), (1.72, 1.9)), parts=None, panes=(True, False, False), crown=0.04,
    rear=End((4.36, 4.28), (4.26, 4.18), glass=(0.14, 0.74), glass_f=0.86, pillar_m=(0.05, 0.1, 0.1),
             curve=((0, 0), (0.6, 0.35), (1, 1))),
    roof=((1.7, 1.72), (2.1, 1.80), (2.6, 1.823), (3.9, 1.81), (4.27, 1.78)),
    roof_half=((1.8, 0.62), (2.5, 0.65), (4.2, 0.64)), belt_in=0.05,
    shoulder=((0.3, 0.90), (0.9, 0.98), (1.5, 1.01), (4.3, 1.05)),
    top=((0.17, 0.83), (0.33, 0.92), (0.9, 1.02), (1.2, 1.07), (2.1, 1.07), (4.406, 1.05)),
    rows=raised(CAR_ROWS, 0.0, 1.06), sill=0.24, flare=0.012, arch=0.06, mirror=(1.5, 0.03, 1.1), front_plate=0.52,
    handles=((2.34, 0.95), (2.7, 0.95)), tail=(0.2, 4.0), tail_lamp=0.1, tip_z=0.29, tips=1,
    across={"grille": 0.5, "lamp_in": 0.56, "tail_in": 0.88},
    panels=panels(grille=("lamp_lo", "lamp_hi"), tail=("lamp_lo", "shoulder"), lid=("ledge", "lamp_lo")),
    details=Details(rear_plate=0.84, badges=(0.68, 0.96), letters=None, framed=False),
)  # fmt: skip

_BOX_TRUCK = resized(
    LORRY, "box_truck",
    "Isuzu NPR (2008) with a box of 14 ft: wheelbase 132.5 in, as body builders fit it; tyres 215/85 R16",
    (6.600, 2.320, 3.150), (1.115, 3.366), tyre=WheelShape(0.215, 0.85, 16, spokes=8, segments=24, dish_m=-0.03),
    body_width=2.0,
)  # fmt: skip

_LOADED_ESTATE = replace(
    ESTATE, name="loaded_estate", height=1.886,
    source="as estate, with a roof box of 2.1 m whose lid is 0.41 m above the roof",
    parts=None, details=replace(ESTATE.details, roof_box=(2.2, 4.3), framed=True),
)  # fmt: skip

RELATIVES = (
    _SUPERMINI, _LIFTBACK, _COMPACT_SALOON, _MIDSIZE_SALOON, _LARGE_SALOON, _MINIVAN, _CROSSOVER, _LARGE_SUV,
    _OFF_ROADER, _FULLSIZE_PICKUP, _SMALL_VAN, _BOX_TRUCK, _LOADED_ESTATE,
)  # fmt: skip
