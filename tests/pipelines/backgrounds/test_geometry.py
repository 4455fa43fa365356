"""Geometry of backgrounds: horizon, camera height, road and obstacles, against made-up streets and real boxes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from assets import CAMERAS
from pipelines.backgrounds.geometry.boxes import KnownBox, read_boxes, to_crop
from pipelines.backgrounds.geometry.ground import GroundPlane, with_ground_plane
from pipelines.backgrounds.geometry.horizon import Horizon, horizon_from_boxes, vanishing_point
from pipelines.backgrounds.geometry.obstacles import find_obstacles, hide_behind
from pipelines.backgrounds.geometry.road import Road, RoadPlane, estimate_road, read_road_mask
from pipelines.backgrounds.images import Background, BackgroundFile
from pipelines.dataset.record import GroundRecord
from pipelines.errors import BackgroundError
from pipelines.synthesis.infrared import _keeping_obstacles
from renderer.geometry.camera import Camera, read_cameras
from renderer.geometry.frame import Box3D, Frame, Instance
from renderer.insertion.foreground import ForegroundLayer
from renderer.random_streams import Draw, Stream
from renderer.scene.cars import ModelSize
from renderer.scene.placement import sample_on_plane
from renderer.thermal.conditions import sample_conditions

CAMERA = Camera("street", 640, 512, 772.0, 772.0, 320.0, 256.0)
ROW, HEIGHT_M = 230.0, 1.3
RECORD = GroundRecord(
    horizon_px=ROW,
    horizon_std_px=0.0,
    horizon_from="given",
    horizon_confidence=1.0,
    camera_height_m=HEIGHT_M,
    roll_deg=0.0,
    road_from="none",
    road_confidence=0.0,
    road_share=0.0,
    road_yaw_deg=None,
    obstacles=1,
    obstacles_from="given boxes",
    placement="refused",
)


def box_at(depth_m: float, size_m: float, kind: str = "car", x_m: float = 0.0) -> KnownBox:
    """Box of an upright rectangle that stands on the plane, by projecting its corners."""
    half = 0.9 if kind == "car" else 0.25
    foot = ROW + CAMERA.fy * HEIGHT_M / depth_m
    top = ROW + CAMERA.fy * (HEIGHT_M - size_m) / depth_m
    left, right = (CAMERA.cx + CAMERA.fx * (x_m + side * half) / depth_m for side in (-1, 1))
    return KnownBox(kind, (left, top, right, foot))


def street_picture() -> np.ndarray:
    """A plain road with kerbs and a lane line that vanish at (350, 230), and structure above the horizon."""
    rng = np.random.default_rng(0)
    picture = np.full((512, 640), 60, dtype=np.uint8)
    picture[:230] = cv2.resize(rng.integers(0, 255, (60, 80), dtype=np.uint8), (640, 230), interpolation=0)
    road = np.array([(350, 230), (-500, 512), (1000, 512)])
    cv2.fillPoly(picture, [road], 150)
    for column in (-450, -150, 320, 700, 950):
        cv2.line(picture, (350, 230), (column, 512), 175, 2)
    return picture


def test_boxes_give_horizon_and_height_in_spite_of_wrong_ones() -> None:
    boxes = [box_at(depth, 1.52) for depth in (8.0, 12.0, 20.0, 30.0)] + [box_at(15.0, 1.70, "person", 3.0)]
    boxes.append(KnownBox("person", (100.0, 60.0, 130.0, 120.0)))  # on a balcony
    found = horizon_from_boxes(boxes, CAMERA)
    assert found is not None
    assert found.row_px == pytest.approx(ROW, abs=4.0)
    assert found.height_m == pytest.approx(HEIGHT_M, abs=0.1)
    assert found.confidence > 0.6
    assert horizon_from_boxes(boxes[5:], CAMERA, row_px=(ROW, 0.5)).row_px == pytest.approx(ROW, abs=1.5)
    assert horizon_from_boxes([], CAMERA) is None
    assert horizon_from_boxes([KnownBox("car", (0.0, 300.0, 400.0, 511.0))], CAMERA) is None


def test_a_leaning_camera_is_found_and_drawn_with_its_slope() -> None:
    slope, boxes = 0.04, []
    for depth, x in ((9.0, -3.0), (12.0, 3.5), (16.0, -6.0), (20.0, 7.0), (30.0, 4.0), (11.0, 0.0)):
        left, top, right, bottom = box_at(depth, 1.52, x_m=x).box_px
        shift = slope * ((left + right) / 2 - CAMERA.cx)
        boxes.append(KnownBox("car", (left, top + shift, right, bottom + shift)))
    found = horizon_from_boxes(boxes, CAMERA)
    assert found is not None
    assert found.slope == pytest.approx(slope, abs=0.01)  # the prior holds it back
    assert found.row_px == pytest.approx(ROW, abs=4.0)
    assert found.row_at(CAMERA.cx + 100.0, CAMERA) == pytest.approx(found.row_px + 100.0 * found.slope)
    flat = horizon_from_boxes(boxes, CAMERA, level=True)
    assert flat is not None
    assert abs(flat.slope) < 1e-4
    models = [ModelSize("a", "car", 4.4, 1.8, 1.5)]
    weather = sample_conditions(Draw(1, 0).rng(Stream.CONDITIONS))
    setup = sample_on_plane(CAMERA, models, Draw(1, 0), weather, horizon_px=ROW, horizon_slope=slope)
    for heading in (-0.3, 0.3):  # level directions left and right of the axis are drawn on the sloped horizon
        direction = np.array([1.0, heading, 0.0]) @ setup.cam_to_world[:3, :3]
        column = CAMERA.cx + CAMERA.fx * direction[0] / direction[2]
        row = CAMERA.cy + CAMERA.fy * direction[1] / direction[2]
        assert row == pytest.approx(ROW + slope * (column - CAMERA.cx), abs=0.5)


def test_lines_of_the_road_meet_where_they_were_drawn() -> None:
    found = vanishing_point(street_picture(), CAMERA)
    assert found is not None
    assert (found.column_px, found.row_px) == (pytest.approx(350.0, abs=12), pytest.approx(230.0, abs=12))
    assert found.confidence > 0.6
    assert vanishing_point(np.full((512, 640), 90, dtype=np.uint8), CAMERA) is None


def test_free_road_ends_before_what_stands_on_it() -> None:
    picture = street_picture()
    picture[240:330, 250:300] = 250  # somebody, 14 m away
    plane = RoadPlane(CAMERA, ROW, HEIGHT_M, 350.0, street_known=False)
    road = estimate_road(picture, plane, np.zeros(picture.shape, dtype=np.bool_))
    assert road.confidence > 0.4
    assert road.free[350, 275]
    assert not road.free[:330, 255:295].any()
    assert not road.free[:229].any()
    assert road.free[300, 350]


def test_pictures_without_a_road_are_refused_with_a_reason() -> None:
    plane = RoadPlane(CAMERA, ROW, HEIGHT_M, 320.0, street_known=False)
    noise = np.random.default_rng(1).integers(0, 255, (64, 80), dtype=np.uint8)
    picture = cv2.resize(noise, (640, 512), interpolation=cv2.INTER_NEAREST)
    road = estimate_road(picture, plane, np.zeros(picture.shape, dtype=np.bool_))
    assert road.confidence == 0.0
    assert not road.free.any()
    assert road.source.startswith("no free road found: ")
    below = RoadPlane(CAMERA, 520.0, HEIGHT_M, 320.0, street_known=True)
    assert estimate_road(street_picture(), below, np.zeros(picture.shape, dtype=np.bool_)).confidence == 0.0


def test_road_mask_is_cropped_like_its_picture(tmp_path: Path) -> None:
    mask = np.zeros((100, 160), dtype=np.uint8)
    mask[50:, 80:] = 255
    cv2.imwrite(str(tmp_path / "a.png"), mask)
    for path in (tmp_path, tmp_path / "a.png"):
        road = read_road_mask(path, "a.tiff", (60, 40, 100, 60), 80, 40)
        assert np.array_equal(road.free, np.pad(np.ones((20, 40), dtype=bool), ((20, 0), (40, 0))))
    with pytest.raises(BackgroundError, match=r"no road mask for b\.png"):
        read_road_mask(tmp_path, "b.png", (0, 0, 10, 10), 10, 10)
    with pytest.raises(BackgroundError, match="expected a road mask of the size"):
        read_road_mask(tmp_path, "a.png", (0, 0, 170, 100), 10, 10)


def test_boxes_are_read_from_every_format(tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text(json.dumps({
        "images": [{"id": 1, "file_name": "x/one.jpg"}], "categories": [{"id": 3, "name": "car"}],
        "annotations": [{"image_id": 1, "category_id": 3, "bbox": [10, 20, 30, 40],
                         "segmentation": [[10, 20, 40, 20, 40, 60]]}]}))  # fmt: skip
    (tmp_path / "own.json").write_text(json.dumps({"one": {"boxes": [{"cls": "car", "xyxy": [10, 20, 40, 60]}]}}))
    for folder in ("kitti", "yolo"):
        (tmp_path / folder).mkdir()
    (tmp_path / "kitti/one.txt").write_text("Car 0 0 0 10 20 40 60 1 1 1 1 1 1 1\nDontCare -1 -1 0 1 1 2 2" + 7 * " 0")
    (tmp_path / "yolo/one.txt").write_text("1 0.25 0.4 0.3 0.4\n")
    (tmp_path / "yolo/classes.txt").write_text("person\ncar\n")
    for name in ("coco.json", "own.json", "kitti", "yolo"):
        (box,) = read_boxes(tmp_path / name)["one"]
        assert box.kind == "car"
        assert box.in_pixels(100, 100).box_px == pytest.approx((10, 20, 40, 60))
    (moved,) = to_crop(read_boxes(tmp_path / "coco.json")["one"], (100, 100), (10, 10, 60, 60), 100, 100)
    assert moved.box_px == (0.0, 20.0, 60.0, 100.0)
    assert moved.outline_px[0][2] == (60.0, 100.0)


@pytest.mark.parametrize("text", ["[1, 2]", '{"a": {"boxes": [{"cls": "car", "xyxy": [5, 5, 1, 1]}]}}', '{"a": 3}'])
def test_boxes_that_are_none_are_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(BackgroundError, match="boxes could not be read"):
        read_boxes(tmp_path / "bad.json")
    (tmp_path / "bad.json").unlink()
    with pytest.raises(BackgroundError, match=r"no \.txt files"):
        read_boxes(tmp_path)
    (tmp_path / "bad.txt").write_text("car 1 2\n")
    with pytest.raises(BackgroundError, match=r"bad\.txt, line 1"):
        read_boxes(tmp_path)


def frame_with_car(depth_m: float) -> Frame:
    ids = np.zeros((512, 640), dtype=np.uint16)
    ids[250:350, 300:400] = 1
    box = (300.0, 250.0, 400.0, 350.0)
    car = Instance(1, "car", "saloon", "driving", np.eye(4), Box3D((0, 0, depth_m), 4, 1.5, 1.8, 0), box, box,
                   10_000, 10_000, 0.0, 0)  # fmt: skip
    depth = np.where(ids > 0, np.float32(depth_m), np.float32(np.inf))
    return Frame(0, CAMERA, np.eye(4), depth, ids, (ids * 3).astype(np.uint8), (car,))


def test_nearer_things_hide_the_car_and_farther_ones_do_not() -> None:
    left, right = 300.0, 360.0
    outline = (((left, 200.0), (right, 200.0), (right, 400.0), (left, 400.0)),)
    foot = KnownBox("person", (left, 200.0, right, ROW + 772.0 * HEIGHT_M / 8.0), outline)
    things = find_obstacles([foot], np.zeros((512, 640), dtype=np.uint8), CAMERA,
                            Horizon(ROW, HEIGHT_M, "given", 1.0, 0.0))  # fmt: skip
    assert things[0].footprint.depth_m == pytest.approx(7.7, abs=0.05)
    cut = hide_behind(frame_with_car(12.0), things)
    hidden = frame_with_car(12.0).instance_id.astype(bool) & ~cut.instance_id.astype(bool)
    assert np.flatnonzero(hidden.any(axis=0)).tolist() == list(range(300, 360))
    (car,) = cut.instances
    assert car.visible_px == np.count_nonzero(cut.instance_id) < 10_000
    assert car.box_visible_px is not None
    assert car.occlusion > 0
    assert np.isinf(cut.depth_m[hidden]).all()
    assert not cut.zone[hidden].any()
    nearer = frame_with_car(6.0)
    assert hide_behind(nearer, things) is nearer


def test_real_cars_have_the_height_that_camera_and_plane_predict(shared_data: Path) -> None:
    """As the program estimates, from all boxes of a frame; and with each car's own box left out of its prediction."""
    listed = json.loads((shared_data / "roadscene/boxes.json").read_text())
    camera = read_cameras(CAMERAS)["flir-adas"]
    errors, with_own = [], []
    for name, boxes in read_boxes(shared_data / "roadscene/boxes.json").items():
        if listed[name]["split"] != "val":
            continue
        for box in boxes:
            left, top, right, bottom = box.box_px
            if box.kind != "car" or bottom > 508 or bottom - top < 12 or left < 2 or right > 638:
                continue
            for others, into in (([b for b in boxes if b is not box], errors), (list(boxes), with_own)):
                found = horizon_from_boxes(others, camera)
                if found is not None:
                    below = bottom - found.row_at((left + right) / 2, camera)
                    predicted = below * 1.52 / found.height_m
                    into.append(abs(predicted - (bottom - top)) / (bottom - top))
    assert len(errors) > 60
    assert np.median(errors) < 0.13
    assert np.median(with_own) < 0.08
    assert not any(math.isnan(value) for value in errors)


def test_ground_of_a_car_does_not_change_on_real_things_in_front_of_it() -> None:
    things = find_obstacles([box_at(8.0, 1.52)], street_picture(), CAMERA, Horizon(ROW, HEIGHT_M, "given", 1.0, 0.0))
    empty = Road(np.zeros((512, 640), dtype=bool), 0.0, "none")
    ground = GroundPlane(Horizon(ROW, HEIGHT_M, "given", 1.0, 0.0), empty, things, None, None, RECORD)
    plain = Background(street_picture(), CAMERA, None, BackgroundFile("a.png", "0", 640, 512), (0, 0, 640, 512), "", "")
    background = with_ground_plane(plain, ground)
    assert background.record.geometry == RECORD
    assert background.record.horizon == "given"
    assert background.obstacle_mask is not None
    foreground = ForegroundLayer(np.zeros((512, 640), np.float32), np.ones((512, 640), np.float32), 280.0)
    left, top, right, bottom = things[0].window
    change = _keeping_obstacles(foreground, background).ground_change_K
    assert change[(top + bottom) // 2, (left + right) // 2] == 0.0
    assert change[bottom + 5, (left + right) // 2] == 1.0
    assert things[0].mask.mean() > 0.6
    assert _keeping_obstacles(foreground, plain) is foreground


def test_marks_do_not_end_the_road_where_boxes_tell_what_stands_there() -> None:
    picture = street_picture()
    picture[400:406] = 230  # a stop line, 6 m away
    nothing = np.zeros(picture.shape, dtype=np.bool_)
    known = estimate_road(picture, RoadPlane(CAMERA, ROW, HEIGHT_M, 350.0, street_known=True), nothing)
    unknown = estimate_road(picture, RoadPlane(CAMERA, ROW, HEIGHT_M, 350.0, street_known=False), nothing)
    assert known.free[330, 350]
    assert not unknown.free[330, 350]
    picture[340:406, 300:400] = 230  # 0.5 m high
    assert not estimate_road(picture, RoadPlane(CAMERA, ROW, HEIGHT_M, 350.0, street_known=True), nothing).free[
        330, 350
    ]
