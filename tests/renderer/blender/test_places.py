"""Places that are built from arrays: the same passes as from a scene file, and as Cycles draws that file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assets import CITY, PEOPLE_ARRAYS, WORLD_KINDS, camera
from renderer.geometry.frame import Frame
from renderer.scene.place import Place

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from assets.build.worlds.scene import build_place, write_world  # noqa: E402
from renderer.blender.engine import RenderSession  # noqa: E402

CAMERA = camera("flir-adas", (320, 256))
# As in test_engine_equality: a pixel's centre may lie on an edge within rounding.
ALLOWED_SHARE, DEPTH_RELATIVE = 5e-5, 1e-4


class OnePlace:
    """Odd frames are made in one generated street, even ones in the file's own."""

    def __init__(self, kind: str) -> None:
        self.kind, self.made = kind, 0

    def name(self, index: int) -> str:
        return self.kind if index % 2 else "own"

    def make(self, name: str) -> Place | None:
        self.made += name != "own"
        return None if name == "own" else build_place(name, 7)


def assert_same(ours: Frame, theirs: Frame) -> None:
    hit = np.isfinite(ours.depth_m) & np.isfinite(theirs.depth_m) & (ours.instance_id == theirs.instance_id)
    relative = np.abs(ours.depth_m[hit] - theirs.depth_m[hit]) / theirs.depth_m[hit]
    differing = {
        "ids": (ours.instance_id != theirs.instance_id).mean(),
        "zones": (ours.zone != theirs.zone).mean(),
        "sky": (np.isfinite(ours.depth_m) != np.isfinite(theirs.depth_m)).mean(),
        "depths": (relative > DEPTH_RELATIVE).mean(),
    }
    assert max(differing.values()) <= ALLOWED_SHARE, differing
    assert {item.category for item in ours.instances} >= {"car"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", WORLD_KINDS)
def test_a_generated_street_is_drawn_alike_from_arrays_from_a_file_and_by_cycles(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.blend"
    write_world(kind, 7, path)
    with RenderSession(path, camera=CAMERA, people=PEOPLE_ARRAYS, seed=5) as session:
        ours = session.frame(1, people=None, parts=True)
    with RenderSession(path, camera=CAMERA, people=PEOPLE_ARRAYS, seed=5, engine="cycles") as session:
        by_cycles = session.frame(1, people=None)
    with RenderSession(CITY, camera=CAMERA, people=PEOPLE_ARRAYS, seed=5, places=OnePlace(kind)) as session:
        from_arrays = session.frame(1, people=None, parts=True)
    assert_same(ours, by_cycles)
    assert_same(from_arrays, ours)
    assert [part.name for part in from_arrays.parts] == [part.name for part in ours.parts]


def test_the_files_own_street_stays_as_it_is_beside_others() -> None:
    with RenderSession(CITY, camera=CAMERA, seed=5) as session:
        alone = session.frame(2)
    places = OnePlace("residential")
    with RenderSession(CITY, camera=CAMERA, seed=5, places=places) as session:
        odd = session.frame(1)
        beside, again = session.frame(2), session.frame(1)
    assert np.array_equal(alone.instance_id, beside.instance_id)
    assert np.array_equal(alone.depth_m, beside.depth_m)
    assert np.array_equal(odd.depth_m, again.depth_m)
    assert places.made == 1
