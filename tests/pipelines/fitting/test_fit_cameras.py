"""Fits that were made with another estimate of the horizon are drawn where they were fitted."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from pipelines.fitting.cameras import camera_of_poses
from pipelines.fitting.candidates import Cut, solve
from pipelines.fitting.fitter import Fitter
from pipelines.fitting.shapes import make_shape
from pipelines.fitting.texture import no_texture
from renderer.geometry.camera import Camera

CAMERA = Camera("test", 640, 512, 772.0, 765.0, 320.0, 226.7, height_m=1.42)


def test_the_row_of_the_horizon_comes_back() -> None:
    points = np.array([[x, y, z] for x in (-2.2, 2.2) for y in (-0.9, 0.9) for z in (0.0, 1.5)], np.float32)
    triangles = np.array([(0, 1, 3), (4, 7, 5), (0, 4, 5), (2, 3, 7), (0, 2, 6), (1, 5, 7)], np.int32)
    shape = make_shape("block", "car", points, triangles, np.ones(6, np.uint8))
    fitter = Fitter([shape], no_texture())
    boxes = ((220.0, 210.0, 380.0, 310.0), (400.0, 220.0, 520.0, 290.0))
    poses = [
        solve(shape, math.radians(angle), 1.0, box, Cut(), CAMERA) for angle, box in zip((30, 200), boxes, strict=False)
    ]
    cars = [{"model": "block", "pose": asdict(pose)} for pose in poses]
    later = replace(CAMERA, cy=211.2, height_m=2.0)
    found = camera_of_poses(later, fitter, cars)
    assert found.cy == pytest.approx(CAMERA.cy, abs=1e-6)
    assert found.height_m == pytest.approx(np.median([pose.y_m for pose in poses]))
    assert camera_of_poses(CAMERA, fitter, cars) is CAMERA
    assert camera_of_poses(later, fitter, []) is later
