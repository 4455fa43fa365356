"""BOP, as its own toolkit reads it where it is installed: from its repository, as it is on no package index.

tests/pipelines/export/test_export_bop.py reads the same by the description of the format alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from export_sets import mask_of, records

from pipelines.io.exr import read_exr

pytestmark = [pytest.mark.tools, pytest.mark.filterwarnings("ignore")]


def test_the_toolkit_reads_every_image(exported: Callable[..., Path], real_set: Path) -> None:
    scenewise = pytest.importorskip("bop_toolkit_lib.dataset.bop_scenewise", reason="bop_toolkit_lib is not installed")
    folder = exported("bop", split=()) / "train/000000"
    about = scenewise.read_scene_infos(folder, read_image_ids=True, read_n_objects=True)
    assert about["has_gt"]
    assert about["has_gt_info"]
    assert sorted(about["image_ids"]) == [record.index for record in records(real_set)]
    for record in records(real_set):
        seen = bool(record.labelled)
        data = scenewise.load_image_data(folder, record.index, load_gt=True, load_gt_info=True, load_mask_visib=seen)
        assert data["im_rgb"].shape == (64, 96, 3)
        ids = mask_of(real_set, record.stem)
        depth = read_exr(real_set / f"depth/{record.stem}.exr")["Z"]
        there = np.isfinite(depth) & (depth < 655)
        assert np.abs(data["im_depth"][there] - depth[there] * 1000).max() <= 5.01
        assert not data["im_depth"][~there].any()
        for number, item in enumerate(record.labelled):
            assert np.array_equal(data["mask_visib"][number] > 0, ids == item.id)
            assert data["gt_info"][number]["px_count_visib"] == (ids == item.id).sum()
            corners = _corners(item.box_3d, data["gt"][number])
            pixels = (data["camera"]["cam_K"] @ corners).T
            pixels = pixels[:, :2] / pixels[:, 2:] + 0.5  # the toolkit's centres are whole numbers
            left, top, right, bottom = item.box_amodal_px
            assert np.abs([*pixels.min(0), *pixels.max(0)] - np.array([left, top, right, bottom])).max() < 3.0


def _corners(box, pose) -> np.ndarray:
    """(3, 8) corners of the model's box in the camera, millimetres."""
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1)
    half = np.array([[box.length_m], [box.width_m], [box.height_m]]) * 500
    return pose["cam_R_m2c"] @ (signs * half) + pose["cam_t_m2c"].reshape(3, 1)
