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
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from gan.data.skipped import skipped_lines
from gan.errors import GisError
from gan.options import keyword_options

from pipelines.io.files import check_present, file_sha256, locked_folder, write_json
from pipelines.io.progress import follow, stage
from pipelines.translation.config import Bits, Postprocess, StyleStart, TranslateConfig
from pipelines.translation.inputs import Input, calibration_samples, find_inputs
from pipelines.translation.temperatures import Wanted, image_names, read_classes, read_temperatures
from pipelines.translation.told import ToldImages
from pipelines.translation.translator import Translated, encode_image, open_translator, write_files

if TYPE_CHECKING:
    from gan.serving.inference import ModelInfo

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
Result = tuple[str, GisError | None]
"""Name of an input, and why it could not be translated."""


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
    temperatures: tuple[Wanted, ...] = ()
    """With ``temperature``: the vector of each image of an input, kelvin by entry."""
    redrawn: tuple[str, ...] = ()
    """With ``redraw``: the classes that were drawn anew."""
    span_K: tuple[float, float] | None = None
    """With ``temperature`` or ``redraw``: kelvin of 0 and 65535."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Name of each input that could not be translated, and why."""

    def to_json(self) -> dict[str, Any]:
        """As it stands in ``translate.json``."""
        values = {"schema": "gis-translate", "version": 1, **dataclasses.asdict(self)}
        extra = ("style", "temperatures", "redrawn", "span_K", "skipped")
        return {name: value for name, value in values.items() if name not in extra or value}


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
    inputs = find_inputs(config.source)
    if config.ray is None:
        about, results = _here(config, inputs, progress)
    else:
        from pipelines.translation.on_cluster import translate_on_cluster

        about, results = translate_on_cluster(config, inputs, _calibration(config, inputs), progress, report)
    failures = [(name, error) for name, error in results if error is not None]
    if len(failures) == len(inputs):
        raise failures[0][1]
    skipped = tuple((name, str(error)) for name, error in failures)
    left_out = dict(skipped)
    count = len(read_temperatures(config.temperature)) or 1
    names = [name for item in inputs if item.name not in left_out for name in image_names(item.name, count)]
    check_present(config.out, [f"{name}.png" for name in names], "images")
    for line in skipped_lines(skipped, len(inputs), "inputs"):
        report(line)
    summary = replace(_summary(config, about, len(inputs) - len(skipped)), skipped=skipped)
    write_json(config.out / "translate.json", summary.to_json())
    return summary


def _here(config: TranslateConfig, inputs: Sequence[Input], progress: bool) -> tuple[ModelInfo, list[Result]]:
    """Translates on this machine; says how, and what became of each input."""
    with stage(f"loading the model {config.weights.name}", progress=progress):
        translator = open_translator(config, _calibration(config, inputs))
    results: list[Result] = []
    with ThreadPoolExecutor(2) as reading, ThreadPoolExecutor(1) as writing:
        pending: deque[Future[None]] = deque()
        sources = _read_ahead(inputs, reading, max(_AHEAD, config.batch))
        sources = follow(sources, len(inputs), "image", label="translate", progress=progress)
        while batch := list(itertools.islice(sources, config.batch)):
            named = [(item.name, source.result) for item, source in batch]
            for one in translator.translate(len(results), named):
                results.append((one.name, one.error))
                pending.append(writing.submit(_write, one, config))
                if len(pending) > _AHEAD:
                    pending.popleft().result()
        for future in pending:
            future.result()
    return translator.about, results


def _write(one: Translated | ToldImages, config: TranslateConfig) -> None:
    write_files(one.files(config.out, config.attention, config.bits), config.out)


def _summary(config: TranslateConfig, about: ModelInfo, count: int) -> TranslationSummary:
    wanted = read_temperatures(config.temperature)
    return TranslationSummary(
        images=count * (len(wanted) or 1),
        weights=config.weights.name,
        weights_sha256=about.weights_sha256,
        engine=about.inference.engine,
        precision=about.inference.precision,
        mean_error_to_fp32=about.mean_error,
        bits=16 if config.told else config.bits,
        noise_seed=config.noise_seed,
        postprocess=config.postprocess,
        style=_style_summary(config),
        temperatures=wanted,
        redrawn=read_classes(config.redraw) if config.redraw else (),
        span_K=about.span_K,
    )


def _style_summary(config: TranslateConfig) -> StyleSummary | None:
    if config.reference is None:
        return None
    reference = {"name": config.reference.name, "sha256": file_sha256(config.reference)}
    return StyleSummary(reference, config.style_start, config.style_steps)


def _calibration(config: TranslateConfig, inputs: Sequence[Input]) -> Float32 | None:
    """Samples for int8, for a model file that brings none."""
    from gan.serving.inference import brings_calibration

    if config.told:
        return None
    needs_calibration = config.precision in ("auto", "int8") and config.engine != "torch" and config.noise_seed is None
    return calibration_samples(inputs) if needs_calibration and not brings_calibration(config.weights) else None


def _read_ahead(
    inputs: Sequence[Input], pool: ThreadPoolExecutor, most: int
) -> Iterator[tuple[Input, Future[Float32]]]:
    """Inputs in their order, the next ones being read meanwhile."""
    waiting: deque[tuple[Input, Future[Float32]]] = deque()
    for item in inputs:
        waiting.append((item, pool.submit(item.read)))
        if len(waiting) > most:
            yield waiting.popleft()
    yield from waiting
