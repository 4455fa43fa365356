"""Classes of other data sets, and which of ours become which of theirs.

Some have one class for a rider and what is ridden. What becomes none of theirs is ignored, never background: a truck
that is left out would teach a detector of cars that trucks are nothing, though many a set calls them cars. Lights,
signs, hydrants and lamps are the exception: where a set leaves all of a kind without a label, as COCO does street lamps
and KITTI all of them, they are background in it, and so they are here.

Sources: the category files of Teledyne FLIR's ADAS data set (version 2), COCO 2017 (Lin et al., ECCV 2014), the
development kit of the KITTI object benchmark (Geiger, Lenz, Urtasun, CVPR 2012), the KAIST multispectral pedestrian
benchmark (Hwang et al., CVPR 2015), M3FD (Liu et al., "Target-aware dual adversarial learning", CVPR 2022), LLVIP (Jia
et al., ICCVW 2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from renderer.zones.categories import STREET_FURNITURE, TWO_WHEELERS

from pipelines.dataset.labels import SUPERCATEGORIES
from pipelines.dataset.labels.riders import KITTI_RIDERS
from pipelines.errors import ConfigError, DatasetError
from pipelines.io.files import read_json, short

__all__ = ["CLASS_MAPS", "ClassMap", "TheirClass", "class_map"]


@dataclass(frozen=True)
class TheirClass:
    """A class of the export."""

    id: int
    """As COCO files number it; YOLO counts classes by their place."""
    name: str
    supercategory: str = "object"


@dataclass(frozen=True)
class ClassMap:
    """The classes of an export."""

    name: str
    classes: tuple[TheirClass, ...]
    of: Mapping[str, str]
    """Their class by our category, or by ``category/model`` where a set has classes of its own for some models; what is
    in it neither way is ignored."""
    riders: Mapping[str, str] = field(default_factory=dict)
    """Their class of a rider with a vehicle, by the category of the vehicle; where it is not in it they stay two."""
    background: frozenset[str] = frozenset()
    """Categories that are left out where they have no class, instead of being ignored."""

    def to_json(self) -> dict[str, list[str]]:
        """Which of our categories become which class."""
        return {one.name: [ours for ours, theirs in self.of.items() if theirs == one.name] for one in self.classes}

    def leaves_out(self, category: str, model: str = "") -> bool:
        """Whether a category, of a model, is background."""
        return category in self.background and self.number(category, model) is None

    def number(self, category: str, model: str = "") -> int | None:
        """Place of the class that a category, of a model, becomes; None where it has none."""
        name = self.of.get(f"{category}/{model}", self.of.get(category))
        return None if name is None else self.names.index(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes in their order."""
        return tuple(one.name for one in self.classes)

    @property
    def used(self) -> tuple[int, ...]:
        """Places of the classes that something of ours can become."""
        found = {*self.of.values(), *self.riders.values()}
        return tuple(place for place, name in enumerate(self.names) if name in found)


def _classes(table: str) -> tuple[TheirClass, ...]:
    """Classes of a text of ``supercategory: ID name, ID name; ...``, by their numbers."""
    found = []
    for group in table.split(";"):
        above, _, members = group.partition(":")
        for member in members.split(","):
            number, _, name = member.strip().partition(" ")
            found.append(TheirClass(int(number), name, above.strip()))
    return tuple(sorted(found, key=lambda one: one.id))


_COCO: Final = _classes(
    "person: 1 person; vehicle: 2 bicycle, 3 car, 4 motorcycle, 5 airplane, 6 bus, 7 train, 8 truck, 9 boat;"
    "outdoor: 10 traffic light, 11 fire hydrant, 13 stop sign, 14 parking meter, 15 bench;"
    "animal: 16 bird, 17 cat, 18 dog, 19 horse, 20 sheep, 21 cow, 22 elephant, 23 bear, 24 zebra, 25 giraffe;"
    "accessory: 27 backpack, 28 umbrella, 31 handbag, 32 tie, 33 suitcase;"
    "sports: 34 frisbee, 35 skis, 36 snowboard, 37 sports ball, 38 kite, 39 baseball bat, 40 baseball glove,"
    "41 skateboard, 42 surfboard, 43 tennis racket;"
    "kitchen: 44 bottle, 46 wine glass, 47 cup, 48 fork, 49 knife, 50 spoon, 51 bowl;"
    "food: 52 banana, 53 apple, 54 sandwich, 55 orange, 56 broccoli, 57 carrot, 58 hot dog, 59 pizza, 60 donut,"
    "61 cake; furniture: 62 chair, 63 couch, 64 potted plant, 65 bed, 67 dining table, 70 toilet;"
    "electronic: 72 tv, 73 laptop, 74 mouse, 75 remote, 76 keyboard, 77 cell phone;"
    "appliance: 78 microwave, 79 oven, 80 toaster, 81 sink, 82 refrigerator;"
    "indoor: 84 book, 85 clock, 86 vase, 87 scissors, 88 teddy bear, 89 hair drier, 90 toothbrush"
)
_FLIR: Final = _classes(
    "person: 1 person; vehicle: 2 bike, 3 car, 4 motor, 6 bus, 7 train, 8 truck, 77 scooter, 79 other vehicle;"
    "outdoor: 10 light, 11 hydrant, 12 sign; animal: 17 dog; sports: 37 skateboard; accessory: 73 stroller"
)
_KITTI: Final = _classes(
    "vehicle: 1 Car, 2 Van, 3 Truck, 7 Tram; person: 4 Pedestrian, 5 Person_sitting, 6 Cyclist; object: 8 Misc"
)
_KAIST: Final = _classes("person: 1 person, 2 people, 3 cyclist")
_M3FD: Final = _classes("person: 1 People; vehicle: 2 Car, 3 Bus, 4 Motorcycle, 6 Truck; outdoor: 5 Lamp")
_LLVIP: Final = _classes("person: 1 person")
_STREET: Final = {"person": "person", "pedestrian": "person", "rider": "person"}

CLASS_MAPS: Final[Mapping[str, ClassMap]] = {
    one.name: one
    for one in (
        ClassMap(
            "flir-adas",
            _FLIR,
            {
                **_STREET, "car": "car", "van": "car", "truck": "truck", "bus": "bus",
                "bicycle": "bike", "motorcycle": "motor", "dog": "dog", "scooter": "scooter",
                "stroller": "stroller", "tram": "train", "traffic_light": "light", "traffic_sign": "sign",
                "hydrant": "hydrant", "trailer": "other vehicle",
            },
            background=frozenset({"street_lamp"}),
        ),
        ClassMap(
            "coco",
            _COCO,
            {
                **_STREET, "car": "car", "van": "car", "truck": "truck", "bus": "bus",
                "bicycle": "bicycle", "motorcycle": "motorcycle", "dog": "dog",
                "cat": "cat", "tram": "train", "traffic_light": "traffic light", "hydrant": "fire hydrant",
                "traffic_sign/stop": "stop sign",
            },
            background=frozenset({"traffic_sign", "street_lamp"}),
        ),
        ClassMap(
            "kitti",
            _KITTI,
            {
                "car": "Car", "van": "Van", "truck": "Truck", "bus": "Misc", "tram": "Tram", "trailer": "Misc",
                "person": "Pedestrian",
                "pedestrian": "Pedestrian", "cyclist": "Cyclist", "person_sitting": "Person_sitting",
            },
            {vehicle: name.capitalize() for vehicle, name in KITTI_RIDERS.items()},
            background=frozenset(STREET_FURNITURE),
        ),
        ClassMap(
            "kaist",
            _KAIST,
            {**_STREET, "cyclist": "cyclist", "people": "people"},
            dict.fromkeys(TWO_WHEELERS, "cyclist"),
            background=frozenset(STREET_FURNITURE),
        ),
        ClassMap(
            "m3fd",
            _M3FD,
            {
                "person": "People", "pedestrian": "People", "rider": "People", "car": "Car", "van": "Car", "bus": "Bus",
                "truck": "Truck", "motorcycle": "Motorcycle", "street_lamp": "Lamp",
            },
            background=frozenset({"traffic_sign", "hydrant"}),
        ),
        ClassMap("llvip", _LLVIP, _STREET, background=frozenset(STREET_FURNITURE)),
    )
}  # fmt: skip


def class_map(wanted: str | None, ours: Sequence[str]) -> ClassMap:
    """The classes of an export.

    Args:
        wanted: name of a table, or of a JSON or TOML file ``{OURS: THEIRS}``; None takes ours as they are.
        ours: categories of the data set, in their order.

    Raises:
        ConfigError: no such table or file, or none of ours is in it.
    """
    if wanted is None:
        classes = tuple(TheirClass(number, name, _above(name)) for number, name in enumerate(ours, 1))
        return ClassMap("gis", classes, {name: name for name in ours})
    found = CLASS_MAPS.get(wanted) or _read_map(Path(wanted))
    if not set(found.of) & set(ours):
        raise ConfigError(f"classes {wanted}: none of {', '.join(ours)} is among them: nothing would be labelled")
    return found


def _above(category: str) -> str:
    return SUPERCATEGORIES.get(category.partition("/")[0], "vehicle")


def _read_map(path: Path) -> ClassMap:
    if not path.is_file():
        raise ConfigError(
            f"classes is {short(str(path))}: expected one of {', '.join(CLASS_MAPS)}, or a file that is there"
        )
    table = _read_table(path)
    wrong = [ours for ours, theirs in table.items() if theirs is not None and not (isinstance(theirs, str) and theirs)]
    if wrong:
        raise ConfigError(f"{path}: {wrong[0]} becomes {short(table[wrong[0]])}: expected the name of a class, or null")
    of = {ours: theirs for ours, theirs in table.items() if theirs is not None}
    names = dict.fromkeys(of.values())
    below = {theirs: ours for ours, theirs in reversed(of.items())}
    classes = tuple(TheirClass(number, name, _above(below[name])) for number, name in enumerate(names, 1))
    return ClassMap(path.stem, classes, of, background=frozenset(STREET_FURNITURE) - set(table))


def _read_table(path: Path) -> Mapping[str, Any]:
    try:
        if path.suffix.lower() == ".toml":
            import tomllib

            table: Any = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        else:
            table = read_json(path)
    except (OSError, ValueError, DatasetError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}): expected JSON or TOML, {{OURS: THEIRS}}") from None
    if not isinstance(table, dict) or not table:
        raise ConfigError(f"{path}: holds {short(table)}: expected a table {{OURS: THEIRS}}")
    return table
