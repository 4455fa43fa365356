"""Frames with fitted cars, and pictures in which nothing but those cars is replaced.

No picture made here knows what the real frame shows inside the hole around the cars: levels and other cars' crops come
from other frames, and everything is made over the frame with its cars taken away.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray

from assets import THERMAL_PROFILES
from benchmarks.realism.plain_blending import blend_plainly, plain_layer
from gan.data.layout import LAYOUT_NAME, Sample, decode_sample
from pipelines.dataset import shards as tensors
from pipelines.errors import ConfigError
from pipelines.fitting import pairs
from pipelines.fitting.cameras import camera_of_poses
from pipelines.fitting.fitter import Fitter
from pipelines.fitting.inputs import RealFrame, read_image, scan_frames
from pipelines.fitting.review import REVIEW_FILE, read_decisions
from pipelines.fitting.run import FIT_FILE, MODELS_FILE, accepted, fit_cars
from pipelines.fitting.shapes import load_shapes
from pipelines.fitting.texture import no_texture
from pipelines.io.files import read_json, read_lines
from pipelines.synthesis import source_tensor as compose
from pipelines.synthesis.source_tensor import dilate_objects
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D, Frame
from renderer.insertion.background_sensor import measure_sensor
from renderer.insertion.foreground import render_foreground
from renderer.insertion.harmonise import harmonise_grey
from renderer.random_streams import Draw, Stream
from renderer.thermal.conditions import Conditions, sample_conditions
from renderer.thermal.profiles import Profiles, read_profiles
from renderer.thermal.sensor import Sensor

__all__ = [
    "BASELINES",
    "Car",
    "Case",
    "Fits",
    "Gallery",
    "Hole",
    "box_hole",
    "draw_samples",
    "is_clean",
    "make_gallery",
    "open_case",
    "read_fits",
    "seen_elsewhere",
]

UInt8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Hole = Callable[[Frame], NDArray[np.uint16]]
"""Where a source tensor hides the background: see :func:`pipelines.synthesis.source_tensor.dilate_objects`."""

MIN_PX = 40.0
"""Height of the smallest box that is measured."""
CLEAN_HIDDEN = 0.1
"""Most of a box that nearer boxes may cover."""
INPAINT_PX = 5.0
SAME_SCENE = 0.6
"""Correlation of small copies above which two frames show one scene: RoadScene's pairs have 0.63 to 0.99, frames of
different places at most 0.57."""
HOURS = {"day": 13.0, "night": 22.0}
ANGLE_DEG, LARGER, SMALLER, ASPECT = 20.0, 0.5, 0.25, 0.15
"""What counts as one step away between two cars: turn; logarithms of height (shrinking, enlarging) and of shape."""


@dataclass(frozen=True)
class Car:
    """A fitted car that is measured."""

    key: str
    box: Box2D
    """Of the real car."""
    mask: Mask
    """(H, W) visible pixels of the fitted model."""
    angle_deg: float


@dataclass(frozen=True)
class Case:
    """A frame whose cars are replaced."""

    name: str
    group: str
    time: str
    real: UInt8
    """(H, W)"""
    frame: Frame
    """Passes of the fitted cars, with normals and thermal profiles."""
    hole: Mask
    """(H, W) where pictures may differ from the real frame."""
    empty: UInt8
    """(H, W) the frame with its fitted cars painted away from the sides of the hole."""
    cars: tuple[Car, ...]
    """Those that are measured: at least 40 px high, not cut by the border, hardly hidden."""
    index: int = 0


@dataclass(frozen=True)
class Fits:
    """Output of `gis fit`, read with its review."""

    folder: Path
    frames: dict[str, RealFrame]
    cars: dict[str, list[dict[str, Any]]]
    """Accepted fits by frame."""
    splits: dict[str, str]
    """Split by frame; empty where the boxes name none."""
    fitter: Fitter
    camera: Camera

    def chosen(self, split: str) -> list[str]:
        """Frames to measure: those of the split; all where there are no splits or it is ``all``.

        Raises:
            ConfigError: a split without frames.
        """
        names = self.in_split(split, self.cars)
        if not names:
            known = ", ".join(sorted(set(self.splits.values())))
            raise ConfigError(f"no frame with an accepted car in split {split!r}: expected one of {known}, or all")
        return names

    def in_split(self, split: str, names: Iterable[str]) -> list[str]:
        """Those of the named frames that the split holds, with or without accepted cars."""
        return [name for name in names if split == "all" or not self.splits or self.splits.get(name) == split]


def read_fits(frames: Path, boxes: Path, folder: Path, camera: str, review: Path | None = None) -> Fits:
    """Reads a fit, or makes it where the folder holds none.

    Args:
        frames: real frames.
        boxes: of their cars.
        folder: of `gis fit`; its camera wins over ``camera``.
        camera: preset or file, for a new fit.
        review: decisions to use in place of those in the folder.

    Raises:
        PipelineError: see :func:`pipelines.fitting.run.fit`.
    """
    head = folder / FIT_FILE
    if not head.is_file():
        fit_cars(frames, boxes, folder, camera=camera)
    about = read_json(head)
    log = folder / f"fits-{about['passes'] - 1}.jsonl"
    if not log.is_file():
        raise ConfigError(f"{folder}: the fit was cut short: give its `gis fit` again, or another --fits")
    decided = read_decisions(review or folder / REVIEW_FILE)
    found: dict[str, list[dict[str, Any]]] = {}
    for line in read_lines(log):
        record = json.loads(line)
        kept = [car for one in record["cars"] if (car := accepted(one, decided)) is not None]
        if kept:
            found[record["name"]] = kept
    camera_used = Camera.from_json(about["camera"])
    scanned = {one.name: one for one in scan_frames(frames, boxes, camera_used)}
    cars = {name: found[name] for name in scanned if name in found}
    fitter = Fitter(load_shapes(folder / MODELS_FILE), no_texture())
    for name, fitted in cars.items():
        scanned[name] = replace(scanned[name], camera=camera_of_poses(scanned[name].camera, fitter, fitted))
    return Fits(folder, scanned, cars, _splits(boxes), fitter, camera_used)


def seen_elsewhere(fits: Fits, chosen: Iterable[str]) -> dict[str, str]:
    """Frames of the chosen ones whose scene another frame shows too, within moments, and which frame that is.

    Splits by sequence do not part a drive that was recorded twice, as single frames and as a video: RoadScene has such.
    Small copies of the frames are compared, without their coarse shading, at the best shift.
    """
    inside = set(chosen)
    small = {name: _small(fits.frames[name].path) for name in fits.frames}
    found = {}
    for name in sorted(inside):
        others = {
            other: float(cv2.matchTemplate(small[name], _middle(image), cv2.TM_CCOEFF_NORMED).max())
            for other, image in small.items()
            if other not in inside
        }
        best = max(others, key=lambda other: others[other], default="")
        if best and others[best] > SAME_SCENE:
            found[name] = best
    return found


def _small(path: Path) -> NDArray[np.float32]:
    image = cv2.resize((read_image(path) >> 8).astype(np.float32), (80, 64), interpolation=cv2.INTER_AREA)
    return np.asarray(image - cv2.GaussianBlur(image, (0, 0), 8.0), dtype=np.float32)


def _middle(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(image[8:-8, 10:-10])


def _splits(boxes: Path) -> dict[str, str]:
    """Split by frame, where one JSON object by image gives them."""
    data = read_json(boxes) if boxes.is_file() else {}
    pairs_ = data.items() if isinstance(data, dict) else ()
    return {
        Path(name).stem if "." in str(name) else str(name): str(entry["split"])
        for name, entry in pairs_
        if isinstance(entry, dict) and "split" in entry
    }


# --- cases ------------------------------------------------------------------------------------------------------------


def open_case(fits: Fits, name: str, index: int, *, grow: Hole = dilate_objects) -> Case:
    """The frame with its passes, hole and the cars to measure."""
    real_frame, cars = fits.frames[name], fits.cars[name]
    real = (read_image(real_frame.path) >> 8).astype(np.uint8)
    frame = pairs._passes(fits.fitter, index, real_frame, cars)
    hole = grow(frame) > 0
    measured = []
    for item, car in zip(frame.instances, cars, strict=True):
        mask = frame.instance_id == item.id
        if mask.any() and is_clean(car, real_frame.camera):
            left, top, right, bottom = (float(value) for value in car["box"])
            measured.append(Car(car["key"], (left, top, right, bottom), mask, float(car["angle_deg"])))
    empty = without_cars(real, hole)
    group = real_frame.group or name
    return Case(name, group, real_frame.time, real, frame, hole, empty, tuple(measured), index)


def is_clean(car: dict[str, Any], camera: Camera) -> bool:
    """Whether a fitted car is large enough to be measured, wholly in the picture, and hardly behind nearer boxes."""
    left, top, right, bottom = car["box"]
    whole = left > 1 and right < camera.width - 1 and bottom < camera.height - 1
    return bool(bottom - top >= MIN_PX and whole and car["hidden"] <= CLEAN_HIDDEN)


def without_cars(real: UInt8, hole: Mask) -> UInt8:
    """The frame with the hole painted from its sides (Telea, "An image inpainting technique", 2004)."""
    return np.asarray(cv2.inpaint(real, hole.astype(np.uint8), INPAINT_PX, cv2.INPAINT_TELEA), dtype=np.uint8)


def box_hole(frame: Frame) -> NDArray[np.uint16]:
    """The rectangle around the usual hole of each car: in it no border tells where the real car ended."""
    usual, out = dilate_objects(frame), frame.instance_id.copy()
    for item in frame.instances:
        rows, columns = np.nonzero(usual == item.id)
        if len(rows):
            part = out[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            part[part == 0] = item.id
    return out


def draw_samples(fits: Fits, names: list[str], layout: str, grow: Hole = dilate_objects) -> list[Sample]:
    """Source tensors of frames, by the function that draws the pairs that models are trained on.

    Args:
        fits: fitted cars.
        names: frames.
        layout: of the source tensor.
        grow: shape of the hole, for the leak test.
    """
    # Only other layouts are named, so that a fit without layouts is drawn as it always was.
    more: dict[str, Any] = {} if layout == LAYOUT_NAME else {"layout": layout}
    with (
        tempfile.TemporaryDirectory(prefix="gis-realism-") as temporary,
        mock.patch.object(compose, "dilate_objects", grow),
    ):
        folder = Path(temporary)
        for index, name in enumerate(names):
            pairs.draw_pair(folder, fits.fitter, index, fits.frames[name], fits.cars[name], **more)
        shards = tensors.finish_shards(folder, len(names))
        held = [data for shard in shards for _, data in tensors.read_shard(folder / shard.name)]
    return [decode_sample(data) for data in held]


# --- what other frames know -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Donor:
    """A real car of another frame."""

    frame: str
    time: str
    box: Box2D
    angle_deg: float
    image: UInt8
    """(h, w) its box."""
    mask: Mask
    """(h, w)"""


@dataclass
class Gallery:
    """Cars and zone levels of frames that are not measured."""

    groups: dict[str, str] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)
    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """(2, 256) by frame: sum of greys, and pixels, of each zone."""
    donors: list[Donor] = field(default_factory=list)

    def add(self, case: Case) -> None:
        """Takes in a frame."""
        self.groups[case.name], self.times[case.name] = case.group, case.time
        inside = case.frame.instance_id > 0
        zone, grey = case.frame.zone[inside], case.real[inside].astype(np.float64)
        self.sums[case.name] = np.stack(
            [np.bincount(zone, grey, minlength=256), np.bincount(zone, minlength=256).astype(np.float64)]
        )
        for car in case.cars:
            left, top, right, bottom = (round(value) for value in car.box)
            rows, columns = slice(max(top, 0), bottom), slice(max(left, 0), right)
            self.donors.append(
                Donor(case.name, case.time, car.box, car.angle_deg, case.real[rows, columns], car.mask[rows, columns])
            )

    def others(self, case: Case) -> list[str]:
        """Frames of other groups, of the same time of day where there are any."""
        found = [name for name, group in self.groups.items() if group != case.group and name != case.name]
        if not found:
            raise ConfigError(f"{case.name}: no other frame to take levels from: give frames of several groups")
        alike = [name for name in found if self.times[name] == case.time]
        return alike or found

    def levels(self, case: Case) -> NDArray[np.float64]:
        """(256,) mean grey of each zone in the other frames; unseen zones have the mean of all."""
        total = np.sum([self.sums[name] for name in self.others(case)], axis=0)
        mean = total[0].sum() / max(total[1].sum(), 1.0)
        return np.where(total[1] > 0, total[0] / np.maximum(total[1], 1.0), mean)

    def nearest(self, case: Case, car: Car) -> tuple[Donor, bool]:
        """The donor that looks most alike by angle, size and shape, and whether it has to be mirrored.

        Raises:
            ConfigError: no donor.
        """
        others = set(self.others(case))
        choices = [(_apart(one, car, mirror), place, mirror) for place, one in enumerate(self.donors)
                   if one.frame in others for mirror in (False, True)]  # fmt: skip
        if not choices:
            raise ConfigError(
                f"{case.name}: no clean car of {MIN_PX:g} px or more in the other frames: give more frames"
            )
        _, place, mirror = min(choices)
        return self.donors[place], mirror


def _apart(donor: Donor, car: Car, mirror: bool) -> float:
    angle = -donor.angle_deg if mirror else donor.angle_deg
    turn = abs((angle - car.angle_deg + 180) % 360 - 180) / ANGLE_DEG
    (width, height), (wide, high) = _size(donor.box), _size(car.box)
    grow = math.log(high / height)
    shape = math.log(wide / high * height / width) / ASPECT
    return turn**2 + (grow / (SMALLER if grow > 0 else LARGER)) ** 2 + shape**2


def _size(box: Box2D) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def make_gallery(fits: Fits, measured: Iterable[str]) -> Gallery:
    """All frames that are not measured; where all are, all, of which a case then sees those of other groups."""
    skipped = set(measured)
    names = [name for name in fits.cars if name not in skipped] or list(fits.cars)
    gallery = Gallery()
    for index, name in enumerate(names):
        gallery.add(open_case(fits, name, index))
    return gallery


# --- baselines --------------------------------------------------------------------------------------------------------


def no_car(case: Case, gallery: Gallery) -> UInt8:
    """The cars painted away."""
    return case.empty


def flat_paste(case: Case, gallery: Gallery) -> UInt8:
    """One grey level per zone, from other frames."""
    return pasted(case.empty, case, gallery)


def flat_paste_in_place(case: Case, gallery: Gallery) -> UInt8:
    """The same over the real frame: what of the real car lies around the fitted one is left to see."""
    return pasted(case.real, case, gallery)


def pasted(behind: UInt8, case: Case, gallery: Gallery) -> UInt8:
    """Zone levels of other frames in the masks, over a picture."""
    levels = np.rint(gallery.levels(case)).astype(np.uint8)
    return np.where(case.frame.instance_id > 0, levels[case.frame.zone], behind)


def nearest_car(case: Case, gallery: Gallery) -> UInt8:
    """Real cars of other frames, stretched to the boxes; cars that are not measured are the flat ones."""
    out = flat_paste(case, gallery)
    for car in case.cars:
        donor, mirror = gallery.nearest(case, car)
        out = np.where(case.hole, _put(out, donor, mirror, car), out)
    return out


def _put(image: UInt8, donor: Donor, mirror: bool, car: Car) -> UInt8:
    left, top, right, bottom = (round(value) for value in car.box)
    size = right - left, bottom - top
    patch, mask = donor.image, donor.mask.astype(np.uint8)
    if mirror:
        patch, mask = patch[:, ::-1], mask[:, ::-1]
    how = cv2.INTER_AREA if patch.shape[0] > size[1] else cv2.INTER_LINEAR
    patch = cv2.resize(np.ascontiguousarray(patch), size, interpolation=how)
    mask = cv2.resize(np.ascontiguousarray(mask), size, interpolation=cv2.INTER_NEAREST)
    out = image.copy()
    top, left = max(top, 0), max(left, 0)
    room = out[top : top + size[1], left : left + size[0]]
    patch, mask = patch[-room.shape[0] :, : room.shape[1]], mask[-room.shape[0] :, : room.shape[1]]
    room[mask > 0] = patch[mask > 0]
    return out


class PhysicsBaseline:
    """The physical rendering of the fitted cars, harmonised with the frame, or blended plainly."""

    def __init__(self, sensor: Sensor, seed: int = 0, *, plain: bool = False) -> None:
        self._profiles: Profiles = read_profiles(THERMAL_PROFILES)
        self._sensor, self._seed, self._plain = sensor, seed, plain

    def __call__(self, case: Case, gallery: Gallery) -> UInt8:
        """(H, W); outside the hole the real frame."""
        weather, draw = self._conditions(case), Draw(self._seed, case.frame.index)
        if self._plain:
            cars = plain_layer(case.frame, weather, self._profiles, draw, self._sensor)
            made, _ = blend_plainly(case.empty, cars)
        else:
            foreground = render_foreground(case.frame, weather, self._profiles, draw)
            measured = measure_sensor(case.empty.astype(np.float32))
            made = harmonise_grey(case.empty, case.frame, foreground, weather, measured, draw)
        return np.where(case.hole, made, case.real)

    def _conditions(self, case: Case) -> Conditions:
        """Weather drawn at random; the hour is that of the frame, as far as it is known."""
        rng = Draw(self._seed, case.index).rng(Stream.CONDITIONS)
        return sample_conditions(rng, weather=None, hour=HOURS.get(case.time), season=None)


def blurred(sigma: float) -> Callable[[Case, Gallery], UInt8]:
    """The whole real frame, blurred: scale of the measure, no result."""
    return lambda case, gallery: np.asarray(cv2.GaussianBlur(case.real, (0, 0), sigma), dtype=np.uint8)


BASELINES: dict[str, Callable[[Case, Gallery], UInt8]] = {
    "no car": no_car,
    "flat paste": flat_paste,
    "flat paste, real surroundings": flat_paste_in_place,
    "nearest real car": nearest_car,
    "blur sigma 0.7": blurred(0.7),
    "blur sigma 1": blurred(1.0),
}
"""Pictures to compare with; physics is added by :class:`PhysicsBaseline`."""
