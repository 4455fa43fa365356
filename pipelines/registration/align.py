"""Brings the pictures of a visible and an infrared camera onto each other: `gis align`.

Two cameras that are bolted together see one scene through different lenses. One transform for all their frames is
estimated from many frames at once: what a single frame leaves open (a night sky, an empty road) others show.

============  ========================================================
pictures      pairs of pictures: found, checked, read
edges         how well the edges of two pictures agree, across spectra
estimation    the transform for all frames, and the shift of one
common_field  what to crop to
align         all of it, and the files
============  ========================================================

Coordinates are in pixels with integer centres, as in OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from gan.data.skipped import check_share, skipped_lines
from gan.errors import ItemError
from gan.options import Option, check_options, make_options

from pipelines.io.files import locked_folder, make_folder, write_bytes, write_json
from pipelines.io.images import encode_png
from pipelines.registration.common_field import common_field
from pipelines.registration.edges import warp
from pipelines.registration.estimation import Alignment, Model, estimate, shift_to_frame
from pipelines.registration.pictures import (
    check_size,
    checkerboard,
    evenly_spaced,
    find_pairs,
    read_grey,
    read_pair,
    usual_shapes,
)

__all__ = ["AlignConfig", "AlignResult", "align", "align_cameras"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Read = TypeVar("Read")
Shapes = tuple[tuple[int, ...], tuple[int, ...]]
"""(H, W) of the visible and of the infrared pictures."""

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


def align(config: AlignConfig, report: Callable[[str], None] = lambda line: None) -> AlignResult:
    """Estimates the transform, and writes the aligned pairs cropped to the common field, and transform.json.

    The visible pictures are resampled; the infrared ones keep their values, so they stay what the sensor measured. A
    pair of which a picture cannot be used is left out.

    Args:
        config: what to align, and how.
        report: takes lines for the user.

    Raises:
        DataError, DatasetError: half of the pictures or more cannot be used.
        OutputError: files that cannot be written.
    """
    with locked_folder(config.out):
        return _align(config, report)


def _align(config: AlignConfig, report: Callable[[str], None]) -> AlignResult:
    pairs = _Pairs(find_pairs(config.visible, config.infrared))
    chosen = evenly_spaced(list(pairs.paths), config.frames)
    read = pairs.each(chosen, lambda name: tuple(read_grey(path) for path in pairs.paths[name]))
    shapes = usual_shapes(list(read.values()))
    stack = pairs.each(list(read), lambda name: _of_size(pairs.paths[name], read[name], shapes))
    alignment = estimate([pair[0] for pair in stack.values()], [pair[1] for pair in stack.values()], config.model)
    transforms = {name: alignment.visible_to_infrared for name in pairs.usable}
    if config.per_frame:
        transforms = pairs.each(
            list(transforms), lambda name: _shifted(pairs.paths[name], alignment.visible_to_infrared, shapes)
        )
    field = common_field(list(transforms.values()), *shapes)
    _write_pairs(config.out, pairs, transforms, shapes, field)
    for line in skipped_lines(list(pairs.skipped.items()), len(pairs.paths), "pairs"):
        report(line)
    kept = {name: transforms[name] for name in pairs.usable}
    write_json(config.out / "transform.json", _describe(config, alignment, kept, shapes, field, len(stack)))
    return AlignResult(config.out, alignment, len(kept), field)


class _Pairs:
    """The pairs of a run, and those of them that were left out."""

    def __init__(self, paths: Mapping[str, tuple[Path, Path]]) -> None:
        self.paths = paths
        self.skipped: dict[str, str] = {}

    @property
    def usable(self) -> list[str]:
        """Names of those that were not left out."""
        return [name for name in self.paths if name not in self.skipped]

    def each(self, names: Sequence[str], read: Callable[[str], Read]) -> dict[str, Read]:
        """What can be read of these pairs, by name; a pair that cannot be used is left out from here on.

        Raises:
            ItemError: half of these or more.
        """
        results, failures = {}, []
        for name in names:
            try:
                results[name] = read(name)
            except ItemError as error:
                failures.append((name, str(error)))
        check_share(failures, len(names))
        self.skipped.update(failures)
        return results


def _of_size(paths: tuple[Path, Path], pair: tuple[Float32, ...], shapes: Shapes) -> tuple[Float32, ...]:
    for path, image, shape in zip(paths, pair, shapes, strict=True):
        check_size(path.name, image.shape, shape)
    return pair


def _shifted(paths: tuple[Path, Path], transform: Float64, shapes: Shapes) -> Float64:
    visible, infrared = _of_size(paths, tuple(read_grey(path) for path in paths), shapes)
    return shift_to_frame(visible, infrared, transform)


def _describe(
    config: AlignConfig,
    alignment: Alignment,
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
        "visible_to_infrared": alignment.visible_to_infrared.tolist(),
        "pixel_centres": "integer",
        "visible_size_px": [shapes[0][1], shapes[0][0]],
        "infrared_size_px": [shapes[1][1], shapes[1][0]],
        "crop_px": {"left": left, "top": top, "right": right, "bottom": bottom},
        "measure": alignment.measure,
        "measure_before": alignment.before,
        "frames": len(transforms),
        "frames_estimated_from": used,
    }
    if config.per_frame:
        about["per_frame"] = {name: matrix.tolist() for name, matrix in transforms.items()}
    return about


def _write_pairs(
    out: Path,
    pairs: _Pairs,
    transforms: Mapping[str, Float64],
    shapes: Shapes,
    field: tuple[int, int, int, int],
) -> None:
    make_folder(out)
    x0, y0, x1, y1 = field
    previewed = evenly_spaced(list(transforms), _PREVIEWED)
    previews = []

    def write(name: str) -> None:
        visible, infrared = read_pair(pairs.paths[name], shapes)
        warped = warp(visible, transforms[name], shapes[1])
        crops = [np.ascontiguousarray(image[y0:y1, x0:x1]) for image in (warped, infrared)]
        for kind, image in zip(("visible", "infrared"), crops, strict=True):
            write_bytes(out / kind / f"{name}.png", encode_png(image))
        if name in previewed:
            previews.append(checkerboard(*crops))

    pairs.each(list(transforms), write)
    if previews:  # of a few pairs, which may be those that were left out
        write_bytes(out / "preview.png", encode_png(np.concatenate(previews)))
