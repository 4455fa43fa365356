"""The search: models x angles, then lengths and finer angles for the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.boxes import clip_box, intersection_over_union
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D
from renderer.raster.rasterizer import Drawing, Rasteriser

from pipelines.backgrounds.geometry.horizon import Horizon
from pipelines.fitting.candidates import Cut, Pose, free_edges, solve
from pipelines.fitting.score import Agreement, Window, agreement, open_window
from pipelines.fitting.shapes import Shape, pools

__all__ = ["Fit", "Fitter", "level_camera", "nearer_boxes"]

STEP_DEG = 10
LENGTHS = (0.92, 1.1)
FINE_DEG, FINE_LENGTH = (5.0, 2.5), 0.04
LENGTH_RANGE = (0.85, 1.2)
KEEP = 3
"""Candidates that are refined."""
OTHER_WAY_DEG = 40.0
"""Beyond this, two headings are two answers; the margin between them is the confidence."""
MIN_IOU = 0.6
WEIGHTS = {"silhouette": 1.0, "parts": 0.6, "levels": 3.0, "texture": 2.0}
IOU_WEIGHT, GROUND_WEIGHT, SHAPE_WEIGHT = 6.0, 0.1, 0.08
HEIGHT_STD_M, LENGTH_STD = 0.12, 0.1
GROUND_STD_M, GROUND_STD_PX = 0.22, 6.0
NEAR_M = 0.1


@dataclass(frozen=True, eq=False)
class Fit:
    """A model fitted to one box."""

    model: str
    angle_deg: float
    pose: Pose
    score: float
    box_iou: float
    """Of the projection, clipped to the image and to cut edges, with the given box."""
    terms: Agreement
    confidence: float = 0.0
    """Margin to the best candidate that heads more than 40 degrees elsewhere."""


def level_camera(camera: Camera, horizon: Horizon) -> Camera:
    """The camera as one that looks level: its principal row is the horizon. Exact for small pitch."""
    fields = camera.to_json() | {"cy": horizon.row_px, "height_m": horizon.height_m, "pitch_deg": 0.0}
    return Camera.from_json(fields)


def nearer_boxes(box: Box2D, others: Sequence[Box2D]) -> list[Box2D]:
    """Boxes that stand before a box: they touch it and reach further down."""
    nearer = []
    for other in others:
        wide = min(box[2], other[2]) - max(box[0], other[0])
        high = min(box[3], other[3]) - max(box[1], other[1])
        if wide > -4 and high > 2 and other[3] > box[3] + 1:
            nearer.append(other)
    return nearer


@dataclass
class Fitter:
    """Models and what is known of their surface.

    Args:
        shapes: car models.
        textures: texture by time of day, see :mod:`pipelines.fitting.texture`.
    """

    shapes: list[Shape]
    textures: dict[str, NDArray[np.float64]]
    _number: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Builds the meshes."""
        self._pool, self.zone_pool = pools(self.shapes)
        self._number = {shape.name: place for place, shape in enumerate(self.shapes)}

    def fit(
        self,
        image: NDArray[np.uint8],
        box: Box2D,
        others: Sequence[Box2D],
        camera: Camera,
        time: str = "",
        headings_deg: Sequence[float] | None = None,
    ) -> Fit | None:
        """The best fit of a box; None where no model comes near it.

        Args:
            image: (H, W) grey.
            box: of the car.
            others: boxes of the frame's other objects.
            camera: level, see :func:`level_camera`.
            time: "day", "night" or "".
            headings_deg: observation angles to search; None takes the whole circle.
        """
        search = _Search(self, image, box, others, camera, self.textures.get(time, self.textures[""]))
        angles = headings_deg if headings_deg is not None else range(0, 360, STEP_DEG)
        tried = [search.at(shape, angle, 1.0) for shape in self.shapes for angle in angles]
        candidates = sorted((fit for fit in tried if fit is not None), key=lambda fit: -fit.score)
        if not candidates:
            return None
        refined = [search.refine(fit, self.shapes[self._number[fit.model]]) for fit in _distinct(candidates)]
        best = max(refined, key=lambda fit: fit.score)
        rivals = [fit.score for fit in (*candidates, *refined) if _apart(fit, best) > OTHER_WAY_DEG]
        margin = best.score - max(rivals) if rivals else best.score
        return Fit(best.model, best.angle_deg, best.pose, best.score, best.box_iou, best.terms, margin)

    def draw(self, rasteriser: Rasteriser, name: str, pose: Pose) -> NDArray[np.uint8]:
        """(h, w) bin of the car at each pixel."""
        drawing = Drawing(np.array([self._number[name]]), pose.matrix()[None], np.array([1]))
        return rasteriser.draw(self._pool, drawing, np.eye(4)).zone

    def number(self, name: str) -> int:
        """Number of a model's mesh in :attr:`zone_pool`."""
        return self._number[name]

    def shape(self, name: str) -> Shape:
        """Model of that name."""
        return self.shapes[self._number[name]]


def _apart(fit: Fit, other: Fit) -> float:
    return abs((fit.angle_deg - other.angle_deg + 180) % 360 - 180)


def _distinct(candidates: list[Fit]) -> list[Fit]:
    """The best, and the best of other headings, so that a flip is refined as well as its rival."""
    kept = candidates[:KEEP]
    rival = next((fit for fit in candidates if _apart(fit, candidates[0]) > OTHER_WAY_DEG), None)
    return kept if rival is None or rival in kept else [*kept, rival]


class _Search:
    """Scores candidates for one box."""

    def __init__(
        self,
        fitter: Fitter,
        image: NDArray[np.uint8],
        box: Box2D,
        others: Sequence[Box2D],
        camera: Camera,
        texture: NDArray[np.float64],
    ) -> None:
        nearer = nearer_boxes(box, others)
        self.fitter, self.box, self.camera, self.texture = fitter, box, camera, texture
        self.cut: Cut = free_edges(box, nearer, camera)
        self.window: Window = open_window(image, box, nearer, camera)
        self.rasteriser = Rasteriser(self.window.camera, NEAR_M)

    def at(self, shape: Shape, angle_deg: float, length: float) -> Fit | None:
        """The candidate of a model, an angle and a length; None where it cannot fill the box."""
        pose = solve(shape, math.radians(angle_deg), length, self.box, self.cut, self.camera)
        overlap = _iou(pose.box_px, self.box, self.cut, self.camera)
        if overlap < MIN_IOU:
            return None
        terms = agreement(self.window, self.fitter.draw(self.rasteriser, shape.name, pose), self.texture)
        score = sum(weight * float(getattr(terms, name)) for name, weight in WEIGHTS.items())
        score += IOU_WEIGHT * min(overlap - 0.95, 0.0) + self._prior(shape, pose)
        return Fit(shape.name, angle_deg % 360, pose, score, overlap, terms)

    def _prior(self, shape: Shape, pose: Pose) -> float:
        """Log of how likely the place and the size are."""
        per_m = self.camera.fy / pose.z_m
        off = (pose.y_m - self.camera.height_m) * per_m / math.hypot(GROUND_STD_PX, GROUND_STD_M * per_m)
        taller = shape.height_m * (pose.height_scale - 1) / HEIGHT_STD_M
        longer = (pose.length_scale - 1) / LENGTH_STD
        return -0.5 * (GROUND_WEIGHT * min(off * off, 9.0) + SHAPE_WEIGHT * (taller**2 + longer**2))

    def refine(self, start: Fit, shape: Shape) -> Fit:
        """The best candidate near one."""
        best = start
        for length in LENGTHS:
            fit = self.at(shape, start.angle_deg, length)
            best = fit if fit is not None and fit.score > best.score else best
        for step in FINE_DEG:
            for turn, longer in ((step, 0.0), (-step, 0.0), (0.0, FINE_LENGTH), (0.0, -FINE_LENGTH)):
                length = float(np.clip(best.pose.length_scale + longer, *LENGTH_RANGE))
                fit = self.at(shape, best.angle_deg + turn, length)
                best = fit if fit is not None and fit.score > best.score else best
        return best


def _iou(projected: Box2D, box: Box2D, cut: Cut, camera: Camera) -> float:
    left, top, right, bottom = projected
    uncut = (
        max(left, box[0]) if cut.left else left,
        max(top, box[1]) if cut.top else top,
        min(right, box[2]) if cut.right else right,
        min(bottom, box[3]) if cut.bottom else bottom,
    )
    if uncut[0] >= uncut[2] or uncut[1] >= uncut[3]:
        return 0.0
    inside = clip_box(uncut, camera)
    return 0.0 if inside is None else intersection_over_union(inside, box)
