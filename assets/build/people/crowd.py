"""Who there is: bodies, clothes, and the poses that each is made in."""

from __future__ import annotations

from dataclasses import dataclass, field

from .bodies import Build
from .clothes import Head, Outfit
from .poses import Gait

__all__ = ["CROWD", "RIDERS", "Person"]

_STEPS = tuple(f"walk_{step:02}" for step in range(12))
_EVERY_OTHER = _STEPS[::2]


@dataclass(frozen=True)
class Person:
    """One person of the crowd."""

    name: str
    build: Build
    outfit: Outfit
    gait: Gait = field(default_factory=Gait)
    poses: tuple[str, ...] = ()
    """Beside those of everybody."""
    steps: tuple[str, ...] = _STEPS
    """Of walking."""

    @property
    def all_poses(self) -> tuple[str, ...]:
        """Every pose that the person is made in."""
        return ("stand", *self.steps, *self.poses)


_OLD = Gait(stride=0.68, swing=0.6, stoop=16.0, step_m=0.13)
_CHILD = Gait(stride=1.05, swing=1.25)
_BROAD = Gait(stride=0.9, swing=0.85, aside=17.0, step_m=0.14)
_BRISK = Gait(stride=1.12, swing=1.2, aside=11.0)
_CALM = Gait(stride=0.88, swing=0.75, aside=11.0)
_RUN = tuple(f"run_{step:02}" for step in range(6))
_PUSH = ("push_00", "push_04", "push_08")
_CARRY = ("carry_01", "carry_05", "carry_09")
_CROSS = ("cross_02", "cross_06", "cross_10")

CROWD: tuple[Person, ...] = (
    Person(
        "person_01",
        Build(1.79, 0.0, 0.67),
        Outfit("jacket"),
        Gait(aside=11.0),
        ("wait", "phone", *_CROSS, "sit", "sit_01", "sit_03"),
    ),
    Person(
        "person_02",
        Build(1.65, 1.0, 0.62),
        Outfit("coat", hair="long", bag="shoulder_bag"),
        _CALM,
        ("read", *_CROSS, "sit", "sit_03"),
    ),
    Person(
        "person_03", Build(1.70, 0.0, 0.96, weight=0.62), Outfit("jacket", head="hat"), _OLD, ("wait", "sit", "sit_01")
    ),
    Person("person_04", Build(1.22, 1.0, 0.22), Outfit("shirt", -0.6, "skirt", "long"), _CHILD, (*_RUN, "look")),
    Person(
        "person_05", Build(1.86, 0.0, 0.55), Outfit("jacket", head="hood", bag="backpack"), _BRISK, ("read", *_CROSS)
    ),
    Person(
        "person_06",
        Build(1.68, 1.0, 0.7, weight=0.82),
        Outfit("shirt", 0.2),
        _BROAD,
        ("wait", "sit", *_CARRY, "sit_02"),
    ),
    Person(
        "person_07",
        Build(1.75, 0.0, 0.75, weight=0.85, muscle=0.4),
        Outfit("jacket", hair="bald"),
        _BROAD,
        ("phone", "sit", "sit_01", "sit_02"),
    ),
    Person("person_08", Build(1.58, 1.0, 0.97, weight=0.6), Outfit("coat", bag="handbag"), _OLD, ("look", "sit")),
    Person(
        "person_09", Build(1.36, 0.0, 0.3), Outfit("jacket", head="beanie", bag="backpack"), _CHILD, ("look", *_RUN)
    ),
    Person(
        "person_10",
        Build(1.72, 1.0, 0.6, muscle=0.6),
        Outfit("shirt", -0.3, "shorts", "long"),
        _BRISK,
        ("wait", *_RUN, "sit", "sit_03"),
    ),
    Person(
        "person_11",
        Build(1.83, 0.0, 0.62, muscle=0.7),
        Outfit("shirt", -0.6, "shorts", head="cap"),
        _BRISK,
        ("phone", *_RUN, "sit_01", "sit_02"),
    ),
    Person(
        "person_12", Build(1.62, 1.0, 0.66), Outfit("shirt", 1.0, "dress", "long"), _CALM, ("phone", "look", *_PUSH)
    ),
    Person(
        "person_13", Build(1.77, 0.0, 0.7), Outfit("coat", head="hat", bag="handbag"), _CALM, ("wait", *_CROSS, "sit")
    ),
    Person(
        "person_14",
        Build(1.69, 1.0, 0.68),
        Outfit("jacket", hair="long", head="beanie"),
        Gait(aside=11.0),
        ("read", *_PUSH, "sit", "sit_03"),
    ),
    Person("person_15", Build(1.10, 0.0, 0.18), Outfit("jacket", head="hood"), _CHILD, ("look", *_RUN)),
    Person("person_16", Build(1.91, 0.0, 0.64, weight=0.4), Outfit("jacket", bag="umbrella"), _CALM, ("wait",)),
    Person(
        "person_17",
        Build(1.60, 1.0, 0.72, weight=0.7),
        Outfit("coat", hair="short", head="hood"),
        _CALM,
        ("phone", "wait", *_CARRY, "sit", "sit_02"),
    ),
    Person(
        "person_18",
        Build(1.74, 0.0, 0.88),
        Outfit("jacket", head="cap", bag="shoulder_bag"),
        _CALM,
        ("read", "sit", *_CARRY, "sit_01"),
    ),
    Person(
        "person_19",
        Build(1.55, 1.0, 0.4),
        Outfit("jacket", hair="long", bag="backpack"),
        Gait(aside=11.0),
        ("phone", "read", *_CROSS),
    ),
    Person(
        "person_20",
        Build(1.67, 0.0, 0.45, weight=0.35),
        Outfit("jacket", head="hood"),
        _BRISK,
        ("phone", "sit", *_RUN, "sit_01", "sit_03"),
    ),
    Person("person_21", Build(1.64, 1.0, 0.9), Outfit("jacket", 1.0, "skirt"), _OLD, ("wait", "look")),
    Person(
        "person_22",
        Build(1.80, 0.0, 0.72, weight=0.65),
        Outfit("shirt", 1.0),
        Gait(aside=13.0),
        ("phone", "wait", *_CARRY, "sit", "sit_02"),
    ),
    Person(
        "person_23", Build(1.76, 1.0, 0.6, weight=0.42), Outfit("coat", hair="long", bag="umbrella"), _BRISK, ("wait",)
    ),
    Person(
        "person_24",
        Build(1.71, 0.0, 0.67, weight=0.55),
        Outfit("jacket", head="helmet"),
        _CALM,
        ("wait", "phone", *_PUSH),
    ),
    # Those of warm days.
    Person(
        "person_25",
        Build(1.76, 0.0, 0.66),
        Outfit("shirt", -0.55, "shorts"),
        Gait(aside=11.0),
        ("wait", "phone", "sit", "sit_01"),
        _EVERY_OTHER,
    ),
    Person(
        "person_26",
        Build(1.63, 1.0, 0.64),
        Outfit("shirt", -0.7, "shorts", "long"),
        _CALM,
        ("phone", "look", "sit", "sit_03"),
        _EVERY_OTHER,
    ),
    Person(
        "person_27",
        Build(1.82, 0.0, 0.6),
        Outfit("shirt", -0.5, bag="backpack"),
        _BRISK,
        ("read", "wait"),
        _EVERY_OTHER,
    ),
    Person(
        "person_28",
        Build(1.67, 1.0, 0.7, weight=0.6),
        Outfit("shirt", -0.6, "skirt", "long"),
        _CALM,
        ("wait",),
        _EVERY_OTHER,
    ),
    Person(
        "person_29",
        Build(1.74, 0.0, 0.9, weight=0.6),
        Outfit("shirt", -0.4, "shorts", head="cap"),
        _OLD,
        ("look", "sit", "sit_01"),
        _EVERY_OTHER,
    ),
    Person(
        "person_30",
        Build(1.60, 1.0, 0.92, weight=0.65),
        Outfit("shirt", -0.3, bag="shoulder_bag"),
        _OLD,
        ("wait", "sit", "sit_03"),
        _EVERY_OTHER,
    ),
    Person("person_31", Build(1.42, 0.0, 0.33), Outfit("shirt", -0.6, "shorts"), _CHILD, ("look",), _EVERY_OTHER),
    Person(
        "person_32",
        Build(1.72, 0.0, 0.72, weight=0.75),
        Outfit("shirt", -0.45),
        _BROAD,
        ("phone", "sit", "sit_02"),
        _EVERY_OTHER,
    ),
)

RIDERS: dict[str, tuple[tuple[str, Head], ...]] = {
    "bicycle_01": (("person_01", ""), ("person_22", "helmet"), ("person_25", "")),
    "bicycle_02": (("person_06", ""), ("person_14", ""), ("person_26", "")),
    "bicycle_03": (("person_11", "helmet"), ("person_10", "helmet"), ("person_24", "helmet")),
    "bicycle_04": (("person_24", ""), ("person_07", "helmet"), ("person_32", "helmet")),
    "bicycle_05": (("person_09", "helmet"),),
    "motorcycle_01": (("person_01", "full_helmet"), ("person_07", "full_helmet"), ("person_27", "full_helmet")),
    "motorcycle_02": (("person_22", "full_helmet"), ("person_14", "full_helmet")),
    "motorcycle_03": (("person_20", "full_helmet"), ("person_14", "full_helmet"), ("person_26", "full_helmet")),
    "scooter_01": (("person_05", ""), ("person_10", ""), ("person_24", ""), ("person_25", "")),
}
"""Who rides what, and what is worn on the head instead of the own hat."""
