"""What another Blender is asked to render of a view, and how it does it: passes, then their thermal image."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.frame_files import load_frame, save_frame, save_thermal
from ..data.thermal_image import ThermalSettings, render_thermal

if TYPE_CHECKING:
    from renderer.blender.engine import Engine

__all__ = ["FRAME", "THERMAL", "ViewRequest"]
FRAME, THERMAL = "passes.npz", "thermal.npz"
"""Files that appear, complete, in the request's folder."""


@dataclass(frozen=True)
class ViewRequest:
    """What is to be rendered."""

    folder: str
    """Where the files go; a frame that lies there already is used."""
    blend: str = ""
    """File whose active camera's view is rendered; empty where the frame is there."""
    engine: Engine = "cycles"
    thermal: ThermalSettings | None = None
    """Settings of the thermal image; None for no thermal image."""
    path: tuple[str, ...] = ()
    """Folders with Python packages that the caller's Blender found."""

    def to_json(self) -> str:
        """Text that :meth:`from_json` understands."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ViewRequest:
        """The request of :meth:`to_json`."""
        fields = json.loads(text)
        thermal = ThermalSettings(**fields["thermal"]) if fields["thermal"] else None
        return cls(**{**fields, "thermal": thermal, "path": tuple(fields["path"])})

    def render(self) -> None:
        """Make the files.

        Raises:
            RendererError: the .blend file has no view that can be rendered.
        """
        from renderer.blender.session import open_blend
        from renderer.blender.view import ViewSession

        stored = Path(self.folder) / FRAME
        if stored.is_file():
            frame = load_frame(stored)
        else:
            frame = ViewSession(open_blend(Path(self.blend)), engine=self.engine).view()
            save_frame(stored, frame)
        if self.thermal is not None:
            save_thermal(stored.with_name(THERMAL), *render_thermal(frame, self.thermal))
