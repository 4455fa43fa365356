"""The pictures of docs/explanation/backgrounds.md and geometry.md: cars put into frames, ground found in frames.

    python -m benchmarks.realism.harmonisation_pictures FRAMES [--boxes BOXES]
        [--out docs/images/explanation] [--seed 301] [--count 200]

Rows are not chosen by eye: of the frames that `gis synthesize` would make with the seed, in their order, the first
five of different backgrounds whose highest vehicle is of the category ``car``, at least 90 pixels high, not hidden, and
away from the picture's border.
The car that is shown without each correction is the first of at least 110.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.realism.plain_blending import blend_plainly, plain_layer
from pipelines.backgrounds.geometry.ground import GroundPlane, GroundPlanes
from pipelines.backgrounds.images import open_background, scan_backgrounds
from pipelines.synthesis.frame_maker import FrameMaker, read_inputs
from pipelines.synthesis.infrared import Physics
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import open_session
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D, Frame
from renderer.insertion.background_sensor import measure_sensor
from renderer.insertion.foreground import render_foreground
from renderer.insertion.harmonise import ALL, Corrections, harmonise_grey
from renderer.random_streams import Draw

__all__ = ["main"]

UInt8 = NDArray[np.uint8]

ROWS, ROW_PX = 5, (320, 195)
COLUMNS = ("the frame", "plainly blended", "harmonised")
MIN_PX, PART_MIN_PX = 90, 110
"""Height of the largest car of a frame that is shown, and of the car that is shown in parts."""
PART_PX, PARTS_PER_LINE = 240, 4
AROUND = 1.3
"""Side of the square around a car, in its longer side."""
NONE: Box2D = (0.0, 0.0, 0.0, 0.0)
CHANGE_GAIN, MIDDLE_GREY = 3, 128
STRIP_PX = 22
GROUND_FRAMES = ("FLIR_06430", "FLIR_09416", "FLIR_video_03237")
"""A street with parked cars, one with a car ahead, and a crossing with people."""
GROUND_PX, TINT = (480, 384), 0.45
GREEN, RED, YELLOW = (0, 200, 0), (0, 0, 255), (0, 255, 255)


def main() -> None:
    """Writes harmonisation.jpg, harmonisation_parts.png and, where there are boxes, geometry.jpg."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("--boxes", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images/explanation"))
    parser.add_argument("--seed", type=int, default=301)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    rows: dict[str, UInt8] = {}
    parts: UInt8 | None = None
    with opened(options.frames, options.boxes, options.seed, options.count) as (maker, physics):
        for index in range(options.count):
            scene = Scene(maker, physics, Draw(options.seed, index))
            if scene.height_px >= MIN_PX and len(rows) < ROWS and scene.name not in rows:
                rows[scene.name] = scene.row()
                print(f"row: frame {index}, {scene.name}, car of {scene.height_px:.0f} px")
            if scene.height_px >= PART_MIN_PX and parts is None:
                parts = scene.parts()
                print(f"parts: frame {index}, {scene.name}, car of {scene.height_px:.0f} px")
            if len(rows) == ROWS and parts is not None:
                break
        if options.boxes is not None:
            write(options.out / "geometry.jpg", grounds(options.frames, maker.inputs.ground_planes))
    if parts is None or len(rows) < ROWS:
        raise SystemExit(f"{options.frames}: {len(rows)} frames with a car of {MIN_PX} pixels: expected {ROWS}")
    head = np.hstack([strip(text, ROW_PX[0]) for text in COLUMNS])
    write(options.out / "harmonisation.jpg", np.vstack([head, *rows.values()]))
    write(options.out / "harmonisation_parts.png", parts)


@contextmanager
def opened(frames: Path, boxes: Path | None, seed: int, count: int) -> Iterator[tuple[FrameMaker, Physics]]:
    """The maker of frames of a folder."""
    with tempfile.TemporaryDirectory(prefix="gis-pictures-") as temporary:
        out = Path(temporary) / "out"
        config = SynthesizeConfig(out=out, backgrounds=frames, count=count, seed=seed, boxes=boxes, model="physics")
        session = open_session(config)
        try:
            physics = Physics()
            yield FrameMaker(config, read_inputs(config), session, physics), physics
        finally:
            session.close()


class Scene:
    """A frame with cars that can be made in several ways."""

    def __init__(self, maker: FrameMaker, physics: Physics, draw: Draw) -> None:
        placed = maker.place(draw)
        frame, background = placed.frame, placed.background
        assert background is not None
        self._draw, self._conditions = draw, placed.conditions
        self.name, self.behind, self.frame = background.file.name, background.image, frame
        self._background, self._physics = background, physics
        self.box = largest_car(frame)
        self.height_px = self.box[3] - self.box[1]

    def ours(self) -> UInt8:
        """The frame with cars and all corrections."""
        return self._physics.make(self.frame, self._conditions, self._background, self._draw).image

    def plain(self) -> UInt8:
        """The frame with cars without any."""
        physics, draw = self._physics, self._draw
        cars = plain_layer(self.frame, self._conditions, physics.profiles, draw, physics.sensor(self.frame))
        return blend_plainly(self.behind, cars)[0]

    def without(self, part: str) -> UInt8:
        """The frame with cars and all corrections but one."""
        draw = self._draw
        foreground = render_foreground(self.frame, self._conditions, self._physics.profiles, draw)
        if self._background.obstacle_mask is not None:
            change_K = np.where(self._background.obstacle_mask, np.float32(0), foreground.ground_change_K)
            foreground = replace(foreground, ground_change_K=change_K)
        measured = measure_sensor(self.behind.astype(np.float32))
        parts: Corrections = replace(ALL, **{part: False})
        return harmonise_grey(self.behind, self.frame, foreground, self._conditions, measured, draw, parts)

    def row(self) -> UInt8:
        """The frame as it is, plainly blended, and with all corrections."""
        return np.hstack([shown(image) for image in (self.behind, self.plain(), self.ours())])

    def parts(self) -> UInt8:
        """The largest car with all corrections, without each, and without any; below each what that changed."""
        whole, behind = cut(self.ours(), self.box), cut(self.behind, self.box)
        less = {f"without {field.name}": self.without(field.name) for field in fields(Corrections)}
        tiles = [labelled({"all corrections": whole, "the frame": behind})]
        for text, image in {**less, "plainly blended": self.plain()}.items():
            one = cut(image, self.box)
            tiles.append(labelled({text: one, f"what changed, x{CHANGE_GAIN}": change(one, whole)}))
        lines = [np.hstack(tiles[at : at + PARTS_PER_LINE]) for at in range(0, len(tiles), PARTS_PER_LINE)]
        return np.vstack(lines)


def largest_car(frame: Frame) -> Box2D:
    """Box of the highest vehicle of a frame; an empty one unless it is a car in view with what is around it."""
    seen = [(item.box_visible_px, item) for item in frame.instances if item.box_visible_px is not None]
    if not seen:
        return NONE
    box, item = max(seen, key=lambda one: one[0][3] - one[0][1])
    height, width = frame.instance_id.shape
    (x, y), half = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), around(box) / 2
    inside = min(x, width - x, y, height - y) >= half
    return box if inside and item.category == "car" and item.occlusion == 0 else NONE


def around(box: Box2D) -> int:
    """Side of the square that shows a car and its surroundings."""
    return int(AROUND * max(box[2] - box[0], box[3] - box[1]))


def shown(image: UInt8) -> UInt8:
    """The middle of a frame, small."""
    tall = round(image.shape[1] * ROW_PX[1] / ROW_PX[0])
    top = (image.shape[0] - tall) // 2
    return np.asarray(cv2.resize(image[top : top + tall], ROW_PX, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def cut(image: UInt8, box: Box2D) -> UInt8:
    """A car and its surroundings, magnified."""
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    patch = cv2.getRectSubPix(image, (around(box), around(box)), centre)
    return np.asarray(cv2.resize(patch, (PART_PX, PART_PX), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def change(image: UInt8, whole: UInt8) -> UInt8:
    """How much lighter or darker a picture is than another, magnified, about a middle grey."""
    difference = (image.astype(np.int32) - whole) * CHANGE_GAIN + MIDDLE_GREY
    return np.clip(difference, 0, 255).astype(np.uint8)


def labelled(pictures: Mapping[str, UInt8]) -> UInt8:
    """Pictures below each other, each with its name over it."""
    return np.vstack([part for text, one in pictures.items() for part in (strip(text, one.shape[1]), one)])


def strip(text: str, width: int) -> UInt8:
    """A white strip with a text."""
    picture = np.full((STRIP_PX, width), 255, dtype=np.uint8)
    cv2.putText(picture, text, (6, STRIP_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA)
    return picture


def grounds(frames: Path, planes: GroundPlanes) -> UInt8:
    """Whole frames with their horizon, free road and silhouettes, below each other's names."""
    backgrounds, tiles = scan_backgrounds(frames), []
    for file in backgrounds.files:
        if Path(file.name).stem in GROUND_FRAMES:
            whole = open_background(backgrounds, file, size=f"{file.width}x{file.height}")
            drawn = overlay(whole.image, whole.camera, planes.of(whole))
            head = cv2.cvtColor(strip(Path(file.name).stem, GROUND_PX[0]), cv2.COLOR_GRAY2BGR)
            tiles.append(np.vstack([head, cv2.resize(drawn, GROUND_PX, interpolation=cv2.INTER_AREA)]))
    return np.hstack(tiles)


def overlay(image: UInt8, camera: Camera, ground: GroundPlane) -> UInt8:
    """A frame with what was found, tinted so that it is seen on white and on black, (H, W, 3) BGR."""
    marked = np.zeros(image.shape, dtype=np.bool_)
    for one in ground.obstacles:
        left, top, right, bottom = one.window
        marked[top:bottom, left:right] |= one.mask
    picture = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR).astype(np.float32)
    for where, colour in ((ground.road.free & ~marked, GREEN), (marked, RED)):
        picture[where] += TINT * (np.array(colour, dtype=np.float32) - picture[where])
    drawn = np.rint(picture).astype(np.uint8)
    left, right = (round(ground.horizon.row_at(x, camera)) for x in (0.0, float(image.shape[1])))
    cv2.line(drawn, (0, left), (image.shape[1], right), YELLOW, 2)
    return np.asarray(drawn, dtype=np.uint8)


def write(file: Path, picture: UInt8) -> None:
    """Writes a picture."""
    cv2.imwrite(str(file), picture, [cv2.IMWRITE_JPEG_QUALITY, 86, cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(file)


if __name__ == "__main__":
    main()
