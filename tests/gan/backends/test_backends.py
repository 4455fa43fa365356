"""The contract of `gan.backends.base.Backend`, for every backend that is found."""

from __future__ import annotations

import dataclasses
import re
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from gan.backends.base import TwoWay
from gan.backends.registry import backend_names, config_to_dict, load_backend, make_config
from gan.data.options import DataOptions
from gan.errors import CheckpointError, ConfigError
from gan.serving.inference import load_model
from gan.storage.checkpoint import checkpoint_paths, read_checkpoint, write_checkpoint
from gan.storage.model_file import read_model_file, write_model_file
from gan.training.options import TrainOptions
from gan.training.train import train

SIZE_PX = 64
SMALL: dict[str, Any] = {"ngf": 4, "ndf": 4, "features": 4, "nef": 4, "blocks": 1, "pool": 4}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight visible and infrared images of 32x32 px."""
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for kind, shape in (("visible", (32, 32, 3)), ("infrared", (32, 32))):
        (folder / kind).mkdir()
        for index in range(8):
            assert cv2.imwrite(str(folder / kind / f"{index}.png"), rng.integers(0, 256, shape, dtype=np.uint8))
    return folder


def small(name: str) -> dict[str, Any]:
    fields = {field.name for field in dataclasses.fields(load_backend(name).Config)}
    return {key: value for key, value in SMALL.items() if key in fields}


def run(name: str, pairs: Path, out: Path, **more: Any) -> Path:
    options = TrainOptions(epochs=2, threads=1, checkpoint_every=2, keep=50, log_every=3)
    metric = ("l1", lambda fake, real: (fake - real).abs().mean(dim=(1, 2, 3)))
    return train(pairs, out, name, small(name), options, DataOptions(validation=0.25), metric=metric, **more)


@pytest.mark.parametrize("name", backend_names())
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_any_number_of_input_channels(name: str, channels: int, make: Any, make_batch: Any, weights: Any) -> None:
    backend = make(name, channels)
    before = weights(backend)
    losses = backend.train_step([make_batch(channels)])
    assert losses
    assert all(value.ndim == 0 and torch.isfinite(value) and not value.requires_grad for value in losses.values())
    assert all(not torch.equal(a, b) for a, b in zip(before, weights(backend), strict=True) if a.numel() > 64)
    assert backend.translate(make_batch(channels).source).shape == (1, 1, SIZE_PX, SIZE_PX)


@pytest.mark.parametrize("name", backend_names())
def test_state_round_trip_takes_the_same_steps(name: str, make: Any, make_batch: Any, weights: Any) -> None:
    first = make(name)
    for step in range(2):
        torch.manual_seed(step)
        first.train_step([make_batch(seed=step)])
    state = {key: _copied(value) for key, value in first.state().items()}
    second = make(name, seed=9)
    second.load_state(state)
    for backend in (first, second):
        for step in range(2, 4):
            torch.manual_seed(step)
            backend.train_step([make_batch(seed=step)])
    for a, b in zip(weights(first), weights(second), strict=True):
        assert torch.equal(a, b)


def _copied(node: Any) -> Any:
    """As a checkpoint gives it back: no aliases, no memory order, no tuples."""
    if isinstance(node, torch.Tensor):
        return node.detach().clone(memory_format=torch.contiguous_format)
    if isinstance(node, dict):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(value) for value in node] if isinstance(node, (list, tuple)) else node


@pytest.mark.parametrize("name", backend_names())
def test_translate_is_deterministic_and_like_the_translator(name: str, make: Any, make_batch: Any) -> None:
    backend = make(name)
    source = make_batch().source
    image = backend.translate(source)
    assert torch.equal(image, backend.translate(source))
    assert image.abs().max() <= 1
    module = load_backend(name)
    network = module.build_translator(make_config(module.Config, config_to_dict(backend.config)))
    network.load_state_dict(backend.translator().state_dict())
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(source), image, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", backend_names())
def test_translate_leaves_weights_mode_and_random_state_alone(
    name: str, make: Any, make_batch: Any, weights: Any
) -> None:
    backend = make(name)
    before, state, training = weights(backend), torch.get_rng_state(), backend.translator().training
    for seed in (None, 3):
        backend.translate(make_batch().source, seed=seed)
    assert torch.equal(state, torch.get_rng_state())
    assert backend.translator().training == training
    assert all(torch.equal(a, b) for a, b in zip(before, weights(backend), strict=True))


@pytest.mark.parametrize("name", backend_names())
def test_state_survives_a_file(name: str, make: Any, make_batch: Any, tmp_path: Path) -> None:
    backend = make(name)
    torch.manual_seed(1)
    backend.train_step([make_batch()])
    write_checkpoint(tmp_path / "state.safetensors", backend.state(), {})
    fresh = make(name, seed=9)
    fresh.load_state(read_checkpoint(tmp_path / "state.safetensors").state)
    write_checkpoint(tmp_path / "again.safetensors", fresh.state(), {})
    assert (tmp_path / "state.safetensors").read_bytes() == (tmp_path / "again.safetensors").read_bytes()


@pytest.mark.parametrize("name", backend_names())
def test_every_backend_trains_in_bfloat16(name: str, pairs: Path, tmp_path: Path) -> None:
    """What "auto" takes on a GPU or on a processor that multiplies matrices; any processor can, slowly."""
    options = TrainOptions(epochs=1, threads=1, precision="bf16")
    out = train(pairs, tmp_path / "run", name, small(name), options, DataOptions(validation=0.25))
    assert list(out.parent.rglob("model*.safetensors"))


@pytest.mark.parametrize("name", backend_names())
def test_a_run_that_was_stopped_ends_with_the_same_bits(name: str, pairs: Path, tmp_path: Path) -> None:
    """Six images, two epochs; stopped after five of twelve steps and, once resumed, after nine."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(name, pairs, whole)
    kind = type(load_backend(name).create(make_config(load_backend(name).Config, small(name))))
    for stop in (5, 9):
        done = len(checkpoint_paths(broken / "checkpoints")) * 2
        with pytest.MonkeyPatch.context() as patch:
            _stop_after(patch, kind, stop - done)
            with pytest.raises(KeyboardInterrupt):
                run(name, pairs, broken, resume=True)
        assert not (broken / "model.safetensors").exists()
    run(name, pairs, broken, resume=True)
    last = [checkpoint_paths(folder / "checkpoints")[-1] for folder in (whole, broken)]
    assert last[0].name == last[1].name == "step-000000012.safetensors"
    assert last[0].read_bytes() == last[1].read_bytes()
    models = sorted(path.name for path in whole.glob("model*.safetensors"))
    assert models
    for model in models:
        assert (whole / model).read_bytes() == (broken / model).read_bytes()


def _stop_after(patch: pytest.MonkeyPatch, kind: type, steps: int) -> None:
    original, taken = kind.train_step, []  # type: ignore[attr-defined]

    def train_step(self: Any, batches: Any) -> Any:
        if len(taken) == steps:
            raise KeyboardInterrupt
        taken.append(1)
        return original(self, batches)

    patch.setattr(kind, "train_step", train_step)


@pytest.mark.parametrize("name", backend_names())
def test_errors_say_what_was_expected(name: str, make: Any, make_batch: Any, pairs: Path, tmp_path: Path) -> None:
    module = load_backend(name)
    with pytest.raises(ConfigError, match=r"images of 333x501 px: expected edges .*multiples of \d+.*--size"):
        module.suggest(3, 1, 501, 333)
    with pytest.raises(ConfigError, match=rf"options of {name}: unknown option 'nfg'; expected one of .*in_channels"):
        train(pairs, tmp_path / "run", name, {"nfg": 4})
    backend = make(name, 3)
    with pytest.raises(ConfigError, match=r"expected 3 channels"):
        backend.translate(make_batch(7).source)
    with pytest.raises(ConfigError, match=r"multiples of \d+ px"):
        backend.translate(make_batch(3).source[..., :-3])


@pytest.mark.parametrize("name", backend_names())
def test_weights_of_another_shape_are_refused(name: str, make: Any, tmp_path: Path) -> None:
    three, seven = make(name, 3), make(name, 7)
    path = tmp_path / "model.safetensors"
    write_model_file(path, name, three.config, seven.translator().state_dict(), {})
    with pytest.raises(CheckpointError, match=rf"weights do not fit the configuration of {name}: ") as caught:
        read_model_file(path).build()
    # Of a layer that reads more beside the source, both numbers are larger by the same.
    stored, expected = re.findall(r"\(\d+, (\d+), ", str(caught.value))
    assert int(stored) - int(expected) == 7 - 3


@pytest.mark.parametrize("name", backend_names())
def test_export_to_the_fast_runtime(
    name: str, make: Any, make_batch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO gives the image of the network, of a size that it never saw, and takes any other size."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install -e '.[serve]'")
    monkeypatch.setenv("GIS_CACHE", str(tmp_path / "cache"))
    backend = make(name, 3)
    served = [(backend.config, backend.translator())]
    if isinstance(backend, TwoWay):
        served.append(backend.reverse())
    for number, (config, network) in enumerate(served):
        path = tmp_path / f"{number}.safetensors"
        write_model_file(path, name, config, network.state_dict(), {})
        plain = read_model_file(path).build()
        source = make_batch(config.in_channels).source.repeat(1, 1, 1, 2)
        with torch.no_grad():
            expected = plain(source)[0].numpy()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            translator = load_model(path, engine="openvino", precision="fp32", threads=1)
        assert translator.about.inference.engine == "openvino"
        image = translator.translate(source[0].numpy()).reshape(expected.shape)
        np.testing.assert_allclose(image, expected, atol=2e-3)
        assert translator.translate(source[0, :, :50, :51].numpy()).shape[-2:] == (50, 51)


@pytest.mark.parametrize("name", backend_names())
def test_paper_is_named(name: str) -> None:
    module = load_backend(name)
    assert len(module.PAPER) > 20
    assert module.Config().pairing in ("paired", "unpaired")
    assert all(field.default is not dataclasses.MISSING for field in dataclasses.fields(module.Config))
