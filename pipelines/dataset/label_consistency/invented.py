"""Hot patches in the picture where no object is: what a model made up."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.dataset.label_consistency.outline import Box

__all__ = ["invented_px"]

UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]

HOT = np.float32(16 / 255)
"""A pixel outside the masks is hot that is brighter than the background by this much: four times what may be rounding,
resampling and noise (:data:`pipelines.dataset.label_consistency.measure.SAME`)."""
AWAY_SHARE, AWAY_PX = 0.5, 8
"""Away from an object is further than this share of its height, and at least so far: heat and shadow on the ground
beside it are its own. Physics warms the ground up to 0.75 m from a car (renderer/thermal/ground.py), half the height of
a car of 1.5 m. At a quarter of the height 45 of 250 of its frames over RoadScene and MSRS had hot patches, at 0.4 and
above none (docs/models/metrics.md)."""
PATCH_PX = 20
"""Least size of a patch: the least size of a labelled object."""


def invented_px(level: Float32, behind: Float32, instance_id: UInt16, boxes: list[tuple[int, Box]]) -> int:
    """Pixels of patches away from every mask that are hotter than the background."""
    hot = level - behind > HOT
    for number, box in boxes:
        away = max(AWAY_PX, round(AWAY_SHARE * (box[2] - box[0])))
        rows = slice(max(box[0] - away, 0), box[2] + away)
        columns = slice(max(box[1] - away, 0), box[3] + away)
        window = hot[rows, columns]
        if not window.any():
            continue
        distance = cv2.distanceTransform((instance_id[rows, columns] != number).astype(np.uint8), cv2.DIST_L2, 3)
        window[distance <= away] = False
    if not hot.any():
        return 0
    _, _, about, _ = cv2.connectedComponentsWithStats(hot.astype(np.uint8), connectivity=8)
    area = about[1:, cv2.CC_STAT_AREA]
    return int(area[area >= PATCH_PX].sum())
