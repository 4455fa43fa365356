"""`gis train` and `gis backends` as a user calls them."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import gan
from gan.backends.registry import load_backend
from gan.data.options import DataOptions
from gan.errors import ConfigError as GanConfigError
from gan.training.options import TrainOptions
from pipelines.cli.commands.train import backends, parse_settings, read_recipe, train
from pipelines.errors import ConfigError


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(train)
    app.command()(backends)
    return app


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for kind, channels in (("rgb", 3), ("ir", 1)):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for index in range(5):
            image = rng.integers(0, 256, (40, 40, channels), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "data" / kind / f"{index}.png"), image)
    return tmp_path / "data"


def test_train_from_the_command_line(app: typer.Typer, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ["--epochs", "1", "--set", "ngf=4", "--set", "ndf=4", "--source-dir", "rgb", "--target-dir", "ir"]
    base = ["train", "--data", str(pairs), "--out", str(out), *options, "--size", "32", "--validation", "0"]
    done = CliRunner().invoke(app, base, catch_exceptions=False)
    assert done.exit_code == 0
    assert f"gis translate --weights {out / 'model.safetensors'}" in done.output
    resolved = json.loads((out / "run.json").read_text())
    assert (resolved["config"]["ngf"], resolved["config"]["in_channels"], resolved["config"]["levels"]) == (4, 3, 5)
    assert resolved["data_options"]["size"] == 32
    with pytest.raises(GanConfigError, match="--resume"):
        CliRunner().invoke(app, base, catch_exceptions=False)


def test_unknown_option_of_a_backend(app: typer.Typer, pairs: Path, tmp_path: Path) -> None:
    command = ["train", "--data", str(pairs), "--out", str(tmp_path / "run"), "--set", "nfg=4"]
    with pytest.raises(GanConfigError, match="unknown option 'nfg'"):
        CliRunner().invoke(
            app, [*command, "--source-dir", "rgb", "--target-dir", "ir", "--size", "32"], catch_exceptions=False
        )


def test_every_option_of_gan_can_be_given_and_has_the_same_default() -> None:
    given = {name: parameter.default for name, parameter in inspect.signature(train).parameters.items()}
    elsewhere = {"channels_last"}
    for kind in (TrainOptions, DataOptions):
        for field in dataclasses.fields(kind):
            if field.name not in elsewhere:
                assert (given[field.name] or None) == (field.default or None), field.name


def test_settings() -> None:
    assert parse_settings(["ngf=32", "dropout=0.0", "gan_loss=hinge", "x=true", "y=a=b"]) == {
        "ngf": 32,
        "dropout": 0.0,
        "gan_loss": "hinge",
        "x": True,
        "y": "a=b",
    }
    for bad in (["ngf"], ["=3"], ["a=1", "a=2"]):
        with pytest.raises(ConfigError, match="expected name=value"):
            parse_settings(bad)


def test_backends_are_listed_with_their_parameters(app: typer.Typer) -> None:
    printed = json.loads(CliRunner().invoke(app, ["backends", "--json"]).output)
    assert [row["name"] for row in printed] == [model.name for model in gan.list_models()]
    row = next(row for row in printed if row["name"] == "pix2pix")
    assert row["parameters"] == {"generator": 66_999_489, "discriminator": 6_966_081}
    assert row["pairing"] == "paired"
    assert "Isola" in row["paper"]
    assert "generator 67.0 M" in CliRunner().invoke(app, ["backends"]).output


def test_a_recipe_gives_options_and_the_command_line_wins(app: typer.Typer, pairs: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text("epochs = 1\nbatch = 3\nsize = 32\n[set]\nngf = 4\nndf = 4\nl1_weight = 7.0\n")
    arguments = ["train", "--data", str(pairs), "--out", str(tmp_path / "run"), "--source-dir", "rgb"]
    arguments += ["--target-dir", "ir", "--recipe", str(recipe), "--batch", "2", "--set", "l1_weight=5"]
    done = CliRunner().invoke(app, [*arguments, "--threads", "1"])
    assert done.exit_code == 0, done.output
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (about["options"]["epochs"], about["options"]["batch"]) == (1, 2)
    assert about["data_options"]["size"] == 32
    assert (about["config"]["ngf"], about["config"]["l1_weight"]) == (4, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [("epoch = 1", "'epoch' is no option"), ("epochs = ", "no TOML"), ("set = 1", "expected a table"),
     ("out = 'x'", "'out' is no option"), ("resume = true", "'resume' is no option"),
     ("epochs = 'many'", "expected int"), ("epochs = true", "expected int"), ("ema = '1'", "expected float"),
     ("precision = 'fp8'", "expected Literal['auto', 'fp32', 'bf16']"), ("target_range = [1]", "expected tuple[float"),
     ("size = 1.5", "expected int | None"), ("train_list = 3", "expected Path | None")],
)  # fmt: skip
def test_bad_recipes_are_named(text: str, message: str, pairs: Path, tmp_path: Path) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(train)
    recipe = tmp_path / "mine.toml"
    recipe.write_text(text)
    done = CliRunner().invoke(app, ["--data", str(pairs), "--out", str(tmp_path / "run"), "--recipe", str(recipe)])
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)


def test_shipped_recipes_can_be_read() -> None:
    options, values = read_recipe(Path("cars"))
    assert options["crop"] == 192
    assert dataclasses.replace(load_backend(options["backend"]).Config(), **values)
    with pytest.raises(ConfigError, match="one of cars"):
        read_recipe(Path("bikes"))
