"""Brings the pictures of a visible and an infrared camera onto each other: `gis align`.

Two cameras that are bolted together see one scene through different lenses. One transform for all their frames is
estimated from many frames at once: what a single frame leaves open (a night sky, an empty road) others show.

The measure works across spectra: edges lie in the same places and run in the same directions, but may be bright on
dark in one picture and dark on bright in the other. So each pixel has its gradient's *doubled* angle, which is the
same for both signs, weighted by how strong the gradient is beside the picture's median; the measure is the normalised
correlation of these vectors over the common field of all frames, 1 for equal edges, about 0 for unrelated ones. The
search starts with correlations by FFT over a grid of scales and rotations, and goes on with Powell's method
(`scipy.optimize`) over a pyramid.

Coordinates are in pixels with integer centres, as in OpenCV.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
from gan.data.images import image_files, read_image
from gan.errors import DataError
from gan.options import Option, check_options, make_options

from pipelines.errors import DatasetError
from pipelines.io.files import make_folder, write_bytes, write_json
from pipelines.io.images import encode_png

__all__ = [
    "AlignConfig",
    "AlignResult",
    "Alignment",
    "align",
    "align_cameras",
    "corner_error_px",
    "estimate",
    "largest_rectangle",
    "similarity_of_edges",
]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Model = Literal["similarity", "affine", "homography"]

_PARAMETERS: Final = {"similarity": 4, "affine": 6, "homography": 8}

_COARSE_PX: Final = 96  # long side for the grid
_LEVELS_PX: Final = (128, 256)  # long sides of the pyramid; a fifth of a pixel at 256 is half a one at 640
_SCALES: Final = tuple(1.6 ** (step / 6) for step in range(-6, 7))  # 0.63 to 1.6 of the fields fitted onto each other
_ANGLES_DEG: Final = (-10.0, -7.5, -5.0, -2.5, 0.0, 2.5, 5.0, 7.5, 10.0)
_BLUR_PX: Final = 1.0  # of the gradients; noise of a small detector is finer
_LEAST_OVERLAP: Final = 0.3  # of the infrared picture; a sliver can correlate by chance
_FRAME_SHIFT_PX: Final = 8.0  # largest shift of a single frame, at the infrared picture's own size
_LEAST_SIDE_PX: Final = 32
_MASK_STEP_PX: Final = 2  # resolution of the common field
_TILES: Final = 8  # of the checkerboard along the longer side
_PREVIEWED: Final = 3
_TRANSFORM: Final = "Transform"


@dataclass(frozen=True)
class AlignConfig:
    """What to align, and how.

    Raises:
        ConfigError: an option that cannot work.
    """

    visible: Annotated[Path, Option("Folder of visible pictures, all of one size.", "Input")]
    infrared: Annotated[Path, Option("Folder of infrared pictures of the same names, all of one size.", "Input")]
    out: Annotated[Path, Option("Folder of the aligned pairs, transform.json and preview.png.", "Output")]
    model: Annotated[Model, Option("Kind of transform.", _TRANSFORM)] = "affine"
    per_frame: Annotated[
        bool,
        Option("Also shift each frame a little: for cameras that are triggered apart, or shake.", _TRANSFORM),
    ] = False
    frames: Annotated[
        int,
        Option("Frames that the transform is estimated from, evenly spaced over all.", _TRANSFORM, at_least=1),
    ] = 24

    def __post_init__(self) -> None:
        """Check each option."""
        check_options(self)


@dataclass(frozen=True)
class Alignment:
    """A transform, and how good it is."""

    visible_to_infrared: Float64
    """(3, 3): a point of the visible picture to the infrared one, pixels with integer centres."""
    measure: float
    """Similarity of the edges, at most 1."""
    before: float
    """The same with the fields only fitted onto each other."""


@dataclass(frozen=True)
class AlignResult:
    """What an alignment of two folders gave."""

    folder: Path
    """Of ``visible/``, ``infrared/``, ``transform.json`` and ``preview.png``."""
    alignment: Alignment
    """Of all frames together."""
    frames: int
    """Pairs written."""
    crop_px: tuple[int, int, int, int]
    """Left, top, right, bottom of the pairs in the infrared pictures; ends exclusive."""

    @property
    def preview(self) -> Path:
        """Picture of some pairs as checkerboards: where they are aligned, edges run on."""
        return self.folder / "preview.png"


def align_cameras(
    visible: str | PathLike[str], infrared: str | PathLike[str], out: str | PathLike[str], **options: Any
) -> AlignResult:
    """Brings a visible camera's pictures onto an infrared camera's, as `gis align` does.

    Args:
        visible: folder of visible pictures, all of one size.
        infrared: folder of infrared pictures of the same names, all of one size.
        out: folder of the cropped pairs, ``transform.json`` and ``preview.png``.
        options: the other fields of :class:`AlignConfig`: ``model`` (``similarity``, ``affine`` or ``homography``),
            ``per_frame`` (False), ``frames`` (24).

    Returns:
        the transform and how well edges agree, the folder and the common field.

    Raises:
        ConfigError: an option that cannot work.
        DataError, DatasetError: pictures that cannot be used.
        OutputError: files that cannot be written.
    """
    return align(make_options(AlignConfig, {**options, "visible": visible, "infrared": infrared, "out": out}))


def align(config: AlignConfig) -> AlignResult:
    """Estimates the transform, and writes the aligned pairs cropped to the common field, and transform.json.

    The visible pictures are resampled; the infrared ones keep their values, so they stay what the sensor measured.

    Raises:
        DataError, DatasetError: pictures that cannot be used.
        OutputError: files that cannot be written.
    """
    pairs = _find_pairs(config)
    names = list(pairs)
    chosen = _evenly(names, config.frames)
    stack = [tuple(_grey(path) for path in pairs[name]) for name in chosen]
    _check_sizes(chosen, stack)
    found = estimate([pair[0] for pair in stack], [pair[1] for pair in stack], config.model)
    transforms = {name: found.visible_to_infrared for name in names}
    if config.per_frame:
        transforms = {name: _shifted(pairs[name], found.visible_to_infrared) for name in names}
    shapes = stack[0][0].shape, stack[0][1].shape
    field = common_field(list(transforms.values()), *shapes)
    _write_pairs(config.out, pairs, transforms, shapes, field)
    write_json(config.out / "transform.json", _describe(config, found, transforms, shapes, field, len(chosen)))
    return AlignResult(config.out, found, len(pairs), field)


def _describe(
    config: AlignConfig,
    found: Alignment,
    transforms: Mapping[str, Float64],
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    field: tuple[int, int, int, int],
    used: int,
) -> dict[str, Any]:
    left, top, right, bottom = field
    about: dict[str, Any] = {
        "schema": "gis-transform",
        "version": 1,
        "model": config.model,
        "visible_to_infrared": found.visible_to_infrared.tolist(),
        "pixel_centres": "integer",
        "visible_size_px": [shapes[0][1], shapes[0][0]],
        "infrared_size_px": [shapes[1][1], shapes[1][0]],
        "crop_px": {"left": left, "top": top, "right": right, "bottom": bottom},
        "measure": found.measure,
        "measure_before": found.before,
        "frames": len(transforms),
        "frames_estimated_from": used,
    }
    if config.per_frame:
        about["per_frame"] = {name: matrix.tolist() for name, matrix in transforms.items()}
    return about


# --- pictures --------------------------------------------------------------------------------------------------------


def _find_pairs(config: AlignConfig) -> dict[str, tuple[Path, Path]]:
    visible, infrared = image_files(config.visible), image_files(config.infrared)
    for here, there, has, lacks in (
        (visible, infrared, config.visible, config.infrared),
        (infrared, visible, config.infrared, config.visible),
    ):
        alone = sorted(set(here) - set(there))
        if alone:
            raise DatasetError(
                f"{len(alone)} of {len(here)} images in {has} have no partner in {lacks}, first {alone[0]!r}: "
                "expected the same names in both"
            )
    return {name: (visible[name], infrared[name]) for name in sorted(visible)}


def _evenly(names: Sequence[str], count: int) -> list[str]:
    places = np.linspace(0, len(names) - 1, min(count, len(names))).round().astype(int)
    return [names[place] for place in places]


def _grey(path: Path) -> Float32:
    """A picture as float32 in [0, 1] over its own range, (H, W)."""
    image = read_image(path).astype(np.float32).mean(axis=0)
    low, high = float(image.min()), float(image.max())
    if not high > low:
        raise DatasetError(f"{path}: all pixels are equal; expected a picture with edges: leave out this pair")
    return np.asarray((image - low) / (high - low), dtype=np.float32)


def _check_sizes(names: Sequence[str], stack: Sequence[tuple[Float32, ...]]) -> None:
    for kind in (0, 1):
        for name, pair in zip(names, stack, strict=True):
            _check_size(name, pair[kind].shape, stack[0][kind].shape)


def _check_size(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if shape != wanted:
        raise DatasetError(
            f"{name} is {shape[1]}x{shape[0]} px, others {wanted[1]}x{wanted[0]}: expected one size per camera; "
            "align each camera pair by itself"
        )
    if min(shape) < _LEAST_SIDE_PX:
        raise DatasetError(f"{name} is {shape[1]}x{shape[0]} px: expected at least {_LEAST_SIDE_PX} px each way")


# --- measure ---------------------------------------------------------------------------------------------------------


def edges(image: Float32) -> Float32:
    """Doubled-angle gradient of a picture (H, W): (2, H, W), length 0 (flat) to 1 (far stronger than the median)."""
    smooth = cv2.GaussianBlur(image, (0, 0), _BLUR_PX)
    x, y = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    square = x * x + y * y
    strength = np.sqrt(square)
    # Weighted by m / (m + 2 median): a lamp's rim must not outweigh a whole street.
    weight = strength / (strength + 2 * float(np.median(strength)) + np.float32(1e-6)) / (square + np.float32(1e-12))
    return np.stack([(x * x - y * y) * weight, 2 * x * y * weight])


def similarity_of_edges(visible: Sequence[Float32], infrared: Sequence[Float32], transform: Float64) -> float:
    """Normalised correlation of the edges of all frames over their common field, -1 to 1.

    Args:
        visible: Pictures (H, W) float32.
        infrared: Pictures (h, w) float32.
        transform: (3, 3), a point of the visible picture to the infrared one.
    """
    return _score(visible, [edges(image) for image in infrared], transform)


def _score(visible: Sequence[Float32], wanted: Sequence[Float32], transform: Float64) -> float:
    height, width = wanted[0].shape[1:]
    mask = _field(transform, visible[0].shape, (height, width))
    share = float(mask.mean())
    if share < _LEAST_OVERLAP:
        return share - 1.0 - _LEAST_OVERLAP  # below every real score, and rising with the overlap
    both = warped = fixed = 0.0
    for image, target in zip(visible, wanted, strict=True):
        found = edges(_warp(image, transform, (height, width))) * mask
        both += float(np.vdot(found, target))
        warped += float(np.vdot(found, found))
        fixed += float(np.vdot(target * mask, target))
    return both / max(math.sqrt(warped * fixed), 1e-12)


def _warp(image: npt.NDArray[Any], transform: Float64, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    size = (shape[1], shape[0])
    warped = cv2.warpPerspective(image, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped)


def _field(transform: Float64, source: tuple[int, ...], shape: tuple[int, ...]) -> Float32:
    """1 where the visible picture covers the infrared one with room for a gradient, else 0."""
    mask = np.zeros(source[:2], dtype=np.float32)
    mask[2:-2, 2:-2] = 1
    size = (shape[1], shape[0])
    return np.asarray(cv2.warpPerspective(mask, transform, size, flags=cv2.INTER_NEAREST), dtype=np.float32)


# --- search ----------------------------------------------------------------------------------------------------------


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
    wanted = [edges(image) for image in infrared]
    return Alignment(transform, _score(visible, wanted, transform), _score(visible, wanted, start))


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
    best, found = -np.inf, start
    for scale, angle in itertools.product(_SCALES, _ANGLES_DEG):
        turn = np.vstack([cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, scale), (0, 0, 1)])
        transform = turn @ zoom @ start
        mask = _field(transform, visible[0].shape, shape)
        maps = [edges(_warp(image, transform, shape)) * mask for image in blurred]
        energy = np.sqrt(sum(float(np.vdot(one, one)) for one in maps)) + 1e-9
        total = sum(np.fft.rfft2(one, pad) * spectrum for one, spectrum in zip(maps, spectra, strict=True))
        surface = np.fft.irfft2(np.sum(total, axis=0), pad) / energy
        row, column = np.unravel_index(int(surface.argmax()), pad)
        if surface[row, column] > best:
            best = float(surface[row, column])
            shift = np.eye(3)
            shift[0, 2] = -(column - pad[1] if column > width else column)
            shift[1, 2] = -(row - pad[0] if row > height else row)
            found = np.linalg.inv(zoom) @ shift @ transform
    return np.asarray(found)


def _refine(
    visible: Sequence[Float32], infrared: Sequence[Float32], transform: Float64, model: Model, long_px: int
) -> Float64:
    """The best transform near one, on pictures whose long side is at most `long_px`."""
    from scipy.optimize import minimize

    small = [_smaller(image, long_px) for image in visible]
    wanted = [edges(_smaller(image, long_px)) for image in infrared]
    into, out_of = _zoom(infrared[0].shape, long_px), np.linalg.inv(_zoom(visible[0].shape, long_px))
    base = into @ transform @ out_of
    shape = wanted[0].shape[1:]

    def loss(parameters: Float64) -> float:
        return -_score(small, wanted, _change(parameters, model, shape) @ base)

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


def _shifted(paths: tuple[Path, Path], transform: Float64) -> Float64:
    """The transform with the small shift that suits one frame best."""
    from scipy.optimize import minimize

    image, target = (_grey(path) for path in paths)
    wanted = [edges(target)]

    def moved(shift: Float64) -> Float64:
        matrix = np.eye(3)
        matrix[:2, 2] = shift
        return np.asarray(matrix @ transform)

    limit = (-_FRAME_SHIFT_PX, _FRAME_SHIFT_PX)
    done = minimize(
        lambda shift: -_score([image], wanted, moved(shift)), np.zeros(2), method="Powell", bounds=[limit, limit],
        options={"xtol": 0.05, "ftol": 1e-4},
    )  # fmt: skip
    return moved(np.asarray(done.x))


def corner_error_px(found: Float64, true: Float64, shape: tuple[int, ...]) -> float:
    """Root mean square distance of where two transforms take the corners of a picture (H, W)."""
    height, width = shape[:2]
    corners = np.array([[[0, 0]], [[width - 1, 0]], [[0, height - 1]], [[width - 1, height - 1]]], dtype=np.float64)
    apart = cv2.perspectiveTransform(corners, found) - cv2.perspectiveTransform(corners, true)
    return float(np.sqrt((apart**2).sum(axis=2).mean()))


# --- output ----------------------------------------------------------------------------------------------------------


def common_field(
    transforms: Sequence[Float64], visible: tuple[int, ...], infrared: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """The largest rectangle of the infrared picture that the visible one covers in all frames: x0, y0, x1, y1.

    Raises:
        DatasetError: the fields hardly meet.
    """
    mask = np.ones(infrared[:2], dtype=np.bool_)
    for transform in transforms:
        whole = np.ones(visible[:2], dtype=np.float32)
        size = (infrared[1], infrared[0])
        mask &= cv2.warpPerspective(whole, transform, size, flags=cv2.INTER_LINEAR) > 0.999
    step = _MASK_STEP_PX
    rows, columns = mask.shape[0] // step, mask.shape[1] // step
    small = mask[: rows * step, : columns * step].reshape(rows, step, columns, step).all(axis=(1, 3))
    x0, y0, x1, y1 = (edge * step for edge in largest_rectangle(small))
    if min(x1 - x0, y1 - y0) < _LEAST_SIDE_PX:
        raise DatasetError(
            f"the common field is {x1 - x0}x{y1 - y0} px: expected at least {_LEAST_SIDE_PX} each way; "
            "the pictures do not show the same scenes, or the alignment failed: try --model similarity, more frames"
        )
    return x0, y0, x1, y1


def largest_rectangle(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """The largest rectangle of true pixels in (H, W): x0, y0, x1, y1, ends exclusive; zeros where none is true."""
    best, found = 0, (0, 0, 0, 0)
    heights = np.zeros(mask.shape[1] + 1, dtype=np.int64)  # the last stays 0 and closes every open column
    for row, line in enumerate(mask):
        heights[:-1] = np.where(line, heights[:-1] + 1, 0)
        open_columns: list[tuple[int, int]] = []  # left edge and height, rising
        for column, height in enumerate(heights.tolist()):
            left = column
            while open_columns and open_columns[-1][1] >= height:
                left, tall = open_columns.pop()
                if tall * (column - left) > best:
                    best, found = tall * (column - left), (left, row + 1 - tall, column, row + 1)
            open_columns.append((left, height))
    return found


def _write_pairs(
    out: Path,
    pairs: Mapping[str, tuple[Path, Path]],
    transforms: Mapping[str, Float64],
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    field: tuple[int, int, int, int],
) -> None:
    make_folder(out)
    x0, y0, x1, y1 = field
    shown = _evenly(list(pairs), _PREVIEWED)
    previews = []
    for name, visible, infrared in _read_pairs(pairs, shapes):
        warped = _warp(visible, transforms[name], shapes[1])
        crops = [np.ascontiguousarray(image[y0:y1, x0:x1]) for image in (warped, infrared)]
        for kind, image in zip(("visible", "infrared"), crops, strict=True):
            write_bytes(out / kind / f"{name}.png", encode_png(image))
        if name in shown:
            previews.append(checkerboard(*crops))
    write_bytes(out / "preview.png", encode_png(np.concatenate(previews)))


def _read_pairs(
    pairs: Mapping[str, tuple[Path, Path]], shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> Iterator[tuple[str, npt.NDArray[Any], npt.NDArray[Any]]]:
    """Name and both pictures, (H, W) or (H, W, 3) RGB, integers."""
    for name, paths in pairs.items():
        images = []
        for path, shape in zip(paths, shapes, strict=True):
            planes = read_image(path)
            if planes.dtype.kind == "f":
                raise DataError(f"{path}: float pixels; expected 8 or 16 bits")
            _check_size(path.name, planes.shape[1:], shape)
            images.append(planes[0] if planes.shape[0] == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0)))
        yield name, images[0], images[1]


def checkerboard(visible: npt.NDArray[Any], infrared: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Tiles of two pictures in turn, (H, W, 3) RGB: where they are aligned, edges run on from tile to tile."""
    left, right = (_colour(image) for image in (visible, infrared))
    height, width = left.shape[:2]
    tile = max(1, -(-max(height, width) // _TILES))
    rows, columns = np.arange(height)[:, None] // tile, np.arange(width)[None] // tile
    return np.where(((rows + columns) % 2 == 0)[..., None], left, right)


def _colour(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """A picture as 8-bit RGB, stretched over its 1st to 99th percentile: infrared is often dark."""
    low, high = np.percentile(image, (1, 99))
    image = np.clip((image - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)
    return np.asarray(image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2), dtype=np.uint8)
