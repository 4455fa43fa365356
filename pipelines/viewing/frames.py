"""One frame as the page shows it: its planes of numbers, and what is known of its objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.boxes import box_3d_corners_m
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box3D

from pipelines.dataset.frame_files import FilesInFolder
from pipelines.dataset.record import FrameRecord, InstanceRecord
from pipelines.errors import DatasetError
from pipelines.io.exr import decode_exr
from pipelines.io.images import decode_png
from pipelines.viewing.index import SetIndex
from pipelines.viewing.pictures import inside

__all__ = ["PLANES", "Plane", "describe", "plane"]

PLANES: Final = {"ids": "masks", "zones": "zones", "depth": "depth", "kelvin": "images16"}
"""Planes of numbers by name, and the folder of each."""
NEAREST_M: Final = 0.1
"""Edges of 3-D boxes are cut where they come nearer to the camera."""
_EDGES: Final = tuple(pair for k in range(4) for pair in ((k, (k + 1) % 4), (k + 4, (k + 1) % 4 + 4), (k, k + 4)))
"""Corners of a 3-D box that are joined: four at the bottom, four at the top, the posts between."""


@dataclass(frozen=True)
class Plane:
    """Numbers of each pixel, row by row."""

    values: NDArray[Any]
    """(H, W), uint8, uint16 or float32."""
    span: tuple[float, float] | None = None
    """What 0 and 65535 stand for."""


def plane(index: SetIndex, number: int, name: str) -> Plane:
    """A plane of a frame of gis.

    Args:
        index: of the set.
        number: of the frame.
        name: one of `PLANES`.

    Raises:
        DatasetError: the frame has no such plane, or it cannot be read.
    """
    record = index.record(number)
    if record is None:
        raise DatasetError(f"{index.name}: images with labels have no {name}")
    if name == "kelvin" and record.span_K is None:
        raise DatasetError(f"frame {record.stem} is display intensity: it has no temperatures")
    suffix = ".exr" if name == "depth" else ".png"
    data = _file(index, f"{PLANES[name]}/{record.stem}{suffix}")
    where = f"{index.name}: {record.stem}{suffix}"
    if name == "depth":
        return Plane(np.ascontiguousarray(decode_exr(data, where)["Z"], np.float32))
    return Plane(decode_png(data, where), record.span_K if name == "kelvin" else None)


def _file(index: SetIndex, name: str) -> bytes:
    """The whole of a frame's file."""
    if index.packed is not None:
        return index.packed.read(name)
    path = inside(index.root, index.root / name)
    if not path.is_file():
        raise DatasetError(f"{path}: no such file: the set has no {name.partition('/')[0]}/")
    return FilesInFolder(index.root).read(name)


def _has_plane(index: SetIndex, name: str, stem: str) -> bool:
    if index.packed is None:
        return (index.root / PLANES[name]).is_dir()
    return index.packed.has(f"{PLANES[name]}/{stem}{'.exr' if name == 'depth' else '.png'}")


def describe(index: SetIndex, number: int) -> dict[str, Any]:
    """All that the page shows of a frame beside its pixels.

    Raises:
        DatasetError: its line cannot be read.
    """
    record = index.record(number)
    if record is None:
        return _of_labels(index, number)
    scores = {} if record.label_error is None else {one.id: one.score for one in record.label_error.objects}
    real = [
        {"category": one.category, "box": list(one.box_px), "real": True, "ignored": not one.labelled}
        for one in record.real_objects or ()
    ]
    planes = ["ids", "zones", "depth", *(["kelvin"] if record.span_K is not None else [])]
    return {
        **index.tile(number),
        "planes": [name for name in planes if _has_plane(index, name, record.stem)],
        "about": _about(record),
        "objects": [*(_object(item, record.camera, scores) for item in record.labelled), *real],
    }


def _of_labels(index: SetIndex, number: int) -> dict[str, Any]:
    frame = index.observed[number]
    objects = [{"category": one.category, "box": list(one.box_px)} for one in frame.objects]
    about = {"file": frame.image.name, **({"time": frame.time} if frame.time else {})}
    return {**index.tile(number), "planes": [], "about": about, "objects": objects}


def _about(record: FrameRecord) -> dict[str, str]:
    conditions = record.conditions
    hour, minute = divmod(round(conditions.hour * 60) % 1440, 60)
    told = {
        "weather": f"{conditions.weather}, {hour:02d}:{minute:02d}, day {conditions.day_of_year}",
        "air": f"{conditions.air_temperature_K - 273.15:.1f} °C",
        "scene": record.scene,
        "background": record.background.name or "",
        "camera": f"{record.camera.name}, {record.camera.width}x{record.camera.height}",
        "sensor": record.sensor,
        "model": record.model.name,
        "label error": "" if record.label_error is None else _number(record.label_error.score),
        "notes": "; ".join(record.notes),
    }
    return {name: text for name, text in told.items() if text}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _object(item: InstanceRecord, camera: Camera, scores: dict[int, float]) -> dict[str, Any]:
    return {
        "id": item.id,
        "category": item.category,
        "model": item.model,
        "profile": item.profile,
        "box": list(item.box_visible_px or item.box_amodal_px),
        "amodal": list(item.box_amodal_px),
        "edges": _edges(item.box_3d, camera),
        "key_points": [list(point) for point in item.key_points or ()],
        "distance_m": round(item.box_3d.centre_m[2], 1),
        "occlusion": item.occlusion,
        "truncation": round(item.truncation, 3),
        "score": scores.get(item.id),
        "ignored": bool(item.ignored),
    }


def _edges(box: Box3D, camera: Camera) -> list[list[float]]:
    """The twelve edges of a 3-D box in pixels, ``[x, y, x, y]`` each; without what is behind the camera."""
    corners, found = box_3d_corners_m(box), []
    for one, other in _EDGES:
        ends = _clipped(corners[one], corners[other])
        if ends is not None:
            found.append([round(float(value), 1) for end in ends for value in _project(end, camera)])
    return found


def _clipped(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    if max(a[2], b[2]) <= NEAREST_M:
        return None
    if a[2] < NEAREST_M:
        a = b + (a - b) * ((b[2] - NEAREST_M) / (b[2] - a[2]))
    if b[2] < NEAREST_M:
        b = a + (b - a) * ((a[2] - NEAREST_M) / (a[2] - b[2]))
    return a, b


def _project(point: NDArray[np.float64], camera: Camera) -> tuple[float, float]:
    x, y, z = point
    return camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy
