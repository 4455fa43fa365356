"""Distortion against OpenCV, and what a camera with a lens sees against a brute-force picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from assets import CAMERAS
from renderer.errors import CameraError
from renderer.geometry.camera import Camera, places_in_covering, read_camera_file, read_cameras
from renderer.geometry.lens import Lens, parse_lens
from renderer.geometry.lens_picture import distorted_picture

PLAIN = Camera("test", 320, 256, 240.0, 236.0, 163.5, 120.25)
LENSES = [
    Lens("brown-conrady", (-0.3, 0.09, 0.001, -0.0007)),
    Lens("brown-conrady", (-0.25, 0.06, -0.0004, 0.0009, -0.006)),
    Lens("brown-conrady", (0.18, -0.04, 0.0, 0.0)),
    Lens("fisheye", (-0.02, 0.004, -0.001, 0.0002)),
    Lens("fisheye", (0.05, -0.01, 0.003, -0.0005)),
]


def _by_opencv(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Pixel coordinates of points (N, 3); of OpenCV's, whose centres are whole, ours less a half."""
    assert camera.lens is not None
    matrix, coefficients = camera.K - [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]], np.array(camera.lens.coefficients)
    if camera.lens.model == "fisheye":
        return cv2.fisheye.projectPoints(points[None], np.zeros(3), np.zeros(3), matrix, coefficients)[0][0] + 0.5
    return cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, coefficients)[0][:, 0] + 0.5


@pytest.mark.parametrize("lens", LENSES, ids=str)
def test_projection_is_that_of_opencv(lens: Lens) -> None:
    camera = replace(PLAIN, lens=lens)
    rng = np.random.default_rng(1)
    pixels = rng.uniform((0, 0), (camera.covering.width, camera.covering.height), (500, 2))
    wide = camera.covering
    seen = (pixels - (wide.cx, wide.cy)) / (wide.fx, wide.fy)
    points = np.concatenate([seen, np.ones((500, 1))], axis=1) * rng.uniform(2, 50, (500, 1))
    assert np.abs(camera.project(points) - _by_opencv(camera, points)).max() < 1e-9


@pytest.mark.parametrize("lens", LENSES, ids=str)
def test_rays_lead_back_to_their_pixels(lens: Lens) -> None:
    camera = replace(PLAIN, lens=lens)
    rays = camera.rays().astype(np.float64)
    columns, rows = np.meshgrid(np.arange(320) + 0.5, np.arange(256) + 0.5)
    back = _by_opencv(camera, rays.reshape(-1, 3)).reshape(256, 320, 2)
    assert np.abs(back - np.stack([columns, rows], -1)).max() < 1e-4  # rays are float32
    places = places_in_covering(camera)
    assert places.min() > 1
    assert (places < (camera.covering.width - 1, camera.covering.height - 1)).all()


@pytest.mark.parametrize("lens", LENSES, ids=str)
def test_pictures_are_resampled_as_by_opencv(lens: Lens) -> None:
    """A smooth picture, by OpenCV's own maps; these have 1/32 of a pixel."""
    camera = replace(PLAIN, lens=lens)
    wide = camera.covering
    rows, columns = np.indices((wide.height, wide.width))
    picture = (290 + 8 * np.sin(columns / 19) + 5 * np.cos(rows / 23)).astype(np.float32)
    maps = (places_in_covering(camera) - 0.5).astype(np.float32)
    by_opencv = cv2.remap(picture, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR)
    assert np.abs(distorted_picture(picture, camera) - by_opencv).max() < 0.03


def test_a_lens_without_coefficients_is_none() -> None:
    camera = replace(PLAIN, lens=Lens("brown-conrady", (0.0, 0.0, 0.0, 0.0)))
    assert np.abs(camera.rays() - PLAIN.rays()).max() < 1e-6
    wide = camera.covering
    assert (wide.fx, wide.lens) == (pytest.approx(PLAIN.fx), None)
    assert PLAIN.covering is PLAIN


def test_files_have_lenses_and_presets_none(tmp_path: Path) -> None:
    assert all(camera.lens is None and "lens" not in camera.to_json() for camera in read_cameras(CAMERAS).values())
    path = tmp_path / "own.toml"
    path.write_text("width=64\nheight=48\nfx=50\ncx=32\ncy=24\ndistortion=[-0.2, 0.05, 0, 0.001]\n")
    camera = read_camera_file(path)
    assert camera.lens == Lens("brown-conrady", (-0.2, 0.05, 0.0, 0.001))
    assert Camera.from_json(camera.to_json()) == camera
    path.write_text("width=64\nheight=48\nfx=50\ncx=32\ncy=24\nfisheye=[0, 0, 0, 0]\ndistortion=[0, 0, 0, 0]\n")
    with pytest.raises(CameraError, match="expected one of them"):
        read_camera_file(path)


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "nan,0,0,0", "0,0,0,0,0,0"])
def test_other_coefficients_are_refused(text: str) -> None:
    with pytest.raises(CameraError, match="k1,k2,p1,p2"):
        parse_lens("brown-conrady", text)


def test_lenses_that_fold_or_see_behind_are_refused() -> None:
    with pytest.raises(CameraError, match="turns back inside of the picture"):
        _ = replace(PLAIN, fx=120.0, fy=120.0, lens=Lens("brown-conrady", (-0.5, 0.0, 0.0, 0.0))).covering
    with pytest.raises(CameraError, match=r"degrees aside|turns back"):
        _ = replace(PLAIN, fx=100.0, fy=100.0, lens=Lens("fisheye", (0.0, 0.0, 0.0, 0.0))).covering
