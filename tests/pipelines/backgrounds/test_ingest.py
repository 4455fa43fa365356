"""Decoding: temperatures, byte order, metadata, and what is not a temperature."""

from __future__ import annotations

import io
import math
import re
import zlib
from pathlib import Path

import cv2
import flyr
import numpy as np
import pytest
import tifffile
from flir_files import (
    E60,
    PREVIEW,
    camera_record,
    exif_of,
    fff,
    flir_jpeg,
    jpeg,
    raw_record,
    street_counts,
)

from pipelines.backgrounds.ingest.metadata import Overrides
from pipelines.backgrounds.ingest.radiometric import Air, Conditions, Planck, counts_to_kelvin, kelvin_to_counts
from pipelines.backgrounds.ingest.readers import Decoded, Reading, read_frames
from pipelines.backgrounds.ingest.tiff import write_kelvin_tiff
from pipelines.errors import BackgroundError

PLANCK = {
    "E60": Planck(14985.93, 0.011283217, 1398.1, -6233, 1.0),
    "FLIR ONE Pro": Planck(17945.85, 0.0125, 1435.0, -2539, 1.0),
    "InfraCAM": Planck(14861.56, 0.032336067, 1395.6, -992, 1.0),
    "i7": Planck(16327.723, 0.023158347, 1424.8, -6872, 1.35),
    "XT2": Planck(385517, 1.0, 1428.0, -72, 1.0),
}
FAR = Conditions(0.8, 260.0, 281.0, 0.9, 60.0, 290.0, 0.85)


def one(data: bytes, **reading: object) -> Decoded:
    (frame,) = read_frames(data, Reading(**reading))
    return frame


def encoded(pixels: np.ndarray, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def as_tiff(pixels: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


# --- the formula ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "conditions", [Conditions(), Conditions(1.0, distance_m=0.0), FAR], ids=["near", "none", "far"]
)
@pytest.mark.parametrize("planck", PLANCK.values(), ids=PLANCK)
def test_round_trip_over_whole_counts(planck: Planck, conditions: Conditions) -> None:
    kelvin = np.linspace(263.15, 393.15, 2001)
    exact = kelvin_to_counts(kelvin, planck, conditions)
    assert np.abs(counts_to_kelvin(exact, planck, conditions) - kelvin).max() < 1e-9
    error = np.abs(counts_to_kelvin(np.rint(exact), planck, conditions) - kelvin)
    assert error.max() < 0.02 or conditions is FAR
    half_a_count_K = 0.5 / np.gradient(exact, kelvin)
    assert np.all(error < 1.01 * half_a_count_K)


def test_hotter_is_more_counts_and_less_than_nothing_is_no_temperature() -> None:
    kelvin = counts_to_kelvin(np.arange(65536), PLANCK["E60"], Conditions())
    known = np.isfinite(kelvin)
    assert known[-1]
    assert not known[0]
    assert np.all(np.diff(kelvin[known]) > 0)
    assert kelvin[known].min() > 0


def test_a_black_body_without_air_is_planck_alone() -> None:
    conditions = Conditions(emissivity=1.0, distance_m=0.0)
    for kelvin in (250.0, 300.0, 390.0):
        expected = 14985.93 / (0.011283217 * (math.exp(1398.1 / kelvin) - 1)) + 6233
        assert kelvin_to_counts(np.array(kelvin), PLANCK["E60"], conditions) == pytest.approx(expected, rel=1e-12)


def test_an_object_as_warm_as_all_around_it_has_that_temperature() -> None:
    """Whatever emissivity, air and window are: in a furnace of one temperature everything looks black."""
    even = Conditions(0.3, 290.0, 290.0, 0.7, 80.0, 290.0, 0.6)
    black = Conditions(emissivity=1.0, distance_m=0.0)
    counts = kelvin_to_counts(np.array(290.0), PLANCK["E60"], even)
    assert counts == pytest.approx(kelvin_to_counts(np.array(290.0), PLANCK["E60"], black), rel=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"emissivity": 0.7, "reflected_K": 255.0},
        {"distance_m": 150.0, "humidity": 0.9, "atmospheric_K": 303.0},
        {"window_transmittance": 0.75, "window_K": 280.0},
        {"F": 1.35, "O": -6872, "emissivity": 1.0},
    ],
)
@pytest.mark.parametrize("coding", ["little", "png-little"])
def test_temperatures_are_those_of_flyr(changes: dict[str, float], coding: str) -> None:
    data = flir_jpeg(coding=coding, **changes)
    ours = one(data)
    theirs = flyr.unpack(io.BytesIO(data)).kelvin
    assert ours.radiometric
    # flyr has 273.17 for 273.15 in one term of the air's water vapour: 4 mK at 150 m.
    assert np.abs(ours.image - theirs).max() < (5e-3 if "distance_m" in changes else 1e-3)


# --- byte order -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["little", "big", "png-little", "png-big"])
def test_byte_order_is_found_and_can_be_forced(coding: str) -> None:
    counts = street_counts()
    data = flir_jpeg(counts, coding)
    right = one(flir_jpeg(counts, "little"))
    found = one(data)
    order = "big" if "big" in coding else "little"
    assert found.about["raw"] == {"coding": "PNG" if "png" in coding else "plain", "byte_order": order}
    assert np.array_equal(found.image, right.image)
    assert np.array_equal(one(data, byte_order=order).image, right.image)
    wrong = one(data, byte_order="little" if order == "big" else "big")
    assert not wrong.radiometric or np.abs(wrong.image - right.image).max() > 20


def test_byte_order_of_a_nearly_even_scene() -> None:
    noise = np.random.default_rng(0).integers(0, 12, (60, 80))
    for coding in ("little", "png-big"):
        found = one(flir_jpeg((14980 + noise).astype(np.uint16), coding))
        assert np.ptp(found.image) < 0.5


# --- metadata ---------------------------------------------------------------------------------------------------------


def test_camera_optics_time_and_conditions_are_told() -> None:
    frame = one(flir_jpeg(west_min=-120))
    assert frame.kind == "FLIR radiometric JPEG"
    assert frame.about["camera"]["model"] == "FLIR E60"
    assert frame.about["camera"]["range_C"] == [-20.0, 120.0]
    assert frame.about["time"] == "2013-03-07T00:23:20.250+02:00"
    assert frame.about["optics"]["hfov_deg"] == pytest.approx(25.0)
    assert frame.about["optics"]["focus_distance_m"] == 2.5
    assert frame.about["intrinsics"]["fx"] == pytest.approx(40 / math.tan(math.radians(12.5)))
    assert frame.about["constants"]["R1"] == pytest.approx(14985.93)
    assert frame.about["conditions"]["reflected_C"] == pytest.approx(20.0, abs=0.01)
    assert frame.warnings == ()


def test_a_flir_one_without_field_of_view_gets_its_preset_upright() -> None:
    data = flir_jpeg(street_counts(60, 80), model=b"FLIR ONE Pro (gen 3)", fov_deg=0.0)
    frame = one(data)
    assert frame.about["optics"]["source"] == "preset flir-one-pro"
    assert (frame.about["optics"]["hfov_deg"], frame.about["optics"]["vfov_deg"]) == (43.0, 55.0)
    assert frame.about["intrinsics"]["sensor"] == "flir-one-pro"


NONSENSE = {
    "reflected in kelvin": (
        {"reflected_K": 298.0 + 273.15},
        r"reflected temperature is 298\.0 C.*--reflected-c 24\.85",
    ),
    "reflected at zero": ({"reflected_K": 0.0}, r"reflected temperature is 0 K"),
    "arctic air": ({"atmospheric_K": 150.0}, r"atmospheric temperature is -123\.1 C"),
    "no emissivity": ({"emissivity": 0.0}, r"emissivity is 0"),
    "emissivity that is no number": ({"emissivity": math.nan}, r"emissivity is nan"),
    "mirror": ({"emissivity": 0.04}, r"emissivity is 0\.04"),
    "humidity": ({"humidity": -3.0}, r"relative humidity is -3"),
    "distance": ({"distance_m": -1.0}, r"object distance is -1 m"),
    "endless distance": ({"distance_m": math.inf}, r"object distance is inf m"),
    "window": ({"window_transmittance": 0.0}, r"window transmittance is 0"),
    "cold window": ({"window_transmittance": 0.9, "window_K": 0.0}, r"window temperature is 0 K"),
    "air": ({"alpha1": -9.0}, r"constants of the air"),
    "field of view": ({"fov_deg": 180.0}, r"field of view is 180 degrees"),
    "clock": ({"seconds": 946684800 - 3600}, r"time is 1999-12-31"),
}


@pytest.mark.parametrize(("changes", "said"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_named_and_gives_finite_temperatures(changes: dict[str, float], said: str) -> None:
    frame = one(flir_jpeg(**changes))
    assert any(re.search(said, text) for text in frame.warnings), frame.warnings
    assert np.isfinite(frame.image).all()


def test_humidity_in_per_cent_is_read_as_such() -> None:
    assert np.array_equal(one(flir_jpeg(humidity=50.0)).image, one(flir_jpeg(humidity=0.5)).image)


def test_each_value_can_be_overridden() -> None:
    given = {
        "emissivity": 0.8, "reflected_C": -10.0, "atmospheric_C": 5.0, "humidity": 0.9, "distance_m": 50.0,
        "window_C": 8.0, "window_transmittance": 0.9,
    }  # fmt: skip
    stored = {
        "emissivity": 0.8, "reflected_K": 263.15, "atmospheric_K": 278.15, "humidity": 0.9, "distance_m": 50.0,
        "window_K": 281.15, "window_transmittance": 0.9,
    }  # fmt: skip
    frame = one(flir_jpeg(), overrides=Overrides(**given))
    assert np.abs(frame.image - one(flir_jpeg(**stored)).image).max() < 2e-3
    assert frame.about["conditions"]["given"] == given
    for name, value in given.items():
        base = {**given, name: None}
        changed = np.abs(frame.image - one(flir_jpeg(), overrides=Overrides(**base)).image).max()
        assert changed > 1e-3, (name, value)


def test_an_override_heals_nonsense() -> None:
    frame = one(flir_jpeg(reflected_K=571.15), overrides=Overrides(reflected_C=24.85))
    assert frame.warnings == ()


@pytest.mark.parametrize("changes", [{"R1": 0.0}, {"B": math.nan}, {"R2": -1.0}, {"F": 0.0}])
def test_without_constants_there_is_no_temperature(changes: dict[str, float]) -> None:
    frame = one(flir_jpeg(**changes))
    assert not frame.radiometric
    assert np.array_equal(frame.image, street_counts())
    assert "Planck constants" in frame.warnings[0]
    assert next(iter(changes)) in frame.warnings[0]
    assert frame.about["constants"] is None


def test_a_camera_record_may_be_short_or_missing() -> None:
    """An older one ends after the constants; one that ends before, or none, gives counts and no temperature."""
    counts = street_counts()
    old = one(jpeg(fff(raw_record(counts), camera_record()[:0x340])))
    assert np.array_equal(old.image, one(flir_jpeg()).image)
    assert old.about["time"] is None
    for record in (camera_record()[:500], None):
        frame = one(jpeg(fff(raw_record(counts), record)))
        assert not frame.radiometric
        assert "Planck constants missing" in " ".join(frame.warnings)
        assert np.array_equal(frame.image, counts)


def test_of_two_sets_of_flir_data_the_first_counts() -> None:
    first, second = flir_jpeg(), flir_jpeg(street_counts()[::-1].copy())
    both = first[:2] + first[2 : first.index(b"\xff\xe0")] + second[2:]
    assert np.array_equal(one(both).image, one(first).image)


def test_constants_of_another_camera_give_no_temperature() -> None:
    frame = one(flir_jpeg(R1=1e9))
    assert not frame.radiometric
    assert "not this camera's" in " ".join(frame.warnings)


def test_dead_pixels_are_named() -> None:
    counts = street_counts()
    counts[:2, :3] = 0
    frame = one(flir_jpeg(counts))
    assert "6 pixels have no temperature" in " ".join(frame.warnings)
    assert frame.image[0, 0] == frame.image[counts > 0].min()


# --- other files ------------------------------------------------------------------------------------------------------


def test_fff_alone_and_in_a_sequence_with_a_bad_frame() -> None:
    counts = [street_counts(), street_counts()[::-1].copy(), street_counts()[:, ::-1].copy()]
    files = [fff(raw_record(item), camera_record()) for item in counts]
    alone = one(files[0])
    assert (alone.kind, alone.radiometric) == ("FLIR FFF", True)
    assert np.array_equal(alone.image, one(flir_jpeg(counts[0])).image)
    both = list(read_frames(b"".join(files), Reading()))
    assert [frame.kind for frame in both] == ["FLIR SEQ"] * 3
    for frame, item in zip(both, counts, strict=True):
        assert np.array_equal(frame.image, one(flir_jpeg(item)).image)


DISPLAY = {
    "grey": (encoded((street_counts() >> 6).astype(np.uint8)), "8-bit picture"),
    "grey saved as colour": (encoded(cv2.merge([(street_counts() >> 6).astype(np.uint8)] * 3)), "8-bit picture"),
    "grey JPEG": (encoded((street_counts() >> 6).astype(np.uint8), ".jpg"), "8-bit picture"),
    "16-bit counts": (encoded(street_counts()), "16-bit picture"),
    "16-bit TIFF": (as_tiff(street_counts()), "16-bit picture"),
    "floats of unknown unit": (as_tiff(street_counts().astype(np.float32) / 50), "32-bit float picture"),
    "palette preview": (encoded(PREVIEW), "palette preview"),
    "palette JPEG": (encoded(PREVIEW, ".jpg"), "palette preview"),
}


@pytest.mark.parametrize(("data", "kind"), DISPLAY.values(), ids=DISPLAY)
def test_display_pictures_have_no_temperature(data: bytes, kind: str) -> None:
    frame = one(data)
    assert frame.kind == kind
    assert not frame.radiometric
    assert frame.image.dtype in (np.uint8, np.uint16)
    assert all(value is None for value in frame.about.values())


def test_counts_are_kept_as_they_are() -> None:
    assert np.array_equal(one(DISPLAY["16-bit counts"][0]).image, street_counts())


def test_an_own_tiff_states_its_scale_and_is_read_back(tmp_path: Path) -> None:
    kelvin = np.linspace(250.0, 320.0, 4800).reshape(60, 80)
    write_kelvin_tiff(tmp_path / "a.tiff", kelvin)
    frame = one((tmp_path / "a.tiff").read_bytes())
    assert (frame.kind, frame.radiometric) == ("radiometric TIFF", True)
    assert np.abs(frame.image - kelvin).max() < 0.0051


@pytest.mark.parametrize(
    ("unit", "values"),
    [("kelvin", lambda k: k), ("celsius", lambda k: k - 273.15), ("centikelvin", lambda k: k * 100)],
)
def test_a_unit_can_be_given(unit: str, values: object) -> None:
    kelvin = np.linspace(250.0, 320.0, 4800).reshape(60, 80)
    frame = one(as_tiff(values(kelvin).astype(np.float32)), unit=unit)
    assert frame.radiometric
    assert np.abs(frame.image - kelvin).max() < 1e-3
    assert not one(encoded((street_counts() >> 6).astype(np.uint8)), unit=unit).radiometric


def test_a_wrong_unit_gives_no_temperature() -> None:
    frame = one(as_tiff(street_counts()), unit="kelvin")
    assert not frame.radiometric
    assert "median would be" in " ".join(frame.warnings)


# --- files that cannot be used ----------------------------------------------------------------------------------------


def photo() -> np.ndarray:
    """Colours that lie on no line."""
    noise = np.random.default_rng(1).integers(60, 200, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(noise, (160, 120), interpolation=cv2.INTER_CUBIC)


def lying_png(width: int, height: int, pixels: np.ndarray | None = None) -> bytes:
    """A PNG whose header, checksum and all, claims another size."""
    data = bytearray(encoded(street_counts() if pixels is None else pixels))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def with_png(pixels: bytes) -> bytes:
    return jpeg(fff(raw_record(street_counts(), pixels=pixels), camera_record()))


WHOLE = flir_jpeg()
NAN = np.full((60, 80), np.nan, dtype=np.float32)
BAD = {
    "empty": (b"", "is empty"),
    "text": (b"once upon a time", "not a picture"),
    "document": (b"%PDF-1.7 and so on", "a PDF document, which is not read"),
    "JPEG cut in its FLIR data": (WHOLE[:3000], "cut short"),
    "JPEG cut in its picture": (WHOLE[:-40], "cut short"),
    "JPEG of two bytes": (b"\xff\xd8\xff", "cut short"),
    "FLIR data with a part missing": (WHOLE.replace(b"FLIR\0\x01\x01", b"FLIX\0\x01\x01"), "part 2 of"),
    "FLIR data without raw": (jpeg(fff(None, camera_record())), "without raw data"),
    "FLIR data that are none": (jpeg(b"nonsense" * 20), "do not begin"),
    "raw shorter than its size": (jpeg(fff(raw_record(street_counts())[:-900], camera_record())), "raw data of 80x60"),
    "EXIF of a camera without raw": (jpeg(None, exif=exif_of(b"FLIR Systems AB")), "without raw data"),
    "raw PNG of another size": (with_png(encoded(street_counts(64, 50))), "PNG of 64x50"),
    "raw PNG of 8 bits": (with_png(encoded((street_counts() >> 8).astype(np.uint8))), "8 bits"),
    "raw PNG that lies": (with_png(lying_png(80, 3000)), "claims 80x3000"),
    "raw PNG cut short": (with_png(encoded(street_counts())[:-300]), "cut short"),
    "PNG that claims too much": (lying_png(100_000, 100_000), "10000 megapixels"),
    "PNG that claims more": (lying_png(80, 90), "claims 80x90"),
    "PNG that claims less": (lying_png(80, 40), "claims 80x40"),
    "PNG with a wrong checksum": (encoded(street_counts())[:-30] + bytes(30), "checksum"),
    "one pixel": (encoded(np.zeros((1, 1), np.uint8)), "1x1 pixels"),
    "one pixel of FLIR": (flir_jpeg(np.array([[15000]], np.uint16), "little"), "1x1 pixels"),
    "bomb in PNG": (encoded(np.zeros((4000, 5000), np.uint8)), "20 megapixels"),
    "bomb in JPEG": (encoded(np.zeros((4000, 5000), np.uint8), ".jpg"), "20 megapixels"),
    "bomb in TIFF": (as_tiff(np.zeros((4000, 5000), np.uint8), compression="zlib"), "20 megapixels"),
    "all NaN": (as_tiff(NAN), "no pixel is a number"),
    "flat": (encoded(np.full((60, 80), 7, np.uint8)), "have the value 7"),
    "TIFF cut short": (as_tiff(street_counts())[:400], "TIFF"),
    "a stack in TIFF": (as_tiff(np.zeros((60, 60, 9), np.uint8), planarconfig="contig"), "TIFF"),
    "colour photograph": (encoded(photo()), "colour photograph"),
    "complex numbers": (as_tiff(np.ones((60, 80), np.complex64)), "complex64"),
    "BMP cut short": (encoded((street_counts() >> 8).astype(np.uint8), ".bmp")[:40], "cannot be decoded"),
}


@pytest.mark.parametrize(("data", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_told_in_one_line(data: bytes, said: str) -> None:
    with pytest.raises(BackgroundError, match=said) as caught:
        list(read_frames(data, Reading()))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data", [WHOLE, encoded(street_counts()), as_tiff(street_counts())], ids=["jpeg", "png", "tiff"]
)
def test_damaged_bytes_never_escape_as_another_error(data: bytes) -> None:
    """Bytes flipped and files cut anywhere: a frame or our own error."""
    rng = np.random.default_rng(7)
    for _ in range(150):
        broken = bytearray(data)
        for at in rng.integers(0, min(len(data), 2000), 3):
            broken[at] = rng.integers(256)
        cut = bytes(broken[: rng.integers(1, len(broken))] if rng.random() < 0.3 else broken)
        try:
            for frame in read_frames(cut, Reading()):
                assert np.isfinite(frame.image).all()
        except BackgroundError:
            pass


def test_air_defaults_are_those_of_the_camera() -> None:
    assert Air().X == 1.9
    assert E60["alpha1"] == Air().alpha1
