"""All measures of pairs of images at once, as means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gan.errors import MetricError
from gan.metrics import image as measures

__all__ = ["PIXEL_METRICS", "evaluate"]

PIXEL_METRICS: Final[Mapping[str, Callable[..., float]]] = MappingProxyType(
    {
        "ssim": measures.ssim,
        "psnr_dB": measures.psnr_dB,
        "mae": measures.mean_absolute_error,
        "mse": measures.mean_squared_error,
        "rmse": measures.root_mean_squared_error,
        "uqi": measures.uqi,
        "gradient_error": measures.gradient_error,
    }
)
"""Measures of `gan.metrics.image` by their names in reports."""


def evaluate(
    pairs: Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    *,
    lpips: bool = False,
    weights_dir: Path | str | None = None,
    device: str = "cpu",
) -> dict[str, float]:
    """Measures generated images against real ones.

    Args:
        pairs: Real and generated image of each pair, (H, W) or (H, W, 3): floats in [0, 1], or 8 or 16 bits. What a
            model translates lies in [-1, 1]: give ``(image + 1) / 2``.
        lpips: Measure the perceptual distance LPIPS too, on AlexNet; needs torch.
        weights_dir: Folder with AlexNet's weights; None takes ``GIS_WEIGHTS``, else a download.
        device: Torch device for LPIPS.

    Returns:
        The mean of each measure over all pairs: ``ssim``, ``psnr_dB``, ``mae``, ``mse``, ``rmse``, ``uqi``,
        ``gradient_error`` (see `gan.metrics.image`), and ``lpips_alex``. `gis evaluate` measures folders, with
        confidence intervals and regions.

    Raises:
        MetricError: No pair, images of different sizes, or values out of range.

    Examples:
        >>> real = np.zeros((32, 32), np.uint8)
        >>> round(evaluate([(real, real + 51)])["mae"], 6)  # 51 of 255
        0.2
    """
    metrics = dict(PIXEL_METRICS)
    if lpips:
        from gan.metrics.lpips import Lpips

        metrics["lpips_alex"] = Lpips("alex", None if weights_dir is None else Path(weights_dir), device=device)
    rows = [[metric(_unit(real), _unit(fake)) for metric in metrics.values()] for real, fake in pairs]
    if not rows:
        raise MetricError("no pairs: expected at least one real and one generated image")
    return {name: float(np.mean(column)) for name, column in zip(metrics, zip(*rows, strict=True), strict=True)}


def _unit(image: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The image in [0, 1]."""
    if image.dtype in (np.uint8, np.uint16):
        return image / np.float64(np.iinfo(image.dtype).max)
    if image.dtype.kind != "f" or image.min() < 0 or image.max() > 1:
        raise MetricError(
            f"image of {image.dtype} from {image.min()} to {image.max()}: expected floats in [0, 1], or 8 or 16 bits"
        )
    return image.astype(np.float64)
