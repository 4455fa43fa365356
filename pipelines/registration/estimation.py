"""The transform from a visible to an infrared camera, estimated from many frames at once.

The search for the best :func:`pipelines.registration.edges.edge_score` starts with correlations by FFT over a grid of
scales and rotations, and goes on with Powell's method (`scipy.optimize`) over a pyramid.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.registration.edges import covered_field, edge_score, edges, warp

__all__ = ["Alignment", "Model", "corner_error_px", "estimate", "shift_to_frame"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Model = Literal["similarity", "affine", "homography"]

_PARAMETERS: Final = {"similarity": 4, "affine": 6, "homography": 8}

_COARSE_PX: Final = 96  # long side for the grid
_LEVELS_PX: Final = (128, 256)  # long sides of the pyramid; a fifth of a pixel at 256 is half a one at 640
_SCALES: Final = tuple(1.6 ** (step / 6) for step in range(-6, 7))  # 0.63 to 1.6 of the fields fitted onto each other
_ANGLES_DEG: Final = (-10.0, -7.5, -5.0, -2.5, 0.0, 2.5, 5.0, 7.5, 10.0)
_FRAME_SHIFT_PX: Final = 8.0  # largest shift of a single frame, at the infrared picture's own size


@dataclass(frozen=True)
class Alignment:
    """A transform, and how good it is."""

    visible_to_infrared: Float64
    """(3, 3): a point of the visible picture to the infrared one, pixels with integer centres."""
    measure: float
    """Similarity of the edges, at most 1."""
    before: float
    """The same with the fields only fitted onto each other."""


def estimate(visible: Sequence[Float32], infrared: Sequence[Float32], model: Model = "affine") -> Alignment:
    """One transform for all frames.

    Args:
        visible: Pictures (H, W) float32, all of one size.
        infrared: Pictures (h, w) float32, all of one size, frame by frame the same scenes.
        model: Kind of transform.
    """
    shapes = visible[0].shape, infrared[0].shape
    start = _fit(*shapes)
    transform = _coarse(visible, infrared, start)
    for level, long_px in enumerate(_LEVELS_PX):
        # A similarity first: fewer parameters find the place, then all refine it.
        kinds: tuple[Model, ...] = ("similarity", model) if level == 0 else (model,)
        for kind in dict.fromkeys(kinds):
            transform = _refine(visible, infrared, transform, kind, long_px)
    targets = [edges(image) for image in infrared]
    return Alignment(transform, edge_score(visible, targets, transform), edge_score(visible, targets, start))


def _fit(visible: tuple[int, ...], infrared: tuple[int, ...]) -> Float64:
    """The visible field scaled so that it covers the infrared one, centre on centre."""
    scale = max(infrared[0] / visible[0], infrared[1] / visible[1])
    x, y = ((infrared[axis] - 1) / 2 - scale * (visible[axis] - 1) / 2 for axis in (1, 0))
    return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1]], dtype=np.float64)


def _zoom(shape: tuple[int, ...], long_px: int) -> Float64:
    """Points of a picture to points of its smaller copy."""
    scale = min(1.0, long_px / max(shape))
    move = (scale - 1) / 2  # integer centres: the corner, not the first centre, stays
    return np.array([[scale, 0, move], [0, scale, move], [0, 0, 1]])


def _smaller(image: Float32, long_px: int) -> Float32:
    scale = min(1.0, long_px / max(image.shape))
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _coarse(visible: Sequence[Float32], infrared: Sequence[Float32], start: Float64) -> Float64:
    """The best of a grid of scales and rotations, each with the shift that correlates best over all frames."""
    shape = _smaller(infrared[0], _COARSE_PX).shape
    zoom = _zoom(infrared[0].shape, _COARSE_PX)
    height, width = shape
    pad = (2 * height, 2 * width)  # no wrapping round
    spectra = [np.conj(np.fft.rfft2(edges(_smaller(image, _COARSE_PX)), pad)) for image in infrared]
    # Shrunk before it is warped, else a coarse grid samples single pixels.
    blurred = [cv2.GaussianBlur(image, (0, 0), 0.5 * max(1.0, 1 / zoom[0, 0])) for image in visible]
    best, best_transform = -np.inf, start
    for scale, angle in itertools.product(_SCALES, _ANGLES_DEG):
        turn = np.vstack([cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, scale), (0, 0, 1)])
        transform = turn @ zoom @ start
        mask = covered_field(transform, visible[0].shape, shape)
        maps = [edges(warp(image, transform, shape)) * mask for image in blurred]
        energy = np.sqrt(sum(float(np.vdot(edge, edge)) for edge in maps)) + 1e-9
        total = sum(np.fft.rfft2(edge, pad) * spectrum for edge, spectrum in zip(maps, spectra, strict=True))
        surface = np.fft.irfft2(np.sum(total, axis=0), pad) / energy
        row, column = np.unravel_index(int(surface.argmax()), pad)
        if surface[row, column] > best:
            best = float(surface[row, column])
            shift = np.eye(3)
            shift[0, 2] = -(column - pad[1] if column > width else column)
            shift[1, 2] = -(row - pad[0] if row > height else row)
            best_transform = np.linalg.inv(zoom) @ shift @ transform
    return np.asarray(best_transform)


def _refine(
    visible: Sequence[Float32], infrared: Sequence[Float32], transform: Float64, model: Model, long_px: int
) -> Float64:
    """The best transform near one, on pictures whose long side is at most `long_px`."""
    from scipy.optimize import minimize

    small = [_smaller(image, long_px) for image in visible]
    targets = [edges(_smaller(image, long_px)) for image in infrared]
    into, out_of = _zoom(infrared[0].shape, long_px), np.linalg.inv(_zoom(visible[0].shape, long_px))
    base = into @ transform @ out_of
    shape = targets[0].shape[1:]

    def loss(parameters: Float64) -> float:
        return -edge_score(small, targets, _change(parameters, model, shape) @ base)

    count = _PARAMETERS[model]
    steps = np.eye(count) * 1.0  # first step of each parameter: 1 px at the corners
    options = {"direc": steps, "xtol": 0.02, "ftol": 1e-5, "maxiter": 6}
    done = minimize(loss, np.zeros(count), method="Powell", options=options)
    best = _change(np.asarray(done.x), model, shape) @ base
    return np.asarray(np.linalg.inv(into) @ best @ np.linalg.inv(out_of))


def _change(parameters: Float64, model: Model, shape: tuple[int, ...]) -> Float64:
    """A small transform about the picture's centre; each parameter moves the far ends by about its value in pixels."""
    height, width = shape
    half = max(height, width) / 2
    centre = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]], dtype=np.float64)
    p = np.zeros(8)
    p[: len(parameters)] = parameters
    change = np.eye(3)
    change[0, 2], change[1, 2] = p[0], p[1]
    grow, turn = p[2] / half, p[3] / half
    # Similarity: growth and rotation; affine adds the two kinds of shear; a homography the two tilts.
    change[:2, :2] += np.array([[grow + p[4] / half, -turn + p[5] / half], [turn + p[5] / half, grow - p[4] / half]])
    change[2, :2] = p[6:8] / half**2
    assert model in _PARAMETERS
    return np.asarray(np.linalg.inv(centre) @ change @ centre)


def shift_to_frame(visible: Float32, infrared: Float32, transform: Float64) -> Float64:
    """The transform with the small shift that suits one frame best.

    Args:
        visible: Picture (H, W) float32.
        infrared: Picture (h, w) float32.
        transform: (3, 3), of all frames.
    """
    from scipy.optimize import minimize

    targets = [edges(infrared)]

    def moved(shift: Float64) -> Float64:
        matrix = np.eye(3)
        matrix[:2, 2] = shift
        return np.asarray(matrix @ transform)

    limit = (-_FRAME_SHIFT_PX, _FRAME_SHIFT_PX)
    done = minimize(
        lambda shift: -edge_score([visible], targets, moved(shift)),
        np.zeros(2),
        method="Powell",
        bounds=[limit, limit],
        options={"xtol": 0.05, "ftol": 1e-4},
    )
    return moved(np.asarray(done.x))


def corner_error_px(estimated: Float64, true: Float64, shape: tuple[int, ...]) -> float:
    """Root mean square distance of where two transforms take the corners of a picture (H, W)."""
    height, width = shape[:2]
    corners = np.array([[[0, 0]], [[width - 1, 0]], [[0, height - 1]], [[width - 1, height - 1]]], dtype=np.float64)
    apart = cv2.perspectiveTransform(corners, estimated) - cv2.perspectiveTransform(corners, true)
    return float(np.sqrt((apart**2).sum(axis=2).mean()))
