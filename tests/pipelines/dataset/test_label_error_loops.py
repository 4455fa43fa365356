"""The compiled loops of the label error against OpenCV's filters and plain numpy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipelines.dataset.label_consistency.loops import (
    REACH_PX,
    STEP_PX,
    fill_gradients,
    grow_mask,
    look_at_mask,
    look_at_object,
    mark_outline,
    mark_rim,
)

BLUR = cv2.getGaussianKernel(5, 0.8).ravel().astype(np.float32)
DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
WIDTHS = (DISC.sum(axis=1) // 2).astype(np.int32)
SOFT = cv2.getGaussianKernel(9, 1.5).ravel()
FILTERS = tuple(np.convolve(SOFT, side)[::-1].astype(np.float32) for side in ((1, 2, 1), (1, 0, -1)))


def noise(height: int, width: int) -> np.ndarray:
    rough = np.random.default_rng(height).random((height, width), dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(rough, (0, 0), 1.0))


def blob(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(H, W) uint8 of 0 and 1, ragged."""
    rough = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(height, width)), (0, 0), 3.0)
    return (rough > 0).astype(np.uint8)


@pytest.mark.parametrize("part", [(1, 1, 89, 119), (20, 30, 50, 71), (1, 60, 12, 119), (70, 1, 89, 20)])
def test_gradients_are_those_of_opencv(part: tuple[int, int, int, int]) -> None:
    level, pad = noise(50, 80), 20
    padded = cv2.copyMakeBorder(level, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(padded, (5, 5), 0.8)
    expected = [soft, *(cv2.Sobel(soft, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))]
    expected.append(np.hypot(*expected[1:]))
    planes = [np.full(padded.shape, np.nan, np.float32) for _ in range(4)]
    fill_gradients(level, pad, part, BLUR, *planes)
    inside = (slice(part[0], part[2]), slice(part[1], part[3]))
    for found, wanted in zip(planes, expected, strict=True):
        np.testing.assert_allclose(found[inside], wanted[inside], atol=1e-6)
    outside = np.ones(padded.shape, bool)
    outside[inside] = False
    assert np.isnan(planes[3][outside]).all()


@pytest.mark.parametrize("seed", range(4))
def test_outline_and_rim_are_those_of_opencv(seed: int) -> None:
    mask = blob(60, 73, seed)
    edge, label = np.empty_like(mask), np.empty_like(mask)
    mark_outline(mask, edge)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    assert np.array_equal(edge[1:-1, 1:-1], (mask - inner)[1:-1, 1:-1])
    mark_rim(mask, WIDTHS, 254, 255, label)
    assert np.array_equal(label == 254, cv2.dilate(mask, DISC) > mask)
    assert set(np.unique(label)) == {254, 255}


def test_a_mask_goes_on_beyond_the_border_it_meets() -> None:
    ids = np.zeros((30, 40), np.uint16)
    ids[:12, 25:] = 3
    ids[5:9, 30:34] = 0
    grown = np.empty((28, 31), np.uint8)
    assert grow_mask(ids, 3, (0, 25, 12, 40), 8, grown) == 12 * 15 - 16
    expected = np.pad((ids[:12, 25:] == 3).astype(np.uint8), ((8, 0), (0, 8)), mode="edge")
    assert np.array_equal(grown, np.pad(expected, ((0, 8), (8, 0))))


def test_points_normals_and_labels_of_a_mask() -> None:
    ids, zone = (blob(90, 110, 5).astype(np.uint16) * 7), np.full((90, 110), 4, np.uint8)
    zone[:, 50:] = 9
    ids[:20], ids[70:], ids[:, :20], ids[:, 90:] = 0, 0, 0, 0
    rows, columns = (np.flatnonzero(ids.any(axis=axis)) for axis in (1, 0))
    box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    pixels, outline, normal, points, label = look_at_mask(
        ids, zone, 7, box, 8, FILTERS, WIDTHS, (160, 10**6), (254, 255)
    )
    mask = (ids == 7).astype(np.uint8)
    assert pixels == mask.sum()
    soft = cv2.GaussianBlur(mask.astype(np.float32), (9, 9), 1.5)
    gradient = np.stack([cv2.Sobel(soft, cv2.CV_32F, 0, 1), cv2.Sobel(soft, cv2.CV_32F, 1, 0)], axis=2)
    length = np.linalg.norm(gradient, axis=2)
    at = (outline[:, 0], outline[:, 1])
    sure = length[at] > 1e-3  # elsewhere rounding turns it
    np.testing.assert_allclose(normal[sure], gradient[at][sure] / length[at][sure, None], atol=1e-4)
    rim = cv2.dilate(mask, DISC) > mask
    expected = np.where(mask > 0, zone, np.where(rim, 254, 255))
    assert np.array_equal(points, np.argwhere(expected != 255))
    assert np.array_equal(label, expected[expected != 255])


def test_an_object_in_the_picture_as_numpy_sees_it() -> None:
    pad, rng = 27, np.random.default_rng(8)
    soft = noise(120, 130)
    across, down = (np.asarray(np.gradient(soft, axis=axis), np.float32) for axis in (1, 0))
    outline = rng.integers(10, 60, (50, 2)).astype(np.int32)
    angle = rng.uniform(0, 2 * np.pi, 50)
    normal = np.stack([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)
    points, label = rng.integers(0, 60, (300, 2)).astype(np.int32), rng.integers(0, 6, 300).astype(np.uint8)
    shifts = rng.integers(-16, 17, (5, 2)).astype(np.int32)
    level, size = np.float32(0.02), 2 * REACH_PX // STEP_PX + 1
    strength, explained = np.empty((size, size), np.float32), np.empty(5)
    share = look_at_object(
        soft, across, down, (outline, normal), (points, label), level, 2, shifts, 1e-6, strength, explained, pad
    )

    def edge(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.abs(across[y, x] * normal[:, 1] + down[y, x] * normal[:, 0])

    (y, x), (step_y, step_x) = outline.T + pad, np.rint(normal).astype(int).T
    for i in range(size):
        for j in range(size):
            v, u = y + i * STEP_PX - REACH_PX, x + j * STEP_PX - REACH_PX
            best = np.max([edge(v + k * step_y, u + k * step_x) for k in (-1, 0, 1)], axis=0)
            assert strength[i, j] == pytest.approx((best / (best + level)).mean(), abs=1e-5)
    near = [
        edge(y + np.rint(t * normal[:, 0]).astype(int), x + np.rint(t * normal[:, 1]).astype(int)) for t in range(-2, 3)
    ]
    assert share == (np.max(near, axis=0) > level).mean()
    for s, (off_y, off_x) in enumerate(shifts):
        values = soft[points[:, 0] + pad + off_y, points[:, 1] + pad + off_x].astype(np.float64)
        inner = sum(((values[label == k] - values[label == k].mean()) ** 2).sum() for k in np.unique(label))
        whole = ((values - values.mean()) ** 2).sum()
        assert explained[s] == pytest.approx((whole - inner) / (whole + 1e-6 * len(values)), abs=1e-6)
