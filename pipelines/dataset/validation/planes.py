"""Decodes the images of a frame, and keeps what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import Zone

from pipelines.dataset.frame_files import FrameFiles
from pipelines.errors import DatasetError
from pipelines.io.exr import decode_exr
from pipelines.io.images import decode_png

__all__ = ["Planes"]


class Planes:
    """The images of one frame, each decoded once.

    Args:
        files: of the data set.
        name: of the frame's files, without suffix.
        shape: height and width that its camera says.
    """

    def __init__(self, files: FrameFiles, name: str, shape: tuple[int, int]) -> None:
        self.files, self.name, self.shape = files, name, shape
        self.problems: list[str] = []
        self.mask: NDArray[np.uint16] | None = self._png("masks", np.uint16)
        self.zones: NDArray[np.uint8] | None = self._png("zones", np.uint8)
        self.image: NDArray[np.uint8] | None = self._png("images", np.uint8)
        self.image16: NDArray[np.uint16] | None = self._png("images16", np.uint16)
        self.depth_m = self._depth()
        self._check_visible()
        self._check_zones()
        self._check_depth()

    def _check_visible(self) -> None:
        """The visible twin, where there is one: three channels of the frame's size."""
        where = f"visible/{self.name}.png"
        if self.files.has(where):
            try:
                pixels = decode_png(self.files.read(where), where)
            except DatasetError as error:
                self.problems.append(str(error))
                return
            if pixels.dtype != np.uint8 or pixels.shape != (*self.shape, 3):
                self.problems.append(f"{where}: is {pixels.dtype} {pixels.shape}, expected uint8 {(*self.shape, 3)}")

    def _png(self, place: str, dtype: type[np.generic]) -> NDArray[Any] | None:
        """Pixels of a PNG; None where it is missing (which is said elsewhere) or not as expected."""
        where = f"{place}/{self.name}.png"
        if not self.files.has(where):
            return None
        try:
            pixels = decode_png(self.files.read(where), where)
        except DatasetError as error:
            self.problems.append(str(error))
            return None
        return self._checked(pixels, dtype, where)

    def _depth(self) -> NDArray[np.float32] | None:
        where = f"depth/{self.name}.exr"
        if not self.files.has(where):
            return None
        try:
            depth = decode_exr(self.files.read(where), where).get("Z")
        except DatasetError as error:
            self.problems.append(f"{where}: {error}")
            return None
        if depth is None:
            self.problems.append(f"{where}: has no channel Z")
            return None
        return self._checked(depth, np.float32, where)

    def _checked(self, pixels: NDArray[Any], dtype: type[np.generic], where: str) -> NDArray[Any] | None:
        if pixels.dtype == dtype and pixels.shape == self.shape:
            return pixels
        self.problems.append(
            f"{where}: is {pixels.dtype} {pixels.shape}: expected {np.dtype(dtype)} {self.shape} as its camera says"
        )
        return None

    def _check_zones(self) -> None:
        if self.zones is None:
            return
        unknown = sorted(set(np.unique(self.zones).tolist()) - {int(zone) for zone in Zone})
        if unknown:
            self.problems.append(f"zones/{self.name}.png: holds value {unknown[0]}, which is no zone")

    def _check_depth(self) -> None:
        if self.depth_m is None:
            return
        where = f"depth/{self.name}.exr"
        if not (self.depth_m > 0).all():
            self.problems.append(f"{where}: holds NaN or distances of 0 and less")
        if self.mask is not None and not np.isfinite(self.depth_m[self.mask > 0]).all():
            self.problems.append(f"{where}: is infinite on an object")
