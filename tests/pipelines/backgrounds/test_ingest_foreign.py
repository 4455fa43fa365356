"""Files as other people have them: turned, of unread kinds, with constants of no world; and a folder full of such."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from flir_files import PREVIEW, camera_record, fff, flir_jpeg, jpeg, raw_record, street_counts
from PIL import Image, ImageOps
from typer.testing import CliRunner

from pipelines.backgrounds.ingest.metadata import turned_camera
from pipelines.backgrounds.ingest.readers import Decoded, Reading, read_frames
from pipelines.cli.main import app
from pipelines.errors import BackgroundError
from renderer.geometry.camera import Camera


def one(data: bytes, **reading: Any) -> Decoded:
    (frame,) = read_frames(data, Reading(**reading))
    return frame


def exif_orientation(orientation: int) -> bytes:
    return b"Exif\0\0" + b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def turned_flir(orientation: int, preview: np.ndarray = PREVIEW, **changes: Any) -> bytes:
    return jpeg(fff(raw_record(street_counts()), camera_record(**changes)), preview, exif_orientation(orientation))


def by_pillow(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels turned by Pillow, by their places."""
    places = Image.fromarray(np.arange(pixels.size, dtype=np.int32).reshape(pixels.shape))
    exif = Image.Exif()
    exif[0x0112] = orientation
    places.info["exif"] = exif.tobytes()
    return pixels.reshape(-1)[np.asarray(ImageOps.exif_transpose(places))]


# --- orientation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_temperatures_are_turned_as_the_picture_around_them(orientation: int) -> None:
    plain, frame = one(flir_jpeg()), one(turned_flir(orientation))
    assert frame.radiometric
    assert np.array_equal(frame.image, by_pillow(plain.image, orientation))
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(turned_flir(orientation))))
    assert frame.image.shape == shown.size[::-1]
    camera = Camera.from_json(frame.about["intrinsics"])
    assert (camera.height, camera.width) == frame.image.shape
    assert frame.about["optics"]["hfov_deg"] == pytest.approx(camera.fov_deg[0], abs=1e-3)
    assert frame.about["raw"].get("orientation", 1) == orientation


def rays(camera: Camera) -> np.ndarray:
    """Distance of each pixel's ray from the axis."""
    rows, columns = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    return np.hypot((columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_pixel_keeps_its_ray(orientation: int) -> None:
    camera = Camera("a", 80, 60, 70.0, 90.0, 33.0, 21.0)
    assert np.allclose(rays(turned_camera(camera, orientation)), by_pillow(rays(camera), orientation), atol=1e-12)


def test_raw_data_that_lie_crosswise_are_left_and_named() -> None:
    upright = np.ascontiguousarray(np.swapaxes(PREVIEW, 0, 1))
    frame = one(turned_flir(6, upright))
    assert np.array_equal(frame.image, one(flir_jpeg()).image)
    assert any("orientation 6 is not applied" in text for text in frame.warnings)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_orientation_as_exiftool_writes_it(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(flir_jpeg())
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-n", f"-Orientation={orientation}", path], check=True)
    assert np.array_equal(one(path.read_bytes()).image, by_pillow(one(flir_jpeg()).image, orientation))


def test_plain_pictures_are_turned_alike() -> None:
    grey = (street_counts() >> 8).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind, options in {"JPEG": {"exif": exif}, "PNG": {"exif": exif}, "TIFF": {"tiffinfo": {274: 6}},
                          "WEBP": {"exif": exif, "lossless": True}}.items():  # fmt: skip
        stream = io.BytesIO()
        Image.fromarray(grey).save(stream, kind, **options)
        assert one(stream.getvalue()).image.shape == (80, 60), kind


# --- TIFF in degrees --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_kelvin_of_every_compression_is_that_of_the_pixels(compression: str) -> None:
    counts = (29315 + street_counts() // 64).astype(np.uint16)
    stream = io.BytesIO()
    Image.fromarray(counts).save(stream, "TIFF", compression=compression)
    frame = one(stream.getvalue(), unit="centikelvin")
    assert frame.radiometric
    other = np.asarray(Image.open(io.BytesIO(stream.getvalue())))
    assert np.abs(frame.image - other.astype(np.float64) * 0.01).max() < 1e-4


def test_a_jpeg_in_a_tiff_is_a_display_picture() -> None:
    stream = io.BytesIO()
    Image.fromarray((street_counts() >> 8).astype(np.uint8)).save(stream, "TIFF", compression="jpeg")
    assert one(stream.getvalue()).kind == "8-bit picture"


def test_arrays_are_read_like_tiff() -> None:
    stream = io.BytesIO()
    kelvin = 280.0 + street_counts() / 1000.0
    np.save(stream, kelvin.astype(np.float32))
    frame = one(stream.getvalue(), unit="kelvin")
    assert np.array_equal(frame.image, kelvin.astype(np.float32))


# --- kinds that are not read ------------------------------------------------------------------------------------------

JPEG_LS = bytes.fromhex("ffd8fff7000b10") + struct.pack(">HH", 60, 80) + bytes.fromhex("01011100") + bytes(700)
UNREAD = {
    "CSQ": (fff(raw_record(street_counts(), pixels=JPEG_LS), camera_record()), "JPEG-LS .a CSQ video"),
    "CSQ with a comment": (
        fff(raw_record(street_counts(), pixels=b"\xff\xd8\xff\xfe\0\x06text" + JPEG_LS[2:]), camera_record()),
        "JPEG-LS .a CSQ video",
    ),
    "JPEG-LS in a radiometric JPEG": (
        jpeg(fff(raw_record(street_counts(), pixels=JPEG_LS), camera_record())),
        "JPEG-LS",
    ),
    "InfraTec": (b"\xffIRB\0" + bytes(500), "InfraTec IRB"),
    "Optris": (b"RIFF" + bytes(4) + b"AVI LIST" + bytes(500), "RAVI"),
    "Fluke IS2": (b"PK\x03\x04" + bytes(500), "Fluke IS2"),
    "video": (b"\0\0\0\x18ftypmp42" + bytes(500), "MP4"),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(500), "HEIC"),
    "GIF": (b"GIF89a" + bytes(500), "a GIF"),
    "page": (b"<!DOCTYPE html><html>", "web page"),
}


@pytest.mark.parametrize(("data", "said"), UNREAD.values(), ids=UNREAD)
def test_known_kinds_that_are_not_read_are_named(data: bytes, said: str) -> None:
    with pytest.raises(BackgroundError, match=said) as caught:
        list(read_frames(data, Reading()))
    assert "damaged" not in str(caught.value)
    assert "cut short" not in str(caught.value)


@pytest.mark.parametrize("maker", ["DJI", "HIKMICRO", "Hikvision", "Seek Thermal", "Guide", "testo"])
def test_cameras_whose_degrees_are_not_read_are_named(maker: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = maker
    frame = one(jpeg(None, exif=exif.tobytes()))
    assert not frame.radiometric
    assert any("temperatures are not read" in text for text in frame.warnings), frame.warnings


# --- constants of no world --------------------------------------------------------------------------------------------

ABSURD: dict[str, dict[str, float]] = {
    "air of 2000 K": {"atmospheric_K": 2000.0},
    "air of 1e30 K": {"atmospheric_K": 1e30},
    "air of 600 K": {"atmospheric_K": 600.0},
    "a distance of 1e9 m": {"distance_m": 1e9},
    "alpha of infinity": {"alpha1": math.inf},
    "alpha of NaN": {"alpha1": math.nan},
    "alpha of -1e30": {"alpha1": -1e30},
    "humidity of 900 %": {"humidity": 900.0},
    "humidity of NaN": {"humidity": math.nan},
    "emissivity of 0": {"emissivity": 0.0},
    "emissivity of 1e30": {"emissivity": 1e30},
    "emissivity of -0.5": {"emissivity": -0.5},
    "reflection of 1e30 K": {"reflected_K": 1e30},
    "reflection of 1e-30 K": {"reflected_K": 1e-30},
    "a window of 1e-30": {"window_transmittance": 1e-30},
    "a window of -273 C": {"window_transmittance": 0.5, "window_K": -math.inf},
    "R1 of 0": {"R1": 0.0}, "R1 of NaN": {"R1": math.nan}, "R1 of 1e30": {"R1": 1e30}, "R1 of -1": {"R1": -1.0},
    "R2 of 1e-30": {"R2": 1e-30}, "B of infinity": {"B": math.inf}, "B of 1e30": {"B": 1e30},
    "B of 1e-30": {"B": 1e-30},
    "F of 1e30": {"F": 1e30}, "F of -1": {"F": -1.0}, "O of the least integer": {"O": -(2**31)},
    "a field of view of NaN": {"fov_deg": math.nan}, "a field of view of 1e-30": {"fov_deg": 1e-30},
    "a clock of 2106": {"seconds": 2**32 - 1, "west_min": -32768},
}  # fmt: skip


@pytest.mark.parametrize("kind", ABSURD)
def test_absurd_constants_are_named_and_end_nothing(kind: str) -> None:
    """A frame with finite pixels, a warning for what is not believed, and a sidecar that JSON can hold."""
    frame = one(flir_jpeg(**ABSURD[kind]))
    assert np.isfinite(frame.image).all()
    json.dumps(frame.about, allow_nan=False)
    if kind not in ("B of 1e-30", "a clock of 2106"):
        assert frame.warnings


def test_an_air_of_2000_K_is_told_with_what_to_do() -> None:
    frame = one(flir_jpeg(atmospheric_K=2000.0))
    assert not frame.radiometric
    assert any("air has a temperature of 1726.8 C" in text and "--atmospheric-c" in text for text in frame.warnings)
    assert one(flir_jpeg(atmospheric_K=2000.0), overrides=_overrides(atmospheric_C=20.0)).radiometric


def _overrides(**values: float) -> Any:
    from pipelines.backgrounds.ingest.metadata import Overrides

    return Overrides(**values)


# --- a folder ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_bad_files_is_gone_through_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.jpg").write_bytes(flir_jpeg())
    (folder / "hot air.jpg").write_bytes(flir_jpeg(street_counts() + 1, atmospheric_K=2000.0))
    for number, (data, _) in enumerate(UNREAD.values()):
        (folder / f"unread {number}.jpg").write_bytes(data)
    (folder / "empty.png").write_bytes(b"")
    (folder / "\udcff\udcfe.png").write_bytes(b"not UTF-8 in its name")
    (folder / "two\nlines -- .png").write_bytes(cv2.imencode(".png", street_counts(90, 70))[1].tobytes())
    (folder / f"{'long' * 60}.tif").write_bytes(b"II*\0")
    for name in ("._good.jpg", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (folder / name).write_bytes(b"x")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "good.jpg").write_bytes(b"x")
    (folder / "folder.png").mkdir()
    (folder / "dead.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe.png")
    done = CliRunner().invoke(app, ["backgrounds", str(folder), "--out", str(tmp_path / "out"), "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "16 files: 1 radiometric, 2 display-only, 13 skipped; 3 frames" in done.output
    assert "Traceback" not in done.output
    for hidden in ("DS_Store", "Thumbs", "._good", "MACOSX", "pipe", "dead"):
        assert hidden not in done.output
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert all(entry["reason"] or entry["frames"] for entry in index["files"])


def test_a_tiff_damaged_anywhere_is_one_line() -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, street_counts(), compression="zlib", rowsperstrip=7)
    rng = np.random.default_rng(5)
    for _ in range(200):
        data = bytearray(stream.getvalue())
        for at in rng.integers(0, len(data), 3):
            data[at] = rng.integers(256)
        try:
            for frame in read_frames(bytes(data[: rng.integers(8, len(data) + 1)]), Reading()):
                assert np.isfinite(frame.image).all()
        except BackgroundError:
            pass
