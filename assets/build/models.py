"""The models: published sizes of production vehicles and the curves that draw them.

Distances ``d`` run backwards from the front bumper, as on a side elevation; heights from the ground; all in metres.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from renderer.zones import Zone

from .cabin import Cabin, End, Post
from .car import CarSpec
from .curves import Outline, Profile
from .parts import Part, axle_tubes, block, both_sides, container, exhaust, handles, mirrors, plate, rail
from .tub import Axle, Lid, Panel, Row, Tub
from .wheel import WheelShape

__all__ = ["MODELS"]

Points = Sequence[tuple[float, float]]

CAR_ROWS = (
    Row("bottom", (0.19, 0.21, 0.09), (0.0, 0.075), (0.27, 0.27, 0.1)),
    Row("lip", (0.235, 0.25, 0.02), (0.09, 0.03), (0.32, 0.31, 0.03)),
    Row("intake_hi", (0.40, 0.42, 0.0), (0.32, 0.006), (0.46, 0.46, 0.0)),
    Row("bumper", (0.53, 0.55, 0.01), (0.5, 0.0), (0.60, 0.60, 0.005)),
    Row("lamp_lo", (0.585, 0.62, 0.035), (0.62, 0.004), (0.68, 0.69, 0.03)),
    Row("lamp_hi", (0.70, 0.775, 0.085), (0.82, 0.012), (0.90, 0.91, 0.06)),
    Row("roll", (0.735, 0.81, 0.12), (0.93, 0.03), (0.94, 0.95, 0.075)),
    Row("shoulder", (0.76, 0.83, 0.19), (1.0, 0.075), (0.965, 0.975, 0.11)),
)


SHUT_LINE = 0.012
"""Width of the gap round a door: twice a real one, so that it takes a pixel at 5 m."""


def _raised(rows: Sequence[Row], lift: float, factor: float = 1.0) -> tuple[Row, ...]:
    """Rows with the heights of nose and tail stretched and lifted."""

    def up(end: tuple[float, float, float]) -> tuple[float, float, float]:
        return lift + factor * end[0], lift + factor * end[1], end[2]

    return tuple(replace(row, front=up(row.front), rear=up(row.rear)) for row in rows)


@dataclass(frozen=True)
class Family:
    """A car with one body: bonnet, cabin, and boot, tailgate or bed."""

    name: str
    category: str
    source: str
    length: float
    width: float
    height: float
    wheelbase: float
    overhang: float
    """From the front bumper to the front axle."""
    tyre: WheelShape
    paint: tuple[float, float, float]
    front: End
    """Windscreen, as distances d."""
    rear: End
    shoulder: Points
    """(d, height) along the edge between side and bonnet, belt or boot."""
    top: Points
    """(d, height) along the middle of bonnet and boot."""
    roof: Points
    belt_in: float = 0.07
    """How far the windows' lower edge lies inside the full width."""
    roof_half: Points = ((1.8, 0.575), (2.5, 0.59), (3.8, 0.545))
    belt_rise: float = 0.0
    """How much the windows' lower edge lies above the shoulder."""
    posts: Sequence[tuple[float, float, float]] = ()
    """(d on the belt, d on the roof, width)."""
    panes: Sequence[bool] | None = None
    window: tuple[float, float] = (0.04, 0.87)
    arch: float = 0.056
    """Gap between tyre and wheel arch."""
    track_in: float = 0.025
    """How far the tyres lie inside the full width."""
    rows: Sequence[Row] = CAR_ROWS
    nose: tuple[float, float] = (0.75, 2.5)
    tail: tuple[float, float] = (0.5, 2.8)
    sill: float = 0.21
    across: Mapping[str, float] = field(default_factory=dict)
    lamp_d: float = 0.52
    """How far the head lamps reach round the corner."""
    tail_lamp: float = 0.28
    panels: Sequence[Panel] | None = None
    lids: Sequence[Lid] = ()
    marks: Mapping[str, float] = field(default_factory=dict)
    """Further named columns, as distances d."""
    mirror: tuple[float, float, float] = (1.45, 0.01, 1.0)
    """d, distance of the housing's middle outside the width, height."""
    plates: tuple[float, float] = (0.47, 0.53)
    crown: float = 0.06
    side_curve: Points = ((0.0, 0.0), (0.45, 0.28), (0.87, 0.72), (0.95, 0.86), (1.0, 1.0))
    flare: float = 0.012
    parts: Callable[[Family], Sequence[Part]] | None = None
    tips: int = 1
    bonnet: tuple[float, float] | None = (0.36, 1.15)
    """Where the bonnet begins and ends, as distances d."""
    body_length: float | None = None
    """Length of the lofted body where that is not the whole vehicle: the cab of a lorry."""
    body_width: float | None = None
    twin: bool = False
    """Twin tyres on the rear axle."""
    spacing: float = 0.14
    exhausts: bool = True
    mirror_size: tuple[float, float, float] = (0.11, 0.12, 0.085)
    roof_zone: Zone = Zone.ROOF
    power: float = 2.6
    doors: Sequence[float] = ()
    """Shut lines of the doors, as distances d."""
    handles: Sequence[tuple[float, float]] = ()
    """Door handles as (d, height)."""
    tip_z: float = 0.27

    @property
    def nose_x(self) -> float:
        """x of the front bumper."""
        return self.length / 2

    def x(self, d: float) -> float:
        """x at a distance behind the front bumper."""
        return self.nose_x - d

    def profile(self, points: Points, lift: float = 0.0) -> Profile:
        """Profile over x from points over d."""
        return Profile([(self.x(d), z + lift) for d, z in points])

    def end(self, end: End) -> End:
        """A screen in x."""
        return replace(end, belt_m=tuple(self.x(d) for d in end.belt_m), roof_m=tuple(self.x(d) for d in end.roof_m))

    @property
    def outline(self) -> Outline:
        """The lofted body from above."""
        tail = self.x(self.body_length or self.length)
        # The published width is that over the flared arches, which stand where the body is a little narrower.
        half = (self.body_width or self.width) / 2 - 0.75 * self.flare
        return Outline(self.nose_x, tail, half, nose=self.nose, tail=self.tail)

    @property
    def axles(self) -> list[Axle]:
        """Front and rear axle."""
        radius = self.tyre.radius_m
        twins = (False, self.twin)
        return [Axle(self.x(d), radius, radius + self.arch, self.tyre.width_m, self.width - 2 * self.track_in, twin)
                for d, twin in zip((self.overhang, self.overhang + self.wheelbase), twins, strict=True)]  # fmt: skip


FAMILY_PANELS = (
    Panel(("lip", "intake_hi"), ("middle", "lamp_in"), Zone.GRILLE, 0.03),
    Panel(("lamp_lo", "lamp_hi"), ("middle", "grille"), Zone.GRILLE, 0.02),
    Panel(("lamp_lo", "lamp_hi"), ("lamp_in", "lamp_out"), Zone.LAMP),
    Panel(("lamp_lo", "lamp_hi"), ("tail_out", "-tail_in"), Zone.LAMP),
)


def _tub(car: Family) -> Tub:
    """Lower body of a family car."""
    across = {"grille": 0.62, "lamp_in": 0.66, "bonnet": 0.92, "tail_in": 0.6, **car.across}
    marks = {"lamp_out": car.lamp_d, "tail_out": car.length - car.tail_lamp, **car.marks}
    panels = list(FAMILY_PANELS if car.panels is None else car.panels)
    for k, d in enumerate(car.doors):
        marks |= {f"door{k}": d, f"door{k}_end": d + SHUT_LINE}
        panels.append(Panel(("lip", "shoulder"), (f"door{k}", f"door{k}_end"), Zone.BODY, 0.01))
    lids = list(car.lids)
    if car.bonnet:
        marks |= {"bonnet_front": car.bonnet[0], "cowl": car.bonnet[1]}
        lids.append(Lid(("bonnet_front", "cowl"), across["bonnet"], Zone.BONNET))
    return Tub(
        outline=car.outline, rows=car.rows, axles=[axle for axle in car.axles if axle.x_m > car.outline.rear_m],
        shoulder=car.profile(car.shoulder), top=car.profile(car.top), sill=Profile([(-1.0, car.sill), (1.0, car.sill)]),
        across=across, along={name: car.x(d) for name, d in marks.items()},
        panels=panels, lids=lids, floor_m=car.sill, flare_m=car.flare,
        spacing_m=car.spacing, crown_power=car.power,
    )  # fmt: skip


def _cabin(car: Family) -> Cabin:
    """Upper body of a family car."""
    ends = [car.rear.belt_m[1], car.front.belt_m[1]]
    stations = [car.x(d) for d in (ends[1], (ends[0] + ends[1]) / 2, ends[0])]
    return Cabin(
        front=car.end(car.front), rear=car.end(car.rear), belt=car.profile(car.shoulder, car.belt_rise),
        roof=car.profile(car.roof), roof_half=car.profile(car.roof_half),
        belt_half=Profile([(x, float(car.outline.half_width(x)) - car.belt_in) for x in stations]),
        posts=[Post(car.x(belt), car.x(roof), width) for belt, roof, width in car.posts],
        panes=car.panes, window=car.window, crown_m=car.crown, side_curve=car.side_curve,
        spacing_m=car.spacing, rows_m=car.spacing * 0.93, roof_zone=car.roof_zone,
    )  # fmt: skip


def _rails(car: Family, start: float, stop: float, lift: float) -> Part:
    """Roof rails between two distances d, ``lift`` above the roof's edge."""
    roof, half, share = car.profile(car.roof), car.profile(car.roof_half), 0.93
    path = []
    for t in (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0):
        x = car.x(start + t * (stop - start))
        skin = float(roof(x)) - car.crown * share**2.4
        path.append((x, share * float(half(x)), skin + (lift if 0.0 < t < 1.0 else -0.01)))
    return rail(path, 0.018, Zone.BODY)


def _family(car: Family) -> CarSpec:
    """Specification of a family car."""
    d, out, z = car.mirror
    parts: list[Part] = [
        mirrors(car.x(d), (car.body_width or car.width) / 2 + out, z, car.mirror_size),
        plate(car.nose_x, car.plates[0], front=True),
        plate(-car.nose_x, car.plates[1], front=False),
        handles([(car.x(at), (car.body_width or car.width) / 2 - 0.015, height) for at, height in car.handles]),
        axle_tubes([(axle.x_m, axle.wheel_radius_m, 0.4 * car.width) for axle in car.axles]),
        *(car.parts(car) if car.parts else ()),
    ]
    if car.exhausts:
        parts.append(exhaust(-car.nose_x + 0.04, 0.55, car.tip_z, car.x(car.overhang + 0.3), tips=car.tips))
    return CarSpec(
        car.name, car.category, car.source, car.length, car.width, car.height, car.wheelbase, car.paint,
        car.axles, [car.tyre, replace(car.tyre, twin=car.twin)], [_tub(car)], [_cabin(car)], parts,
    )  # fmt: skip


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
    rows=_raised(CAR_ROWS, -0.02, 0.98), tail_lamp=0.34, bonnet=(0.36, 1.35), mirror=(1.72, 0.01, 0.97), tips=2,
    doors=(1.55, 2.6, 3.62), handles=((2.42, 0.85), (3.4, 0.87)),
    nose=(0.8, 2.5), tail=(0.6, 2.7),
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
    posts=((2.58, 2.66, 0.09), (3.55, 3.5, 0.09)), across={"grille": 0.58, "lamp_in": 0.6, "tail_in": 0.7}, bonnet=(0.36, 1.2), mirror=(1.55, 0.01, 1.0), tips=2,
    doors=(1.5, 2.6, 3.66), handles=((2.42, 0.87), (3.42, 0.88)),
    parts=lambda car: [_rails(car, 2.1, 4.2, 0.066)],
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
    rows=_raised(CAR_ROWS, 0.07, 1.15), sill=0.30, arch=0.065, flare=0.025, plates=(0.58, 0.78), tip_z=0.33, tips=2,
    nose=(0.6, 2.8), tail=(0.45, 3.2), across={"grille": 0.55, "lamp_in": 0.6, "tail_in": 0.72}, tail_lamp=0.3,
    parts=lambda car: [_rails(car, 2.0, 3.9, 0.04)],
)  # fmt: skip

PICKUP = Family(
    "pickup", "car", "Ford Ranger T6 double cab (2012): technical data 5359 x 1850 x 1815, wheelbase 3220; tyres 265/65 R17",
    5.359, 1.850, 1.815, 3.220, 0.905, WheelShape(0.265, 0.65, 17, spokes=5, spoke_share=0.6), (0.35, 0.14, 0.02),
    front=End((1.25, 1.5), (1.85, 2.0)),
    rear=End((3.60, 3.55), (3.42, 3.36), glass=(0.1, 0.86), glass_f=0.9, pillar_m=(0.06, 0.14, 0.14)),
    shoulder=((0.3, 1.06), (0.9, 1.13), (1.5, 1.155), (3.5, 1.18), (5.2, 1.18)),
    top=((0.15, 1.0), (0.3, 1.07), (0.9, 1.16), (1.4, 1.21), (2.1, 1.22), (3.5, 1.185), (5.3, 1.185)),
    roof=((1.83, 1.735), (2.2, 1.795), (2.6, 1.815), (3.1, 1.80), (3.43, 1.77)),
    roof_half=((1.9, 0.60), (2.6, 0.61), (3.4, 0.58)),
    posts=((2.55, 2.6, 0.09),), bonnet=(0.36, 1.35), mirror=(1.68, 0.04, 1.27), mirror_size=(0.11, 0.13, 0.1),
    doors=(1.6, 2.56, 3.5), handles=((2.4, 1.07), (3.32, 1.08)),
    rows=_raised(CAR_ROWS, 0.13, 1.2), sill=0.42, arch=0.08, flare=0.035, plates=(0.68, 0.72), tip_z=0.42,
    nose=(0.65, 2.8), tail=(0.16, 4.0), marks={"bed_front": 3.70, "bed_rear": 5.27},
    lids=[Lid(("bed_front", "bed_rear"), 0.92, Zone.INTERIOR, 0.45)], tail_lamp=0.16, across={"tail_in": 0.86},
    parts=lambda car: [both_sides(block((car.x(4.58), 0.52, 0.6), (car.x(3.67), 0.83, 0.93), Zone.INTERIOR))],
)  # fmt: skip


VAN_ROWS = (
    Row("bottom", (0.21, 0.23, 0.10), (0.0, 0.05), (0.30, 0.30, 0.08)),
    Row("lip", (0.27, 0.28, 0.02), (0.08, 0.015), (0.36, 0.36, 0.01)),
    Row("intake_hi", (0.46, 0.47, 0.0), (0.3, 0.0), (0.50, 0.50, 0.0)),
    Row("bumper", (0.62, 0.63, 0.01), (0.5, 0.0), (0.62, 0.62, 0.02)),
    Row("lamp_lo", (0.70, 0.72, 0.04), (0.62, 0.003), (0.74, 0.74, 0.03)),
    Row("lamp_hi", (0.86, 0.95, 0.10), (0.84, 0.01), (1.08, 1.08, 0.035)),
    Row("roll", (0.91, 1.0, 0.14), (0.94, 0.022), (1.14, 1.14, 0.04)),
    Row("shoulder", (0.95, 1.03, 0.22), (1.0, 0.045), (1.2, 1.2, 0.05)),
)

def _van_parts(car: Family) -> list[Part]:
    """Post between the rear doors, rail of the sliding door."""
    rail_y = car.width / 2 - 0.035
    return [
        lambda mesh: mesh.tube([(car.x(4.875), 0, 0.45), (car.x(4.885), 0, 1.2), (car.x(4.84), 0, 1.86)], 0.025, Zone.BODY, 8),
        both_sides(block((car.x(4.6), rail_y - 0.02, 1.08), (car.x(3.35), rail_y + 0.012, 1.11), Zone.BODY, 0.006)),
    ]


VAN = Family(
    "van", "van", "VW Transporter T6 panel van (2015): technical data 4904 x 1904 x 1990, wheelbase 3000; tyres 205/65 R16 C",
    4.904, 1.904, 1.990, 3.0, 0.908, WheelShape(0.205, 0.65, 16, spokes=8, spoke_share=0.6, dish_m=0.0, segments=32), (0.75, 0.75, 0.73),
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
    nose=(0.7, 2.8), tail=(0.2, 4.0), tail_lamp=0.12, across={"tail_in": 0.88}, plates=(0.56, 0.68), tip_z=0.3,
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
    "bus", "bus", "Mercedes-Benz Citaro two-door (C628.083): technical information 11950 x 2550 x 3076, wheelbase 5845; "
    "tyres 275/70 R22.5",
    11.950, 2.550, 3.076, 5.845, 2.705,
    WheelShape(0.275, 0.70, 22.5, spokes=8, spoke_share=0.67, dish_m=-0.03, segments=24), (0.62, 0.47, 0.05),
    front=End((0.06, 0.42), (0.34, 0.62), glass=(0.02, 0.80), pillar_m=(0.06, 0.10, 0.10), curve=((0, 0), (0.7, 0.4), (1, 1))),
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
    nose=(0.42, 3.2), tail=(0.18, 4.0), tail_lamp=0.1, spacing=0.35, twin=True, exhausts=False, plates=(0.5, 0.55),
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
    "lorry", "truck", "Mercedes-Benz Atego 1224 L with box body: wheelbase 4760, width 2550 as Directive 96/53/EC allows; "
    "tyres 265/70 R19.5",
    8.550, 2.550, 3.600, 4.760, 1.270,
    WheelShape(0.265, 0.70, 19.5, spokes=8, spoke_share=0.67, dish_m=-0.03, segments=24), (0.55, 0.55, 0.53),
    front=End((0.09, 0.34), (0.42, 0.62), glass=(0.03, 0.84), pillar_m=(0.06, 0.09, 0.09), curve=((0, 0), (0.7, 0.5), (1, 1))),
    rear=End((1.93, 1.90), (1.88, 1.86), glass=None, pillar_m=(0.05, 0.5, 0.5), curve=((0, 0), (1, 1))),
    shoulder=((0.1, 1.57), (1.9, 1.57)), top=((0.1, 1.57), (1.9, 1.57)),
    roof=((0.4, 2.56), (0.7, 2.64), (1.3, 2.68), (1.9, 2.66)),
    belt_in=0.025, roof_half=((0.5, 0.95), (1.0, 0.98), (1.9, 0.98)), window=(0.0, 0.72),
    side_curve=((0, 0), (0.5, 0.25), (0.8, 0.5), (0.92, 0.75), (1, 1)), crown=0.07,
    bonnet=None, body_length=1.95, body_width=2.30, mirror=(0.42, 0.13, 2.0), mirror_size=(0.08, 0.1, 0.24),
    rows=CAB_ROWS, sill=0.42, arch=0.07, nose=(0.36, 3.2), tail=(0.1, 5.0), tail_lamp=7.0, spacing=0.2, twin=True,
    track_in=0.04, exhausts=False, plates=(0.48, 0.62), across={"grille": 0.8, "lamp_in": 0.62}, lamp_d=0.3,
    panels=(
        Panel(("lip", "lamp_lo"), ("middle", "lamp_in"), Zone.GRILLE, 0.02),
        Panel(("bumper", "grille_hi"), ("middle", "grille"), Zone.GRILLE, 0.02),
        Panel(("lamp_lo", "lamp_hi"), ("lamp_in", "lamp_out"), Zone.LAMP),
        Panel(("grille_hi", "panel_hi"), ("middle", "corner"), Zone.BONNET),
    ),
    parts=_lorry_parts,
)  # fmt: skip

CITY_CAR = Family(
    "city_car", "car", "Fiat 500 (2007): technical data 3546 x 1627 x 1488, wheelbase 2300; tyres 175/65 R14",
    3.546, 1.627, 1.488, 2.300, 0.690, WheelShape(0.175, 0.65, 14, spokes=6, spoke_share=0.6, dish_m=0.01), (0.7, 0.65, 0.5),
    front=End((0.72, 0.98), (1.34, 1.52)),
    rear=End((3.42, 3.24), (2.92, 2.80), glass=(0.12, 0.84), glass_f=0.9,
             curve=((0, 0), (0.5, 0.34), (0.84, 0.70), (1, 1)), pillar_m=(0.06, 0.30, 0.18)),
    shoulder=((0.25, 0.82), (0.7, 0.91), (1.3, 0.935), (2.5, 0.97), (3.3, 0.985)),
    top=((0.19, 0.74), (0.33, 0.85), (0.6, 0.955), (0.95, 1.01), (2.0, 1.01), (3.546, 0.96)),
    roof=((1.32, 1.405), (1.6, 1.46), (1.95, 1.488), (2.5, 1.46), (2.95, 1.38)),
    roof_half=((1.4, 0.51), (2.0, 0.525), (2.9, 0.47)), posts=((2.15, 2.25, 0.09),),
    doors=(1.12, 2.2), handles=((2.0, 0.87),), mirror=(1.2, 0.01, 1.0), mirror_size=(0.1, 0.11, 0.085),
    nose=(0.58, 2.3), tail=(0.3, 2.6), bonnet=(0.36, 0.9), lamp_d=0.46,
    across={"grille": 0.3, "lamp_in": 0.56, "tail_in": 0.8}, tail_lamp=0.3, tip_z=0.28,
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
    doors=(1.62, 2.85), handles=((2.68, 0.83),), mirror=(1.78, 0.01, 0.93), rows=_raised(CAR_ROWS, -0.02, 0.95),
    nose=(0.85, 2.4), tail=(0.75, 2.5), bonnet=(0.36, 1.42), tail_lamp=0.36, tips=2,
    across={"grille": 0.42, "lamp_in": 0.5, "tail_in": 0.62},
)  # fmt: skip


def _taxi_parts(car: Family) -> list[Part]:
    """Lit sign on the roof."""
    return [block((car.x(2.5), -0.24, 1.44), (car.x(2.36), 0.24, car.height), Zone.LAMP, 0.02)]


TAXI = replace(
    SALOON, name="taxi",
    source="Mercedes-Benz E-Class (W212, 2009): technical data 4868 x 1854 x 1470 (with a roof sign of 0.12 m), "
    "wheelbase 2874; tyres 225/55 R16",
    length=4.868, width=1.854, height=1.590, wheelbase=2.874, overhang=0.842, tyre=WheelShape(0.225, 0.55, 16, spokes=6),
    paint=(0.78, 0.72, 0.5), front=End((1.28, 1.58), (2.16, 2.32)),
    rear=End((4.18, 3.95), (3.48, 3.38), glass=(0.06, 0.92), curve=((0, 0), (0.5, 0.48), (1, 1)), pillar_m=(0.06, 0.26, 0.18)),
    shoulder=((0.3, 0.82), (0.84, 0.90), (1.6, 0.945), (3.2, 0.97), (4.2, 0.98), (4.6, 0.97)),
    top=((0.19, 0.76), (0.35, 0.84), (0.9, 0.94), (1.42, 1.01), (2.5, 1.02), (3.95, 1.05), (4.5, 1.045), (4.8, 1.0)),
    roof=((2.14, 1.395), (2.5, 1.448), (2.9, 1.470), (3.3, 1.455), (3.5, 1.425)),
    roof_half=((2.2, 0.575), (2.8, 0.59), (3.5, 0.55)), posts=((2.65, 2.74, 0.09),),
    doors=(1.6, 2.7, 3.72), handles=((2.52, 0.89), (3.5, 0.91)), mirror=(1.78, 0.01, 1.01), bonnet=(0.36, 1.4),
    rows=CAR_ROWS, across={"grille": 0.4, "lamp_in": 0.5, "tail_in": 0.55}, tips=1, parts=_taxi_parts,
)  # fmt: skip

DELIVERY_VAN = replace(
    VAN, name="delivery_van",
    source="VW Crafter high-roof panel van (2017): technical data 5986 x 2040 x 2590, wheelbase 3640; tyres 235/65 R16 C",
    length=5.986, width=2.040, height=2.590, wheelbase=3.640, overhang=1.0,
    tyre=WheelShape(0.235, 0.65, 16, spokes=8, spoke_share=0.6, dish_m=0.0, segments=32), paint=(0.8, 0.55, 0.02),
    front=End((0.70, 1.02), (1.52, 1.78), glass=(0.03, 0.78), curve=((0, 0), (0.7, 0.55), (1, 1))),
    rear=End((5.95, 5.87), (5.87, 5.81), glass=(0.08, 0.5), glass_f=0.86, pillar_m=(0.05, 0.07, 0.07),
             curve=((0, 0), (0.8, 0.4), (1, 1))),
    shoulder=((0.3, 1.10), (1.0, 1.22), (1.4, 1.26), (5.9, 1.30)),
    top=((0.22, 1.03), (0.36, 1.10), (0.75, 1.23), (1.1, 1.31), (2.0, 1.31), (5.98, 1.30)),
    roof=((1.5, 2.38), (1.9, 2.52), (2.5, 2.585), (3.6, 2.59), (5.7, 2.56), (5.88, 2.52)),
    roof_half=((1.6, 0.78), (2.2, 0.83), (5.9, 0.82)), window=(0.04, 0.55), posts=((2.1, 2.2, 0.1), (3.6, 3.6, 0.1)),
    mirror=(1.35, 0.1, 1.42), mirror_size=(0.1, 0.12, 0.2), rows=_raised(VAN_ROWS, 0.0, 1.08), sill=0.28,
    doors=(1.2, 2.15, 3.5), handles=((2.0, 1.1), (2.3, 1.1)), plates=(0.6, 0.74), bonnet=(0.30, 0.86), parts=None, spacing=0.17,
)  # fmt: skip

FAMILIES = (HATCHBACK, SALOON, ESTATE, SUV, PICKUP, VAN, LORRY, BUS, CITY_CAR, COUPE, TAXI, DELIVERY_VAN)
MODELS: dict[str, CarSpec] = {car.name: _family(car) for car in FAMILIES}
