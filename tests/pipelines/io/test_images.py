from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from pipelines.errors import DatasetError
from pipelines.io import exr, images
from pipelines.io.files import file_sha256

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: hnp.arrays(kind, SHAPES)))
def test_grey_png_as_another_decoder_reads_it(pixels: np.ndarray) -> None:
    data = images.encode_png(pixels)
    with Image.open(BytesIO(data)) as other:
        assert np.array_equal(np.asarray(other).astype(pixels.dtype), pixels)
    back = images.decode_png(data)
    assert back.dtype == pixels.dtype
    assert np.array_equal(back, pixels)


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.uint8, SHAPES))
def test_palette_png_as_another_decoder_reads_it(indices: np.ndarray) -> None:
    palette = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)
    data = images.encode_palette_png(indices, palette)
    with Image.open(BytesIO(data)) as other:
        assert other.mode == "P"
        assert np.array_equal(np.asarray(other), indices)
        assert np.array_equal(np.asarray(other.convert("RGB")), palette[indices])
    assert np.array_equal(images.decode_png(data), indices)


def test_colour_png_is_rgb() -> None:
    pixels = np.zeros((2, 3, 3), dtype=np.uint8)
    pixels[0, 0] = (250, 1, 2)
    with Image.open(BytesIO(images.encode_png(pixels))) as other:
        assert other.getpixel((0, 0)) == (250, 1, 2)
    assert np.array_equal(images.decode_png(images.encode_png(pixels)), pixels)


def test_damaged_png_is_an_error() -> None:
    data = images.encode_png(np.arange(4000, dtype=np.uint16).reshape(50, 80))
    for broken in (b"", b"text", data[:20], data[:60]):
        with pytest.raises(DatasetError, match="mask 3"):
            images.decode_png(broken, "mask 3")
    palette = images.encode_palette_png(np.zeros((50, 50), np.uint8), np.zeros((256, 3), np.uint8))
    with pytest.raises(DatasetError, match="zone 3"):
        images.decode_png(palette[:820], "zone 3")


@pytest.mark.parametrize("shape", [(1, 1), (15, 3), (16, 16), (33, 21), (7, 300), (160, 1)])
def test_exr_as_the_library_reads_it(tmp_path: Path, shape: tuple[int, int]) -> None:
    depth = np.random.default_rng(0).uniform(1, 100, shape).astype(np.float32)
    depth[: shape[0] // 3] = np.inf
    ids = np.arange(depth.size).reshape(shape) // 9
    exr.write_exr(tmp_path / "a.exr", {"instance": ids, "Z": depth})
    exr.write_exr(tmp_path / "b.exr", {"Z": depth, "instance": ids})
    back = exr.read_exr(tmp_path / "a.exr")
    assert set(back) == {"Z", "instance"}
    assert np.array_equal(back["Z"], depth)
    assert np.array_equal(back["instance"], ids)
    assert file_sha256(tmp_path / "a.exr") == file_sha256(tmp_path / "b.exr")


@pytest.mark.parametrize("keep", [0, 3, 100, 700])
def test_damaged_exr_is_an_error(tmp_path: Path, keep: int) -> None:
    exr.write_exr(tmp_path / "a.exr", {"Z": np.random.default_rng(0).uniform(1, 9, (40, 40))})
    (tmp_path / "b.exr").write_bytes((tmp_path / "a.exr").read_bytes()[:keep])
    with pytest.raises(DatasetError, match=r"b\.exr"):
        exr.read_exr(tmp_path / "b.exr")
