"""Gain control of a sequence: it follows what the camera sees with a delay, as in a camera.

A Tau 2 filters its gain control by ``new = c / 256 * now + (1 - c / 256) * before`` for each frame of its video (FLIR,
"FLIR Camera Adjustments", 102-PS242-100-01, 2014, AGC filter). With :data:`COEFFICIENT` at :data:`VIDEO_HZ` that is a
delay of 0.12 s. A frame must not depend on another's being made, so the tone curves of the past are taken from glances:
small pictures of the same sequence at a few earlier moments, rendered for it and measured by the same sensor.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from assets import CAMERAS
from numpy.typing import NDArray
from renderer.random_streams import Draw
from renderer.thermal.sensor import Sensor, agc, from_uint16, read_sensors

from pipelines.synthesis.infrared import Infrared

__all__ = ["SHRINK", "GainHistory", "earlier_weights"]

COEFFICIENT: Final = 64
"""Of 256 (assumed; the camera takes 1, slow, to 255, at once)."""
VIDEO_HZ: Final = 30.0
DELAY_S: Final = -1.0 / (VIDEO_HZ * math.log(1.0 - COEFFICIENT / 256))
GLANCES: Final = 3
STEP_S: Final = 0.1
"""Between the glances; what lies before the last of them weighs 8 % and is taken to be like it."""
SHRINK: Final = 4
"""How many times smaller a glance is."""
_KEPT: Final = 8


def earlier_weights(step_s: float) -> tuple[float, ...]:
    """Weights of the glances, the latest first: of a filter that forgets by ``exp(-t / DELAY_S)``."""
    kept = math.exp(-step_s / DELAY_S)
    weights = [(1.0 - kept) * kept**number for number in range(1, GLANCES)]
    return (*weights, kept**GLANCES)


@dataclass(frozen=True)
class GainHistory:
    """Shows the frames of a sequence by a gain control that has a past."""

    glance: Callable[[Draw], NDArray[np.float32]]
    """Small picture of a frame in kelvin, by the draw of the frame."""

    @functools.cached_property
    def _glance(self) -> Callable[[Draw], NDArray[np.float32]]:
        return functools.lru_cache(maxsize=_KEPT)(self.glance)

    @functools.cached_property
    def _sensors(self) -> dict[str, Sensor]:
        return read_sensors(CAMERAS)

    def shown(self, image: Infrared, draw: Draw) -> Infrared:
        """The image with the grey levels that the camera gives it.

        Args:
            image: by a gain control that knows this frame alone; one that was drawn for the frame stays.
            draw: of the frame.
        """
        moment = draw.moment
        if moment is None or moment.frame == 0 or image.span_K is None or image.varied is not None:
            return image
        step = max(1, round(STEP_S * moment.fps))
        weights = earlier_weights(step / moment.fps)
        back = moment.frame - np.arange(1, GLANCES + 1) * step
        index = draw.index - moment.frame
        past = [
            (weight, self._glance(replace(draw, index=index + frame, moment=replace(moment, frame=frame))))
            for weight, frame in zip(weights, np.maximum(back, 0).tolist(), strict=True)
        ]
        return replace(image, image=agc(from_uint16(image.image16, image.span_K), self._sensors[image.sensor], past))
