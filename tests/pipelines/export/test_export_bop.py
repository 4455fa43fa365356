"""BOP's folders as a reader sees them that knows BOP's description alone (its toolkit is on no package index)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bop_reader import BopImage, BopObject, bop_images
from export_sets import mask_of, records

from pipelines.export.run import export_dataset
from pipelines.io.exr import read_exr

SPLIT = (0.5, 0.25, 0.25)


@pytest.fixture(params=["scene", "real"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[BopImage]]:
    """A data set, and its export as it is read."""
    dataset: Path = request.getfixturevalue(f"{request.param}_set")
    export_dataset(dataset, tmp_path / "bop", "bop", split=() if request.param == "scene" else SPLIT)
    return dataset, list(bop_images(tmp_path / "bop"))


def test_every_frame_and_object_is_read(made: tuple[Path, list[BopImage]]) -> None:
    dataset, images = made
    by_number = {image.number: image for image in images}
    wanted = records(dataset)
    assert sorted(by_number) == [record.index for record in wanted]
    assert sum(len(image.objects) for image in images) == sum(len(record.labelled) for record in wanted) > 0
    for record in wanted:
        image, ids = by_number[record.index], mask_of(dataset, record.stem)
        assert image.rgb.shape == (*ids.shape, 3)
        metres = read_exr(dataset / f"depth/{record.stem}.exr")["Z"]
        near = np.isfinite(metres) & (metres < 655.0)
        assert np.abs(image.depth_mm - metres * 1000.0)[near].max() <= 5.01  # steps of 10 mm
        assert not image.depth_mm[~near].any()
        for item, one in zip(record.labelled, image.objects, strict=True):
            assert np.array_equal(one.mask, ids == item.id)


def test_boxes_of_models_hold_what_is_seen_of_them(made: tuple[Path, list[BopImage]]) -> None:
    """By pose, box and intrinsic matrix alone: each pixel of an object is seen through its model's box."""
    for image in made[1]:
        for one in image.objects:
            _check_pose(one)
            rows, columns = np.nonzero(one.mask)
            points = one.corners_px(image.K)
            assert points[:, 0].min() <= columns.min() + 1
            assert points[:, 0].max() >= columns.max() - 1
            assert points[:, 1].min() <= rows.min() + 1
            assert points[:, 1].max() >= rows.max() - 1
            # and lies, by its depth, within the ball around the model's centre that its diameter spans
            there = image.depth_mm[one.mask]
            rays = np.linalg.inv(image.K) @ np.stack([columns, rows, np.ones(len(rows))])
            away = np.linalg.norm(rays * there - one.translation_mm[:, None], axis=0)
            assert away.max() <= one.diameter_mm / 2 + 100.0


def _check_pose(one: BopObject) -> None:
    assert np.abs(one.rotation @ one.rotation.T - np.eye(3)).max() < 1e-6
    assert np.linalg.det(one.rotation) == pytest.approx(1.0)
    assert one.diameter_mm == pytest.approx(np.linalg.norm(one.size_mm))
    assert np.allclose(one.low_mm, -one.size_mm / 2)  # the origin is the centre


def test_what_is_seen_is_counted(made: tuple[Path, list[BopImage]]) -> None:
    for image in made[1]:
        for one in image.objects:
            seen = int(one.mask.sum())
            assert one.about["px_count_visib"] == seen
            assert one.about["visib_fract"] == pytest.approx(seen / one.about["px_count_all"])
            rows, columns = np.nonzero(one.mask)
            left, top, width, height = one.about["bbox_visib"]
            assert (left, top) == (columns.min(), rows.min())
            assert (width, height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)


def test_objects_stand_in_the_world_where_the_record_has_them(made: tuple[Path, list[BopImage]]) -> None:
    dataset, images = made
    by_number = {image.number: image for image in images}
    for record in records(dataset):
        image = by_number[record.index]
        to_world = np.linalg.inv(image.world_to_camera)
        for item, one in zip(record.labelled, image.objects, strict=True):
            place = to_world @ np.append(one.translation_mm - one.rotation[:, 2] * one.size_mm[2] / 2, 1.0)
            assert np.abs(place[:3] / 1000.0 - item.object_to_world[:3, 3]).max() < 0.7
