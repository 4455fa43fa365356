"""One file to frames: by what its bytes say, never by its name.

A frame is radiometric where the file itself tells how its counts become degrees (FLIR's raw data with Planck constants;
a TIFF that states its scale) or where the user says so. Everything else is display-only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
from gan.data.decoding import JpegHeader, read_jpeg_header
from gan.data.picture_formats import PictureError, kind_of, maker_note, turned
from gan.data.tiff_decoding import decode_tiff
from gan.options import Option, check_options
from numpy.typing import NDArray
from renderer.geometry.camera import Camera

from pipelines.backgrounds.ingest import flir
from pipelines.backgrounds.ingest.classify import kind_of_colours, to_grey
from pipelines.backgrounds.ingest.metadata import (
    Overrides,
    camera_of,
    checked_air,
    checked_conditions,
    describe_camera,
    turned_camera,
)
from pipelines.backgrounds.ingest.radiometric import KELVIN_AT_0_C, kelvin_of_all_counts
from pipelines.backgrounds.ingest.tiff import Unit, stated_scale, unit_to_kelvin
from pipelines.errors import BackgroundError
from pipelines.io.images import decode_upright
from pipelines.io.png import MAX_PIXELS, check_png, check_size

__all__ = ["Decoded", "Reading", "read_frames"]

_PLAUSIBLE_K = (173.0, 1800.0)
"""Median of a frame: colder or hotter means that the constants are not this camera's."""
_MOST_MISSING = 0.5
_OUT_OF_RANGE = 0.01
_PANCHROMATIC_BITS = 8
_READING = "How files are read"


@dataclass(frozen=True)
class Reading:
    """How files are read.

    Raises:
        ConfigError: a word that is none of the choices.
    """

    overrides: Overrides = field(default_factory=Overrides)
    byte_order: Annotated[
        flir.ByteOrder, Option("Byte order of the raw data of FLIR files; auto: the smoother picture.", _READING)
    ] = "auto"
    unit: Annotated[
        Unit, Option("Unit of 16-bit and float pictures; stated: what the file says, else display-only.", _READING)
    ] = "stated"

    def __post_init__(self) -> None:
        """Check each option."""
        check_options(self)


@dataclass(frozen=True)
class Decoded:
    """One frame."""

    kind: str
    """What the file is."""
    image: NDArray[Any]
    """(H, W): float32 kelvin where radiometric, else uint8 or uint16 display intensity."""
    radiometric: bool
    about: dict[str, Any]
    """Entries ``camera``, ``optics``, ``intrinsics``, ``constants``, ``conditions``, ``time`` of the sidecar."""
    warnings: tuple[str, ...] = ()


def read_frames(data: bytes, reading: Reading) -> Iterator[Decoded]:
    """Frames of a file: one, but of a FLIR sequence all.

    Raises:
        BackgroundError: nothing can be used, and why.
    """
    if not data:
        raise BackgroundError("the file is empty")
    if data[:3] == b"\xff\xd8\xff":
        yield _read_jpeg(data, reading)
    elif data[:4] in (b"FFF\0", b"AFF\0"):
        yield from _read_fff(data, reading)
    else:
        yield _read_plain(data, reading)


def _read_plain(data: bytes, reading: Reading) -> Decoded:
    """A frame of a picture that is neither FLIR's nor a JPEG."""
    try:
        kind = kind_of(data)
    except PictureError as error:
        raise BackgroundError(str(error)) from None
    if kind == "TIFF":
        return _read_tiff(data, reading)
    if kind == "PNG":
        check_png(data, "picture")
    return _read_picture(_decode(data), reading)


# --- FLIR -------------------------------------------------------------------------------------------------------------


def _read_jpeg(data: bytes, reading: Reading) -> Decoded:
    if not flir.jpeg_is_whole(data):
        raise BackgroundError("a JPEG without end: the file is cut short; copy it again")
    header, damage = _jpeg_header(data)
    fff = flir.fff_of_jpeg(data)
    if fff is not None:
        return _upright(_decode_flir(fff, reading, "FLIR radiometric JPEG"), header)
    if damage:
        raise BackgroundError(damage)
    if "flir" in header.maker.lower():
        raise BackgroundError(
            f"a picture by {header.maker!r} without raw data: only the preview is left (palette, MSX, marks), and no "
            "temperature can be read off it; get the file as the camera stored it"
        )
    check_size(header.width, header.height, "picture")
    found = _read_picture(_decode(data), reading)
    note = maker_note(header.maker)
    return replace(found, warnings=(*found.warnings, note)) if note else found


def _jpeg_header(data: bytes) -> tuple[JpegHeader, str]:
    """What stands before the pixels, and why there is nothing: FLIR's data may be whole where the preview is not."""
    try:
        return read_jpeg_header(data), ""
    except PictureError as error:
        return JpegHeader(0, 0, 1, ""), str(error)


def _upright(frame: Decoded, header: JpegHeader) -> Decoded:
    """The frame turned as the picture around it says; raw data are stored as the sensor lay.

    Where they lie otherwise than the stored picture, this was turned already when the file was written.
    """
    if header.orientation == 1:
        return frame
    rows, columns = frame.image.shape
    if (columns >= rows) != (header.width >= header.height):
        text = f"EXIF orientation {header.orientation} is not applied: raw data and stored picture lie crosswise"
        return replace(frame, warnings=(*frame.warnings, text))
    about = {**frame.about, "raw": {**frame.about["raw"], "orientation": header.orientation}}
    if about["intrinsics"] is not None:
        camera = turned_camera(Camera.from_json(about["intrinsics"]), header.orientation)
        hfov, vfov = camera.fov_deg
        about["intrinsics"] = camera.to_json()
        about["optics"] = {**about["optics"], "hfov_deg": round(hfov, 3), "vfov_deg": round(vfov, 3)}
    return replace(frame, image=turned(frame.image, header.orientation), about=about)


def _read_fff(data: bytes, reading: Reading) -> Iterator[Decoded]:
    """Frames of a FFF or SEQ file: a sequence is one FFF file after the other."""
    begins = flir.fff_begins(data)
    kind = "FLIR FFF" if len(begins) == 1 else "FLIR SEQ"
    for begin, end in zip(begins, [*begins[1:], len(data)], strict=True):
        yield _decode_flir(data[begin:end], reading, kind)


def _decode_flir(fff: bytes, reading: Reading, kind: str) -> Decoded:
    raw = flir.read_raw(fff)
    check_size(raw.width, raw.height, "raw data")
    info = flir.read_camera_info(fff)
    counts, order = flir.read_counts(raw, reading.byte_order)
    optics, camera, warnings = camera_of(info, raw.width, raw.height)
    about, more = describe_camera(info)
    about.update(
        optics=optics,
        intrinsics=None if camera is None else camera.to_json(),
        raw={"coding": "PNG" if raw.is_png else "plain", "byte_order": order},
    )
    kelvin, calibration, also = _kelvin_of(counts, info, reading)
    about.update(calibration)
    warnings = [*warnings, *more, *also]
    if kelvin is None:
        return Decoded(kind, counts, False, about, tuple(warnings))
    return Decoded(kind, kelvin, True, about, tuple(warnings))


def _kelvin_of(
    counts: NDArray[np.uint16], info: flir.CameraInfo, reading: Reading
) -> tuple[NDArray[np.float32] | None, dict[str, Any], list[str]]:
    """Temperatures, or None where the constants give none; entries of the sidecar; warnings."""
    if info.planck.problem:
        return None, {"constants": None, "conditions": None}, [f"{info.planck.problem}: display-only"]
    conditions, warnings = checked_conditions(reading.overrides.apply(info.conditions))
    air, more = checked_air(info.air, conditions)
    warnings += more
    kelvin = None
    if air is not None:
        with np.errstate(all="ignore"):  # constants of any size: what has no temperature is NaN or infinite
            table = kelvin_of_all_counts(info.planck, conditions, air).astype(np.float32)
        kelvin, also = _whole(table[counts])
        warnings += also
    if kelvin is None or air is None:
        return None, {"constants": None, "conditions": None}, [*warnings, "display-only"]
    entries = {
        "constants": {**_numbers(vars(info.planck)), "air": _numbers(vars(air))},
        "conditions": {**conditions.to_json(), "given": reading.overrides.given()},
    }
    return kelvin, entries, [*warnings, *_out_of_range(kelvin, info.range_K)]


def _whole(kelvin: NDArray[np.float32]) -> tuple[NDArray[np.float32] | None, list[str]]:
    """The frame with its few pixels without temperature set to its lowest; None where there are too many."""
    bad = ~np.isfinite(kelvin)
    missing = int(bad.sum())
    if missing > _MOST_MISSING * kelvin.size:
        return None, [f"{missing} of {kelvin.size} pixels have no temperature: the constants are not this camera's"]
    warnings = []
    if missing:
        kelvin = np.where(bad, kelvin[~bad].min(), kelvin)
        warnings.append(f"{missing} pixels have no temperature: they are set to the lowest of the others")
    middle = float(np.median(kelvin))
    if not _PLAUSIBLE_K[0] <= middle <= _PLAUSIBLE_K[1]:
        return None, [f"median would be {middle - KELVIN_AT_0_C:.0f} C: the constants are not this camera's"]
    return kelvin, warnings


def _out_of_range(kelvin: NDArray[np.float32], range_K: tuple[float, float]) -> list[str]:
    low, high = range_K
    if not 0 < low < high:
        return []
    share = float(((kelvin < low) | (kelvin > high)).mean())
    if share <= _OUT_OF_RANGE:
        return []
    return [
        f"{share:.0%} of the pixels lie outside the {low - KELVIN_AT_0_C:.0f} to {high - KELVIN_AT_0_C:.0f} C that the "
        "camera is calibrated for"
    ]


def _numbers(values: dict[str, float]) -> dict[str, float]:
    """Float32 values of a file with the digits that they have."""
    return {name: float(f"{value:.8g}") for name, value in values.items()}


# --- other pictures ---------------------------------------------------------------------------------------------------

_ENTRIES = ("camera", "time", "optics", "intrinsics", "raw", "constants", "conditions")
_UNKNOWN: dict[str, Any] = dict.fromkeys(_ENTRIES)


def _decode(data: bytes) -> NDArray[Any]:
    """Pixels turned upright; colours in RGB order."""
    try:
        return decode_upright(data, MAX_PIXELS)
    except PictureError as error:
        raise BackgroundError(str(error)) from None


def _read_tiff(data: bytes, reading: Reading) -> Decoded:
    try:
        tiff = decode_tiff(data, MAX_PIXELS)
    except PictureError as error:
        raise BackgroundError(str(error)) from None
    more = [f"{tiff.pages} pages: only the first is used"] if tiff.pages > 1 else []
    found = _read_picture(tiff.pixels, reading, stated_scale(tiff.description))
    kind = "radiometric TIFF" if found.radiometric else found.kind
    return Decoded(kind, found.image, found.radiometric, found.about, (*more, *found.warnings))


def _scaled(values: NDArray[Any], scale: float) -> NDArray[np.float32]:
    """Values by a scale that a file states; what is too large for a float32 becomes infinite, and no temperature."""
    with np.errstate(over="ignore", under="ignore"):
        return (values.astype(np.float64) * scale).astype(np.float32)


def _read_picture(pixels: NDArray[Any], reading: Reading, scale: float | None = None) -> Decoded:
    """A frame of plain pixels; ``scale`` is what the file says of them, kelvin per count."""
    grey, kind, warnings = _grey_of(pixels)
    check_size(grey.shape[1], grey.shape[0], "picture")
    if grey.dtype.kind == "f" and not np.isfinite(grey).any():
        raise BackgroundError("no pixel is a number (all NaN or inf)")
    if grey.dtype != np.uint8 and (scale is not None or reading.unit != "stated"):
        kelvin = unit_to_kelvin(grey, reading.unit) if scale is None else _scaled(grey, scale)
        whole, more = _whole(kelvin)
        if whole is not None:
            said = "stated in the file" if scale is not None else f"given: values are {reading.unit}"
            about = {**_UNKNOWN, "constants": {"kelvin_per_count": scale, "source": said}}
            _check_contrast(whole)
            return Decoded(f"{kind} of temperatures", whole, True, about, (*warnings, *more))
        warnings += [*more, "display-only"]
    shown, more = _display(grey)
    _check_contrast(shown)
    return Decoded(kind, shown, False, dict(_UNKNOWN), (*warnings, *more))


def _grey_of(pixels: NDArray[Any]) -> tuple[NDArray[Any], str, list[str]]:
    """(H, W), what it is, and warnings."""
    if pixels.dtype.kind not in "uif" or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] > 4):
        raise BackgroundError(f"{pixels.dtype} of shape {pixels.shape}: expected one grey or colour image")
    bits = 8 * pixels.dtype.itemsize
    name = f"{bits}-bit {'float ' if pixels.dtype.kind == 'f' else ''}picture"
    if pixels.ndim == 2:
        return pixels, name, []
    if pixels.shape[2] < 3:
        return np.ascontiguousarray(pixels[..., 0]), name, []
    if bits == _PANCHROMATIC_BITS:
        kind = kind_of_colours(pixels[..., :3].astype(np.uint8))
        if kind == "photo":
            raise BackgroundError("a colour photograph, not a thermal image (or one mixed with a photograph)")
        if kind == "palette":
            return (
                to_grey(pixels),
                "palette preview",
                ["colours of a palette: grey is their brightness, in no fixed order"],
            )
    return to_grey(pixels), name, []


def _display(grey: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """8 or 16 bits as they are; other numbers over their range in 16 bits."""
    if grey.dtype in (np.uint8, np.uint16):
        return grey, []
    values = grey.astype(np.float64)
    finite = np.isfinite(values)
    missing = int(values.size - finite.sum())
    if missing > _MOST_MISSING * values.size:
        raise BackgroundError(f"{missing} of {values.size} pixels are no number (NaN or inf)")
    low, high = float(values[finite].min()), float(values[finite].max())
    share = np.where(finite, (values - low) / max(high - low, 1e-30), 0.0)
    warnings = [f"values from {low:g} to {high:g} of unknown unit are spread over 16 bits"]
    warnings += [f"{missing} pixels are no number: they are set to the lowest of the others"] if missing else []
    return np.rint(share * 65535.0).astype(np.uint16), warnings


def _check_contrast(image: NDArray[Any]) -> None:
    if image.min() == image.max():
        raise BackgroundError(f"all pixels have the value {image.flat[0]:g}: expected an image with contrast")
