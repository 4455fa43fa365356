"""MOTChallenge and KITTI tracking: the rows against the masks and records of sequences."""

from __future__ import annotations

import configparser
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from export_sets import mask_of, of_scene, records

from pipelines.errors import DatasetError
from pipelines.export.formats.kitti_tracking import type_of
from pipelines.export.run import export_dataset

FRAMES = 5


@pytest.fixture(scope="module")
def moving_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four sequences of five frames."""
    return of_scene(tmp_path_factory.mktemp("moving") / "set", count=4, sequence=0.5, fps=10.0, min_visible_share=0.6)


def _rows(path: Path, separator: str | None) -> list[list[str]]:
    return [line.split(separator) for line in path.read_text().splitlines()]


def test_mot_has_every_object_of_every_frame(moving_set: Path, tmp_path: Path) -> None:
    export_dataset(moving_set, tmp_path, "mot", split=(0.5, 0.25, 0.25))
    wanted = records(moving_set)
    listed = []
    for split in ("train", "val", "test"):
        first, *names = (tmp_path / f"seqmaps/gis-{split}.txt").read_text().split()
        assert first == "name"
        listed += names
        for name in names:
            folder = tmp_path / f"gis-{split}/{name}"
            about = configparser.ConfigParser()
            about.read(folder / "seqinfo.ini")
            assert about["Sequence"]["seqLength"] == str(FRAMES)
            assert float(about["Sequence"]["frameRate"]) == 10.0
            assert len(list((folder / "img1").glob("*.png"))) == FRAMES
            for row in _rows(folder / "gt/gt.txt", ","):
                frame = int(name) * FRAMES + int(row[0]) - 1
                left, top, width, height = (float(value) for value in row[2:6])
                ys, xs = np.nonzero(mask_of(moving_set, f"{frame:06d}") == int(row[1]))
                # The whole object contains its visible pixels; both are counted from 1.
                assert left - 1 <= xs.min()
                assert top - 1 <= ys.min()
                assert left - 1 + width >= xs.max() + 1
                assert top - 1 + height >= ys.max() + 1
    assert sorted(listed) == ["0000", "0001", "0002", "0003"]
    rows = [row for path in tmp_path.glob("gis-*/*/gt/gt.txt") for row in _rows(path, ",")]
    assert len(rows) == sum(len(record.labelled) for record in wanted)
    assert sum(row[6] == "1" for row in rows) == sum(len(record.counted) for record in wanted)
    assert {row[6] for row in rows} == {"0", "1"}


def test_kitti_tracking_counts_frames_from_zero(moving_set: Path, tmp_path: Path) -> None:
    export_dataset(moving_set, tmp_path, "kitti-tracking", split=(0.5, 0.5))
    maps = {
        end: _rows(tmp_path / f"training/evaluate_tracking.seqmap.{end}", None) for end in ("training", "train", "val")
    }
    assert [row for row in maps["training"]] == [[f"{k:04d}", "empty", "000000", "000005"] for k in range(4)]
    assert sorted(maps["train"] + maps["val"]) == maps["training"]
    for number in range(4):
        rows = _rows(tmp_path / f"training/label_02/{number:04d}.txt", None)
        found = defaultdict(set)
        for row in rows:
            assert len(row) == 17
            found[int(row[0])].add(int(row[1]))
        wanted = records(moving_set)[number * FRAMES : (number + 1) * FRAMES]
        for frame, record in enumerate(wanted):
            assert found[frame] - {-1} == {item.id for item in record.counted}
            assert (-1 in found[frame]) == bool(record.ignored)
        assert (tmp_path / f"training/image_02/{number:04d}/000004.png").is_file()
        first = (tmp_path / f"training/calib/{number:04d}.txt").read_text().split()
        assert first[0] == "P0:"
        assert float(first[1]) == wanted[0].camera.fx


def test_single_frames_are_no_tracks(scene_set: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="--sequence"):
        export_dataset(scene_set, tmp_path, "mot")


def test_a_sequence_is_on_one_side_of_a_split(moving_set: Path, tmp_path: Path) -> None:
    export_dataset(moving_set, tmp_path, "coco", split=(0.5, 0.5))
    splits = json.loads((tmp_path / "splits.json").read_text())["splits"]
    sides = [{int(name) // FRAMES for name in names} for names in splits.values()]
    assert sides[0] | sides[1] == set(range(4))
    assert not sides[0] & sides[1]
    assert all(sides)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("Car", "Car"), ("Bus", "Misc"), ("Dog", "Misc"), ("Person_sitting", "Person"), ("DontCare", "DontCare")],
)
def test_kitti_tracking_has_its_own_types_alone(kind: str, shown: str) -> None:
    """TrackEval stops with a KeyError at any other."""
    assert type_of(kind, given=False) == shown
    assert type_of("Bus", given=True) == "Bus"
