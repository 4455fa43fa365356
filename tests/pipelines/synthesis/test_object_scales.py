"""Objects larger than a model knows: shown smaller to it, and what it changes enlarged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from fake_renderer import FakeScene

from gan.data.layout import SourceLayout, build_source
from gan.storage.known_objects import KnownObjects
from pipelines.synthesis.infrared import Infrared, Physics, Translation
from pipelines.synthesis.object_scales import (
    BLEND_PX,
    RIM,
    SmallerBox,
    blend_weights,
    object_factors,
    shrink_mask,
    shrink_picture,
    to_signed,
)
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.source_tensor import dilate_objects
from pipelines.synthesis.windows import place_of
from renderer.geometry.frame import Frame
from renderer.random_streams import Draw, Stream
from renderer.thermal.conditions import sample_conditions

KNOWN = KnownObjects(2, 12)
"""Longer sides; objects of the frames below have 8 to 60 px."""
DETAIL_REACH = 2
"""Half of the kernel that OpenCV takes for a sigma of 0.5, whole pixels: 4 sigma for floating point."""
Network = Callable[[np.ndarray], np.ndarray]


@dataclass
class StandIn:
    """In the place of a loaded model: a function of the source tensor."""

    network: Network
    sizes: KnownObjects | None
    layout: str = "physics"
    display: bool = True
    name = "pix2pix"
    in_channels = 7

    def __post_init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.about = SimpleNamespace(
            source_layout=SourceLayout.of(7, self.layout, display=self.display), weights_sha256="0" * 64,
            inference="none", whole_image=False, multiple_px=8, known_objects=self.sizes,
        )  # fmt: skip

    def translate_part(self, source: np.ndarray, part: tuple[int, int, int, int]) -> np.ndarray:
        self.shapes.append(source.shape)
        return self.network(source)[place_of(part)]


def identity(source: np.ndarray) -> np.ndarray:
    return source[0]


def smooth(source: np.ndarray) -> np.ndarray:
    return cv2.blur(source[0], (5, 3))


def frame_of(index: int, size: str = "200x120") -> Frame:
    session = FakeScene()(SynthesizeConfig(out=Path("unused"), count=1, seed=7, size=size))
    frame = session.frame(index, normals=True, parts=True)
    return replace(frame, instances=tuple(replace(item, profile="driving") for item in frame.instances))


def made(
    frame: Frame, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, physics: Physics | None = None
) -> tuple[Infrared, Infrared]:
    """What the physics makes, and what the model makes of that."""
    physics = physics or Physics()
    monkeypatch.setattr("gan.serving.inference.load_model", lambda *arguments, **options: stand_in)
    draw = Draw(7, frame.index)
    conditions = sample_conditions(draw.rng(Stream.CONDITIONS))
    translation = Translation("pix2pix", Path("unused"), physics)
    return physics.make(frame, conditions, None, draw), translation.make(frame, conditions, None, draw)


def larger(frame: Frame) -> np.ndarray:
    """(H, W) the objects that the model is shown smaller, and the ground about them."""
    factors = object_factors(frame, dilate_objects(frame), KNOWN, rendered=True)
    assert (factors > 1).any()
    return factors > 1


@pytest.mark.parametrize("size", ["200x120", "201x123"])
@pytest.mark.parametrize("display", [True, False])
@pytest.mark.parametrize("detail_px", [None, 3.0])
def test_a_model_that_changes_nothing_leaves_the_physics(
    size: str, display: bool, detail_px: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = replace(KNOWN, scene_detail_px=detail_px)
    for index in range(3):
        frame = frame_of(index, size)
        physics, image = made(frame, StandIn(identity, known, display=display), monkeypatch)
        np.testing.assert_array_equal(image.image16[larger(frame)], physics.image16[larger(frame)])
        if display:
            np.testing.assert_array_equal(image.image, physics.image)


@pytest.mark.parametrize("display", [True, False])
def test_objects_of_known_sizes_are_made_as_without_a_statement(display: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(3):
        frame = frame_of(index)
        _, image = made(frame, StandIn(smooth, KnownObjects(1, 4096, 4096, 3.0), display=display), monkeypatch)
        _, plain = made(frame, StandIn(smooth, None, display=display), monkeypatch)
        np.testing.assert_array_equal(image.image, plain.image)
        np.testing.assert_array_equal(image.image16, plain.image16)


def one_object(index: int, size: str) -> tuple[Frame, int]:
    """A frame in which one object alone is left, and the factor that brings it to at most 12 px."""
    frame = frame_of(index, size)
    item = max(frame.instances, key=lambda one: one.visible_px)
    left, top, right, bottom = item.box_amodal_px
    factor = 2 ** int(np.ceil(np.log2(max(right - left, bottom - top) / KNOWN.largest_px)))
    ids = np.where(frame.instance_id == item.id, frame.instance_id, 0).astype(np.uint16)
    return replace(frame, instances=(item,), instance_id=ids), factor


@pytest.mark.parametrize("size", ["200x120", "203x125"])
def test_a_smoothing_network_gives_what_opencv_computes(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The change of a picture of means, enlarged by cubic interpolation: worked out here for the whole picture."""
    seen = set()
    for index in range(4):
        frame, factor = one_object(index, size)
        stand_in = StandIn(smooth, KNOWN)
        physics, image = made(frame, stand_in, monkeypatch)
        high, wide = physics.image.shape
        whole = cv2.copyMakeBorder(physics.image, 0, -high % factor, 0, -wide % factor, cv2.BORDER_REPLICATE)
        small = cv2.resize(whole, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        means = whole.reshape(whole.shape[0] // factor, factor, -1, factor).mean(axis=(1, 3))
        assert np.abs(small - means).max() <= 0.5
        levels = small.astype(np.float32) / 127.5
        change = cv2.blur(levels, (5, 3)) - levels
        large = cv2.resize(change, whole.shape[::-1], interpolation=cv2.INTER_CUBIC)[:high, :wide]
        wanted = np.rint(np.clip(physics.image + 127.5 * large, 0, 255))
        inside = frame.instance_id > 0
        off = np.abs(image.image - wanted)[inside]
        assert off.max() <= 1, "what lies between two grey levels goes either way"
        assert (off > 0).mean() < 0.01
        assert np.abs(image.image.astype(float) - physics.image)[inside].max() > 3
        assert max(max(shape[1:]) for shape in stand_in.shapes) <= max(small.shape)
        seen.add(factor)
    assert len(seen) > 1


def raised(source: np.ndarray) -> np.ndarray:
    return source[0] + np.float32(0.2)


class Pale(Physics):
    """Pictures in the middle half of the scale, so that nothing that is raised is cut."""

    def make(self, *given: Any) -> Infrared:
        base = super().make(*given)
        middle = (base.image16 // 2 + 16384).astype(np.uint16)
        return replace(base, image=(middle >> 8).astype(np.uint8), image16=middle)


def numbers(image: Infrared, stand_in: StandIn) -> np.ndarray:
    """(H, W) what the model makes of: what a display shows, or 16 bits."""
    return (image.image if stand_in.display else image.image16).astype(float)


@pytest.mark.parametrize("display", [True, False])
@pytest.mark.parametrize("of_all", [True, False])
def test_levels_stay_those_of_the_physics_in_a_rendered_scene(
    display: bool, of_all: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that is the same all over an object leaves no trace, not at its outline nor on the ground."""
    for index in range(2):
        frame, known = frame_of(index, "400x240"), KnownObjects(2, 40)
        factors = object_factors(frame, dilate_objects(frame), known, rendered=True)
        taken_whole = np.zeros(factors.shape, np.bool_) if of_all else factors == 1
        for detail_px in (0.5, 2.0):
            stated = replace(known, scene_detail_px=detail_px, scene_detail_of_all=of_all)
            stand_in = StandIn(raised, stated, display=display)
            physics, image = made(frame, stand_in, monkeypatch, Pale())
            change = numbers(image, stand_in) - numbers(physics, stand_in)
            whole = cv2.dilate(taken_whole.astype(np.uint8), np.ones((2 * BLEND_PX + 1,) * 2)) > 0
            assert np.abs(change[~whole]).max() <= (0 if display else 1)
            inside = taken_whole & (frame.instance_id > 0)
            np.testing.assert_allclose(
                change[inside], 0.2 * (127.5 if display else 32767.5), atol=0.6 if display else 300
            )
        plain = StandIn(raised, known, display=display)
        physics, image = made(frame, plain, monkeypatch, Pale())
        assert (numbers(image, plain) > numbers(physics, plain))[frame.instance_id > 0].all()


def without_what_is_coarse(change: np.ndarray, inside: np.ndarray, sigma: float) -> np.ndarray:
    """The change less its weighted mean over the pixels of the same area, by sums over a square of offsets."""
    reach = int(np.ceil(4 * sigma))
    total, weight = np.zeros(change.shape), np.zeros(change.shape)
    padded, room = np.pad(change * inside, reach), np.pad(inside.astype(float), reach)
    for down in range(-reach, reach + 1):
        for across in range(-reach, reach + 1):
            share = np.exp(-(down**2 + across**2) / (2 * sigma**2))
            part = (
                slice(reach + down, reach + down + len(change)),
                slice(reach + across, reach + across + change.shape[1]),
            )
            total += share * padded[part]
            weight += share * room[part]
    return np.where(inside, change - total / np.maximum(weight, 1e-9), 0)


def test_what_is_fine_is_taken_of_objects_that_are_shown_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    sigma, differs = 1.5, 0
    for index in range(3):
        frame, _ = one_object(index, "200x120")
        physics, image = made(frame, StandIn(smooth, KnownObjects(2, 4096, None, sigma, True)), monkeypatch)
        inside = frame.instance_id > 0
        levels = physics.image / 127.5 - 1
        change = cv2.blur(levels, (5, 3)) - levels
        wanted = physics.image + 127.5 * without_what_is_coarse(change, inside, sigma)
        off = np.abs(image.image - np.clip(wanted, 0, 255))[inside]
        assert off.max() <= 0.6
        differs += int((np.abs(image.image.astype(int) - physics.image)[inside] > 3).sum())
        assert np.abs(wanted - physics.image - 127.5 * change)[inside].max() > 3
    assert differs > 100


def sizes_of(frame: Frame) -> dict[int, float]:
    boxes = {item.id: item.box_amodal_px for item in frame.instances}
    return {one: max(box[2] - box[0], box[3] - box[1]) for one, box in boxes.items()}


@pytest.mark.parametrize("display", [True, False])
def test_objects_of_stated_sizes_stay_as_the_physics_makes_them(display: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    left, painted = 0, 0
    for index in range(8):
        frame = frame_of(index)
        objects, sizes = dilate_objects(frame), sizes_of(frame)
        stays = np.isin(objects, [one for one, size in sizes.items() if not 10 <= size < 20])
        stand_in = StandIn(smooth, replace(KNOWN, scene_given_px=(10, 20)), display=display)
        physics, image = made(frame, stand_in, monkeypatch)
        _, plain = made(frame, StandIn(smooth, KNOWN, display=display), monkeypatch)
        same = stays | (objects == 0)
        np.testing.assert_array_equal(numbers(image, stand_in)[same], numbers(physics, stand_in)[same])
        np.testing.assert_array_equal(image.image16[same], physics.image16[same])
        others = (frame.instance_id > 0) & ~stays
        np.testing.assert_array_equal(numbers(image, stand_in)[others], numbers(plain, stand_in)[others])
        left += int((numbers(plain, stand_in) != numbers(image, stand_in))[stays].sum())
        painted += int((numbers(physics, stand_in) != numbers(image, stand_in))[others].sum())
    assert left > 100
    assert painted > 100


def test_a_model_is_not_asked_where_nothing_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = StandIn(smooth, replace(KNOWN, scene_given_px=(4095, 4096)))
    for index in range(3):
        physics, image = made(frame_of(index), stand_in, monkeypatch)
        np.testing.assert_array_equal(image.image, physics.image)
        np.testing.assert_array_equal(image.image16, physics.image16)
        assert image.notes == physics.notes
    assert not stand_in.shapes
    frame = frame_of(2)
    few = StandIn(smooth, replace(KNOWN, scene_given_px=(0, 10)))
    made(frame, few, monkeypatch)
    every = StandIn(smooth, KNOWN)
    made(frame, every, monkeypatch)
    assert 0 < sum(np.prod(shape[1:]) for shape in few.shapes) < sum(np.prod(shape[1:]) for shape in every.shapes)


def test_over_real_frames_every_object_is_given_to_the_model() -> None:
    frame = frame_of(2)
    objects = dilate_objects(frame)
    stated = replace(KNOWN, scene_given_px=(4095, 4096), scene_detail_px=1.0, scene_detail_of_all=True)
    in_frames = object_factors(frame, objects, stated, rendered=False)
    np.testing.assert_array_equal(in_frames, object_factors(frame, objects, KNOWN, rendered=False))
    assert not object_factors(frame, objects, stated, rendered=True).any()
    assert stated.detail_in(1, rendered=False) is None


def test_what_is_shown_of_an_object_has_a_known_size() -> None:
    for index in range(8):
        frame = frame_of(index)
        objects = dilate_objects(frame)
        factors = object_factors(frame, objects, KNOWN, rendered=False)
        np.testing.assert_array_equal(factors == 0, objects == 0)
        assert object_factors(frame, objects, None, rendered=True).max() == 1
        for item in frame.instances:
            mine = np.unique(factors[objects == item.id])
            if item.box_visible_px is None or not len(mine):
                continue
            (factor,) = (int(value) for value in mine)
            left, top, right, bottom = item.box_amodal_px
            size = max(right - left, bottom - top)
            if item.truncation == 0 and item.occlusion == 0:
                assert size <= KNOWN.largest_px * factor
                assert factor == 1 or size > KNOWN.largest_px * factor / 2


def test_rendered_scenes_may_have_a_size_of_their_own() -> None:
    frame = frame_of(2)
    objects = dilate_objects(frame)
    smaller = object_factors(frame, objects, replace(KNOWN, largest_px=30), rendered=True)
    known = replace(KNOWN, largest_px=30, scene_largest_px=12)
    np.testing.assert_array_equal(object_factors(frame, objects, known, rendered=False), smaller)
    in_scenes = object_factors(frame, objects, known, rendered=True)
    np.testing.assert_array_equal(in_scenes, object_factors(frame, objects, KNOWN, rendered=False))
    assert (in_scenes > smaller).any()


def test_a_smaller_picture_has_the_means_of_whole_squares() -> None:
    zone = frame_of(2, "201x123").zone
    small = shrink_picture(zone, 4)
    assert small.shape == (31, 51)
    means = zone[:120, :200].reshape(30, 4, 50, 4).astype(float).mean(axis=(1, 3))
    assert np.abs(small[:30, :50] - means).max() <= 0.5


def weights_of_whole_pictures(factors: np.ndarray, on_object: np.ndarray) -> dict[int, np.ndarray]:
    """By OpenCV's blur of the shares of each factor."""
    near = cv2.blur((factors > 0).astype(np.float64), (BLEND_PX, BLEND_PX))
    found = {}
    for factor in np.unique(factors[factors > 0]):
        own = (factors == factor).astype(np.float64)
        soft = cv2.blur(own, (BLEND_PX, BLEND_PX)) / np.maximum(near, 1e-6)
        found[int(factor)] = np.where(on_object | (factors == 0), own, soft)
    return found


def test_weights_are_whole_on_objects_and_flow_into_each_other_on_the_ground() -> None:
    mixed = 0
    for index in range(8):
        frame = frame_of(index)
        factors, on_object = object_factors(frame, dilate_objects(frame), KNOWN, rendered=True), frame.instance_id > 0
        weights = {}
        for factor, box, weight in blend_weights(factors, on_object):
            weights[factor] = np.zeros(factors.shape, np.float32)
            weights[factor][place_of(box)] = weight
        np.testing.assert_allclose(sum(weights.values()), factors > 0, atol=1e-5)
        wanted = weights_of_whole_pictures(factors, on_object)
        assert list(weights) == sorted(wanted)
        for factor, weight in weights.items():
            np.testing.assert_allclose(weight, wanted[factor], atol=1e-6)
            np.testing.assert_array_equal(weight[on_object], factors[on_object] == factor)
            mixed += int(((weight > 0) & (weight < 1)).sum())
    assert mixed > 0


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("box", [(33, 21, 70, 58), (0, 90, 40, 201), (83, 0, 123, 201)])
def test_a_box_is_shrunk_and_enlarged_as_within_the_whole_picture(factor: int, box: tuple[int, int, int, int]) -> None:
    """Enlarging a part reads what is around it, and the border of the picture alone is continued."""
    size, rng = (123, 201), np.random.default_rng(factor)
    whole = -(-size[0] // factor), -(-size[1] // factor)
    change = rng.normal(size=whole).astype(np.float32)
    large = cv2.resize(change, (whole[1] * factor, whole[0] * factor), interpolation=cv2.INTER_CUBIC)
    small = SmallerBox.around(box, factor, size, RIM)
    np.testing.assert_allclose(small.enlarged(change[place_of(small.box)], box), large[place_of(box)], atol=1e-6)
    mask = np.zeros(size, np.bool_)
    mask[place_of(box)] = rng.random((box[2] - box[0], box[3] - box[1])) < 0.02
    seen = np.zeros(whole, np.bool_)
    seen[place_of(small.box)] = shrink_mask(small.padded(mask[place_of(box)], box), factor)
    squares = np.zeros(whole, np.uint8)
    squares[tuple(np.argwhere(mask).T // factor)] = 1
    np.testing.assert_array_equal(seen, cv2.dilate(squares, np.ones((2 * RIM + 1, 2 * RIM + 1))) > 0)


def test_both_scales_are_the_same_number() -> None:
    picture = np.arange(256, dtype=np.uint8)[None]
    label = np.repeat(picture[..., None], 3, axis=2)
    source = build_source(label, np.zeros_like(picture), np.full(picture.shape, np.inf, np.float32))
    np.testing.assert_array_equal(to_signed(picture), source[0])
