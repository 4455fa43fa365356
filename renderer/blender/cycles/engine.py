"""Passes by Cycles at one sample: the oracle of the z-buffer, and the engine for hair, displacement and cut-out alpha.

Every material gets AOVs: the zone, and of a copy its place and its random number, by which :mod:`.parts` finds
the part. One sample with the narrowest pixel filter falls on the pixel's centre and mixes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ...geometry.meshes import MeshPool
from ...raster.rasterizer import RasterPasses
from ...zones.catalogue import ZONE_ATTRIBUTE
from ..compat import aov_output, pass_named, read_pass
from ..evaluation import assign, metres_per_unit, rendered_layer
from ..extract import WITH_SURFACE, PlacedMesh
from ..scene_camera import CAMERA_AXES, CameraView
from ..session import quiet
from .parts import MAX_OWNERS, DrawnCopy, Seen, drawn_copies, find_parts, number_owners
from .surfaces import find_surfaces

__all__ = ["CyclesEngine", "CyclesPasses", "new_eye", "picture_settings", "pose_eye"]

_PLACE, _RANDOM, _ZONE = "gis_place_aov", "gis_random_aov", "gis_zone_aov"
_LAYERS = "gis_layers_aov"
"""1 on every surface: how many a ray has passed, and the values of so many are added up in the others."""
_BACKGROUND_DEPTH_M = 1e9
"""Cycles writes 1e10 where nothing was hit."""
_FARTHEST = 1e6
"""Far plane where there is none, Blender units."""
_SAME_SURFACE = 1e-4
"""Relative difference of the engines' depths, float32 against float64, that rounding does not reach."""


@dataclass(frozen=True, eq=False)
class CyclesPasses:
    """One rendering; arrays are (H, W), row 0 at the top."""

    depth_m: NDArray[np.float32]
    instance_id: NDArray[np.uint16]
    zone: NDArray[np.uint8]
    part: NDArray[np.uint16]
    normal: NDArray[np.float32]


class CyclesEngine:
    """Cycles set up once for a scene."""

    def __init__(self, scene: bpy.types.Scene, background_zone: int) -> None:
        """Set the scene's render settings (in memory) and give everything in the file AOVs and numbers.

        All of that at once, before frames are stepped through: what is changed loses the state that it has built up.
        """
        self.scene, self.background_zone = scene, background_zone
        self._eye = new_eye(scene)
        _set_up_render(scene)
        _set_up_aovs(rendered_layer(scene))
        self._default = bpy.data.materials.new("gis_default")
        self._numbers: dict[str, int] = {}
        solid = [item for item in bpy.data.objects if item.type in WITH_SURFACE]
        if len(solid) <= MAX_OWNERS:  # of more, those that are drawn get theirs when they are
            self._prepare(solid)

    def render(
        self,
        placed: list[PlacedMesh],
        instance_of_part: NDArray[np.int64],
        view: CameraView,
        drawn: RasterPasses,
        pool: MeshPool,
    ) -> CyclesPasses:
        """Render the scene as it stands.

        Args:
            placed: the parts; those that have no rendering object any more are not drawn.
            instance_of_part: (P,) their instance ids.
            view: what is looked through; the scene's own camera stays as it is.
            drawn: the z-buffer's passes, which tell part and zone where a surface has no material that could.
            pool: the meshes of the parts.

        Raises:
            SceneError: there are more mesh objects than Blender numbers.
        """
        self._prepare([mesh.owner for mesh in placed])
        numbers = self._numbers
        self.scene.render.engine = "CYCLES"  # reading the scene took another
        with _looking_through(self.scene, self._eye, view):
            rects, copies = _render_in_memory(self.scene)
        shape = (view.camera.height, view.camera.width)
        depth = rects["depth"].reshape(shape)[::-1]
        hit = depth < _BACKGROUND_DEPTH_M
        owner = _integer(rects["object_index"].reshape(shape)[::-1])
        seen = Seen(owner, rects[_RANDOM].reshape(shape)[::-1], rects[_PLACE].reshape(*shape, -1)[::-1, :, :3])
        told = hit & (_integer(rects[_LAYERS].reshape(shape)[::-1]) == 1)
        part = np.where(told, find_parts(seen, placed, numbers, copies), 0)
        depth = np.where(hit, depth * np.float32(metres_per_unit(self.scene)), np.inf).astype(np.float32)
        zone = np.where(told, _integer(rects[_ZONE].reshape(shape)[::-1]), 0)
        same = hit & _same_surface(drawn.depth_m, depth)
        part = np.where(same & (part == 0), drawn.part, part)
        owner_of = np.array([0, *(numbers[mesh.owner.name_full] for mesh in placed)], np.int64)
        zone = np.where(same & (zone == 0) & (owner_of[part] == owner_of[drawn.part]), drawn.zone, zone)
        behind = hit & (part == 0)
        points = _points(view, depth, behind)
        part[behind], zone[behind] = find_surfaces(points, owner[behind], depth[behind], placed, numbers, pool)
        part, zone = part.astype(np.uint16), np.where(hit, zone, self.background_zone).astype(np.uint8)
        normal = rects["normal"].reshape(*shape, 3)[::-1]
        return CyclesPasses(
            depth,
            np.concatenate([[0], instance_of_part])[part].astype(np.uint16),
            zone,
            part,
            np.ascontiguousarray(np.where(hit[..., None], normal, 0), dtype=np.float32),
        )

    def _prepare(self, owners: Iterable[bpy.types.Object]) -> None:
        """Give objects AOVs and numbers, those that have none."""
        named = {owner.name_full: owner for owner in owners}
        number_owners(named, self._numbers)
        for owner in named.values():
            if not owner.material_slots and hasattr(owner.data, "materials"):
                owner.data.materials.append(self._default)
            for slot in owner.material_slots:
                if slot.material is None:
                    slot.material = self._default
                _add_aovs(slot.material)
        for material in bpy.data.materials:  # geometry nodes give others than those of the slots
            if not material.is_grease_pencil:
                _add_aovs(material)


def _points(view: CameraView, depth_m: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N, 3) points in the world that pixels show."""
    local = view.camera.rays()[where].astype(np.float64) * depth_m[where][:, None]
    return np.asarray(local @ view.cam_to_world[:3, :3].T + view.cam_to_world[:3, 3])


def _same_surface(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(H, W) where two depths are of one surface."""
    both = np.isfinite(a) & np.isfinite(b)
    return np.asarray(both & np.isclose(np.where(both, a, 0), np.where(both, b, 0), rtol=_SAME_SURFACE, atol=0))


def _integer(rect: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.rint(rect).astype(np.int64)


def new_eye(scene: bpy.types.Scene) -> bpy.types.Object:
    """A camera whose pose is its ``matrix_parent_inverse``."""
    eye, parent = (
        bpy.data.objects.new("gis eye", bpy.data.cameras.new("gis eye")),
        bpy.data.objects.new("gis eye", None),
    )
    eye.parent = parent
    for item in (eye, parent):
        scene.collection.objects.link(item)
    return eye


@contextlib.contextmanager
def _looking_through(scene: bpy.types.Scene, eye: bpy.types.Object, view: CameraView) -> Iterator[None]:
    """While inside, a camera of our own is the scene's: nothing moves it, and no marker puts another in its place."""
    pose_eye(eye, view, metres_per_unit(scene))
    markers = [(marker, marker.camera) for marker in scene.timeline_markers if marker.camera]
    camera, settings = scene.camera, picture_settings(view.camera)
    before = {name: getattr(scene.render, name) for name in settings}
    for marker, _ in markers:
        marker.camera = None  # which makes a camera of another marker the scene's
    scene.camera = eye
    assign(scene.render, settings)
    try:
        yield
    finally:
        for marker, bound in markers:
            marker.camera = bound
        scene.camera = camera
        assign(scene.render, before)


def pose_eye(eye: bpy.types.Object, view: CameraView, metres: float) -> None:
    """Let a camera look as a view does, in a scene whose unit is so many metres."""
    lens, data, pose = view.camera.blender_lens(), eye.data, view.cam_to_world @ CAMERA_AXES
    data.sensor_fit, data.lens_unit = "HORIZONTAL", "MILLIMETERS"
    data.sensor_width, data.lens = lens.sensor_width_mm, lens.lens_mm
    data.shift_x, data.shift_y = lens.shift_x, lens.shift_y
    data.clip_start, data.clip_end = view.planes.near_m / metres, min(view.planes.far_m / metres, _FARTHEST)
    pose[:3, 3] /= metres
    eye.matrix_parent_inverse = Matrix(pose.tolist())  # as it is: what scale and rotation cannot say stays


def picture_settings(camera: Camera) -> dict[str, float]:
    """Render settings of a camera's pictures."""
    lens = camera.blender_lens()
    return {
        "resolution_x": camera.width,
        "resolution_y": camera.height,
        "resolution_percentage": 100,
        "pixel_aspect_x": lens.pixel_aspect_x,
        "pixel_aspect_y": lens.pixel_aspect_y,
        "use_border": False,
    }


def _set_up_render(scene: bpy.types.Scene) -> None:
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.use_compositing = render.use_sequencer = render.use_motion_blur = False
    render.use_persistent_data, render.threads_mode, render.threads = True, "FIXED", 1
    cycles.device, cycles.samples, cycles.use_adaptive_sampling, cycles.use_denoising = "CPU", 1, False, False
    cycles.pixel_filter_type, cycles.filter_width = "GAUSSIAN", 0.01
    cycles.max_bounces, cycles.use_auto_tile, cycles.seed = 0, False, 0


def _set_up_aovs(layer: bpy.types.ViewLayer) -> None:
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_object_index = True
    layer.use_pass_combined = True
    for name in (_PLACE, _RANDOM, _ZONE, _LAYERS):
        if name not in layer.aovs:
            aov = layer.aovs.add()
            aov.name, aov.type = name, "COLOR" if name == _PLACE else "VALUE"


def _add_aovs(material: bpy.types.Material) -> None:
    """Give a material the AOVs, once."""
    material.use_nodes = True
    tree = material.node_tree
    if _ZONE in tree.nodes:
        return
    zone, info = tree.nodes.new("ShaderNodeAttribute"), tree.nodes.new("ShaderNodeObjectInfo")
    one = tree.nodes.new("ShaderNodeValue")
    one.outputs[0].default_value = 1.0
    zone.name, zone.attribute_type, zone.attribute_name = _ZONE, "GEOMETRY", ZONE_ATTRIBUTE
    tree.links.new(zone.outputs["Fac"], aov_output(tree, _ZONE).inputs["Value"])
    tree.links.new(one.outputs[0], aov_output(tree, _LAYERS).inputs["Value"])
    tree.links.new(info.outputs["Random"], aov_output(tree, _RANDOM).inputs["Value"])
    tree.links.new(info.outputs["Location"], aov_output(tree, _PLACE).inputs["Color"])


def _render_in_memory(scene: bpy.types.Scene) -> tuple[dict[str, NDArray[np.float32]], list[DrawnCopy]]:
    """Render and read the passes off the result, without a file; and the copies that were rendered."""
    rects: dict[str, NDArray[np.float32]] = {}
    copies: list[DrawnCopy] = []
    with _after_render(rects, copies), quiet():
        bpy.ops.render.render(scene=scene.name, layer=rendered_layer(scene).name, write_still=False)
    return rects, copies


@contextlib.contextmanager
def _after_render(rects: dict[str, NDArray[np.float32]], copies: list[DrawnCopy]) -> Iterator[None]:
    """While inside, every Cycles rendering leaves its passes in ``rects`` and what it drew in ``copies``.

    In background mode neither Render Result nor the Viewer node gives pixels to Python; the engine's own result does.
    """
    import cycles

    original = cycles.CyclesRender.render

    def render(self: bpy.types.RenderEngine, depsgraph: bpy.types.Depsgraph) -> None:
        copies[:] = drawn_copies(depsgraph)
        original(self, depsgraph)
        passes = self.get_result().layers[0].passes
        for name in ("depth", "normal", "object_index", _PLACE, _RANDOM, _ZONE, _LAYERS):
            rects[name] = read_pass(pass_named(passes, name))

    cycles.CyclesRender.render = render
    try:
        yield
    finally:
        cycles.CyclesRender.render = original
