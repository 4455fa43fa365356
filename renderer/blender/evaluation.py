"""The scene as Blender's render evaluates it.

Blender hands a depsgraph that is evaluated for rendering to render engines and to nobody else. It differs from the
viewport's in what is shown and how finely: visibility, modifiers, subdivision, particles, Simplify, instancers. So
a render engine that draws nothing stands here, and whoever wants to know the scene is called from within its rendering.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import bpy

from ..errors import SceneError
from .session import quiet

__all__ = ["assign", "evaluated_for_render", "rendered_layer", "scene_notes", "stop_evaluating"]

T = TypeVar("T")


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
    """The view layer that Blender's picture shows: the first that is rendered, or the window's where only one is.

    Raises:
        SceneError: none is rendered.
    """
    used = [layer for layer in scene.view_layers if layer.use]
    if not used:
        raise SceneError(f"scene {scene.name!r}: no view layer is rendered; turn on its 'Use for Rendering'")
    active = bpy.context.view_layer
    return active if scene.render.use_single_layer and active.name in {layer.name for layer in used} else used[0]


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
