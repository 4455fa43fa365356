"""Runs of earlier versions are resumed: their options under old names, their checkpoints in the old form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gan.backends.registry import load_backend, make_config
from gan.data.options import DataOptions
from gan.errors import ConfigError
from gan.options import make_options
from gan.storage.checkpoint import checkpoint_paths, read_checkpoint, write_checkpoint
from gan.training.old_runs import with_new_names
from gan.training.options import TrainOptions
from gan.training.train import train

RUN_V1 = Path(__file__).resolve().parents[2] / "fixtures" / "run_v1.json"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six visible and infrared images of 32x32 px."""
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for kind, shape in (("visible", (32, 32, 3)), ("infrared", (32, 32))):
        (folder / kind).mkdir()
        for index in range(6):
            assert cv2.imwrite(str(folder / kind / f"{index}.png"), rng.integers(0, 256, shape, dtype=np.uint8))
    return folder


def run(name: str, pairs: Path, out: Path, *, resume: bool = False) -> Path:
    config = {"pix2pix": {"ngf": 4, "ndf": 4}, "thermalnet": {"features": 4}}[name]
    options = TrainOptions(epochs=2, threads=1, checkpoint_every=2, keep=50, precision="fp32")
    metric = ("l1", lambda fake, real: (fake - real).abs().mean(dim=(1, 2, 3)))
    return train(pairs, out, name, config, options, DataOptions(validation=0.34), resume=resume, metric=metric)


def _old_pix2pix(state: dict[str, Any]) -> dict[str, Any]:
    """As version 1 stored it: networks and optimisers side by side."""
    optimisers = {f"{name}_optimiser": value for name, value in state["optimisers"].items()}
    return {**state["networks"], **optimisers}


def _old_thermalnet(state: dict[str, Any]) -> dict[str, Any]:
    """As version 1 stored it: the one network with its decoding around it."""
    network = {f"classifier.{name}": value for name, value in state["networks"]["thermalnet"].items()}
    return {"network": network, "optimiser": state["optimisers"]["thermalnet"]}


@pytest.mark.parametrize(("name", "old"), [("pix2pix", _old_pix2pix), ("thermalnet", _old_thermalnet)])
def test_a_checkpoint_of_the_old_form_goes_on_with_the_same_bits(
    name: str, old: Any, pairs: Path, tmp_path: Path
) -> None:
    whole = run(name, pairs, tmp_path / "whole")
    first = checkpoint_paths(tmp_path / "whole" / "checkpoints")[1]
    checkpoint = read_checkpoint(first)
    state = {**checkpoint.state, "backend": old(checkpoint.state["backend"])}
    write_checkpoint(tmp_path / "old" / "checkpoints" / first.name, state, checkpoint.meta)
    about = json.loads((tmp_path / "whole" / "run.json").read_text())
    (tmp_path / "old" / "run.json").write_text(json.dumps(about))
    resumed = run(name, pairs, tmp_path / "old", resume=True)
    assert resumed.read_bytes() == whole.read_bytes()


def test_every_name_of_an_old_run_is_known_today() -> None:
    """The file was written by version 1."""
    stored = json.loads(RUN_V1.read_text())
    stored["data_options"] |= {"target_low": 0.0, "target_high": 300.0}
    about = with_new_names(stored)
    assert about["config"]["object_discriminator_weight"] == 0.0
    assert about["data_options"]["unpaired_objects"] is None
    assert about["data_options"]["target_range"] == [0.0, 300.0]
    make_config(load_backend("pix2pix").Config, about["config"])
    assert make_options(DataOptions, about["data_options"]) == DataOptions(validation=0.0, target_range=(0.0, 300.0))
    assert not {"critic_weight", "inserted", "target_low"} & {*about["config"], *about["data_options"]}


@pytest.mark.parametrize(
    ("name", "old", "new", "value"),
    [
        ("pix2pix", "critic_weight", "object_discriminator_weight", 0.3),
        ("pix2pix_mrff", "critic_weight", "object_discriminator_weight", 0.3),
        ("cyclegan", "sampling", "pairing", "paired"),
    ],
)
def test_old_names_of_options_are_accepted_and_noted(name: str, old: str, new: str, value: Any) -> None:
    notes: list[tuple[str, str]] = []
    config = make_config(load_backend(name).Config, {old: value}, note=lambda *names: notes.append(names))
    assert getattr(config, new) == value
    assert notes == [(old, new)]
    with pytest.raises(ConfigError, match="are one option: expected it once"):
        make_config(load_backend(name).Config, {old: value, new: value})


def test_a_run_says_that_a_name_is_old(pairs: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    options = TrainOptions(epochs=1, threads=1, precision="fp32")
    config = {"ngf": 4, "ndf": 4, "critic_weight": 0.0}
    train(pairs, tmp_path / "run", "pix2pix", config, options, DataOptions(validation=0.0), report=lines.append)
    assert "critic_weight is now called object_discriminator_weight" in lines
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert "critic_weight" not in about["config"]
