"""Files that ship with gis, by name. Nothing here is code; the scripts below ``assets/build`` make the .blend files."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CAMERAS", "CARS", "CAR_ARRAYS", "CAR_WEIGHTS", "CITY", "RECIPES", "THERMAL_PROFILES"]

_HERE = Path(__file__).resolve().parent

CAMERAS = _HERE / "cameras.toml"
CARS = _HERE / "cars.blend"
CAR_ARRAYS = _HERE / "cars.npz"
"""The same models as arrays, for Blenders that cannot read ``cars.blend``."""
CAR_WEIGHTS = _HERE / "weights" / "cars.safetensors"
"""The default model of `gis synthesize`; beside it its card."""
CITY = _HERE / "city.blend"
RECIPES = _HERE / "recipes"
"""Options of `gis train`, a TOML file each."""
THERMAL_PROFILES = _HERE / "thermal_profiles.toml"
