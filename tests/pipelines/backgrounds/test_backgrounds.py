from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from pipelines.backgrounds.images import Background, choose, open_background, scan_backgrounds
from pipelines.errors import BackgroundError
from renderer.random_streams import Draw

RAMP = np.add.outer(np.arange(100), np.arange(160)).astype(np.uint8)


def png(path: Path, pixels: np.ndarray = RAMP) -> None:
    assert cv2.imwrite(str(path), pixels)


def with_nan() -> np.ndarray:
    pixels = np.linspace(270, 300, 16000, dtype=np.float32).reshape(100, 160)
    pixels[3, 4] = np.nan
    return pixels


def lying_png(path: Path) -> None:
    """A PNG that claims 100000 x 100000 pixels."""
    png(path)
    data = bytearray(path.read_bytes())
    data[16:24] = (100000).to_bytes(4, "big") * 2
    path.write_bytes(data)


BAD = {
    "no image at all": (lambda f: (f / "notes.txt").write_text("x"), "holds no images"),
    "empty": (lambda f: (f / "a.png").write_bytes(b""), r"a\.png: the file is empty"),
    "text": (lambda f: (f / "a.jpg").write_text("not an image"), r"a\.jpg: not a picture"),
    "truncated": (lambda f: (f / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 20), r"a\.png: a PNG that cannot"),
    "one pixel": (lambda f: png(f / "a.png", np.zeros((1, 1), np.uint8)), r"a\.png: is 1x1 pixels"),
    "a lying size": (lambda f: lying_png(f / "a.png"), r"a\.png: "),
    "NaN in a TIFF": (
        lambda f: tifffile.imwrite(f / "a.tif", with_nan()),
        r"a\.tif: holds 1 pixels that are no number",
    ),
    "NaN in a 16-bit TIFF": (
        lambda f: tifffile.imwrite(f / "a.tiff", with_nan().astype(np.float16)),
        r"a\.tiff: holds 1 pixels that are no number",
    ),
    "flat": (lambda f: tifffile.imwrite(f / "a.tif", np.full((99, 99), 7, np.uint16)), "have the value 7"),
    "a stack": (
        lambda f: tifffile.imwrite(f / "a.tif", np.zeros((60, 60, 9), np.uint8), planarconfig="contig"),
        "shape",
    ),
}


@pytest.mark.parametrize(("make", "said"), BAD.values(), ids=BAD)
def test_bad_background_is_named(tmp_path: Path, make: object, said: str) -> None:
    make(tmp_path)
    with pytest.raises(BackgroundError, match=said) as caught:
        scan_backgrounds(tmp_path)
    assert "\n" not in str(caught.value)
    if said == "holds no images":
        return
    png(tmp_path / "good.png")
    found = scan_backgrounds(tmp_path)
    assert [file.name for file in found.files] == ["good.png"]
    ((_, reason),) = found.skipped
    assert re.search(said, reason)


def test_an_unreadable_background_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "b.png")
    png(tmp_path / "b.png")
    found = scan_backgrounds(tmp_path)
    (tmp_path / "b.png").unlink()
    with pytest.raises(BackgroundError, match=r"a\.png: cannot be read"):
        open_background(found, found.files[0])


def opened(folder: Path, **options: object) -> Background:
    found = scan_backgrounds(folder)
    return open_background(found, found.files[0], **options)


def test_sixteen_bits_floats_and_colour_are_the_same_picture(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(100), np.arange(160)).astype(np.float64)
    pictures = {
        "a16.png": (ramp * 20 + 12000).astype(np.uint16),
        "b16.tif": (ramp * 20 + 12000).astype(np.uint16),
        "c32.tif": (ramp * 0.1 + 280).astype(np.float32),
    }
    images = []
    for name, pixels in pictures.items():
        folder = tmp_path / name.split(".")[0]
        folder.mkdir()
        if name.endswith("png"):
            png(folder / name, pixels)
        else:
            tifffile.imwrite(folder / name, pixels)
        images.append(opened(folder, size="100").image)
    assert images[0].dtype == np.uint8
    assert images[0].min() < 40
    assert images[0].max() > 215
    for image in images[1:]:
        assert np.abs(image.astype(int) - images[0]).max() <= 1
    (tmp_path / "rgb").mkdir()
    png(tmp_path / "rgb" / "a.png", np.dstack([RAMP, RAMP, RAMP]))
    (tmp_path / "grey").mkdir()
    png(tmp_path / "grey" / "a.png")
    assert np.array_equal(opened(tmp_path / "rgb").image, opened(tmp_path / "grey").image)


def test_camera_follows_crop_and_size(tmp_path: Path) -> None:
    """What the whole camera sees at a pixel of the original, the cropped one sees at the pixel it became."""
    from assets import CAMERAS
    from renderer.geometry.camera import read_cameras

    rows, columns = 512, 640
    picture = np.zeros((rows, columns), np.uint8)
    picture[200:203, 300:303] = 255
    png(tmp_path / "a.png", picture)
    background = opened(tmp_path, size="256", horizon=230.0)
    assert background.crop_px == (64, 0, 576, 512)
    whole = read_cameras(CAMERAS)["flir-adas"]
    point = np.array([(301.5 - whole.cx) / whole.fx, (201.5 - whole.cy) / whole.fy, 1.0])
    column, row = background.camera.project(point)
    spot = np.argwhere(background.image > 60).mean(axis=0) + 0.5
    assert (row, column) == pytest.approx(tuple(spot), abs=0.6)
    assert background.horizon_px == pytest.approx(115.0)
    assert (background.camera.width, background.camera.height) == (256, 256)


def test_a_preset_of_another_size_keeps_its_field_of_view(tmp_path: Path) -> None:
    png(tmp_path / "a.png", np.tile(RAMP[:100, :125], (1, 1)))
    background = opened(tmp_path, size="100", camera="flir-adas")
    from assets import CAMERAS
    from renderer.geometry.camera import read_cameras

    whole = read_cameras(CAMERAS)["flir-adas"].square(100)
    assert background.camera.fx == pytest.approx(whole.fx, rel=0.01)
    assert background.camera_source == "given"


def test_choice_follows_seed_and_frame_alone(tmp_path: Path) -> None:
    for number in range(5):
        png(tmp_path / f"{number}.png", RAMP + number)
    found = scan_backgrounds(tmp_path)
    names = [choose(found, Draw(1, index)).name for index in range(50)]
    assert names == [choose(found, Draw(1, index)).name for index in range(50)]
    assert names != [choose(found, Draw(2, index)).name for index in range(50)]
    assert set(names) == {f"{number}.png" for number in range(5)}
