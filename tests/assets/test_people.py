"""The people and two-wheelers that ship: real sizes, on their feet, closed, and joints where joints are."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assets import PEOPLE_ARRAYS, TWO_WHEELER_ARRAYS, people_models
from renderer.zones.catalogue import Zone

MODELS = people_models()
# Heights of the WHO growth reference (3rd centile at 5 years: 1.00 m), and of the tallest people there are, Dutch men
# (Schoenbeck et al. 2013: 1.84 m, deviation 0.07 m); hats and heels come on top.
LEAST_M, MOST_M = 0.99, 2.05
Arrays = dict[str, NDArray[Any]]


def read(path) -> Arrays:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


@pytest.fixture(scope="module")
def people() -> Arrays:
    return read(PEOPLE_ARRAYS)


@pytest.fixture(scope="module")
def vehicles() -> Arrays:
    return read(TWO_WHEELER_ARRAYS)


@pytest.fixture(scope="module")
def everything(people, vehicles) -> dict[str, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Vertices, faces and zones of all models."""
    return {
        name.removesuffix("/zones"): (
            source[name.replace("/zones", "/vertices")].astype(np.float64),
            source[name.replace("/zones", "/corners")].reshape(-1, 3).astype(int),
            source[name],
        )
        for source in (people, vehicles)
        for name in source
        if name.endswith("/zones")
    }


def marks(arrays: Arrays) -> dict[str, dict[str, Any]]:
    return {name: model["marks"] for name, model in json.loads(str(arrays["models"]))["models"].items()}


def test_files_are_small_enough() -> None:
    assert PEOPLE_ARRAYS.stat().st_size + TWO_WHEELER_ARRAYS.stat().st_size < 15e6


def test_everybody_stands_and_walks_and_the_crowd_is_mixed() -> None:
    poses = Counter((model.person, model.pose) for model in MODELS)
    names = {model.person for model in MODELS}
    assert len(names) >= 24
    for person in names:
        assert poses[person, "stand"] == 1
        phases = sorted(model.phase for model in MODELS if (model.person, model.pose) == (person, "walk"))
        every = 2 if len(phases) == 6 else 1
        assert phases == pytest.approx([step / 12 for step in range(0, 12, every)])
    assert {"run", "wait", "look", "cross", "phone", "read", "carry", "push", "sit"} <= {model.pose for model in MODELS}
    heights = sorted(model.height_m for model in MODELS if model.pose == "stand")
    assert heights[2] < 1.4, "children"
    assert heights[-3] > 1.85


def test_models_stand_on_the_ground_and_have_the_size_that_they_say(people, vehicles, everything) -> None:
    for name, own in (marks(people) | marks(vehicles)).items():
        vertices = everything[name][0]
        if "gis_rides" not in own:
            assert vertices[:, 2].min() == 0.0, name
        sizes = [2 * abs(vertices[:, 0]).max(), 2 * abs(vertices[:, 1]).max(), vertices[:, 2].max()]
        assert sizes == pytest.approx([own[f"gis_{side}_m"] for side in ("length", "width", "height")], abs=1e-6), name
        assert own["gis_category"] in ("person", "bicycle", "motorcycle", "scooter")


def test_heights_are_those_of_people(everything) -> None:
    for model in MODELS:
        if model.pose == "stand":
            vertices, faces, zones = everything[model.name]
            own = np.isin(zones, [Zone.SKIN, Zone.HAIR, Zone.HEADWEAR, Zone.SHOES])
            assert LEAST_M < np.ptp(vertices[faces[own]][..., 2]) < MOST_M, model.name


def test_meshes_are_closed_and_face_outwards(everything) -> None:
    for name, (vertices, faces, _) in everything.items():
        edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        ahead, back = (np.sort(edges @ weights) for weights in ([1 << 20, 1], [1, 1 << 20]))
        assert (np.diff(ahead) > 0).all(), name
        assert np.array_equal(ahead, back), f"{name}: an edge with one face"
        corners = vertices[faces]
        volume_m3 = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
        # A child of 16 kg to a heavy adult in a coat with a bag, at 985 kg/m3; frames have little volume.
        assert (0.014 if ".walk" in name else 0.002) < volume_m3 < 0.4, name


def test_zones_are_those_of_people_and_face_hands_shoes_are_there(people, everything) -> None:
    for name in marks(people):
        zones = set(everything[name][2].tolist())
        assert zones <= set(range(Zone.SKIN, Zone.CARRIED + 1)), name
        assert zones >= {Zone.SKIN, Zone.HANDS, Zone.UPPER_CLOTHES, Zone.SHOES}, name


def test_two_wheelers_have_wheels_frames_and_what_is_hot(vehicles, everything) -> None:
    for name, own in marks(vehicles).items():
        zones = set(everything[name][2].tolist())
        if own["gis_category"] != "person":
            assert {Zone.TYRE, Zone.FRAME} <= zones, name
            assert ({Zone.ENGINE, Zone.EXHAUST, Zone.BRAKE} <= zones) == (own["gis_category"] == "motorcycle"), name


def test_key_points_lie_in_the_body(people, vehicles, everything) -> None:
    arrays = people | vehicles
    for name in [entry.removesuffix("/key_points") for entry in arrays if entry.endswith("/key_points")]:
        points, vertices = arrays[f"{name}/key_points"], everything[name][0]
        assert points.shape == (17, 3)
        assert points.dtype == np.float32
        assert (points > vertices.min(axis=0) - 0.005).all(), name
        assert (points < vertices.max(axis=0) + 0.005).all(), name
        for row in (5, 11):  # shoulders, hips
            assert points[row, 1] > points[row + 1, 1], f"{name}: left is to the left of one who looks along x"
        forward = points[0] - points[[3, 4]].mean(axis=0)
        assert np.cross(forward, points[1] - points[2])[2] > 0, f"{name}: the left eye is to the left of the nose"
        assert points[[0, 3, 4], 2].min() > points[5:7, 2].mean() > points[11:13, 2].mean() > points[15:, 2].min(), name


def test_proportions_are_those_of_people(people, everything) -> None:
    """Heights of joints by stature: Winter 1991, fig. 3.1 (Drillis and Contini): hip 0.53, knee 0.285."""
    for model in MODELS:
        if model.pose != "stand" or model.person in ("person_03", "person_08", "person_21"):  # these stoop
            continue
        points, (vertices, faces, zones) = people[f"{model.name}/key_points"], everything[model.name]
        crown = vertices[faces[np.isin(zones, [Zone.SKIN, Zone.HAIR, Zone.HEADWEAR])]][..., 2].max()
        assert points[11:13, 2].mean() / crown == pytest.approx(0.53, abs=0.055), model.name
        assert points[13:15, 2].mean() / crown == pytest.approx(0.285, abs=0.035), model.name
        assert points[5:7, 2].mean() / crown == pytest.approx(0.818, abs=0.065), model.name


def test_legs_keep_their_length_and_stride_as_people_do(people) -> None:
    """A step of an adult is 0.35 to 0.5 of stature long (Winter 1991: 0.413 at natural cadence)."""
    for person in ("person_01", "person_11", "person_22"):
        points = {phase: people[f"{person}.walk_{phase:02}/key_points"].astype(np.float64) for phase in range(12)}
        thighs = [np.linalg.norm(at[13] - at[11]) for at in points.values()]
        assert np.ptp(thighs) < 0.1 * np.mean(thighs)
        height = people[f"{person}.stand/vertices"][:, 2].max()
        assert 0.35 < abs(points[0][15, 0] - points[0][16, 0]) / height < 0.5


def test_hands_are_not_in_the_body(people, everything) -> None:
    """Faces of hands cut no face of the body but in the sleeve; counted by Blender's tree of boxes."""
    pytest.importorskip("bpy")
    from mathutils import bvhtree

    for model in MODELS:
        vertices, faces, zones = everything[model.name]
        hands, rest = (faces[chosen] for chosen in (zones == Zone.HANDS, ~np.isin(zones, [Zone.HANDS, Zone.CARRIED])))
        trees = [bvhtree.BVHTree.FromPolygons(vertices.tolist(), part.tolist()) for part in (hands, rest)]
        cutting = {i for i, j in trees[0].overlap(trees[1]) if not set(hands[i]) & set(rest[j])}
        assert len(cutting) <= 0.06 * len(hands), model.name


def test_riders_sit_and_hold_on(vehicles, everything) -> None:
    for name, own in marks(vehicles).items():
        if "gis_rides" not in own:
            continue
        points, (vehicle, faces, zones) = vehicles[f"{name}/key_points"], everything[own["gis_rides"]]
        grips = vehicle[:, 1].max(), vehicle[:, 1].min()
        for row, side in ((9, grips[0]), (10, grips[1])):
            ends = vehicle[abs(vehicle[:, 1] - side) < 0.12]
            assert np.linalg.norm(ends - points[row], axis=1).min() < 0.2, f"{name}: a hand off the bar"
        if own["gis_rides"] != "scooter_01":
            seat = vehicle[faces[zones == Zone.SEAT]].reshape(-1, 3)
            hips = points[11:13].mean(axis=0)
            below = seat[np.hypot(*(seat[:, :2] - hips[:2]).T) < 0.3]
            assert 0.0 < hips[2] - below[:, 2].max() < 0.2, f"{name}: off the saddle"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("anny") is None, reason="anny is missing: pip install gis-thermal[build]")
def test_rebuilt_models_are_the_same(people, vehicles) -> None:
    from assets.build.people.__main__ import NEAR
    from assets.build.people.arrays import model_arrays
    from assets.build.people.models import person_models, two_wheeler_models

    for made, shipped in ((person_models, people), (two_wheeler_models, vehicles)):
        rebuilt = model_arrays(made(NEAR))
        assert list(rebuilt) == list(shipped)
        for name, values in rebuilt.items():
            assert np.array_equal(values, shipped[name]), name
