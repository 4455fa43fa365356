"""What all operators share: refusals, and errors as messages instead of tracebacks."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

import bpy
from renderer.errors import RendererError

from ..adapter import FileMissing
from ..jobs.process import CommandError
from ..ui.availability import parts_of, why_not_one_mesh

__all__ = ["Refused", "editable_meshes", "refuses", "reports_errors", "show_message"]

Holder = bpy.types.Object
"""The object of the scene that shows a mesh object: itself, or a copy of the model that it is part of."""

P = ParamSpec("P")


class Refused(Exception):
    """Why an operator did nothing: one line for the user."""


def refuses(cls: type[bpy.types.Operator], reason: str) -> bool:
    """Say why an operator cannot run now; returns whether there is a reason."""
    if reason:
        cls.poll_message_set(reason)
    return bool(reason)


def editable_meshes(context: bpy.types.Context) -> dict[bpy.types.Object, Holder]:
    """Mesh objects whose zones can be written, of what is selected and active; with what shows each of them."""
    items = {item.name: item for item in [context.active_object, *context.selected_objects] if item}
    return {part: item for item in items.values() for part in parts_of(item) if not why_not_one_mesh(part)}


def show_message(context: bpy.types.Context, message: str, *, is_refusal: bool) -> None:
    """Show a message in the panel."""
    settings = context.scene.gis_thermal
    settings.message, settings.is_refusal = message, is_refusal


def reports_errors(execute: Callable[Concatenate[Any, bpy.types.Context, P], set[str]]) -> Callable[..., set[str]]:
    """Turn errors into a report and into the panel's message, which the next try takes away."""

    @functools.wraps(execute)
    def safe(self: Any, context: bpy.types.Context, *args: P.args, **options: P.kwargs) -> set[str]:
        if context.scene.gis_thermal.is_refusal:
            show_message(context, "", is_refusal=False)
        try:
            return execute(self, context, *args, **options)
        except (Refused, FileMissing, RendererError, CommandError, ValueError, OSError) as error:
            self.report({"ERROR"}, str(error))
            show_message(context, str(error), is_refusal=True)
            return {"CANCELLED"}

    return safe
