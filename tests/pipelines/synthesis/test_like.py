"""The option like: what it stands for, and that it is that and nothing else."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.errors import ConfigError
from pipelines.statistics.config import StatsConfig
from pipelines.statistics.run import run_stats
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.daylight import hour_by_share
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.traffic import read_traffic
from renderer.random_streams import Draw, Stream
from renderer.scene.distances import BoxHeights
from renderer.thermal.conditions import sample_conditions


def real_set(root: Path, cars: int = 5, people: int = 1, frames: int = 8) -> str:
    """Frames with cars of 10 px and higher; every fourth by night."""
    (root / "frames").mkdir(parents=True)
    rows = {}
    for number in range(frames):
        cv2.imwrite(str(root / f"frames/street_{number}.png"), np.full((120, 160), 99, np.uint8))
        boxes = [("car", [k * 9, 50, k * 9 + 8, 60 + number + k]) for k in range(cars)]
        boxes += [("person", [120 + 9 * k, 50, 125 + 9 * k, 70]) for k in range(people)]
        rows[f"street_{number}"] = {
            "boxes": [{"cls": name, "xyxy": box} for name, box in boxes],
            "time": "night" if number % 4 == 0 else "day",
        }
    (root / "boxes.json").write_text(json.dumps(rows))
    return f"{root / 'frames'}={root / 'boxes.json'}"


def config(out: Path, **options: object) -> SynthesizeConfig:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        return SynthesizeConfig(out=out, model="physics", count=3, workers=1, **options)  # type: ignore[arg-type]


def test_it_stands_for_options_and_says_which(tmp_path: Path) -> None:
    place = real_set(tmp_path)
    with pytest.warns(UserWarning, match=r"stands for: --density 0\.\d+ --distances .* --objects people=3 --day-share"):
        made = SynthesizeConfig(out=tmp_path / "a", model="physics", like=place)
    assert made.distances == place
    assert made.day_share == 0.75
    assert made.objects == "people=3"
    assert 0.3 < made.density < 1.0  # five cars a frame are a little less than a street of density 1 shows
    heights = [10 + number + k for number in range(8) for k in range(5)]
    traffic = read_traffic(made, None)
    assert isinstance(traffic.distances, BoxHeights)
    assert traffic.distances.quantiles_px == pytest.approx(np.quantile(heights, np.linspace(0, 1, 33)))


def test_a_file_of_figures_does_as_well_as_the_set(tmp_path: Path) -> None:
    place = real_set(tmp_path)
    run_stats(StatsConfig((place,), tmp_path / "stats", pictures=0))
    file = str(tmp_path / "stats/stats.json")
    first, second = config(tmp_path / "a", like=place), config(tmp_path / "b", like=file)
    assert (first.density, first.objects, first.day_share) == (second.density, second.objects, second.day_share)
    assert read_traffic(first, None) == read_traffic(second, None)
    told = second.to_json()
    assert told["like"]["name"] == told["distances"]["name"] == "stats.json"
    assert str(tmp_path) not in json.dumps(told)


def test_it_makes_the_frames_of_the_options_that_it_stands_for(tmp_path: Path) -> None:
    like = config(tmp_path / "like", like=real_set(tmp_path))
    by_hand = config(
        tmp_path / "hand", density=like.density, distances=like.distances, objects=like.objects, day_share=0.75,
        noise=like.noise, contrast=like.contrast,
    )  # fmt: skip
    for one in (like, by_hand):
        synthesize_dataset(one, session_factory=FakeScene())
    for path in sorted((tmp_path / "like").rglob("*")):
        other = tmp_path / "hand" / path.relative_to(tmp_path / "like")
        if path.is_file() and path.name not in ("dataset.json", "README.md"):
            assert path.read_bytes() == other.read_bytes(), path
    record = json.loads((tmp_path / "like/dataset.json").read_text())["configuration"]
    assert record["like"]["name"] == "boxes.json"
    assert record["density"] == like.density
    synthesize_dataset(like, session_factory=FakeScene())  # goes on in the folder, which is finished


def test_options_given_beside_it_stay(tmp_path: Path) -> None:
    place = real_set(tmp_path)
    made = config(tmp_path / "a", like=place, density=3.0, distances="8,90", hour=22.0)
    assert (made.density, made.distances, made.day_share) == (3.0, "8,90", None)


def test_over_backgrounds_the_crowd_is_their_own(tmp_path: Path) -> None:
    place = real_set(tmp_path)
    made = config(tmp_path / "a", like=place, backgrounds=tmp_path / "frames", boxes=tmp_path / "boxes.json")
    assert (made.density, made.objects, made.distances, made.day_share) == (1.0, None, place, 0.75)


def test_what_a_set_does_not_tell_is_left_alone(tmp_path: Path) -> None:
    made = config(tmp_path / "a", like=real_set(tmp_path, cars=1, people=0))
    assert (made.distances, made.objects) == (None, None)  # eight cars tell no sizes, and nobody is labelled


def test_without_it_nothing_of_it_is_written(tmp_path: Path) -> None:
    assert not {"like", "day_share", "hours", "vehicles", "noise", "contrast"} & set(config(tmp_path / "a").to_json())


def test_messages(tmp_path: Path) -> None:
    place = real_set(tmp_path)
    run_stats(StatsConfig((f"a:{place}", f"b:{place}"), tmp_path / "stats", pictures=0))
    with pytest.raises(ConfigError, match="figures of 2 sets"):
        config(tmp_path / "x", like=str(tmp_path / "stats/stats.json"))
    with pytest.raises(ConfigError, match="give one of them"):
        config(tmp_path / "x", hour=3.0, day_share=0.5)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_that_share_of_the_frames_is_by_day(share: float) -> None:
    by_day = []
    for index in range(600):
        draw = Draw(4, index)
        drawn = sample_conditions(draw.rng(Stream.CONDITIONS))
        hour = hour_by_share(draw, share, drawn)
        again = sample_conditions(draw.rng(Stream.CONDITIONS), hour=hour)
        assert again.day_of_year == drawn.day_of_year
        by_day.append(again.sun_elevation_deg > 0)
    assert np.mean(by_day) == pytest.approx(share, abs=0.05 if 0 < share < 1 else 0)
