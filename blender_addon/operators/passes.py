"""Render the current view: passes and the thermal image, into image datablocks."""

import textwrap
from collections import Counter

import bpy

from ..data import images
from ..jobs.view_job import VIEW
from ..translations import count_of, say
from ..ui.availability import why_no_view
from .common import refuses, reports_errors, show_message

__all__ = ["register", "unregister"]

_STEP_S = 0.1


@bpy.app.handlers.persistent
def _close_on_load(*_args: object) -> None:
    VIEW.stop()
    VIEW.frame = None


class GIS_OT_render_view(bpy.types.Operator):
    """Render what the active camera sees: depth, mask, zones and the thermal image. Esc cancels"""

    bl_idname = "gis.render_view"
    bl_label = "Render View"
    bl_options = {"REGISTER"}

    what: bpy.props.EnumProperty(
        name="What",
        description="What to render",
        items=[
            ("ALL", "All", "Passes and thermal image"),
            ("PASSES", "Passes", "Depth, mask and zones"),
            ("THERMAL", "Thermal Image", "The thermal image alone"),
        ],
    )
    reuse: bpy.props.BoolProperty(
        name="Same View", description="Keep the passes rendered last: only hour, weather and profile have changed"
    )
    _timer = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a perspective camera, and no rendering runs."""
        running = "A rendering runs already" if VIEW.is_running else ""
        return not refuses(cls, running or why_no_view(context.scene))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Render to the end; used by scripts and without a window."""
        for _ in VIEW.steps(context.scene, self.what, reuse=self.reuse, may_block=True):
            pass
        return self._finish(context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Render step by step; Blender stays usable."""
        if bpy.app.background:
            return self.execute(context)
        VIEW.start(context.scene, self.what, reuse=self.reuse)
        self._timer = context.window_manager.event_timer_add(_STEP_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """One step a tick."""
        if event.type == "ESC" or not VIEW.is_running:
            self.cancel(context)
            show_message(context, say("Cancelled"), is_refusal=False)
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        before = _shown()
        result = self._advance(context)
        if _shown() != before:
            _redraw(context)
        if result != {"RUNNING_MODAL"}:
            self.cancel(context)
        return result

    @reports_errors
    def _advance(self, context: bpy.types.Context) -> set[str]:
        return {"RUNNING_MODAL"} if VIEW.step() else self._finish(context)

    def cancel(self, context: bpy.types.Context) -> None:
        """Leave no timer and no process behind; Blender calls it when a window closes or a file is loaded."""
        VIEW.stop()
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
        self._timer = None
        _redraw(context)

    def _finish(self, context: bpy.types.Context) -> set[str]:
        _show("GIS Zones" if self.what == "PASSES" else "GIS Thermal", context)
        text = _what_is_in_view()
        show_message(context, text, is_refusal=False)
        self.report({"INFO"}, text)
        return {"FINISHED"}


def _show(name: str, context: bpy.types.Context) -> None:
    """Show a picture in an open Image Editor, else where Blender shows its own renderings: in a window of its own.

    The preference "Render In" says where; "Keep User Interface" opens nothing.
    """
    opens = not bpy.app.background and context.preferences.view.render_display_type != "NONE"
    if images.show_in_editor(context, name) or not opens:
        return

    def open_window() -> None:
        """Once the operator has ended: a window that opens in the midst of its events would keep it alive."""
        bpy.ops.render.view_show("INVOKE_DEFAULT")
        images.show_in_editor(bpy.context, name)

    bpy.app.timers.register(open_window, first_interval=0.01)


def _what_is_in_view() -> str:
    """``2 cars, 1 person in view``."""
    instances = VIEW.frame.instances if VIEW.frame else ()
    counts = Counter(instance.category for instance in instances if instance.visible_px > 0)
    things = ", ".join(count_of(number, category.replace("_", " ")) for category, number in counts.most_common())
    return say("{things} in view", things=things) if things else say("Nothing that is labelled in view")


def _shown() -> tuple[float, str, int]:
    """What the panel shows of a running rendering: the seconds once each."""
    return VIEW.progress, VIEW.stage, int(VIEW.elapsed_s)


def _redraw(context: bpy.types.Context) -> None:
    """Show the progress in all windows."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            area.tag_redraw()


class GIS_OT_cancel_render(bpy.types.Operator):
    """Cancel the rendering"""

    bl_idname = "gis.cancel_render"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A rendering runs."""
        return not refuses(cls, "" if VIEW.is_running else "No rendering runs")

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """End the other Blender; the operator that shows the rendering sees it at its next step."""
        VIEW.stop()
        return {"FINISHED"}


class GIS_OT_show_message(bpy.types.Operator):
    """Show the whole message"""

    bl_idname = "gis.show_message"
    bl_label = "Show Message"
    bl_options = {"INTERNAL"}

    @classmethod
    def description(cls, context: bpy.types.Context, _properties: object) -> str:
        """The message is the tooltip."""
        return str(context.scene.gis_thermal.message)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show it beside the mouse."""
        lines = textwrap.wrap(context.scene.gis_thermal.message, 80)

        def draw(popup: bpy.types.UIPopupMenu, _context: bpy.types.Context) -> None:
            for line in lines:
                popup.layout.label(text=line, translate=False)

        if not bpy.app.background:
            context.window_manager.popup_menu(draw, title="GIS Thermal", icon="INFO")
        return {"FINISHED"}


CLASSES = (GIS_OT_render_view, GIS_OT_cancel_render, GIS_OT_show_message)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.app.handlers.load_post.append(_close_on_load)


def unregister() -> None:
    """Unregister them."""
    bpy.app.handlers.load_post.remove(_close_on_load)
    VIEW.stop()
    VIEW.frame = None
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
