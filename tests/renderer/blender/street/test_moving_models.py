"""Shipped models while they move: wheels turn in picture and flow, riders pedal, gaits go on between their phases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import assets
from renderer.blender.engine import RenderSession
from renderer.geometry.frame import Frame
from renderer.random_streams import Moment
from renderer.scene.cars import FrameSetup, Placement
from renderer.scene.projection import camera_pose
from renderer.scene.sequences.turning import Motion

WALK = tuple(f"person_27.walk_{phase:02d}" for phase in range(0, 12, 2))
STEP_M = 0.4


@pytest.fixture(scope="module")
def session() -> Iterator[RenderSession]:
    libraries = {"people": assets.PEOPLE_ARRAYS, "others": (assets.TWO_WHEELER_ARRAYS, assets.ANIMAL_ARRAYS)}
    camera = assets.camera("flir-adas", 400)
    with RenderSession(assets.CITY, camera=camera, seed=3, **libraries) as opened:  # type: ignore[arg-type]
        yield opened


def _bicycle(rolled_m: float) -> tuple[Placement, ...]:
    motion = Motion(rolled_m, crank_rad=rolled_m / 0.8, curvature_per_m=0.0)
    vehicle = Placement("bicycle_01", rolled_m, 0.0, 0.0, 0.0, "bicycle_ridden", motion=motion)
    return vehicle, replace(vehicle, model="bicycle_01.rider_22", profile="cycling", rides=1)


def _car(rolled_m: float) -> tuple[Placement, ...]:
    return (Placement("hatchback", rolled_m, 1.0, 0.0, 0.0, "driving", motion=Motion(rolled_m)),)


def _walker(rolled_m: float) -> tuple[Placement, ...]:
    number, share = divmod(rolled_m / 1.4 * 6, 1.0)
    towards = WALK[int(number + 1) % 6], share
    return (Placement(WALK[int(number)], rolled_m, 0.0, 0.0, 0.0, "walking", cycle=WALK, towards=towards),)


def _setup(placements: tuple[Placement, ...], number: int) -> FrameSetup:
    return FrameSetup(number, placements, camera_pose(0.5 + 0.1 * number, -5.0, 1.2, math.pi / 2, 0.05))


def _pair(session: RenderSession, patch: pytest.MonkeyPatch, made, first_m: float) -> tuple[Frame, Frame]:  # type: ignore[no-untyped-def]
    """Two frames of something that goes STEP_M from one to the other, alone, with the flow between them."""
    patch.setattr(
        session, "setup", lambda index, *rest: _setup(made(first_m + STEP_M * rest[-1].frame), rest[-1].frame)
    )
    one, other = (session.frame(0, parts=True, flow=not k, moment=Moment(0, k, 2, 10.0)) for k in (0, 1))
    return one, other


def _points(frame: Frame) -> np.ndarray:
    depth = np.where(np.isfinite(frame.depth_m), frame.depth_m, 0.0)
    return np.asarray(frame.camera.rays() * depth[..., None] @ frame.cam_to_world[:3, :3].T + frame.cam_to_world[:3, 3])


def _expected_px(points: np.ndarray, after: Frame) -> np.ndarray:
    local = (points - after.cam_to_world[:3, 3]) @ after.cam_to_world[:3, :3]
    return after.camera.project(local)


@pytest.mark.parametrize(("made", "wheel", "hub", "radius"), [
    (_bicycle, "bicycle_01.wheel.F", (0.525, 0.0, 0.34), 0.34),
    (_car, "hatchback.wheel.RR", None, None),
])  # fmt: skip
def test_flow_of_a_wheel_is_that_of_rolling(  # type: ignore[no-untyped-def]
    session: RenderSession, monkeypatch: pytest.MonkeyPatch, made, wheel: str, hub, radius
) -> None:
    one, other = _pair(session, monkeypatch, made, 0.2)
    number = 1 + [part.name for part in one.parts].index(wheel)
    chosen = one.part == number
    if hub is None:
        pose = one.parts[number - 1].local_to_world
        hub, radius = pose[:3, 3] - [0.2, 0.0, 0.0], pose[2, 3]
    assert chosen.sum() > 150
    assert one.flow is not None
    assert one.flow.valid[chosen].all()
    points = _points(one)[chosen]
    turn = STEP_M / radius
    c, s = math.cos(turn), math.sin(turn)
    from_hub = points - np.add(hub, (0.2, 0.0, 0.0))
    rolled = from_hub @ np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]]).T
    expected = _expected_px(rolled + np.array(hub) + [0.2 + STEP_M, 0.0, 0.0], other)
    rows, columns = np.nonzero(chosen)
    shown = one.flow.flow_px[chosen] + np.stack([columns + 0.5, rows + 0.5], 1)
    assert np.abs(shown - expected).max() < 0.05
    # And it is not what a wheel does that slides.
    sliding = _expected_px(np.add(points, (STEP_M, 0.0, 0.0)), other)
    assert np.abs(shown - sliding).max() > 3.0


@pytest.mark.parametrize("made", [_bicycle, _car, _walker])
def test_flow_leads_to_the_same_part(session: RenderSession, monkeypatch: pytest.MonkeyPatch, made) -> None:  # type: ignore[no-untyped-def]
    one, other = _pair(session, monkeypatch, made, 0.3)
    assert one.flow is not None
    rows, columns = np.nonzero((one.instance_id > 0) & (one.instance_id < 3) & one.flow.valid)
    x = np.floor(columns + 0.5 + one.flow.flow_px[rows, columns, 0]).astype(int)
    y = np.floor(rows + 0.5 + one.flow.flow_px[rows, columns, 1]).astype(int)
    inside = (x >= 1) & (x < 399) & (y >= 1) & (y < 399)
    rows, columns, x, y = rows[inside], columns[inside], x[inside], y[inside]
    # Spokes are thinner than a pixel: next to where it leads the same part is seen, unless another hides it.
    window = np.stack([other.part[y + dy, x + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    names = np.array(["", *(part.name for part in one.parts)])
    later = np.array(["", *(part.name for part in other.parts)])
    met = (names[one.part[rows, columns]] == later[window]).any(axis=0)
    assert len(met) > 2000
    assert met.mean() > 0.97


def test_a_rider_pedals_within_the_box(session: RenderSession, monkeypatch: pytest.MonkeyPatch) -> None:
    heights, sizes = [], set()
    for first in np.linspace(0.0, 2 * math.pi * 0.8, 6, endpoint=False).tolist():
        one, _ = _pair(session, monkeypatch, lambda gone: tuple(replace(p, x_m=0.4) for p in _bicycle(gone)), first)
        vehicle, rider = one.instances
        assert rider.rides == vehicle.id
        assert rider.key_points is not None
        heights.append(rider.key_points[13][1])
        left, top, right, bottom = rider.box_amodal_px
        box = rider.box_3d
        sizes.add((box.length_m, box.height_m, box.width_m))
        for x, y, seen in rider.key_points:
            assert seen > 0
            assert left - 1 <= x <= right + 1
            assert top - 1 <= y <= bottom + 1
    assert len(sizes) == 1
    assert np.ptp(heights) > 15


def test_models_at_rest_are_as_they_were_built(session: RenderSession, monkeypatch: pytest.MonkeyPatch) -> None:
    for made in (_bicycle, _car):
        still, moving = made(0.0), made(0.0)
        still = tuple(replace(one, motion=None) for one in still)
        frames = []
        for placements in (still, moving):
            monkeypatch.setattr(session, "setup", lambda *_, placed=placements: _setup(placed, 0))
            frames.append(session.frame(0, parts=True))
        assert np.abs(frames[0].depth_m - frames[1].depth_m)[np.isfinite(frames[0].depth_m)].max() < 0.2
        assert (frames[0].instance_id != frames[1].instance_id).mean() < 2e-4
