"""The pictures of docs/backgrounds.md: frames as they are, plainly blended and made to belong; a car without each part.

python -m benchmarks.belonging_pictures FRAMES [--out docs/images] [--seed 301] [--count 40]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.backgrounds import scan_backgrounds
from pipelines.config import SynthesizeConfig
from pipelines.infrared import Physics
from pipelines.render import open_session
from pipelines.synthesize import FrameMaker
from renderer.thermal.belonging import ALL, Belonging, belong_grey
from renderer.thermal.frame_sensor import measure_sensor
from renderer.thermal.over import over_grey, render_bare, render_cars

__all__ = ["main"]

ROWS, ROW_PX, PART_PX = 5, (256, 156), 150
MIN_PX = 90

UInt8 = NDArray[np.uint8]


def main() -> None:
    """Writes belonging.jpg and belonging_parts.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--seed", type=int, default=301)
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args()
    rows: list[UInt8] = []
    parts: UInt8 | None = None
    with tempfile.TemporaryDirectory(prefix="gis-pictures-") as temporary:
        config = SynthesizeConfig(
            out=Path(temporary) / "out", backgrounds=options.frames, count=options.count, seed=options.seed
        )
        session = open_session(config)
        try:
            physics = Physics(config.seed)
            maker = FrameMaker(config, scan_backgrounds(options.frames), session, physics)
            for index in range(options.count):
                made = pictures(maker, physics, index)
                if made is not None and len(rows) < ROWS:
                    rows.append(made[0])
                    parts = made[1] if parts is None else parts
        finally:
            session.close()
    if parts is None:
        raise SystemExit(f"{options.frames}: no frame with a car of {MIN_PX} pixels: expected street frames")
    cv2.imwrite(str(options.out / "belonging.jpg"), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])
    cv2.imwrite(str(options.out / "belonging_parts.png"), parts)


def pictures(maker: FrameMaker, physics: Physics, index: int) -> tuple[UInt8, UInt8] | None:
    """One row of the frames, and one of the parts; None where no car is large enough."""
    background = maker._background(index)
    frame, conditions = maker._passes(index, maker._conditions(index, background), background)
    whole = [
        item.box_visible_px
        for item in frame.instances
        if item.box_visible_px is not None and item.occlusion == 0 and item.truncation == 0
    ]
    boxes = [box for box in whole if box[3] - box[1] >= MIN_PX]
    if background is None or not boxes:
        return None
    seed, behind = physics.seed, background.image
    bare = render_bare(frame, conditions, physics.profiles, seed)
    measured = measure_sensor(behind.astype(np.float32))
    plain, _ = over_grey(behind, render_cars(frame, conditions, physics.profiles, seed, physics.sensor(frame)))

    def ours(parts: Belonging) -> UInt8:
        return belong_grey(behind, frame, bare, conditions, measured, seed, parts)

    row = [shown(image) for image in (behind, plain, ours(ALL))]
    each = [cut(ours(ALL), boxes[0])]
    each += [cut(ours(replace(ALL, **{field.name: False})), boxes[0]) for field in fields(Belonging)]
    return np.hstack(row), np.hstack(each)


def shown(image: UInt8) -> UInt8:
    """The middle of a frame, small."""
    tall = round(image.shape[1] * ROW_PX[1] / ROW_PX[0])
    top = (image.shape[0] - tall) // 2
    return np.asarray(cv2.resize(image[top : top + tall], ROW_PX, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def cut(image: UInt8, box: Any) -> UInt8:
    """A car and its surroundings."""
    left, top, right, bottom = (float(value) for value in box)
    side = int(1.3 * max(right - left, bottom - top))
    patch = cv2.getRectSubPix(image, (side, side), ((left + right) / 2, (top + bottom) / 2))
    return np.asarray(cv2.resize(patch, (PART_PX, PART_PX), interpolation=cv2.INTER_AREA), dtype=np.uint8)


if __name__ == "__main__":
    main()
