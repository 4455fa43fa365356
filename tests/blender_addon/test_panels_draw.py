"""Panels are drawn by a window alone; here by a layout that knows what Blender's own would take: names, icons."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from blender_addon.jobs.dataset_job import RUNNER  # noqa: E402
from blender_addon.jobs.view_job import RENDERING, VIEW  # noqa: E402
from blender_addon.ui import dataset_panel, numpy_missing, panels  # noqa: E402

KNOWN = bpy.types.UILayout.bl_rna
ICONS = set(KNOWN.functions["label"].parameters["icon"].enum_items.keys())
LAYOUTS = ("row", "column", "split", "box")
HEIGHTS = {"label", "prop", "operator", "operator_menu_enum", "progress"}


class Layout:
    """A layout that counts rows of one below the other, and fails where Blender would.

    Args:
        is_row: what is in it stands side by side.
    """

    def __init__(self, is_row: bool = False) -> None:
        self._is_row = is_row
        self._parts: list[Layout | int] = []
        self.texts: list[str] = []

    def __setattr__(self, name: str, value: Any) -> None:
        assert name.startswith("_") or name == "texts" or name in KNOWN.properties, name
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        assert name in KNOWN.functions, name

        def call(*places: Any, **words: Any) -> Any:
            assert set(words) <= set(KNOWN.functions[name].parameters.keys()) | {"text_ctxt", "translate"}, (
                name,
                words,
            )
            assert words.get("icon", "NONE") in ICONS, words
            self.texts.append(str(words.get("text", "")))
            if name in LAYOUTS:
                inner = Layout(is_row=name in ("row", "split"))
                inner.texts = self.texts
                self._parts.append(inner)
                return inner
            if name == "prop":
                assert places[1] in places[0].bl_rna.properties, places[1]
            if name.startswith("operator"):
                group, operator = places[0].split(".")
                assert operator in dir(getattr(bpy.ops, group)), places[0]
            if name in HEIGHTS:
                self._parts.append(1)
            return SimpleNamespace()

        return call

    @property
    def rows(self) -> int:
        """How many lines high it is."""
        heights = [part if isinstance(part, int) else part.rows for part in self._parts]
        return max(heights, default=0) if self._is_row else sum(heights)


def draw(panel: Any) -> Layout:
    layout = Layout()
    methods = {name: getattr(panel, name) for name in ("_draw_end",) if hasattr(panel, name)}
    own = SimpleNamespace(layout=layout)
    for name, method in methods.items():
        setattr(own, name, method.__get__(own))
    panel.draw(own, bpy.context)
    return layout


PANELS = (*(panel for panel in panels.CLASSES if panel.bl_idname.startswith("GIS_PT")), dataset_panel.GIS_PT_dataset)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.bl_idname)
def test_a_panel_is_as_high_whatever_it_has_to_say(panel: Any, empty: bpy.types.Scene) -> None:
    """Nothing is selected, there is no camera, then all is there: the buttons stay where they are."""
    lacking = draw(panel)
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.gis.add_camera()
    empty.gis_dataset.out = "/tmp/set"
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    ready = draw(panel)
    assert ready.rows == lacking.rows
    if panel in (panels.GIS_PT_zones, panels.GIS_PT_passes, dataset_panel.GIS_PT_dataset):
        assert ready.texts != lacking.texts  # the reason stood there


def test_messages_and_progress_take_the_same_room(empty: bpy.types.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = draw(panels.GIS_PT_main).rows
    for text in ("1 car in view", "a refusal that is long: " + "words and " * 30):
        empty.gis_thermal.message = text
        assert draw(panels.GIS_PT_main).rows == nothing
    monkeypatch.setattr(VIEW, "_steps", iter([]))
    monkeypatch.setattr(VIEW, "stage", RENDERING)
    layout = draw(panels.GIS_PT_main)
    assert layout.rows == nothing
    assert any(text.startswith("Rendering the passes: ") for text in layout.texts)


@pytest.mark.parametrize("state", ["IDLE", "FAILED", "DONE"])
def test_the_data_sets_buttons_stay_above_what_came_of_them(
    state: str, empty: bpy.types.Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RUNNER, "state", state)
    monkeypatch.setattr(RUNNER, "message", "" if state == "IDLE" else "what came of it")
    texts = [text for text in draw(dataset_panel.GIS_PT_dataset).texts if text]
    assert "Program gis, or its .venv" in texts
    if state != "IDLE":
        assert texts[-1] == "what came of it"


def test_the_tab_without_numpy_is_drawn(addon: None) -> None:
    assert "python3-numpy, then" in draw(numpy_missing.GIS_PT_numpy_missing).texts
