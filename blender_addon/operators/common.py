"""What all operators share: reasons to refuse, and errors as messages instead of tracebacks."""

import functools

import bpy

from .. import adapter

__all__ = ["editable_meshes", "refuses", "reports_errors", "why_not_editable"]


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


def refuses(cls: type, reason: str) -> bool:
    """Say why an operator cannot run now; returns whether there is a reason."""
    if reason:
        cls.poll_message_set(reason)
    return bool(reason)


def editable_meshes(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Selected and active objects whose zones can be written."""
    items = {item.name: item for item in [context.active_object, *context.selected_objects] if item}
    return [item for item in items.values() if not why_not_editable(item)]


def reports_errors(execute):
    """Turn errors of the renderer into a report."""

    @functools.wraps(execute)
    def safe(self, context):
        try:
            return execute(self, context)
        except (adapter.RendererMissing, adapter.renderer("errors").RendererError, ValueError, OSError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}

    return safe
