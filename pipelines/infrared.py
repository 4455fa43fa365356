"""Infrared images of frames: by physics alone, or by a translation model over the source tensor.

Every maker gives the same :class:`Infrared`. In a rendered scene all of it is radiometric: 16 bits over a span in kelvin, from
which the 8-bit image is made by the sensor's gain control. Over a real background that is display-only there is no span.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from assets import CAMERAS, THERMAL_PROFILES
from numpy.typing import NDArray
from renderer.frame import Frame
from renderer.thermal.conditions import Conditions
from renderer.thermal.physics import render_thermal
from renderer.thermal.profiles import read_profiles

from pipelines.backgrounds import Background
from pipelines.compose import FULL_SCALE, source_tensor
from pipelines.config import PHYSICS, SynthesizeConfig

__all__ = ["Infrared", "InfraredMaker", "open_infrared"]

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]


@dataclass(frozen=True)
class Infrared:
    """One infrared image."""

    image: UInt8
    """(H, W) as a display shows it, white hot."""
    image16: UInt16
    """(H, W) over the full 16-bit range; without a span it is the display image."""
    span_K: tuple[float, float] | None
    """Apparent temperatures at 0 and 65535 of ``image16``; None where it is display intensity."""
    background: UInt8
    """(H, W) what the label image is painted on: the same mapping as ``image16``, in 8 bits."""
    sensor: str
    """Infrared sensor, a table of ``assets/cameras.toml``."""


class InfraredMaker(Protocol):
    """Makes infrared images."""

    @property
    def about(self) -> dict[str, Any]:
        """Entry ``backend`` of a record: name, and hash of the weights."""

    def make(self, frame: Frame, conditions: Conditions, background: Background | None) -> Infrared:
        """The image of a frame; ``background`` is a real image, None where the scene is the background."""


def open_infrared(config: SynthesizeConfig) -> InfraredMaker:
    """The maker that a configuration names.

    Raises:
        GanError: the model cannot be loaded.
    """
    physics = Physics(config.seed)
    if config.backend == PHYSICS:
        return physics
    return Translation(config, physics)


class Physics:
    """Radiometry and a sensor model; needs no training."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._profiles = read_profiles(THERMAL_PROFILES)
        self.about: dict[str, Any] = {"name": PHYSICS, "weights_sha256": None}

    def make(self, frame: Frame, conditions: Conditions, background: Background | None) -> Infrared:
        """See :class:`InfraredMaker`."""
        kelvin = render_thermal(frame, conditions, self._profiles, self._seed).apparent_temperature_K
        span = (float(kelvin.min()), float(kelvin.max()))
        wide = np.rint((kelvin - span[0]) / (span[1] - span[0]) * 65535).astype(np.uint16)
        low, high = np.percentile(kelvin, (0.5, 99.5))
        image = np.clip((kelvin - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        if background is not None:
            mixed = np.where(frame.instance_id > 0, image, background.image)
            return Infrared(mixed, mixed.astype(np.uint16) * np.uint16(FULL_SCALE), None, background.image, "tau2")
        return Infrared(image, wide, span, image, "tau2")
