"""Write ``assets/people.npz``: the same kind of file as ``cars.npz`` (see ``assets.build.arrays``).

Beside each mesh stands ``MODEL/key_points`` (17, 3) float32: COCO's, metres, in the model's axes. What turns of a
two-wheeler: ``MODEL/part`` (V,) uint8, the number of a vertex's axle from 1, and in the text ``axles``, their names and
places. What follows the pedals of a rider: ``MODEL/limbs`` (V, 7) uint8 and ``MODEL/joints`` (7, 3) float32
(:mod:`renderer.scene.sequences.turning`).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import Zone

from .mesh import sharp_edges
from .models import PersonModel

__all__ = ["model_arrays", "write_arrays"]

Arrays = dict[str, NDArray[Any]]

# Colour (linear RGB) of a zone in a picture of visible light, roughness.
_LOOKS: dict[Zone, tuple[tuple[float, float, float], float]] = {
    Zone.SKIN: ((0.55, 0.33, 0.24), 0.6),
    Zone.HANDS: ((0.55, 0.33, 0.24), 0.6),
    Zone.HAIR: ((0.05, 0.03, 0.02), 0.7),
    Zone.HEADWEAR: ((0.08, 0.07, 0.1), 0.9),
    Zone.UPPER_CLOTHES: ((0.09, 0.12, 0.2), 0.9),
    Zone.LOWER_CLOTHES: ((0.04, 0.045, 0.06), 0.9),
    Zone.SHOES: ((0.03, 0.025, 0.02), 0.7),
    Zone.CARRIED: ((0.12, 0.05, 0.04), 0.8),
    Zone.FUR: ((0.2, 0.12, 0.06), 0.9),
    Zone.FRAME: ((0.05, 0.08, 0.12), 0.4),
    Zone.ENGINE: ((0.2, 0.2, 0.2), 0.5),
    Zone.SEAT: ((0.02, 0.02, 0.02), 0.7),
    Zone.TYRE: ((0.02, 0.02, 0.02), 0.8),
    Zone.BRAKE: ((0.25, 0.22, 0.2), 0.45),
    Zone.EXHAUST: ((0.45, 0.43, 0.4), 0.35),
    Zone.LAMP: ((0.8, 0.8, 0.75), 0.1),
    Zone.BODY: ((0.6, 0.05, 0.04), 0.35),
    Zone.ROOF: ((0.5, 0.5, 0.5), 0.5),
    Zone.GLASS: ((0.04, 0.05, 0.06), 0.05),
    Zone.GRILLE: ((0.1, 0.1, 0.1), 0.7),
    Zone.UNDERBODY: ((0.06, 0.06, 0.06), 0.8),
    Zone.TRIM: ((0.08, 0.08, 0.08), 0.8),
}


def _look(name: str) -> dict[str, Any]:
    colour, roughness = _LOOKS[Zone[name.removeprefix("gis_").upper()]]
    return {"colour": list(colour), "roughness": roughness, "metallic": 0.0}


def _mesh_arrays(model: PersonModel) -> tuple[Arrays, list[str]]:
    """Arrays of one mesh, and its materials."""
    used = np.unique(model.mesh.zones)
    count = len(model.mesh.faces)
    arrays: Arrays = {
        "vertices": model.mesh.vertices_m.astype(np.float32),
        "corners": model.mesh.faces.astype(np.uint16).ravel(),
        "sizes": np.full(count, 3, np.uint8),
        "zones": model.mesh.zones,
        "slots": np.searchsorted(used, model.mesh.zones).astype(np.uint8),
        "sharp": sharp_edges(model.mesh).astype(np.uint16),
    }
    if model.key_points_m is not None:
        arrays["key_points"] = model.key_points_m
    if model.parts is not None:
        arrays["part"] = model.parts.part
    if model.limbs is not None:
        arrays |= {"limbs": model.limbs.weights, "joints": model.limbs.joints_m}
    return arrays, [f"gis_{Zone(zone).name.lower()}" for zone in used.tolist()]


def model_arrays(models: Iterable[PersonModel]) -> Arrays:
    """Everything that the file holds, by entry."""
    about: dict[str, dict[str, Any]] = {"models": {}, "slots": {}, "materials": {}}
    arrays: Arrays = {}
    for model in models:
        own, materials = _mesh_arrays(model)
        arrays |= {f"{model.name}/{key}": value for key, value in own.items()}
        about["models"][model.name] = {"marks": model.marks, "parts": [[model.name, model.name, [0.0, 0.0, 0.0], 0.0]]}
        if model.parts is not None:
            about["models"][model.name]["axles"] = [[one.name, list(one.place_m)] for one in model.parts.axles]
        about["slots"][model.name] = materials
        about["materials"] |= {name: _look(name) for name in materials}
    return {"models": np.array(json.dumps(about, sort_keys=True)), **arrays}


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays as a .npz; the same arrays give the same bytes."""
    part = path.with_name(f".{path.stem}.part.npz")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, values in arrays.items():
            held = io.BytesIO()
            np.save(held, values, allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), held.getvalue(), zipfile.ZIP_DEFLATED, 9
            )
    part.replace(path)
