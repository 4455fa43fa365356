"""FLIR's file format, FFF, alone or in the APP1 segments of a JPEG.

The calibration is read by flyr. The rest is read here, because flyr 5.1 cannot: it looks for the directory of records
at offset 0 instead of where the header puts it and so misses the last two; it takes every PNG-coded frame for one of
swapped bytes, believes the size that a PNG claims, and unpacks counts one by one in Python (a 640x480 frame takes 90
ms); and it reads neither camera, lens, field of view nor time. What both read is compared in the tests.

Layout of the records: exiftool's documentation of FLIR tags (exiftool.org/TagNames/FLIR.html).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipelines.backgrounds.ingest.radiometric import Air, Conditions, Planck
from pipelines.errors import BackgroundError
from pipelines.io.png import decode_grey_png

__all__ = [
    "ByteOrder",
    "CameraInfo",
    "Raw",
    "fff_begins",
    "fff_of_jpeg",
    "jpeg_is_whole",
    "read_camera_info",
    "read_counts",
    "read_raw",
]

ByteOrder = Literal["auto", "big", "little"]
UInt16 = NDArray[np.uint16]

_RAW_DATA, _CAMERA_INFO = 1, 32
_HEADER = 64
_PIXELS_AT = 32
"""Where the pixels begin in the record of raw data."""
_CAMERA_RECORD = 0x460
"""Bytes that hold all that is read of it; older cameras write fewer."""
_MAX_RECORDS = 4096
_SIGNATURES = (b"FFF\0", b"AFF\0")
_PNG = b"\x89PNG"
_JPEG, _JPEG_LS = b"\xff\xd8", b"\xff\xf7"
"""Begin of a JPEG, and of the header of a JPEG-LS frame in it (ISO/IEC 14495-1)."""
_MARKERS = 512
"""Bytes within which that header stands."""


# --- the container ----------------------------------------------------------------------------------------------------


def _segments(data: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Segments of a JPEG before its image data as (marker, content), and where the image data begin."""
    segments, position = [], 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        segments.append((marker, data[position + 4 : position + 2 + length]))
        position += 2 + length
        if marker == 0xDA:  # start of scan
            return segments, position
    return segments, -1


def jpeg_is_whole(data: bytes) -> bool:
    """Whether a JPEG has image data and their end; it need not be the file's end."""
    begin = _segments(data)[1]
    # Within image data a 0xFF is followed by 0 or a restart marker, so the first such pair is the end of the image.
    return begin > 0 and data.find(b"\xff\xd9", begin) > 0


def fff_of_jpeg(data: bytes) -> bytes | None:
    """FLIR's data in the APP1 segments of a JPEG, joined; None where there are none.

    Raises:
        BackgroundError: a part of them is missing.
    """
    parts: dict[int, bytes] = {}
    last = 0
    for marker, content in _segments(data)[0]:
        if marker == 0xE1 and content[:5] == b"FLIR\0" and len(content) > 8:
            last = last if parts else content[7]
            parts.setdefault(content[6], content[8:])  # of two sets the first counts
    if not parts:
        return None
    missing = [number for number in range(last + 1) if number not in parts]
    if missing:
        raise BackgroundError(f"part {missing[0] + 1} of {last + 1} of the FLIR data is missing: the file is cut short")
    return b"".join(parts[number] for number in range(last + 1))


def fff_begins(data: bytes) -> list[int]:
    """Where the FFF files of a sequence begin; the first is at 0."""
    begins = [0]
    for signature in _SIGNATURES:
        at = data.find(signature, 4)
        while at >= 0:
            if any(
                100 <= struct.unpack_from(f"{order}I", data.ljust(at + 24, b"\0"), at + 20)[0] < 200 for order in "<>"
            ):
                begins.append(at)
            at = data.find(signature, at + 4)
    return sorted(begins)


@dataclass(frozen=True)
class _Record:
    offset: int
    length: int


def _records(fff: bytes) -> dict[int, _Record]:
    """Directory of a FFF file: its first record of each type.

    Raises:
        BackgroundError: no FFF file.
    """
    if fff[:4] not in _SIGNATURES or len(fff) < _HEADER:
        raise BackgroundError("the FLIR data do not begin as FFF data do: the file is damaged")
    # The version, 100 and more, tells the byte order of header and directory.
    order = ">" if 100 <= struct.unpack_from(">I", fff, 20)[0] < 200 else "<"
    offset, count = struct.unpack_from(f"{order}II", fff, 24)
    records: dict[int, _Record] = {}
    for number in range(min(count, _MAX_RECORDS)):
        at = offset + 32 * number
        if at + 32 > len(fff):
            raise BackgroundError(f"the directory of the FLIR data ends at record {number} of {count}: it is cut short")
        kind, _, _, _, begin, length = struct.unpack_from(f"{order}HHIIII", fff, at)
        if kind and kind not in records:
            records[kind] = _Record(begin, length)
    return records


def _content(fff: bytes, kind: int, what: str) -> bytes | None:
    """A record of that kind; None where there is none.

    Raises:
        BackgroundError: a part of it is missing.
    """
    record = _records(fff).get(kind)
    if record is None:
        return None
    content = fff[record.offset : record.offset + record.length]
    if len(content) < record.length or len(content) <= _PIXELS_AT:
        raise BackgroundError(f"{what}: {len(content)} bytes of {record.length} are there: the file is cut short")
    return content


# --- raw data ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Raw:
    """The record of raw data, not yet decoded."""

    width: int
    height: int
    pixels: bytes
    """A PNG file, or two bytes per pixel."""

    @property
    def is_png(self) -> bool:
        """Whether the pixels are PNG-coded."""
        return self.pixels[:4] == _PNG


def read_raw(fff: bytes) -> Raw:
    """Raw data of a FFF file.

    Raises:
        BackgroundError: there are none, or not all of them.
    """
    content = _content(fff, _RAW_DATA, "raw data")
    if content is None:
        raise BackgroundError(
            "FLIR data without raw data: only a preview is left, and no temperature can be read off it; get the file "
            "as the camera stored it"
        )
    order = "<" if content[:2] == b"\x02\0" else ">"  # the record's first number is 2
    width, height = struct.unpack_from(f"{order}HH", content, 2)
    pixels = content[_PIXELS_AT:]
    if pixels[:4] == _PNG:
        return Raw(width, height, pixels)
    if pixels[:2] == _JPEG and _JPEG_LS in pixels[:_MARKERS]:
        raise BackgroundError(
            "FLIR data coded in JPEG-LS (a CSQ video is such), which is not read: export the frames as radiometric "
            "JPEG, FFF or TIFF with FLIR's software, or record SEQ"
        )
    size = 2 * width * height
    if len(pixels) < size or not size:
        raise BackgroundError(f"raw data of {width}x{height} pixels: {len(pixels)} bytes are there, expected {size}")
    return Raw(width, height, pixels[:size])


def read_counts(raw: Raw, byte_order: ByteOrder = "auto") -> tuple[UInt16, str]:
    """Counts of the raw data, and the byte order they were read in.

    FLIR writes little-endian numbers, into PNG files too, where the standard says big-endian. Some cameras keep to the
    standard, and no field tells. A thermal picture is smooth: in the wrong order its low bytes, which change from
    pixel to pixel, would be the high ones. So the order with the smaller differences between neighbours is taken.

    Args:
        raw: record of raw data.
        byte_order: of the pixels; ``auto`` decides.

    Raises:
        BackgroundError: the pixels cannot be decoded, or are not as many as the record says.
    """
    if raw.is_png:
        stored = decode_grey_png(raw.pixels, "raw data")
        if stored.dtype != np.uint16:
            raise BackgroundError(f"raw data: a PNG of {8 * stored.dtype.itemsize} bits, expected 16")
    else:
        stored = np.frombuffer(raw.pixels, dtype=">u2").astype(np.uint16).reshape(raw.height, raw.width)
    if stored.shape != (raw.height, raw.width):
        raise BackgroundError(
            f"raw data: a PNG of {stored.shape[1]}x{stored.shape[0]} pixels, expected {raw.width}x{raw.height}"
        )
    if byte_order == "auto":
        byte_order = "little" if _roughness(stored.byteswap()) <= _roughness(stored) else "big"
    return (stored.byteswap() if byte_order == "little" else stored), byte_order


def _roughness(counts: UInt16) -> float:
    """Mean difference between neighbours in a row."""
    return float(np.abs(np.diff(counts.astype(np.int32), axis=1)).mean()) if counts.shape[1] > 1 else 0.0


# --- camera -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CameraInfo:
    """What a camera wrote of itself and of the scene, unchecked."""

    planck: Planck
    air: Air
    conditions: Conditions
    model: str
    part_number: str
    software: str
    lens: str
    fov_deg: float
    """Horizontal field of view of the stored image."""
    focus_distance_m: float
    range_K: tuple[float, float]
    """Temperatures between which the camera is calibrated."""
    time: datetime | None


def read_camera_info(fff: bytes) -> CameraInfo:
    """Camera record of a FFF file; what a short one lacks, or all where there is none, is zero: no constants.

    Raises:
        BackgroundError: a part of it is missing.
    """
    from flyr.thermal import parse_camera_info

    content = (_content(fff, _CAMERA_INFO, "camera record") or b"").ljust(_CAMERA_RECORD, b"\0")
    known: dict[str, Any] = parse_camera_info(BytesIO(content), (0, _CAMERA_INFO, 0, len(content)))
    high, low = struct.unpack_from("<2f", content, 0x90)
    fov, focus = struct.unpack_from("<f", content, 0x1B4)[0], struct.unpack_from("<f", content, 0x45C)[0]
    time = _time(*struct.unpack_from("<IIh", content, 0x384))
    return CameraInfo(
        planck=Planck(*(float(known[f"planck_{name}"]) for name in ("r1", "r2", "b", "o", "f"))),
        air=Air(*(float(known[f"atmospheric_trans_{name}"]) for name in ("alpha1", "alpha2", "beta1", "beta2", "x"))),
        conditions=Conditions(
            emissivity=known["emissivity"],
            reflected_K=known["reflected_apparent_temperature"],
            atmospheric_K=known["atmospheric_temperature"],
            humidity=_share(known["relative_humidity"]),
            distance_m=known["object_distance"],
            window_K=known["ir_window_temperature"],
            window_transmittance=known["ir_window_transmission"],
        ),
        model=_text(content, 0xD4, 32),
        part_number=_text(content, 0xF4, 16),
        software=_text(content, 0x114, 16),
        lens=_text(content, 0x170, 32),
        fov_deg=float(fov),
        focus_distance_m=float(focus),
        range_K=(float(low), float(high)),
        time=time,
    )


def _share(humidity: float) -> float:
    """Some cameras store per cent."""
    return humidity / 100.0 if humidity > 2.0 else humidity


def _text(content: bytes, at: int, length: int) -> str:
    raw = content[at : at + length].split(b"\0")[0].decode("latin-1")
    return "".join(letter for letter in raw if letter.isprintable()).strip()


def _time(seconds: int, milliseconds: int, west_min: int) -> datetime | None:
    """Local time with its zone; cameras store UTC seconds and minutes west of Greenwich."""
    if not seconds or not math.isfinite(seconds) or abs(west_min) > 16 * 60:
        return None
    moment = datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds & 0xFFFF)
    return moment.astimezone(timezone(timedelta(minutes=-west_min)))
