"""The label images of both layouts, and what objects hide around them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gan.data.layout import decode_sample, encode_sample
from pipelines.errors import PipelineError
from pipelines.synthesis.source_tensor import (
    LABEL_COLOURS,
    dilate_objects,
    fill_background,
    label_image,
    object_edges,
    source_sample,
)
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
