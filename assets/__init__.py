"""Files that ship with gis, by name. Nothing here is code; the scripts below ``assets/build`` make the .blend files."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CAMERAS", "CARS", "CITY", "THERMAL_PROFILES"]

_HERE = Path(__file__).resolve().parent

CAMERAS = _HERE / "cameras.toml"
CARS = _HERE / "cars.blend"
CITY = _HERE / "city.blend"
THERMAL_PROFILES = _HERE / "thermal_profiles.toml"
