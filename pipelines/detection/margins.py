"""How much larger annotators draw boxes than made labels are, by what detectors find that never saw their boxes.

Made boxes end where the object's pixels end. People draw them with some room, and each team in its own way: RoadScene's
end below the tyres by 6 to 9 % of a car's height. A detector that learned from the one and is tested by the other finds
everything a little too small, and a training on both is told two things. The room shows between the labels of real
frames and what a detector of made frames finds in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.dataset.labels.box_margins import BoxMargins
from pipelines.detection.labelled_images import LabelledImage

__all__ = ["LEAST_MATCHES", "box_gaps", "margins_of"]

Finds = Mapping[str, Sequence[Sequence[float]]]
"""By image: left, top, right, bottom, score, class of each find."""
Gaps = dict[str, NDArray[np.float64]]
"""By class: (N, 4), how far labels reach beyond finds at the left, top, right and bottom, in heights of the label."""

LEAST_MATCHES: Final = 30
"""Finds of a class without which nothing is said of it."""
_OVERLAP: Final = 0.3
"""From which on a find and a label are of the same object, loosely drawn boxes among them."""
_SURE: Final = 0.25
"""Score from which on finds count."""
_LEAST_HEIGHT_PX: Final = 20.0
_STEP: Final = 0.005
"""To which margins are rounded; finer they would tell of the frames at hand."""


def box_gaps(images: Sequence[LabelledImage], runs: Sequence[Finds], classes: Sequence[str]) -> Gaps:
    """How far labels reach beyond the finds that are of the same object.

    Args:
        images: With their labels; edges that the border of the image cuts tell nothing and are NaN.
        runs: What detectors found in them, each in some or all.
        classes: Their names.
    """
    gaps: dict[str, list[NDArray[np.float64]]] = {name: [] for name in classes}
    for image in images:
        shape = image.read().shape
        for run in (one for one in runs if image.name in one):
            finds = np.array(run[image.name], np.float64).reshape(-1, 6)
            finds = finds[finds[:, 4] >= _SURE]
            for number, name in enumerate(classes):
                labels = image.boxes_px[image.classes == number].astype(np.float64)
                labels = labels[labels[:, 3] - labels[:, 1] >= _LEAST_HEIGHT_PX]
                mine = finds[finds[:, 5] == number, :4]
                if len(labels) and len(mine):
                    gaps[name].append(_gaps(labels, mine, shape))
    return {name: np.concatenate(rows) if rows else np.empty((0, 4)) for name, rows in gaps.items()}


def _gaps(labels: NDArray[np.float64], finds: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(N, 4) of the labels that were found, each beside the find that covers it best."""
    shared = _overlaps(labels, finds)
    best = shared.argmax(axis=1)
    known = shared.max(axis=1) >= _OVERLAP
    labels, finds = labels[known], finds[best[known]]
    gaps = (labels - finds) * np.array([-1.0, -1.0, 1.0, 1.0]) / (labels[:, 3] - labels[:, 1])[:, None]
    height, width = shape[:2]
    cut = np.column_stack([labels[:, :2] < 1.0, labels[:, 2] > width - 1.0, labels[:, 3] > height - 1.0])
    return np.where(cut, np.nan, gaps)


def _overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, M) intersection over union."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=2)
    sizes = [(one[:, 2:] - one[:, :2]).prod(axis=1) for one in (first, second)]
    return np.asarray(shared / (sizes[0][:, None] + sizes[1][None] - shared), np.float64)


def margins_of(gaps: Gaps) -> BoxMargins:
    """By class, how much larger boxes are to be made at the left, top, right and bottom, in heights of the box.

    Both sides get the same: nobody draws cars wider at the left. Nothing is taken off: boxes hold all pixels of their
    object. Classes with too few finds are not among them.
    """
    margins = {}
    for name, rows in gaps.items():
        if len(rows) >= LEAST_MATCHES:
            left, top, right, bottom = (_median(edge) for edge in rows.T)
            side = _rounded((left + right) / 2)
            margins[name] = side, _rounded(top), side, _rounded(bottom)
    return margins


def _median(gaps: NDArray[np.float64]) -> float:
    """Of an edge where the border does not cut it; 0 where it cuts it in all labels."""
    known = gaps[np.isfinite(gaps)]
    return float(np.median(known)) if len(known) else 0.0


def _rounded(margin: float) -> float:
    return max(0.0, round(round(margin / _STEP) * _STEP, 3))
