"""`gis train` and `gis models` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import gan
from gan.options import parse_settings
from pipelines.cli.main import app
from pipelines.errors import ConfigError


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for kind, channels in (("rgb", 3), ("ir", 1)):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for index in range(5):
            image = rng.integers(0, 256, (40, 40, channels), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "data" / kind / f"{index}.png"), image)
    return tmp_path / "data"


def test_train_from_the_command_line(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ["--epochs", "1", "--set", "ngf=4", "--set", "ndf=4", "--source-dir", "rgb", "--target-dir", "ir"]
    base = ["train", "--data", str(pairs), "--out", str(out), *options, "--size", "32", "--validation", "0"]
    done = CliRunner().invoke(app, base, catch_exceptions=False)
    assert done.exit_code == 0
    assert f"gis translate --weights {out / 'model.safetensors'}" in done.output
    resolved = json.loads((out / "run.json").read_text())
    assert (resolved["config"]["ngf"], resolved["config"]["in_channels"], resolved["config"]["levels"]) == (4, 3, 5)
    assert resolved["data_options"]["size"] == 32
    again = CliRunner().invoke(app, base)
    assert again.exit_code == 1
    assert again.stderr == f"gis train: {out}: holds a training run; go on with --resume, or give another --out\n"


def test_unknown_option_of_a_backend(pairs: Path, tmp_path: Path) -> None:
    command = ["train", "--data", str(pairs), "--out", str(tmp_path / "run"), "--set", "nfg=4"]
    done = CliRunner().invoke(app, [*command, "--source-dir", "rgb", "--target-dir", "ir", "--size", "32"])
    assert done.exit_code == 1
    assert "unknown option 'nfg'" in done.stderr


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


def test_models_are_listed_with_their_parameters() -> None:
    printed = json.loads(CliRunner().invoke(app, ["models", "--json"]).output)
    assert [row["name"] for row in printed] == [model.name for model in gan.list_models()]
    row = next(row for row in printed if row["name"] == "pix2pix")
    assert row["parameters"] == {"generator": 66_999_489, "discriminator": 6_966_081}
    assert row["pairing"] == "paired"
    assert "Isola" in row["paper"]
    listed = CliRunner().invoke(app, ["models"]).output
    assert "generator 67.0 M" in listed
    assert "docs/models/papers.md#thermalgan" in listed


def test_a_recipe_gives_options_and_the_command_line_wins(pairs: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text("epochs = 1\nbatch = 3\nsize = 32\n[set]\nngf = 4\nndf = 4\nl1_weight = 7.0\n")
    arguments = ["train", "--data", str(pairs), "--out", str(tmp_path / "run"), "--source-dir", "rgb"]
    arguments += ["--target-dir", "ir", "--config", str(recipe), "--batch", "2", "--set", "l1_weight=5"]
    done = CliRunner().invoke(app, [*arguments, "--threads", "1"])
    assert done.exit_code == 0, done.output
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (about["options"]["epochs"], about["options"]["batch"]) == (1, 2)
    assert about["data_options"]["size"] == 32
    assert (about["config"]["ngf"], about["config"]["l1_weight"]) == (4, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [("epoch = 1", "unknown option 'epoch'"), ("epochs = ", "no TOML"), ("set = 1", "expected a table"),
     ("resume = true", "resume belongs on the command line"),
     ("epochs = 'many'", "expected a whole number"), ("epochs = true", "expected a whole number"),
     ("ema = '1'", "expected a number"), ("precision = 'fp8'", "expected one of auto, fp32, bf16"),
     ("target_range = [1]", "expected a list of 2"), ("size = 1.5", "expected a whole number"),
     ("train_list = 3", "expected text")],
)  # fmt: skip
def test_bad_recipes_are_named(text: str, message: str, pairs: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(text)
    options = ["--data", str(pairs), "--out", str(tmp_path / "run"), "--config", str(recipe)]
    done = CliRunner().invoke(app, ["train", *options])
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
