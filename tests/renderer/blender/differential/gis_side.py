"""What gis makes of scenes: ``python gis_side.py JOBS.json``.

JOBS.json is a list of tables with ``scene`` (a .blend), ``engine`` and ``out`` (.npz).
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from renderer.blender.engine import RenderSession
from renderer.errors import GisError


def render_frame(session: RenderSession, index: int) -> dict[str, Any]:
    try:
        frame = session.frame(index)
    except GisError as error:
        return {f"refused_{index}": str(error)}
    camera = frame.camera
    return {
        f"depth_{index}": frame.depth_m,
        f"ids_{index}": frame.instance_id,
        f"categories_{index}": np.array([[one.id, one.category] for one in frame.instances]),
        f"boxes_{index}": np.array([one.box_amodal_px for one in frame.instances]),
        f"camera_{index}": np.array([camera.fx, camera.fy, camera.cx, camera.cy]),
        f"pose_{index}": frame.cam_to_world,
        f"notes_{index}": np.array(frame.notes),
    }


def render_scene(job: dict[str, Any]) -> dict[str, Any]:
    expected = json.loads(Path(job["scene"]).with_suffix(".json").read_text())
    out: dict[str, Any] = {}
    with RenderSession(Path(job["scene"]), engine=job["engine"]) as session:
        for index in reversed(expected["frames"]):  # the order must not matter
            out |= render_frame(session, index)
    return out


def main() -> None:
    for job in json.loads(Path(sys.argv[1]).read_text()):
        try:
            out = render_scene(job)
        except GisError as error:
            out = {"refused": str(error)}
        except Exception:
            out = {"error": traceback.format_exc()}
        np.savez_compressed(job["out"], **out)
    sys.stdout.flush()
    os._exit(0)  # bpy sometimes hangs at its end


if __name__ == "__main__":
    main()
