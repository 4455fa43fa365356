"""A loaded model, and what is done to its images: the part of `gis translate` that a worker on a cluster has too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from gan.errors import DataError, GisError, ServingError

from pipelines.evaluation.images import read_image
from pipelines.io.files import write_bytes
from pipelines.io.images import encode_png
from pipelines.translation.config import Bits, TranslateConfig
from pipelines.translation.inputs import fit_channels
from pipelines.translation.told import ToldTranslator, open_told

if TYPE_CHECKING:
    from gan.serving.inference import ModelInfo, TranslationModel

__all__ = ["Translated", "Translator", "encode_image", "open_translator", "write_files"]

Float32 = npt.NDArray[np.float32]
Maps = tuple[Float32, ...]
Source = tuple[str, Callable[[], Float32]]
"""Name of an input, and what reads it."""


@dataclass(frozen=True)
class Translated:
    """What became of one input."""

    name: str
    image: Float32 | None = None
    """(H, W) or (3, H, W) in [-1, 1]; None where it could not be translated."""
    maps: Maps = ()
    """Attention maps in [-1, 1]."""
    error: GisError | None = None
    """Why it could not."""

    def files(self, out: Path, attention: Path | None, bits: Bits) -> Mapping[Path, bytes]:
        """Contents of the files of an image by their paths."""
        if self.image is None:
            return {}
        place = attention or out  # without attention maps there is nothing to put there
        maps = {place / f"{self.name}_{n}.png": encode_image(one) for n, one in enumerate(self.maps, 1)}
        return maps | {out / f"{self.name}.png": encode_image(self.image, bits)}


@dataclass(frozen=True)
class Translator:
    """Translates inputs, some at a time."""

    model: TranslationModel
    finish: Callable[[Float32, int], Float32]
    """What is done to the image of an input, given its number."""
    attention: Callable[[Float32], Maps]
    noise_seed: int | None

    @property
    def about(self) -> ModelInfo:
        """What the model is, and how it is run."""
        return self.model.about

    def translate(self, first: int, sources: Sequence[Source]) -> Iterator[Translated]:
        """What becomes of inputs that follow each other; those of one size go through the network together.

        Which they are follows from the order of all inputs alone, so that the bytes do not depend on who does it.

        Args:
            first: number of the first of them.
            sources: names, and what reads them.
        """
        read = [self._read(source) for source in sources]
        together = self._together({place: one for place, one in enumerate(read) if not isinstance(one, GisError)})
        for place, (name, _) in enumerate(sources):
            source = read[place]
            if isinstance(source, GisError):
                yield Translated(name, error=source)
                continue
            try:
                image = together.get(place)
                image = self._alone(name, source, first + place) if image is None else image
                image = self.finish(image, first + place)
            except (DataError, ServingError) as error:
                yield Translated(name, error=error)
                continue
            yield Translated(name, image, self.attention(source))

    def _read(self, source: Source) -> Float32 | GisError:
        name, read = source
        try:
            return fit_channels(read(), self.model.in_channels, name)
        except (DataError, ServingError) as error:
            return error

    def _together(self, sources: Mapping[int, Float32]) -> dict[int, Float32]:
        """Images of the sources that have their size in common; none of a stack in which one cannot be used."""
        sizes: dict[tuple[int, ...], list[int]] = {}
        for place, source in sources.items():
            sizes.setdefault(source.shape, []).append(place)
        images: dict[int, Float32] = {}
        for places in sizes.values():
            if len(places) > 1:
                try:
                    stack = self.model.translate(np.stack([sources[place] for place in places]), together=True)
                except ServingError:  # each by itself tells which it is
                    continue
                images |= dict(zip(places, stack, strict=True))
        return images

    def _alone(self, name: str, source: Float32, number: int) -> Float32:
        try:
            return self.model.translate(source, seed=None if self.noise_seed is None else self.noise_seed + number)
        except GisError as error:
            raise type(error)(f"{name}: {error}") from error


def write_files(files: Mapping[Path, bytes], out: Path) -> None:
    """Writes the files of images; a folder of the output that somebody has removed is not made anew.

    Raises:
        OutputError: one cannot be written.
    """
    for path, data in files.items():
        write_bytes(path, data, root=out if path.parent == out else None)


def open_translator(config: TranslateConfig, calibration: Float32 | None) -> Translator | ToldTranslator:
    """Loads the model.

    Args:
        config: what to translate with.
        calibration: samples for int8, for a model file that brings none.

    Raises:
        GanError: a model that cannot be used.
    """
    if config.told:
        return open_told(config)
    from gan.serving.inference import load_model

    finish, attention = _postprocess(config), _attention(config)
    model = load_model(
        config.weights,
        precision=config.precision,
        engine=config.engine,
        device=config.device,
        threads=config.threads,
        calibration=calibration,
        noise=config.noise_seed is not None,
        compile=config.compile,
    )
    return Translator(model, finish, attention, config.noise_seed)


def _postprocess(config: TranslateConfig) -> Callable[[Float32, int], Float32]:
    """What turns the network's image, given its number, into the one that is written."""
    if config.postprocess == "none":
        return lambda image, number: image
    from gan.serving.postprocess import StyleReconstruction, gaussian_smooth

    if config.reference is None:
        return lambda image, number: gaussian_smooth(image)

    reference = read_image(config.reference)
    grey = reference if reference.ndim == 2 else reference.mean(axis=2)
    style = StyleReconstruction(
        np.asarray(grey * 2 - 1, dtype=np.float32),
        start=config.style_start,
        steps=config.style_steps,
        weights_dir=config.weights_dir,
        device=config.device,
    )
    return lambda image, number: style(image, config.noise_seed or 0, number)


def _attention(config: TranslateConfig) -> Callable[[Float32], Maps]:
    """What gives the attention maps of one source."""
    if config.attention is None:
        return lambda source: ()
    from gan.serving.attention_maps import load_attention

    maps = load_attention(config.weights, device=config.device)
    return lambda source: tuple(share * np.float32(2) - np.float32(1) for share in maps(source))


def encode_image(image: Float32, bits: Bits = 8) -> bytes:
    """PNG of an image in [-1, 1], (H, W) grey or (3, H, W) RGB; values beyond are clipped."""
    highest = 2**bits - 1
    scaled = np.rint((np.clip(image, -1.0, 1.0) + np.float32(1)) * np.float32(highest / 2))
    pixels = scaled.astype(np.uint8 if bits == 8 else np.uint16)
    return encode_png(pixels.transpose(1, 2, 0) if pixels.ndim == 3 else pixels)
