"""Cameras against KITTI's annotations, data sheets, and Blender's own projection."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets import CAMERAS
from renderer.errors import CameraError
from renderer.geometry.boxes import clip_box, intersection_over_union, observation_angle, projected_box
from renderer.geometry.camera import Camera, read_camera_file, read_cameras
from renderer.geometry.frame import Box2D, Box3D

ODD = Camera("odd", 320, 200, 310.0, 260.0, 141.5, 118.25, 1.4, 3.0, "tau2")


def kitti_objects(folder: Path) -> list[tuple[Camera, list[str]]]:
    """Camera of each labelled object (P2 of its sample) and the label's fields."""
    found = []
    for label in sorted((folder / "label_2").glob("*.txt")):
        calibration = (folder / "calib" / label.name).read_text(encoding="ascii").splitlines()
        p2 = np.array(next(line for line in calibration if line.startswith("P2:")).split()[1:], float).reshape(3, 4)
        size = (1224, 370) if label.stem == "000000" else (1242, 375)
        # P2 also shifts by the baseline to camera 0, in whose frame the labels are.
        camera = Camera(label.stem, *size, p2[0, 0], p2[1, 1], p2[0, 2] + 0.5, p2[1, 2] + 0.5)
        shift = np.linalg.inv(p2[:, :3]) @ p2[:, 3]
        for line in label.read_text(encoding="ascii").splitlines():
            fields = line.split()
            if fields[0] != "DontCare":
                moved = (float(fields[11 + k]) + shift[k] for k in range(3))
                found.append((camera, [*fields[:11], *(repr(float(v)) for v in moved), fields[14]]))
    return found


def test_kittis_boxes_project_into_its_image_boxes(shared_data: Path) -> None:
    overlaps, alphas = [], []
    for camera, fields in kitti_objects(shared_data / "kitti"):
        numbers = [float(v) for v in fields[1:]]
        height, width, length, x, y, z, yaw = numbers[7:]
        box = Box3D((x, y, z), length, height, width, yaw)
        projected = projected_box(box, camera)
        assert projected is not None
        inside = clip_box(projected, camera)
        assert inside is not None
        left, top, right, bottom = numbers[3:7]
        # KITTI's boxes hold the indices of the first and last pixel.
        overlaps.append(intersection_over_union(inside, (left, top, right + 1, bottom + 1)))
        alphas.append(abs(math.remainder(observation_angle(box) - numbers[2], 2 * math.pi)))
    print(f"{len(overlaps)} objects: median IoU {np.median(overlaps):.3f}, least {min(overlaps):.3f}")
    assert len(overlaps) >= 4
    assert np.median(overlaps) >= 0.85
    assert np.median(alphas) < 0.03


def test_a_box_by_hand() -> None:
    """A box of 4 x 1.5 x 2 m whose heading is away from the camera: its near face bounds it."""
    camera = Camera("plain", 100, 80, 50.0, 60.0, 50.0, 40.0)
    box = projected_box(Box3D((1.0, 1.5, 10.0), 4.0, 1.5, 2.0, -math.pi / 2), camera)
    expected: Box2D = (50.0, 40.0, 50 + 50 * 2 / 8, 40 + 60 * 1.5 / 8)
    np.testing.assert_allclose(box, expected, atol=1e-4)
    assert projected_box(Box3D((0.0, 1.0, -10.0), 4.0, 1.5, 2.0, 0.0), camera) is None


def test_a_crop_keeps_what_it_shows() -> None:
    points = np.random.default_rng(0).uniform((-3, -2, 4), (3, 2, 30), (50, 3))
    seen = ODD.project(points)
    np.testing.assert_allclose(ODD.crop(37.5, 12.0, 90, 70).project(points), seen - (37.5, 12.0), atol=1e-9)
    half = ODD.resize(160, 50)
    np.testing.assert_allclose(half.project(points), seen * (0.5, 0.25), atol=1e-9)
    np.testing.assert_allclose(half.fov_deg, ODD.fov_deg)
    square = ODD.square(100)
    assert (square.width, square.height) == (100, 100)
    np.testing.assert_allclose(square.project(points), (seen - (60.0, 0.0)) * 0.5, atol=1e-9)
    assert ODD.resize(640, 400).resize(320, 200) == ODD
    assert ODD.crop(0, 0, 320, 200) == ODD


def test_rays_project_to_the_centres_of_their_pixels() -> None:
    pixels = ODD.project(ODD.rays().astype(np.float64) * 7.0)
    columns, rows = np.meshgrid(np.arange(320) + 0.5, np.arange(200) + 0.5)
    np.testing.assert_allclose(pixels[..., 0], columns, atol=1e-4)
    np.testing.assert_allclose(pixels[..., 1], rows, atol=1e-4)
    assert Camera.from_json(json.loads(json.dumps(ODD.to_json()))) == ODD


@pytest.mark.parametrize(
    ("preset", "size", "fov_deg"),
    [
        ("flir-one-pro", (160, 120), (55.0, 43.0)),
        ("flir-adas", (640, 512), (45.0, 37.0)),
        ("kaist-a35", (640, 512), (47.75, 39.0)),
        # Sums of two arctangents of the published calibrations; KITTI-360's principal point is far below the middle.
        ("kitti-object", (1242, 375), (81.4, 29.1)),
        ("kitti-odometry", (1241, 376), (81.6, 29.3)),
        ("kitti-360", (1408, 376), (103.7, 37.3)),
    ],
)
def test_presets(preset: str, size: tuple[int, int], fov_deg: tuple[float, float]) -> None:
    camera = read_cameras(CAMERAS)[preset]
    assert (camera.width, camera.height) == size
    np.testing.assert_allclose(camera.fov_deg, fov_deg, atol=0.1)
    if preset.startswith("flir"):
        np.testing.assert_allclose(camera.fov_deg, fov_deg, atol=1e-9)


def test_pixel_centres_at_integers_become_ours(tmp_path: Path) -> None:
    text = "width = 100\nheight = 50\nfx = 80.0\ncx = 49.5\ncy = 24.5\n"
    file = tmp_path / "own.toml"
    file.write_text(text + 'pixel_centre = "integer"\n', encoding="utf-8")
    assert (read_camera_file(file).cx, read_camera_file(file).cy) == (50.0, 25.0)
    file.write_text(text, encoding="utf-8")
    assert (read_camera_file(file).cx, read_camera_file(file).fy) == (49.5, 80.0)
    other = tmp_path / "own.json"
    other.write_text(json.dumps({"width": 100, "height": 50, "hfov_deg": 90.0, "vfov_deg": 53.13010235}))
    np.testing.assert_allclose([read_camera_file(other).fx, read_camera_file(other).fy], [50.0, 50.0], rtol=1e-8)


BAD_FILES = {
    "text.toml": "not a table",
    "list.json": "[1, 2]",
    "half.json": '{"width": 100',
    "missing.toml": "width = 100\nheight = 50\nfx = 80.0",
    "word.toml": 'width = 100\nheight = 50\nfx = "wide"\ncx = 1.0\ncy = 1.0',
    "centre.toml": 'width = 100\nheight = 50\nfx = 80.0\ncx = 1.0\ncy = 1.0\npixel_centre = "left"',
    "flat.toml": "width = 0\nheight = 50\nfx = 80.0\ncx = 1.0\ncy = 1.0",
    "behind.toml": "width = 100\nheight = 50\nfx = -80.0\ncx = 1.0\ncy = 1.0",
    "nan.toml": "width = 100\nheight = 50\nfx = nan\ncx = 1.0\ncy = 1.0",
    "telescope.toml": "width = 100\nheight = 50\nfx = 1e300\ncx = 1.0\ncy = 1.0",
    "nowhere.toml": None,
    "huge.toml": "width = 100\nheight = 50\nfx = 80.0\ncx = inf\ncy = 1.0",
    "fov.toml": "width = 100\nheight = 50\nhfov_deg = 0.0\nvfov_deg = 10.0",
    "wide.toml": "width = 100\nheight = 50\nhfov_deg = 200.0\nvfov_deg = 10.0",
    "endless.toml": "width = inf\nheight = 50\nfx = 80.0\ncx = 1.0\ncy = 1.0",
    "high.toml": 'width = 100\nheight = 50\nfx = 80.0\ncx = 1.0\ncy = 1.0\nheight_m = "high"',
    "latin.toml": b"# caf\xe9\nwidth = 100",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_intrinsics_are_one_line(name: str, tmp_path: Path) -> None:
    file, content = tmp_path / name, BAD_FILES[name]
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(CameraError) as caught:
        read_camera_file(file)
    assert "\n" not in str(caught.value)
    assert Path(name).stem in str(caught.value)


def test_a_file_without_presets(tmp_path: Path) -> None:
    for content in ("x = 1", "[camera", "camera = 3", "[camera]\nown = 3", b'[camera.own]\nname = "\xe9"'):
        file = tmp_path / "cameras.toml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(CameraError, match=r"cameras\.toml") as caught:
            read_cameras(file)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("camera", [ODD, Camera("tall", 120, 300, 200.0, 290.0, 10.0, 290.0)], ids=lambda c: c.name)
def test_blenders_camera_projects_to_the_same_pixels(camera: Camera, empty_scene: Any) -> None:
    """Blender's own camera matrix for the lens, shift and aspect that we compute."""
    import bpy

    lens, data, render = camera.blender_lens(), empty_scene.camera.data, empty_scene.render
    data.sensor_fit, data.sensor_width, data.lens = "HORIZONTAL", lens.sensor_width_mm, lens.lens_mm
    data.shift_x, data.shift_y = lens.shift_x, lens.shift_y
    render.resolution_x, render.resolution_y = camera.width, camera.height
    render.pixel_aspect_x, render.pixel_aspect_y = lens.pixel_aspect_x, lens.pixel_aspect_y
    matrix = empty_scene.camera.calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(),
        x=camera.width,
        y=camera.height,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    points = np.random.default_rng(1).uniform((-3, -2, 4), (3, 2, 30), (50, 3))
    clip = np.concatenate([points * (1, -1, -1), np.ones((50, 1))], axis=1) @ np.array(matrix).T
    screen = clip[:, :2] / clip[:, 3:]
    pixels = np.stack([(screen[:, 0] + 1) / 2 * camera.width, (1 - screen[:, 1]) / 2 * camera.height], axis=1)
    np.testing.assert_allclose(pixels, camera.project(points), atol=2e-3)
