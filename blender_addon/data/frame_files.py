"""A frame's passes and a thermal image as .npz files: how one Blender hands them to another. Nothing is pickled."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from renderer.geometry.frame import Frame

__all__ = ["load_frame", "load_thermal", "save_frame", "save_thermal"]

ARRAYS = ("depth_m", "instance_id", "zone", "normal", "part")


def save_frame(path: Path, frame: Frame) -> None:
    """Write a frame's passes, and what is known of its objects, to one file that appears when it is complete."""
    rest = {
        "camera": frame.camera.to_json(),
        "instances": [_plain(instance) for instance in frame.instances],
        "parts": [_plain(part) for part in frame.parts],
        "notes": frame.notes,
        "index": frame.index,
        "cam_to_world": frame.cam_to_world.tolist(),
    }
    _save(path, rest=np.array(json.dumps(rest)), **{name: getattr(frame, name) for name in ARRAYS})


def load_frame(path: Path) -> Frame:
    """Read what :func:`save_frame` wrote."""
    from renderer.geometry.camera import Camera
    from renderer.geometry.frame import Box3D, Frame, Instance, Part

    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in ARRAYS}
        rest = json.loads(str(stored["rest"]))
    instances = (
        {**fields, "box_3d": Box3D(**fields["box_3d"]), "object_to_world": np.array(fields["object_to_world"])}
        for fields in rest["instances"]
    )
    parts = ({**fields, "local_to_world": np.array(fields["local_to_world"])} for fields in rest["parts"])
    return Frame(
        index=rest["index"],
        camera=Camera.from_json(rest["camera"]),
        cam_to_world=np.array(rest["cam_to_world"]),
        instances=tuple(Instance(**fields) for fields in instances),
        parts=tuple(Part(**fields) for fields in parts),
        notes=tuple(rest["notes"]),
        **arrays,
    )


def save_thermal(path: Path, grey: NDArray[np.uint8], kelvin: NDArray[np.float32]) -> None:
    """Write grey levels (H, W) and measured temperature (H, W), K, to one file that appears when it is complete."""
    _save(path, grey=grey, kelvin=kelvin)


def load_thermal(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Grey levels (H, W) uint8 and measured temperature (H, W) float32, K."""
    with np.load(path, allow_pickle=False) as stored:
        return stored["grey"], stored["kelvin"]


def _save(path: Path, **arrays: NDArray[Any]) -> None:
    temporary = path.with_name("part-" + path.name)
    np.savez(temporary, **arrays)
    temporary.rename(path)


def _plain(instance: Any) -> dict[str, Any]:
    """A dataclass as JSON takes it."""
    fields = dataclasses.asdict(instance)
    return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in fields.items()}
