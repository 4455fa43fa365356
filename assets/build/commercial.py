"""Vans, bus and lorry: published sizes of production vehicles, and the curves that draw them.

Distances run backwards from the front bumper, heights from the ground, all in metres.
"""

from __future__ import annotations

from dataclasses import replace

from renderer.zones.catalogue import Zone

from .cabin import End
from .details import Details
from .family import Family, panels, raised
from .parts import Part, block, both_sides, container, exhaust
from .tub import Panel, Row
from .wheel import WheelShape

__all__ = ["BUS", "DELIVERY_VAN", "LORRY", "VAN"]

VAN_ROWS = (
    Row("bottom", (0.21, 0.23, 0.10), (0.0, 0.05), (0.30, 0.30, 0.08)),
    Row("lip", (0.27, 0.28, 0.02), (0.08, 0.015), (0.36, 0.36, 0.01)),
    Row("intake_hi", (0.46, 0.47, 0.0), (0.3, 0.0), (0.50, 0.50, 0.0)),
    Row("bumper", (0.62, 0.63, 0.01), (0.5, 0.0), (0.59, 0.59, 0.0)),
    Row("ledge", (0.63, 0.64, 0.013), (0.51, 0.0), (0.605, 0.605, 0.03)),
    Row("lamp_lo", (0.70, 0.72, 0.04), (0.62, 0.003), (0.77, 0.76, 0.032)),
    Row("lamp_hi", (0.86, 0.95, 0.10), (0.84, 0.01), (1.08, 1.08, 0.035)),
    Row("roll", (0.91, 1.0, 0.14), (0.94, 0.022), (1.14, 1.14, 0.04)),
    Row("shoulder", (0.95, 1.03, 0.22), (1.0, 0.045), (1.2, 1.2, 0.05)),
)


def _van_parts(car: Family) -> list[Part]:
    """Post between the rear doors, rail of the sliding door."""
    rail_y = car.width / 2 - 0.035
    return [
        lambda mesh: mesh.tube(
            [(car.x(4.875), 0, 0.45), (car.x(4.885), 0, 1.2), (car.x(4.84), 0, 1.86)], 0.025, Zone.BODY, 8
        ),
        both_sides(block((car.x(4.6), rail_y - 0.02, 1.08), (car.x(3.35), rail_y + 0.012, 1.11), Zone.BODY, 0.006)),
    ]


VAN = Family(
    "van", "van", "VW Transporter T6 panel van (2015): technical data 4904 x 1904 x 1990, wheelbase 3000; "
    "tyres 205/65 R16 C",
    4.904, 1.904, 1.990, 3.0, 0.908, WheelShape(0.205, 0.65, 16, spokes=8, spoke_share=0.6, dish_m=0.0, segments=24),
    (0.75, 0.75, 0.73),
    front=End((0.62, 0.98), (1.42, 1.66)),
    rear=End((4.86, 4.79), (4.80, 4.74), glass=(0.06, 0.72), glass_f=0.88, pillar_m=(0.05, 0.07, 0.07),
             curve=((0, 0), (0.8, 0.35), (1, 1))),
    shoulder=((0.3, 1.03), (0.9, 1.13), (1.3, 1.16), (4.8, 1.2)),
    top=((0.22, 0.95), (0.36, 1.02), (0.7, 1.14), (1.0, 1.22), (2.0, 1.22), (4.9, 1.2)),
    roof=((1.42, 1.87), (1.8, 1.955), (2.4, 1.985), (3.6, 1.99), (4.7, 1.955), (4.81, 1.93)),
    belt_in=0.045, roof_half=((1.5, 0.70), (2.2, 0.735), (4.8, 0.72)),
    side_curve=((0, 0), (0.5, 0.3), (0.8, 0.58), (0.92, 0.78), (1, 1)), window=(0.04, 0.74),
    posts=((2.05, 2.18, 0.1), (3.4, 3.4, 0.1)), panes=(True, False, False), bonnet=(0.30, 0.78),
    mirror=(1.3, 0.06, 1.3), mirror_size=(0.1, 0.12, 0.16),
    doors=(1.12, 2.1, 3.3), handles=((1.95, 1.02), (2.3, 1.02)), rows=VAN_ROWS, sill=0.25, arch=0.06,
    nose=(0.7, 2.8), tail=(0.2, 4.0), tail_lamp=0.12, across={"tail_in": 0.88}, front_plate=0.56, tip_z=0.3,
    panels=panels(plate=("ledge", "lamp_lo"), lid=("ledge", "shoulder")),
    details=Details(rear_plate=0.69, badges=(0.8, 1.0), letters=0.9),
    parts=_van_parts,
)  # fmt: skip

BUS_ROWS = (
    Row("bottom", (0.30, 0.30, 0.10), (0.0, 0.05), (0.36, 0.36, 0.08)),
    Row("lip", (0.36, 0.36, 0.02), (0.06, 0.01), (0.42, 0.42, 0.01)),
    Row("lamp_lo", (0.58, 0.60, 0.0), (0.3, 0.0), (0.62, 0.62, 0.0)),
    Row("lamp_hi", (0.74, 0.78, 0.0), (0.5, 0.0), (0.78, 0.78, 0.0)),
    Row("grille_hi", (0.9, 0.92, 0.01), (0.75, 0.0), (1.18, 1.18, 0.0)),
    Row("roll", (0.98, 1.0, 0.02), (0.96, 0.005), (1.28, 1.28, 0.01)),
    Row("shoulder", (1.02, 1.05, 0.05), (1.0, 0.02), (1.32, 1.32, 0.03)),
)

BUS_DOORS = (0.55, 1.75), (5.35, 6.65)


def _bus_parts(car: Family) -> list[Part]:
    """Doors on the kerb side, air conditioning on the roof, engine's exhaust."""
    parts: list[Part] = []
    for d0, d1 in BUS_DOORS:
        half, y = (d1 - d0) / 2, -car.width / 2
        for k in range(2):
            x1 = car.x(d0 + k * half) - 0.03
            parts.append(block((x1 - half + 0.06, y - 0.004, 0.42), (x1, y + 0.2, 2.45), Zone.GLASS, 0.004))
    parts.append(block((car.x(4.6), -0.75, 2.8), (car.x(2.4), 0.75, car.height), Zone.ROOF, 0.06))
    parts.append(block((car.x(11.3), -0.8, 2.8), (car.x(9.6), 0.8, car.height - 0.04), Zone.ROOF, 0.06))
    parts.append(exhaust(-car.nose_x + 0.06, 0.8, 0.34, car.x(9.6), radius=0.05))
    return parts


BUS = Family(
    "bus", "bus",
    "Mercedes-Benz Citaro two-door (C628.083): technical information 11950 x 2550 x 3076, wheelbase 5845; "
    "tyres 275/70 R22.5",
    11.950, 2.550, 3.076, 5.845, 2.705,
    WheelShape(0.275, 0.70, 22.5, spokes=8, spoke_share=0.67, dish_m=-0.03, segments=24), (0.62, 0.47, 0.05),
    front=End((0.06, 0.42), (0.34, 0.62), glass=(0.02, 0.80), pillar_m=(0.06, 0.10, 0.10),
    curve=((0, 0), (0.7, 0.4), (1, 1))),
    rear=End((11.92, 11.84), (11.82, 11.74), glass=(0.36, 0.86), glass_f=0.85, pillar_m=(0.06, 0.14, 0.14),
             curve=((0, 0), (0.8, 0.4), (1, 1))),
    shoulder=((0.2, 1.05), (0.5, 1.06), (1.0, 1.2), (1.6, 1.3), (11.9, 1.32)),
    top=((0.05, 1.02), (0.5, 1.08), (1.6, 1.3), (11.9, 1.32)),
    roof=((0.3, 2.86), (0.6, 2.92), (1.5, 2.95), (11.2, 2.95), (11.82, 2.88)),
    belt_in=0.02, roof_half=((0.5, 1.10), (1.5, 1.13), (11.8, 1.12)),
    side_curve=((0, 0), (0.7, 0.22), (0.85, 0.45), (0.94, 0.7), (1, 1)), window=(0.05, 0.74), crown=0.07,
    posts=((1.95, 1.95, 0.08), (3.5, 3.5, 0.06), (5.05, 5.05, 0.06), (6.75, 6.75, 0.06), (8.2, 8.2, 0.06),
           (9.65, 9.65, 0.08), (11.0, 11.0, 0.08)), panes=(True,) * 7 + (False,),
    bonnet=None, mirror=(0.25, 0.1, 2.1), mirror_size=(0.07, 0.11, 0.22), rows=BUS_ROWS, sill=0.32, arch=0.06,
    nose=(0.42, 3.2), tail=(0.18, 4.0), tail_lamp=0.1, spacing=0.35, twin=True, exhausts=False, front_plate=0.5,
    details=Details(rear_plate=0.55, plate_recess=0.0, badges=(0.82, None), letters=None, framed=False),
    across={"grille": 0.5, "lamp_in": 0.6, "tail_in": 0.86, "cover": 0.8}, lamp_d=0.34,
    panels=(
        Panel(("lamp_hi", "grille_hi"), ("middle", "grille"), Zone.GRILLE, 0.02),
        Panel(("lamp_lo", "lamp_hi"), ("lamp_in", "lamp_out"), Zone.LAMP),
        Panel(("lamp_lo", "grille_hi"), ("tail_out", "-tail_in"), Zone.LAMP),
        Panel(("lamp_lo", "grille_hi"), ("-cover", "-middle"), Zone.BONNET, 0.01),
    ),
    parts=_bus_parts,
)  # fmt: skip

CAB_ROWS = (
    Row("bottom", (0.34, 0.36, 0.12), (0.0, 0.06), (0.7, 0.7, 0.02)),
    Row("lip", (0.42, 0.42, 0.02), (0.08, 0.01), (0.75, 0.75, 0.0)),
    Row("lamp_lo", (0.56, 0.58, 0.0), (0.25, 0.0), (0.85, 0.85, 0.0)),
    Row("lamp_hi", (0.74, 0.78, 0.0), (0.4, 0.0), (0.95, 0.95, 0.0)),
    Row("bumper", (0.88, 0.90, 0.02), (0.55, 0.0), (1.05, 1.05, 0.0)),
    Row("grille_hi", (1.30, 1.30, 0.03), (0.8, 0.0), (1.3, 1.3, 0.0)),
    Row("panel_hi", (1.50, 1.50, 0.04), (0.95, 0.004), (1.5, 1.5, 0.0)),
    Row("shoulder", (1.57, 1.57, 0.08), (1.0, 0.02), (1.57, 1.57, 0.02)),
)


def _lorry_parts(car: Family) -> list[Part]:
    """Box body, frame, tank, guards, lamps, exhaust."""
    front, rear, half = car.x(2.2), -car.nose_x, car.width / 2
    axle = car.axles[1]
    return [
        container((rear, -half, 1.02), (front, half, car.height)),
        block((rear + 0.02, -half + 0.06, 0.94), (front - 0.05, half - 0.06, 1.03), Zone.UNDERBODY),
        both_sides(block((rear + 0.25, 0.36, 0.62), (car.x(1.2), 0.46, 0.95), Zone.UNDERBODY)),
        block((car.x(3.5), 0.5, 0.45), (car.x(2.5), 1.12, 0.9), Zone.BODY, 0.06),
        block((car.x(3.2), -1.1, 0.5), (car.x(2.6), -0.55, 0.88), Zone.EXHAUST, 0.08),
        lambda mesh: mesh.tube([(car.x(3.2), -0.9, 0.55), (car.x(3.7), -0.9, 0.5), (car.x(3.8), -1.1, 0.46)], 0.05,
                               Zone.EXHAUST, 10),
        both_sides(block((axle.x_m - 0.6, 0.75, 0.9), (axle.x_m + 0.6, half - 0.02, 0.95), Zone.UNDERBODY)),
        block((rear + 0.05, -1.1, 0.42), (rear + 0.17, 1.1, 0.54), Zone.UNDERBODY),
        both_sides(block((rear + 0.02, 0.78, 0.72), (rear + 0.12, 1.16, 0.86), Zone.LAMP)),
        both_sides(block((axle.x_m + 0.7, half - 0.1, 0.45), (car.x(3.6), half - 0.06, 0.85), Zone.BODY)),
        block((axle.x_m - 0.3, -0.3, 0.25), (axle.x_m + 0.25, 0.3, 0.62), Zone.UNDERBODY, 0.08),
        block((car.x(1.9), -0.4, 0.45), (car.x(0.6), 0.4, 0.9), Zone.UNDERBODY, 0.08),
    ]  # fmt: skip


LORRY = Family(
    "lorry", "truck",
    "Mercedes-Benz Atego 1224 L with box body: wheelbase 4760, width 2550 as Directive 96/53/EC allows; "
    "tyres 265/70 R19.5",
    8.550, 2.550, 3.600, 4.760, 1.270,
    WheelShape(0.265, 0.70, 19.5, spokes=8, spoke_share=0.67, dish_m=-0.03, segments=24), (0.55, 0.55, 0.53),
    front=End((0.09, 0.34), (0.42, 0.62), glass=(0.03, 0.84), pillar_m=(0.06, 0.09, 0.09),
    curve=((0, 0), (0.7, 0.5), (1, 1))),
    rear=End((1.93, 1.90), (1.88, 1.86), glass=None, pillar_m=(0.05, 0.5, 0.5), curve=((0, 0), (1, 1))),
    shoulder=((0.1, 1.57), (1.9, 1.57)), top=((0.1, 1.57), (1.9, 1.57)),
    roof=((0.4, 2.56), (0.7, 2.64), (1.3, 2.68), (1.9, 2.66)),
    belt_in=0.025, roof_half=((0.5, 0.95), (1.0, 0.98), (1.9, 0.98)), window=(0.0, 0.72),
    side_curve=((0, 0), (0.5, 0.25), (0.8, 0.5), (0.92, 0.75), (1, 1)), crown=0.07,
    bonnet=None, body_length=1.95, body_width=2.30, mirror=(0.42, 0.13, 2.0), mirror_size=(0.08, 0.1, 0.24),
    rows=CAB_ROWS, sill=0.42, arch=0.07, nose=(0.36, 3.2), tail=(0.1, 5.0), tail_lamp=7.0, spacing=0.2, twin=True,
    track_in=0.04, exhausts=False, front_plate=0.48, across={"grille": 0.8, "lamp_in": 0.62}, lamp_d=0.3,
    panels=(
        Panel(("lip", "lamp_lo"), ("middle", "lamp_in"), Zone.GRILLE, 0.02),
        Panel(("bumper", "grille_hi"), ("middle", "grille"), Zone.GRILLE, 0.02),
        Panel(("lamp_lo", "lamp_hi"), ("lamp_in", "lamp_out"), Zone.LAMP),
        Panel(("grille_hi", "panel_hi"), ("middle", "corner"), Zone.BONNET),
    ),
    parts=_lorry_parts,
    details=Details(rear_plate=0.62, plate_recess=0.0, badges=(1.1, None), letters=None, framed=False),
)  # fmt: skip

DELIVERY_VAN = replace(
    VAN, name="delivery_van",
    source="VW Crafter high-roof panel van (2017): technical data 5986 x 2040 x 2590, wheelbase 3640; "
    "tyres 235/65 R16 C",
    length=5.986, width=2.040, height=2.590, wheelbase=3.640, overhang=1.0,
    tyre=WheelShape(0.235, 0.65, 16, spokes=8, spoke_share=0.6, dish_m=0.0, segments=24), paint=(0.8, 0.55, 0.02),
    front=End((0.70, 1.02), (1.52, 1.78), glass=(0.03, 0.78), curve=((0, 0), (0.7, 0.55), (1, 1))),
    rear=End((5.95, 5.87), (5.87, 5.81), glass=(0.08, 0.5), glass_f=0.86, pillar_m=(0.05, 0.07, 0.07),
             curve=((0, 0), (0.8, 0.4), (1, 1))),
    shoulder=((0.3, 1.10), (1.0, 1.22), (1.4, 1.26), (5.9, 1.30)),
    top=((0.22, 1.03), (0.36, 1.10), (0.75, 1.23), (1.1, 1.31), (2.0, 1.31), (5.98, 1.30)),
    roof=((1.5, 2.38), (1.9, 2.52), (2.5, 2.585), (3.6, 2.59), (5.7, 2.56), (5.88, 2.52)),
    roof_half=((1.6, 0.78), (2.2, 0.83), (5.9, 0.82)), window=(0.04, 0.55), posts=((2.1, 2.2, 0.1), (3.6, 3.6, 0.1)),
    mirror=(1.35, 0.1, 1.42), mirror_size=(0.1, 0.12, 0.2), rows=raised(VAN_ROWS, 0.0, 1.08), sill=0.28,
    doors=(1.2, 2.15, 3.5), handles=((2.0, 1.1), (2.3, 1.1)), front_plate=0.6, bonnet=(0.30, 0.86), parts=None,
    spacing=0.2, details=Details(rear_plate=0.745, badges=(0.86, 1.08), letters=0.97),
)  # fmt: skip
