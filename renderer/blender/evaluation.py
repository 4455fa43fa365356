"""The scene as Blender's render evaluates it, and metres of what it measures in its own units.

Blender hands a depsgraph that is evaluated for rendering to render engines and to nobody else. It differs from the
viewport's in what is shown and how finely: visibility, modifiers, subdivision, particles, Simplify, instancers. So
a render engine that draws nothing stands here, and whoever wants to know the scene is called from within its rendering.

Lengths are converted where they leave Blender: a mesh keeps its own coordinates, its pose takes them to metres. What
our pictures do not have of Blender's is said in notes, one line each.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from .session import quiet

__all__ = [
    "assign",
    "evaluated_for_render",
    "left_out_note",
    "matrix_in_metres",
    "metres_per_unit",
    "pose_in_metres",
    "raster_notes",
    "rendered_layer",
    "scene_notes",
    "stop_evaluating",
]

T = TypeVar("T")
_RIGID = 1e-4
"""Lengths of axes that are 1 but for Blender's float32."""
_WITH_SURFACE = {"MESH", "CURVE", "SURFACE", "FONT", "META"}
_SHOWN = 3
"""How many things a note names."""


class _SceneReader(bpy.types.RenderEngine):
    """Calls ``read`` with the depsgraph that it is to render."""

    bl_idname = "GIS_SCENE_READER"
    bl_label = "gis scene reader"

    read: ClassVar[Callable[[bpy.types.Depsgraph], None] | None] = None

    def update(self, data: bpy.types.BlendData, depsgraph: bpy.types.Depsgraph) -> None:
        """Nothing is kept between frames."""

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Called by Blender once per view layer."""
        if _SceneReader.read is not None:
            _SceneReader.read(depsgraph)


def rendered_layer(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    """The view layer that Blender's picture shows: the first that is rendered.

    Raises:
        SceneError: none is rendered, or none of its surfaces.
    """
    chosen = next((layer for layer in scene.view_layers if layer.use), None)
    if chosen is None:
        raise SceneError(f"scene {scene.name!r}: no view layer is rendered; turn on its 'Use for Rendering'")
    if not chosen.use_solid:
        raise SceneError(f"scene {scene.name!r}: view layer {chosen.name!r} renders no surfaces; turn its filter on")
    return chosen


def evaluated_for_render(scene: bpy.types.Scene, read: Callable[[bpy.types.Depsgraph], T]) -> T:
    """What ``read`` finds in the scene as it is rendered at its current frame.

    Args:
        scene: with an active camera.
        read: called once. The depsgraph and all evaluated data are gone, or another frame's, after it has returned.

    Render settings of the scene stay changed: it is a file that was opened for being read.

    Raises:
        SceneError: Blender does not render the scene.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def reading(depsgraph: bpy.types.Depsgraph) -> None:
        try:
            results.append(read(depsgraph))
        except BaseException as error:  # Blender would print it and go on
            errors.append(error)

    _register()
    assign(scene.render, _SETTINGS)
    _SceneReader.read = reading
    with quiet():
        try:
            bpy.ops.render.render(scene=scene.name, layer=rendered_layer(scene).name, write_still=False)
        except RuntimeError as error:
            errors.append(SceneError(f"scene {scene.name!r} cannot be rendered: {' '.join(str(error).split())}"))
        finally:
            _SceneReader.read = None
    if errors:
        raise errors[0]
    if not results:
        raise SceneError(f"scene {scene.name!r} cannot be rendered: Blender gave no evaluated scene")
    return results[0]


_SETTINGS: dict[str, Any] = {
    "engine": _SceneReader.bl_idname,
    "use_persistent_data": True,
    "use_compositing": False,
    "use_sequencer": False,
    "use_freestyle": False,
    "use_multiview": False,
}
"""Of the rendering that is no rendering. With persistent data only what moves is evaluated anew for the next frame."""


def assign(render: bpy.types.RenderSettings, settings: Mapping[str, Any]) -> None:
    """Set what is not so yet: setting an engine anew would throw away what is kept between frames."""
    for name, value in settings.items():
        if getattr(render, name) != value:
            setattr(render, name, value)


def _register() -> None:
    if not _SceneReader.is_registered:
        bpy.utils.register_class(_SceneReader)
        atexit.register(stop_evaluating)


def stop_evaluating() -> None:
    """Take the engine away again: Blender hangs at its end when one is left."""
    atexit.unregister(stop_evaluating)
    if _SceneReader.is_registered:
        bpy.utils.unregister_class(_SceneReader)


def metres_per_unit(scene: bpy.types.Scene) -> float:
    """Metres of one Blender unit. It holds whether the scene shows metric, imperial or no units."""
    return float(scene.unit_settings.scale_length)


def matrix_in_metres(matrix: NDArray[np.float64], metres: float) -> NDArray[np.float64]:
    """(4, 4) that takes the same local coordinates to metres instead of units."""
    if metres == 1.0:
        return matrix
    return np.asarray(np.diag([metres, metres, metres, 1.0]) @ matrix)


def pose_in_metres(pose: NDArray[np.float64], metres: float) -> NDArray[np.float64]:
    """(4, 4) pose of axes that are metres long, whatever scale the object has and its scene."""
    lengths = np.linalg.norm(pose[:3, :3], axis=0)
    if metres == 1.0 and np.abs(lengths - 1.0).max() < _RIGID:
        return pose
    rigid = pose.copy()
    rigid[:3, :3] /= np.where(lengths > 0, lengths, 1.0)
    for axis in np.flatnonzero(lengths == 0):  # flat along it
        rigid[:3, axis] = np.cross(rigid[:3, (axis + 1) % 3], rigid[:3, (axis + 2) % 3])
    rigid[:3, 3] *= metres
    return rigid


def scene_notes(scene: bpy.types.Scene, *, cropped: bool) -> tuple[str, ...]:
    """What Blender's render of a scene would have, or what its author may have meant, that is not in our pictures.

    Args:
        scene: to be rendered.
        cropped: whether the render border may cut the picture.
    """
    notes = []
    layers, render, units = [layer.name for layer in scene.view_layers if layer.use], scene.render, scene.unit_settings
    if len(layers) > 1:
        notes.append(
            f"of {len(layers)} view layers {rendered_layer(scene).name!r} is rendered, as in Blender's picture"
        )
    if render.use_multiview:
        notes.append("stereo: the camera itself is rendered, not its views")
    if render.use_border and not (render.use_crop_to_border and cropped):
        notes.append("the render border cuts nothing: whole pictures are rendered")
    if units.system == "NONE" and units.scale_length != 1.0:
        notes.append(f"the scene shows no units, but has a unit scale: 1 unit was taken as {units.scale_length:g} m")
    return tuple(notes)


def raster_notes(scene: bpy.types.Scene, objects: Iterable[bpy.types.Object]) -> tuple[str, ...]:
    """What the z-buffer leaves out, or draws otherwise than Blender: one line for each kind, with names."""
    rendered = sorted({str(item.name): item for item in objects if not item.hide_render}.items())
    override = rendered_layer(scene).material_override
    seen_through = {material for material in bpy.data.materials if _lets_through(material)}
    displacing = {material for material in bpy.data.materials if _displaces(material)}
    left_out, solid, moved = [], [], []
    for name, item in rendered:
        own = (slot.material for slot in item.material_slots)
        materials = [one for one in ([override] if override and item.type in _WITH_SURFACE else own) if one]
        if _has_hair(item):
            left_out.append(f"{name!r} (hair)")
        solid += [f"{name!r} (material {one.name!r})" for one in materials if one in seen_through][:1]
        if _subdivides_by_view(scene, item) or not displacing.isdisjoint(materials):
            moved.append(repr(name))
    kinds = (
        ("leaves out", left_out), ("draws as solid, for their materials let light through,", solid),
        ("displaces or subdivides by view no surface of", moved),
    )  # fmt: skip
    return tuple(f"the engine raster {does} {_listed(names)}: --engine cycles does as Blender" for does, names in kinds
                 if names)  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def left_out_note(kinds: Mapping[str, str]) -> tuple[str, ...]:
    """What of a frame the z-buffer leaves out: what it is, by the names of objects."""
    names = [f"{name!r} ({kind})" for name, kind in sorted(kinds.items())]
    return (f"the engine raster leaves out {_listed(names)}: --engine cycles does as Blender",) if names else ()


def _has_hair(item: bpy.types.Object) -> bool:
    """Whether particles are drawn as strands."""
    settings = (system.settings for system in item.particle_systems)
    return any(one.type == "HAIR" and one.render_type == "PATH" for one in settings)


def _displaces(material: bpy.types.Material) -> bool:
    """Whether a material moves the surface, and not only its normals."""
    before_4_2 = getattr(material, "cycles", None)
    method = getattr(material, "displacement_method", getattr(before_4_2, "displacement_method", "BUMP"))
    return method != "BUMP" and any(node.inputs["Displacement"].is_linked for node in _outputs(material))


def _subdivides_by_view(scene: bpy.types.Scene, item: bpy.types.Object) -> bool:
    """Whether Cycles dices an object's last subdivision by how near it is."""
    last = item.modifiers[-1] if len(item.modifiers) else None
    if last is None or last.type != "SUBSURF" or scene.render.engine != "CYCLES":
        return False
    if hasattr(last, "use_adaptive_subdivision"):  # from 5.0 on
        return bool(last.use_adaptive_subdivision)
    return scene.cycles.feature_set == "EXPERIMENTAL" and bool(item.cycles.use_adaptive_subdivision)


def _outputs(material: bpy.types.Material) -> list[bpy.types.Node]:
    if not material.use_nodes or material.node_tree is None:
        return []
    return [node for node in material.node_tree.nodes if node.type == "OUTPUT_MATERIAL" and node.is_active_output]


def _lets_through(material: bpy.types.Material) -> bool:
    """Whether a material may be seen through: by its alpha, a transparent shader, or for want of a surface."""
    outputs = _outputs(material)
    if any(not node.inputs["Surface"].is_linked for node in outputs):
        return any(node.inputs["Volume"].is_linked for node in outputs)
    return bool(outputs) and any(_is_transparent(node) for node in material.node_tree.nodes)


def _is_transparent(node: bpy.types.Node) -> bool:
    if node.mute or not any(output.is_linked for output in node.outputs):
        return False
    if node.type in ("BSDF_TRANSPARENT", "HOLDOUT"):
        return True
    alpha = node.inputs.get("Alpha") if node.type == "BSDF_PRINCIPLED" else None
    return alpha is not None and bool(alpha.is_linked or alpha.default_value < 1.0)
