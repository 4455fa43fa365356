"""The options noise, contrast, hours and vehicles: sets have what was asked for, as `gis stats` measures them."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError
from pipelines.statistics.config import StatsConfig
from pipelines.statistics.figures import SetFigures, quantile
from pipelines.statistics.run import run_stats
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.daylight import hour_by_weights
from pipelines.synthesis.likeness.option_texts import parse_levels
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.errors import SceneError
from renderer.random_streams import Draw
from renderer.scene.cars import ModelMix, ModelSize, with_shares

LOOK = {"noise": "1.0,2.0,3.0", "contrast": "20,30,60", "hours": "9=1,21=3"}


def config(out: Path, **options: object) -> SynthesizeConfig:
    return SynthesizeConfig(out=out, model="physics", count=10, seed=5, workers=1, size="240x160", **options)  # type: ignore[arg-type]


def make(out: Path, **options: object) -> Path:
    return synthesize_dataset(config(out, **options), session_factory=FakeScene())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("plain") / "set")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("asked") / "set", **LOOK)


def figures(folder: Path) -> SetFigures:
    return run_stats(StatsConfig((str(folder),)))[0]


def test_pictures_have_the_noise_and_contrast_that_were_asked_for(plain: Path, asked: Path) -> None:
    before, after = figures(plain), figures(asked)
    assert after.noise and after.contrast and before.noise  # noqa: PT018
    assert 0.8 < after.noise[0] < 1.8 < after.noise[-1] < 3.6  # steps of a quarter of a level
    assert quantile(after.noise, 0.5) == pytest.approx(2.0, abs=0.5)
    assert quantile(before.noise, 0.5) < 0.7 * quantile(after.noise, 0.5)  # so it was no accident
    assert 15 < after.contrast[0] < after.contrast[-1] < 63  # one frame would need more than the 2.5 times
    assert quantile(after.contrast, 0.5) == pytest.approx(30, abs=9)


def test_the_set_is_valid_and_says_so(asked: Path) -> None:
    assert validate(asked).problems == []
    told = (asked / "dataset.json").read_text()
    assert all(f'"{name}": "{text}"' in told for name, text in LOOK.items())
    hours = {int(record.conditions.hour) for record in read_records(asked, FrameRecord)}
    assert hours == {9, 21}


def test_contrast_leaves_temperatures_alone_and_labels_never_change(plain: Path, tmp_path: Path) -> None:
    stretched = make(tmp_path / "set", contrast="60")
    for one, other in zip(read_records(plain, FrameRecord), read_records(stretched, FrameRecord), strict=True):
        changed = {name for name in one.files if one.files[name] != other.files[name]}
        assert changed <= {f"images/{one.stem}.png"}
        assert one.span_K == other.span_K


def test_without_them_nothing_of_them_is_written(plain: Path) -> None:
    told = (plain / "dataset.json").read_text()
    assert not any(f'"{name}"' in told for name in (*LOOK, "vehicles"))


def test_hours_come_as_often_as_their_weights() -> None:
    drawn = [hour_by_weights(Draw(3, index), {6: 1.0, 22: 3.0}) for index in range(800)]
    counts = Counter(int(hour) for hour in drawn)
    assert set(counts) == {6, 22}
    assert counts[22] / len(drawn) == pytest.approx(0.75, abs=0.05)
    assert 0.4 < np.mean([hour % 1 for hour in drawn]) < 0.6


def test_vehicles_come_as_often_as_their_weights() -> None:
    sizes = [ModelSize("a", "car", 4, 2, 1), ModelSize("b", "car", 4, 2, 1), ModelSize("c", "bus", 9, 3, 3)]
    sizes.append(ModelSize("d", "van", 5, 2, 2))
    mix, rng = ModelMix(with_shares(sizes, (("car", 1.0), ("bus", 3.0)))), np.random.default_rng(0)
    counts = Counter(mix.draw(rng).name for _ in range(2000))
    assert counts["d"] == 0
    assert counts["c"] / 2000 == pytest.approx(0.75, abs=0.04)
    assert counts["a"] / 2000 == pytest.approx(0.125, abs=0.03)
    assert with_shares(sizes, ()) == tuple(sizes)
    with pytest.raises(SceneError, match="no car model is a truck: expected one of bus, car, van"):
        with_shares(sizes, (("truck", 1.0),))


def test_messages(tmp_path: Path) -> None:
    wrong = {
        "noise": ("2,1", "rising ones"), "contrast": ("nan", "grey levels of 0 to 255"), "hours": ("24=1", "'24=1'"),
        "vehicles": ("tram=1", "one of car, van, truck, bus"),
    }  # fmt: skip
    for name, (text, message) in wrong.items():
        with pytest.raises(ConfigError, match=message):
            config(tmp_path, **{name: text})
    with pytest.raises(ConfigError, match="hour and hours all say when"):
        config(tmp_path, hour=3.0, hours="4=1")
    with pytest.raises(ConfigError, match="noise: --sensor-variety draws that of its own"):
        config(tmp_path, noise="2", sensor_variety=0.5)
    with pytest.raises(ConfigError, match="contrast: objects take that of the backgrounds"):
        config(tmp_path, contrast="20", backgrounds=tmp_path)
    assert parse_levels("1.5", "noise") == (1.5,)


def test_like_takes_look_hours_and_kinds_of_another_set(asked: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        like = config(tmp_path / "set", like=str(asked))
    counts = Counter(int(record.conditions.hour) for record in read_records(asked, FrameRecord))
    assert like.hours == ",".join(f"{hour}={counts[hour]}" for hour in sorted(counts))
    assert like.day_share is None
    wanted = figures(asked)
    for text, known in ((like.noise, wanted.noise), (like.contrast, wanted.contrast)):
        levels = parse_levels(text, "x")
        assert levels is not None
        assert known is not None
        assert levels == pytest.approx([known[k] for k in range(0, 33, 4)], abs=0.006)
    objects = Counter(item.category for record in read_records(asked, FrameRecord) for item in record.counted)
    assert like.vehicles is not None
    weights = dict(entry.split("=") for entry in like.vehicles.split(","))
    assert int(weights["car"]) + int(weights["van"]) == objects["car"]  # the set calls all vans cars, as others do
    assert int(weights["truck"]) == objects["truck"]
    assert like.appearance is not None
