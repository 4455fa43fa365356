"""Files that ship with gis, by name. Nothing here is code; the scripts below ``assets/build`` make the .blend files."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CAMERAS", "CARS", "CAR_ARRAYS", "CITY", "THERMAL_PROFILES"]

_HERE = Path(__file__).resolve().parent

CAMERAS = _HERE / "cameras.toml"
CARS = _HERE / "cars.blend"
CAR_ARRAYS = _HERE / "cars.npz"
"""The same models as arrays, for Blenders that cannot read ``cars.blend``."""
CITY = _HERE / "city.blend"
THERMAL_PROFILES = _HERE / "thermal_profiles.toml"
