"""The pictures of the add-on's pages, cut out of the screenshots that the story left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

Box = tuple[int, int, int, int]
"""Left, top, right, bottom edges on the screen."""
SCALE = 0.8
PICTURES = {
    "addon-panel": ("1-panel", "panel"),
    "addon-zones": ("2-zones", "view"),
    "addon-temperature": ("3-temperature", "view"),
    "addon-thermal": ("6-thermal", "window"),
    "addon-dataset": ("9-synthesized", "window"),
}
"""Name of a picture: the screenshot, and what of it is shown."""


def cut_pictures(folder: Path) -> Path:
    """Writes ``pages/NAME.png`` beside the screenshots.

    Args:
        folder: holds ``seen.json`` and the screenshots.

    Returns:
        The folder of the pictures.
    """
    screens = json.loads((folder / "seen.json").read_text(encoding="utf-8"))["screens"]
    out = folder / "pages"
    out.mkdir(exist_ok=True)
    for name, (screen, part) in PICTURES.items():
        if screen in screens:
            with Image.open(folder / f"{screen}.png") as whole:
                shown = whole.convert("RGB").crop(_box(screens[screen], part))
            size = round(shown.width * SCALE), round(shown.height * SCALE)
            shown.resize(size, Image.Resampling.LANCZOS).save(out / f"{name}.png", optimize=True)
    return out


def _box(areas: dict[str, Any], part: str) -> Box:
    """What is shown: the 3-D view, its right half with the panel, or the window's upper part with the other editors."""
    left, top, width, height = areas["VIEW_3D"][0]
    if part == "window":
        right = max(x + across for boxes in areas.values() for x, _, across, _ in boxes)
        return left, top, right, top + height
    return (left + width // 2 if part == "panel" else left), top, left + width, top + height
