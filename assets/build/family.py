"""A family of shapes: bonnet, cabin and boot, tailgate or bed, drawn by a table of distances and heights.

Distances ``d`` run backwards from the front bumper, as on a side elevation; heights from the ground; all in metres.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from renderer.zones.catalogue import Zone

from .cabin import Cabin, End, Post
from .car import CarSpec
from .curves import Outline, Profile
from .details import Details, Skin, badge, bar, lettering, number_plate, roof_box, roof_lip, wiper
from .parts import Part, axle_tubes, exhaust, handles, mirrors, rail
from .tub import Axle, Lid, Panel, Row, Tub
from .wheel import WheelShape

__all__ = ["CAR_ROWS", "Family", "Points", "family_spec", "panels", "raised", "roof_rails"]

Points = Sequence[tuple[float, float]]

CAR_ROWS = (
    Row("bottom", (0.19, 0.21, 0.09), (0.0, 0.075), (0.27, 0.27, 0.12)),
    Row("lip", (0.235, 0.25, 0.02), (0.09, 0.03), (0.32, 0.31, 0.05)),
    Row("intake_hi", (0.40, 0.42, 0.0), (0.32, 0.012), (0.45, 0.45, 0.006)),
    Row("bumper", (0.53, 0.55, 0.01), (0.5, 0.008), (0.59, 0.60, 0.0)),
    Row("ledge", (0.545, 0.565, 0.013), (0.52, 0.008), (0.605, 0.615, 0.034)),
    Row("lamp_lo", (0.60, 0.62, 0.035), (0.62, 0.008), (0.70, 0.68, 0.034)),
    Row("lamp_hi", (0.68, 0.775, 0.085), (0.82, 0.004), (0.88, 0.91, 0.055)),
    Row("roll", (0.735, 0.81, 0.12), (0.93, 0.022), (0.94, 0.95, 0.07)),
    Row("shoulder", (0.76, 0.83, 0.19), (1.0, 0.075), (0.965, 0.975, 0.11)),
)


PLATE_RECESS = 0.03
"""How deep the plate of most cars lies in the tail, metres."""
LAMP_GAP = 0.006
"""How deep the covers of lamps lie in the skin, metres."""
SHUT_LINE = 0.012
"""Width of the gap round a door: twice a real one, so that it takes a pixel at 5 m."""


def raised(rows: Sequence[Row], lift: float, factor: float = 1.0) -> tuple[Row, ...]:
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
    open_panes: Sequence[int] = ()
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
    front_plate: float = 0.47
    """Height of its middle."""
    details: Details = field(default_factory=Details)
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
    spacing: float = 0.16
    exhausts: bool = True
    mirror_size: tuple[float, float, float] = (0.11, 0.12, 0.085)
    roof_zone: Zone = Zone.ROOF
    power: float = 2.6
    doors: Sequence[float] = ()
    """Shut lines of the doors, as distances d."""
    handles: Sequence[tuple[float, float]] = ()
    """Door handles as (d, height)."""
    tip_z: float = 0.27
    share: float = 1.0
    """How often it is drawn, against the others of its category."""

    @property
    def nose_x(self) -> float:
        """Where the front bumper is, x in metres."""
        return self.length / 2

    def x(self, d: float) -> float:
        """Where a distance behind the front bumper is, x in metres."""
        return self.nose_x - d

    def profile(self, points: Points, lift: float = 0.0) -> Profile:
        """Profile over x from points over d."""
        return Profile([(self.x(d), z + lift) for d, z in points])

    def end(self, end: End) -> End:
        """A screen in x."""
        (belt, belt_corner), (roof, roof_corner) = end.belt_m, end.roof_m
        return replace(end, belt_m=(self.x(belt), self.x(belt_corner)), roof_m=(self.x(roof), self.x(roof_corner)))

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


def panels(
    grille: tuple[str, str] = ("lamp_lo", "lamp_hi"),
    lamp: tuple[str, str] = ("lamp_lo", "lamp_hi"),
    tail: tuple[str, str] = ("lamp_lo", "lamp_hi"),
    grille_from: str = "middle",
    plate: tuple[str, str] | None = ("lamp_lo", "lamp_hi"),
    lid: tuple[str, str] | None = ("ledge", "shoulder"),
    tail_up: tuple[str, str] | None = None,
) -> tuple[Panel, ...]:
    """Intake, grille, lamps and what is let into the tail, between named rows; the later lies over the earlier.

    Args:
        grille: rows of the grille.
        lamp: rows of the head lamps.
        tail: rows of the tail lamps.
        grille_from: column where the grille begins.
        plate: rows of the recess of the rear plate; None where it lies flush.
        lid: rows of the shut line at the sides of tailgate or boot lid.
        tail_up: rows of a narrower upper part of the tail lamps.
    """
    own = [
        Panel(("lip", "intake_hi"), ("middle", "lamp_in"), Zone.GRILLE, 0.03),
        Panel(grille, (grille_from, "grille"), Zone.GRILLE, 0.02),
        Panel(lamp, ("lamp_in", "lamp_out"), Zone.LAMP, LAMP_GAP),
        Panel(("lip", "intake_hi"), ("-lid", "-middle"), Zone.BODY, 0.015),
    ]
    if lid:
        own.append(Panel(lid, ("-lid_end", "-lid"), Zone.BODY, 0.012))
    if plate:
        own.append(Panel(plate, ("-plate", "-middle"), Zone.BODY, PLATE_RECESS))
    if tail_up:
        own.append(Panel(tail_up, ("tail_out", "-tail_top"), Zone.LAMP))
    return (*own, Panel(tail, ("tail_out", "-tail_in"), Zone.LAMP, 0.0 if tail_up else LAMP_GAP))


def _tub(car: Family) -> Tub:
    """Lower body of a family car."""
    across = {"grille": 0.62, "lamp_in": 0.66, "bonnet": 0.92, "tail_in": 0.68, "plate": 0.4, "lid": 0.8, **car.across}
    across.setdefault("tail_top", 1.0 - 0.55 * (1.0 - across["tail_in"]))
    across["lid_end"] = across["lid"] + SHUT_LINE / car.outline.half_m
    marks = {"lamp_out": car.lamp_d, "tail_out": car.length - car.tail_lamp, **car.marks}
    own = list(panels() if car.panels is None else car.panels)
    for k, d in enumerate(car.doors):
        marks |= {f"door{k}": d, f"door{k}_end": d + SHUT_LINE}
        own.append(Panel(("lip", "shoulder"), (f"door{k}", f"door{k}_end"), Zone.BODY, 0.01))
    lids = list(car.lids)
    if car.bonnet:
        marks |= {"bonnet_front": car.bonnet[0], "cowl": car.bonnet[1]}
        lids.append(Lid(("bonnet_front", "cowl"), across["bonnet"], Zone.BONNET))
    return Tub(
        outline=car.outline, rows=car.rows, axles=[axle for axle in car.axles if axle.x_m > car.outline.rear_m],
        shoulder=car.profile(car.shoulder), top=car.profile(car.top), sill=Profile([(-1.0, car.sill), (1.0, car.sill)]),
        across=across, along={name: car.x(d) for name, d in marks.items()},
        panels=own, lids=lids, floor_m=car.sill, flare_m=car.flare,
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
        panes=car.panes, open_panes=car.open_panes, window=car.window, crown_m=car.crown, side_curve=car.side_curve,
        spacing_m=car.spacing, rows_m=car.spacing * 0.93, roof_zone=car.roof_zone,
    )  # fmt: skip


def roof_rails(car: Family, start: float, stop: float, lift: float) -> Part:
    """Roof rails between two distances d, ``lift`` above the roof's edge."""
    roof, half, share = car.profile(car.roof), car.profile(car.roof_half), 0.93
    path = []
    for t in (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0):
        x = car.x(start + t * (stop - start))
        skin = float(roof(x)) - car.crown * share**2.4
        path.append((x, share * float(half(x)), skin + (lift if 0.0 < t < 1.0 else -0.01)))
    return rail(path, 0.018, Zone.BODY)


def _details(car: Family) -> list[Part]:
    """Plates, badges, wipers and what else is small."""
    own, cabin = car.details, _cabin(car)
    skin = Skin(car.outline, car.rows, -car.nose_x if car.body_length else None)
    parts = [
        number_plate(skin, car.front_plate, own.plate_m, front=True, framed=own.framed),
        number_plate(skin, own.rear_plate, own.plate_m, front=False, framed=own.framed, recess=own.plate_recess),
        wiper(cabin, ((-0.1, 0.03), (0.35, 0.08), (0.8, 0.12)), rear=False),
        wiper(cabin, ((-0.85, 0.03), (-0.5, 0.08), (-0.12, 0.12)), rear=False),
    ]
    parts += [badge(skin, z, front=front) for z, front in zip(own.badges, (True, False), strict=True) if z]
    if own.letters:
        parts.append(lettering(skin, own.letters, 0.27 * car.width))
    for at, front in ((own.front_bar, True), (own.rear_bar, False)):
        if at:
            parts.append(bar(skin, *at, front=front))
    if own.rear_wiper:
        parts.append(wiper(cabin, ((0.02, 0.12), (0.3, 0.2), (0.62, 0.22)), rear=True))
    return parts + _on_roof(car)


def _on_roof(car: Family) -> list[Part]:
    """Lip behind the roof, box upon it."""
    own, roof, parts = car.details, car.profile(car.roof), list[Part]()
    if own.lip:
        x = car.x(car.rear.roof_m[0])
        half = 0.9 * float(car.profile(car.roof_half)(x))
        parts.append(roof_lip(roof, x, half, own.lip, lambda share: car.crown * (0.9 * share) ** 2.4))
    if own.roof_box:
        front, rear = (car.x(d) for d in own.roof_box)
        parts.append(roof_box(front, rear, float(roof((front + rear) / 2))))
    return parts


def family_spec(car: Family) -> CarSpec:
    """Specification of a family car."""
    d, out, z = car.mirror
    parts: list[Part] = [
        mirrors(car.x(d), (car.body_width or car.width) / 2 + out, z, car.mirror_size),
        handles([(car.x(at), (car.body_width or car.width) / 2 - 0.015, height) for at, height in car.handles]),
        axle_tubes([(axle.x_m, axle.wheel_radius_m, 0.4 * car.width) for axle in car.axles]),
        *_details(car),
        *(car.parts(car) if car.parts else ()),
    ]
    if car.exhausts:
        parts.append(exhaust(-car.nose_x + 0.04, 0.55, car.tip_z, car.x(car.overhang + 0.3), tips=car.tips))
    return CarSpec(
        car.name, car.category, car.source, car.length, car.width, car.height, car.wheelbase, car.paint,
        car.axles, [car.tyre, replace(car.tyre, twin=car.twin)], [_tub(car)], [_cabin(car)], parts, car.share,
    )  # fmt: skip
