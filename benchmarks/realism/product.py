"""The product case: traffic put into real frames where no car was, compared with the frames' own cars as two sets."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.realism.cars import CLEAN_HIDDEN, Fits, is_clean
from benchmarks.realism.harmonisation import MAX_PX, MIN_PX
from benchmarks.realism.harmonisation import crop as crop_inserted
from benchmarks.realism.plain_blending import blend_plainly, plain_layer
from gan.metrics.bootstrap import Interval
from gan.metrics.distribution import frechet_distance, kernel_distance
from gan.metrics.features import FeatureExtractor
from gan.storage.model_file import read_model_file
from pipelines.backgrounds.geometry.boxes import KnownBox, read_boxes
from pipelines.backgrounds.images import Background
from pipelines.fitting.fitter import nearer_boxes
from pipelines.fitting.inputs import read_image
from pipelines.synthesis.frame_maker import FrameMaker, PlacedFrame, read_inputs
from pipelines.synthesis.infrared import Physics, Translation
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import open_session
from renderer.geometry.frame import Box2D
from renderer.random_streams import Draw

__all__ = [
    "PLAIN",
    "Distances",
    "Inserted",
    "distances",
    "features_of",
    "in_view",
    "insert_cars",
    "match_heights",
    "real_crops",
    "standing_cars",
]

UInt8 = NDArray[np.uint8]
Array = NDArray[np.float64]

PLAIN, PHYSICS = "plain pasting", "physics"
DRAWS, MOST_DRAWS = 200, 2000
FEWEST = 8
"""Cars on each side below which distances of sets say nothing."""
STREAM_HALVES, STREAM_MATCH = 9, 10
HEIGHT_TOLERANCE, MOST_EACH = 0.2, 3
"""Largest difference of the logarithms of heights, and the most inserted cars for each real one."""
FEATURE_BATCH = 64


@dataclass
class Inserted:
    """Crops of cars, and the frame and height of each."""

    frames: list[str] = field(default_factory=list)
    heights_px: list[float] = field(default_factory=list)
    crops: dict[str, list[UInt8]] = field(default_factory=dict)
    """By the way in which they were made."""

    def add(self, frame: str, height_px: float, made: Mapping[str, UInt8]) -> None:
        """Takes in the crops of one car."""
        self.frames.append(frame)
        self.heights_px.append(height_px)
        for way, one in made.items():
            self.crops.setdefault(way, []).append(one)


def _is_car(box: KnownBox) -> bool:
    return box.kind == "car"


def real_crops(
    frames: Path, boxes: Path, names: Sequence[str], wanted: Callable[[KnownBox], bool] = _is_car
) -> Inserted:
    """Real objects of 32 to 200 px that neither the border nor a nearer box hides, with the framing of inserted ones.

    Other things may hide them: see :func:`standing_cars`.
    """
    known, found = read_boxes(boxes), Inserted()
    for path in sorted(frames.iterdir()):
        if path.stem not in names or path.stem not in known:
            continue
        image = (read_image(path) >> 8).astype(np.uint8)
        shown = [one.in_pixels(image.shape[1], image.shape[0]) for one in known[path.stem]]
        for place, box in enumerate(shown):
            others = [one.box_px for number, one in enumerate(shown) if number != place]
            if wanted(box) and in_view(box.box_px, others, image.shape, (MIN_PX, MAX_PX)):
                found.add(path.stem, box.box_px[3] - box.box_px[1], {"real": crop_inserted(image, box.box_px)})
    return found


def standing_cars(fits: Fits, names: Sequence[str]) -> Inserted:
    """Real cars that `gis fit` accepted and that are measured: nothing hides them, as nothing hides inserted ones.

    Boxes do not tell of the poles, bushes and people before a car; a fit whose outline is hidden is not accepted.
    """
    found = Inserted()
    for name, cars in fits.cars.items():
        if name not in names:
            continue
        image = (read_image(fits.frames[name].path) >> 8).astype(np.uint8)
        for car in cars:
            if is_clean(car, fits.frames[name].camera):
                found.add(name, car["box"][3] - car["box"][1], {"real": crop_inserted(image, car["box"])})
    return found


def in_view(box: Box2D, others: Sequence[Box2D], shape: tuple[int, ...], heights_px: tuple[float, float]) -> bool:
    """Whether a box has a height in the range, lies within the picture, and hardly behind nearer boxes."""
    left, top, right, bottom = box
    inside = left > 1 and right < shape[1] - 2 and bottom < shape[0] - 2
    if not inside or not heights_px[0] <= bottom - top <= heights_px[1]:
        return False
    covered = np.zeros(shape, np.bool_)
    for a, b, c, d in nearer_boxes(box, others):
        covered[max(int(b), 0) : max(int(d), 0), max(int(a), 0) : max(int(c), 0)] = True
    return float(covered[int(top) : int(bottom), int(left) : int(right)].mean()) <= CLEAN_HIDDEN


def match_heights(real: Inserted, inserted: Inserted, seed: int = 0) -> Inserted:
    """Inserted cars of the heights of the real ones: small cars are blurred in crops of one size, near or far.

    Each real car in turn takes the inserted car nearest in height of those that are left, as long as one is
    within 20 %, three times at most.
    """
    order = np.random.default_rng([seed, STREAM_MATCH]).permutation(len(real.frames))
    wanted, heights = np.log(real.heights_px), np.log(inserted.heights_px)
    if not len(heights):
        return inserted
    left, kept = np.ones(len(heights), np.bool_), []
    for _ in range(MOST_EACH):
        for place in order:
            off = np.where(left, np.abs(heights - wanted[place]), np.inf)
            best = int(off.argmin())
            if off[best] < HEIGHT_TOLERANCE:
                left[best] = False
                kept.append(best)
    chosen = sorted(kept)
    found = Inserted([inserted.frames[one] for one in chosen], [inserted.heights_px[one] for one in chosen])
    found.crops = {way: [crops[one] for one in chosen] for way, crops in inserted.crops.items()}
    return found


def insert_cars(
    frames: Path, boxes: Path, names: Sequence[str], weights: Mapping[str, Path], count: int, seed: int
) -> Inserted:
    """Cars of our traffic in real frames, as `gis synthesize` makes them: plainly, by physics, by each model.

    Args:
        frames: folder of frames.
        boxes: of what they show; no car is put over them.
        names: frames to use.
        weights: models by name.
        count: pictures to make.
        seed: of the traffic.
    """
    found = Inserted()
    with _maker(frames, boxes, names, count, seed) as maker:
        physics = maker.infrared
        assert isinstance(physics, Physics)
        models = {name: Translation(read_model_file(path).backend, path, physics) for name, path in weights.items()}
        for index in range(count):
            placed = maker.place(Draw(seed, index))
            background = placed.background
            assert background is not None
            made = _pictures(placed, background, physics, models)
            for item in placed.frame.instances:
                box = item.box_visible_px
                if box is None or item.occlusion > 0 or item.truncation > 0 or item.category not in ("car", "van"):
                    continue
                if MIN_PX <= box[3] - box[1] <= MAX_PX:
                    name = Path(background.file.name).stem
                    found.add(name, box[3] - box[1], {way: crop_inserted(image, box) for way, image in made.items()})
    return found


@contextmanager
def _maker(frames: Path, boxes: Path, names: Sequence[str], count: int, seed: int) -> Iterator[FrameMaker]:
    with tempfile.TemporaryDirectory(prefix="gis-realism-") as temporary:
        folder = Path(temporary) / "frames"
        folder.mkdir()
        for path in frames.iterdir():
            if path.stem in names:
                (folder / path.name).symlink_to(path.resolve())
        config = SynthesizeConfig(
            out=Path(temporary) / "out", backgrounds=folder, count=count, seed=seed, boxes=boxes, model="physics"
        )
        session = open_session(config)
        try:
            yield FrameMaker(config, read_inputs(config), session, Physics())
        finally:
            session.close()


def _pictures(
    placed: PlacedFrame, background: Background, physics: Physics, models: Mapping[str, Translation]
) -> dict[str, UInt8]:
    """The frame, made in every way."""
    frame, conditions, draw, behind = placed.frame, placed.conditions, placed.draw, background.image
    plain, _ = blend_plainly(behind, plain_layer(frame, conditions, physics.profiles, draw, physics.sensor(frame)))
    made = {PLAIN: plain, PHYSICS: physics.make(frame, conditions, background, draw).image}
    return made | {name: model.make(frame, conditions, background, draw).image for name, model in models.items()}


# --- distances --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Distances:
    """How far sets of crops are from the real ones."""

    kernel: dict[str, Interval]
    """Kernel distance by way, and of two halves of the real crops as ``real halves``."""
    frechet: dict[str, float]
    to_plain: dict[str, Interval]
    """Kernel distance over that of plain pasting."""
    real: int
    inserted: int


def distances(real: Inserted, inserted: Inserted, extractor: FeatureExtractor, seed: int = 0) -> Distances | None:
    """Kernel and Frechet distances on a network's features.

    Values are over all crops. Intervals are the 2.5 and 97.5 percentiles over random halves of the frames of both
    sides, so they are wider than those of all frames would be; the halves are the same for every way. The floor is the
    mean over splits of the real frames in two, between which no frame is shared. None where there are too few cars.
    """
    if (
        min(len(real.frames), len(inserted.frames)) < FEWEST
        or min(len(set(real.frames)), len(set(inserted.frames))) < 2
    ):
        return None
    features = {way: features_of(crops, extractor) for way, crops in {**real.crops, **inserted.crops}.items()}
    truth = features.pop("real")
    drawn = _drawn(truth, features, real.frames, inserted.frames, seed)
    value = {way: kernel_distance(truth, made) for way, made in features.items()}
    floor = drawn.pop("real halves")
    if not len(floor):
        return None
    kernel = {way: _interval(value[way], drawn[way]) for way in features}
    kernel["real halves"] = _interval(float(floor.mean()), floor)
    to_plain = {way: _interval(value[way] / value[PLAIN], drawn[way] / drawn[PLAIN]) for way in features}
    frechet = {way: frechet_distance(truth, made) for way, made in features.items()}
    return Distances(kernel, frechet, to_plain, len(truth), len(inserted.frames))


def features_of(crops: Sequence[UInt8], extractor: FeatureExtractor) -> Array:
    """(N, D) features of crops of one size."""
    batch = np.stack(crops).astype(np.float32)[:, None] / np.float32(255)
    parts = [extractor(batch[at : at + FEATURE_BATCH]) for at in range(0, len(batch), FEATURE_BATCH)]
    return np.concatenate(parts).astype(np.float64)


def _drawn(
    truth: Array, features: Mapping[str, Array], real_frames: Sequence[str], frames: Sequence[str], seed: int
) -> dict[str, Array]:
    """Kernel distances over random halves, (DRAWS,) by way; a half with fewer than two crops is drawn again."""
    rng = np.random.default_rng([seed, DRAWS, STREAM_HALVES])
    drawn: dict[str, list[float]] = {way: [] for way in (*features, "real halves")}
    for _ in range(MOST_DRAWS):
        if len(drawn["real halves"]) == DRAWS:
            break
        mine, theirs = _half(real_frames, rng), _half(frames, rng)
        if min(mine.sum(), (~mine).sum(), theirs.sum()) < 2:
            continue
        drawn["real halves"].append(kernel_distance(truth[mine], truth[~mine]))
        for way, made in features.items():
            drawn[way].append(kernel_distance(truth[mine], made[theirs]))
    return {way: np.array(values) for way, values in drawn.items()}


def _half(frames: Sequence[str], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which crops stand in a random half of the frames."""
    names = np.unique(np.asarray(frames))
    chosen = rng.permutation(names)[: max(len(names) // 2, 1)]
    return np.isin(frames, chosen)


def _interval(value: float, drawn: Array) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, min(float(low), value), max(float(high), value), len(drawn))
