"""Density and distances that are asked for: dense traffic does not intersect, and sizes are those that were asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.errors import SceneError
from renderer.geometry.camera import Camera
from renderer.random_streams import Draw, Stream
from renderer.scene.cars import FrameSetup, ModelSize
from renderer.scene.distances import BoxHeights, Distances, Traffic
from renderer.scene.placement import sample_on_plane
from renderer.scene.projection import projected_box
from renderer.scene.street import Bay, Lane, Street
from renderer.scene.traffic import sample_frame
from renderer.thermal.conditions import sample_conditions

Array = NDArray[np.float64]

CAMERA = Camera("tau", 640, 512, 772.0, 772.0, 320.0, 256.0, height_m=1.45, pitch_deg=2.0)
CARS = (ModelSize("hatchback", "car", 4.0, 1.78, 1.5), ModelSize("saloon", "car", 4.75, 1.83, 1.5))
MODELS = (*CARS, ModelSize("lorry", "truck", 8.4, 2.5, 3.4), ModelSize("bus", "bus", 12.0, 2.55, 3.1))
SIZES = {model.name: model for model in MODELS}
DENSEST = Traffic(8.0)
ROADSCENE_PX = (10.0, 14.0, 19.0, 27.0, 48.0, 93.0, 190.0)


def _line(y_m: float, *, back: bool = False) -> Array:
    x = np.linspace(0.0, 400.0, 80)
    return np.column_stack([x[::-1] if back else x, np.full(80, y_m), np.zeros(80)])


@cache
def street() -> Street:
    """A straight street with a lane each way and cars parked on both sides."""
    lanes = (Lane(_line(-1.7), 3.4), Lane(_line(1.7, back=True), 3.4))
    bays = [Bay(x, y, 0.0, 0.0, 5.7, 2.2) for x in np.arange(4.0, 396.0, 5.7) for y in (-4.5, 4.5)]
    return Street(lanes, tuple(bays), (_line(-1.7)[20:50],))


def on_street(index: int, traffic: Traffic, models: Sequence[ModelSize] = MODELS) -> FrameSetup:
    draw = Draw(11, index)
    weather = sample_conditions(draw.rng(Stream.CONDITIONS))
    return sample_frame(street(), models, CAMERA, draw, weather, traffic=traffic)


def on_plane(index: int, traffic: Traffic, models: Sequence[ModelSize] = MODELS) -> FrameSetup:
    draw = Draw(12, index)
    weather = sample_conditions(draw.rng(Stream.CONDITIONS))
    free = None if index % 2 else _all_road()
    return sample_on_plane(CAMERA, models, draw, weather, free_mask=free, traffic=traffic)


def _all_road() -> NDArray[np.bool_]:
    free = np.zeros((CAMERA.height, CAMERA.width), dtype=np.bool_)
    free[235:] = True
    return free


def most_shared_m2(setup: FrameSetup) -> float:
    """Largest area that two cars of a frame share on the ground, by OpenCV."""
    shapes = [
        cv2.RotatedRect((p.x_m, p.y_m), (SIZES[p.model].length_m, SIZES[p.model].width_m), float(np.degrees(p.yaw_rad)))
        for p in setup.placements
    ]
    shared = [0.0]
    for k, one in enumerate(shapes):
        for other in shapes[:k]:
            _, points = cv2.rotatedRectangleIntersection(one, other)
            if points is not None and len(points) > 2:
                shared.append(float(cv2.contourArea(cv2.convexHull(points))))
    return max(shared)


def heights_px(setups: Iterable[FrameSetup]) -> Array:
    found = [
        box[3] - box[1]
        for setup in setups
        for p in setup.placements
        if (box := projected_box(p, SIZES[p.model], CAMERA, setup.cam_to_world)) is not None
    ]
    return np.array(found)


def kolmogorov(sample: Array, quantiles: Sequence[float]) -> float:
    """Largest difference of cumulative shares between a sample and a distribution of evenly spaced quantiles."""
    expected = np.interp(np.sort(sample), quantiles, np.linspace(0.0, 1.0, len(quantiles)))
    return float(np.abs(expected - (np.arange(len(sample)) + 0.5) / len(sample)).max())


def test_the_densest_traffic_does_not_intersect() -> None:
    street_m2 = [most_shared_m2(on_street(index, DENSEST)) for index in range(100)]
    plane_m2 = [most_shared_m2(on_plane(index, DENSEST)) for index in range(100)]
    assert max(*street_m2, *plane_m2) < 1e-3


def test_the_intersection_check_finds_one() -> None:
    setup = on_street(0, DENSEST)
    first = setup.placements[0]
    assert most_shared_m2(FrameSetup(0, (first, first), setup.cam_to_world)) > 5.0


def test_density_is_about_the_number_of_cars() -> None:
    for place in (on_street, on_plane):
        counts = {d: np.mean([len(place(k, Traffic(d)).placements) for k in range(60)]) for d in (0.0, 0.5, 1.0, 2.0)}
        assert counts[0.0] == 0.0
        assert 0 < counts[0.5] < 0.85 * counts[1.0]
        assert counts[2.0] > 1.25 * counts[1.0]


def test_dense_streets_have_long_queues_and_full_rows() -> None:
    hidden = {
        density: np.mean([_behind_share(on_street(k, Traffic(density))) for k in range(60)]) for density in (1, 3)
    }
    assert hidden[3] > 1.1 * hidden[1]


def _behind_share(setup: FrameSetup) -> float:
    """Share of the cars whose box overlaps that of a nearer one."""
    boxes = [projected_box(p, SIZES[p.model], CAMERA, setup.cam_to_world) for p in setup.placements]
    seen = [box for box in boxes if box is not None]
    behind = [
        any(o[3] > b[3] and o[0] < b[2] and b[0] < o[2] and o[1] < b[3] and b[1] < o[3] for o in seen) for b in seen
    ]
    return float(np.mean(behind)) if behind else 0.0


def test_on_a_plane_boxes_are_as_high_as_was_asked() -> None:
    asked = Traffic(1.0, BoxHeights(ROADSCENE_PX))
    heights = heights_px(on_plane(2 * k + 1, asked, CARS) for k in range(250))
    assert len(heights) > 400
    assert kolmogorov(heights, ROADSCENE_PX) < 0.08
    usual = heights_px(on_plane(2 * k + 1, Traffic(), CARS) for k in range(250))
    assert kolmogorov(usual, ROADSCENE_PX) > 0.2


def test_on_a_street_boxes_are_as_high_as_was_asked() -> None:
    asked = Traffic(1.0, BoxHeights(ROADSCENE_PX))
    heights = heights_px(on_street(k, asked, CARS) for k in range(150))
    assert len(heights) > 300
    assert kolmogorov(heights, ROADSCENE_PX) < 0.2
    assert kolmogorov(heights_px(on_street(k, Traffic(), CARS) for k in range(150)), ROADSCENE_PX) > 0.2


def test_a_range_of_distances_is_kept() -> None:
    asked = Traffic(2.0, Distances((30.0, 60.0)))
    for place in (on_street, on_plane):
        setups = [place(k, asked) for k in range(60)]
        # A car's rear or front, along the camera's heading: it looks along +x within a few degrees.
        away = [
            p.x_m - setup.cam_to_world[0, 3] - SIZES[p.model].length_m / 2 for setup in setups for p in setup.placements
        ]
        assert len(away) > 60
        assert min(away) > 30.0 * 0.9
        assert max(away) < 60.0 * 1.1 + 10.0


def test_some_cars_are_cut_by_the_border_on_either_side() -> None:
    asked = Traffic(2.0, BoxHeights(ROADSCENE_PX))
    left, right, cars = 0, 0, 0
    for k in range(200):
        setup = on_plane(2 * k, asked)
        for p in setup.placements:
            box = projected_box(p, SIZES[p.model], CAMERA, setup.cam_to_world)
            cars += 1
            left += box is not None and box[0] < 0
            right += box is not None and box[2] > CAMERA.width
    assert left > 0.02 * cars
    assert right > 0.02 * cars


def test_a_frame_follows_from_its_draw_alone() -> None:
    asked = Traffic(3.0, Distances((8.0, 90.0)))
    for place in (on_street, on_plane):
        first = [place(k, asked).placements for k in (3, 8, 3)]
        assert first[0] == first[2]
        assert first[0] != first[1]


def test_heights_and_distances_are_each_others_inverse() -> None:
    distances = BoxHeights((10.0, 20.0, 100.0)).distances(800.0)
    assert distances.quantiles_m == pytest.approx((12.0, 60.0, 120.0))
    assert BoxHeights.of([100.0, 10.0, 10.0]).scaled(0.5).quantiles_px[0] == 5.0


def test_evenly_spread_cars_are_thinned_to_the_distribution() -> None:
    distances = Distances((10.0, 12.0, 15.0, 30.0, 80.0))
    rng = np.random.default_rng(1)
    even = rng.uniform(5.0, 100.0, 40_000)
    kept = np.array([d for d in even if rng.random() < distances.keep_share(d)])
    assert kolmogorov(kept, distances.quantiles_m) < 0.05


@pytest.mark.parametrize("quantiles", [(5.0,), (5.0, 5.0), (9.0, 5.0), (0.0, 5.0), (5.0, float("inf"))])
def test_what_is_no_distribution_is_refused(quantiles: tuple[float, ...]) -> None:
    with pytest.raises(SceneError, match="expected"):
        Distances(quantiles)


@pytest.mark.parametrize("place", [on_street, on_plane])
def test_at_most_so_many_cars_are_the_nearest_of_those_that_would_be_there(place: Callable[..., FrameSetup]) -> None:
    fewer = 0
    for index in range(12):
        everything, kept = (place(index, Traffic(2.0, most=most)).placements for most in (None, 2))
        at = place(index, Traffic(2.0)).cam_to_world[:2, 3]
        apart = {one: float(np.hypot(one.x_m - at[0], one.y_m - at[1])) for one in everything}
        assert len(kept) == min(2, len(everything))
        assert set(kept) == set(sorted(everything, key=apart.__getitem__)[:2])
        fewer += len(everything) > 2
    assert fewer > 3
    assert place(0, Traffic(most=None)).placements == place(0, Traffic()).placements
    assert place(0, Traffic(most=0)).placements == ()
