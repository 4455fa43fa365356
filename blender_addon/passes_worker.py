"""Passes and thermal image of a view in a Blender of its own, which changes nothing in the user's and can be killed.

Run as ``blender -b -P passes_worker.py -- REQUEST.json`` or, with Blender as a module, by plain Python. The request's
entries are the fields of :class:`Request`. The worker ends when its standard input does: with whoever started it.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import sys
import threading
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["ERROR", "FRAME", "THERMAL", "Request", "load_frame", "load_thermal", "main", "save_frame"]

FRAME, THERMAL = "passes.npz", "thermal.npz"
"""Files that appear, complete, in the request's folder."""
ERROR = "gis: "
"""Begins the line that says why there is no result."""

ARRAYS = ("depth_m", "instance_id", "zone", "normal", "part")


def save_frame(path: Path, frame: Any) -> None:
    """Write a frame's passes and what is known of its objects to one .npz."""
    rest = {
        "camera": frame.camera.to_json(),
        "instances": [_plain(one) for one in frame.instances],
        "parts": [_plain(one) for one in frame.parts],
        "notes": frame.notes,
        "index": frame.index,
        "cam_to_world": frame.cam_to_world.tolist(),
    }
    temporary = path.with_name("part-" + path.name)
    np.savez(temporary, rest=json.dumps(rest), **{name: getattr(frame, name) for name in ARRAYS})
    temporary.rename(path)


def load_frame(path: Path, frames: Any, cameras: Any) -> Any:
    """Read what :func:`save_frame` wrote; ``frames`` and ``cameras`` are the renderer's modules of these names."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in ARRAYS}
        rest = json.loads(str(stored["rest"]))
    instances = [{**one, "box_3d": frames.Box3D(**one["box_3d"])} for one in rest["instances"]]
    parts = [{**one, "local_to_world": np.array(one["local_to_world"])} for one in rest["parts"]]
    return frames.Frame(
        index=rest["index"],
        camera=cameras.Camera.from_json(rest["camera"]),
        cam_to_world=np.array(rest["cam_to_world"]),
        instances=tuple(
            frames.Instance(**{**one, "object_to_world": np.array(one["object_to_world"])}) for one in instances
        ),
        parts=tuple(frames.Part(**one) for one in parts),
        notes=tuple(rest["notes"]),
        **arrays,
    )


def _plain(one: Any) -> dict[str, Any]:
    """A dataclass as JSON takes it."""
    table = dataclasses.asdict(one)
    return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in table.items()}


@dataclasses.dataclass(frozen=True)
class Request:
    """What the worker is to do."""

    folder: str
    """Where its files go; a frame that lies there already is used."""
    blend: str = ""
    """File whose active camera's view is rendered; empty where the frame is there."""
    engine: str = "cycles"
    """``raster`` or ``cycles``."""
    thermal: dict[str, Any] | None = None
    """Settings of the thermal image, by name, and ``camera_sensor``; None for no thermal image."""
    path: tuple[str, ...] = ()
    """Folders with Python packages that the caller's Blender found."""


def load_thermal(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Grey levels (H, W) uint8 and measured temperature (H, W) float32, K."""
    with np.load(path, allow_pickle=False) as stored:
        return stored["grey"], stored["kelvin"]


def _end_with_the_caller() -> None:
    """End this process at once when its standard input is closed: then the caller is gone."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _thermal(addon: str, frame: Any, settings: dict[str, Any], out: Path) -> None:
    """Compute and write the thermal image by the panel's settings."""
    thermal = importlib.import_module(f"{addon}.thermal")
    # Stands in for the scene: this Blender has no panel.
    scene = SimpleNamespace(
        gis_thermal=SimpleNamespace(**settings), camera={"gis_sensor": settings["camera_sensor"]}
    )  # fmt: skip
    grey, kelvin = thermal.render_thermal(frame, scene)
    temporary = out.with_name("part-" + out.name)
    np.savez(temporary, grey=grey, kelvin=kelvin)
    temporary.rename(out)


def work(request: Request) -> None:
    """Do what is asked for.

    Raises:
        RendererError: the file has no view that can be rendered.
    """
    here = Path(__file__).resolve().parent
    sys.path[:] = [str(here.parent), *sys.path, *(one for one in request.path if one not in sys.path)]
    adapter = importlib.import_module(f"{here.name}.adapter")
    stored = Path(request.folder) / FRAME
    if stored.is_file():
        frame = load_frame(stored, adapter.renderer("geometry.frame"), adapter.renderer("geometry.camera"))
    else:
        scene = adapter.renderer("blender.session").open_blend(Path(request.blend))
        frame = adapter.renderer("blender.view").ViewSession(scene, engine=request.engine).view()
        save_frame(stored, frame)
    if request.thermal is not None:
        _thermal(here.name, frame, request.thermal, stored.with_name(THERMAL))


def main(path: Path) -> int:
    """Do what a file asks for; returns the exit status."""
    _end_with_the_caller()
    try:
        work(Request(**json.loads(path.read_text(encoding="utf-8"))))
    except Exception as error:  # whatever it is, the panel must show it
        traceback.print_exc()
        print(f"{ERROR}{error or type(error).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main(Path(sys.argv[sys.argv.index("--") + 1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Blender hangs at exit now and then, and gives no status of its own
