"""The example of CONTRIBUTING.md is a model: it is found, trained, stored, loaded, and translates."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import gan
import gan.backends
from gan.backends.registry import backend_names, load_backend
from gan.data.options import DataOptions
from gan.storage.checkpoint import checkpoint_paths, read_checkpoint
from gan.storage.model_file import read_model_file
from gan.training.options import TrainOptions
from gan.training.train import train

CONTRIBUTING = Path(__file__).resolve().parents[3] / "CONTRIBUTING.md"
OPTIONS = TrainOptions(epochs=1, threads=1, ema=0.0, checkpoint_every=1, keep=9, log_every=1, precision="fp32")


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of the example, which stands in a folder that the registry takes for more of ``gan/backends``."""
    text = CONTRIBUTING.read_text(encoding="utf-8").partition("## A new translation model")[2]
    name, code = re.search(r"`gan/backends/(\w+)\.py`, is.*?```python\n(.*?)```", text, re.DOTALL).groups()  # type: ignore[union-attr]
    folder = tmp_path / "backends"
    folder.mkdir()
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(gan.backends, "__path__", [*gan.backends.__path__, str(folder)])
    yield name
    sys.modules.pop(f"gan.backends.{name}", None)
    vars(gan.backends).pop(name, None)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for kind, shape in (("visible", (32, 32, 3)), ("infrared", (32, 32))):
        (tmp_path / "pairs" / kind).mkdir(parents=True)
        for index in range(3):
            image = rng.integers(0, 256, shape, dtype=np.uint8)
            assert cv2.imwrite(str(tmp_path / "pairs" / kind / f"{index}.png"), image)
    return tmp_path / "pairs"


def test_it_takes_about_sixty_lines(newcomer: str) -> None:
    lines = Path(str(load_backend(newcomer).__file__)).read_text().splitlines()  # type: ignore[attr-defined]
    code = [line for line in lines if line.strip() and not line.startswith(("from ", "import "))]
    assert len(code) <= 60


def test_it_is_found_among_the_others(newcomer: str) -> None:
    assert newcomer in backend_names()
    summary = next(model for model in gan.list_models() if model.name == newcomer)
    assert summary.pairing == "paired"
    assert set(summary.parameters) == {"generator", "discriminator"}
    assert {"ngf", "learning_rate", "in_channels"} <= set(summary.config)


def test_two_steps_a_file_and_a_translation(newcomer: str, pairs: Path, tmp_path: Path) -> None:
    """Two of the three pairs train, so an epoch is two steps; what the file translates is what the network does."""
    config, data_options = {"ngf": 4, "ndf": 4}, DataOptions(validation=0.34)
    path = train(pairs, tmp_path / "run", newcomer, config, OPTIONS, data_options)
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [line for line in log if line["kind"] == "train"]
    assert [line["step"] for line in losses] == [1, 2]
    assert {"discriminator", "generator_gan", "generator_l1"} <= set(losses[0])

    states = [read_checkpoint(each).state["backend"] for each in checkpoint_paths(tmp_path / "run" / "checkpoints")]
    for name in ("generator", "discriminator"):
        first, second = (state["networks"][name] for state in states)
        assert all(not torch.equal(first[key], second[key]) for key in first if first[key].numel() > 64)

    model = read_model_file(path)
    assert (model.backend, model.config.ngf, model.config.in_channels) == (newcomer, 4, 3)
    for key, value in model.state.items():
        torch.testing.assert_close(value, states[1]["networks"]["generator"][key].half().float(), rtol=0, atol=0)

    source = np.random.default_rng(1).uniform(-1, 1, (3, 32, 32)).astype(np.float32)
    image = gan.load_model(path, engine="torch", threads=1).translate(source)
    with torch.no_grad():
        expected = model.build()(torch.from_numpy(source)[None])[0, 0].numpy()
    np.testing.assert_allclose(image, expected, atol=1e-5)


def test_a_run_of_it_goes_on_with_the_same_bits(newcomer: str, pairs: Path, tmp_path: Path) -> None:
    config, data_options = {"ngf": 4, "ndf": 4}, DataOptions(validation=0.34)
    whole = train(pairs, tmp_path / "whole", newcomer, config, OPTIONS, data_options)
    first = checkpoint_paths(tmp_path / "whole" / "checkpoints")[0]
    broken = tmp_path / "broken"
    (broken / "checkpoints").mkdir(parents=True)
    for file in (first, tmp_path / "whole" / "run.json"):
        (broken / file.relative_to(tmp_path / "whole")).write_bytes(file.read_bytes())
    resumed = train(pairs, broken, newcomer, config, OPTIONS, data_options, resume=True)
    assert resumed.read_bytes() == whole.read_bytes()
