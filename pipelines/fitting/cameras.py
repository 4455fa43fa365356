"""The camera that stored poses were solved with.

A pose holds for one row of the horizon. Logs of fits keep poses and no cameras, and the horizon of a frame is estimated
anew in each run, so a later version may find another row: drawn with it, the cars would lie beside the real ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from renderer.geometry.camera import Camera

from pipelines.fitting.candidates import Pose
from pipelines.fitting.fitter import Fitter

__all__ = ["camera_of_poses"]

SAME_PX = 0.01
"""Rows that differ by less are the same: poses are kept with all their digits."""


def camera_of_poses(camera: Camera, fitter: Fitter, cars: Sequence[dict[str, Any]]) -> Camera:
    """The camera with the principal row, and the height, that the fits of a frame were made with.

    Args:
        camera: level, of the frame; its focal lengths and principal column are those of the fits.
        fitter: holds the models.
        cars: records of fits of the frame: ``model`` and ``pose``.

    Returns:
        The camera whose principal row puts the models' lowest and highest points onto the boxes of their poses, its
        height the median of the fits; the given one where its row does that already.
    """
    rows, heights = [], []
    for car in cars:
        left, top, right, bottom = car["pose"]["box_px"]
        pose = Pose(**{**car["pose"], "box_px": (left, top, right, bottom)})
        outer = fitter.shape(car["model"]).outer
        points = (np.c_[outer, np.ones(len(outer))] @ pose.matrix().T)[:, :3]
        ahead = points[points[:, 2] > 0]
        offsets = camera.fy * ahead[:, 1] / ahead[:, 2]
        rows += [bottom - float(offsets.max()), top - float(offsets.min())]
        heights.append(pose.y_m)
    if not rows or abs(float(np.median(rows)) - camera.cy) < SAME_PX:
        return camera
    return replace(camera, cy=float(np.median(rows)), height_m=float(np.median(heights)))
