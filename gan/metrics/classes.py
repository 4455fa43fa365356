"""Root mean square error per object class, as table 2 of the ThermalNet paper reports it.

Kniaz, Gorbatsevich and Mizginov, ISPRS Archives XLII-2/W4, 2017. Errors are pooled over all pixels of a class in all
images before the root is taken (chosen here: so a large object counts for more than a small one, and it makes no
difference how the pixels are spread over images). Objects are known by masks, or by boxes whose pixels all count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gan.errors import MetricError
from gan.metrics.image import Array, Mask

__all__ = ["BACKGROUND", "ClassErrors", "boxes_to_regions"]

BACKGROUND: Final = "background"


@dataclass
class ClassErrors:
    """Collects squared errors image by image.

    Examples:
        >>> errors = ClassErrors()
        >>> real, fake = np.zeros((2, 2)), np.array([[0.5, 0.0], [0.0, 0.0]])
        >>> errors.add(real, fake, {"car": np.array([[True, True], [False, False]])})
        >>> round(errors.rms()["car"], 4)
        0.3536
    """

    _sums: dict[str, float] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, real: Array, fake: Array, regions: Mapping[str, Mask]) -> None:
        """Adds one image.

        Args:
            real: (H, W) or (H, W, C), in any unit: kelvin, or intensities in [0, 1]. The result has the same unit.
            fake: The generated image, of the same shape and unit.
            regions: Where each class is, boolean (H, W); they may overlap, and may be empty.

        Raises:
            MetricError: shapes that do not fit, or values that are not finite.
        """
        if real.shape != fake.shape or real.ndim not in (2, 3):
            raise MetricError(f"real image {real.shape}, fake {fake.shape}: expected the same (H, W) or (H, W, C)")
        squares = np.square(np.asarray(real, dtype=np.float64) - fake).reshape(*real.shape[:2], -1).mean(axis=2)
        if not np.isfinite(squares).all():
            raise MetricError("an image holds NaN or infinite values: expected finite ones")
        for name, region in regions.items():
            if region.shape != squares.shape or region.dtype != np.bool_:
                raise MetricError(
                    f"region of {name} is {region.dtype} {region.shape}: expected bool {squares.shape} like the image"
                )
            self._sums[name] = self._sums.get(name, 0.0) + float(squares[region].sum())
            self._counts[name] = self._counts.get(name, 0) + int(region.sum())

    def rms(self) -> dict[str, float]:
        """Root mean square error of each class that had pixels, by name in alphabetical order."""
        return {name: math.sqrt(self._sums[name] / count) for name, count in sorted(self._counts.items()) if count}

    def pixels(self) -> dict[str, int]:
        """Number of pixels that each class had."""
        return dict(sorted(self._counts.items()))


def boxes_to_regions(
    boxes: Iterable[tuple[str, Sequence[float]]], height: int, width: int, *, background: bool = True
) -> dict[str, Mask]:
    """Regions of the classes of boxes.

    Args:
        boxes: Class and (x0, y0, x1, y1) in pixels, the right and lower edge exclusive; parts outside are cut off.
        height: Of the image.
        width: Of the image.
        background: Also give the pixels that no box covers, as class ``background``.

    Returns:
        One boolean (H, W) per class; a pixel counts where its centre lies in a box of the class.

    Raises:
        MetricError: a box whose edges are in the wrong order.
    """
    regions: dict[str, Mask] = {}
    covered = np.zeros((height, width), dtype=np.bool_)
    for name, corners in boxes:
        x0, y0, x1, y1 = (float(value) for value in corners)
        if not (x0 <= x1 and y0 <= y1):
            raise MetricError(f"box of {name} is ({x0}, {y0}, {x1}, {y1}): expected x0 <= x1 and y0 <= y1")
        # The centre of pixel c is c + 0.5: it lies in [x0, x1) for c from ceil(x0 - 0.5) to ceil(x1 - 0.5) - 1.
        columns = slice(*(min(max(math.ceil(x - 0.5), 0), width) for x in (x0, x1)))
        rows = slice(*(min(max(math.ceil(y - 0.5), 0), height) for y in (y0, y1)))
        region = regions.setdefault(name, np.zeros((height, width), dtype=np.bool_))
        region[rows, columns] = True
        covered[rows, columns] = True
    if background:
        regions[BACKGROUND] = ~covered
    return regions
