"""Images of one source at several temperatures or with classes drawn anew, and the sheet that shows them together."""

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

from pipelines.errors import ConfigError
from pipelines.io.files import read_object
from pipelines.io.images import encode_png
from pipelines.translation.config import TranslateConfig
from pipelines.translation.inputs import fit_channels
from pipelines.translation.temperatures import Wanted, image_names, read_classes, read_temperatures

if TYPE_CHECKING:
    from gan.data.kelvin.sets import Masks
    from gan.serving.inference import ModelInfo
    from gan.serving.temperatures import TemperatureModel

    from pipelines.translation.translator import Source

__all__ = ["TemperatureWarning", "ToldImages", "ToldTranslator", "contact_sheet", "open_told"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
UInt16 = npt.NDArray[np.uint16]
Bool = npt.NDArray[np.bool_]

_HEADING_PX, _GAP_PX, _LETTER_PX, _COLUMNS = 18, 4, 7, 6
_FULL: Final = int(np.iinfo(np.uint16).max)
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
    kept: tuple[UInt16, Bool] | None = None
    """(H, W) image that they are drawn into, and the pixels of it that stay."""
    error: GisError | None = None
    """Why it could not be translated."""

    def files(self, out: Path, attention: Path | None, bits: int) -> Mapping[Path, bytes]:
        """16-bit images over the span, and of several a sheet, by their paths."""
        images = [self._values(kelvin) for kelvin in self.images_K]
        names = image_names(self.name, len(images))
        files = {out / f"{name}.png": encode_png(image) for name, image in zip(names, images, strict=True)}
        if len(images) > 1:
            low, high = self.span_K
            shown_K = [(low + image * ((high - low) / _FULL)).astype(np.float32) for image in images]
            files[out / f"{self.name}_sheet.png"] = encode_png(contact_sheet(shown_K, self.wanted))
        return files

    def _values(self, kelvin: Float32) -> UInt16:
        low, high = self.span_K
        share = ((kelvin.astype(np.float64) - low) / (high - low)).clip(0, 1)
        drawn = np.rint(share * _FULL).astype(np.uint16)
        return drawn if self.kept is None else np.where(self.kept[1], self.kept[0], drawn)


@dataclass(frozen=True)
class ToldTranslator:
    """Translates inputs one by one, each at all temperatures."""

    model: TemperatureModel
    wanted: tuple[Wanted, ...]
    redrawn: tuple[int, ...] = ()
    """Places of the classes that are drawn anew; of all others the image is as without noise."""
    noise_seed: int | None = None
    """Of the classes that are drawn anew."""
    masks: Masks | None = None
    """Of the inputs; None: as the model says."""
    onto: Path | None = None
    """Folder of images into which the classes are drawn."""

    @property
    def about(self) -> ModelInfo:
        """What the model is, and how it is run."""
        return self.model.about

    def translate(self, first: int, sources: Sequence[Source]) -> Iterator[ToldImages]:
        """What becomes of inputs that follow each other."""
        for number, (name, read) in enumerate(sources, first):
            try:
                yield self._one(name, fit_channels(read(), self.model.in_channels, name), number)
            except (DataError, ServingError) as error:
                yield ToldImages(name, error=error)

    def _one(self, name: str, source: Float32, number: int) -> ToldImages:
        from gan.serving.temperatures import Drawing

        entries = self._entries(name, source)
        seed = None if self.noise_seed is None else self.noise_seed + number
        drawing = Drawing(entries, seed, self.redrawn if self.redrawn else None)
        images = tuple(self.model.translate(source, one, drawing) for one in self.wanted)
        kept = None
        if self.onto is not None and entries is not None:
            kept = _read_onto(self.onto / f"{name}.png", entries.shape), ~np.isin(entries, self.redrawn)
        return ToldImages(name, images, self.wanted, self.model.span_K, kept)

    def _entries(self, name: str, source: Float32) -> UInt8 | None:
        """(H, W) classes of a source, of a model that takes them."""
        if self.model.say_classes is None:
            return None
        if self.masks is None:
            return self.model.classes(source)
        return self.masks.entries(name, self.model.temperatures.names)


def _read_onto(path: Path, shape: tuple[int, ...]) -> UInt16:
    from gan.data.images import read_image

    image = read_image(path)
    if image.dtype != np.uint16 or image.shape != (1, *shape):
        raise DataError(f"{path} is {image.dtype} {image.shape}: expected a grey image of 16 bits and {shape}")
    return np.asarray(image[0], dtype=np.uint16)


def open_told(config: TranslateConfig) -> ToldTranslator:
    """Loads a model that is told temperatures, and compares these and the classes with what it knows.

    Raises:
        ConfigError: an entry that the model does not have, no temperature, or images of another scale to draw into.
        GanError: a model, or a set, that cannot be used so.
    """
    from gan.data.kelvin.sets import find_masks
    from gan.serving.temperatures import load_temperature_model

    model = load_temperature_model(config.weights, device=config.device, threads=config.threads)
    wanted = read_temperatures(config.temperature) or ({},)
    _warn_beyond(model, wanted)
    return ToldTranslator(
        model,
        wanted,
        _redrawn(config, model),
        config.noise_seed,
        None if model.say_classes is None else find_masks(config.source),
        None if config.onto is None else _checked_onto(config.onto, model),
    )


def _redrawn(config: TranslateConfig, model: TemperatureModel) -> tuple[int, ...]:
    """Places of the classes that are drawn anew."""
    if not config.redraw:
        return ()
    if not model.layered:
        raise ServingError(f"redraw: {config.weights} is a model of {model.about.name}, without layers: train layered")
    known = model.temperatures.names
    names = read_classes(config.redraw)
    for name in names:
        if name not in known:
            raise ConfigError(f"redraw names {name!r}: expected one of {', '.join(known)}")
    return tuple(known.index(name) for name in names)


def _checked_onto(folder: Path, model: TemperatureModel) -> Path:
    """Refuses images of another scale."""
    about = read_object(folder / "translate.json")
    if about.get("span_K") != list(model.span_K) and about.get("weights_sha256") != model.about.weights_sha256:
        raise ConfigError(f"onto: {folder} has images of another model or span: expected what gis translate made of it")
    return folder


def _warn_beyond(model: TemperatureModel, wanted: Sequence[Wanted]) -> None:
    lines: dict[str, None] = {}
    for one in wanted:
        model.temperatures.vector(one)
        lines |= dict.fromkeys(model.temperatures.beyond(one))
    for line in lines:
        warnings.warn(f"temperature: {line}", TemperatureWarning, stacklevel=3)


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
