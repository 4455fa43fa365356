"""Passenger cars and the pickup: published sizes of production cars, and the curves that draw them.

Distances run backwards from the front bumper, heights from the ground, all in metres.
"""

from __future__ import annotations

from dataclasses import replace

from renderer.zones.catalogue import Zone

from .cabin import End
from .details import Details
from .family import CAR_ROWS, Family, panels, raised, roof_rails
from .mesh import PolyMesh
from .parts import Part, block, both_sides
from .tub import Lid
from .wheel import WheelShape

__all__ = ["CITY_CAR", "COUPE", "ESTATE", "HATCHBACK", "PICKUP", "RACK_PICKUP", "SALOON", "SUV", "TAXI"]

HATCHBACK = Family(
    "hatchback", "car", "VW Golf Mk7 (2012): press release of 5 September 2012; tyres 205/55 R16",
    4.255, 1.799, 1.452, 2.637, 0.868, WheelShape(0.205, 0.55, 16), (0.35, 0.03, 0.03),
    front=End((1.02, 1.30), (1.80, 1.98)),
    rear=End((4.13, 3.98), (3.72, 3.6), glass=(0.1, 0.84), glass_f=0.93,
             curve=((0, 0), (0.5, 0.36), (0.84, 0.70), (1, 1)), pillar_m=(0.06, 0.40, 0.22)),
    shoulder=((0.3, 0.83), (0.868, 0.905), (1.5, 0.925), (3.1, 0.955), (4.05, 0.985)),
    top=((0.19, 0.76), (0.35, 0.84), (0.868, 0.935), (1.2, 1.0), (2.1, 1.0), (4.255, 0.97)),
    roof=((1.78, 1.375), (2.2, 1.435), (2.55, 1.452), (3.2, 1.432), (3.74, 1.36)),
    posts=((2.42, 2.5, 0.09), (3.34, 3.27, 0.05)), tips=2,
    doors=(1.42, 2.44, 3.42), handles=((2.25, 0.87), (3.22, 0.88)),
    details=Details(lip=0.13, rear_wiper=True, letters=None, front_bar=(0.69, 0.34)),
    panels=panels(tail_up=("lamp_hi", "roll")),
)  # fmt: skip

SALOON = Family(
    "saloon", "car", "BMW 3 Series (F30, 2012): technical data 4624 x 1811 x 1429, wheelbase 2810; tyres 205/60 R16",
    4.624, 1.811, 1.429, 2.810, 0.774, WheelShape(0.205, 0.60, 16), (0.05, 0.08, 0.2),
    front=End((1.22, 1.52), (2.12, 2.26)),
    rear=End((4.02, 3.80), (3.30, 3.22), glass=(0.06, 0.92), glass_f=1.0,
             curve=((0, 0), (0.5, 0.5), (1, 1)), pillar_m=(0.06, 0.30, 0.2)),
    shoulder=((0.3, 0.79), (0.8, 0.87), (1.5, 0.91), (3.1, 0.945), (4.0, 0.96), (4.4, 0.95)),
    top=((0.19, 0.72), (0.35, 0.80), (0.9, 0.905), (1.35, 0.975), (2.5, 0.98), (3.8, 1.03), (4.3, 1.035), (4.56, 1.0)),
    roof=((2.08, 1.355), (2.4, 1.405), (2.75, 1.429), (3.1, 1.42), (3.32, 1.395)),
    roof_half=((2.1, 0.555), (2.7, 0.57), (3.3, 0.53)),
    posts=((2.55, 2.62, 0.09),),
    rows=raised(CAR_ROWS, -0.02, 0.98), tail_lamp=0.34, bonnet=(0.36, 1.35), mirror=(1.72, 0.01, 0.97), tips=2,
    doors=(1.55, 2.6, 3.62), handles=((2.42, 0.85), (3.4, 0.87)),
    nose=(0.8, 2.5), tail=(0.6, 2.7),
    across={"kidney": 0.05, "grille": 0.36, "lamp_in": 0.48, "tail_in": 0.56},
    panels=panels(grille_from="kidney"),
    details=Details(rear_plate=0.755, badges=(0.665, 0.865), letters=0.865),
)  # fmt: skip

ESTATE = Family(
    "estate", "car", "VW Passat Variant B8 (2014): technical data 4767 x 1832 x 1516, wheelbase 2786; tyres 215/55 R17",
    4.767, 1.832, 1.516, 2.786, 0.899, WheelShape(0.215, 0.55, 17), (0.22, 0.23, 0.25),
    front=End((1.08, 1.38), (1.92, 2.08)),
    rear=End((4.66, 4.5), (4.35, 4.22), glass=(0.08, 0.84), glass_f=0.93,
             curve=((0, 0), (0.5, 0.38), (0.84, 0.72), (1, 1)), pillar_m=(0.06, 0.16, 0.16)),
    shoulder=((0.3, 0.82), (0.9, 0.90), (1.6, 0.93), (3.3, 0.96), (4.55, 0.99)),
    top=((0.19, 0.75), (0.35, 0.83), (0.9, 0.93), (1.3, 1.0), (2.1, 1.0), (4.767, 0.97)),
    roof=((1.9, 1.385), (2.3, 1.45), (2.75, 1.477), (3.6, 1.465), (4.36, 1.40)),
    roof_half=((1.9, 0.575), (2.7, 0.59), (4.3, 0.55)),
    posts=((2.58, 2.66, 0.09), (3.55, 3.5, 0.09)), across={"grille": 0.58, "lamp_in": 0.6, "tail_in": 0.72},
    bonnet=(0.36, 1.2), mirror=(1.55, 0.01, 1.0), tips=2,
    doors=(1.5, 2.6, 3.66), handles=((2.42, 0.87), (3.42, 0.88)),
    parts=lambda car: [roof_rails(car, 2.1, 4.2, 0.066)],
    panels=panels(tail=("lamp_lo", "roll")),
    details=Details(lip=0.1, rear_wiper=True, rear_bar=(0.905, 0.42), badges=(0.64, None), letters=None,
                    front_bar=(0.69, 0.38)),
)  # fmt: skip

SUV = Family(
    "suv", "car", "VW Tiguan II (2016): technical data 4486 x 1839 x 1643, wheelbase 2681; tyres 235/55 R18",
    4.486, 1.839, 1.643, 2.681, 0.905, WheelShape(0.235, 0.55, 18), (0.1, 0.11, 0.1),
    front=End((1.05, 1.33), (1.75, 1.92)),
    rear=End((4.36, 4.2), (4.12, 3.98), glass=(0.12, 0.82), glass_f=0.92,
             curve=((0, 0), (0.5, 0.36), (0.84, 0.72), (1, 1)), pillar_m=(0.06, 0.22, 0.18)),
    shoulder=((0.3, 1.01), (0.9, 1.065), (1.5, 1.08), (3.3, 1.10), (4.3, 1.14)),
    top=((0.17, 0.95), (0.33, 1.03), (0.9, 1.11), (1.25, 1.16), (2.1, 1.16), (4.486, 1.14)),
    roof=((1.73, 1.565), (2.1, 1.62), (2.6, 1.643), (3.4, 1.63), (4.13, 1.58)),
    roof_half=((1.8, 0.585), (2.5, 0.60), (4.0, 0.56)),
    posts=((2.5, 2.57, 0.09), (3.45, 3.4, 0.08)), bonnet=(0.36, 1.18), mirror=(1.5, 0.01, 1.16),
    doors=(1.45, 2.52, 3.52), handles=((2.34, 1.0), (3.32, 1.01)),
    rows=raised(CAR_ROWS, 0.07, 1.15), sill=0.30, arch=0.065, flare=0.025, front_plate=0.58, tip_z=0.33, tips=2,
    nose=(0.6, 2.8), tail=(0.45, 3.2), across={"grille": 0.55, "lamp_in": 0.6, "tail_in": 0.78}, tail_lamp=0.36,
    parts=lambda car: [roof_rails(car, 2.0, 3.9, 0.04)],
    panels=panels(grille=("bumper", "lamp_hi"), tail_up=("lamp_hi", "roll")),
    details=Details(rear_plate=0.98, badges=(0.8, 1.115), letters=1.1, lip=0.12, rear_wiper=True,
                    front_bar=(0.84, 0.4), rear_bar=(1.065, 0.3)),
)  # fmt: skip


def _housings(car: Family) -> Part:
    """What covers the rear wheels inside the bed."""
    return both_sides(block((car.x(4.58), 0.52, 0.6), (car.x(3.67), 0.83, 0.93), Zone.INTERIOR))


def _rack(car: Family) -> list[Part]:
    """Rack for ladders over cab and bed, a ladder on it, a chest across the bed behind the cab."""
    top, front, rear = car.height - 0.09, car.x(1.75), car.x(5.15)

    def frame(mesh: PolyMesh) -> None:
        mesh.tube([(front, 0.70, top), (rear, 0.70, top)], 0.025, Zone.UNDERBODY, 6)
        for d in (3.72, 5.12):
            mesh.tube([(car.x(d), 0.80, 1.15), (car.x(d), 0.70, top)], 0.025, Zone.UNDERBODY, 6)

    def across(mesh: PolyMesh) -> None:
        for x in (front + 0.05, car.x(3.72), rear - 0.05):
            mesh.tube([(x, -0.72, top + 0.02), (x, 0.72, top + 0.02)], 0.022, Zone.UNDERBODY, 6)
        for y in (0.05, 0.45):
            mesh.box((car.x(5.3), y - 0.015, top + 0.03), (car.x(2.0), y + 0.015, car.height), Zone.TRIM, 0.004)
        for d in (2.2 + 0.35 * k for k in range(9)):
            mesh.box((car.x(d), 0.06, top + 0.045), (car.x(d) + 0.03, 0.44, top + 0.075), Zone.TRIM, 0.004)
        mesh.box((car.x(4.25), -0.72, 0.95), (car.x(3.75), 0.72, 1.33), Zone.BODY, 0.02)

    return [_housings(car), both_sides(frame), across]


PICKUP = Family(
    "pickup", "car", "Ford Ranger T6 double cab (2012): technical data 5359 x 1850 x 1815, wheelbase 3220; "
    "tyres 265/65 R17",
    5.359, 1.850, 1.815, 3.220, 0.905, WheelShape(0.265, 0.65, 17, spokes=5, spoke_share=0.6), (0.35, 0.14, 0.02),
    front=End((1.25, 1.5), (1.85, 2.0)),
    rear=End((3.60, 3.55), (3.42, 3.36), glass=(0.1, 0.86), glass_f=0.9, pillar_m=(0.06, 0.14, 0.14)),
    shoulder=((0.3, 1.06), (0.9, 1.13), (1.5, 1.155), (3.5, 1.18), (5.2, 1.18)),
    top=((0.15, 1.0), (0.3, 1.07), (0.9, 1.16), (1.4, 1.21), (2.1, 1.22), (3.5, 1.185), (5.3, 1.185)),
    roof=((1.83, 1.735), (2.2, 1.795), (2.6, 1.815), (3.1, 1.80), (3.43, 1.77)),
    roof_half=((1.9, 0.60), (2.6, 0.61), (3.4, 0.58)),
    posts=((2.55, 2.6, 0.09),), bonnet=(0.36, 1.35), mirror=(1.68, 0.04, 1.27), mirror_size=(0.11, 0.13, 0.1),
    doors=(1.6, 2.56, 3.5), handles=((2.4, 1.07), (3.32, 1.08)),
    rows=raised(CAR_ROWS, 0.13, 1.2), sill=0.42, arch=0.08, flare=0.035, front_plate=0.68, tip_z=0.42,
    nose=(0.65, 2.8), tail=(0.16, 4.0), marks={"bed_front": 3.70, "bed_rear": 5.27},
    lids=[Lid(("bed_front", "bed_rear"), 0.92, Zone.INTERIOR, 0.45)], tail_lamp=0.16,
    across={"tail_in": 0.86, "grille": 0.55, "lamp_in": 0.6},
    parts=lambda car: [_housings(car)],
    panels=panels(grille=("bumper", "lamp_hi"), lamp=("bumper", "lamp_hi"), tail=("ledge", "roll"),
                  plate=None, lid=("ledge", "shoulder")),
    details=Details(rear_plate=0.755, plate_recess=0.0, badges=(0.9, 1.06), letters=0.92, front_bar=(0.94, 0.42)),
)  # fmt: skip

RACK_PICKUP = replace(
    PICKUP, name="rack_pickup", height=2.050, parts=_rack, paint=(0.7, 0.7, 0.7),
    source="as pickup, with a rack whose ladder ends 0.235 m above the roof",
)  # fmt: skip


CITY_CAR = Family(
    "city_car", "car", "Fiat 500 (2007): technical data 3546 x 1627 x 1488, wheelbase 2300; tyres 175/65 R14",
    3.546, 1.627, 1.488, 2.300, 0.690, WheelShape(0.175, 0.65, 14, spokes=6, segments=24, spoke_share=0.6, dish_m=0.01),
    (0.7, 0.65, 0.5),
    front=End((0.72, 0.98), (1.34, 1.52)),
    rear=End((3.42, 3.24), (2.92, 2.80), glass=(0.12, 0.84), glass_f=0.9,
             curve=((0, 0), (0.5, 0.34), (0.84, 0.70), (1, 1)), pillar_m=(0.06, 0.30, 0.18)),
    shoulder=((0.25, 0.82), (0.7, 0.91), (1.3, 0.935), (2.5, 0.97), (3.3, 0.985)),
    top=((0.19, 0.74), (0.33, 0.85), (0.6, 0.955), (0.95, 1.01), (2.0, 1.01), (3.546, 0.96)),
    roof=((1.32, 1.405), (1.6, 1.46), (1.95, 1.488), (2.5, 1.46), (2.95, 1.38)),
    roof_half=((1.4, 0.51), (2.0, 0.525), (2.9, 0.47)), posts=((2.15, 2.25, 0.09),),
    doors=(1.12, 2.2), handles=((2.0, 0.87),), mirror=(1.2, 0.01, 1.0), mirror_size=(0.1, 0.11, 0.085),
    nose=(0.55, 2.3), tail=(0.25, 2.8), arch=0.045, bonnet=(0.36, 0.9), lamp_d=0.46,
    across={"grille": 0.3, "lamp_in": 0.58, "tail_in": 0.8}, tail_lamp=0.3, tip_z=0.28,
    panels=panels(grille=("bumper", "lamp_lo"), lamp=("bumper", "lamp_hi")),
    details=Details(lip=0.07, rear_wiper=True, badges=(0.66, 0.905), letters=None, front_bar=(0.66, 0.3)),
)  # fmt: skip

COUPE = Family(
    "coupe", "car", "Audi TT coupe (8J, 2006): technical data 4178 x 1842 x 1352, wheelbase 2468; tyres 245/45 R17",
    4.178, 1.842, 1.352, 2.468, 0.878, WheelShape(0.245, 0.45, 17, spokes=5, spoke_share=0.5), (0.5, 0.5, 0.52),
    front=End((1.30, 1.58), (2.05, 2.18)),
    rear=End((3.86, 3.62), (2.98, 2.90), glass=(0.1, 0.93), glass_f=0.96,
             curve=((0, 0), (0.5, 0.42), (0.93, 0.9), (1, 1)), pillar_m=(0.06, 0.28, 0.12)),
    shoulder=((0.3, 0.78), (0.88, 0.86), (1.6, 0.875), (3.0, 0.92), (3.9, 0.91)),
    top=((0.19, 0.71), (0.35, 0.79), (0.9, 0.88), (1.45, 0.935), (2.5, 0.95), (3.6, 0.97), (3.95, 0.955), (4.15, 0.90)),
    roof=((2.03, 1.275), (2.3, 1.33), (2.6, 1.352), (2.85, 1.343), (3.0, 1.325)),
    roof_half=((2.0, 0.53), (2.6, 0.54), (3.0, 0.50)), posts=((2.95, 2.72, 0.06),),
    doors=(1.62, 2.85), handles=((2.68, 0.83),), mirror=(1.78, 0.01, 0.93), rows=raised(CAR_ROWS, -0.02, 0.95),
    nose=(0.85, 2.4), tail=(0.75, 2.5), bonnet=(0.36, 1.42), tail_lamp=0.36, tips=2,
    across={"grille": 0.5, "lamp_in": 0.5, "tail_in": 0.62},
    panels=panels(grille=("lip", "lamp_hi")),
    details=Details(rear_plate=0.73, badges=(0.6, 0.835), letters=None, framed=False),
)  # fmt: skip


def _taxi_parts(car: Family) -> list[Part]:
    """Lit sign on the roof."""
    return [block((car.x(2.5), -0.24, 1.44), (car.x(2.36), 0.24, car.height), Zone.LAMP, 0.02)]


TAXI = replace(
    SALOON, name="taxi",
    source="Mercedes-Benz E-Class (W212, 2009): technical data 4868 x 1854 x 1470 (with a roof sign of 0.12 m), "
    "wheelbase 2874; tyres 225/55 R16",
    length=4.868, width=1.854, height=1.590, wheelbase=2.874, overhang=0.842,
    tyre=WheelShape(0.225, 0.55, 16, spokes=6, segments=24),
    paint=(0.78, 0.72, 0.5), front=End((1.28, 1.58), (2.16, 2.32)),
    rear=End((4.18, 3.95), (3.48, 3.38), glass=(0.06, 0.92), curve=((0, 0), (0.5, 0.48), (1, 1)),
    pillar_m=(0.06, 0.26, 0.18)),
    shoulder=((0.3, 0.82), (0.84, 0.90), (1.6, 0.945), (3.2, 0.97), (4.2, 0.98), (4.6, 0.97)),
    top=((0.19, 0.76), (0.35, 0.84), (0.9, 0.94), (1.42, 1.01), (2.5, 1.02), (3.95, 1.05), (4.5, 1.045), (4.8, 1.0)),
    roof=((2.14, 1.395), (2.5, 1.448), (2.9, 1.470), (3.3, 1.455), (3.5, 1.425)),
    roof_half=((2.2, 0.575), (2.8, 0.59), (3.5, 0.55)), posts=((2.65, 2.74, 0.09),),
    doors=(1.6, 2.7, 3.72), handles=((2.52, 0.89), (3.5, 0.91)), mirror=(1.78, 0.01, 1.01), bonnet=(0.36, 1.4),
    rows=CAR_ROWS, across={"grille": 0.4, "lamp_in": 0.5, "tail_in": 0.55}, tips=1, parts=_taxi_parts,
    panels=panels(grille=("bumper", "lamp_hi")),
    details=Details(front_bar=(0.66, 0.3)),
)  # fmt: skip
