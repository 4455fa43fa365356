"""Materials of zones, profiles of cars and activities of people, as ``assets/thermal_profiles.toml`` lists them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ThermalError
from ..text_files import parse_toml
from ..zones.catalogue import CAR_ZONES, FIRST_ENVIRONMENT_ZONE, ZONES, Zone, parse_zone
from .people import Activity

__all__ = [
    "OBJECT_ZONES",
    "CarProfile",
    "Heat",
    "Material",
    "Profiles",
    "ZoneHeat",
    "profile_names",
    "read_profiles",
]

OBJECT_ZONES = tuple(info.zone for info in ZONES if Zone.BACKGROUND < info.zone < FIRST_ENVIRONMENT_ZONE)
"""Zones of all that is no part of the street."""
_CABIN_K = 293.15
"""Temperature of a heated cabin."""
_MEASURED_AT_K = 275.15
"""Air temperature at which the warmth of driven cars was measured."""


@dataclass(frozen=True)
class Heat:
    """How warm a zone is, and how much it varies inside."""

    mean_K: float
    """Above the surface's balance with air, sun and sky."""
    deviation_K: float
    """Standard deviation between objects."""
    variation_K: float
    """Amplitude of the pattern inside the zone."""
    source: str
    warm_up_min: float = 0.0
    """Minutes of driving after which all but 1/e of the warmth is there; 0: at once."""
    from_cabin: float = 0.0
    """Share of ``mean_K`` that a heated cabin brings: in full in the cold, none where it is as warm outside."""


def _cold(air_K: float) -> float:
    """How much of a heated cabin's warmth there is, 0-1."""
    return min(1.0, max(0.0, (_CABIN_K - air_K) / (_CABIN_K - _MEASURED_AT_K)))


class ZoneHeat(NamedTuple):
    """What a profile says of a car's zones, as arrays (Z,) in the order of :data:`OBJECT_ZONES`."""

    mean_K: NDArray[np.float64]
    deviation_K: NDArray[np.float64]
    variation_K: NDArray[np.float64]
    warm_up_min: NDArray[np.float64]
    from_cabin: NDArray[np.float64]
    indoor: NDArray[np.float64]
    """Of the zones' materials."""

    def mean_after_K(self, minutes: float, air_K: float) -> NDArray[np.float64]:
        """``mean_K`` of a car that started so long ago, at that air temperature: (Z,)."""
        at_once = self.warm_up_min == 0.0
        warm = np.where(at_once, 1.0, 1.0 - np.exp(-minutes / np.where(at_once, 1.0, self.warm_up_min)))
        return np.asarray(self.mean_K * warm * (1.0 - self.from_cabin * (1.0 - _cold(air_K))))


@dataclass(frozen=True)
class Material:
    """How a zone's surface radiates, mirrors and stores heat; see the head of the TOML file for each number."""

    emissivity: float
    mirror: float
    grazing: float
    absorptance: float
    lag_h: float
    exposure: float
    indoor: float
    heat: Heat
    """Where no profile says otherwise; a car's zones take theirs from the profile."""


@dataclass(frozen=True)
class CarProfile:
    """What a car has been doing."""

    name: str
    airflow_m_s: float
    sun: float
    ground_mean_K: float
    ground_deviation_K: float
    shadow: bool
    cabin: float
    """Whether its cabin is heated, 0-1: how much of a material's ``indoor`` its panes show."""
    heat: Mapping[Zone, Heat]
    """For every zone of a car; of a two-wheeler for those that are not as their material says."""
    trip_min: float = 0.0
    """Mean of the minutes since it started, which vary exponentially; 0: it is warm through."""


@dataclass(frozen=True)
class Profiles:
    """One file of materials and profiles."""

    materials: Mapping[Zone, Material]
    cars: Mapping[str, CarProfile]
    people: Mapping[str, Activity] = field(default_factory=dict)
    """What people do, by name: the thermal profile of a person or an animal."""
    two_wheelers: Mapping[str, CarProfile] = field(default_factory=dict)
    """What bicycles and motorcycles have been doing, by name."""
    others: Mapping[str, CarProfile] = field(default_factory=dict)
    """Of trams, and of street furniture, by name."""

    @functools.cached_property
    def _zone_heat(self) -> dict[int, tuple[CarProfile, ZoneHeat]]:
        """By the identity of a profile, which lives as long as its entry."""
        return {}

    def zone_heat(self, profile: CarProfile) -> ZoneHeat:
        """What a profile, and the materials where it says nothing, tell of a car's zones."""
        known = self._zone_heat.get(id(profile))
        if known is not None:
            return known[1]
        found = self._heat_of({zone: profile.heat.get(zone, self.materials[zone].heat) for zone in OBJECT_ZONES})
        self._zone_heat[id(profile)] = profile, found
        return found

    @functools.cached_property
    def material_heat(self) -> ZoneHeat:
        """What the materials alone tell of an object's zones."""
        return self._heat_of({zone: self.materials[zone].heat for zone in OBJECT_ZONES})

    def _heat_of(self, by_zone: Mapping[Zone, Heat]) -> ZoneHeat:
        heats = [by_zone[zone] for zone in OBJECT_ZONES]
        return ZoneHeat(
            mean_K=np.array([heat.mean_K for heat in heats]),
            deviation_K=np.array([heat.deviation_K for heat in heats]),
            variation_K=np.array([heat.variation_K for heat in heats]),
            warm_up_min=np.array([heat.warm_up_min for heat in heats]),
            from_cabin=np.array([heat.from_cabin for heat in heats]),
            indoor=np.array([self.materials[zone].indoor for zone in OBJECT_ZONES]),
        )

    def is_of_car(self, name: str) -> bool:
        """Whether a profile is a car's, which warms and shades the ground; so is one that there is not."""
        return name not in self.people and name not in self.two_wheelers and name not in self.others

    def warms_ground(self, name: str) -> bool:
        """Whether a profile is of what is no car and warms the ground below it."""
        return name in self.others and self.others[name].ground_mean_K > 0.0

    def vehicle(self, name: str) -> CarProfile:
        """Profile of that name, of whatever is no person.

        Raises:
            ThermalError: there is none.
        """
        return self.two_wheelers.get(name) or self.others.get(name) or self.car(name)

    def car(self, name: str) -> CarProfile:
        """Profile of that name.

        Raises:
            ThermalError: there is none.
        """
        try:
            return self.cars[name]
        except KeyError:
            known = ", ".join([*self.cars, *self.two_wheelers, *self.others, *self.people])
            raise ThermalError(f"unknown thermal profile {name!r}: expected one of {known}") from None


def read_profiles(path: Path) -> Profiles:
    """Read a TOML file of materials and profiles.

    Raises:
        ThermalError: the file cannot be read, or lacks a zone or a number, or holds an impossible one.
    """
    try:
        tables = parse_toml(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ThermalError(f"{path}: no thermal profiles could be read: {error}") from error
    _check_tables(tables, path)
    materials = {parse_zone(n): _material(t, f"{path}: material.{n}") for n, t in tables.get("material", {}).items()}
    missing = [info.name for info in ZONES if info.zone not in materials]
    if missing:
        raise ThermalError(f"{path}: no [material.NAME] for {', '.join(missing)}")
    cars = {name: _car(name, table, f"{path}: profile.{name}") for name, table in tables.get("profile", {}).items()}
    if not cars:
        raise ThermalError(f"{path}: no [profile.NAME] tables, expected at least one")
    people = {n: _activity(n, t, f"{path}: activity.{n}") for n, t in tables.get("activity", {}).items()}
    ridden = {n: _vehicle(n, t, f"{path}: two_wheeler.{n}") for n, t in tables.get("two_wheeler", {}).items()}
    others = {n: _vehicle(n, t, f"{path}: other.{n}") for n, t in tables.get("other", {}).items()}
    return Profiles(materials, cars, people, ridden, others)


def _check_tables(tables: Mapping[str, Any], path: Path) -> None:
    """Refuses values where tables of tables must stand."""
    profiles = tables.get("profile", {})
    kinds = {"profile": profiles} | {kind: tables.get(kind, {}) for kind in ("two_wheeler", "other")}
    named = [(f"{kind}.{name}", one) for kind, table in kinds.items() for name, one in _items(table)]
    zones = {f"{name}.zone": one.get("zone", {}) for name, one in named if isinstance(one, Mapping)}
    others = {key: tables.get(key, {}) for key in ("material", "activity", "two_wheeler", "other")}
    for name, table in {**others, "profile": profiles, **zones}.items():
        if not isinstance(table, Mapping) or not all(isinstance(inner, Mapping) for inner in table.values()):
            raise ThermalError(f"{path}: {name} is {str(table)[:60]!r}: expected a table of tables")


def _items(table: Any) -> list[tuple[str, Any]]:
    return list(table.items()) if isinstance(table, Mapping) else []


def profile_names(path: Path) -> tuple[str, ...]:
    """Names of the profiles in the file, in its order."""
    return tuple(read_profiles(path).cars)


def _number(
    table: Mapping[str, Any], key: str, low: float, high: float, where: str, default: float | None = None
) -> float:
    """A number of the table, within its limits."""
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ThermalError(f"{where}: {key} is {value!r}, expected a number from {low} to {high}")
    return float(value)


def _pair(table: Mapping[str, Any], key: str, where: str) -> tuple[float, float]:
    """Mean and deviation; both 0 where the key is absent."""
    pair = table.get(key, [0.0, 0.0])
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(v, int | float) for v in pair):
        raise ThermalError(f"{where}: {key} is {pair!r}, expected [mean, deviation] in kelvin")
    if not (-150.0 <= pair[0] <= 600.0 and 0.0 <= pair[1] <= 100.0):
        raise ThermalError(f"{where}: {key} is {pair!r}, expected a mean of -150 to 600 K, a deviation of 0 to 100 K")
    return float(pair[0]), float(pair[1])


def _heat(table: Mapping[str, Any], where: str) -> Heat:
    source = table.get("source")
    if not isinstance(source, str) or not source:
        raise ThermalError(f"{where}: no source; name one, or write 'assumed'")
    mean_K, deviation_K = _pair(table, "offset_K", where)
    return Heat(
        mean_K,
        deviation_K,
        _number(table, "variation_K", 0.0, 100.0, where, 0.0),
        source,
        warm_up_min=_number(table, "warm_up_min", 0.0, 600.0, where, 0.0),
        from_cabin=_number(table, "from_cabin", 0.0, 1.0, where, 0.0),
    )


def _material(table: Mapping[str, Any], where: str) -> Material:
    return Material(
        emissivity=_number(table, "emissivity", 0.0, 1.0, where),
        mirror=_number(table, "mirror", 0.0, 1.0, where),
        grazing=_number(table, "grazing", 0.0, 1.0, where),
        absorptance=_number(table, "absorptance", 0.0, 1.0, where),
        lag_h=_number(table, "lag_h", 0.01, 100.0, where),
        exposure=_number(table, "exposure", 0.0, 1.0, where),
        indoor=_number(table, "indoor", 0.0, 1.0, where, 0.0),
        heat=_heat(table, where),
    )


def _car(name: str, table: Mapping[str, Any], where: str) -> CarProfile:
    profile = _vehicle(name, table, where)
    missing = [zone.name.lower() for zone in CAR_ZONES if zone not in profile.heat]
    if missing:
        raise ThermalError(f"{where}: no zone {', '.join(missing)}")
    return profile


def _vehicle(name: str, table: Mapping[str, Any], where: str) -> CarProfile:
    zones = table.get("zone", {})
    heat = {parse_zone(zone): _heat(row, f"{where}.zone.{zone}") for zone, row in zones.items()}
    ground = _pair(table, "ground_K", where)
    return CarProfile(
        name=name,
        airflow_m_s=_number(table, "airflow_m_s", 0.0, 100.0, where),
        sun=_number(table, "sun", 0.0, 2.0, where),
        ground_mean_K=ground[0],
        ground_deviation_K=ground[1],
        shadow=bool(table.get("shadow", False)),
        cabin=_number(table, "cabin", 0.0, 1.0, where, 0.0),
        heat=heat,
        trip_min=_number(table, "trip_min", 0.0, 600.0, where, 0.0),
    )


def _activity(name: str, table: Mapping[str, Any], where: str) -> Activity:
    met = table.get("met")
    if not isinstance(met, list) or len(met) != 2 or not all(isinstance(v, int | float) for v in met):
        raise ThermalError(f"{where}: met is {met!r}, expected [mean, deviation] in met (58.15 W/m2)")
    if not (0.7 <= met[0] <= 20.0 and 0.0 <= met[1] <= 5.0):
        raise ThermalError(f"{where}: met is {met!r}, expected a mean of 0.7 to 20 and a deviation of 0 to 5")
    if not table.get("source"):
        raise ThermalError(f"{where}: no source; name one, or write 'assumed'")
    return Activity(name, float(met[0]), float(met[1]), _number(table, "speed_m_s", 0.0, 30.0, where))
