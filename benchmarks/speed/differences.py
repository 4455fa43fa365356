"""How the frames of two folders differ: labels byte by byte, pictures in grey levels and kelvin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.io.images import read_png

__all__ = ["Differences", "differences"]

_PICTURES = ("images", "images16", "visible")
_OF_PICTURES = ("files", "label_error", "span_K", "record_sha256", "model")
"""Parts of a frame's line that follow from its picture or tell how that was made."""


@dataclass
class Differences:
    """Of the frames of two folders."""

    frames: int
    labels: list[str]
    """Files and parts of lines that differ and show no picture."""
    most_grey: int
    """Largest difference of the 8-bit pictures."""
    grey_share: float
    """Share of their pixels that differ."""
    most_K: float
    """Largest difference of temperatures."""
    mean_K: float
    """Mean of the absolute differences."""

    def __str__(self) -> str:
        """For the console."""
        labels = "labels equal" if not self.labels else f"LABELS DIFFER: {', '.join(self.labels[:5])}"
        return (
            f"{self.frames} frames: {labels}; pictures differ by at most {self.most_grey} grey levels, "
            f"{self.grey_share:.2%} of pixels; by at most {self.most_K:.3f} K, in the mean {self.mean_K:.5f} K"
        )


def differences(old: Path, new: Path) -> Differences:
    """Compares two folders of frames with their lines.

    Raises:
        ValueError: they do not hold the same files.
    """
    names = [sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) for root in (old, new)]
    if names[0] != names[1]:
        raise ValueError(f"{old} and {new} hold other files: {sorted({*names[0]} ^ {*names[1]})[:5]}")
    lines = {name: [_line(root / name) for root in (old, new)] for name in names[0] if "/" not in name}
    labels = [name for name in names[0] if "/" in name and name.split("/")[0] not in _PICTURES]
    wrong = [name for name in labels if (old / name).read_bytes() != (new / name).read_bytes()]
    wrong += [
        f"{name} {key}"
        for name, (first, second) in lines.items()
        for key in first | second
        if key not in _OF_PICTURES and first.get(key) != second.get(key)
    ]
    grey = [_apart(old / name, new / name) for name in names[0] if name.startswith("images/")]
    kelvin = [_kelvin_apart(old, new, pair) for pair in lines.values() if pair[0].get("span_K")]
    return Differences(
        frames=len(lines),
        labels=wrong,
        most_grey=max(most for most, _ in grey),
        grey_share=float(np.mean([share for _, share in grey])),
        most_K=max((most for most, _ in kelvin), default=0.0),
        mean_K=float(np.mean([mean for _, mean in kelvin])) if kelvin else 0.0,
    )


def _line(path: Path) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return line


def _apart(old: Path, new: Path) -> tuple[int, float]:
    apart = np.abs(read_png(old).astype(np.int32) - read_png(new))
    return int(apart.max()), float((apart > 0).mean())


def _kelvin_apart(old: Path, new: Path, lines: list[dict[str, Any]]) -> tuple[float, float]:
    pictures = []
    for root, line in zip((old, new), lines, strict=True):
        name = next(name for name in line["files"] if name.startswith("images16/"))
        low, high = line["span_K"]
        pictures.append(low + read_png(root / name) * ((high - low) / 65535.0))
    apart = np.abs(pictures[0] - pictures[1])
    return float(apart.max()), float(apart.mean())
