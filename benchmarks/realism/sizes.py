"""How near made cars are to real ones of like size, by ranges of size.

    python -m benchmarks.realism.sizes FRAMES BOXES [--scene] [--count 320] [--seed 11] [--weights MODEL.safetensors]
    python -m benchmarks.realism.sizes FRAMES BOXES [--scene] --count 60 --sheet near-cars.jpg

FRAMES and BOXES are those of `benchmarks.realism`. Cars are put into the frames, or with ``--scene`` seen in a rendered
street by the frames' camera, as `gis synthesize` makes them: by physics and by the model. Cars that nothing hides and
no border cuts are compared with real ones by the kernel distance of AlexNet's features, at 128 px a crop, and from
100 px on at 256 px too, where what is fine counts more. Size is the longer side of the box. ``nearer`` is the share of
80 random two thirds of the frames of both sides in which the model is nearer than physics. The last line is JSON.
``--sheet`` writes a picture of the near cars, each by the model and by physics, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assets import CAR_WEIGHTS
from benchmarks.realism.product import PHYSICS, features_of, in_view
from gan.metrics.distribution import kernel_distance
from gan.metrics.features import FeatureExtractor, feature_extractor
from gan.storage.model_file import read_model_file
from pipelines.backgrounds.geometry.boxes import read_boxes
from pipelines.fitting.inputs import read_image
from pipelines.synthesis.frame_maker import FrameMaker, read_inputs
from pipelines.synthesis.infrared import Physics, Translation
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import open_session
from renderer.geometry.frame import Box2D
from renderer.random_streams import Draw

__all__ = ["main"]

UInt8 = NDArray[np.uint8]
MODEL, REAL = "model", "real"
SIZES_PX = ((20, 32), (32, 48), (48, 64), (64, 100), (100, 150), (150, 200), (200, 300), (150, 400))
SIDES_PX, FINE_FROM_PX = (128, 256), 100
NEAR_PX, COLUMNS, ROWS, GAP_PX = (150, 400), 4, 5, 8
"""Longer sides of the cars on the sheet; cars in a row, rows, and what lies between them."""
SQUARE, LIKE = 1.2, 1.15
"""Side of a crop in longer sides of the box; by which factor real cars may lie outside of a range."""
DRAWS, SHARE, FEWEST, STREAM_PARTS = 80, 2 / 3, 6, 11


@dataclass(frozen=True)
class Crop:
    """A car."""

    frame: str
    size_px: float
    pictures: dict[str, tuple[UInt8, ...]]
    """By the way in which it was made, at each of the sides."""


def main() -> None:
    """Runs the benchmark."""
    options = arguments()
    cv2.setNumThreads(1)
    if options.sheet is not None:
        near = (one for one in made_cars(options) if NEAR_PX[0] <= one.size_px < NEAR_PX[1])
        cv2.imwrite(str(options.sheet), sheet(list(islice(near, COLUMNS * ROWS))))
        return
    real, made = list(real_cars(options.frames, options.boxes)), list(made_cars(options))
    extractor = feature_extractor("alex", options.weights_dir)
    found = []
    for low, high in SIZES_PX:
        theirs = [one for one in real if low / LIKE <= one.size_px < high * LIKE]
        ours = [one for one in made if low <= one.size_px < high]
        if min(len(theirs), len(ours)) >= FEWEST:
            for place in range(len(SIDES_PX) if low >= FINE_FROM_PX else 1):
                line = {"px": [low, high], "side": SIDES_PX[place], **compared(theirs, ours, place, extractor)}
                found.append(line)
                print(line)
    print(json.dumps(found))


def arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("--scene", action="store_true", help="cars of a rendered street")
    parser.add_argument("--camera", default="flir-adas", help="of the rendered street")
    parser.add_argument("--count", type=int, default=320)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--weights", type=Path, default=CAR_WEIGHTS)
    parser.add_argument("--weights-dir", type=Path, help="of AlexNet")
    parser.add_argument("--sheet", type=Path, help="picture of near cars to write, in place of the measure")
    return parser.parse_args()


def sheet(cars: list[Crop]) -> UInt8:
    """(H, W) the cars in rows, each by the model and, right of it, by physics; a line between cars."""
    side = SIDES_PX[1]
    pairs = [np.hstack([one.pictures[way][1] for way in (MODEL, PHYSICS)]) for one in cars]
    tiles = [np.pad(pair, ((0, GAP_PX), (0, GAP_PX))) for pair in pairs]
    tiles += [np.zeros((side + GAP_PX, 2 * side + GAP_PX), np.uint8)] * (-len(tiles) % COLUMNS)
    whole = np.vstack([np.hstack(tiles[k : k + COLUMNS]) for k in range(0, len(tiles), COLUMNS)])
    return np.asarray(cv2.resize(whole, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA), np.uint8)


def real_cars(frames: Path, boxes: Path) -> Iterator[Crop]:
    """Cars that neither the border nor a nearer box hides."""
    known = read_boxes(boxes)
    for path in sorted(frames.iterdir()):
        shown = known.get(path.stem, ())
        image = (read_image(path) >> 8).astype(np.uint8) if shown else np.zeros((1, 1), np.uint8)
        placed = [(one.kind, one.in_pixels(image.shape[1], image.shape[0]).box_px) for one in shown]
        for place, (kind, box) in enumerate(placed):
            others = [other for number, (_, other) in enumerate(placed) if number != place]
            if kind == "car" and in_view(box, others, image.shape, (SIZES_PX[0][0] / 2, SIZES_PX[-1][1])):
                yield Crop(path.stem, longer_side(box), {REAL: crops(image, box)})


def made_cars(options: argparse.Namespace) -> Iterator[Crop]:
    """Cars of our traffic, by physics and by the model."""
    physics = Physics()
    model = Translation(read_model_file(options.weights).backend, options.weights, physics)
    with tempfile.TemporaryDirectory(prefix="gis-sizes-") as temporary:
        config = SynthesizeConfig(
            out=Path(temporary), count=options.count, seed=options.seed, model="physics",
            camera=options.camera if options.scene else None, boxes=None if options.scene else options.boxes,
            backgrounds=None if options.scene else options.frames,
        )  # fmt: skip
        session = open_session(config)
        maker = FrameMaker(config, read_inputs(config), session, physics)
        for index in range(options.count):
            placed = maker.place(Draw(options.seed, index))
            given = (placed.frame, placed.conditions, placed.background, placed.draw)
            images = {PHYSICS: physics.make(*given).image, MODEL: model.make(*given).image}
            name = f"{index}" if placed.background is None else placed.background.file.name
            for item in placed.frame.instances:
                box = item.box_visible_px
                whole = box is not None and item.occlusion == 0 and item.truncation == 0
                if whole and box is not None and item.category in ("car", "van"):
                    yield Crop(name, longer_side(box), {way: crops(image, box) for way, image in images.items()})
        session.close()


def compared(real: list[Crop], made: list[Crop], place: int, extractor: FeatureExtractor) -> dict[str, float | int]:
    """Kernel distances of both ways, and how often the model is nearer."""
    truth = features_of([one.pictures[REAL][place] for one in real], extractor)
    ours = {way: features_of([one.pictures[way][place] for one in made], extractor) for way in (PHYSICS, MODEL)}
    rng = np.random.default_rng([STREAM_PARTS, place])
    nearer = []
    for _ in range(DRAWS):
        mine, theirs = _part(real, rng), _part(made, rng)
        if min(mine.sum(), theirs.sum()) > 1:
            model, physics = (kernel_distance(truth[mine], ours[way][theirs]) for way in (MODEL, PHYSICS))
            nearer.append(model < physics)
    values = {way: round(kernel_distance(truth, features), 4) for way, features in ours.items()}
    return {"real": len(real), "made": len(made), **values, "nearer": round(float(np.mean(nearer)), 2)}


def _part(cars: list[Crop], rng: np.random.Generator) -> NDArray[np.bool_]:
    frames = np.array([one.frame for one in cars])
    names = np.unique(frames)
    return np.isin(frames, rng.permutation(names)[: max(round(len(names) * SHARE), 2)])


def longer_side(box: Box2D) -> float:
    """Of a box, pixels."""
    return max(box[2] - box[0], box[3] - box[1])


def crops(image: UInt8, box: Box2D) -> tuple[UInt8, ...]:
    """The square around a box, clipped to the image, at each of the sides."""
    half, x, y = SQUARE * longer_side(box) / 2, (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    rows = slice(max(round(y - half), 0), min(round(y + half), image.shape[0]))
    part = image[rows, max(round(x - half), 0) : min(round(x + half), image.shape[1])]
    return tuple(_resized(part, side) for side in SIDES_PX)


def _resized(part: UInt8, side: int) -> UInt8:
    how = cv2.INTER_AREA if min(part.shape) >= side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (side, side), interpolation=how), dtype=np.uint8)


if __name__ == "__main__":
    main()
