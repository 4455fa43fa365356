"""What all operators share: reasons to refuse, and errors as messages instead of tracebacks."""

import functools

import bpy

from .. import adapter, process

__all__ = ["Refused", "editable_meshes", "refuses", "reports_errors", "say_so", "why_no_room", "why_no_view",
           "why_not_editable"]  # fmt: skip


class Refused(Exception):
    """Why an operator did nothing: one line for the user."""


def why_not_editable(item: bpy.types.Object | None) -> str:
    """Why zones cannot be written to an object; empty where they can."""
    if item is None:
        return "Select a mesh object"
    if item.type != "MESH":
        return "The active object is not a mesh"
    if item.library or item.data.library or item.override_library:
        return "The object is linked from another file: make it local first (Object > Relations > Make Local)"
    if not len(item.data.polygons) and item.mode != "EDIT":
        return "The object has no faces"
    return ""


def why_no_room(context: bpy.types.Context) -> str:
    """Why nothing can be added at the 3-D cursor; empty where it can."""
    if context.mode != "OBJECT":
        return "Leave edit mode first"
    if context.collection.library or context.collection.override_library:
        return "The active collection is linked from another file: choose another one in the outliner"
    return ""


def why_no_view(scene: bpy.types.Scene) -> str:
    """Why a scene cannot be rendered; empty where it can."""
    if scene.camera is None:
        return "The scene has no active camera: add a camera rig"
    if scene.camera.type != "CAMERA" or scene.camera.data.type != "PERSP":
        return "The active camera is not a perspective camera"
    return ""


def refuses(cls: type[bpy.types.Operator], reason: str) -> bool:
    """Say why an operator cannot run now; returns whether there is a reason."""
    if reason:
        cls.poll_message_set(reason)
    return bool(reason)


def editable_meshes(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Selected and active objects whose zones can be written."""
    items = {item.name: item for item in [context.active_object, *context.selected_objects] if item}
    return [item for item in items.values() if not why_not_editable(item)]


def say_so(context: bpy.types.Context, message: str, *, is_refusal: bool) -> None:
    """Show a message in the panel."""
    settings = context.scene.gis_thermal
    settings.message, settings.is_refusal = message, is_refusal


def reports_errors(execute):
    """Turn errors into a report and into the panel's message, which the next try takes away."""

    @functools.wraps(execute)
    def safe(self, context, **options):
        if context.scene.gis_thermal.is_refusal:
            say_so(context, "", is_refusal=False)
        known = (Refused, adapter.RendererMissing, adapter.renderer("errors").RendererError, process.CommandError)
        try:
            return execute(self, context, **options)
        except (*known, ValueError, OSError) as error:
            self.report({"ERROR"}, str(error))
            say_so(context, str(error), is_refusal=True)
            return {"CANCELLED"}

    return safe
