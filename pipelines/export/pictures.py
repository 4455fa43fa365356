"""Images of an export: linked, copied, or painted over where something is ignored."""

from __future__ import annotations

import os
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import DatasetError, OutputError
from pipelines.export.job import ExportFrame, ExportObject, Job, Picture
from pipelines.io.files import sha256
from pipelines.io.images import decode_png, encode_jpeg, encode_png

__all__ = ["paint_over", "write_image"]

_JPEG_QUALITY: Final = 95
_RING_PX: Final = 3
"""Width of the ring around a region whose mean it is painted with."""


def write_image(job: Job, frame: ExportFrame, name: str, picture: Picture) -> None:
    """Puts the image of a frame where the format wants it, unless it is there already.

    Args:
        job: the export.
        frame: whose image it is.
        name: below the folder of the export.
        picture: what the format takes.

    Raises:
        DatasetError: the image is gone, or not the one of which the record speaks.
        OutputError: it cannot be written.
    """
    target = job.out / name
    if target.exists():
        return
    changed = bool(frame.painted) or picture != "png"
    if job.config.link and not changed:
        _link(frame, job, name)
        return
    data = _read(frame)
    job.write_bytes(name, _encode(paint_over(_pixels(data, frame), frame), picture) if changed else data)


def _pixels(data: bytes, frame: ExportFrame) -> NDArray[np.uint8]:
    image = decode_png(data, str(frame.image))
    if image.shape[::-1] != frame.size_px or image.dtype != np.uint8:
        raise DatasetError(
            f"{frame.image}: {image.dtype} of shape {image.shape}: expected grey of {frame.size_px} pixels"
        )
    return image


def _encode(image: NDArray[np.uint8], picture: Picture) -> bytes:
    if picture == "jpeg":
        return encode_jpeg(image, _JPEG_QUALITY)
    return encode_png(np.repeat(image[..., None], 3, axis=2) if picture == "rgb" else image)


def _read(frame: ExportFrame) -> bytes:
    data = frame.read(f"images/{frame.name}.png")
    if sha256(data) != frame.record.files.get(f"images/{frame.name}.png"):
        raise DatasetError(f"{frame.image}: is not the image that frames.jsonl speaks of; gis validate says more")
    return data


def _link(frame: ExportFrame, job: Job, name: str) -> None:
    target = job.out / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(frame.image, target)
    except FileNotFoundError:
        raise DatasetError(f"{frame.image}: is missing: make the frame again") from None
    except OSError as error:
        raise OutputError(
            f"{target} cannot be linked ({error.strerror}): expected --out on the file system of the data set; give no "
            "--link"
        ) from None


def paint_over(image: NDArray[np.uint8], frame: ExportFrame) -> NDArray[np.uint8]:
    """The image with the mean of what surrounds it in place of each thing that is ignored.

    Pixels of objects with a label stay, masks of rendered ones, boxes of real ones.

    Args:
        image: (H, W) uint8.
        frame: says what is painted over, and what stays.
    """
    if not frame.painted:
        return image
    result = image.copy()
    keep = _kept(frame)
    for item in frame.painted:
        rows, columns = _window(item, image.shape, 0)
        region = np.zeros(image.shape, np.bool_)
        region[rows, columns] = True if item.instance is None else frame.mask[rows, columns] == item.instance.id
        region &= ~keep
        around = np.zeros(image.shape, np.bool_)
        around[_window(item, image.shape, _RING_PX)] = True
        around &= ~region & ~keep
        result[region] = round(float(image[around].mean())) if around.any() else 0
    return result


def _kept(frame: ExportFrame) -> NDArray[np.bool_]:
    """(H, W) pixels that have a label."""
    ids = [item.instance.id for item in frame.objects if item.instance is not None]
    keep = np.isin(frame.mask, ids)
    for item in frame.objects:
        if item.instance is None:
            keep[_window(item, keep.shape, 0)] = True
    return keep


def _window(item: ExportObject, shape: tuple[int, ...], margin: int) -> tuple[slice, slice]:
    left, top, right, bottom = item.box_px
    rows = slice(max(0, int(np.floor(top)) - margin), min(shape[0], int(np.ceil(bottom)) + margin))
    return rows, slice(max(0, int(np.floor(left)) - margin), min(shape[1], int(np.ceil(right)) + margin))
