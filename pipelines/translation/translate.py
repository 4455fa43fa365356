"""Source tensors or images to infrared images with a trained model: `gis translate`.

Reading, translating and writing overlap: while the network runs, the next inputs are decoded and the last outputs
encoded. Post-processing and attention maps are extra, and take their own time per image.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from gan.data.images import list_images
from gan.data.sample_files import StoredSample, find_samples
from gan.data.skipped import skipped_lines
from gan.errors import DataError, GisError, ServingError
from gan.options import keyword_options

from pipelines.evaluation.images import read_image
from pipelines.io.files import check_present, file_sha256, locked_folder, write_bytes, write_json
from pipelines.io.images import encode_png
from pipelines.io.progress import follow, stage
from pipelines.translation.config import Bits, Postprocess, StyleStart, TranslateConfig

if TYPE_CHECKING:
    from gan.serving.inference import TranslationModel

__all__ = [
    "StyleSummary",
    "TranslationSummary",
    "calibration_samples",
    "encode_image",
    "find_inputs",
    "translate",
    "translate_folder",
]

Float32 = npt.NDArray[np.float32]

_AHEAD: Final = 4  # inputs decoded, and outputs waiting to be written, at most: 7 MB each
_CALIBRATION_COUNT: Final = 6


@dataclass(frozen=True)
class StyleSummary:
    """How the style of a real image was taken."""

    reference: dict[str, str]
    """``name`` and ``sha256`` of the real image."""
    start: StyleStart
    """What it started from."""
    steps: int
    """Iterations."""


@dataclass(frozen=True)
class TranslationSummary:
    """What was translated, and how: ``translate.json``."""

    images: int
    """How many were written."""
    weights: str
    """Name of the model file."""
    weights_sha256: str
    """Its hash."""
    engine: str
    """What ran the network."""
    precision: str
    """Its number format."""
    mean_error_to_fp32: float
    """Mean difference to the images in fp32, fraction of full range."""
    bits: Bits
    """Per pixel."""
    noise_seed: int | None
    """Seed of the model's noise; None: no noise."""
    postprocess: Postprocess
    """What was done to each image."""
    style: StyleSummary | None = None
    """None without `style`."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Name of each input that could not be translated, and why."""

    def to_json(self) -> dict[str, Any]:
        """As it stands in ``translate.json``."""
        values = {"schema": "gis-translate", "version": 1, **dataclasses.asdict(self)}
        return {name: value for name, value in values.items() if name not in ("style", "skipped") or value}


@dataclass(frozen=True)
class Input:
    """One source that is read when it is needed."""

    name: str
    read: Callable[[], Float32]
    """(C, H, W) float32 in [-1, 1]."""


def translate(
    weights: str | PathLike[str],
    input: str | PathLike[str],
    out: str | PathLike[str],
    *,
    progress: bool = False,
    **options: Any,
) -> TranslationSummary:
    """Translates a folder of source tensors or images into infrared images, as `gis translate` does.

    Args:
        weights: Model file of `gis train`.
        input: Folder of source tensors or images.
        out: Folder of the images to write, one PNG of the same name for each input, and ``translate.json``.
        progress: Show a bar on stderr.
        options: Those of `gis translate` by name: bits, precision, engine, device, threads, postprocess ...; see
            `pipelines.translation.config.TranslateConfig`.

    Returns:
        What was done.

    Raises:
        ConfigError: An option that cannot work.
        DataError: Inputs that cannot be used.
        OutputError: A folder that cannot be written.
        GanError: A model that cannot be used.

    Examples:
        >>> import pipelines
        >>> pipelines.translate("runs/a/model.safetensors", "out/test", "out/images", bits=16)  # doctest: +SKIP
        TranslationSummary(images=40, ...)
    """
    config = keyword_options(TranslateConfig, {**options, "weights": weights, "input": input, "out": out})
    return translate_folder(config, progress=progress)


def translate_folder(
    config: TranslateConfig, *, progress: bool = False, report: Callable[[str], None] = lambda line: None
) -> TranslationSummary:
    """Translates every input; returns what was done, as also written to ``out/translate.json``.

    An input that cannot be used is left out, and told at the end.

    Args:
        config: what to translate, and how.
        progress: show a bar on stderr.
        report: takes lines for the user.

    Raises:
        DataError: no input can be used.
        OutputError: an output folder that cannot be written.
        GanError: a model that cannot be used.
    """
    with locked_folder(config.out):
        return _translate_folder(config, progress, report)


def _translate_folder(config: TranslateConfig, progress: bool, report: Callable[[str], None]) -> TranslationSummary:
    from gan.serving.inference import load_model

    inputs = find_inputs(config.source)
    finish = _postprocess(config)
    attention = _attention(config)
    with stage(f"loading the model {config.weights.name}", progress=progress):
        model = load_model(
            config.weights,
            precision=config.precision,
            engine=config.engine,
            device=config.device,
            threads=config.threads,
            calibration=_calibration(config, inputs),
            noise=config.noise_seed is not None,
            compile=config.compile,
        )
    with ThreadPoolExecutor(2) as reading, ThreadPoolExecutor(1) as writing:
        pending: deque[Future[None]] = deque()
        failures: list[tuple[str, GisError]] = []
        sources = _read_ahead(inputs, reading)
        for number, (item, source) in enumerate(
            follow(sources, len(inputs), "image", label="translate", progress=progress)
        ):
            try:
                fitted = _fit_channels(source.result(), model.in_channels, item.name)
                image = finish(_translate(model, item, fitted, config.noise_seed, number), number)
            except (DataError, ServingError) as error:
                failures.append((item.name, error))
                continue
            attention(item.name, fitted)
            pending.append(writing.submit(_write_image, config.out / f"{item.name}.png", image, config.bits))
            if len(pending) > _AHEAD:
                pending.popleft().result()
        for future in pending:
            future.result()
    if len(failures) == len(inputs):
        raise failures[0][1]
    skipped = tuple((name, str(error)) for name, error in failures)
    left_out = dict(skipped)
    check_present(config.out, [f"{item.name}.png" for item in inputs if item.name not in left_out], "images")
    for line in skipped_lines(skipped, len(inputs), "inputs"):
        report(line)
    summary = replace(_summary(config, model, len(inputs) - len(skipped)), skipped=skipped)
    write_json(config.out / "translate.json", summary.to_json())
    return summary


def _translate(model: TranslationModel, item: Input, source: Float32, noise_seed: int | None, number: int) -> Float32:
    try:
        image = model.translate(source, seed=None if noise_seed is None else noise_seed + number)
    except GisError as error:
        raise type(error)(f"{item.name}: {error}") from error
    return image


def _summary(config: TranslateConfig, model: TranslationModel, count: int) -> TranslationSummary:
    about = model.about
    return TranslationSummary(
        images=count,
        weights=config.weights.name,
        weights_sha256=about.weights_sha256,
        engine=about.inference.engine,
        precision=about.inference.precision,
        mean_error_to_fp32=about.mean_error,
        bits=config.bits,
        noise_seed=config.noise_seed,
        postprocess=config.postprocess,
        style=_style_summary(config),
    )


def _style_summary(config: TranslateConfig) -> StyleSummary | None:
    if config.reference is None:
        return None
    reference = {"name": config.reference.name, "sha256": file_sha256(config.reference)}
    return StyleSummary(reference, config.style_start, config.style_steps)


# --- after the network -----------------------------------------------------------------------------------------------


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


def _attention(config: TranslateConfig) -> Callable[[str, Float32], None]:
    """What writes the attention maps of one source, given the name of the input."""
    if config.attention is None:
        return lambda name, source: None
    from gan.serving.attention_maps import load_attention

    folder, maps = config.attention, load_attention(config.weights, device=config.device)

    def write(name: str, source: Float32) -> None:
        for number, share in enumerate(maps(source), start=1):
            write_bytes(folder / f"{name}_{number}.png", encode_image(share * np.float32(2) - np.float32(1)))

    return write


# --- inputs ----------------------------------------------------------------------------------------------------------


def find_inputs(folder: Path) -> list[Input]:
    """Source tensors or images of a folder, in name order.

    Raises:
        DataError: no folder, nothing usable, or two inputs of one name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: expected source tensors or images")
    for place in (folder, folder / "tensors"):
        samples = [Input(stored.name, partial(_read_source, stored)) for stored in find_samples(place)]
        if samples:
            return _distinct(samples, folder)
    for place in (folder, folder / "images"):
        paths = list_images(place)
        if paths:
            return _distinct([Input(path.stem, partial(_read_image, path)) for path in paths], folder)
    raise DataError(f"{folder} holds neither tensors (*.safetensors, *.tar) nor images: expected one of them")


def _read_source(stored: StoredSample) -> Float32:
    return stored.load().source()


def _read_image(path: Path) -> Float32:
    image = read_image(path)
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return np.ascontiguousarray(planes * np.float32(2) - np.float32(1))


def _distinct(items: Sequence[Input], folder: Path) -> list[Input]:
    ordered = sorted(items, key=lambda item: item.name)
    for one, other in itertools.pairwise(ordered):
        if one.name == other.name:
            raise DataError(f"{folder} holds two inputs named {one.name!r}: expected one, their outputs would collide")
    return ordered


def _fit_channels(source: Float32, channels: int, name: str) -> Float32:
    """Grey repeated for a model of colour images; anything else that differs is an error."""
    if source.shape[0] == channels:
        return source
    if source.shape[0] == 1 and channels == 3:
        return np.repeat(source, 3, axis=0)
    raise DataError(
        f"{name} has {source.shape[0]} channels, the model takes {channels}: expected inputs like its training data"
    )


def _calibration(config: TranslateConfig, inputs: Sequence[Input]) -> Float32 | None:
    """Samples for int8, for a model file that brings none."""
    from gan.serving.inference import brings_calibration

    needs_calibration = config.precision in ("auto", "int8") and config.engine != "torch" and config.noise_seed is None
    return calibration_samples(inputs) if needs_calibration and not brings_calibration(config.weights) else None


def calibration_samples(inputs: Sequence[Input], count: int = _CALIBRATION_COUNT) -> Float32 | None:
    """Evenly spaced inputs that have the size of the first, (N, C, H, W); None where there is only one."""
    chosen = sorted({round(step) for step in np.linspace(0, len(inputs) - 1, count)})
    sources: list[Float32] = []
    for position in chosen:
        with suppress(DataError):  # one that cannot be used is told when its turn comes
            sources.append(inputs[position].read())
    alike = [source for source in sources if source.shape == sources[0].shape]
    return np.stack(alike) if len(alike) > 1 else None


def _read_ahead(inputs: Sequence[Input], pool: ThreadPoolExecutor) -> Iterator[tuple[Input, Future[Float32]]]:
    """Inputs in their order, the next ones being read meanwhile."""
    waiting: deque[tuple[Input, Future[Float32]]] = deque()
    for item in inputs:
        waiting.append((item, pool.submit(item.read)))
        if len(waiting) > _AHEAD:
            yield waiting.popleft()
    yield from waiting


# --- outputs ---------------------------------------------------------------------------------------------------------


def encode_image(image: Float32, bits: Bits = 8) -> bytes:
    """PNG of an image in [-1, 1], (H, W) grey or (3, H, W) RGB; values beyond are clipped."""
    highest = 2**bits - 1
    scaled = np.rint((np.clip(image, -1.0, 1.0) + np.float32(1)) * np.float32(highest / 2))
    pixels = scaled.astype(np.uint8 if bits == 8 else np.uint16)
    return encode_png(pixels.transpose(1, 2, 0) if pixels.ndim == 3 else pixels)


def _write_image(path: Path, image: Float32, bits: Bits) -> None:
    write_bytes(path, encode_image(image, bits), root=path.parent)
