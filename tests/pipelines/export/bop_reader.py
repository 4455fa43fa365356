"""Reads a folder by BOP's description of its format alone, with nothing of the project and nothing of BOP's toolkit.

Source: https://github.com/thodan/bop_toolkit, docs/bop_datasets_format.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class BopObject:
    """One object of an image: its pose in the camera, what is seen of it, and the box of its model."""

    number: int
    rotation: np.ndarray
    """(3, 3) from the model's axes to the camera's."""
    translation_mm: np.ndarray
    """(3,) the model's origin in the camera."""
    mask: np.ndarray
    """(H, W) bool, the visible part of its silhouette."""
    about: dict[str, Any]
    """Its entry of ``scene_gt_info.json``."""
    low_mm: np.ndarray
    size_mm: np.ndarray
    diameter_mm: float

    def corners_px(self, K: np.ndarray) -> np.ndarray:
        """(8, 2) corners of the model's box in the image; whole numbers are the centres of pixels."""
        unit = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1)
        model = self.low_mm[:, None] + self.size_mm[:, None] * unit
        pixels = K @ (self.rotation @ model + self.translation_mm[:, None])
        return (pixels[:2] / pixels[2]).T


@dataclass(frozen=True)
class BopImage:
    """One image of a scene."""

    number: int
    rgb: np.ndarray
    depth_mm: np.ndarray
    """(H, W) 0 where nothing is known."""
    K: np.ndarray
    world_to_camera: np.ndarray
    """(4, 4) millimetres."""
    objects: tuple[BopObject, ...]


def bop_images(root: Path) -> Iterator[BopImage]:
    """All images of all splits and scenes."""
    models = json.loads((root / "models/models_info.json").read_text())
    for split in ("train", "val", "test"):
        for scene in sorted((root / split).glob("[0-9]" * 6)):
            yield from _scene(scene, models)


def _scene(folder: Path, models: dict[str, Any]) -> Iterator[BopImage]:
    cameras, truth, seen = (
        json.loads((folder / f"scene_{name}.json").read_text()) for name in ("camera", "gt", "gt_info")
    )
    names = {path.stem for path in (folder / "rgb").iterdir()}
    assert names == {path.stem for path in (folder / "depth").iterdir()}
    assert {int(name) for name in names} == {int(key) for key in cameras} == {int(key) for key in truth}
    assert set(cameras) == set(truth) == set(seen)
    masks = {f"{name}_{number:06d}" for name in names for number in range(len(truth[str(int(name))]))}
    assert masks == {path.stem for path in (folder / "mask_visib").glob("*.png")}
    for name in sorted(names):
        key = str(int(name))
        camera, pose = cameras[key], np.eye(4)
        pose[:3, :3] = np.reshape(camera["cam_R_w2c"], (3, 3))
        pose[:3, 3] = camera["cam_t_w2c"]
        depth = np.asarray(Image.open(folder / f"depth/{name}.png"))
        assert depth.dtype == np.uint16
        objects = tuple(
            _object(number, *both, folder / f"mask_visib/{name}_{number:06d}.png", models)
            for number, both in enumerate(zip(truth[key], seen[key], strict=True))
        )
        rgb = np.asarray(Image.open(folder / f"rgb/{name}.png"))
        K = np.reshape(camera["cam_K"], (3, 3))
        yield BopImage(int(name), rgb, depth * float(camera["depth_scale"]), K, pose, objects)


def _object(number: int, pose: dict[str, Any], about: dict[str, Any], mask: Path, models: dict[str, Any]) -> BopObject:
    box = models[str(pose["obj_id"])]
    return BopObject(
        number,
        np.reshape(pose["cam_R_m2c"], (3, 3)),
        np.array(pose["cam_t_m2c"]),
        np.asarray(Image.open(mask)) > 0,
        about,
        np.array([box[f"min_{axis}"] for axis in "xyz"]),
        np.array([box[f"size_{axis}"] for axis in "xyz"]),
        box["diameter"],
    )
