"""The physical thermal image of a frame, by the panel's settings."""

from dataclasses import replace
from typing import Any

import bpy
import numpy as np

from . import adapter

__all__ = ["PREVIEW_PX", "conditions_of", "render_thermal", "sensor_of"]

PREVIEW_PX = 20000
"""Pixels of a preview without numba: the physics then runs as plain Python, some 10 000 pixels a second."""


def conditions_of(settings: bpy.types.PropertyGroup) -> Any:
    """Weather and hour that the panel names; what it does not name is drawn by its seed and frame."""
    streams = adapter.renderer("random_streams")
    rng = streams.Draw(settings.seed, settings.index).rng(streams.Stream.CONDITIONS)
    sample = adapter.renderer("thermal.conditions").sample_conditions
    return sample(rng, weather=settings.weather, hour=settings.hour % 24.0, season=settings.season)


def sensor_of(scene: bpy.types.Scene) -> Any:
    """The sensor that the panel names, else the camera's."""
    named = scene.gis_thermal.sensor
    if named == "CAMERA":
        named = str(scene.camera.get("gis_sensor", "tau2")) if scene.camera else "tau2"
    return adapter.sensors().get(named) or adapter.sensors()["tau2"]


def with_profile(frame: Any, profile: str) -> Any:
    """The frame with one profile for all cars; ``EACH`` keeps each car's own."""
    if profile == "EACH":
        return frame
    return replace(frame, instances=tuple(replace(one, profile=profile) for one in frame.instances))


def coarser(frame: Any, step: int) -> Any:
    """Every ``step``-th pixel of a frame, with the camera that sees them."""
    if step <= 1:
        return frame
    at = slice(step // 2, None, step)
    cut = {name: np.ascontiguousarray(getattr(frame, name)[at, at]) for name in ("depth_m", "instance_id", "zone")}
    cut |= {name: np.ascontiguousarray(getattr(frame, name)[at, at]) for name in ("normal", "part")}
    lens, (height, width) = frame.camera, cut["zone"].shape
    middle = (step // 2 + 0.5 - step / 2) / step
    camera = replace(
        lens, width=width, height=height, fx=lens.fx / step, fy=lens.fy / step,
        cx=lens.cx / step - middle, cy=lens.cy / step - middle,
    )  # fmt: skip
    return replace(frame, camera=camera, **cut)


def render_thermal(frame: Any, scene: bpy.types.Scene) -> tuple[np.ndarray, np.ndarray]:
    """Thermal image of a frame with normals and parts.

    Args:
        frame: passes.
        scene: its ``gis_thermal`` says profile, hour, weather and sensor.

    Returns:
        grey levels (H, W) uint8, and the measured temperature (H, W) float32, K.
    """
    settings, sensor = scene.gis_thermal, sensor_of(scene)
    used = with_profile(frame, settings.profile)
    if not adapter.has_numba():
        used = coarser(used, int(np.ceil(np.sqrt(used.zone.size / PREVIEW_PX))))
    draw = adapter.renderer("random_streams").Draw
    physics, sensors = adapter.renderer("thermal.physics"), adapter.renderer("thermal.sensor")
    image = physics.render_thermal(used, conditions_of(settings), adapter.profiles(), draw(settings.seed, used.index))
    kelvin = sensors.expose(image.apparent_temperature_K, sensor, draw(settings.seed, settings.index), used.camera)
    return sensors.agc(kelvin, sensor), kelvin
