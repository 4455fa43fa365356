"""Known warps are found again; pictures that cannot be used are one line each."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import ConfigError
from pipelines.registration.align import align_cameras
from pipelines.registration.common_field import largest_rectangle
from pipelines.registration.estimation import corner_error_px, estimate
from pipelines.registration.pictures import read_grey

# Rotation in degrees, scale, shift in pixels: visible to infrared.
WARPS = ((3.0, 1.12, 18.0, -10.0), (-4.0, 0.92, -15.0, 9.0), (6.0, 1.05, 5.0, 12.0))


def _warp(shape: tuple[int, ...], angle: float, scale: float, x: float, y: float) -> np.ndarray:
    height, width = shape[:2]
    matrix = np.vstack([cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, scale), (0, 0, 1)])
    matrix[:2, 2] += (x, y)
    return matrix


def _scenes(count: int, height: int = 160, width: int = 200) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Shapes with independent grey levels in both spectra: the edges are shared, their signs are not."""
    visible, infrared = [], []
    for index in range(count):
        rng = np.random.default_rng([5, index])
        pair = [np.full((height, width), 0.5, dtype=np.float32) for _ in range(2)]
        for _ in range(25):
            centre = tuple(int(value) for value in rng.integers(0, (width, height)))
            axes, angle = tuple(int(value) for value in rng.integers(5, 30, 2)), float(rng.uniform(0, 180))
            for image in pair:
                cv2.ellipse(image, centre, axes, angle, 0, 360, float(rng.uniform(0, 1)), -1, cv2.LINE_8)
        for image, kept in zip(pair, (visible, infrared), strict=True):
            kept.append((image + rng.normal(0, 0.02, image.shape)).astype(np.float32))
    return visible, infrared


def _moved(images: list[np.ndarray], warp: np.ndarray) -> list[np.ndarray]:
    size = images[0].shape[::-1]
    return [cv2.warpPerspective(image, np.linalg.inv(warp), size, borderMode=cv2.BORDER_REFLECT) for image in images]


@pytest.mark.parametrize("model", ["similarity", pytest.param("affine", marks=pytest.mark.slow), "homography"])
def test_a_known_warp_of_drawn_scenes_is_found(model: str) -> None:
    visible, infrared = _scenes(4)
    warp = _warp(infrared[0].shape, 4.0, 1.1, 9.0, -6.0)
    found = estimate(_moved(visible, warp), infrared, model)
    assert corner_error_px(found.visible_to_infrared, warp, infrared[0].shape) < 1.0
    assert found.measure > found.before + 0.2


@pytest.mark.slow
def test_known_warps_of_roadscene_are_found(shared_data: Path) -> None:
    folder = shared_data / "roadscene"
    boxes = json.loads((folder / "boxes.json").read_text())
    names = [name for name, about in boxes.items() if about["time"] == "day"][:10]
    kinds = ("crop_LR_visible", "cropinfrared")
    stacks = [[read_grey(folder / kind / f"{name}.jpg") for name in names] for kind in kinds]
    height, width = (min(image.shape[axis] for image in stacks[0]) for axis in (0, 1))
    visible, infrared = ([image[:height, :width] for image in stack] for stack in stacks)
    errors = []
    for warp in (_warp((height, width), *values) for values in WARPS):
        found = estimate(_moved(visible, warp), infrared, "similarity").visible_to_infrared
        errors.append(corner_error_px(found, warp, (height, width)))
    assert np.sqrt(np.mean(np.square(errors))) < 2.0, errors


def _write(folder: Path, images: list[np.ndarray]) -> Path:
    folder.mkdir()
    for index, image in enumerate(images):
        assert cv2.imwrite(str(folder / f"{index}.png"), np.clip(image * 255, 0, 255).astype(np.uint8))
    return folder


def _run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["align", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_writes_pairs_that_agree(tmp_path: Path) -> None:
    visible, infrared = _scenes(3)
    warp = _warp(infrared[0].shape, 3.0, 1.1, 6.0, -4.0)
    folders = _write(tmp_path / "v", _moved(visible, warp)), _write(tmp_path / "i", infrared)
    out = tmp_path / "out"
    code, text = _run("--visible", folders[0], "--infrared", folders[1], "--out", out, "--per-frame")
    assert code == 0, text
    about = json.loads((out / "transform.json").read_text())
    assert corner_error_px(np.array(about["visible_to_infrared"]), warp, infrared[0].shape) < 1.5
    assert len(about["per_frame"]) == 3
    crop = about["crop_px"]
    for index in range(3):
        pair = [cv2.imread(str(out / kind / f"{index}.png"), cv2.IMREAD_UNCHANGED) for kind in ("visible", "infrared")]
        assert pair[0].shape[:2] == pair[1].shape == (crop["bottom"] - crop["top"], crop["right"] - crop["left"])
        kept = cv2.imread(str(folders[1] / f"{index}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(pair[1], kept[crop["top"] : crop["bottom"], crop["left"] : crop["right"]])
        assert (out / "preview.png").is_file()
    again = align_cameras(str(folders[0]), folders[1], tmp_path / "again", per_frame=True)
    assert (again.folder, again.frames, again.preview.is_file()) == (tmp_path / "again", 3, True)
    assert again.alignment.visible_to_infrared.tolist() == about["visible_to_infrared"]
    assert (again.alignment.measure, again.alignment.before) == (about["measure"], about["measure_before"])
    assert again.crop_px == (crop["left"], crop["top"], crop["right"], crop["bottom"])
    assert (again.folder / "transform.json").read_bytes() == (out / "transform.json").read_bytes()
    height, width = crop["bottom"] - crop["top"], crop["right"] - crop["left"]
    assert text.startswith(f"3 pairs of {width}x{height} px in {out}; edges agree to {about['measure']:.3f} (before: ")


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    visible, infrared = _scenes(2)
    good = _write(tmp_path / "v", visible)
    cases = {
        "no such folder": tmp_path / "missing",
        "no partner": _write(tmp_path / "one", infrared[:1]),
        "one size per camera": _write(tmp_path / "sizes", [infrared[0], infrared[1][:100]]),
        "all pixels are equal": _write(tmp_path / "flat", [infrared[0], np.zeros_like(infrared[1])]),
    }
    for message, folder in cases.items():
        code, text = _run("--visible", good, "--infrared", folder, "--out", tmp_path / "out")
        assert (code, len(text.strip().splitlines())) == (1, 1), text
        assert message in text
    code, text = _run("--visible", good, "--infrared", good, "--out", tmp_path / "out", "--model", "spline")
    assert code == 1
    assert "similarity, affine, homography" in text
    for options, message in (({"frames": 0}, "frames is 0: expected 1 or more"), ({"frame": 1}, "option 'frame'")):
        with pytest.raises(ConfigError, match=message):
            align_cameras(good, good, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_largest_rectangle_against_all_rectangles() -> None:
    mask = np.random.default_rng(2).random((7, 8)) < 0.75
    areas = {
        (y1 - y0) * (x1 - x0)
        for y0 in range(7) for y1 in range(y0 + 1, 8) for x0 in range(8) for x1 in range(x0 + 1, 9)
        if mask[y0:y1, x0:x1].all()
    }  # fmt: skip
    x0, y0, x1, y1 = largest_rectangle(mask)
    assert mask[y0:y1, x0:x1].all()
    assert (x1 - x0) * (y1 - y0) == max(areas)
    assert largest_rectangle(np.zeros((3, 3), dtype=np.bool_)) == (0, 0, 0, 0)
