"""Legend of the overlay, drawn into the lower left of the 3-D viewports: a colour bar with degrees, or the zones."""

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ..translations import say
from . import overlay

__all__ = ["register", "rows_of", "ticks_of", "unregister"]

Color = tuple[float, float, float]
_BAR_PX = (18, 200)
_ROW_PX = 20
_SWATCH_PX = 14
_TEXT_PX = 12
_LEFT_PX, _LOW_PX = 16, 52
"""Distance from the tools at the left, and from the lower edge, where Blender shows the last operator's settings."""
_BACK = (0.08, 0.08, 0.08, 0.85)
_WHITE = (1.0, 1.0, 1.0, 1.0)
_HANDLE: list[object] = []
"""Of the drawing function: Blender takes it away by that alone, and asks the module for it in ``unregister``."""


def ticks_of(low_C: float, high_C: float) -> list[tuple[float, str]]:
    """Places on the bar, 0 to 1, and what stands beside them: round degrees, at most eight."""
    span = max(high_C - low_C, 1e-6)
    step = next((s for s in (0.2, 0.5, 1, 2, 5, 10, 20, 50) if span / s <= 7), 100)
    first = -int(-low_C // step)
    values = [k * step for k in range(first, first + 9) if k * step <= high_C + 1e-6]
    return [((value - low_C) / span, f"{value:.1f} °C" if step < 1 else f"{value:.0f} °C") for value in values]


def rows_of(settings: bpy.types.PropertyGroup) -> list[tuple[Color, str]]:
    """Colours and names of the zones that the overlay shows."""
    colors, names = overlay.zone_colors(), overlay.zone_names()
    zones = [int(word) for word in settings.overlay_zones.split()]
    return [(tuple(colors[zone]), names.get(zone, str(zone)) if zone else say("unassigned")) for zone in zones]


def _shader(name: str) -> gpu.types.GPUShader:
    """A built-in shader; its name had a dimension before Blender 4.0."""
    return gpu.shader.from_builtin(name if bpy.app.version >= (4, 0, 0) else f"2D_{name}")


def _box(x: float, y: float, width: float, height: float, color: tuple[float, ...]) -> None:
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    shader = _shader("UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("color", color)
    batch_for_shader(shader, "TRIS", {"pos": corners}, indices=[(0, 1, 2), (0, 2, 3)]).draw(shader)


def _text(x: float, y: float, size: float, text: str) -> None:
    if bpy.app.version >= (4, 0, 0):
        blf.size(0, size)
    else:
        blf.size(0, size, 72)
    blf.color(0, *_WHITE)
    blf.position(0, x, y, 0)
    blf.draw(0, text)


def _bar(x: float, y: float, width: float, height: float) -> None:
    """The overlay's scale, cold below."""
    scale = overlay.SCALE
    places, colors, faces = [], [], []
    for number, color in enumerate(scale):
        at = y + height * number / (len(scale) - 1)
        places += [(x, at), (x + width, at)]
        colors += [(*color, 1.0)] * 2
        if number:
            first = 2 * number - 2
            faces += [(first, first + 1, first + 3), (first, first + 3, first + 2)]
    shader = _shader("SMOOTH_COLOR")
    batch_for_shader(shader, "TRIS", {"pos": places, "color": colors}, indices=faces).draw(shader)


def _draw_temperatures(settings: bpy.types.PropertyGroup, left: float, low: float, unit: float) -> None:
    width, height = _BAR_PX[0] * unit, _BAR_PX[1] * unit
    pad, text = 8 * unit, _TEXT_PX * unit
    _box(left, low, width + 64 * unit, height + 2 * pad + 1.6 * _ROW_PX * unit, _BACK)
    _text(left + pad, low + height + 2 * pad, text, say("Apparent"))
    _bar(left + pad, low + pad, width, height)
    for share, label in ticks_of(settings.overlay_low_C, settings.overlay_high_C):
        at = low + pad + share * height
        _box(left + pad + width, at - 0.5 * unit, 4 * unit, unit, _WHITE)
        _text(left + pad + width + 7 * unit, at - 0.35 * text, text, label)


def _draw_zones(settings: bpy.types.PropertyGroup, left: float, low: float, unit: float) -> None:
    rows, pad, step = rows_of(settings), 8 * unit, _ROW_PX * unit
    _box(left, low, 130 * unit, len(rows) * step + pad, _BACK)
    for number, (color, name) in enumerate(reversed(rows)):
        at = low + pad / 2 + number * step
        _box(left + pad, at + 3 * unit, _SWATCH_PX * unit, _SWATCH_PX * unit, (*color, 1.0))
        _text(left + pad + (_SWATCH_PX + 8) * unit, at + 5 * unit, _TEXT_PX * unit, name)


def _draw() -> None:
    """Draw where an overlay is shown; called by Blender for each 3-D viewport."""
    context = bpy.context
    settings = context.scene.gis_thermal
    if not settings.overlay or not context.space_data.overlay.show_overlays:
        return
    unit = context.preferences.system.ui_scale
    tools = sum(region.width for region in context.area.regions if region.type == "TOOLS" and region.width > 1)
    draw = _draw_temperatures if settings.overlay == "TEMPERATURE" else _draw_zones
    gpu.state.blend_set("ALPHA")
    draw(settings, tools + _LEFT_PX * unit, _LOW_PX * unit, unit)
    gpu.state.blend_set("NONE")


def register() -> None:
    """Have the legend drawn."""
    _HANDLE.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    """Take it away."""
    while _HANDLE:
        bpy.types.SpaceView3D.draw_handler_remove(_HANDLE.pop(), "WINDOW")
