"""Passes by Cycles in a Blender of its own, which changes nothing in the user's: reads a copy of the file.

Run as ``blender -b -P passes_worker.py -- COPY.blend OUT.npz`` or, with Blender as a module, by plain Python.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["load_frame", "main", "save_frame"]

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


def main(blend: Path, out: Path) -> int:
    """Render the active camera's view of a file; returns the exit status."""
    import importlib

    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here.parent))
    adapter = importlib.import_module(f"{here.name}.adapter")
    try:
        scene = adapter.renderer("blender.session").open_blend(blend)
        save_frame(out, adapter.renderer("blender.view").ViewSession(scene, engine="cycles").view())
    except adapter.renderer("errors").RendererError as error:
        print(f"gis: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    named = sys.argv[sys.argv.index("--") + 1 :]
    sys.exit(main(Path(named[0]), Path(named[1])))
