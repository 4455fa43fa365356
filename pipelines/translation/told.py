"""Images of one source at several temperatures, and the sheet that shows them beside each other."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt
from gan.errors import DataError, GisError, ServingError

from pipelines.io.images import encode_png
from pipelines.translation.inputs import fit_channels
from pipelines.translation.temperatures import Wanted, image_names

if TYPE_CHECKING:
    from gan.serving.inference import ModelInfo
    from gan.serving.temperatures import TemperatureModel

    from pipelines.translation.translator import Source

__all__ = ["TemperatureWarning", "ToldImages", "ToldTranslator", "contact_sheet", "open_told"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

_HEADING_PX, _GAP_PX, _LETTER_PX, _COLUMNS = 18, 4, 7, 6
_SHOWN: Final = (0.5, 99.5)
"""Percentiles that are black and white on a sheet."""


class TemperatureWarning(UserWarning):
    """A temperature that the model was not trained on."""


@dataclass(frozen=True)
class ToldImages:
    """What became of one input."""

    name: str
    images_K: tuple[Float32, ...] = ()
    """(H, W) kelvin, one for each vector."""
    wanted: tuple[Wanted, ...] = ()
    span_K: tuple[float, float] = (0.0, 1.0)
    error: GisError | None = None
    """Why it could not be translated."""

    def files(self, out: Path, attention: Path | None, bits: int) -> Mapping[Path, bytes]:
        """16-bit images over the span, and of several a sheet, by their paths."""
        low, high = self.span_K
        files: dict[Path, bytes] = {}
        for name, kelvin in zip(image_names(self.name, len(self.images_K)), self.images_K, strict=True):
            share = ((kelvin.astype(np.float64) - low) / (high - low)).clip(0, 1)
            files[out / f"{name}.png"] = encode_png(np.rint(share * np.iinfo(np.uint16).max).astype(np.uint16))
        if len(self.images_K) > 1:
            files[out / f"{self.name}_sheet.png"] = encode_png(contact_sheet(self.images_K, self.wanted))
        return files


@dataclass(frozen=True)
class ToldTranslator:
    """Translates inputs one by one, each at all temperatures."""

    model: TemperatureModel
    wanted: tuple[Wanted, ...]

    @property
    def about(self) -> ModelInfo:
        """What the model is, and how it is run."""
        return self.model.about

    def translate(self, first: int, sources: Sequence[Source]) -> Iterator[ToldImages]:
        """What becomes of inputs that follow each other."""
        for name, read in sources:
            try:
                source = fit_channels(read(), self.model.in_channels, name)
                images = tuple(self.model.translate(source, one) for one in self.wanted)
            except (DataError, ServingError) as error:
                yield ToldImages(name, error=error)
                continue
            yield ToldImages(name, images, self.wanted, self.model.span_K)


def open_told(weights: Path, wanted: tuple[Wanted, ...], device: str, threads: int | None) -> ToldTranslator:
    """Loads a model that is told temperatures, and compares these with what it knows.

    Raises:
        ConfigError: an entry that the model does not have, or no temperature.
        GanError: a model that cannot be used so.
    """
    from gan.serving.temperatures import load_temperature_model

    model = load_temperature_model(weights, device=device, threads=threads)
    lines: dict[str, None] = {}
    for one in wanted:
        model.temperatures.vector(one)
        lines |= dict.fromkeys(model.temperatures.beyond(one))
    for line in lines:
        warnings.warn(f"temperature: {line}", TemperatureWarning, stacklevel=2)
    return ToldTranslator(model, wanted)


def contact_sheet(images_K: Sequence[Float32], wanted: Sequence[Wanted]) -> UInt8:
    """(H, W) uint8: the images beside each other on one scale of grey, each below what differs in its vector.

    Args:
        images_K: (H, W) kelvin, of one size.
        wanted: Their vectors.
    """
    low, high = np.percentile(np.stack(images_K), _SHOWN)
    changing = [name for name in wanted[0] if any(one.get(name) != wanted[0][name] for one in wanted)] or [*wanted[0]]
    headings = [" ".join(f"{name} {one[name]:g} K" for name in changing if name in one) for one in wanted]
    height, width = images_K[0].shape
    cell = max(width, _LETTER_PX * max(map(len, headings)))
    columns = min(len(images_K), _COLUMNS)
    rows = -(-len(images_K) // columns)
    sheet = np.zeros((rows * (height + _HEADING_PX + _GAP_PX), columns * (cell + _GAP_PX)), np.uint8)
    for place, (image, heading) in enumerate(zip(images_K, headings, strict=True)):
        top, left = (place // columns) * (height + _HEADING_PX + _GAP_PX), (place % columns) * (cell + _GAP_PX)
        grey = ((image - low) / max(high - low, 1e-6) * 255).clip(0, 255)
        sheet[top + _HEADING_PX : top + _HEADING_PX + height, left : left + width] = np.rint(grey).astype(np.uint8)
        cv2.putText(sheet, heading, (left + 2, top + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 255, 1, cv2.LINE_AA)
    return sheet
