"""Where cars stand and from where they are seen: seeded traffic on a street.

A :class:`Street` is plain geometry: lanes, parking bays and the paths that the camera car drives. From it and a list of
:class:`ModelSize` :func:`sample_frame` draws one frame: pose of the camera, and a :class:`Placement` for each
car. Frame ``index`` of a seed is always the same, because all randomness comes from its :class:`Draw`.
World axes: z up, metres; traffic keeps to the right-hand side because the lanes do.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..geometry.camera import Camera
from ..random_streams import Draw, Stream
from ..thermal.conditions import Conditions, sample_conditions

__all__ = [
    "Bay",
    "FrameSetup",
    "Lane",
    "ModelMix",
    "ModelSize",
    "Placement",
    "Street",
    "camera_pose",
    "covered_share",
    "footprint",
    "overlaps",
    "parked_profile",
    "projected_box",
    "sample_frame",
    "seen_share",
]

Array = NDArray[np.float64]

# Camera against the road, fitted to 134 road planes of KITTI: height 1.655 m (std 0.027), pitch std 0.319 degrees.
HEIGHT_STD_M = 0.027
PITCH_STD_DEG = 0.32
# A driver keeps to the middle of the lane within a few decimetres and mostly looks along it; one frame in six is taken
# while steering (lane change, bend), which is when a narrow camera sees the kerb. Our choice.
LATERAL_STD_M, LATERAL_MAX_M = 0.3, 0.7
YAW_STD_DEG, STEERING_YAW_STD_DEG, STEERING_SHARE, YAW_MAX_DEG = 1.2, 4.0, 0.17, 9.0

# Counts of KITTI's training labels (28742 cars, 2914 vans, 1094 trucks, 511 trams), with lorries and buses doubled so
# that a small dataset holds some of each.
CATEGORY_SHARE = {"car": 0.80, "van": 0.09, "truck": 0.07, "bus": 0.04}
OTHER_SHARE = 0.05
LONG_CATEGORIES = ("truck", "bus")

VIEW_FAR_M = 65.0
"""Cars farther away are a few pixels wide and mostly hidden; they are left out."""
NEAREST_M = 0.3
"""A car that comes nearer than this to the camera's plane has no box in the picture."""
WEDGE_MARGIN_M = 2.5
"""Lanes and bays are filled this far outside the field of view, so that cars cut by the picture's edge are there."""
SAFETY_MARGIN_M = 0.25
"""Least gap between two cars, metres: mirrors (0.2 m) stand outside a car's nominal width."""

# The camera car itself: nothing may stand here. The camera is behind its windscreen, 1.7 m behind the front bumper.
EGO_BACK_M, EGO_FRONT_M, EGO_WIDTH_M = 3.2, 4.2, 2.3
LEAD_MIN_M = 6.0
"""Camera to the rear of the car ahead: a gap of 4.3 m behind the bumper, as in a queue."""
LEAD_MIN_LONG_M = 11.0
"""The same for lorries and buses, which otherwise fill the picture."""
MAX_COVER, COVER_CHECK_M = 0.28, 22.0
"""No car may fill more of the picture than a car 6 m ahead does; only those this near can."""
LEAD_NEAR_SHARE, LEAD_NEAR_MAX_M, LEAD_FAR_MAX_M = 0.62, 26.0, 70.0

# Bumper-to-bumper gaps, metres: standing queue 1.5-4 m; town traffic at 30-50 km/h and 1-3 s headway.
QUEUE_GAP_M, FLOW_GAP_M = (1.5, 4.0), (9.0, 45.0)
QUEUE_CARS = (1, 5)
"""Cars that wait at a signal, least and most."""
# Share of lanes with a standing queue, flowing traffic, nothing.
LANE_STATES = ("idling", "driving", "empty")
LANE_STATE_EDGES = (0.25, 0.87)
BAY_OCCUPANCY = (0.15, 0.75)
"""Share of bays in use, drawn anew for each frame."""
REVERSED_SHARE = 0.1
"""Cars parked against the direction of their bay."""

HIDDEN_GRID = 64
"""Rows and columns of the coarse picture in which cars hide each other."""
HIDDEN_SHARE = 0.2
"""A car of whose box nearer cars leave less than this is left out: it would cost as much as one that is seen."""
SOLID_BOX = (0.08, 0.3)
"""What of a car's box hides nothing for certain: this share at either side, and at the top."""

ATTEMPTS = 8
"""Traffic is drawn again, at most so often, until a car can be seen well."""
WELL_SEEN_PX, WELL_SEEN_SHARE = 48.0, 0.5
"""A car is seen well when it is this wide and this much of its box lies inside the picture."""


@dataclass(frozen=True)
class ModelSize:
    """Outer size of a car model, whose origin stands on the ground below its centre."""

    name: str
    category: str
    length_m: float
    width_m: float
    height_m: float


@dataclass(frozen=True)
class Lane:
    """One lane, for one direction."""

    points_m: Array
    """(N, 3) centre line on the ground in driving order, world, metres."""
    width_m: float

    @cached_property
    def line(self) -> _Line:
        """The centre line by arc length."""
        return _Line(self.points_m)


@dataclass(frozen=True)
class Bay:
    """One parking bay, a rectangle on the ground."""

    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float
    """Heading of a car that parks forward."""
    length_m: float
    width_m: float


@dataclass(frozen=True)
class Street:
    """Everything that traffic needs to know of a scene."""

    lanes: tuple[Lane, ...]
    bays: tuple[Bay, ...]
    camera_paths: tuple[Array, ...]
    """(N, 3) each: what the point of the road below the camera drives along, world, metres."""

    @cached_property
    def path_lines(self) -> tuple[_Line, ...]:
        """The camera paths by arc length."""
        return tuple(_Line(path) for path in self.camera_paths)

    @cached_property
    def lane_points_m(self) -> Array:
        """(N, 2) points of all lanes, a metre apart, lane after lane."""
        return np.concatenate([np.zeros((0, 2)), *(lane.line.dense_m[:, :2] for lane in self.lanes)])

    @cached_property
    def lane_starts(self) -> list[int]:
        """Where each lane's points begin in :attr:`lane_points_m`, and where the last one's end."""
        return [0, *np.cumsum([len(lane.line.dense_m) for lane in self.lanes], dtype=np.int64).tolist()]

    @cached_property
    def bay_centres_m(self) -> Array:
        """(B, 2) centres of the bays."""
        return np.array([(bay.x_m, bay.y_m) for bay in self.bays], dtype=np.float64).reshape(-1, 2)


@dataclass(frozen=True)
class Placement:
    """One car of a frame: pose of the model's origin in the world."""

    model: str
    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float
    """Heading, counter-clockwise from world +x."""
    profile: str
    """Thermal profile, a key of ``assets/thermal_profiles.toml``."""

    @property
    def object_to_world(self) -> Array:
        """(4, 4) pose."""
        c, s = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        return np.array(
            [[c, -s, 0.0, self.x_m], [s, c, 0.0, self.y_m], [0.0, 0.0, 1.0, self.z_m], [0.0, 0.0, 0.0, 1.0]]
        )


@dataclass(frozen=True)
class FrameSetup:
    """Everything that is random about the geometry of one frame."""

    index: int
    placements: tuple[Placement, ...]
    cam_to_world: Array
    """(4, 4) OpenCV camera axes to the world, metres."""


class _Line:
    """A polyline on the ground, addressed by arc length."""

    def __init__(self, points_m: Array) -> None:
        self.points_m = np.asarray(points_m, dtype=np.float64)
        if self.points_m.ndim != 2 or self.points_m.shape[1] != 3 or len(self.points_m) < 2:
            raise SceneError(
                f"a lane or camera path has shape {self.points_m.shape}: expected (N, 3) with N >= 2 points"
            )
        self.s_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.points_m[:, :2], axis=0).T))])
        self.length_m = float(self.s_m[-1])
        self.dense_s_m = np.linspace(0.0, self.length_m, max(2, round(self.length_m) + 1))
        self.dense_m = self.at(self.dense_s_m)
        self._steps_m = np.diff(self.dense_m[:, :2], axis=0)
        self._step_sq_m2 = np.maximum((self._steps_m**2).sum(axis=1), 1e-12)
        self._knots_m: list[float] = self.s_m.tolist()
        self._corners_m: list[list[float]] = self.points_m.tolist()

    def _point(self, s_m: float) -> tuple[float, float, float]:
        """Point at an arc length; numpy would take longer to be called than this takes to run."""
        k = min(max(bisect_right(self._knots_m, s_m), 1), len(self._knots_m) - 1)
        start, end = self._knots_m[k - 1], self._knots_m[k]
        t = (s_m - start) / (end - start) if end > start else 0.0
        (ax, ay, az), (bx, by, bz) = self._corners_m[k - 1], self._corners_m[k]
        return ax + t * (bx - ax), ay + t * (by - ay), az + t * (bz - az)

    def at(self, s_m: Array | float) -> Array:
        """Points at those arc lengths, (..., 3)."""
        return np.stack([np.interp(s_m, self.s_m, self.points_m[:, axis]) for axis in range(3)], axis=-1)

    def pose(self, s_m: float, base_m: float) -> tuple[float, float, float, float]:
        """``x, y, z, yaw`` of a vehicle whose axles stand on the line, ``base_m`` apart."""
        rear, front = self._point(max(0.0, s_m - base_m / 2)), self._point(min(self.length_m, s_m + base_m / 2))
        yaw = math.atan2(front[1] - rear[1], front[0] - rear[0])
        return (rear[0] + front[0]) / 2, (rear[1] + front[1]) / 2, (rear[2] + front[2]) / 2, yaw

    def distance_m(self, points_m: Array, s_m: float, reach_m: float) -> Array:
        """Distance of (P, 2) points from the part of the line within ``reach`` of ``s``, (P,)."""
        gap = self.length_m / (len(self.dense_s_m) - 1)
        first = max(0, int((s_m - reach_m) / gap) - 1)
        last = min(len(self._steps_m), int((s_m + reach_m) / gap) + 2)
        d, sq = self._steps_m[first:last], self._step_sq_m2[first:last]
        rel = points_m[:, None, :] - self.dense_m[first:last, :2]
        along = rel[..., 0] * d[:, 0] + rel[..., 1] * d[:, 1]
        beyond = along - np.minimum(np.maximum(along, 0.0), sq)
        across = rel[..., 0] * d[:, 1] - rel[..., 1] * d[:, 0]
        return np.asarray(np.sqrt(((across * across + beyond * beyond) / sq).min(axis=1)))


# --- geometry ---------------------------------------------------------------------------------------------------------


def _clip(value: float, low: float, high: float) -> float:
    """As numpy's, which takes twenty times as long for one number."""
    return min(max(float(value), low), high)


def footprint(placement: Placement, size: ModelSize, margin_m: float = 0.0) -> Array:
    """Corners of a car on the ground, (4, 2) counter-clockwise, grown by ``margin_m`` on each side."""
    return _rectangle(
        placement.x_m, placement.y_m, placement.yaw_rad, size.length_m + 2 * margin_m, size.width_m + 2 * margin_m
    )


def _rectangle(x_m: float, y_m: float, yaw_rad: float, length_m: float, width_m: float) -> Array:
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    ax, ay, bx, by = c * length_m / 2, s * length_m / 2, -s * width_m / 2, c * width_m / 2
    return np.array(
        [
            (x_m + ax - bx, y_m + ay - by),
            (x_m + ax + bx, y_m + ay + by),
            (x_m - ax + bx, y_m - ay + by),
            (x_m - ax - bx, y_m - ay - by),
        ]
    )


def overlaps(a: Array, b: Array) -> bool:
    """Whether two rectangles (4, 2) share a point: no side of either separates them."""
    first, second = a.tolist(), b.tolist()
    for (ox, oy), (px, py), (qx, qy) in (first[:3], second[:3]):
        for ax, ay in ((px - ox, py - oy), (qx - px, qy - py)):
            along = [ax * x + ay * y for x, y in first]
            other = [ax * x + ay * y for x, y in second]
            if max(along) < min(other) or max(other) < min(along):
                return False
    return True


def camera_pose(x_m: float, y_m: float, z_m: float, yaw_rad: float, pitch_rad: float) -> Array:
    """(4, 4) pose of an OpenCV camera at that point, looking along ``yaw`` and tilted ``pitch`` downward."""
    c, s, cp, sp = math.cos(yaw_rad), math.sin(yaw_rad), math.cos(pitch_rad), math.sin(pitch_rad)
    pose = np.eye(4)
    pose[:3, 0] = s, -c, 0.0
    pose[:3, 1] = -c * sp, -s * sp, -cp
    pose[:3, 2] = c * cp, s * cp, -sp
    pose[:3, 3] = x_m, y_m, z_m
    return pose


def projected_box(
    placement: Placement, size: ModelSize, camera: Camera, cam_to_world: Array
) -> tuple[float, float, float, float] | None:
    """Box ``(left, top, right, bottom)`` in pixels around a car's 3-D box; None if part of it is behind the camera."""
    return _box_around(placement, size, camera, _world_to_cam(cam_to_world))


def _box_around(
    placement: Placement, size: ModelSize, camera: Camera, world_to_cam: list[list[float]]
) -> tuple[float, float, float, float] | None:
    (rx, ry, rz, ox), (ux, uy, uz, oy), (fx, fy, fz, oz) = world_to_cam
    columns, rows = [], []
    for x, y in footprint(placement, size).tolist():
        for z in (placement.z_m, placement.z_m + size.height_m):
            depth = fx * x + fy * y + fz * z + oz
            if depth < NEAREST_M:
                return None
            columns.append(camera.fx * (rx * x + ry * y + rz * z + ox) / depth + camera.cx)
            rows.append(camera.fy * (ux * x + uy * y + uz * z + oy) / depth + camera.cy)
    return min(columns), min(rows), max(columns), max(rows)


def _world_to_cam(cam_to_world: Array) -> list[list[float]]:
    """Rows of the (3, 4) matrix from world to camera."""
    turn = cam_to_world[:3, :3].T
    return np.column_stack([turn, -turn @ cam_to_world[:3, 3]]).tolist()  # type: ignore[no-any-return]


def seen_share(box: tuple[float, float, float, float], camera: Camera) -> float:
    """Share of a box's area that lies inside the picture."""
    left, top, right, bottom = box
    width = min(right, camera.width) - max(left, 0.0)
    height = min(bottom, camera.height) - max(top, 0.0)
    return max(width, 0.0) * max(height, 0.0) / ((right - left) * (bottom - top))


def covered_share(box: tuple[float, float, float, float], by: tuple[float, float, float, float]) -> float:
    """Share of a box's area that another covers."""
    width = min(box[2], by[2]) - max(box[0], by[0])
    height = min(box[3], by[3]) - max(box[1], by[1])
    return max(width, 0.0) * max(height, 0.0) / ((box[2] - box[0]) * (box[3] - box[1]))


# --- one frame on a street --------------------------------------------------------------------------------------------


def sample_frame(
    street: Street,
    models: Sequence[ModelSize],
    camera: Camera,
    draw: Draw,
    profile: str | None = None,
    density: float = 1.0,
    conditions: Conditions | None = None,
) -> FrameSetup:
    """Draw camera pose and cars of a frame.

    Args:
        street: lanes, bays and camera paths.
        models: what may stand there; lorries and buses only drive, bays take what fits.
        camera: its field of view decides where cars are worth placing; height and pitch are the mean of the pose.
        draw: seed of the dataset and number of the frame.
        profile: thermal profile of all cars; None draws one per car that suits its place.
        density: 1 is ordinary town traffic, 0 an empty street.
        conditions: weather and hour, which the profiles of parked cars suit; None draws them as for the frame itself.

    Raises:
        SceneError: no camera path, or no models.
    """
    if not street.camera_paths:
        raise SceneError("the street has no camera path: expected an object with the property 'gis_camera_path'")
    if not models:
        raise SceneError("no car models: expected at least one collection with the property 'gis_category'")
    weather = conditions or sample_conditions(draw.rng(Stream.CONDITIONS))
    cam_to_world, yaw_rad = _sample_camera(street, camera, draw.rng(Stream.CAMERA))
    rng = draw.rng(Stream.TRAFFIC)
    traffic = _Traffic(street, models, camera, cam_to_world, yaw_rad, density, weather)
    placements = traffic.sample(rng)
    for _ in range(ATTEMPTS - 1):
        if density <= 0 or traffic.well_seen(placements):
            break
        placements = traffic.sample(rng)
    if profile is not None:
        placements = [replace(p, profile=profile) for p in placements]
    return FrameSetup(draw.index, tuple(placements), cam_to_world)


def _sample_camera(street: Street, camera: Camera, rng: np.random.Generator) -> tuple[Array, float]:
    """Pose of the camera, and the heading of its car."""
    lengths = np.array([line.length_m for line in street.path_lines])
    along = rng.uniform(0.0, lengths.sum())
    which = min(int(np.searchsorted(np.cumsum(lengths), along)), len(lengths) - 1)
    s = along - lengths[:which].sum()
    x, y, z, heading = street.path_lines[which].pose(float(s), 2.7)
    lateral = _clip(rng.normal(0.0, LATERAL_STD_M), -LATERAL_MAX_M, LATERAL_MAX_M)
    yaw_std = STEERING_YAW_STD_DEG if rng.random() < STEERING_SHARE else YAW_STD_DEG
    yaw = heading + math.radians(_clip(rng.normal(0.0, yaw_std), -YAW_MAX_DEG, YAW_MAX_DEG))
    height = camera.height_m + _clip(rng.normal(0.0, HEIGHT_STD_M), -0.09, 0.09)
    pitch = math.radians(camera.pitch_deg + _clip(rng.normal(0.0, PITCH_STD_DEG), -1.0, 1.0))
    x, y = x - lateral * math.sin(heading), y + lateral * math.cos(heading)
    return camera_pose(x, y, z + height, yaw, pitch), heading


@dataclass(frozen=True)
class _SeenLane:
    """The part of a lane that one camera sees."""

    lane: Lane
    from_s_m: float
    to_s_m: float
    """Equal to ``from_s_m`` where none of the lane is seen."""
    lead_s_m: float | None
    """Where on it the camera's own car drives, if it does."""


class _Traffic:
    """Sampler of one frame's cars; holds what all attempts share."""

    def __init__(
        self,
        street: Street,
        models: Sequence[ModelSize],
        camera: Camera,
        cam_to_world: Array,
        heading_rad: float,
        density: float,
        conditions: Conditions,
    ) -> None:
        self.street, self.camera, self.cam_to_world = street, camera, cam_to_world
        self.density, self.conditions = density, conditions
        self.heading_rad = heading_rad
        self.models = {model.name: model for model in models}
        self.driving = ModelMix(models)
        self.world_to_cam = _world_to_cam(cam_to_world)
        self.position_m = cam_to_world[:2, 3]
        self.ego_m = _ego_rectangle(self.position_m, heading_rad)
        self.wedge = _wedge(camera, cam_to_world)
        self.seen_bays = np.flatnonzero(self._in_wedge(street.bay_centres_m)).tolist()
        self.seen_lanes = list(self._seen_lanes())
        self.placed: list[tuple[Placement, Array, float]] = []

    def _seen_lanes(self) -> Iterator[_SeenLane]:
        """Lanes with a point in the field of view."""
        points, starts = self.street.lane_points_m, self.street.lane_starts
        seen = np.flatnonzero(self._in_wedge(points))
        distance_m = np.hypot(*(points - self.position_m).T)
        ends = np.searchsorted(seen, starts).tolist()
        for k, lane in enumerate(self.street.lanes):
            own = slice(starts[k], starts[k + 1])
            if ends[k] < ends[k + 1]:
                s = lane.line.dense_s_m
                first, last = seen[ends[k]] - starts[k], seen[ends[k + 1] - 1] - starts[k]
                yield _SeenLane(lane, float(s[first]), float(s[last]), self._lead_s_m(lane.line, distance_m[own]))
            else:
                yield _SeenLane(lane, 0.0, 0.0, None)

    def sample(self, rng: np.random.Generator) -> list[Placement]:
        """One draw of all cars."""
        self.placed = []
        if self.density > 0:
            for seen in self.seen_lanes:
                self._fill_lane(seen, rng)
            self._fill_bays(rng)
        return self._visible([placement for placement, _, _ in self.placed])

    def _visible(self, placements: list[Placement]) -> list[Placement]:
        """Those that are in the picture and not behind nearer cars, nearest first."""
        view = self.cam_to_world[:2, 2].tolist()
        across, down = HIDDEN_GRID / self.camera.width, HIDDEN_GRID / self.camera.height
        covered = np.zeros((HIDDEN_GRID, HIDDEN_GRID), dtype=np.bool_)
        kept = []
        for placement in sorted(placements, key=lambda p: view[0] * p.x_m + view[1] * p.y_m):
            size = self.models[placement.model]
            box = self._box(placement, size)
            if box is None:
                if self._reaches_in(placement, size):
                    kept.append(placement)
                continue
            left, top, right, bottom = box[0] * across, box[1] * down, box[2] * across, box[3] * down
            cells = covered[_cells(top, bottom), _cells(left, right)]
            if not cells.size or cells.size - np.count_nonzero(cells) < HIDDEN_SHARE * cells.size:
                continue
            kept.append(placement)
            side, roof = SOLID_BOX[0] * (right - left), SOLID_BOX[1] * (bottom - top)
            covered[_cells(top + roof, bottom, inner=True), _cells(left + side, right - side, inner=True)] = True
        return kept

    def _box(self, placement: Placement, size: ModelSize) -> tuple[float, float, float, float] | None:
        return _box_around(placement, size, self.camera, self.world_to_cam)

    def _reaches_in(self, placement: Placement, size: ModelSize) -> bool:
        """Whether a car that stands partly beside or behind the camera can reach into the field of view."""
        rel = footprint(placement, size) - self.position_m
        z = np.maximum(rel @ self.cam_to_world[:2, 2], NEAREST_M)
        column = self.camera.fx * (rel @ self.cam_to_world[:2, 0]) / z + self.camera.cx
        return bool(column.max() > 0 and column.min() < self.camera.width)

    def well_seen(self, placements: Sequence[Placement]) -> bool:
        """Whether at least one car is large enough and mostly inside the picture."""
        for placement in placements:
            box = self._box(placement, self.models[placement.model])
            if box and box[2] - box[0] >= WELL_SEEN_PX and seen_share(box, self.camera) >= WELL_SEEN_SHARE:
                return True
        return False

    def _in_wedge(self, points_m: Array) -> NDArray[np.bool_]:
        """Whether (P, 2) ground points lie in the widened horizontal field of view."""
        x, y = points_m[:, 0] - self.position_m[0], points_m[:, 1] - self.position_m[1]
        (fx, fy), (rx, ry), (left, right) = self.wedge
        z, across = fx * x + fy * y, rx * x + ry * y
        inside = (across > left * z - WEDGE_MARGIN_M) & (across < right * z + WEDGE_MARGIN_M)
        return np.asarray((z > -1.0) & (z < VIEW_FAR_M) & inside)

    def _reaches_wedge(self, corners_m: Array) -> bool:
        """Whether one of a few points does; quicker for them than arrays are."""
        (fx, fy), (rx, ry), (left, right) = self.wedge
        x0, y0 = self.position_m.tolist()
        for x, y in corners_m.tolist():
            z, across = fx * (x - x0) + fy * (y - y0), rx * (x - x0) + ry * (y - y0)
            if -1.0 < z < VIEW_FAR_M and left * z - WEDGE_MARGIN_M < across < right * z + WEDGE_MARGIN_M:
                return True
        return False

    def _fill_lane(self, seen: _SeenLane, rng: np.random.Generator) -> None:
        """Walk along the visible part of a lane, from one car to the next."""
        state = LANE_STATES[bisect_right(LANE_STATE_EDGES, rng.random())]
        lane, s, end, lead = seen.lane, seen.from_s_m, seen.to_s_m, seen.lead_s_m
        if s == end or (lead is None and state == "empty"):
            return
        low, high = QUEUE_GAP_M if state == "idling" else FLOW_GAP_M
        if lead is None:
            s += rng.uniform(0.0, high) - 6.0
        else:
            s = lead + self._lead_gap_m(state, rng)
        left = int(rng.integers(QUEUE_CARS[0], QUEUE_CARS[1] + 1)) if state == "idling" else 99
        while s < end and left:
            left -= 1
            size = self.driving.draw(rng)
            if lead is not None and size.category in LONG_CATEGORIES:
                s = max(s, lead + LEAD_MIN_LONG_M)
            self._place_in_lane(lane, s + size.length_m / 2, size, "driving" if state == "empty" else state, rng)
            s += size.length_m + rng.uniform(low, high) / self.density

    def _lead_s_m(self, line: _Line, distance_m: Array) -> float | None:
        """Arc length of the camera where it drives in this lane, else None."""
        nearest = int(np.argmin(distance_m))
        if distance_m[nearest] > 1.5:
            return None
        yaw = line.pose(float(line.dense_s_m[nearest]), 2.7)[3]
        return float(line.dense_s_m[nearest]) if math.cos(yaw - self.heading_rad) > 0.9 else None

    @staticmethod
    def _lead_gap_m(state: str, rng: np.random.Generator) -> float:
        """Camera to the rear of the car ahead."""
        if state == "idling":
            return float(rng.uniform(LEAD_MIN_M, 10.0))
        if state == "driving" and rng.random() < LEAD_NEAR_SHARE:
            return float(rng.uniform(LEAD_MIN_M + 1.0, LEAD_NEAR_MAX_M))
        return float(rng.uniform(LEAD_NEAR_MAX_M, LEAD_FAR_MAX_M))

    def _place_in_lane(self, lane: Lane, s_m: float, size: ModelSize, profile: str, rng: np.random.Generator) -> None:
        if not size.length_m / 2 < s_m < lane.line.length_m - size.length_m / 2:
            return
        slack = max(0.0, (lane.width_m - size.width_m) / 2 - 0.15)
        lateral = _clip(rng.normal(0.0, 0.18), -slack / 2, slack / 2)
        jitter = math.radians(_clip(rng.normal(0.0, 0.8), -2.0, 2.0)) * min(1.0, 4.5 / size.length_m)
        x, y, z, yaw = lane.line.pose(s_m, 0.6 * size.length_m)
        placement = Placement(
            size.name, x - lateral * math.sin(yaw), y + lateral * math.cos(yaw), z, yaw + jitter, profile
        )
        corners = footprint(placement, size)
        if lane.line.distance_m(corners, s_m, size.length_m).max() <= lane.width_m / 2 + 0.05:
            self._place(placement, size)

    def _fill_bays(self, rng: np.random.Generator) -> None:
        occupancy = min(0.97, rng.uniform(*BAY_OCCUPANCY) * self.density)
        for which in self.seen_bays:
            if rng.random() < occupancy:
                self._fill_bay(self.street.bays[which], rng)

    def _fill_bay(self, bay: Bay, rng: np.random.Generator) -> None:
        """Park a model that fits, if there is one."""
        size = self.driving.draw_fitting(rng, bay.length_m - 0.2, bay.width_m - 0.1)
        if size is None:
            return
        along = min(0.5, (bay.length_m - 0.1 - size.length_m) / 2)
        across = min(0.15, (bay.width_m - size.width_m) / 2)
        dx, dy = rng.uniform(-along, along), rng.uniform(-across, across) * 0.6
        yaw = bay.yaw_rad + (math.pi if rng.random() < REVERSED_SHARE else 0.0)
        c, s = math.cos(bay.yaw_rad), math.sin(bay.yaw_rad)
        jitter = math.radians(_clip(rng.normal(0.0, 0.8), -1.5, 1.5))
        x, y = bay.x_m + dx * c - dy * s, bay.y_m + dx * s + dy * c
        self._place(Placement(size.name, x, y, bay.z_m, yaw + jitter, self._parked_profile(rng)), size)

    def _parked_profile(self, rng: np.random.Generator) -> str:
        """How a parked car was heated: by the sun if it shines, by a drive a while ago, or not at all."""
        return parked_profile(self.conditions, rng)

    def _place(self, placement: Placement, size: ModelSize) -> None:
        """Accept a car unless it touches another one, or the camera's own."""
        corners = footprint(placement, size, SAFETY_MARGIN_M / 2)
        radius = math.hypot(size.length_m, size.width_m) / 2 + SAFETY_MARGIN_M
        if not self._reaches_wedge(corners) or overlaps(corners, self.ego_m) or self._fills_picture(placement, size):
            return
        for other, other_corners, other_radius in self.placed:
            near = math.hypot(other.x_m - placement.x_m, other.y_m - placement.y_m) < radius + other_radius
            if near and overlaps(corners, other_corners):
                return
        self.placed.append((placement, corners, radius))

    def _fills_picture(self, placement: Placement, size: ModelSize) -> bool:
        """Whether nearly nothing else could be seen beside this car."""
        distance = math.hypot(placement.x_m - self.position_m[0], placement.y_m - self.position_m[1])
        if distance > COVER_CHECK_M:
            return False
        box = self._box(placement, size)
        if box is None:
            return False
        picture = (0.0, 0.0, float(self.camera.width), float(self.camera.height))
        return covered_share(picture, box) > MAX_COVER


def _cells(low: float, high: float, inner: bool = False) -> slice:
    """Cells of the coarse picture that a stretch touches, or (``inner``) fills."""
    first, last = (math.ceil(low), math.floor(high)) if inner else (math.floor(low), math.ceil(high))
    return slice(min(max(first, 0), HIDDEN_GRID), min(max(last, 0), HIDDEN_GRID))


class ModelMix:
    """Draws models with the shares of their categories."""

    def __init__(self, models: Sequence[ModelSize]) -> None:
        self.models = list(models)
        counts: dict[str, int] = {}
        for model in models:
            counts[model.category] = counts.get(model.category, 0) + 1
        self.shares = [CATEGORY_SHARE.get(m.category, OTHER_SHARE) / counts[m.category] for m in models]

    def draw(self, rng: np.random.Generator) -> ModelSize:
        """Any model."""
        return self._draw(rng, self.shares)

    def draw_fitting(self, rng: np.random.Generator, length_m: float, width_m: float) -> ModelSize | None:
        """A model no larger than that, no lorry and no bus; None if there is none."""
        shares = [
            share if m.length_m <= length_m and m.width_m <= width_m and m.category not in LONG_CATEGORIES else 0.0
            for m, share in zip(self.models, self.shares, strict=True)
        ]
        return self._draw(rng, shares) if any(shares) else None

    def _draw(self, rng: np.random.Generator, shares: Sequence[float]) -> ModelSize:
        edges = list(accumulate(shares))
        return self.models[min(bisect_right(edges, rng.random() * edges[-1]), len(shares) - 1)]


def _wedge(camera: Camera, cam_to_world: Array) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Unit vectors forward and right on the ground, and how far right the picture's edges go per metre forward."""
    (fx, fy), (rx, ry) = cam_to_world[:2, 2].tolist(), cam_to_world[:2, 0].tolist()
    length = math.hypot(fx, fy)
    edges = -camera.cx / camera.fx, (camera.width - camera.cx) / camera.fx
    return (fx / length, fy / length), (rx, ry), edges


def _ego_rectangle(position_m: Array, heading_rad: float) -> Array:
    """Where the camera's own car is, (4, 2)."""
    centre = (EGO_FRONT_M - EGO_BACK_M) / 2
    x, y = position_m + centre * np.array([math.cos(heading_rad), math.sin(heading_rad)])
    return _rectangle(float(x), float(y), heading_rad, EGO_FRONT_M + EGO_BACK_M, EGO_WIDTH_M)


def parked_profile(conditions: Conditions, rng: np.random.Generator) -> str:
    """A profile of a parked car that suits the weather."""
    sunny = conditions.weather == "clear" and conditions.sun_elevation_deg > 10.0
    shares = (0.25, 0.2, 0.55) if sunny else (0.7, 0.3, 0.0)
    names = ("cold_soaked", "just_parked", "sun_loaded")
    return names[int(np.searchsorted(np.cumsum(shares), rng.random() * sum(shares), side="right"))]
