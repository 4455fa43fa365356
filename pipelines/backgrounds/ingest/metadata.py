"""What a camera's metadata are worth: checked, completed by presets, and told in the words of a sidecar.

Nothing is corrected silently. A value that no scene has is used as it stands where a formula can use it, and named in
a warning; where none can, a neutral one takes its place, and the warning says which.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from assets import CAMERAS
from gan.options import Option, check_options
from renderer.geometry.camera import Camera, read_cameras

from pipelines.backgrounds.ingest.flir import CameraInfo
from pipelines.backgrounds.ingest.radiometric import KELVIN_AT_0_C, Air, Conditions, air_transmittance

__all__ = ["Overrides", "camera_of", "checked_air", "checked_conditions", "describe_camera", "turned_camera"]

_LIMITS_C = {"reflected": (-100.0, 100.0), "atmospheric": (-60.0, 60.0)}
"""Between the coldest clear sky that street cameras read and hot machinery; climate records on Earth, rounded."""
_KELVIN_LIKE = (223.0, 333.0)
"""A number of degrees Celsius in this range is most likely kelvin: -50 to 60 C."""
_LEAST_EMISSIVITY = 0.1
"""Below (polished metal) the reflection outweighs the object nine times, and its temperature is guesswork."""
_FAR_M = 1000.0
_HFOV_DEG = (2.0, 120.0)
"""From long lenses to the widest that FLIR sells for handheld cameras; beyond, the field was never filled in."""
_NO_FOCUS_M = 1e6
"""Infinity is stored as 2^32 mm."""
_FIRST_YEAR = 2003
"""The format's first cameras; earlier years are those of a clock that was never set."""
_PRESETS = (("flir one pro", "flir-one-pro"),)
"""Cameras that store no field of view: beginning of the model's name, preset of assets/cameras.toml."""
_SENSORS = (("flir one", "flir-one-pro"), ("*", "flir-one-pro"))
"""Sensor model by the beginning of the camera's name (the first FLIR ONE calls itself ``*``); all others tau2."""


_OWN = "In place of each file's own values"


@dataclass(frozen=True)
class Overrides:
    """Values that the user gives instead of the file's; None keeps the file's.

    They are held to more than a file's, which are used with a warning.

    Raises:
        ConfigError: a value outside of its limits.
    """

    emissivity: Annotated[
        float | None,
        Option("Emissivity of what the frames show, above 0 to 1.", _OWN, at_least=0.01, at_most=1.0),
    ] = None
    reflected_C: Annotated[
        float | None,
        Option("Reflected apparent temperature, degrees Celsius.", _OWN, at_least=-150.0, at_most=1500.0, unit="C"),
    ] = None
    atmospheric_C: Annotated[
        float | None, Option("Air temperature, degrees Celsius.", _OWN, at_least=-90.0, at_most=100.0, unit="C")
    ] = None
    humidity: Annotated[float | None, Option("Relative humidity, 0 to 1.", _OWN, at_least=0.0, at_most=1.0)] = None
    distance_m: Annotated[
        float | None, Option("Object distance, metres.", _OWN, at_least=0.0, at_most=10_000.0, unit="m")
    ] = None
    window_C: Annotated[
        float | None,
        Option("Temperature of an infrared window, degrees Celsius.", _OWN, at_least=-100.0, at_most=1000.0, unit="C"),
    ] = None
    window_transmittance: Annotated[
        float | None, Option("Transmittance of an infrared window; 1 is none.", _OWN, at_least=0.01, at_most=1.0)
    ] = None

    def __post_init__(self) -> None:
        """Check each value."""
        check_options(self)

    def apply(self, stored: Conditions) -> Conditions:
        """The stored conditions with those values changed."""
        return stored.but(
            emissivity=self.emissivity,
            reflected_K=_kelvin(self.reflected_C),
            atmospheric_K=_kelvin(self.atmospheric_C),
            humidity=self.humidity,
            distance_m=self.distance_m,
            window_K=_kelvin(self.window_C),
            window_transmittance=self.window_transmittance,
        )

    def given(self) -> dict[str, float]:
        """Those that are given."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def _kelvin(celsius: float | None) -> float | None:
    return None if celsius is None else celsius + KELVIN_AT_0_C


def checked_conditions(stored: Conditions) -> tuple[Conditions, list[str]]:
    """Conditions that the formula can use, and a warning for each value that no scene has."""
    warnings: list[str] = []
    used = stored
    if not 0 < stored.emissivity <= 1:
        warnings.append(f"emissivity is {stored.emissivity:g}: expected above 0, at most 1; 1 is used instead")
        used = used.but(emissivity=1.0)
    elif stored.emissivity < _LEAST_EMISSIVITY:
        warnings.append(f"emissivity is {stored.emissivity:g}: temperatures hang on the reflected temperature alone")
    if not 0 <= stored.humidity <= 1:
        warnings.append(f"relative humidity is {stored.humidity:g}: expected 0 to 1; 0.5 is used instead")
        used = used.but(humidity=0.5)
    if not (math.isfinite(stored.distance_m) and stored.distance_m >= 0):
        warnings.append(f"object distance is {stored.distance_m:g} m: expected 0 or more; 1 m is used instead")
        used = used.but(distance_m=1.0)
    elif stored.distance_m > _FAR_M:
        warnings.append(f"object distance is {stored.distance_m:g} m: the formula of the air holds for less")
    if not 0 < stored.window_transmittance <= 1:
        warnings.append(
            f"window transmittance is {stored.window_transmittance:g}: expected above 0, at most 1; 1 is used instead"
        )
        used = used.but(window_transmittance=1.0)
    used, more = _checked_temperatures(used)
    return used, warnings + more


def _checked_temperatures(stored: Conditions) -> tuple[Conditions, list[str]]:
    warnings = []
    used = stored
    for name, (low, high) in _LIMITS_C.items():
        kelvin = float(getattr(stored, f"{name}_K"))
        celsius = kelvin - KELVIN_AT_0_C
        if not kelvin > 0 or not math.isfinite(kelvin):
            warnings.append(f"{name} temperature is {kelvin:g} K: no temperature; 20 C is used instead")
            used = used.but(**{f"{name}_K": 20.0 + KELVIN_AT_0_C})
        elif not low <= celsius <= high:
            warnings.append(_nonsense(name, celsius, low, high))
    if used.window_transmittance < 1 and not (math.isfinite(stored.window_K) and stored.window_K > 0):
        warnings.append(f"window temperature is {stored.window_K:g} K: no temperature; that of the air is used instead")
        used = used.but(window_K=used.atmospheric_K)
    elif not (math.isfinite(stored.window_K) and stored.window_K > 0):
        used = used.but(window_K=used.atmospheric_K)  # there is no window: its temperature is not used
    return used, warnings


def _nonsense(name: str, celsius: float, low: float, high: float) -> str:
    text = f"{name} temperature is {celsius:.1f} C: expected {low:g} to {high:g} C; it is used as it stands"
    if _KELVIN_LIKE[0] <= celsius <= _KELVIN_LIKE[1]:
        text += f" (probably kelvin taken for Celsius: --{name}-c {celsius - KELVIN_AT_0_C:.2f})"
    return text


def checked_air(stored: Air, conditions: Conditions) -> tuple[Air | None, list[str]]:
    """Constants of the air that give a transmittance, and a warning where the file's do not; None where none do."""
    tau = _transmittance(conditions, stored)
    if 0 < tau <= 1.0 + 1e-9 and all(math.isfinite(value) for value in vars(stored).values()):
        return stored, []
    usual = _transmittance(conditions, Air())
    if 0 < usual <= 1.0 + 1e-9:
        return Air(), [
            f"constants of the air give a transmittance of {tau:g}: expected 0 to 1; the usual ones are used"
        ]
    celsius = conditions.atmospheric_K - KELVIN_AT_0_C
    return None, [
        f"no air has a temperature of {celsius:.1f} C, relative humidity of {conditions.humidity:g} and transmits over "
        f"{conditions.distance_m:g} m ({usual:g}, expected 0 to 1): give --atmospheric-c, --humidity and --distance-m"
    ]


def _transmittance(conditions: Conditions, air: Air) -> float:
    """NaN where the formula has no value."""
    try:
        return air_transmittance(conditions, air)
    except (OverflowError, ValueError):
        return math.nan


# --- camera -----------------------------------------------------------------------------------------------------------


def describe_camera(info: CameraInfo) -> tuple[dict[str, Any], list[str]]:
    """Entries ``camera`` and ``time`` of a sidecar, and warnings. Serial numbers and places are left out."""
    warnings = []
    if info.time is not None and info.time.year < _FIRST_YEAR:
        warnings.append(f"time is {info.time:%Y-%m-%d}: the camera's clock was not set")
    time = None if info.time is None else info.time.isoformat(timespec="milliseconds")
    low, high = (value - KELVIN_AT_0_C for value in info.range_K)
    known = all(math.isfinite(value) and kelvin > 0 for value, kelvin in zip((low, high), info.range_K, strict=True))
    return {
        "camera": {
            "model": info.model,
            "part_number": info.part_number,
            "software": info.software,
            "lens": info.lens,
            "range_C": [round(low, 2), round(high, 2)] if known and low < high else None,
        },
        "time": time,
    }, warnings


def camera_of(info: CameraInfo, width: int, height: int) -> tuple[dict[str, Any], Camera | None, list[str]]:
    """Entry ``optics`` of a sidecar, the pinhole camera of the frame where its field of view is known, and warnings."""
    focus = info.focus_distance_m
    optics: dict[str, Any] = {
        "hfov_deg": None,
        "vfov_deg": None,
        "source": None,
        "focus_distance_m": round(focus, 3) if math.isfinite(focus) and 0 < focus < _NO_FOCUS_M else None,
    }
    camera, source, warnings = _intrinsics(info, width, height)
    if camera is not None:
        hfov, vfov = camera.fov_deg
        optics.update(hfov_deg=round(hfov, 3), vfov_deg=round(vfov, 3), source=source)
    return optics, camera, warnings


def _intrinsics(info: CameraInfo, width: int, height: int) -> tuple[Camera | None, str, list[str]]:
    model = info.model.lower()
    name = re.sub(r"[^a-z0-9]+", "-", model).strip("-") or "flir"
    sensor = next((sensor for begin, sensor in _SENSORS if model.startswith(begin)), "tau2")
    if math.isfinite(info.fov_deg) and _HFOV_DEG[0] <= info.fov_deg <= _HFOV_DEG[1]:
        focal = width / 2 / math.tan(math.radians(info.fov_deg) / 2)
        camera = Camera(name, width, height, focal, focal, width / 2, height / 2, sensor=sensor)
        return camera, "field of view in the file", []
    preset = next((preset for begin, preset in _PRESETS if model.startswith(begin)), None)
    if preset is None:
        return None, "", [f"field of view is {info.fov_deg:g} degrees: the camera's geometry is not known"]
    known = read_cameras(CAMERAS)[preset]
    # These cameras are held upright, but presets lie on their long side.
    fx, fy = (known.fx / known.width, known.fy / known.height)
    if height > width:
        fx, fy = fy, fx
    camera = Camera(name, width, height, fx * width, fy * height, width / 2, height / 2, sensor=sensor)
    return camera, f"preset {preset}", []


def turned_camera(camera: Camera, orientation: int) -> Camera:
    """The camera of a picture that is turned by EXIF orientation 1 to 8: an upright one by 5 to 8 is a lying one."""
    if orientation in (5, 6, 7, 8):
        camera = replace(camera, width=camera.height, height=camera.width, fx=camera.fy, fy=camera.fx, cx=camera.cy,
                         cy=camera.cx)  # fmt: skip
    if orientation in (3, 4, 7, 8):
        camera = replace(camera, cy=camera.height - camera.cy)
    if orientation in (2, 3, 6, 7):
        camera = replace(camera, cx=camera.width - camera.cx)
    return camera
