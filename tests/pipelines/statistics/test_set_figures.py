"""Figures of sets against counts made plainly from the files themselves, and pictures of which the answer is known."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from export_sets import of_scene, over_frames
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.dataset.names import kind_of_scene
from pipelines.errors import ConfigError, DatasetError
from pipelines.statistics.config import StatsConfig
from pipelines.statistics.figures import figures_of
from pipelines.statistics.observed import observe
from pipelines.statistics.pictures import contrasts, noise_levels
from pipelines.statistics.run import run_stats

BOXES = [[64, 32, 128, 96], [100, 60, 160, 110], [200, 100, 220, 160], [0, 10, 50, 40]]
NAMES = ["car", "van", "pedestrian", "truck"]


def images(folder: Path, count: int = 3) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"drive_{number}.png" for number in range(count)]
    for path in paths:
        cv2.imwrite(str(path), np.full((256, 320), 90, np.uint8))
    return paths


def kitti(root: Path) -> str:
    (root / "label_2").mkdir(parents=True)
    rows = [f"{n.title()} 0 0 0 {' '.join(map(str, b))} 1 1 1 0 0 9 0" for n, b in zip(NAMES, BOXES, strict=True)]
    for image in images(root / "image_2"):
        (root / "label_2" / f"{image.stem}.txt").write_text(
            "\n".join([*rows, "DontCare -1 -1 -10 1 1 9 9" + " -1" * 7])
        )
    return str(root)


def yolo(root: Path) -> str:
    (root / "labels").mkdir(parents=True)
    (root / "labels" / "classes.txt").write_text("\n".join(NAMES))
    for image in images(root / "images"):
        rows = [
            f"{k} {(a + c) / 640} {(b + d) / 512} {(c - a) / 320} {(d - b) / 256}"
            for k, (a, b, c, d) in enumerate(BOXES)
        ]
        (root / "labels" / f"{image.stem}.txt").write_text("\n".join(rows))
    return str(root)


def by_image(root: Path) -> str:
    boxes = [{"cls": name, "xyxy": box} for name, box in zip(NAMES, BOXES, strict=True)]
    names = [path.stem for path in images(root / "frames")]
    (root / "b.json").write_text(
        json.dumps({name: {"boxes": boxes, "time": "day" if k else "night"} for k, name in enumerate(names)})
    )
    return f"{root / 'frames'}={root / 'b.json'}"


@pytest.mark.parametrize("write", [kitti, yolo, by_image])
def test_every_dialect_gives_the_same_figures(tmp_path: Path, write: object) -> None:
    assert callable(write)
    found = figures_of(observe(write(tmp_path / "set")))
    assert found.categories == {"car": 3, "van": 3, "truck": 3, "person": 3}
    vehicle = found.kinds["vehicle"]
    assert (vehicle.count, vehicle.per_frame, vehicle.frames_with_several) == (9, 3.0, 1.0)
    assert (vehicle.height_px[0], vehicle.height_px[16], vehicle.height_px[-1]) == pytest.approx((30, 50, 64))
    assert vehicle.cut_by_sides == pytest.approx(1 / 3, abs=1e-4)
    # 28 x 36 of the car's 64 x 64 are covered by the van, whose lower edge is lower; of nothing else.
    assert vehicle.behind == pytest.approx(1 / 3, abs=1e-4)
    assert found.kinds["person"].aspect[0] == pytest.approx(20 / 60)
    assert found.day_share == (pytest.approx(2 / 3, abs=1e-4) if write is by_image else None)
    # The person's centre (210, 130) of 320 x 256 lies in the 11th of 16 columns and the 7th of 12 rows.
    assert found.kinds["person"].positions[6][10] == 1.0


def test_a_window_cuts_boxes_and_moves_them(tmp_path: Path) -> None:
    found = observe(by_image(tmp_path / "set"), window=(160, 128)).frames[0]
    assert found.size_px == (160, 128)
    assert found.window_px == (80, 64)
    assert [one.box_px for one in found.objects] == [(0, 0, 48, 32), (20, 0, 80, 46), (120, 36, 140, 96)]


def test_noise_of_known_deviation() -> None:
    rng = np.random.default_rng(0)
    ramp = np.linspace(60, 190, 320)[None] + np.linspace(0, 30, 256)[:, None]
    ramp[:, 160:] += 20  # an edge, as objects have
    for sigma in (1.0, 3.0, 8.0):
        noisy = np.clip(np.rint(ramp + rng.normal(0, sigma, ramp.shape)), 0, 255).astype(np.uint8)
        assert noise_levels(noisy) == pytest.approx(np.hypot(sigma, 1 / np.sqrt(12)), rel=0.08)


def test_contrast_is_the_step_between_an_object_and_what_surrounds_it() -> None:
    image = np.full((100, 120), 80, np.uint8)
    image[40:60, 30:60] = 130
    image[40:60, 64:90] = 20
    found = contrasts(image, [(30, 40, 60, 60), (64, 40, 90, 60), (5.0, 5.0, 6.0, 6.0)])
    assert found[:2] == [50.0, -60.0]  # the dark neighbour is no surroundings of the bright one
    assert found[2] is None


def test_a_made_set_has_the_objects_of_its_coco_file(tmp_path: Path) -> None:
    folder = of_scene(tmp_path / "set", count=4)
    coco = json.loads((folder / "annotations/coco.json").read_text())
    own = [one for one in coco["annotations"] if not one["iscrowd"]]
    found = figures_of(observe(str(folder)), pictures=4)
    assert sum(found.categories.values()) == len(own) > 0
    assert found.frames == found.pictures == 4
    heights = sorted(one["bbox"][3] for one in own)
    every = [one for frame in observe(str(folder)).frames for one in frame.objects]
    assert sorted(one.box_px[3] - one.box_px[1] for one in every) == pytest.approx(heights)
    away = sorted(one["box_3d"]["centre_m"][2] for one in own)
    assert sorted(one.distance_m or 0 for one in every) == pytest.approx(away)
    assert sum(found.hours or ()) == 4
    assert found.worlds == {"city.blend": 4}


def test_worlds_count_by_their_kind() -> None:
    names = ("residential-4711", "car_park-3", "city.blend", "my-scene.blend")
    assert [kind_of_scene(name) for name in names] == ["residential", "car_park", "city.blend", "my-scene.blend"]


def test_what_backgrounds_show_counts_unless_only_placed_objects_are_asked_for(tmp_path: Path) -> None:
    folder = over_frames(tmp_path, count=4)
    whole, placed = (figures_of(observe(str(folder), placed_only=only)) for only in (False, True))
    records = [json.loads(line) for line in (folder / "frames.jsonl").read_text().splitlines()]
    real = sum(one["labelled"] for record in records for one in record["real_objects"])
    assert sum(whole.categories.values()) - sum(placed.categories.values()) == real > 0


def test_files_are_read_back_to_the_same_figures(tmp_path: Path) -> None:
    place = by_image(tmp_path / "set")
    first = run_stats(StatsConfig((f"a:{place}", str(of_scene(tmp_path / "made", count=2))), tmp_path / "one"))
    again = run_stats(StatsConfig((str(tmp_path / "one/stats.json"),), tmp_path / "two"))
    assert [one.name for one in first] == ["a", "made"]
    assert again == first
    for name in ("stats.json", "stats.md", "stats.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    picture = cv2.imread(str(tmp_path / "one/stats.png"))
    assert picture.min() < 60 < 250 < picture.max()


def test_messages(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no set"):
        StatsConfig(())
    (tmp_path / "x.json").write_text('{"format": "gis statistics 1", "sets": []}')
    with pytest.raises(DatasetError, match=r"no sets in it: expected a stats\.json"):
        run_stats(StatsConfig((str(tmp_path / "x.json"),)))
    done = CliRunner().invoke(app, ["stats", str(tmp_path / "nothing")])
    assert done.exit_code == 1
    assert "no images; expected" in done.output
    done = CliRunner().invoke(app, ["stats", f"mine:{by_image(tmp_path / 'set')}"])
    assert "vehicle: a frame" in done.output
    assert "mine" in done.output


def test_roadscene_as_counted_plainly(shared_data: Path) -> None:
    data = json.loads((shared_data / "roadscene/boxes.json").read_text())
    cars = [box["xyxy"] for row in data.values() for box in row["boxes_full"] if box["cls"] == "car"]
    place = f"{shared_data / 'roadscene/infrared'}={shared_data / 'roadscene/boxes.json'}"
    found = figures_of(observe(place))
    assert found.kinds["vehicle"].count == len(cars) == 742
    heights = np.array([bottom - top for _, top, _, bottom in cars])
    assert found.kinds["vehicle"].height_px[16] == np.median(heights)
    assert found.day_share == pytest.approx(85 / 181, abs=1e-4)
