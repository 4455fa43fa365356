"""The options density and distances: what they accept, what they read, and what they ask of a frame."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.backgrounds.images import scan_backgrounds
from pipelines.errors import ConfigError
from pipelines.synthesis.frame_maker import read_inputs
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.traffic import read_traffic
from renderer.scene.distances import ORDINARY, BoxHeights, Distances, Traffic

HEIGHTS_PX = tuple(range(10, 50, 2))


def config(out: Path, **options: object) -> SynthesizeConfig:
    return SynthesizeConfig(out=out / "out", model="physics", **options)  # type: ignore[arg-type]


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Twenty cars in one image, and what is no car."""
    cars = [{"cls": "car", "xyxy": [5, 100, 40, 100 + height]} for height in HEIGHTS_PX]
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"a": {"boxes": [*cars, {"cls": "person", "xyxy": [0, 0, 90, 200]}]}}))
    return path


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """One image."""
    folder = tmp_path / "frames"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), np.random.default_rng(0).integers(0, 255, (400, 500), np.uint8))
    return folder


def test_without_the_options_traffic_is_ordinary(tmp_path: Path, frames: Path, boxes: Path) -> None:
    assert read_traffic(config(tmp_path), None) == ORDINARY
    assert read_inputs(config(tmp_path, backgrounds=frames, boxes=boxes)).traffic == ORDINARY


def test_a_range_is_read_as_metres(tmp_path: Path) -> None:
    assert read_traffic(config(tmp_path, density=2.0, distances="8, 90"), None) == Traffic(2.0, Distances((8.0, 90.0)))


def test_boxes_of_cars_alone_give_the_sizes(tmp_path: Path, boxes: Path) -> None:
    traffic = read_traffic(config(tmp_path, distances=str(boxes)), None)
    assert isinstance(traffic.distances, BoxHeights)
    assert traffic.distances.quantiles_px == pytest.approx(np.quantile(HEIGHTS_PX, np.linspace(0, 1, 33)))


def test_the_word_boxes_means_those_of_the_backgrounds(tmp_path: Path, frames: Path, boxes: Path) -> None:
    options = config(tmp_path, backgrounds=frames, boxes=boxes, distances="boxes")
    assert read_inputs(options).traffic == read_traffic(config(tmp_path, distances=str(boxes)), None)


def test_boxes_in_shares_take_the_size_of_their_images(tmp_path: Path, frames: Path) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "classes.txt").write_text("car\n")
    lines = [f"0 0.5 0.5 0.1 {height / 400}" for height in HEIGHTS_PX]
    (labels / "a.txt").write_text("\n".join(lines))
    options = config(tmp_path, backgrounds=frames, boxes=labels, distances="boxes")
    traffic = read_traffic(options, scan_backgrounds(frames))
    assert isinstance(traffic.distances, BoxHeights)
    assert traffic.distances.quantiles_px[-1] == pytest.approx(HEIGHTS_PX[-1], rel=1e-4)
    with pytest.raises(ConfigError, match="expected boxes in pixels"):
        read_traffic(config(tmp_path, distances=str(labels)), None)


def test_few_boxes_tell_no_distribution(tmp_path: Path) -> None:
    path = tmp_path / "few.json"
    path.write_text(json.dumps({"a": {"boxes": [{"cls": "car", "xyxy": [5, 100, 40, 120]}]}}))
    with pytest.raises(ConfigError, match="boxes of 1 cars: expected 20 or more"):
        read_traffic(config(tmp_path, distances=str(path)), None)


@pytest.mark.parametrize("text", ["90,8", "8,8", "0,50", "8,nan", "8,1000", "8,9,10", "8", "nothing.json", ""])
def test_what_says_no_distances_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="distances"):
        config(tmp_path, distances=text)


def test_the_word_boxes_needs_boxes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give --boxes too"):
        config(tmp_path, distances="boxes")


@pytest.mark.parametrize("density", [-0.1, 9.0, float("nan")])
def test_no_density(tmp_path: Path, density: float) -> None:
    with pytest.raises(ConfigError, match="density"):
        config(tmp_path, density=density)


def test_a_data_set_says_what_was_asked_without_paths(tmp_path: Path, boxes: Path) -> None:
    described = config(tmp_path, distances=str(boxes), density=2.0).to_json()
    assert described["density"] == 2.0
    assert described["distances"]["name"] == "boxes.json"
    assert str(tmp_path) not in json.dumps(described)
    assert config(tmp_path, distances="8,90").to_json()["distances"] == "8,90"


def test_only_a_street_has_traffic(tmp_path: Path, frames: Path) -> None:
    assert not config(tmp_path).needs_lanes
    assert config(tmp_path, density=2.0).needs_lanes
    assert not config(tmp_path, density=2.0, backgrounds=frames).needs_lanes


def test_the_most_cars_of_a_frame_are_told_with_the_other_objects(tmp_path: Path) -> None:
    assert read_traffic(config(tmp_path, objects="cars=6,people=8"), None) == Traffic(most=6)
    assert config(tmp_path, objects="cars=6").most_people is None
    assert read_traffic(config(tmp_path, objects="people=0"), None) == ORDINARY
    with pytest.raises(ConfigError, match=r"cars=N is of single frames"):
        config(tmp_path, objects="cars=6", sequence=1.0)
