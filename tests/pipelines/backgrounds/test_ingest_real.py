"""Real FLIR files against independent decoders: exiftool's raw data, published medians, measured cars."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import cv2
import flyr
import numpy as np
import pytest
from flir_files import jpeg

from pipelines.backgrounds.ingest.flir import fff_of_jpeg, read_raw
from pipelines.backgrounds.ingest.metadata import Overrides
from pipelines.backgrounds.ingest.readers import Decoded, Reading, read_frames

# SHA-256 (beginning) of the raw data as `exiftool -b -RawThermalImage` gives them; of the TIFF that it makes of plain
# pixels only the pixels.
RAW = {
    "01 ": "3475c0f181dc2e32", "03 ": "d9c8440c1715e0ab", "05 ": "1cc3ac8dde621ef1", "06 ": "f573ac9e9a52f63a",
    "10 ": "31da29bfdc3dd55d", "11 ": "094438579f6a7569", "12 ": "2d04f75270e5fb16", "15 ": "0b24617ac119b698",
    "23 ": "d9e3b4f3ff958ae1", "IMG_0620": "a34fe86fe10dda1d", "IMG_0622": "1c809fc95f6df4e7",
    "flir_example": "c8fe01ceab37af49",
}  # fmt: skip
NAMES = list(RAW)


@pytest.fixture(scope="module")
def flir_folder(shared_data: Path) -> Path:
    folder = shared_data / "flir"
    if not folder.is_dir():
        pytest.skip(f"real FLIR files not found: expected them in {folder}")
    return folder


@pytest.fixture
def exiftool() -> str:
    found = shutil.which("exiftool")
    if found is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    return found


def path_of(folder: Path, name: str) -> Path:
    return next(path for path in sorted(folder.rglob("*.[jJ][pP][gG]")) if path.name.startswith(name))


def decoded(folder: Path, name: str, **overrides: float) -> Decoded:
    (frame,) = read_frames(path_of(folder, name).read_bytes(), Reading(Overrides(**overrides)))
    return frame


@pytest.mark.parametrize("name", NAMES)
def test_median_is_that_of_two_other_decoders(flir_folder: Path, name: str) -> None:
    medians = json.loads((flir_folder / "medians.json").read_text())["files"][name.strip()]
    frame = decoded(flir_folder, name)
    assert frame.radiometric
    for known in medians:
        assert float(np.median(frame.image)) - 273.15 == pytest.approx(known, abs=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_every_pixel_is_that_of_flyr(flir_folder: Path, name: str) -> None:
    theirs = flyr.unpack(str(path_of(flir_folder, name))).kelvin
    assert np.abs(decoded(flir_folder, name).image - theirs).max() < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_raw_data_are_those_of_exiftool_by_hash(flir_folder: Path, name: str) -> None:
    raw = read_raw(fff_of_jpeg(path_of(flir_folder, name).read_bytes()) or b"")
    assert hashlib.sha256(raw.pixels).hexdigest().startswith(RAW[name])


@pytest.mark.parametrize("name", NAMES)
def test_raw_data_are_those_of_exiftool_byte_for_byte(flir_folder: Path, exiftool: str, name: str) -> None:
    path = path_of(flir_folder, name)
    theirs = subprocess.run([exiftool, "-b", "-RawThermalImage", path], check=True, capture_output=True).stdout
    raw = read_raw(fff_of_jpeg(path.read_bytes()) or b"")
    if not raw.is_png:  # exiftool puts a TIFF header before plain pixels
        assert theirs[:4] == b"II*\0"
        theirs = theirs[-len(raw.pixels) :]
    assert raw.pixels == theirs


@pytest.mark.parametrize("name", NAMES)
def test_metadata_are_those_of_exiftool(flir_folder: Path, exiftool: str, name: str) -> None:
    command = [exiftool, "-json", "-n", "-FLIR:all", path_of(flir_folder, name)]
    known = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)[0]
    frame = decoded(flir_folder, name)
    camera, constants, conditions = (frame.about[key] for key in ("camera", "constants", "conditions"))
    assert camera["model"] == str(known["CameraModel"])
    assert camera["lens"] == str(known.get("LensModel", ""))
    assert frame.image.shape == (known["RawThermalImageHeight"], known["RawThermalImageWidth"])
    for key in ("R1", "R2", "B", "O", "F"):
        assert constants[key] == pytest.approx(known[f"Planck{key}"], rel=1e-6)
    assert conditions["emissivity"] == pytest.approx(known["Emissivity"], abs=1e-5)
    assert conditions["distance_m"] == pytest.approx(known["ObjectDistance"], rel=1e-5)
    assert conditions["humidity"] == pytest.approx(known["RelativeHumidity"] / 100, abs=1e-5) or conditions[
        "humidity"
    ] == pytest.approx(known["RelativeHumidity"], abs=1e-5)
    for ours, theirs in (("reflected", "ReflectedApparent"), ("atmospheric", "Atmospheric"), ("window", "IRWindow")):
        assert conditions[f"{ours}_C"] == pytest.approx(known[f"{theirs}Temperature"], abs=0.011)
    assert conditions["window_transmittance"] == pytest.approx(known["IRWindowTransmission"], abs=1e-5)
    for value, key in zip(camera["range_C"], ("Min", "Max"), strict=True):
        assert value == pytest.approx(known[f"CameraTemperatureRange{key}"], abs=0.011)
    date, clock = frame.about["time"].split("T")
    assert f"{date.replace('-', ':')} {clock}" == known["DateTimeOriginal"]
    if 2 < known["FieldOfView"] < 120:
        assert frame.about["optics"]["hfov_deg"] == pytest.approx(known["FieldOfView"], abs=0.05)


PARTS = {
    "11 ": ("road", "tyre_front_left", "tyre_front_right", "headlamp"),
    "12 ": ("road", "tyre_front", "headlamp", "grille_hot"),
}


@pytest.mark.parametrize("name", PARTS)
def test_two_real_cars_are_as_warm_as_measured(flir_folder: Path, name: str) -> None:
    zones = json.loads((flir_folder / "car_zone_temperatures.json").read_text())
    known = next(value for key, value in zones.items() if key.startswith(name))
    celsius = decoded(flir_folder, name).image - 273.15
    for part in PARTS[name]:
        left, top, width, height = known[part]["xywh"]
        seen = celsius[top : top + height, left : left + width]
        assert known[part]["min"] <= np.median(seen) <= known[part]["max"], part
        # The list leaves out the air between camera and car, which makes up to 0.4 K.
        assert np.median(seen) == pytest.approx(known[part]["median"], abs=0.4), part
        assert seen.min() > known[part]["min"] - 0.4, part
        assert seen.max() < known[part]["max"] + 0.4, part


def test_a_still_spot_is_what_the_camera_painted(flir_folder: Path) -> None:
    """The picture of file 10 shows "21.1" for the spot at (159, 119); the others' subjects move."""
    assert decoded(flir_folder, "10 ").image[119, 159] - 273.15 == pytest.approx(21.1, abs=0.05)


def test_a_preview_without_its_raw_data_is_no_temperature(flir_folder: Path) -> None:
    """The display picture of a FLIR ONE Pro (MSX), saved again as messengers do."""
    picture = cv2.imread(str(path_of(flir_folder, "IMG_0620")))
    (frame,) = read_frames(jpeg(None, preview=picture), Reading())
    assert (frame.kind, frame.radiometric) == ("palette preview", False)


def test_street_frames_of_other_sets_are_display_only(shared_data: Path) -> None:
    for folder, dtype in (("roadscene/infrared", np.uint8), ("kaist", np.uint8), ("flir16/raw16", np.uint16)):
        paths = sorted((shared_data / folder).rglob("*.[jp][pn]g"))[:3]
        for path in paths:
            (frame,) = read_frames(path.read_bytes(), Reading())
            assert (frame.radiometric, frame.image.dtype) == (False, dtype), path.name
