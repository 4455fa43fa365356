"""Pictures of frames, small and whole, of files that lie in the set's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from gan.errors import ItemError
from numpy.typing import NDArray

from pipelines.backgrounds.labelled_folders import read_grey
from pipelines.errors import DatasetError
from pipelines.io.images import encode_jpeg, encode_png
from pipelines.viewing.index import SetIndex

__all__ = ["THUMBNAIL_PX", "inside", "picture", "thumbnail"]

THUMBNAIL_PX: Final = 256
"""Width of the small pictures of the grid."""


def picture(index: SetIndex, number: int) -> bytes:
    """PNG of 8 bits of a frame's image: read and written anew, so that nothing but pictures leaves the folder.

    Raises:
        DatasetError: it cannot be read.
    """
    return encode_png(_grey(index, number))


def thumbnail(index: SetIndex, number: int) -> bytes:
    """Small JPEG of a frame's image; raises what `picture` does."""
    grey = _grey(index, number)
    scale = THUMBNAIL_PX / grey.shape[1]
    size = (THUMBNAIL_PX, max(1, round(grey.shape[0] * scale)))
    return encode_jpeg(np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8), 85)


def _grey(index: SetIndex, number: int) -> NDArray[np.uint8]:
    image = index.image(number)
    try:
        return read_grey(inside(index.root, image) if isinstance(image, Path) else image)
    except ItemError as error:
        raise DatasetError(str(error)) from None


def inside(root: Path, path: Path) -> Path:
    """The file itself, which lies in the set's folder, also where links lead to it.

    Raises:
        DatasetError: it lies elsewhere.
    """
    try:
        found = path.resolve()
    except (OSError, RuntimeError) as error:
        raise DatasetError(f"{path}: cannot be read ({error})") from None
    if not found.is_relative_to(root.resolve()):
        raise DatasetError(f"{path}: a link that leads out of {root}: expected a file in the folder")
    return found
