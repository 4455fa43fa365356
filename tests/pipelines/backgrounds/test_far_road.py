"""The road behind real cars and far away: on real frames, and only where boxes say what stands there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.backgrounds.geometry.boxes import read_boxes
from pipelines.backgrounds.geometry.far_road import with_far_road
from pipelines.backgrounds.geometry.ground import GroundPlanes, with_ground_plane
from pipelines.backgrounds.images import open_background, scan_backgrounds
from renderer.geometry.camera import Camera
from renderer.random_streams import Draw, Stream
from renderer.scene.cars import FrameSetup, ModelSize
from renderer.scene.distances import BoxHeights, Traffic
from renderer.scene.footprints import footprint
from renderer.scene.placement import sample_on_plane
from renderer.scene.projection import projected_box
from renderer.thermal.conditions import sample_conditions

Array = NDArray[np.float64]

MODELS = (ModelSize("hatchback", "car", 4.0, 1.78, 1.46), ModelSize("saloon", "car", 4.75, 1.83, 1.44))
SIZES = {model.name: model for model in MODELS}
FRAMES = 36


@cache
def placed(folder: Path) -> tuple[list[tuple[FrameSetup, Camera, list[Array]]], Array]:
    """Cars in every fifth RoadScene frame with the sizes of its boxes, and those boxes' heights."""
    boxes = read_boxes(folder / "boxes.json")
    heights = [box.box_px[3] - box.box_px[1] for known in boxes.values() for box in known if box.kind == "car"]
    traffic, planes, found = Traffic(2.0, BoxHeights.of(heights)), GroundPlanes(boxes), []
    backgrounds = scan_backgrounds(folder / "infrared")
    for index, file in enumerate(backgrounds.files[::5][:FRAMES]):
        background = open_background(backgrounds, file, camera="flir-adas")
        ground = planes.of(background)
        camera, draw = with_ground_plane(background, ground).camera, Draw(3, index)
        setup = sample_on_plane(
            camera,
            MODELS,
            draw,
            sample_conditions(draw.rng(Stream.CONDITIONS)),
            horizon_px=ground.horizon.row_px,
            horizon_slope=ground.horizon.slope,
            road_yaw_rad=ground.road_yaw_rad,
            free_mask=with_far_road(ground, camera),
            obstacles=[item.footprint for item in ground.obstacles],
            traffic=traffic,
        )
        found.append((setup, camera, [item.footprint.corners_m for item in ground.obstacles]))
    return found, np.array(heights)


def test_real_frames_get_several_cars_as_large_as_real_ones(shared_data: Path) -> None:
    found, real = placed(shared_data / "roadscene")
    counts = np.array([len(setup.placements) for setup, _, _ in found])
    assert (counts >= 2).mean() > 0.6
    assert counts.mean() > 2.0
    heights = np.array(
        [
            box[3] - box[1]
            for setup, camera, _ in found
            for p in setup.placements
            if (box := projected_box(p, SIZES[p.model], camera, setup.cam_to_world)) is not None
        ]
    )
    at = np.concatenate([heights, real])
    shares = [np.searchsorted(np.sort(one), at, side="right") / len(one) for one in (heights, real)]
    assert np.abs(shares[0] - shares[1]).max() < 0.25
    assert (heights < 26).mean() > 0.2


def test_no_placed_car_stands_in_a_real_one(shared_data: Path) -> None:
    """By OpenCV's intersection of convex polygons, footprints as they are, without the margin."""
    for setup, _, taken in placed(shared_data / "roadscene")[0]:
        corners = [footprint(p, SIZES[p.model]).astype(np.float32) for p in setup.placements]
        for k, one in enumerate(corners):
            for other in [*(thing.astype(np.float32) for thing in taken), *corners[:k]]:
                assert cv2.intersectConvexConvex(one, other)[0] < 1e-3


def test_without_boxes_the_road_is_what_the_picture_shows(shared_data: Path) -> None:
    folder = shared_data / "roadscene"
    backgrounds = scan_backgrounds(folder / "infrared")
    known = GroundPlanes(read_boxes(folder / "boxes.json"))
    more = 0
    for file in backgrounds.files[:60:6]:
        background = open_background(backgrounds, file, camera="flir-adas")
        ground, told = GroundPlanes().of(background), known.of(background)
        assert with_far_road(ground, background.camera) is ground.road.free
        wider = with_far_road(told, background.camera)
        assert not (told.road.free & ~wider).any()
        more += int((wider & ~told.road.free).any())
    assert more > 3
