"""Rigs by name or file: which cameras there are, and how they stand to the first one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from assets import RIGS
from numpy.typing import NDArray
from renderer.geometry.lens import Lens
from renderer.text_files import parse_json, parse_toml

from pipelines.cameras import named_camera
from pipelines.dataset.rig import Rig, RigCamera
from pipelines.errors import ConfigError

__all__ = ["DEFAULT_CAMERA", "named_rig"]

DEFAULT_CAMERA: Final = "kitti-object"
"""Of a rig whose cameras name none, where no option does."""
_KEYS: Final = {"camera", "size", "sensor", "position_m", "rotation_deg", "cam_to_first"}
_SLACK = 1e-6
"""Of a rotation that was written with few places."""


def named_rig(name: str, camera: str | None = None, size: str | None = None, lens: Lens | None = None) -> Rig:
    """The rig of that name or file.

    Args:
        name: a table of ``assets/rigs.toml``, or a .toml or .json file with a table for each camera.
        camera: of those that name none; see :func:`pipelines.cameras.named_camera`.
        size: of those that name none.
        lens: of those that name no camera.

    Raises:
        ConfigError: no such rig, or a table that is no camera of one.
        CameraError: a camera's file describes none.
    """
    tables, folder = _tables(name)
    if len(tables) < 2 or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigError(f"rig {name}: expected a table for each of two cameras or more, such as [left] and [right]")
    rest = folder, camera, size, lens
    rig = Rig(tuple(_camera(f"rig {name}: camera {key!r}", key, table, *rest) for key, table in tables.items()))
    if not np.array_equal(rig.cameras[0].cam_to_first, np.eye(4)):
        raise ConfigError(f"rig {name}: camera {rig.cameras[0].name!r} is the first: expected no position of its own")
    return rig


def _tables(name: str) -> tuple[dict[str, Any], Path]:
    shipped = parse_toml(RIGS.read_bytes())
    if name in shipped:
        return shipped[name], RIGS.parent
    path = Path(name)
    if path.suffix.lower() not in (".toml", ".json"):
        raise ConfigError(f"unknown rig {name!r}: expected one of {', '.join(shipped)}, or a .toml or .json file")
    try:
        data = path.read_bytes()
        tables = parse_json(data) if path.suffix.lower() == ".json" else parse_toml(data)
    except (OSError, ValueError) as error:
        raise ConfigError(f"rig {name}: could not be read: {error}; expected a table for each camera") from error
    if not isinstance(tables, dict):
        raise ConfigError(f"rig {name}: expected a table for each camera")
    return tables, path.parent


def _camera(
    where: str, name: str, table: dict[str, Any], folder: Path, camera: str | None, size: str | None, lens: Lens | None
) -> RigCamera:
    if unknown := set(table) - _KEYS:
        raise ConfigError(f"{where}: unknown key {min(unknown)!r}: expected some of {', '.join(sorted(_KEYS))}")
    if not name or Path(name).name != name or name.startswith("."):
        raise ConfigError(f"{where}: expected a name that a folder can have")
    own = table.get("camera")
    if own is not None and (folder / str(own)).is_file():
        own = str(folder / str(own))
    found = named_camera(
        str(own) if own is not None else camera or DEFAULT_CAMERA,
        str(table["size"]) if "size" in table else size,
        lens=lens if own is None else None,
    )
    assert found is not None
    sensor = str(table.get("sensor", found.sensor))
    return RigCamera(name, replace(found, name=name, sensor=sensor), _pose(table, where))


def _pose(table: dict[str, Any], where: str) -> NDArray[np.float64]:
    """(4, 4) axes of the camera to those of the first."""
    if "cam_to_first" in table:
        if "position_m" in table or "rotation_deg" in table:
            raise ConfigError(f"{where}: has cam_to_first and position_m or rotation_deg: expected one of them")
        return _matrix(table["cam_to_first"], where)
    pose = np.eye(4)
    pose[:3, 3] = _three(table.get("position_m", [0, 0, 0]), f"{where}: position_m")
    pose[:3, :3] = _turn(_three(table.get("rotation_deg", [0, 0, 0]), f"{where}: rotation_deg"))
    return pose


def _turn(angles_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) turned about its own axes: first about y (down), then about x (right), then about z (forward)."""
    x, y, z = ((math.cos(angle), math.sin(angle)) for angle in np.radians(angles_deg).tolist())
    about_y = np.array([[y[0], 0, y[1]], [0, 1, 0], [-y[1], 0, y[0]]])
    about_x = np.array([[1, 0, 0], [0, x[0], -x[1]], [0, x[1], x[0]]])
    about_z = np.array([[z[0], -z[1], 0], [z[1], z[0], 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z)


def _three(values: Any, where: str) -> NDArray[np.float64]:
    if not isinstance(values, list) or len(values) != 3 or not all(type(one) in (int, float) for one in values):
        raise ConfigError(f"{where} is {values!r}: expected three numbers")
    found = np.array(values, np.float64)
    if not np.isfinite(found).all():
        raise ConfigError(f"{where} is {values!r}: expected three finite numbers")
    return found


def _matrix(values: Any, where: str) -> NDArray[np.float64]:
    try:
        matrix = np.array(values, np.float64)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    if matrix.shape == (3, 4):
        matrix = np.vstack([matrix, (0, 0, 0, 1)])
    turn = matrix[:3, :3] if matrix.shape == (4, 4) and np.isfinite(matrix).all() else np.zeros((3, 3))
    if np.abs(turn @ turn.T - np.eye(3)).max() > _SLACK or np.linalg.det(turn) < 0:
        raise ConfigError(f"{where}: cam_to_first is {values!r}: expected four rows of a turn and a position")
    return matrix
