"""Crops of cars, their measures, and intervals by resampling frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.realism.cars import Case
from gan.metrics.bootstrap import Interval
from gan.metrics.image import mean_absolute_error
from gan.metrics.lpips import Lpips
from renderer.geometry.frame import Box2D

__all__ = ["SIDE_PX", "FrameBootstrap", "Scores", "crop", "mean_scores", "score"]

UInt8 = NDArray[np.uint8]
Array = NDArray[np.float64]

SIDE_PX = 128
SQUARE = 1.2
"""Side of the crop, in longer sides of the box."""
DRAWS = 2000


def crop(image: UInt8, box: Box2D) -> UInt8:
    """The square around a box, clipped to the image, at 128x128.

    Args:
        image: (H, W)
        box: left, top, right, bottom in pixels.
    """
    left, top, right, bottom = box
    half = SQUARE * max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    rows = slice(max(round(y - half), 0), min(round(y + half), image.shape[0]))
    columns = slice(max(round(x - half), 0), min(round(x + half), image.shape[1]))
    patch = image[rows, columns]
    how = cv2.INTER_AREA if min(patch.shape) >= SIDE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(patch, (SIDE_PX, SIDE_PX), interpolation=how), dtype=np.uint8)


@dataclass
class Scores:
    """Measures of one way of making the pictures, car by car and frame by frame."""

    crop_lpips: list[float] = field(default_factory=list)
    """By car, of the picture as it was made."""
    composited: list[float] = field(default_factory=list)
    """By car; the picture inside the hole, the real frame outside."""
    mask_l1: list[float] = field(default_factory=list)
    """By car: mean absolute difference inside the mask, share of full range."""
    frame_lpips: list[float] = field(default_factory=list)
    """By frame, of the whole picture as it was made."""
    crops: list[UInt8] = field(default_factory=list)
    """By car."""

    def extend(self, other: Scores) -> None:
        """Takes in the measures of other frames."""
        for values, more in zip(vars(self).values(), vars(other).values(), strict=True):
            values.extend(more)


def score(scores: Scores, case: Case, made: UInt8, lpips: Lpips, *, keep: bool = False) -> None:
    """Adds the measures of one frame."""
    whole = np.where(case.hole, made, case.real)
    same = np.array_equal(whole, made)
    for car in case.cars:
        real = _unit(crop(case.real, car.box))
        scores.crop_lpips.append(lpips(real, _unit(crop(made, car.box))))
        scores.composited.append(scores.crop_lpips[-1] if same else lpips(real, _unit(crop(whole, car.box))))
        scores.mask_l1.append(mean_absolute_error(_unit(case.real), _unit(made), car.mask))
        if keep:
            scores.crops.append(crop(made, car.box))
    scores.frame_lpips.append(lpips(_unit(case.real), _unit(made)))


def mean_scores(drawn: Sequence[Scores]) -> Scores:
    """Means over several draws, car by car and frame by frame; the crops are those of the first."""

    def mean(values: Sequence[Sequence[float]]) -> list[float]:
        return [float(value) for value in np.mean(values, axis=0)]

    return Scores(
        mean([one.crop_lpips for one in drawn]), mean([one.composited for one in drawn]),
        mean([one.mask_l1 for one in drawn]), mean([one.frame_lpips for one in drawn]), drawn[0].crops,
    )  # fmt: skip


def _unit(image: UInt8) -> NDArray[np.float32]:
    return image.astype(np.float32) / np.float32(255)


class FrameBootstrap:
    """Intervals of means over cars, by resampling the frames that the cars stand in.

    Cars of one frame are alike, so frames are drawn, each with all its cars (Efron 1979, percentiles). All intervals of
    one object share their draws: differences are paired.

    Args:
        frames: frame of each value.
        draws: number of resamples.
        seed: of the draws.
    """

    def __init__(self, frames: Sequence[str], draws: int = DRAWS, seed: int = 0) -> None:
        names, self._frame = np.unique(np.asarray(frames), return_inverse=True)
        rng = np.random.default_rng([seed, draws])
        self._times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws).astype(np.float64)
        self._count = np.bincount(self._frame, minlength=len(names)).astype(np.float64)

    def mean(self, values: Sequence[float]) -> Interval:
        """Mean of values."""
        return self._interval(float(np.mean(values)), self._means(values), len(values))

    def difference(self, values: Sequence[float], others: Sequence[float]) -> Interval:
        """Mean of values less that of others."""
        drawn = self._means(values) - self._means(others)
        return self._interval(float(np.mean(values) - np.mean(others)), drawn, len(values))

    def change(self, values: Sequence[float], others: Sequence[float]) -> Interval:
        """Mean of values over that of others, less 1: -0.15 is 15 % lower."""
        drawn = self._means(values) / self._means(others) - 1
        return self._interval(float(np.mean(values) / np.mean(others) - 1), drawn, len(values))

    def _means(self, values: Sequence[float]) -> Array:
        sums = np.bincount(self._frame, np.asarray(values, dtype=np.float64), minlength=len(self._count))
        return np.asarray(self._times @ sums / (self._times @ self._count))

    @staticmethod
    def _interval(value: float, drawn: Array, count: int) -> Interval:
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Interval(value, min(float(low), value), max(float(high), value), count)
