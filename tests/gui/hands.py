"""A user's hands and eyes for scripts inside Blender's window: real mouse and keyboard by xdotool, screenshots.

Runs in Blender's own Python, which has none of our packages. A step of the story is a generator that yields seconds to
wait; Blender goes on living meanwhile.
"""

import json
import subprocess
import time
from pathlib import Path

import bpy

TITLE = "GIS Thermal"
TICK_S = 0.05
LOOK_S = 0.02
ROW_PX = 11
"""How far apart the mouse looks for buttons; a button is 20 pixels high."""
TABS_PX = 22


class Stuck(Exception):
    """What was waited for did not come."""


def xdotool(*words):
    """Move the mouse, press keys."""
    subprocess.run(["xdotool", *map(str, words)], check=True, timeout=20)


def wait_for(condition, seconds, what):
    """Yield until a condition holds.

    Raises:
        Stuck: it did not within the time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Stuck(f"{what}: not within {seconds} s")
        yield TICK_S


def area_of(kind):
    """The largest area of a kind in the window, or None."""
    areas = [area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == kind]
    return max(areas, key=lambda area: area.width * area.height, default=None)


def sidebar():
    """The 3-D viewport's region with the tabs."""
    return next(region for region in area_of("VIEW_3D").regions if region.type == "UI")


def on_screen(x, y):
    """Blender counts pixels from the bottom, X from the top."""
    return round(x), bpy.context.window_manager.windows[0].height - 1 - round(y)


def point(x, y):
    """Move the mouse to a place in Blender's pixels and let Blender notice."""
    xdotool("mousemove", *on_screen(x, y))
    yield TICK_S


def click(x, y):
    """Press the left button at a place."""
    yield from point(x, y)
    yield 0.1
    xdotool("click", 1)
    yield 0.2


def drag(start, end):
    """Drag with the left button."""
    yield from point(*start)
    yield 0.2
    xdotool("mousedown", 1)
    yield 0.1
    for step in (0.3, 0.7, 1.0):
        yield from point(start[0] + step * (end[0] - start[0]), start[1] + step * (end[1] - start[1]))
        yield 0.1
    xdotool("mouseup", 1)
    yield 0.3


class Hands:
    """Does things and remembers what was seen.

    Args:
        out: folder for screenshots and the report.
    """

    def __init__(self, out):
        self.out = Path(out)
        self.seen = {"steps": [], "presses": [], "screens": {}, "error": ""}
        self.drawn, self.started = set(), time.monotonic()

    def note(self, step, **values):
        """Remember what a step saw, at once on disk."""
        self.seen["steps"].append(
            {
                "step": step,
                "at_s": round(time.monotonic() - self.started, 1),
                "cpu_s": round(time.process_time(), 1),
                **values,
            }
        )
        (self.out / "seen.json").write_text(json.dumps(self.seen, indent=1), encoding="utf-8")

    def watch_panels(self):
        """Count a panel as drawn when Blender has drawn it without an error."""
        for name in dir(bpy.types):
            if name.startswith("GIS_PT_"):
                getattr(bpy.types, name).append(lambda panel, _context: self.drawn.add(panel.bl_idname))

    def free_the_keys(self):
        """Ctrl C beside a button would copy the selected objects into a file."""
        for keymap in bpy.context.window_manager.keyconfigs.user.keymaps:
            for item in keymap.keymap_items:
                if item.idname == "view3d.copybuffer":
                    item.active = False

    def redraw(self):
        """Have everything drawn anew."""
        for window in bpy.context.window_manager.windows:
            for area in window.screen.areas:
                area.tag_redraw()

    def look(self, name):
        """Take a screenshot of the whole screen, with the places of the areas on it."""
        for _ in range(3):  # panels glide to their new places
            self.redraw()
            yield 0.25
        subprocess.run(["import", "-window", "root", str(self.out / f"{name}.png")], check=True, timeout=60)
        boxes = {}
        for area in bpy.context.window_manager.windows[0].screen.areas:
            x, y = on_screen(area.x, area.y + area.height - 1)
            boxes.setdefault(area.type, []).append([x, y, area.width, area.height])
        panel = sidebar()
        boxes["SIDEBAR"] = [[*on_screen(panel.x, panel.y + panel.height - 1), panel.width, panel.height]]
        self.seen["screens"][name] = boxes

    def open_tab(self):
        """Open the sidebar with N, and press its tabs until ours shows."""
        view = area_of("VIEW_3D")
        if not view.spaces.active.show_region_ui:
            yield from point(view.x + view.width // 2, view.y + view.height // 2)
            xdotool("key", "n")
            yield from wait_for(lambda: view.spaces.active.show_region_ui, 10, "sidebar")
            yield 1.0
        panel = sidebar()
        y = panel.y + panel.height - 20
        while "GIS_PT_main" not in self.drawn:
            if y < panel.y:
                raise Stuck(f"no tab {TITLE!r} in the sidebar")
            yield from click(panel.x + panel.width - 8, y)
            self.redraw()
            yield 0.2
            y -= 18
        yield 0.3

    def _button_at(self, x, y):
        """Python command of the operator whose button is at a place: Ctrl C over it copies it."""
        manager = bpy.context.window_manager
        manager.clipboard = ""
        left, top = on_screen(x, y)
        xdotool("mousemove", left - 3, top, "mousemove", left, top)  # a button wakes up by a motion
        for _ in range(2):  # of Blender's rounds: it may take one to draw and one to take the event
            yield LOOK_S
        xdotool("key", "--delay", 1, "ctrl+c")
        for _ in range(4):
            yield LOOK_S
            if manager.clipboard:
                break
        words = manager.clipboard
        return words.removeprefix("bpy.ops.") if words.startswith("bpy.ops.gis.") else ""

    def press(self, command, share, down):
        """Press an operator's button with the mouse, looking for it around the place where it should be.

        Args:
            command: what Ctrl C over the button copies, without ``bpy.ops.``.
            share: where the button is across the panel, 0 to 1.
            down: where it should be, pixels below the panel's upper edge.

        Raises:
            Stuck: there is no such button.
        """
        panel = sidebar()
        x = panel.x + share * (panel.width - TABS_PX)
        rows = sorted(range(6, panel.height, ROW_PX), key=lambda row: abs(row - down))
        for looks, near in enumerate(rows, 1):
            if (yield from self._button_at(x, panel.y + panel.height - near)) == command:
                xdotool("click", 1)
                self.seen["presses"].append([command, share, near, looks])
                yield 0.3
                return
        raise Stuck(f"no button {command!r} in the panel")

    def scroll(self, clicks):
        """Turn the mouse wheel over the panel, down where positive."""
        panel = sidebar()
        xdotool("mousemove", *on_screen(panel.x + panel.width - TABS_PX - 4, panel.y + panel.height // 2))
        yield LOOK_S
        xdotool("click", "--repeat", abs(clicks), "--delay", 30, 5 if clicks > 0 else 4)
        yield 0.5


def play(hands, story):
    """Let a story run in Blender's timers; quit Blender at its end."""

    def tick():
        try:
            return next(story)
        except StopIteration:
            hands.note("end")
        except BaseException as error:
            hands.seen["error"] = f"{type(error).__name__}: {error}"
            hands.note("stuck")
            subprocess.run(["import", "-window", "root", str(hands.out / "stuck.png")], check=False, timeout=60)
            if not isinstance(error, Stuck):
                import traceback

                traceback.print_exc()
        bpy.ops.wm.quit_blender()
        return None

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)
