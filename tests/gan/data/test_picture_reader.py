"""The one reader of pictures: what other libraries read in the same bytes, and one line for all that cannot be read."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from bad_pictures import HUGE, by_pillow, by_tifffile, npy
from PIL import Image, ImageOps

from gan.data.decoding import decode_image, decode_luminance
from gan.data.images import list_images, read_bytes, read_image
from gan.data.picture_formats import MAX_PIXELS, PictureError, turned
from gan.data.tiff_decoding import decode_tiff
from gan.errors import DataError

Y, X = np.mgrid[0:37, 0:50]
COUNTS = (29315 + 4 * X + Y + 50 * np.sin(X / 7)).astype(np.uint16)
GREY = ((X * 3 + Y * 2) % 256).astype(np.uint8)
RGB = np.stack([GREY, 255 - GREY, ((X * Y) % 256).astype(np.uint8)], axis=2)
RGB16 = RGB.astype(np.uint16) * 257 - 3
SIGNED = (COUNTS.astype(np.int32) - 30000).astype(np.int16)
FLOATS = COUNTS.astype(np.float32) / 100
COMPRESSIONS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "tiff_lzma", "zstd")


def by_opencv(pixels: np.ndarray, compression: int | None = None) -> bytes:
    options = [] if compression is None else [cv2.IMWRITE_TIFF_COMPRESSION, compression]
    return cv2.imencode(".tiff", pixels if pixels.ndim == 2 else pixels[..., ::-1], options)[1].tobytes()


def same(data: bytes, expected: np.ndarray) -> None:
    pixels = decode_image(data)
    assert (pixels.shape, pixels.dtype) == (expected.shape, expected.dtype)
    assert np.array_equal(pixels, expected)
    assert pixels.flags.writeable


# --- TIFF -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("pixels", [COUNTS, GREY, RGB], ids=["counts", "grey", "colour"])
def test_every_compression_of_pillow(pixels: np.ndarray, compression: str) -> None:
    same(by_pillow(pixels, compression=compression), pixels)


@pytest.mark.parametrize("compression", [None, 1, 5, 8, 32946, 32773])
@pytest.mark.parametrize("pixels", [COUNTS, RGB, RGB16, FLOATS, COUNTS / 100.0], ids=lambda a: f"{a.dtype} {a.ndim}")
def test_every_compression_of_opencv(pixels: np.ndarray, compression: int | None) -> None:
    """None is what ``cv2.imwrite`` does by itself: LZW with differences."""
    same(by_opencv(pixels, compression), pixels)


KINDS = {
    "counts": COUNTS, "signed": SIGNED, "grey": GREY, "float": FLOATS, "double": COUNTS / 100.0, "colour": RGB,
    "half": COUNTS.astype(np.float16), "wide": COUNTS.astype(np.uint32) * 60000, "colour of 16 bits": RGB16,
    "wide signed": SIGNED.astype(np.int32) * 60000, "bytes signed": (GREY.astype(int) - 128).astype(np.int8),
}  # fmt: skip
LAYOUTS: dict[str, dict[str, Any]] = {
    "plain": {}, "deflate": {"compression": "zlib"}, "tiles": {"tile": (16, 16)}, "big": {"bigtiff": True},
    "deflated tiles": {"tile": (16, 16), "compression": "zlib"}, "strips": {"rowsperstrip": 5, "compression": "zlib"},
    "deflated big": {"bigtiff": True, "compression": "zlib"},
}  # fmt: skip


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_number_in_every_layout(kind: str, layout: str, order: str) -> None:
    """Pillow 13 gets signed and float numbers of some of these wrong; so the oracle is what was written."""
    same(by_tifffile(KINDS[kind], byteorder=order, **LAYOUTS[layout]), KINDS[kind])


@pytest.mark.parametrize("predictor", [1, 2, 3])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_predictors(compression: str, predictor: int) -> None:
    data = by_pillow(FLOATS, compression=compression, tiffinfo={317: predictor})
    assert tifffile.TiffFile(io.BytesIO(data)).pages.first.predictor == predictor
    same(data, FLOATS)
    if predictor < 3:
        same(by_pillow(COUNTS, compression=compression, tiffinfo={317: predictor}), COUNTS)


def test_colours_are_those_of_the_other_libraries() -> None:
    for pixels in (GREY, RGB):
        data = by_pillow(pixels, compression="jpeg", quality=90)
        other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        expected = other if other.ndim == 2 else other[..., ::-1]
        found = decode_image(data)
        assert found.shape == expected.shape
        assert np.abs(found.astype(int) - expected).max() <= 2  # rounding of YCbCr
    palette, inks = Image.fromarray(RGB).quantize(40), Image.fromarray(RGB).convert("CMYK")
    for compression in ("raw", "tiff_lzw"):
        same(by_pillow(palette, compression=compression), np.asarray(palette.convert("RGB")))
        same(by_pillow(inks, compression=compression), np.asarray(inks.convert("RGB")))


@pytest.mark.parametrize("compression", ["raw", "group3", "group4", "tiff_ccitt", "packbits", "tiff_lzw"])
def test_black_and_white(compression: str) -> None:
    image = Image.fromarray((GREY > 100).astype(np.uint8) * 255).convert("1")
    same(by_pillow(image, compression=compression), np.asarray(image.convert("L")))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_planes_opacity_and_white_that_is_zero(compression: str | None) -> None:
    apart = {"planarconfig": "separate", "compression": compression}
    same(by_tifffile(np.moveaxis(RGB, 2, 0).copy(), **apart), RGB)
    same(by_tifffile(np.moveaxis(RGB16, 2, 0).copy(), **apart), RGB16)
    with_opacity = np.dstack([RGB, GREY])
    same(by_tifffile(with_opacity, extrasamples=["unassalpha"], compression=compression), with_opacity)
    data = by_tifffile(GREY, photometric="miniswhite", compression=compression)
    same(data, np.asarray(Image.open(io.BytesIO(data))))
    same(by_tifffile(COUNTS, photometric="miniswhite", compression=compression), COUNTS)


def test_pages_and_description() -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.stack([COUNTS, COUNTS + 1]), photometric="minisblack", description="made by hand")
    found = decode_tiff(stream.getvalue())
    assert (found.pages, found.description) == (2, "made by hand")
    assert np.array_equal(found.pixels, COUNTS)


# --- orientation ------------------------------------------------------------------------------------------------------


def transposed(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """What Pillow makes of it, by the places of the pixels."""
    places = Image.fromarray(np.arange(pixels.shape[0] * pixels.shape[1], dtype=np.int32).reshape(pixels.shape[:2]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    places.info["exif"] = exif.tobytes()
    return pixels.reshape(-1, *pixels.shape[2:])[np.asarray(ImageOps.exif_transpose(places))]


def _with_exif(kind: str, **options: Any) -> Callable[[int], bytes]:
    def write(orientation: int) -> bytes:
        exif = Image.Exif()
        exif[0x0112] = orientation
        return by_pillow(RGB, kind, exif=exif, **options)

    return write


def _tagged(orientation: int, pixels: np.ndarray = COUNTS, **options: Any) -> bytes:
    return by_tifffile(pixels, extratags=[(274, 3, 1, orientation, True)], **options)


STORED: dict[str, tuple[Callable[[int], bytes], np.ndarray]] = {
    "png": (_with_exif("PNG"), RGB),
    "webp": (_with_exif("WEBP", lossless=True), RGB),
    "jpeg": (_with_exif("JPEG", quality=95, subsampling=0), RGB),
    "tiff": (lambda number: by_pillow(GREY, tiffinfo={274: number}), GREY),
    "tiff lzw": (lambda number: by_pillow(COUNTS, compression="tiff_lzw", tiffinfo={274: number}), COUNTS),
    "tiff lzw colour": (lambda number: by_pillow(RGB, compression="tiff_lzw", tiffinfo={274: number}), RGB),
    "tiff lzw float": (lambda number: by_pillow(FLOATS, compression="tiff_lzw", tiffinfo={274: number}), FLOATS),
    "tiff colour of 16 bits": (lambda number: _tagged(number, RGB16, compression="zlib"), RGB16),
    "tiff half": (lambda number: _tagged(number, KINDS["half"], compression="zlib"), KINDS["half"]),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", STORED)
def test_every_orientation_is_applied_as_pillow_does(kind: str, orientation: int) -> None:
    write, pixels = STORED[kind]
    expected = transposed(pixels, orientation)
    assert np.array_equal(turned(pixels, orientation), expected)
    if kind == "jpeg":
        expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(write(orientation)))))
    same(write(orientation), expected)
    assert decode_luminance(write(orientation)).shape == expected.shape[:2]


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_nonsense_of_an_orientation_turns_nothing(orientation: int) -> None:
    assert decode_image(_with_exif("JPEG")(orientation)).shape == RGB.shape
    same(by_pillow(GREY, tiffinfo={274: orientation}), GREY)


def test_brightness_is_that_of_opencv() -> None:
    for data in (by_pillow(RGB, "JPEG"), by_pillow(RGB, "PNG"), by_pillow(RGB, "BMP"), by_pillow(GREY, "PNG"),
                 by_pillow(Image.fromarray(RGB).quantize(30), "PNG")):  # fmt: skip
        expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
        assert np.array_equal(decode_luminance(data), expected)


# --- damage -----------------------------------------------------------------------------------------------------------


def _bad_tag(name: str, value: int) -> bytes:
    data = bytearray(by_tifffile(GREY))
    tag = tifffile.TiffFile(io.BytesIO(bytes(data))).pages.first.tags[name]
    data[tag.valueoffset : tag.valueoffset + 2] = struct.pack("<H", value)
    return bytes(data)


DAMAGED = {
    "empty": b"",
    "text": b"not a picture at all",
    "zeros": bytes(500),
    "notes of macOS": b"\x00\x05\x16\x07" + bytes(60),
    "png, ten bytes": by_pillow(GREY, "PNG")[:10],
    "png, half": by_pillow(RGB, "PNG")[:-200],
    "png, no pixels": by_pillow(RGB, "PNG")[:33],
    "png, palette without palette": by_pillow(Image.fromarray(RGB).quantize(9), "PNG").replace(b"PLTE", b"PLTX"),
    "jpeg, half": by_pillow(RGB, "JPEG")[:900],
    "jpeg, header": by_pillow(RGB, "JPEG")[:100],
    "bmp, header": by_pillow(GREY, "BMP")[:40],
    "webp, half": by_pillow(RGB, "WEBP")[:200],
    "tiff, header": by_tifffile(GREY)[:8],
    "tiff, half": by_tifffile(GREY)[:900],
    "tiff, deflate damaged": (lambda d: d[:400] + bytes([d[400] ^ 255]) + d[401:])(
        by_tifffile(RGB, compression="zlib")
    ),
    "tiff, deflate half": by_tifffile(RGB, compression="zlib")[:900],
    "tiff, lzw half": by_pillow(COUNTS, compression="tiff_lzw")[:900],
    "tiff, no rows": _bad_tag("RowsPerStrip", 0),
    "tiff, no height": _bad_tag("ImageLength", 0),
    "tiff, no width": _bad_tag("ImageWidth", 0),
    "tiff, 60000 channels": _bad_tag("SamplesPerPixel", 60000),
    "tiff, 77 bits": _bad_tag("BitsPerSample", 77),
    "tiff, unknown compression": _bad_tag("Compression", 12345),
    "tiff, jpeg that is none": _bad_tag("Compression", 7),
    "npy, cut": npy("{'descr': '<u2', 'fortran_order': False, 'shape': (64, 64), }", bytes(100)),
    "npy, no literal": npy("{'descr': '<u2', 'fortran_order': ))(("),
    "npy, nested": npy("(" * 110),
    "npy, pickled": npy("{'descr': '|O', 'fortran_order': False, 'shape': (4, 4), }", bytes(200)),
    "npy, text": npy("{'descr': '<U9', 'fortran_order': False, 'shape': (4, 4), }", bytes(2000)),
    "npy, empty": npy("{'descr': '<u2', 'fortran_order': False, 'shape': (0, 5), }"),
    "npy, negative": npy("{'descr': '<u2', 'fortran_order': False, 'shape': (-4, 5), }"),
    "npy, one line": npy("{'descr': '<u2', 'fortran_order': False, 'shape': (4,), }", bytes(99)),
    "npy, version 9": b"\x93NUMPY\x09\x00" + bytes(200),
    "npy, header alone": b"\x93NUMPY",
    "gif": by_pillow(GREY, "GIF"),
}


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("decode", [decode_image, decode_luminance])
def test_damage_is_one_line(kind: str, decode: Callable[[bytes], Any], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PictureError) as caught:
        decode(DAMAGED[kind])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    printed = "".join(capfd.readouterr()).replace("LZWDecode", "")  # libtiff has the process's own stderr
    assert "WARN" not in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("suffix", HUGE)
def test_what_claims_a_gigapixel_is_refused_unread(suffix: str) -> None:
    data = HUGE[suffix]()
    for decode in (decode_image, decode_luminance):
        with pytest.raises(PictureError, match=r"is \d+x\d+ = \d+ megapixels: expected at most 67"):
            decode(data)
    assert MAX_PIXELS == 8192 * 8192


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak of memory is told by Linux alone")
def test_memory_for_gigapixels_stays_small(tmp_path: Path) -> None:
    """In a process of its own, by the system's own measure: all seven kinds within 400 MB, imports included."""
    for suffix, make in HUGE.items():
        (tmp_path / f"a.{suffix}").write_bytes(make())
    code = (
        "import re, sys; from pathlib import Path; from gan.data.images import read_image\n"
        "from gan.errors import DataError\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    try: read_image(path); print('read', path)\n"
        "    except DataError: pass\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())\n"
        "print(int(peak[1]) >> 10)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 400, done.stdout


@pytest.mark.parametrize("mode", ["1", "LA"])
def test_a_chunk_of_four_gigabytes_is_refused(mode: str) -> None:
    """OpenCV, which decodes what Pillow would change, makes room for it."""
    data = by_pillow(Image.fromarray(GREY).convert(mode), "PNG")
    at = data.index(b"IDAT") - 4
    for decode in (decode_image, decode_luminance):
        with pytest.raises(PictureError, match="cannot be decoded"):
            decode(data[:at] + b"\xee" + data[at + 1 :])


def test_a_strip_that_is_missing_is_not_black() -> None:
    """tifffile would give zeros for it."""
    data = bytearray(by_tifffile(COUNTS, rowsperstrip=5))
    tag = tifffile.TiffFile(io.BytesIO(bytes(data))).pages.first.tags["StripByteCounts"]
    data[tag.valueoffset : tag.valueoffset + 4] = bytes(4)
    with pytest.raises(PictureError, match=r"7 of 8 strips|6 of 8 strips"):
        decode_image(bytes(data))


def test_a_deflate_bomb_is_refused_before_it_is_unpacked() -> None:
    whole = by_tifffile(np.zeros((64, 64), np.uint8), compression="zlib")
    bomb = zlib.compress(bytes(1 << 26), 9)
    file = tifffile.TiffFile(io.BytesIO(whole))
    data = bytearray(whole) + bomb
    for name, value in (("StripOffsets", len(whole)), ("StripByteCounts", len(bomb))):
        tag = file.pages.first.tags[name]
        data[tag.offset + 2 : tag.offset + 12] = struct.pack("<HII", 4, 1, value)
    with pytest.raises(PictureError, match="unpacks to another size"):
        decode_image(bytes(data))


# --- files ------------------------------------------------------------------------------------------------------------


def test_what_lies_in_folders_beside_pictures_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(by_pillow(GREY, "PNG"))
    for name in ("._a.png", ".hidden.png", "__MACOSX/b.png", ".Trashes/c.png", "@eaDir/d.png", "sub/.e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "dead.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    assert list_images(tmp_path, recursive=True) == list_images(tmp_path) == [tmp_path / "a.png"]


def test_pipes_folders_and_files_that_are_gone_are_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path, said in (
        (tmp_path / "pipe.png", "pipe"),
        (tmp_path, "cannot be opened|no file"),
        (tmp_path / "x", "No such"),
    ):
        with pytest.raises(PictureError, match=said):
            read_bytes(path)
        with pytest.raises(DataError, match=said):
            read_image(path)


def test_opacity_is_dropped_where_all_is_opaque(tmp_path: Path) -> None:
    opaque = np.dstack([RGB, np.full_like(GREY, 255)])
    (tmp_path / "a.png").write_bytes(by_pillow(opaque, "PNG"))
    assert np.array_equal(read_image(tmp_path / "a.png"), np.moveaxis(RGB, 2, 0))
    opaque[3, 4, 3] = 254
    (tmp_path / "b.png").write_bytes(by_pillow(opaque, "PNG"))
    with pytest.raises(DataError, match=r"b\.png: is in part transparent"):
        read_image(tmp_path / "b.png")


def test_arrays_of_any_order(tmp_path: Path) -> None:
    for number, array in enumerate((COUNTS, np.asfortranarray(COUNTS), COUNTS.astype(">u2"), RGB, FLOATS)):
        np.save(tmp_path / f"{number}.npy", array)
        expected = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
        assert np.array_equal(read_image(tmp_path / f"{number}.npy"), expected)
