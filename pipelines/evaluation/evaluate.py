"""Measures generated images against real ones: `gis evaluate`.

Two folders hold images of the same names. Every pair is measured; the report says the mean of each measure with a
confidence interval, and shows the worst, median and best pairs.

A *region* limits the measures to a part of each image: a folder of masks (non-zero counts), or boxes from a JSON file
(COCO, or ``{name: [[x0, y0, x1, y1], ...]}``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from gan.data.skipped import check_share, skipped_lines
from gan.data.splits import read_sequences
from gan.errors import DataError, ItemError, MetricError
from gan.metrics import image as measures
from gan.metrics.bootstrap import bootstrap_mean
from gan.metrics.distribution import frechet_distance, kernel_distance_interval
from gan.options import keyword_options
from gan.serving.hardware import check_device

from pipelines.evaluation.config import EvaluateConfig
from pipelines.evaluation.images import find_images, partners, read_image, read_pair
from pipelines.evaluation.page import write_report
from pipelines.evaluation.regions import Regions
from pipelines.evaluation.results import Evaluation
from pipelines.io.progress import follow

if TYPE_CHECKING:
    from gan.metrics.features import FeatureExtractor

__all__ = ["evaluate", "evaluate_folders"]

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_PIXEL_MEASURES: Final[dict[str, Callable[[Any, Any, Any], float]]] = {
    "ssim": measures.ssim,
    "psnr_dB": measures.psnr_dB,
    "mae": measures.mean_absolute_error,
    "mse": measures.mean_squared_error,
    "rmse": measures.root_mean_squared_error,
    "uqi": measures.uqi,
    "gradient_error": measures.gradient_error,
}


def evaluate(
    real: str | PathLike[str],
    generated: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    *,
    progress: bool = False,
    **options: Any,
) -> Evaluation:
    """Measures generated images against real ones of the same names, as `gis evaluate` does.

    Args:
        real: Folder of real images, or of a data set with ``images/``.
        generated: Folder of generated images.
        out: Folder of ``metrics.json`` and ``report.html``; None writes nothing.
        progress: Show a bar on stderr.
        options: Those of `gis evaluate` by name: lpips, features, masks, boxes, unpaired, device ...; see
            `pipelines.evaluation.config.EvaluateConfig`.

    Returns:
        ``means`` by measure with a 95 % confidence interval, ``rows`` by pair, ``distributions``, ``notes``.

    Raises:
        ConfigError: An option that cannot work.
        DataError: Folders, images, masks or boxes that cannot be used.
        MetricError: Backbone weights that cannot be found, or images that cannot be compared.
        OutputError: A folder that cannot be written.

    Examples:
        >>> import pipelines
        >>> pipelines.evaluate("real", "out/images", lpips="none").means["rmse"].mean  # doctest: +SKIP
        0.0588
    """
    values = {**options, "real": real, "generated": generated, "out": out}
    return evaluate_folders(keyword_options(EvaluateConfig, values), progress=progress)


def evaluate_folders(config: EvaluateConfig, *, progress: bool = False) -> Evaluation:
    """Measures every pair and both sets, and writes ``metrics.json`` and ``report.html`` where there is a folder.

    Raises:
        DataError: folders, images, masks or boxes that cannot be used.
        MetricError: backbone weights that cannot be found, or images that cannot be compared.
        OutputError: a folder that cannot be written.
    """
    result = _evaluation(config, progress)
    if config.out is not None:
        write_report(config.out, config, result)
    return result


def _evaluation(config: EvaluateConfig, progress: bool) -> Evaluation:
    if config.device != "cpu" and (config.lpips or config.features or config.inception):
        check_device(config.device)
    real, generated = find_images(config.real), find_images(config.generated)
    if config.unpaired:
        result = Evaluation(notes=["Unpaired: the two folders show different scenes, so only the sets are compared."])
    else:
        result = _evaluate_pairs(config, partners(config.real, config.generated), progress)
    if config.masks is None and config.boxes is None:
        _add_distributions(result, config, real, generated, progress)
    else:
        result.notes.append("Distances between distributions are left out: they are taken on whole images.")
    result.notes += skipped_lines(list(result.skipped.items()), len(real), "images")
    return result


def _evaluate_pairs(config: EvaluateConfig, pairs: Sequence[tuple[str, Path, Path]], progress: bool) -> Evaluation:
    regions = Regions(config)
    functions = dict(_lpips(config)) | _PIXEL_MEASURES
    result = Evaluation()
    for name, real, fake in _bar(pairs, progress, "pairs"):
        try:
            a, b = read_pair(name, real, fake)
            region = regions.of(name, a.shape[:2])
        except ItemError as error:
            _skip(result, name, error, len(pairs))
            continue
        row: dict[str, Any] = {"name": name, "real": real.name, "fake": fake.name}
        if region is not None:
            row["region_px"] = int(region.sum())
        empty = region is not None and not region.any()
        row |= {key: None if empty else _measure(name, function, a, b, region) for key, function in functions.items()}
        result.rows.append(row)
    groups = _sequences(result, config)
    for key in functions:
        rows = [row for row in result.rows if row[key] is not None]
        if rows:
            of_rows = None if groups is None else [groups[row["name"]] for row in rows]
            result.means[key] = bootstrap_mean([row[key] for row in rows], seed=config.seed, groups=of_rows)
    _add_notes(result, config)
    return result


def _sequences(result: Evaluation, config: EvaluateConfig) -> dict[str, str] | None:
    """The sequence of each pair, where they are told; None where intervals are taken over images.

    Raises:
        DataError: a file that is no table of sequences, or lacks a pair.
    """
    if config.sequences is None:
        return None
    names = [row["name"] for row in result.rows]
    groups = dict(zip(names, read_sequences(config.sequences, names), strict=True))
    count = len(set(groups.values()))
    if count < 2:
        result.notes.append("All pairs are of one sequence: intervals are taken over its images.")
        return None
    result.notes.append(f"Intervals are taken over {count} sequences{', and are rough' if count < 10 else ''}.")
    return groups


def _skip(result: Evaluation, name: str, error: ItemError, count: int) -> None:
    """Leaves out an image or pair.

    Raises:
        ItemError: half of them or more were left out.
    """
    result.skipped[name] = str(error)
    check_share(list(result.skipped.items()), count)


def _measure(name: str, function: Callable[..., float], a: Image, b: Image, region: Mask | None) -> float | None:
    try:
        return function(a, b, region)
    except MetricError as error:
        if "border" in str(error):  # a region at the border has pixels, but no window around them
            return None
        raise MetricError(f"{name}: {error}") from error


def _add_notes(result: Evaluation, config: EvaluateConfig) -> None:
    empty = sum(row.get("region_px") == 0 for row in result.rows)
    if empty:
        result.notes.append(f"{empty} of {len(result.rows)} pairs have an empty region and count in no mean.")
    if not result.means:
        raise DataError(f"no pair has a region ({config.masks or config.boxes}): nothing to measure")
    if math.isinf(result.means["psnr_dB"].mean):
        result.notes.append("Some pairs are equal pixel by pixel: their PSNR is infinite (null in metrics.json).")
    if any(interval.count < 10 for interval in result.means.values()):
        result.notes.append("Fewer than ten pairs: the intervals are rough.")


def _lpips(config: EvaluateConfig) -> Iterator[tuple[str, Callable[..., float]]]:
    if config.lpips:
        from gan.metrics.lpips import Lpips

        for backbone in config.lpips:
            yield f"lpips_{backbone}", Lpips(backbone, config.weights_dir, device=config.device)


def _add_distributions(
    result: Evaluation, config: EvaluateConfig, real: Mapping[str, Path], fake: Mapping[str, Path], progress: bool
) -> None:
    if not config.features and config.inception is None:
        return
    if min(len(real), len(fake)) < 2:
        result.notes.append("A single image has no distribution: distances between distributions are left out.")
        return
    for extractor, is_fid in _extractors(config):
        sides = (real, fake)
        if config.unpaired:  # images of one name have nothing to do with each other
            sides = ({str(path): path for path in real.values()}, {str(path): path for path in fake.values()})
        a, b = (_features(extractor, paths, progress, result) for paths in sides)
        kernel = kernel_distance_interval(a, b, seed=config.seed)
        about = {"features": extractor.name, "real": len(a), "fake": len(b)}
        name = "FID" if is_fid else "frechet_distance"
        result.distributions.append({"name": name, "value": frechet_distance(a, b), **about})
        result.distributions.append(
            {"name": "kernel_distance", "value": kernel.mean, "low": kernel.low, "high": kernel.high, **about}
        )
        if min(len(a), len(b)) <= a.shape[1]:
            result.notes.append(
                f"{min(len(a), len(b))} images for {a.shape[1]} features ({extractor.name}): the Frechet distance is "
                "biased upwards; compare it only with sets of the same size, or use the kernel distance."
            )


def _extractors(config: EvaluateConfig) -> Iterator[tuple[FeatureExtractor, bool]]:
    from gan.metrics.features import feature_extractor, inception_extractor

    for backbone in config.features:
        yield feature_extractor(backbone, config.weights_dir, device=config.device), False
    if config.inception is not None:
        yield inception_extractor(config.inception, device=config.device), True


def _features(
    extractor: FeatureExtractor, paths: Mapping[str, Path], progress: bool, result: Evaluation
) -> npt.NDArray[np.float32]:
    """(N, features) of the images that can be read and were not left out before."""
    rows = []
    for name, path in _bar(list(paths.items()), progress, extractor.name):
        if name in result.skipped:
            continue
        try:
            image = read_image(path)
        except ItemError as error:
            _skip(result, name, error, len(paths))
            continue
        rows.append(extractor(np.ascontiguousarray(image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)[None])))
    return np.concatenate(rows)


def _bar(items: Sequence[Any], progress: bool, what: str) -> Iterator[Any]:
    yield from follow(items, len(items), "image", label=what, progress=progress)
