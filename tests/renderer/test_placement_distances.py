"""How far away placed cars stand, against real cars: on an empty plane, and on the free road of real frames."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.backgrounds.geometry.ground import GroundPlanes, with_ground_plane
from pipelines.backgrounds.images import open_background, scan_backgrounds
from renderer.geometry.camera import Camera
from renderer.random_streams import Draw, Stream
from renderer.scene.cars import FrameSetup, ModelSize, Placement
from renderer.scene.placement import sample_on_plane
from renderer.thermal.conditions import sample_conditions

Array = NDArray[np.float64]

WIDE = Camera("wide", 640, 512, 400.0, 400.0, 320.0, 250.0, height_m=1.5)
MODELS = (
    ModelSize("hatchback", "car", 4.0, 1.78, 1.46),
    ModelSize("saloon", "car", 4.75, 1.83, 1.44),
    ModelSize("van", "van", 5.9, 2.0, 2.4),
)
SIZES = {model.name: model for model in MODELS}
NEAR_M, FAR_M = 7.0, 45.0
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
REAL_QUANTILES_M = (11.8, 17.3, 29.0, 36.2, 42.9)
"""Of 281 cars in RoadScene's training frames that stand 7 to 45 m away."""
FX_PX, HEIGHT_M = 772.0, 1.5


def on_plane(draw: Draw, camera: Camera = WIDE, **options: Any) -> FrameSetup:
    """Cars in the weather that is drawn for the frame."""
    return sample_on_plane(camera, MODELS, draw, sample_conditions(draw.rng(Stream.CONDITIONS)), **options)


def _nearest_m(placement: Placement) -> float:
    """Distance of the nearest corner of a car's rectangle along the camera's heading, by the model's own axes."""
    size = SIZES[placement.model]
    half = np.array([size.length_m / 2, size.width_m / 2])
    corners = np.array([(a, b) for a in (-1.0, 1.0) for b in (-1.0, 1.0)]) * half
    pose = placement.object_to_world
    return float((corners @ pose[0, :2] + pose[0, 3]).min())


def _kolmogorov(a: Array, b: Array) -> float:
    """Largest difference of the cumulative shares of two samples."""
    at = np.concatenate([a, b])
    shares = [np.searchsorted(np.sort(one), at, side="right") / len(one) for one in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


@cache
def _on_free_road(folder: Path, frames: int) -> tuple[FrameSetup, ...]:
    """Cars on the estimated free road of the first training frames, four draws each."""
    boxes = json.loads((folder / "boxes.json").read_text(encoding="utf-8"))
    found = scan_backgrounds(folder / "infrared")
    training = [file for file in found.files if boxes[Path(file.name).stem]["split"] == "train"]
    setups = []
    for number, file in enumerate(training[:: max(1, len(training) // frames)]):
        background = open_background(found, file)
        ground = GroundPlanes().of(background)
        placed_on = with_ground_plane(background, ground)
        for attempt in range(4):
            setup = on_plane(
                Draw(5, 4 * number + attempt),
                placed_on.camera,
                horizon_px=placed_on.horizon_px,
                road_yaw_rad=ground.road_yaw_rad,
                free_mask=ground.road.free,
            )
            setups.append(setup)
    return tuple(setups)


def _real_m(folder: Path) -> Array:
    """Distances of the real cars of the training frames that are in the range that is drawn from."""
    entries = json.loads((folder / "boxes.json").read_text(encoding="utf-8")).values()
    boxes = [
        box for entry in entries if entry["split"] == "train" for box in entry["boxes_full"] if box["cls"] == "car"
    ]
    edges = np.array([box["xyxy"] for box in boxes], dtype=np.float64)
    whole = (edges[:, :2] > 1).all(axis=1) & (edges[:, 2] < 638) & (edges[:, 3] < 510)
    depth = FX_PX * HEIGHT_M / (edges[whole, 3] - edges[whole, 1])
    return np.asarray(depth[(depth >= NEAR_M) & (depth <= FAR_M)])


def test_on_an_empty_plane_cars_stand_as_far_away_as_real_ones() -> None:
    cars = [p for k in range(250) for p in on_plane(Draw(3, k)).placements]
    depth = np.array([_nearest_m(p) for p in cars])
    assert len(depth) > 500
    assert np.quantile(depth, SHARES) == pytest.approx(REAL_QUANTILES_M, abs=3.0)
    # Headings within 13 degrees of the road bring a corner at most this much nearer than half a length.
    assert depth.min() > NEAR_M - 0.25
    assert depth.max() < FAR_M + 0.25


def test_on_the_free_road_of_real_frames_they_do_too(shared_data: Path) -> None:
    folder = shared_data / "roadscene"
    depth = np.array([_nearest_m(p) for setup in _on_free_road(folder, 159) for p in setup.placements])
    assert len(depth) > 300
    assert _kolmogorov(depth, _real_m(folder)) < 0.13
    assert np.median(depth) == pytest.approx(np.median(_real_m(folder)), abs=3.0)


def test_most_real_frames_with_free_road_get_a_car(shared_data: Path) -> None:
    setups = _on_free_road(shared_data / "roadscene", 159)
    assert np.mean([bool(setup.placements) for setup in setups]) > 0.5


def test_no_car_stands_in_a_strip_of_free_ground_that_is_narrower_than_a_lane() -> None:
    far = np.zeros((WIDE.height, WIDE.width), dtype=np.bool_)
    far[255:300, 300:325] = True  # 2.8 m wide at 45 m
    open_ground = far.copy()
    open_ground[300:] = True
    assert not any(on_plane(Draw(4, k), horizon_px=250.0, free_mask=far).placements for k in range(40))
    cars = [p for k in range(80) for p in on_plane(Draw(4, k), horizon_px=250.0, free_mask=open_ground).placements]
    assert len(cars) > 40
    # Row 300 is 12 m away; a car may reach a grid point's share beyond it.
    assert max(p.x_m for p in cars) < 12.0


def test_a_frame_is_drawn_alike_whatever_was_drawn_before() -> None:
    mask = np.zeros((WIDE.height, WIDE.width), dtype=np.bool_)
    mask[260:, 100:500] = True
    drawn = [on_plane(Draw(8, k), free_mask=mask) for k in (4, 9, 4)]
    assert drawn[0].placements == drawn[2].placements
    assert drawn[0].placements != drawn[1].placements


def test_positions_across_the_picture_are_not_on_a_grid() -> None:
    mask = np.ones((WIDE.height, WIDE.width), dtype=np.bool_)
    cars = [p for k in range(120) for p in on_plane(Draw(8, k), free_mask=mask).placements]
    askew = [p for p in cars if abs(np.sin(p.yaw_rad)) > np.sin(np.radians(14.0))]
    # 32 of 64 cells across half the field of view: the place within a cell.
    within = np.array([p.y_m / p.x_m / 0.8 * 32 % 1.0 for p in askew])
    assert len(within) > 60
    assert np.histogram(within, bins=4, range=(0.0, 1.0))[0].min() > 0.12 * len(within)
