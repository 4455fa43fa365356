"""The label images of both layouts, and what objects hide around them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake_renderer import FakeScene
from numpy.typing import NDArray

from gan.data.layout import build_source, decode_sample, encode_sample
from pipelines.errors import PipelineError
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.source_tensor import (
    LABEL_COLOURS,
    dilate_objects,
    fill_background,
    label_image,
    object_depth_m,
    object_edges,
    segmentation,
    source_sample,
    source_tensors,
)
from pipelines.synthesis.windows import PictureWindow
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box3D, Frame, Instance
from renderer.zones.catalogue import Zone

SIZE = 80
BOX = (30.0, 20.0, 50.0, 60.0)
CAMERA = Camera("test", SIZE, SIZE, 80.0, 80.0, 40.0, 40.0)


@pytest.fixture
def frame() -> Frame:
    """A box of 20 x 40 px: glass in its upper half, body below."""
    ids, zones = np.zeros((SIZE, SIZE), np.uint16), np.zeros((SIZE, SIZE), np.uint8)
    ids[20:60, 30:50] = 1
    zones[20:40, 30:50], zones[40:60, 30:50] = Zone.GLASS, Zone.BODY
    depth = np.where(ids > 0, np.float32(10), np.float32(np.inf)).astype(np.float32)
    car = Instance(1, "car", "box", "driving", np.eye(4), Box3D((0, 0, 10), 4, 1.5, 2, 0), BOX, BOX, 800, 800, 0.0, 0)
    return Frame(0, CAMERA, np.eye(4), depth, ids, zones, (car,))


@pytest.fixture
def background() -> NDArray[np.uint8]:
    """Noise."""
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)


def test_objects_hide_what_is_close_to_them(frame: Frame) -> None:
    tall = replace(frame.instances[0], box_amodal_px=(30.0, 0.0, 50.0, 100.0))
    grown = dilate_objects(replace(frame, instances=(tall,)))
    assert grown[40, 30 - 6] == 1, "6 % of 100 px"
    assert grown[40, 30 - 7] == 0
    assert dilate_objects(frame)[40, 30 - 3] == 1, "at least 3 px"


def test_a_car_beside_the_camera_hides_no_more_than_a_picture_s_height_and_a_half_would(frame: Frame) -> None:
    """Its box may reach a hundred pictures far, and growing by that many pixels took minutes."""
    beside = replace(frame.instances[0], box_amodal_px=(-90000.0, -50000.0, 70000.0, 60000.0))
    tall = replace(frame.instances[0], box_amodal_px=(30.0, 0.0, 50.0, 1.5 * SIZE))
    grown = [dilate_objects(replace(frame, instances=(item,))) for item in (beside, tall)]
    np.testing.assert_array_equal(*grown)


def test_an_object_does_not_hide_its_neighbour(frame: Frame) -> None:
    ids = frame.instance_id.copy()
    ids[20:60, 50:54] = 2
    grown = dilate_objects(replace(frame, instance_id=ids))
    assert (grown[20:60, 50:54] == 2).all()


def test_flat_paints_label_colours(frame: Frame, background: NDArray[np.uint8]) -> None:
    picture = label_image(background, frame)
    hidden = dilate_objects(frame) > 0
    assert (picture[hidden] == LABEL_COLOURS["car"]).all()
    assert (picture[~hidden] == background[~hidden][:, None]).all()


def test_physics_shows_its_picture_mask_and_edges(frame: Frame, background: NDArray[np.uint8]) -> None:
    physics = 255 - background
    picture = label_image(background, frame, physics)
    inside, hidden = frame.instance_id > 0, dilate_objects(frame) > 0
    assert (picture[..., 0] == physics).all()
    assert set(np.unique(picture[inside][:, 1])) == {255}
    assert set(np.unique(picture[hidden & ~inside][:, 1])) == {128}
    assert set(np.unique(picture[~hidden][:, 1:])) == {0}
    assert picture[39, 40, 2] == 255, "the border of the zones"
    assert picture[30, 40, 2] == 0, "no edge in the middle of the glass"


def test_a_frame_without_its_cars_shows_nothing_of_them(frame: Frame, background: NDArray[np.uint8]) -> None:
    hidden = dilate_objects(frame) > 0
    empty = fill_background(background, hidden)
    assert (empty[~hidden] == background[~hidden]).all()
    other = np.where(hidden, 255 - background, background).astype(np.uint8)
    assert (fill_background(other, hidden) == empty).all()
    assert empty[40, 28] == background[40, 26], "it is fill_background from beyond"


def test_bends_are_edges(frame: Frame) -> None:
    normal = np.zeros((SIZE, SIZE, 3), np.float32)
    normal[..., 2] = -1.0
    normal[:, 40:] = [1.0, 0.0, 0.0]
    flat = object_edges(replace(frame, zone=np.where(frame.instance_id > 0, np.uint8(1), np.uint8(0))))
    bent = object_edges(replace(frame, normal=normal))
    assert flat[30, 39] == 0
    assert bent[30, 39] == 255


def test_a_sample_knows_its_layout(frame: Frame, background: NDArray[np.uint8]) -> None:
    target = background.astype(np.uint16) * 257
    for physics, layout in ((None, "flat"), (background, "physics")):
        sample = source_sample(background, frame, target, None, "a", physics)
        assert decode_sample(encode_sample(sample)).layout == sample.layout == layout


def test_another_size_is_refused(frame: Frame) -> None:
    with pytest.raises(PipelineError, match="background is"):
        label_image(np.zeros((4, 4), np.uint8), frame)
    with pytest.raises(PipelineError, match="picture of the physics is"):
        label_image(np.zeros((SIZE, SIZE), np.uint8), frame, np.zeros((4, 4), np.uint8))


def _shrunk(frame: Frame, objects: NDArray[np.uint16], factor: int) -> tuple[Frame, NDArray[np.uint16]]:
    """What a camera sees from so many times as far: a sample of each square of pixels, the last ones continued."""

    def samples(plane: NDArray[np.generic]) -> NDArray[np.generic]:
        extra = [(0, -length % factor) for length in plane.shape[:2]] + [(0, 0)] * (plane.ndim - 2)
        return np.ascontiguousarray(np.pad(plane, extra, mode="edge")[factor // 2 :: factor, factor // 2 :: factor])

    smaller = replace(
        frame,
        depth_m=samples(frame.depth_m) * np.float32(factor),
        instance_id=samples(frame.instance_id),
        zone=samples(frame.zone),
        normal=None if frame.normal is None else samples(frame.normal),
    )
    return smaller, samples(objects)


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@pytest.mark.parametrize("layout", ["flat", "physics"])
@pytest.mark.parametrize("normals", [True, False])
def test_windows_are_those_of_the_source_tensor_of_the_whole_frame(factor: int, layout: str, normals: bool) -> None:
    session = FakeScene()(SynthesizeConfig(out=Path("unused"), count=1, seed=7, size="203x125"))
    rng = np.random.default_rng(factor)
    shown = 0
    for index in range(4):
        frame = session.frame(index, normals=True, parts=True)
        frame = frame if normals else replace(frame, normal=None)
        objects = dilate_objects(frame)
        small, small_objects = _shrunk(frame, objects, factor)
        high, wide = small.instance_id.shape
        background, physics = rng.integers(0, 256, (2, high, wide), dtype=np.uint8)
        picture = physics if layout == "physics" else None
        label = label_image(background, small, picture, small_objects)
        whole = build_source(label, segmentation(small), object_depth_m(small))
        corners = [(0, 0, high, wide), (high // 3, wide // 4, high, wide // 2), (3, 5, high // 2, wide)]
        windows = [
            PictureWindow(slice(a, c), slice(b, d), (a, b, c, d), np.ones((c - a, d - b), np.bool_))
            for a, b, c, d in corners
        ]
        made = source_tensors(background, frame, windows, picture, objects, factor)
        for window, source in zip(windows, made, strict=True):
            np.testing.assert_array_equal(source, whole[:, window.rows, window.columns])
        shown += int((whole[6] > -1).sum())
    assert shown > 100


def test_objects_are_dilated_by_opencv_s_ellipse() -> None:
    session = FakeScene()(SynthesizeConfig(out=Path("unused"), count=1, seed=7, size="403x325"))
    reaches = set()
    for index in range(6):
        frame = session.frame(index, normals=False, parts=False)
        wanted = frame.instance_id.copy()
        for item in frame.instances:
            if item.box_visible_px is None:
                continue
            high = min(item.box_amodal_px[3] - item.box_amodal_px[1], 1.5 * 325)
            reach = max(3, round(0.06 * high))
            ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
            near = cv2.dilate((frame.instance_id == item.id).astype(np.uint8), ellipse) > 0
            wanted[near & (wanted == 0)] = item.id
            reaches.add(reach)
        np.testing.assert_array_equal(dilate_objects(frame), wanted)
    assert max(reaches) > 4


def test_a_depth_that_is_no_number_makes_no_picture(frame: Frame, background: NDArray[np.uint8]) -> None:
    depth = frame.depth_m.copy()
    depth[30, 40] = np.nan
    window = PictureWindow(slice(0, SIZE), slice(0, SIZE), (0, 0, SIZE, SIZE), np.ones((SIZE, SIZE), np.bool_))
    (source,) = source_tensors(background, replace(frame, depth_m=depth), [window], background)
    assert np.argwhere(np.isnan(source)).tolist() == [[6, 30, 40]], "what a loaded model refuses"
