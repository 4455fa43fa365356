"""Passes by Cycles at one sample: the oracle of the z-buffer, and the engine for hair, displacement and cut-out alpha.

Instance and zone are AOVs that every material gets; the pair of instancer and object tells the part. One sample with
the narrowest pixel filter falls on the pixel's centre and mixes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..geometry.camera import Camera
from ..zones.catalogue import ZONE_ATTRIBUTE
from .compat import aov_output, pass_named, read_pass
from .evaluation import assign, rendered_layer
from .extract import PlacedMesh
from .scene_camera import CAMERA_AXES, CameraView
from .session import quiet
from .units import metres_per_unit

__all__ = ["CyclesEngine", "CyclesPasses"]

_INSTANCE, _PART, _ZONE = "gis_instance_aov", "gis_part_aov", "gis_zone_aov"
_INSTANCE_PROPERTY, _PART_PROPERTY = "gis_instance_number", "gis_instancer_number"
_BACKGROUND_DEPTH_M = 1e9
"""Cycles writes 1e10 where nothing was hit."""
_FARTHEST = 1e6
"""Far plane where there is none, Blender units."""


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
        """Set the scene's render settings (in memory) and give every material the AOVs."""
        self.scene, self.background_zone = scene, background_zone
        self._eye = bpy.data.objects.new("gis eye", bpy.data.cameras.new("gis eye"))
        scene.collection.objects.link(self._eye)
        _set_up_render(scene)
        _set_up_aovs(rendered_layer(scene))
        self._default = bpy.data.materials.new("gis_default")

    def render(self, placed: list[PlacedMesh], instance_of_part: NDArray[np.int64], view: CameraView) -> CyclesPasses:
        """Render the scene as it stands.

        Args:
            placed: the parts; those that have no rendering object any more are not drawn.
            instance_of_part: (P,) their instance ids.
            view: what is looked through; the scene's own camera stays as it is.
        """
        self._give_aovs(placed)
        pairs = _mark_objects(placed, instance_of_part)
        self.scene.render.engine = "CYCLES"  # reading the scene took another
        with _looking_through(self.scene, self._eye, view):
            rects = _render_in_memory(self.scene)
        shape = (view.camera.height, view.camera.width)
        depth = rects["depth"].reshape(shape)[::-1]
        hit = depth < _BACKGROUND_DEPTH_M
        instancer = _integer(rects[_PART].reshape(shape)[::-1])
        owner = _integer(rects["object_index"].reshape(shape)[::-1])
        part = np.where(hit, pairs[instancer, owner], 0).astype(np.uint16)
        zone = np.where(hit, _integer(rects[_ZONE].reshape(shape)[::-1]), self.background_zone).astype(np.uint8)
        instance = np.where(hit, _integer(rects[_INSTANCE].reshape(shape)[::-1]), 0).astype(np.uint16)
        normal = rects["normal"].reshape(*shape, 3)[::-1]
        return CyclesPasses(
            np.where(hit, depth * np.float32(metres_per_unit(self.scene)), np.inf).astype(np.float32),
            instance,
            zone,
            part,
            np.ascontiguousarray(np.where(hit[..., None], normal, 0), dtype=np.float32),
        )

    def _give_aovs(self, placed: list[PlacedMesh]) -> None:
        for owner in {mesh.owner.name: mesh.owner for mesh in placed}.values():
            if not owner.material_slots and hasattr(owner.data, "materials"):
                owner.data.materials.append(self._default)
            for slot in owner.material_slots:
                if slot.material is None:
                    slot.material = self._default
                _add_aovs(slot.material)


def _integer(rect: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.rint(rect).astype(np.int64)


@contextlib.contextmanager
def _looking_through(scene: bpy.types.Scene, eye: bpy.types.Object, view: CameraView) -> Iterator[None]:
    """While inside, a camera of our own is the scene's: nothing moves it, and no marker puts another in its place."""
    _pose(eye, view, metres_per_unit(scene))
    markers = [(marker, marker.camera) for marker in scene.timeline_markers if marker.camera]
    camera, settings = scene.camera, _picture(view.camera)
    before = {name: getattr(scene.render, name) for name in settings}
    scene.camera = eye
    for marker, _ in markers:
        marker.camera = None
    assign(scene.render, settings)
    try:
        yield
    finally:
        scene.camera = camera
        for marker, bound in markers:
            marker.camera = bound
        assign(scene.render, before)


def _pose(eye: bpy.types.Object, view: CameraView, metres: float) -> None:
    lens, data, pose = view.camera.blender_lens(), eye.data, view.cam_to_world @ CAMERA_AXES
    data.sensor_fit, data.lens_unit = "HORIZONTAL", "MILLIMETERS"
    data.sensor_width, data.lens = lens.sensor_width_mm, lens.lens_mm
    data.shift_x, data.shift_y = lens.shift_x, lens.shift_y
    data.clip_start, data.clip_end = view.planes.near_m / metres, min(view.planes.far_m / metres, _FARTHEST)
    pose[:3, 3] /= metres
    eye.matrix_world = Matrix(pose.tolist())


def _picture(camera: Camera) -> dict[str, float]:
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
    layer.material_override = None
    for name in (_INSTANCE, _PART, _ZONE):
        if name not in layer.aovs:
            aov = layer.aovs.add()
            aov.name, aov.type = name, "VALUE"


def _add_aovs(material: bpy.types.Material) -> None:
    """Give a material the three AOVs, once."""
    material.use_nodes = True
    tree = material.node_tree
    if _ZONE in tree.nodes:
        return
    sources = (
        (_INSTANCE, "INSTANCER", _INSTANCE_PROPERTY),
        (_PART, "INSTANCER", _PART_PROPERTY),
        (_ZONE, "GEOMETRY", ZONE_ATTRIBUTE),
    )
    for name, kind, attribute in sources:
        source = tree.nodes.new("ShaderNodeAttribute")
        source.name, source.attribute_type, source.attribute_name = name, kind, attribute
        tree.links.new(source.outputs["Fac"], aov_output(tree, name).inputs["Value"])


def _mark_objects(placed: list[PlacedMesh], instance_of_part: NDArray[np.int64]) -> NDArray[np.int64]:
    """Write the numbers that the AOVs read; returns the table (instancer number, object number) -> part number."""
    instancers = sorted({mesh.instancer.name for mesh in placed if mesh.instancer})
    owners = sorted({mesh.owner.name for mesh in placed})
    instancer_number = {name: k + 1 for k, name in enumerate(instancers)}
    owner_number = {name: k + 1 for k, name in enumerate(owners)}
    if len(owners) > np.iinfo(np.int16).max:
        raise ValueError(f"{len(owners)} mesh objects: Blender's object index holds at most 32767")
    pairs = np.zeros((len(instancers) + 1, len(owners) + 1), np.int64)
    for k, (mesh, instance) in enumerate(zip(placed, instance_of_part.tolist(), strict=True)):
        mesh.owner.pass_index = owner_number[mesh.owner.name]
        holder = mesh.instancer or mesh.owner
        _set_number(holder, _INSTANCE_PROPERTY, instance)
        if mesh.instancer:
            _set_number(mesh.instancer, _PART_PROPERTY, instancer_number[mesh.instancer.name])
        pairs[instancer_number[mesh.instancer.name] if mesh.instancer else 0, owner_number[mesh.owner.name]] = k + 1
    return pairs


def _set_number(item: bpy.types.Object, name: str, value: int) -> None:
    """Set a custom property where it differs (a write tags the object for an update)."""
    if item.get(name) != value:
        item[name] = value
        item.update_tag()


def _render_in_memory(scene: bpy.types.Scene) -> dict[str, NDArray[np.float32]]:
    """Render and read the passes off the result, without a file."""
    rects: dict[str, NDArray[np.float32]] = {}
    with _after_render(rects), quiet():
        bpy.ops.render.render(scene=scene.name, layer=rendered_layer(scene).name, write_still=False)
    return rects


@contextlib.contextmanager
def _after_render(rects: dict[str, NDArray[np.float32]]) -> Iterator[None]:
    """While inside, every Cycles rendering leaves its passes in ``rects``.

    In background mode neither Render Result nor the Viewer node gives pixels to Python; the engine's own result does.
    """
    import cycles

    original = cycles.CyclesRender.render

    def render(self: bpy.types.RenderEngine, depsgraph: bpy.types.Depsgraph) -> None:
        original(self, depsgraph)
        passes = self.get_result().layers[0].passes
        for name in ("depth", "normal", "object_index", _INSTANCE, _PART, _ZONE):
            rects[name] = read_pass(pass_named(passes, name))

    cycles.CyclesRender.render = render
    try:
        yield
    finally:
        cycles.CyclesRender.render = original
