"""Figures of a set: how many objects, how large, where, how hidden, how bright."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Literal, SupportsFloat

import numpy as np
from gan.errors import ItemError
from numpy.typing import NDArray

from pipelines.backgrounds.labelled_folders import read_grey
from pipelines.dataset.labels import CATEGORIES
from pipelines.statistics.observed import KINDS, ObservedFrame, ObservedObject, ObservedSet
from pipelines.statistics.pictures import contrasts, noise_levels

__all__ = ["FORMAT", "GRID", "HEIGHTS_PX", "QUANTILES", "ObjectFigures", "SetFigures", "figures_of", "quantile"]

Array = NDArray[np.float64]
Quantiles = tuple[float, ...]

FORMAT: Final = "gis statistics 1"
QUANTILES: Final = 33
"""Evenly spaced, from the least to the most: what a distribution is kept as."""
HEIGHTS_PX: Final = (0, 10, 14, 20, 26, 32, 45, 64, 93, 130, 190, 270, 2048)
"""Edges of the bins of heights."""
GRID: Final = (16, 12)
"""Columns and rows of the map of positions."""
BORDER_PX: Final = 1.5
"""A box that comes so near to the border is cut by it."""
HIDDEN_SHARE: Final = 0.1
"""Of a box that the box of one nearer object of its kind covers, where the first stands behind the second."""
TRUNCATED: Final = 0.02
"""Share outside of the picture from which on an object counts as cut."""


@dataclass(frozen=True)
class ObjectFigures:
    """Figures of all objects of a kind. Distributions are quantiles, evenly spaced; shares are of the objects."""

    count: int
    per_frame: float
    frames_with: float
    """Share of the frames that have one or more."""
    frames_with_several: float
    """Share of the frames that have two or more."""
    height_px: Quantiles
    width_px: Quantiles
    aspect: Quantiles
    """Width over height of the boxes."""
    heights: tuple[float, ...]
    """Share in each bin of HEIGHTS_PX."""
    distance_m: Quantiles | None
    """None where no distance is known, as all below."""
    behind: float
    """Share of whose boxes a tenth or more is covered by one of the kind that reaches farther down."""
    cut_by_sides: float
    cut_below: float
    occluded: float | None
    """Share that the labels call partly or largely hidden."""
    truncated: float | None
    """Share that the labels say reaches out of the picture."""
    contrast: Quantiles | None
    """Middle of the box less its surroundings, grey levels of 0 to 255."""
    positions: tuple[tuple[float, ...], ...]
    """Share of the boxes' centres in each cell of a grid over the frame, rows from the top."""


@dataclass(frozen=True)
class SetFigures:
    """Figures of a set."""

    format: Literal["gis statistics 1"]
    name: str
    frames: int
    size_px: tuple[int, int]
    """Most common width and height of the frames."""
    categories: Mapping[str, int]
    """Objects of each category."""
    kinds: Mapping[str, ObjectFigures]
    hours: tuple[int, ...] | None
    """Frames in each hour of the day, where that is known."""
    day_share: float | None
    """Share of the frames by day, of those of which it is known."""
    weather: Mapping[str, int]
    """Frames of each weather, where it is known."""
    pictures: int
    """Pictures that were looked at, evenly spaced, for what follows and for contrasts."""
    level: Quantiles | None
    """Mean grey level of the pictures, 0 to 255."""
    spread: Quantiles | None
    """Standard deviation of the grey levels within a picture."""
    noise: Quantiles | None
    """Standard deviation of the noise, grey levels."""
    worlds: Mapping[str, int] = field(default_factory=dict)
    """Frames of each kind of scene, where it is known."""
    contrast: Quantiles | None = None
    """How far objects stand out in a picture: the mean of their contrasts without the sign; of pictures with any."""


@dataclass(frozen=True)
class _Picture:
    """What was measured in one picture."""

    level: float
    spread: float
    noise: float
    contrasts: tuple[float | None, ...]
    """Of the frame's objects, in their order."""

    @property
    def contrast(self) -> float | None:
        """How far its objects stand out."""
        known = [abs(value) for value in self.contrasts if value is not None]
        return sum(known) / len(known) if known else None


def figures_of(observed: ObservedSet, pictures: int = 0) -> SetFigures:
    """Figures of a set.

    Args:
        observed: the set.
        pictures: how many pictures are read at most, evenly spaced; 0 leaves out what only they tell.
    """
    seen = _look(observed.frames, pictures)
    objects = [one for frame in observed.frames for one in frame.objects]
    kinds = [kind for kind in (*KINDS, "other") if any(one.kind == kind for one in objects)]
    return SetFigures(
        format=FORMAT,
        name=observed.name,
        frames=len(observed.frames),
        size_px=observed.size_px,
        categories=_in_order(Counter(one.category for one in objects)),
        kinds={kind: _of_kind(kind, observed.frames, seen) for kind in kinds},
        hours=_hours(observed.frames),
        day_share=_share(np.array([frame.time == "day" for frame in observed.frames if frame.time])),
        weather=_counted(frame.weather for frame in observed.frames),
        worlds=_counted(frame.world for frame in observed.frames),
        pictures=len(seen),
        level=_quantiles([one.level for one in seen.values()]),
        spread=_quantiles([one.spread for one in seen.values()]),
        noise=_quantiles([one.noise for one in seen.values()]),
        contrast=_quantiles([one.contrast for one in seen.values() if one.contrast is not None]),
    )


def quantile(values: Quantiles, share: float) -> float:
    """The value that a share of the distribution is below."""
    return float(np.interp(share, np.linspace(0.0, 1.0, len(values)), values))


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(word for word in words if word).items()))


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """This project's categories in their order, then the others by name."""
    rest = sorted(set(counts) - set(CATEGORIES))
    return {name: counts[name] for name in (*CATEGORIES, *rest) if name in counts}


def _look(frames: Sequence[ObservedFrame], most: int) -> dict[int, _Picture]:
    """Some pictures, by the number of their frame; those that cannot be read are left out."""
    if most <= 0:
        return {}
    rows = np.unique(np.linspace(0, len(frames) - 1, min(most, len(frames))).round().astype(int)).tolist()
    with ThreadPoolExecutor() as pool:
        found = zip(rows, pool.map(_look_at, [frames[row] for row in rows]), strict=True)
        return {row: one for row, one in found if one is not None}


def _look_at(frame: ObservedFrame) -> _Picture | None:
    (left, top), (width, height) = frame.window_px, frame.size_px
    try:
        grey = read_grey(frame.image)[top : top + height, left : left + width]
    except ItemError:
        return None
    if min(grey.shape) < 3:
        return None
    own = tuple(contrasts(grey, [one.box_px for one in frame.objects]))
    return _Picture(float(grey.mean()), float(grey.std()), noise_levels(grey), own)


def _of_kind(kind: str, frames: Sequence[ObservedFrame], seen: Mapping[int, _Picture]) -> ObjectFigures:
    own = [[one for one in frame.objects if one.kind == kind] for frame in frames]
    every = [_boxes(objects) for objects in own]
    boxes = np.concatenate(every)
    size = np.concatenate([np.tile([*frame.size_px], (len(one), 1)) for frame, one in zip(frames, every, strict=True)])
    objects, counts = [one for several in own for one in several], np.array([len(several) for several in own])
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    sides = (boxes[:, 0] < BORDER_PX) | (boxes[:, 2] > size[:, 0] - BORDER_PX)
    return ObjectFigures(
        count=len(boxes),
        per_frame=_rounded(counts.mean()),
        frames_with=_rounded((counts > 0).mean()),
        frames_with_several=_rounded((counts > 1).mean()),
        height_px=_quantiles(height) or (),
        width_px=_quantiles(width) or (),
        aspect=_quantiles(width / np.maximum(height, 1e-6)) or (),
        heights=tuple(_rounded(share) for share in np.histogram(height, HEIGHTS_PX)[0] / max(len(height), 1)),
        distance_m=_quantiles([one.distance_m for one in objects if one.distance_m is not None]),
        behind=_share(np.concatenate([_behind(one) for one in every])) or 0.0,
        cut_by_sides=_share(sides) or 0.0,
        cut_below=_share(boxes[:, 3] > size[:, 1] - BORDER_PX) or 0.0,
        occluded=_share(np.array([one.occlusion in (1, 2) for one in objects if one.occlusion is not None])),
        truncated=_share(np.array([one.truncation > TRUNCATED for one in objects if one.truncation is not None])),
        contrast=_quantiles(_contrasts(kind, frames, seen)),
        positions=_positions(boxes, size),
    )


def _contrasts(kind: str, frames: Sequence[ObservedFrame], seen: Mapping[int, _Picture]) -> list[float]:
    pairs = (pair for row, one in seen.items() for pair in zip(frames[row].objects, one.contrasts, strict=True))
    return [value for item, value in pairs if value is not None and item.kind == kind]


def _boxes(objects: Iterable[ObservedObject]) -> Array:
    return np.array([one.box_px for one in objects], np.float64).reshape(-1, 4)


def _behind(boxes: Array) -> NDArray[np.bool_]:
    """Which boxes (N, 4) are partly covered by one that reaches farther down: the one nearer to the camera."""
    width = np.minimum(boxes[:, None, 2], boxes[None, :, 2]) - np.maximum(boxes[:, None, 0], boxes[None, :, 0])
    height = np.minimum(boxes[:, None, 3], boxes[None, :, 3]) - np.maximum(boxes[:, None, 1], boxes[None, :, 1])
    own = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    covered = np.maximum(width, 0) * np.maximum(height, 0) / np.maximum(own[:, None], 1e-6)
    return np.asarray((covered * (boxes[None, :, 3] > boxes[:, None, 3]) > HIDDEN_SHARE).any(axis=1), np.bool_)


def _positions(boxes: Array, size: Array) -> tuple[tuple[float, ...], ...]:
    columns, rows = GRID
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / np.maximum(size, 1)
    counts = np.histogram2d(centres[:, 1], centres[:, 0], (rows, columns), ((0, 1), (0, 1)))[0]
    return tuple(tuple(_rounded(share) for share in row) for row in counts / max(counts.sum(), 1))


def _hours(frames: Sequence[ObservedFrame]) -> tuple[int, ...] | None:
    hours = [int(frame.hour) for frame in frames if frame.hour is not None]
    return tuple(np.bincount(hours, minlength=24).tolist()) if hours else None


def _quantiles(values: Sequence[float] | Array) -> Quantiles | None:
    if not len(values):
        return None
    return tuple(np.quantile(values, np.linspace(0.0, 1.0, QUANTILES)).tolist())


def _share(which: NDArray[np.bool_]) -> float | None:
    return _rounded(which.mean()) if which.size else None


def _rounded(value: SupportsFloat) -> float:
    return round(float(value), 4)
