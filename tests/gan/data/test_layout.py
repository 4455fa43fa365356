"""The source tensor and its files."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from gan.data.layout import CHANNELS, NEAR_M, Sample, build_source, decode_sample, depth_to_inverse, encode_sample
from gan.errors import LayoutError


def make_sample(seed: int = 0, size: int = 16, **more: object) -> Sample:
    rng = np.random.default_rng(seed)
    fields: dict[str, object] = {
        "index": seed,
        "label_image": rng.integers(0, 256, (size, size, 3), dtype=np.uint8),
        "segmentation": rng.integers(0, 4, (size, size), dtype=np.uint8),
        "inverse_depth": rng.integers(0, 65536, (size, size), dtype=np.uint16),
        "target": rng.integers(0, 65536, (size, size), dtype=np.uint16),
    }
    return Sample(**{**fields, **more})  # type: ignore[arg-type]


def test_channels_mean_what_the_table_says() -> None:
    label = np.array([[[0, 255, 51]]], dtype=np.uint8)
    for heat, expected in ((0, (-1, -1, -1)), (1, (1, -1, -1)), (2, (-1, 1, -1)), (3, (-1, -1, 1))):
        source = build_source(label, np.array([[heat]], dtype=np.uint8), np.array([[8.0]], dtype=np.float32))
        assert source.shape == (len(CHANNELS), 1, 1)
        assert source.dtype == np.float32
        np.testing.assert_allclose(source[:3, 0, 0], (-1, 1, -0.6), atol=1e-6)
        assert tuple(source[3:6, 0, 0]) == expected
        # 2 m / 8 m = 0.25 of full scale
        assert source[6, 0, 0] == pytest.approx(-0.5, abs=2e-5)


def test_inverse_depth_ends() -> None:
    depth_m = np.array([[np.inf, 1e10, NEAR_M, 0.1]], dtype=np.float32)
    source = build_source(np.zeros((1, 4, 3), np.uint8), np.zeros((1, 4), np.uint8), depth_m)
    assert source[6, 0].tolist() == [-1.0, -1.0, 1.0, 1.0]


@settings(max_examples=50, deadline=None)
@given(st.floats(min_value=0.0625, max_value=2.0**20, width=32))
def test_inverse_depth_is_within_half_a_step(depth_m: float) -> None:
    exact = NEAR_M / max(depth_m, NEAR_M) * 65535
    assert abs(int(depth_to_inverse(np.array([[depth_m]]))[0, 0]) - exact) <= 0.51


def test_render_and_file_give_the_same_tensor() -> None:
    rng = np.random.default_rng(1)
    depth_m = rng.uniform(1, 200, (16, 16)).astype(np.float32)
    sample = make_sample(inverse_depth=depth_to_inverse(depth_m))
    direct = build_source(sample.label_image, sample.segmentation, depth_m)
    np.testing.assert_array_equal(decode_sample(encode_sample(sample)).source(), direct)
    assert direct.min() >= -1
    assert direct.max() <= 1


def test_sample_survives_its_file() -> None:
    sample = make_sample(5, span_K=(270.0, 310.5), group="street", instance_id=np.full((16, 16), 7, np.uint16))
    again = decode_sample(encode_sample(sample))
    for name in ("label_image", "segmentation", "inverse_depth", "target", "instance_id"):
        np.testing.assert_array_equal(getattr(again, name), getattr(sample, name))
    assert (again.index, again.span_K, again.group) == (5, (270.0, 310.5), "street")


def test_same_sample_same_bytes_as_the_library_reads_them() -> None:
    data = encode_sample(make_sample())
    assert data == encode_sample(make_sample())
    planes = safetensors.numpy.load(data)
    assert planes["label_image"].shape == (3, 16, 16)
    assert planes["inverse_depth"].dtype == np.uint16


@pytest.mark.parametrize("cut", [4, 60, 400, 1200])
def test_truncated_sample(cut: int) -> None:
    with pytest.raises(LayoutError, match=r"shard\.tar:7"):
        decode_sample(encode_sample(make_sample())[:cut], "shard.tar:7")


def test_foreign_layout() -> None:
    data = encode_sample(make_sample())
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length].replace(b'\\"version\\": 2', b'\\"version\\": 9')
    with pytest.raises(LayoutError, match="version 9, expected 'flat' or 'physics' version 2"):
        decode_sample(data[:8] + header + data[8 + length :])
    plain = safetensors.numpy.save({"a": np.zeros(3)})
    with pytest.raises(LayoutError, match="not a sample"):
        decode_sample(plain)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segmentation": np.full((16, 16), 4, np.uint8)}, "class 4"),
        ({"segmentation": np.zeros((16, 15), np.uint8)}, "label_image"),
        ({"inverse_depth": np.zeros((16, 16), np.float32)}, "inverse_depth is float32"),
        ({"target": np.zeros((16, 16), np.uint8)}, "target is uint8"),
    ],
)
def test_planes_that_do_not_fit(change: dict[str, object], message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        encode_sample(make_sample(**change))


def test_nan_depth() -> None:
    with pytest.raises(LayoutError, match="2 NaN pixels"):
        depth_to_inverse(np.array([[1.0, np.nan, np.nan]]))


def test_rising_span() -> None:
    data = encode_sample(make_sample(span_K=(300.0, 300.0)))
    assert json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["gis"])
    with pytest.raises(LayoutError, match="rising"):
        decode_sample(data)
