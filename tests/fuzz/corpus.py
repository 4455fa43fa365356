"""Whole inputs of each kind, small, made here."""

from __future__ import annotations

import functools
import io
import struct
import sys
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "pipelines"))
import flir_files


@functools.cache
def street(width: int = 64, height: int = 48, seed: int = 0) -> np.ndarray:
    """(H, W) uint8 picture with some content."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (height // 8, width // 8), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def pillow(image: np.ndarray, **options: object) -> bytes:
    """A file by Pillow."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, **options)
    return stream.getvalue()


def tiff(image: np.ndarray, **options: object) -> bytes:
    """A file by tifffile."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, image, **options)
    return stream.getvalue()


def npy(array: np.ndarray, **options: bool) -> bytes:
    """A file by numpy."""
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@functools.cache
def pictures() -> dict[str, tuple[str, bytes]]:
    """Suffix and content of pictures by kind."""
    grey = street()
    grey16 = grey.astype(np.uint16) * 200 + 3000
    colour = cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)
    kelvin = (grey16 * np.float32(0.001) + 280).astype(np.float32)
    made = {
        "png8": (".png", pillow(grey, format="PNG")),
        "png16": (".png", cv2.imencode(".png", grey16)[1].tobytes()),
        "png_colour": (".png", pillow(colour, format="PNG")),
        "png_palette": (".png", palette_png(grey)),
        "png_alpha": (".png", pillow(np.dstack([colour, grey]), format="PNG")),
        "png_colour16": (".png", cv2.imencode(".png", np.dstack([grey16] * 3))[1].tobytes()),
        "jpeg": (".jpg", pillow(grey, format="JPEG")),
        "jpeg_progressive": (".jpg", pillow(colour, format="JPEG", progressive=True)),
        "jpeg_turned": (".jpg", pillow(grey, format="JPEG", exif=exif(6))),
        "bmp": (".bmp", pillow(grey, format="BMP")),
        "bmp_colour": (".bmp", pillow(colour, format="BMP")),
        "webp": (".webp", pillow(colour, format="WEBP", lossless=True)),
        "webp_lossy": (".webp", pillow(colour, format="WEBP")),
        "tiff8": (".tiff", tiff(grey)),
        "tiff16": (".tif", tiff(grey16)),
        "tiff_float": (".tiff", tiff(kelvin)),
        "tiff_big_endian": (".tiff", tiff(grey16, byteorder=">")),
        "tiff_tiled": (".tiff", tiff(grey16, tile=(16, 16))),
        "tiff_big": (".tiff", tiff(grey16, bigtiff=True)),
        "tiff_pages": (".tiff", tiff(np.stack([grey] * 3), photometric="minisblack")),
        "tiff_colour": (".tiff", tiff(colour, photometric="rgb")),
        "npy": (".npy", npy(grey)),
        "npy_float": (".npy", npy(kelvin)),
        "npy_pickle": (".npy", npy(np.array([{"a": 1}], dtype=object), allow_pickle=True)),
        "flir": (".jpg", flir_files.flir_jpeg()),
        "flir_plain": (".jpg", flir_files.flir_jpeg(coding="big")),
        "fff": (".fff", flir_files.fff(flir_files.raw_record(flir_files.street_counts()), flir_files.camera_record())),
        "seq": (
            ".seq",
            2 * flir_files.fff(flir_files.raw_record(flir_files.street_counts()), flir_files.camera_record()),
        ),
    }
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "tiff_ccitt", "group4", "jpeg"):
        image = Image.fromarray(grey).convert("1") if name in ("tiff_ccitt", "group4") else Image.fromarray(grey)
        stream = io.BytesIO()
        image.save(stream, format="TIFF", compression=name)
        made[f"tiff_{name}"] = (".tiff", stream.getvalue())
    return made


def palette_png(grey: np.ndarray) -> bytes:
    """A PNG with a palette."""
    stream = io.BytesIO()
    image = Image.fromarray(grey).convert("P")
    image.save(stream, format="PNG")
    return stream.getvalue()


def exif(orientation: int) -> bytes:
    """EXIF data with an orientation, whatever its number."""
    return b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, orientation & 0xFFFF, 0, 0)
