"""Infrared images of frames by a translation model: what `gis synthesize --backend NAME --weights FILE` makes.

The model sees the source tensor and gives the whole image. It was trained on tensors whose background has the mapping
of its target, so its output has the mapping of the background, and with it the span in kelvin where there is one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gan.layout import CHANNELS
from gan.runtime import Translator, load_translator
from renderer.frame import Frame
from renderer.thermal.conditions import Conditions

from pipelines.backgrounds import Background
from pipelines.compose import FULL_SCALE, source_tensor
from pipelines.config import SynthesizeConfig
from pipelines.errors import ConfigError
from pipelines.infrared import Infrared, InfraredMaker

__all__ = ["Translation", "open_translator"]


def open_translator(config: SynthesizeConfig) -> Translator:
    """The model that a configuration names, one thread wide: every worker has its own.

    Raises:
        ConfigError: the file holds a model of another backend or for other sources.
        GanError: the file cannot be used.
    """
    if config.weights is None:
        raise ConfigError(f"backend {config.backend} needs --weights: expected a model file of `gis train`")
    translator = load_translator(config.weights, device="cpu", threads=1)
    if translator.info.backend != config.backend:
        raise ConfigError(
            f"{config.weights} holds a model of {translator.info.backend}, not of {config.backend}: "
            "expected its own name as --backend"
        )
    if translator.in_channels != len(CHANNELS):
        raise ConfigError(
            f"{config.weights} translates {translator.in_channels} channels: expected a model of source tensors "
            f"({len(CHANNELS)} channels); `gis translate` runs it on images"
        )
    return translator


class Translation:
    """A translation model over the source tensor.

    Args:
        translator: the model.
        behind: makes what lies behind the objects: the background of the label image, and its span.
    """

    def __init__(self, translator: Translator, behind: InfraredMaker) -> None:
        info = translator.info
        self._translator = translator
        self._behind = behind
        self.about: dict[str, Any] = {
            "name": info.backend,
            "weights_sha256": info.weights_sha256,
            "engine": info.route.engine,
            "precision": info.route.precision,
        }

    def make(self, frame: Frame, conditions: Conditions, background: Background | None) -> Infrared:
        """See :class:`pipelines.infrared.InfraredMaker`."""
        behind = self._behind.make(frame, conditions, background)
        output = self._translator.translate(source_tensor(behind.background, frame))
        wide = np.rint((np.clip(output, -1.0, 1.0) + 1.0) * (65535 / 2)).astype(np.uint16)
        image = np.rint(wide / np.float32(FULL_SCALE)).astype(np.uint8)
        return Infrared(image, wide, behind.span_K, behind.background, behind.sensor)
