"""Traffic between Blender and :mod:`renderer.scene.traffic`: read a street from a scene, put a frame's cars into it.

A street is marked by custom properties: ``gis_lane`` (width in metres) on a mesh of edges whose vertices run in driving
order, ``gis_bay`` with ``gis_length_m`` and ``gis_width_m`` on an empty whose x axis is the heading, and
``gis_camera_path`` on a mesh of edges that the camera car drives along; ``gis_cover``, alike as a bay, on an empty at
the underside of a bridge. The scene's own ``gis_far_m`` says how far away
its cars are worth placing, ``gis_people`` (0 or 1) whether anybody walks there, and ``gis_speed_m_s`` how fast its cars
usually are in sequences.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..errors import SceneError
from ..geometry.cover import Cover
from ..scene.cars import FrameSetup, ModelSize
from ..scene.street import Bay, Lane, Street
from .evaluation import matrix_in_metres, metres_per_unit
from .library.model_arrays import UNIT
from .objects import CATEGORY, category_of

__all__ = ["apply", "is_traffic", "model_collections", "model_size", "read_street"]

LANE, BAY, CAMERA_PATH, COVER = "gis_lane", "gis_bay", "gis_camera_path", "gis_cover"
FAR, PEOPLE, SPEED = "gis_far_m", "gis_people", "gis_speed_m_s"
TRAFFIC_COLLECTION = "gis_traffic"
OUT_OF_SIGHT_M = 5000.0
"""How far behind the camera unused cars are kept. Hiding them instead would rebuild the depsgraph."""


def read_street(scene: bpy.types.Scene) -> Street | None:
    """Lanes, bays and camera paths of a scene, each kind sorted by object name; None if there are no camera paths.

    Places are in units of the scene, widths and lengths that properties state are metres.
    """
    objects, metres = sorted(scene.objects, key=lambda item: str(item.name)), metres_per_unit(scene)
    paths = tuple(_vertices_m(item, metres) for item in objects if CAMERA_PATH in item)
    if not paths:
        return None
    lanes = tuple(Lane(_vertices_m(item, metres), float(item[LANE])) for item in objects if LANE in item)
    far_m, speed_m_s = (float(scene[name]) if name in scene else None for name in (FAR, SPEED))
    bays = tuple(_bay(item, metres) for item in objects if BAY in item)
    covers = tuple(_cover(item, metres) for item in objects if COVER in item)
    return Street(lanes, bays, paths, far_m, bool(scene.get(PEOPLE, True)), speed_m_s, covers)


def _vertices_m(item: bpy.types.Object, metres: float) -> NDArray[np.float64]:
    """World positions of a mesh's or poly curve's points in their order, (N, 3) metres."""
    if item.type == "MESH":
        flat = np.empty(len(item.data.vertices) * 3, dtype=np.float32)
        item.data.vertices.foreach_get("co", flat)
        local = flat.reshape(-1, 3).astype(np.float64)
    elif item.type == "CURVE" and item.data.splines:
        local = np.array([point.co[:3] for point in item.data.splines[0].points], dtype=np.float64).reshape(-1, 3)
    else:
        raise SceneError(
            f"{item.name}: a lane or camera path is a {item.type}: expected a mesh of edges or a poly curve"
        )
    if len(local) < 2:
        raise SceneError(f"{item.name}: a lane or camera path has {len(local)} points: expected at least 2")
    matrix = matrix_in_metres(np.array(item.matrix_world, dtype=np.float64), metres)
    return np.asarray(local @ matrix[:3, :3].T + matrix[:3, 3])


def _bay(item: bpy.types.Object, metres: float) -> Bay:
    up = np.array(item.matrix_world, dtype=np.float64)[:3, 2]
    slope = (0.0, 0.0) if up[2] <= 0 else (float(-up[0] / up[2]) + 0.0, float(-up[1] / up[2]) + 0.0)
    return Bay(*_rectangle(item, metres, "parking bay"), slope)


def _cover(item: bpy.types.Object, metres: float) -> Cover:
    x, y, z, yaw, length_m, width_m = _rectangle(item, metres, "cover")
    return Cover(x, y, z, yaw, length_m, width_m)


def _rectangle(item: bpy.types.Object, metres: float, what: str) -> tuple[float, float, float, float, float, float]:
    """Place of its middle, heading, length and width of a marked rectangle: metres and radians."""
    try:
        length_m, width_m = float(item["gis_length_m"]), float(item["gis_width_m"])
    except KeyError as error:
        raise SceneError(f"{item.name}: {what} without {error}: expected gis_length_m and gis_width_m") from None
    matrix = item.matrix_world
    yaw = math.atan2(matrix[1][0], matrix[0][0])
    x, y, z = (float(matrix[row][3]) * metres for row in range(3))
    return x, y, z, yaw, length_m, width_m


def model_collections(collections: Iterable[bpy.types.Collection] | None = None) -> dict[str, bpy.types.Collection]:
    """Car models among the collections (default: all of the file) by model name.

    Those with ``gis_category`` and a size: a collection without one is a car that stands where it is.

    Raises:
        SceneError: one has a category that there is not.
    """
    candidates = bpy.data.collections if collections is None else collections
    models = [item for item in candidates if CATEGORY in item and "gis_length_m" in item and category_of(item)]
    marked = {str(item.get("gis_model", item.name)): item for item in models}
    return dict(sorted(marked.items()))


def model_size(collection: bpy.types.Collection) -> ModelSize:
    """Size of a model as its collection's custom properties state it.

    Raises:
        SceneError: a property is missing.
    """
    try:
        return ModelSize(
            str(collection.get("gis_model", collection.name)),
            category_of(collection),
            float(collection["gis_length_m"]),
            float(collection["gis_width_m"]),
            float(collection["gis_height_m"]),
            share=_share(collection),
        )
    except KeyError as error:
        raise SceneError(
            f"{collection.name}: model without {error}: expected gis_category, gis_length_m, gis_width_m, gis_height_m"
        ) from None


def _share(collection: bpy.types.Collection) -> float:
    """How often a model is drawn, against the others of its category.

    Raises:
        SceneError: it is no positive number.
    """
    share = collection.get("gis_share", 1.0)
    if not isinstance(share, int | float) or not 0.0 < share < 1e6:
        raise SceneError(f"{collection.name}: gis_share is {share!r}: expected a number above 0")
    return float(share)


def apply(
    scene: bpy.types.Scene,
    setup: FrameSetup,
    models: Mapping[str, bpy.types.Collection],
    *,
    model_unit_m: float | None = None,
) -> list[bpy.types.Object]:
    """Pose the scene's camera and one collection-instance empty per placement; call ``view_layer.update()`` after it.

    Empties are kept from frame to frame and reused by model; those without a placement are kept far behind the camera.

    Args:
        scene: gets the cars.
        setup: where they are, metres.
        models: by name.
        model_unit_m: length of a unit of the models; None for the scene's own.

    Returns:
        the empties, in the order of ``setup.placements``; each carries ``gis_category, gis_model, gis_profile``.

    Raises:
        SceneError: no camera, or a placement of an unknown model.
    """
    if scene.camera is None:
        raise SceneError(f"scene {scene.name!r} has no active camera: set one, or name a camera preset")
    metres = metres_per_unit(scene)
    size = 1.0 if model_unit_m is None else model_unit_m / metres
    scene.camera.matrix_world = _in_units(setup.cam_to_world @ np.diag([1.0, -1.0, -1.0, 1.0]), metres)
    home = _traffic_collection(scene)
    free: dict[str, list[bpy.types.Object]] = {}
    for item in sorted(home.objects, key=lambda item: str(item.name), reverse=True):
        # A model of that name may have been replaced since the empty was made.
        name = str(item["gis_model"])
        current = name in models and item.instance_collection == models[name]
        free.setdefault(name if current else "", []).append(item)
    used = []
    for placement in setup.placements:
        if placement.model not in models:
            raise SceneError(f"traffic asks for model {placement.model!r}: expected one of {', '.join(models)}")
        pool = free.get(placement.model)
        item = pool.pop() if pool else _new_empty(home, models[placement.model], placement.model)
        own_unit_m = models[placement.model].get(UNIT)
        own_size = size if own_unit_m is None else float(own_unit_m) / metres
        item.matrix_world = _in_units(placement.object_to_world, metres, own_size)
        item["gis_profile"] = placement.profile
        used.append(item)
    away = setup.cam_to_world @ (0.0, 0.0, -OUT_OF_SIGHT_M, 1.0)
    for pool in free.values():
        for item in pool:
            item.matrix_world = Matrix.Translation((away[:3] / metres).tolist())
    return used


def _in_units(pose: NDArray[np.float64], metres: float, size: float = 1.0) -> Matrix:
    """A pose in metres as Blender has it, of something that is ``size`` times as large there."""
    matrix = pose.copy()
    matrix[:3, :3] *= size
    matrix[:3, 3] /= metres
    return Matrix(matrix.tolist())


def is_traffic(item: bpy.types.Object) -> bool:
    """Whether an object is one of the empties that :func:`apply` places or keeps out of sight."""
    return any(home.name == TRAFFIC_COLLECTION for home in item.users_collection)


def _traffic_collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The collection that holds the empties, made on first use."""
    home = scene.collection.children.get(TRAFFIC_COLLECTION)
    if home is None:
        home = bpy.data.collections.new(TRAFFIC_COLLECTION)
        scene.collection.children.link(home)
    return home


def _new_empty(home: bpy.types.Collection, model: bpy.types.Collection, name: str) -> bpy.types.Object:
    count = sum(1 for item in home.objects if item["gis_model"] == name)
    item = bpy.data.objects.new(f"traffic.{name}.{count:03d}", None)
    item.instance_type = "COLLECTION"
    item.instance_collection = model
    item["gis_category"] = category_of(model)
    item["gis_model"] = name
    item["gis_profile"] = ""
    home.objects.link(item)
    return item
