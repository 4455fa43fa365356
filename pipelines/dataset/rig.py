"""Data sets of several cameras that saw the same: a folder for each, and what tells how they stand to each other.

``rig.json`` has the cameras in their order, each with its intrinsics and its pose in the axes of the first one.
``calib.txt`` has the same as KITTI's development kits read it: ``P0`` to ``P3`` and so on, 3x4 projections of points in
the first camera's axes, with pixel centres at whole numbers; of lenses that distort ``D_0k`` with OpenCV's coefficients
(as in KITTI's raw calibrations), of fisheyes ``fisheye_0k``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.affine import world_to_local
from renderer.geometry.camera import Camera
from renderer.geometry.lens import FISHEYE
from renderer.geometry.rig import Mount, stereo_baseline_m

from pipelines.errors import DatasetError
from pipelines.io.files import make_folder
from pipelines.io.stores import FolderStore, open_store
from pipelines.io.typed_json import from_json, to_json

__all__ = [
    "CALIBRATION_FILE",
    "RIG_FILE",
    "Rig",
    "RigCamera",
    "distortion_rows",
    "is_rig",
    "projection",
    "read_rig",
    "write_rig",
]

RIG_FILE: Final = "rig.json"
CALIBRATION_FILE: Final = "calib.txt"
SCHEMA, VERSION = "gis-rig", 1
_CENTRE_PX = 0.5
"""KITTI's pixels have their centres at whole numbers."""


@dataclass(frozen=True, eq=False)
class RigCamera:
    """A camera of a rig."""

    name: str
    """Of the camera and of its folder."""
    camera: Camera
    cam_to_first: NDArray[np.float64]
    """(4, 4) its OpenCV axes to those of the first camera, metres."""

    @property
    def mount(self) -> Mount:
        """As the renderer has it."""
        return Mount(self.camera, self.cam_to_first)


@dataclass(frozen=True, eq=False)
class Rig:
    """Cameras that are fixed to each other; the first is driven."""

    cameras: tuple[RigCamera, ...]

    def camera(self, name: str) -> RigCamera:
        """The camera of that name.

        Raises:
            KeyError: there is none.
        """
        return {one.name: one for one in self.cameras}[name]

    def partner(self, name: str) -> tuple[RigCamera, float] | None:
        """The first other camera that makes a rectified pair with one, and how far to its right it is, metres."""
        here = self.camera(name)
        for other in self.cameras:
            baseline_m = None if other is here else stereo_baseline_m(here.mount, other.mount)
            if baseline_m is not None:
                return other, baseline_m
        return None


def is_rig(folder: Path) -> bool:
    """Whether a folder holds data sets of several cameras."""
    return bool(open_store(folder).has(RIG_FILE))


def read_rig(folder: Path) -> Rig:
    """The cameras of a folder.

    Raises:
        DatasetError: it tells of none.
    """
    about = open_store(folder).read_object(RIG_FILE)
    where = f"{folder}/{RIG_FILE}"
    if about.get("schema") != SCHEMA or about.get("version") != VERSION:
        raise DatasetError(f"{where}: is {about.get('schema')!r} {about.get('version')!r}: expected {SCHEMA} {VERSION}")
    rig = from_json(Rig, about, where)
    names = [one.name for one in rig.cameras]
    if not names or len(set(names)) != len(names) or any(Path(name).name != name or not name for name in names):
        raise DatasetError(f"{where}: cameras are {names}: expected different names of folders beside it")
    return rig


def write_rig(folder: Path, rig: Rig) -> None:
    """Writes what tells of the cameras.

    Raises:
        OutputError: it cannot be written.
        DatasetError: the folder holds sets of another rig.
    """
    store = open_store(folder)
    values: dict[str, Any] = {"schema": SCHEMA, "version": VERSION, **to_json(rig)}
    if store.has(RIG_FILE) and store.read_object(RIG_FILE) != json.loads(json.dumps(values)):
        raise DatasetError(f"{folder}/{RIG_FILE}: is of another rig: give another --out, or the same --rig and cameras")
    if isinstance(store, FolderStore):
        make_folder(store.folder)
    store.write(RIG_FILE, (json.dumps(values, indent=1) + "\n").encode())
    store.write(CALIBRATION_FILE, "".join(_rows(rig)).encode())


def _rows(rig: Rig) -> Iterator[str]:
    for number, one in enumerate(rig.cameras):
        yield f"P{number}: {_numbers(projection(one))}\n"
        yield from distortion_rows(one.camera, number)


def projection(one: RigCamera) -> NDArray[np.float64]:
    """(3, 4) points in the first camera's axes to pixels with centres at whole numbers; of the pinhole camera."""
    matrix = one.camera.K
    matrix[:2, 2] -= _CENTRE_PX
    return np.asarray(matrix @ world_to_local(one.cam_to_first))


def distortion_rows(camera: Camera, number: int) -> Iterator[str]:
    """What a calibration says of a lens that distorts; nothing of others."""
    if camera.lens is not None:
        name = "fisheye" if camera.lens.model == FISHEYE else "D"
        yield f"{name}_{number:02d}: {_numbers(np.array(camera.lens.coefficients))}\n"


def _numbers(values: NDArray[np.float64]) -> str:
    return " ".join(f"{value:.12e}" for value in values.ravel())
