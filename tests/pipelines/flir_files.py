"""FLIR files made by hand from counts and constants, after exiftool's documentation of the format."""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np

E60 = {
    "R1": 14985.93, "R2": 0.011283217, "B": 1398.1, "O": -6233, "F": 1.0,
    "emissivity": 0.95, "reflected_K": 293.15, "atmospheric_K": 293.15, "humidity": 0.5, "distance_m": 1.0,
    "window_K": 293.15, "window_transmittance": 1.0, "fov_deg": 25.0, "model": b"FLIR E60",
    "seconds": 1362608600, "west_min": 0, "alpha1": 0.006569,
}  # fmt: skip
"""A FLIR E60, as its files have it."""

PREVIEW = cv2.applyColorMap(np.add.outer(np.arange(60), np.arange(80)).astype(np.uint8), cv2.COLORMAP_INFERNO)


def street_counts(width: int = 80, height: int = 60) -> np.ndarray:
    """Smooth counts of an E60 between some -20 and 30 C."""
    rows, columns = np.mgrid[0:height, 0:width]
    return (15000 + 2500 * np.sin(columns / 9.0) + 30.0 * rows).astype(np.uint16)


def camera_record(**changes: Any) -> bytes:
    values = {**E60, **changes}
    record = bytearray(1200)
    record[:2] = b"\x02\0"
    order = ("emissivity", "distance_m", "reflected_K", "atmospheric_K", "window_K", "window_transmittance")
    struct.pack_into("<6f", record, 0x20, *(values[name] for name in order))
    struct.pack_into("<f", record, 0x3C, values["humidity"])
    struct.pack_into("<3f", record, 0x58, values["R1"], values["B"], values["F"])
    struct.pack_into("<5f", record, 0x70, values["alpha1"], 0.012620, -0.002276, -0.006670, 1.9)
    struct.pack_into("<2f", record, 0x90, 393.15, 253.15)
    record[0xD4 : 0xD4 + len(values["model"])] = values["model"]
    struct.pack_into("<f", record, 0x1B4, values["fov_deg"])
    struct.pack_into("<if", record, 0x308, int(values["O"]), values["R2"])
    struct.pack_into("<IIh", record, 0x384, values["seconds"], 250, values["west_min"])
    struct.pack_into("<f", record, 0x45C, 2.5)
    return bytes(record)


def raw_record(counts: np.ndarray, coding: str = "little", pixels: bytes | None = None) -> bytes:
    """``coding``: little or big for plain pixels, png-little or png-big for PNG-coded ones."""
    height, width = counts.shape
    if pixels is None:
        stored = counts.astype("<u2").tobytes() if coding == "little" else counts.astype(">u2").tobytes()
        if coding.startswith("png"):
            swapped = counts.byteswap() if coding == "png-little" else counts
            stored = cv2.imencode(".png", swapped)[1].tobytes()
        pixels = stored
    return struct.pack("<HHH", 2, width, height).ljust(32, b"\0") + pixels


def fff(raw: bytes | None, camera: bytes | None) -> bytes:
    """A FFF file of these records; two of a kind that nobody reads stand last."""
    records = [(1, raw), (32, camera), (34, b"palette".ljust(40, b"\0")), (33, b"spots".ljust(40, b"\0"))]
    records = [(kind, content) for kind, content in records if content is not None]
    offset = 64 + 32 * len(records)
    directory, body = b"", b""
    for kind, content in records:
        directory += struct.pack(">HHIIII", kind, 2, 100, 1, offset + len(body), len(content)).ljust(32, b"\0")
        body += content
    header = b"FFF\0" + b"test".ljust(16, b"\0") + struct.pack(">III", 100, 64, len(records))
    return header.ljust(64, b"\0") + directory + body


def jpeg(payload: bytes | None, preview: np.ndarray = PREVIEW, exif: bytes = b"", part: int = 4000) -> bytes:
    """A JPEG with a payload in FLIR's APP1 segments."""
    picture = cv2.imencode(".jpg", preview)[1].tobytes()
    segments = b"" if not exif else b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    parts = [] if payload is None else [payload[at : at + part] for at in range(0, len(payload), part)]
    for number, content in enumerate(parts):
        head = b"FLIR\0\x01" + bytes([number, len(parts) - 1])
        segments += b"\xff\xe1" + struct.pack(">H", len(head) + len(content) + 2) + head + content
    return picture[:2] + segments + picture[2:]


def exif_of(maker: bytes) -> bytes:
    """EXIF data that hold a camera's make."""
    text = maker + b"\0"
    directory = struct.pack("<HHHII", 1, 0x10F, 2, len(text), 26) + b"\0\0\0\0"
    return b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + directory + text


def flir_jpeg(counts: np.ndarray | None = None, coding: str = "png-little", **changes: Any) -> bytes:
    """A whole radiometric JPEG."""
    return jpeg(fff(raw_record(street_counts() if counts is None else counts, coding), camera_record(**changes)))
