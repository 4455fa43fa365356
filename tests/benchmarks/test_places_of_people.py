"""Where people stand against the road, by the picture of a road whose edges are known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks.people.places import place_of
from pipelines.backgrounds.geometry.ground import GroundPlane, GroundPlanes
from pipelines.backgrounds.images import Background, open_backgrounds


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Background, GroundPlane]:
    """A grey picture; its camera is 1.5 m above a plane whose horizon is row 200."""
    folder = tmp_path_factory.mktemp("frames")
    cv2.imwrite(str(folder / "a.png"), np.full((512, 640), 120, np.uint8))
    background = next(iter(open_backgrounds(folder, camera="flir-adas", size="640x512", horizon=200.0)))
    ground = GroundPlanes(camera_height_m=1.5).of(background)
    return background, replace(ground, horizon=replace(ground.horizon, row_px=200.0, height_m=1.5, slope=0.0))


@pytest.mark.parametrize(
    ("aside_m", "expected"),
    [(0.0, "road"), (2.5, "road"), (3.5, "its edge"), (5.0, "to 2 m"), (7.0, "to 4 m"), (9.5, "further")],
)
def test_places_of_feet_thirty_metres_ahead(
    seen: tuple[Background, GroundPlane], aside_m: float, expected: str
) -> None:
    """The road is 9 m wide thirty metres ahead, as the focal length says."""
    background, ground = seen
    camera = background.camera
    middle, foot = 0.5 * camera.width, 200.0 + camera.fy * 1.5 / 30.0
    free = np.zeros((camera.height, camera.width), np.bool_)
    half = 4.5 * camera.fx / 30.0
    free[201:, round(middle - half) : round(middle + half)] = True
    column = middle - aside_m * camera.fx / 30.0
    box = (column - 8.0, foot - 60.0, column + 8.0, foot)
    assert place_of(box, ground, free, background) == expected


def test_cut_small_and_flying_boxes_have_no_place(seen: tuple[Background, GroundPlane]) -> None:
    background, ground = seen
    free = np.ones(background.image.shape, np.bool_)
    for box in ((0.0, 200.0, 30.0, 300.0), (100.0, 290.0, 110.0, 300.0), (100.0, 100.0, 120.0, 190.0)):
        assert place_of(box, ground, free, background) is None
