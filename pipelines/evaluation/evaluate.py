"""Measures generated images against real ones: `gis evaluate`.

Two folders hold images of the same names. Every pair is measured; the report says the mean of each measure with a
confidence interval, and shows the worst, median and best pairs.

A *region* limits the measures to a part of each image: a folder of masks (non-zero counts), or boxes from a JSON file
(COCO, or ``{name: [[x0, y0, x1, y1], ...]}``).
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from gan.data import images
from gan.errors import DataError, MetricError
from gan.metrics import image as measures
from gan.metrics.bootstrap import Interval, bootstrap_mean
from gan.metrics.distribution import frechet_distance, kernel_distance_interval
from gan.serving.hardware import check_device

if TYPE_CHECKING:
    from gan.metrics.features import FeatureExtractor

__all__ = ["METRICS", "EvaluateConfig", "Evaluation", "Metric", "evaluate", "evaluate_to", "read_image"]

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Backbone = Literal["alex", "vgg"]

_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".npy")


@dataclass(frozen=True)
class Metric:
    """How a measure is read."""

    name: str
    title: str
    unit: str
    lower_is_better: bool


METRICS: Final = tuple(
    Metric(*row)
    for row in (
        ("lpips_alex", "LPIPS (AlexNet)", "", True),
        ("lpips_vgg", "LPIPS (VGG16)", "", True),
        ("ssim", "SSIM", "", False),
        ("psnr_dB", "PSNR", "dB", False),
        ("mae", "MAE (L1)", "of full range", True),
        ("mse", "MSE", "of full range squared", True),
        ("rmse", "RMSE", "of full range", True),
        ("uqi", "UQI", "", False),
        ("gradient_error", "Gradient error", "of full range per px", True),
    )
)

_PIXEL_MEASURES: Final[dict[str, Callable[[Any, Any, Any], float]]] = {
    "ssim": measures.ssim,
    "psnr_dB": measures.psnr_dB,
    "mae": measures.mean_absolute_error,
    "mse": measures.mean_squared_error,
    "rmse": measures.root_mean_squared_error,
    "uqi": measures.uqi,
    "gradient_error": measures.gradient_error,
}


@dataclass(frozen=True)
class EvaluateConfig:
    """What to compare, and how."""

    real: Path
    """Folder of real images (or a dataset with an ``images`` folder)."""
    fake: Path
    """Folder of generated images of the same names."""
    lpips: tuple[Backbone, ...] = ("alex",)
    """Backbones for LPIPS; empty leaves it out."""
    features: tuple[Backbone, ...] = ("alex",)
    """Backbones for the distances between distributions; empty leaves them out."""
    inception: Path | None = None
    """Weights of the published Inception: with them FID is computed as well."""
    weights_dir: Path | None = None
    """Folder with backbone weights; else ``GIS_WEIGHTS``, else a download."""
    masks: Path | None = None
    """Folder of masks of the same names; only non-zero pixels count."""
    boxes: Path | None = None
    """JSON file of boxes; only pixels within them count."""
    unpaired: bool = False
    """The folders show different scenes: only distances between distributions."""
    seed: int = 0
    """Seed of the bootstrap."""
    device: str = "cpu"
    """Torch device of the backbones."""


@dataclass
class Evaluation:
    """Everything that was measured."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    """One per pair: ``name`` and the value of each measure (None where its region is empty)."""
    means: dict[str, Interval] = field(default_factory=dict)
    """Mean of each measure over the pairs that have it."""
    distributions: list[dict[str, Any]] = field(default_factory=list)
    """Distances between the two sets, each with the features it was taken on."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the figures has to know."""


def evaluate(config: EvaluateConfig, *, progress: bool = False) -> Evaluation:
    """Measures every pair and both sets.

    Raises:
        DataError: folders, images, masks or boxes that cannot be used.
        MetricError: backbone weights that cannot be found, or images that cannot be compared.
    """
    _check(config)
    real, fake = _images(config.real), _images(config.fake)
    if config.unpaired:
        result = Evaluation(notes=["Unpaired: the two folders show different scenes, so only the sets are compared."])
    else:
        names = _partners(config, real, fake)
        result = _evaluate_pairs(config, [(name, real[name], fake[name]) for name in names], progress)
    if config.masks is None and config.boxes is None:
        _add_distributions(result, config, list(real.values()), list(fake.values()), progress)
    else:
        result.notes.append("Distances between distributions are left out: they are taken on whole images.")
    return result


def evaluate_to(out: Path, config: EvaluateConfig, *, progress: bool = False) -> Evaluation:
    """Evaluates, and writes ``out/metrics.json`` and ``out/report.html``."""
    from pipelines.evaluation.page import write_report

    result = evaluate(config, progress=progress)
    write_report(out, config, result)
    return result


def _check(config: EvaluateConfig) -> None:
    if config.masks is not None and config.boxes is not None:
        raise DataError("both masks and boxes were given: expected one region; leave one out")
    if config.unpaired and not (config.features or config.inception):
        raise DataError(
            "unpaired folders need features for a distance between distributions: expected alex, vgg or inception"
        )
    if config.device != "cpu" and (config.lpips or config.features or config.inception):
        check_device(config.device)
    if config.unpaired and (config.masks or config.boxes):
        raise DataError("a region needs pairs: leave out masks and boxes, or unpaired")


def _images(folder: Path) -> dict[str, Path]:
    """Images of a folder by name without suffix."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: expected a folder of images")
    place = folder / "images" if (folder / "images").is_dir() else folder
    found: dict[str, Path] = {}
    for path in sorted(place.iterdir()):
        if path.suffix.lower() not in _SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise DataError(f"{place} holds {found[path.stem].name} and {path.name}: expected one image of each name")
        found[path.stem] = path
    if not found:
        raise DataError(f"{place} holds no image: expected files like 000000.png ({', '.join(_SUFFIXES)})")
    return found


def _partners(config: EvaluateConfig, real: Mapping[str, Path], fake: Mapping[str, Path]) -> list[str]:
    for here, there, has, lacks in (
        (real, fake, config.real, config.fake),
        (fake, real, config.fake, config.real),
    ):
        alone = sorted(set(here) - set(there))
        if alone:
            raise DataError(
                f"{len(alone)} of {len(here)} images in {has} have no partner in {lacks}, first {alone[0]!r}: "
                "expected the same names in both (or --unpaired)"
            )
    return sorted(real)


def read_image(path: Path) -> Image:
    """An image as float32 in [0, 1]: (H, W) when grey, (H, W, 3) RGB when it has colour.

    8 and 16 bit are divided by their full range; float images (TIFF, npy) must lie in [0, 1] already.

    Raises:
        DataError: unreadable, NaN, out of range, or of another kind.
    """
    planes = images.read_image(path)
    if planes.dtype != np.float32:
        planes = planes / np.float32(np.iinfo(planes.dtype).max)
    if not np.isfinite(planes).all():
        raise DataError(f"{path}: infinite pixels: expected finite values")
    if planes.min() < 0 or planes.max() > 1:
        raise DataError(f"{path}: values {planes.min():g} to {planes.max():g}: expected floats in [0, 1]")
    if (planes == planes[:1]).all():  # grey that was saved as colour, as infrared often is
        return np.ascontiguousarray(planes[0], dtype=np.float32)
    return np.ascontiguousarray(planes.transpose(1, 2, 0), dtype=np.float32)


def _read_pair(name: str, real: Path, fake: Path) -> tuple[Image, Image]:
    a, b = read_image(real), read_image(fake)
    if a.shape[:2] != b.shape[:2]:
        sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (a, b)]
        raise DataError(
            f"{name}: real image of {sizes[0]}, generated one of {sizes[1]} px: expected the same size ({fake})"
        )
    if a.ndim != b.ndim:
        kinds = ["grey" if image.ndim == 2 else "colour" for image in (a, b)]
        raise DataError(f"{name}: real image is {kinds[0]}, generated one {kinds[1]}: expected the same ({fake})")
    return a, b


def _evaluate_pairs(config: EvaluateConfig, pairs: Sequence[tuple[str, Path, Path]], progress: bool) -> Evaluation:
    regions = _Regions(config)
    functions = dict(_lpips(config)) | _PIXEL_MEASURES
    result = Evaluation()
    for name, real, fake in _bar(pairs, progress, "pairs"):
        a, b = _read_pair(name, real, fake)
        region = regions.of(name, a.shape[:2])
        row: dict[str, Any] = {"name": name, "real": real.name, "fake": fake.name}
        if region is not None:
            row["region_px"] = int(region.sum())
        empty = region is not None and not region.any()
        row |= {key: None if empty else _measure(name, function, a, b, region) for key, function in functions.items()}
        result.rows.append(row)
    for key in functions:
        values = [row[key] for row in result.rows if row[key] is not None]
        if values:
            result.means[key] = bootstrap_mean(values, seed=config.seed)
    _add_notes(result, config)
    return result


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


class _Regions:
    """Masks of the pixels that count."""

    def __init__(self, config: EvaluateConfig) -> None:
        self._masks = _images(config.masks) if config.masks is not None else None
        self._boxes = _read_boxes(config.boxes) if config.boxes is not None else None

    def of(self, name: str, shape: tuple[int, ...]) -> Mask | None:
        """Region of one image of (H, W), or None when all of it counts."""
        if self._masks is not None:
            return self._mask(name, shape)
        if self._boxes is None:
            return None
        if name not in self._boxes:
            raise DataError(f"{name} has no entry in the file of boxes: expected one per image (an empty list is fine)")
        region = np.zeros(shape, dtype=np.bool_)
        for x0, y0, x1, y1 in self._boxes[name]:
            # A pixel counts when its centre lies in the box.
            rows = slice(max(math.ceil(y0 - 0.5), 0), max(math.ceil(y1 - 0.5), 0))
            region[rows, max(math.ceil(x0 - 0.5), 0) : max(math.ceil(x1 - 0.5), 0)] = True
        return region

    def _mask(self, name: str, shape: tuple[int, ...]) -> Mask:
        assert self._masks is not None
        if name not in self._masks:
            raise DataError(f"{name} has no mask: expected a mask of the same name for each image")
        mask = images.read_image(self._masks[name]).any(axis=0)
        if mask.shape != shape:
            raise DataError(
                f"{self._masks[name]} is {mask.shape[1]}x{mask.shape[0]} px: expected {shape[1]}x{shape[0]}"
            )
        return np.asarray(mask)


Box = tuple[float, float, float, float]


def _read_boxes(path: Path) -> dict[str, list[Box]]:
    """Boxes (x0, y0, x1, y1) in pixels by image name, from COCO or a plain mapping."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "annotations" in content:
            boxes: dict[str, list[Box]] = {Path(image["file_name"]).stem: [] for image in content["images"]}
            names = {image["id"]: Path(image["file_name"]).stem for image in content["images"]}
            for item in content["annotations"]:
                x, y, width, height = map(float, item["bbox"])
                boxes[names[item["image_id"]]].append((x, y, x + width, y + height))
            return boxes
        return {Path(name).stem: [_box(item) for item in items] for name, items in content.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path} holds no boxes ({reason}): expected COCO, or {{name: [[x0, y0, x1, y1]]}}") from error


def _box(item: Sequence[float]) -> Box:
    x0, y0, x1, y1 = map(float, item)
    return x0, y0, x1, y1


def _add_distributions(
    result: Evaluation, config: EvaluateConfig, real: Sequence[Path], fake: Sequence[Path], progress: bool
) -> None:
    if not config.features and config.inception is None:
        return
    if min(len(real), len(fake)) < 2:
        result.notes.append("A single image has no distribution: distances between distributions are left out.")
        return
    for extractor, is_fid in _extractors(config):
        a, b = (_features(extractor, paths, progress) for paths in (real, fake))
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


def _features(extractor: FeatureExtractor, paths: Sequence[Path], progress: bool) -> npt.NDArray[np.float32]:
    rows = []
    for path in _bar(paths, progress, extractor.name):
        image = read_image(path)
        rows.append(extractor(np.ascontiguousarray(image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)[None])))
    return np.concatenate(rows)


def _bar(items: Sequence[Any], progress: bool, what: str) -> Iterator[Any]:
    from tqdm import tqdm

    yield from tqdm(items, desc=what, unit="image", disable=not progress)


def config_values(config: EvaluateConfig) -> dict[str, Any]:
    """The configuration as JSON values; folders by their last name only, so that reports do not depend on the place."""
    values = dataclasses.asdict(config)
    return {key: value.name if isinstance(value, Path) else value for key, value in values.items()}
