"""People made of boxes, in a file as the shipped ones': for tests of everything but their shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from renderer.zones.catalogue import Zone

__all__ = ["KEY_POINTS", "write_people"]

# Lowest and highest corner in metres of a person 1.75 m high, and the zone.
_BOXES = (
    ((-0.09, 0.03, 0.0), (0.16, 0.13, 0.1), Zone.SHOES), ((-0.09, -0.13, 0.0), (0.16, -0.03, 0.1), Zone.SHOES),
    ((-0.07, 0.03, 0.1), (0.08, 0.15, 0.85), Zone.LOWER_CLOTHES),
    ((-0.07, -0.15, 0.1), (0.08, -0.03, 0.85), Zone.LOWER_CLOTHES),
    ((-0.11, -0.2, 0.85), (0.12, 0.2, 1.45), Zone.UPPER_CLOTHES),
    ((-0.05, 0.21, 0.9), (0.05, 0.3, 1.42), Zone.UPPER_CLOTHES),
    ((-0.05, -0.3, 0.9), (0.05, -0.21, 1.42), Zone.UPPER_CLOTHES),
    ((-0.04, 0.21, 0.75), (0.05, 0.29, 0.9), Zone.HANDS), ((-0.04, -0.29, 0.75), (0.05, -0.21, 0.9), Zone.HANDS),
    ((-0.06, -0.06, 1.45), (0.06, 0.06, 1.52), Zone.SKIN), ((-0.08, -0.08, 1.52), (0.11, 0.08, 1.7), Zone.SKIN),
    ((-0.09, -0.085, 1.7), (0.1, 0.085, 1.75), Zone.HAIR),
)  # fmt: skip
_FACES = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))
KEY_POINTS = np.array([
    (0.1, 0, 1.6), (0.09, 0.03, 1.63), (0.09, -0.03, 1.63), (0, 0.07, 1.6), (0, -0.07, 1.6),
    (0, 0.2, 1.4), (0, -0.2, 1.4), (0, 0.25, 1.15), (0, -0.25, 1.15), (0, 0.25, 0.85), (0, -0.25, 0.85),
    (0, 0.1, 0.9), (0, -0.1, 0.9), (0, 0.09, 0.5), (0, -0.09, 0.5), (0, 0.09, 0.1), (0, -0.09, 0.1),
])  # fmt: skip


def write_people(path: Path, names: tuple[str, ...] = ("person_01.stand_01", "person_02.walk_01")) -> Path:
    """Write a file of people of several heights."""
    models, arrays = {}, {}
    for number, name in enumerate(names):
        scale = 1.0 - 0.08 * (number % 4)
        arrays |= {f"{name}/{key}": value for key, value in _mesh(scale).items()}
        arrays[f"{name}/key_points"] = (KEY_POINTS * scale).astype(np.float32)
        size = {"gis_length_m": 0.25 * scale, "gis_width_m": 0.6 * scale, "gis_height_m": 1.75 * scale}
        marks = {"gis_category": "person", "gis_model": name, **size}
        models[name] = {"marks": marks, "parts": [[name, name, [0.0, 0.0, 0.0], 0.0]]}
    look = {"cloth": {"colour": [0.5, 0.4, 0.4], "roughness": 0.9, "metallic": 0.0}}
    about = {"models": models, "slots": {name: ["cloth"] for name in names}, "materials": look}
    np.savez_compressed(path, models=np.array(json.dumps(about, sort_keys=True)), **arrays)
    return path


def _mesh(scale: float) -> dict[str, np.ndarray]:
    vertices, corners, zones = [], [], []
    for low, high, zone in _BOXES:
        first = len(vertices)
        vertices += [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
        corners += [first + corner for face in _FACES for corner in face]
        zones += [zone] * len(_FACES)
    count = len(zones)
    sharp = np.array([sorted(face[k : k + 2] if k < 3 else (face[3], face[0])) for face in _FACES for k in range(4)])
    every = np.concatenate([sharp + 8 * box for box in range(len(_BOXES))])
    return {
        "vertices": (np.array(vertices) * scale).astype(np.float32),
        "corners": np.array(corners, np.uint16),
        "sizes": np.full(count, 4, np.uint8),
        "zones": np.array(zones, np.uint8),
        "slots": np.zeros(count, np.uint8),
        "sharp": np.unique(every, axis=0).astype(np.uint16),
    }
