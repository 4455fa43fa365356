"""The physical thermal image of a frame, by the panel's settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import bpy
import numpy as np
from renderer.random_streams import Draw, Stream

from .. import adapter

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from renderer.geometry.frame import Frame
    from renderer.thermal.conditions import Conditions
    from renderer.thermal.sensor import Sensor

__all__ = ["PREVIEW_PX", "ThermalSettings", "coarser", "render_thermal"]

PREVIEW_PX = 20000
"""Pixels of a preview without numba: the physics then runs as plain Python, some 10 000 pixels a second."""
DEFAULT_SENSOR = "tau2"


@dataclass(frozen=True)
class ThermalSettings:
    """What a thermal image depends on, beside the frame."""

    seed: int
    index: int
    """Number of the frame of that seed."""
    hour: float
    """Local solar time, hours."""
    weather: str
    season: str
    profile: str
    """Of all cars; ``EACH`` keeps each car's own."""
    sensor: str
    """Name of an infrared sensor; ``CAMERA`` takes the camera's."""
    camera_sensor: str = DEFAULT_SENSOR
    """The sensor that belongs to the active camera."""

    @classmethod
    def of_scene(cls, scene: bpy.types.Scene) -> ThermalSettings:
        """Those of the panel."""
        panel = scene.gis_thermal
        names = ("seed", "index", "hour", "weather", "season", "profile", "sensor")
        camera_sensor = str(scene.camera.get("gis_sensor", DEFAULT_SENSOR)) if scene.camera else DEFAULT_SENSOR
        return cls(**{name: getattr(panel, name) for name in names}, camera_sensor=camera_sensor)

    def conditions(self) -> Conditions:
        """Weather and hour that are named; what is not named is drawn by seed and frame."""
        from renderer.thermal.conditions import sample_conditions

        rng = Draw(self.seed, self.index).rng(Stream.CONDITIONS)
        return sample_conditions(rng, weather=self.weather, hour=self.hour % 24.0, season=self.season)

    def infrared_sensor(self) -> Sensor:
        """The sensor that is named, else the camera's."""
        sensors = adapter.sensors()
        name = self.camera_sensor if self.sensor == "CAMERA" else self.sensor
        return sensors.get(name) or sensors[DEFAULT_SENSOR]


def _with_profile(frame: Frame, profile: str) -> Frame:
    """The frame with one profile for all cars; ``EACH`` keeps each car's own."""
    if profile == "EACH":
        return frame
    return replace(frame, instances=tuple(replace(instance, profile=profile) for instance in frame.instances))


def coarser(frame: Frame, step: int) -> Frame:
    """Every ``step``-th pixel of a frame, with the camera that sees them."""
    if step <= 1:
        return frame
    pixels = slice(step // 2, None, step)
    lens, (height, width) = frame.camera, frame.zone[pixels, pixels].shape
    middle = (step // 2 + 0.5 - step / 2) / step
    cx, cy = lens.cx / step - middle, lens.cy / step - middle
    camera = replace(lens, width=width, height=height, fx=lens.fx / step, fy=lens.fy / step, cx=cx, cy=cy)
    return replace(
        frame,
        camera=camera,
        depth_m=np.ascontiguousarray(frame.depth_m[pixels, pixels]),
        instance_id=np.ascontiguousarray(frame.instance_id[pixels, pixels]),
        zone=np.ascontiguousarray(frame.zone[pixels, pixels]),
        normal=None if frame.normal is None else np.ascontiguousarray(frame.normal[pixels, pixels]),
        part=None if frame.part is None else np.ascontiguousarray(frame.part[pixels, pixels]),
        edges=None,
    )


def render_thermal(frame: Frame, settings: ThermalSettings) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Thermal image of a frame with normals and parts; a coarser one where numba is missing.

    Returns:
        grey levels (H, W) uint8, and the measured temperature (H, W) float32, K.
    """
    from renderer.thermal import physics
    from renderer.thermal.sensor import agc, expose

    sensor, used = settings.infrared_sensor(), _with_profile(frame, settings.profile)
    if not adapter.has_numba():
        used = coarser(used, int(np.ceil(np.sqrt(used.zone.size / PREVIEW_PX))))
    image = physics.render_thermal(used, settings.conditions(), adapter.profiles(), Draw(settings.seed, used.index))
    kelvin = expose(image.apparent_temperature_K, sensor, Draw(settings.seed, settings.index), used.camera)
    return agc(kelvin, sensor), kelvin
