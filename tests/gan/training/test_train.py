"""Runs that are killed, resumed, broken and finished."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gan.data.layout import Sample, encode_sample
from gan.data.options import DataOptions
from gan.errors import CheckpointError, ConfigError, TrainingError
from gan.storage.checkpoint import checkpoint_paths, read_checkpoint
from gan.storage.model_file import read_model_file
from gan.training.devices import choose_precision
from gan.training.ema import Ema
from gan.training.options import TrainOptions
from gan.training.run_folder import image_grid
from gan.training.train import train
from gan.training.validation import choose_metric

TINY = {"ngf": 4, "ndf": 4}
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tensors")
    rng = np.random.default_rng(0)
    for index in range(12):
        sample = Sample(
            index=index,
            label_image=rng.integers(0, 256, (32, 32, 3), dtype=np.uint8),
            segmentation=rng.integers(0, 4, (32, 32), dtype=np.uint8),
            inverse_depth=rng.integers(0, 65536, (32, 32), dtype=np.uint16),
            target=rng.integers(0, 65536, (32, 32), dtype=np.uint16),
        )
        (folder / f"{index:06d}.safetensors").write_bytes(encode_sample(sample))
    return folder


def run(
    tensors: Path, out: Path, *, resume: bool = False, config: dict[str, Any] | None = None, **options: Any
) -> Path:
    # One thread whatever other tests have set: bits depend on it.
    chosen = {"threads": 1, "epochs": 2, "log_every": 4, "checkpoint_minutes": 0.0, **options}
    return train(
        tensors,
        out,
        "pix2pix",
        {**TINY, **(config or {})},
        TrainOptions(**chosen),
        DataOptions(validation=0.2),
        resume=resume,
        metric=("l1", lambda fake, real: (fake - real).abs().mean(dim=(1, 2, 3))),
    )


# One process that trains as `run` does; the parent kills it.
CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_train import run
run(Path(sys.argv[1]), Path(sys.argv[2]), resume="resume" in sys.argv, epochs=6, checkpoint_every=3, keep=50)
"""


@contextlib.contextmanager
def child(tensors: Path, out: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", CHILD, str(tensors), str(out), str(Path(__file__).parent), *more]
    out.mkdir(exist_ok=True)
    with (out / "output.txt").open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def kill_after(tensors: Path, out: Path, step: int, *more: str) -> None:
    """Kills a run with SIGKILL as soon as the checkpoint of a step stands."""
    with child(tensors, out, *more) as process:
        limit = time.monotonic() + 60
        while not (out / "checkpoints" / f"step-{step:09d}.safetensors").exists():
            assert process.poll() is None, (out / "output.txt").read_text()
            assert time.monotonic() < limit, "no checkpoint within a minute"
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_killed_twice_and_resumed_ends_bit_identical(tensors: Path, tmp_path: Path) -> None:
    """Ten training images, six epochs, 60 steps; killed in the second and in the fifth epoch, off the epochs' ends."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(tensors, whole, epochs=6, checkpoint_every=3, keep=50)
    kill_after(tensors, broken, 12)
    assert not (broken / "model.safetensors").exists()
    kill_after(tensors, broken, 42, "resume")
    run(tensors, broken, resume=True, epochs=6, checkpoint_every=3, keep=50)
    last = [checkpoint_paths(folder / "checkpoints")[-1] for folder in (whole, broken)]
    assert last[0].name == last[1].name == "step-000000060.safetensors"
    assert last[0].read_bytes() == last[1].read_bytes()
    assert (whole / "model.safetensors").read_bytes() == (broken / "model.safetensors").read_bytes()
    # Every loss in the log is there once and the same.
    logs = [
        [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()] for folder in (whole, broken)
    ]
    steps = [[(line["kind"], line["step"]) for line in log if line["kind"] == "validation"] for log in logs]
    assert steps[0] == steps[1] == [("validation", step) for step in range(10, 61, 10)]


def test_other_seeds_do_differ(tensors: Path, tmp_path: Path) -> None:
    """Else the test above would pass for a network that does not train."""
    models = [
        read_model_file(run(tensors, tmp_path / name, seed=seed, epochs=1))
        for name, seed in zip("abc", (0, 0, 1), strict=True)
    ]
    assert models[0].sha256 == models[1].sha256 != models[2].sha256


def test_finished_run(tensors: Path, tmp_path: Path) -> None:
    path = run(tensors, tmp_path / "run", epochs=3, keep=2)
    model = read_model_file(path)
    assert model.meta["data"]["train"] == 10
    assert model.meta["data"]["kind"] == "tensors"
    assert str(tmp_path) not in json.dumps(model.meta)
    assert model.build()(torch.zeros(1, 7, 32, 32)).shape == (1, 1, 32, 32)
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    best = min(line["l1"] for line in log if line["kind"] == "validation")
    assert model.meta["metrics"]["validation"]["l1"] == best
    assert {"discriminator", "generator_l1", "generator_gan", "images_per_s"} <= set(log[0])
    assert len(checkpoint_paths(tmp_path / "run" / "checkpoints")) == 2
    assert len(list((tmp_path / "run" / "samples").glob("epoch-*.png"))) == 3
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))
    # A second call finds nothing left to do and changes nothing.
    before = path.read_bytes()
    run(tensors, tmp_path / "run", epochs=3, keep=2, resume=True)
    assert path.read_bytes() == before


def test_a_run_from_before_an_option_goes_on_with_its_default(tensors: Path, tmp_path: Path) -> None:
    run(tensors, tmp_path, epochs=1)
    path = tmp_path / "run.json"
    about = json.loads(path.read_text())
    del about["data_options"]["crop"], about["data_options"]["tone"], about["config"]["residual"]
    path.write_text(json.dumps(about))
    run(tensors, tmp_path, epochs=1, resume=True)
    path.write_text(json.dumps(about))
    with pytest.raises(ConfigError, match=r"another config\.residual"):
        run(tensors, tmp_path, epochs=1, resume=True, config={"residual": True})


def test_a_run_is_not_overwritten_or_mixed(tensors: Path, tmp_path: Path) -> None:
    run(tensors, tmp_path, epochs=1)
    with pytest.raises(ConfigError, match="go on with --resume"):
        run(tensors, tmp_path, epochs=1)
    with pytest.raises(ConfigError, match=r"another options\.epochs \(1, now 4\)"):
        run(tensors, tmp_path, resume=True, epochs=4)
    with pytest.raises(ConfigError, match=r"another config\.ngf \(4, now 6\)"):
        run(tensors, tmp_path, resume=True, epochs=1, config={"ngf": 6})


def test_damaged_checkpoint(tensors: Path, tmp_path: Path) -> None:
    run(tensors, tmp_path, epochs=2)
    last = checkpoint_paths(tmp_path / "checkpoints")[-1]
    last.write_bytes(last.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=rf"{last.name}: truncated"):
        run(tensors, tmp_path, epochs=2, resume=True)
    last.unlink()
    assert run(tensors, tmp_path, epochs=2, resume=True).is_file()


def test_nan_stops_the_run_and_spares_the_checkpoint(tensors: Path, tmp_path: Path) -> None:
    run(tensors, tmp_path / "good", epochs=1)
    with pytest.raises(TrainingError, match=r"loss \w+ is (nan|inf).*no checkpoint was saved yet.*learning rate"):
        run(tensors, tmp_path / "bad", config={"learning_rate": 1e30}, epochs=1)
    assert not checkpoint_paths(tmp_path / "bad" / "checkpoints")


def test_nan_after_a_good_checkpoint_names_it(tensors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gan.backends.pix2pix import Pix2Pix

    original = Pix2Pix.train_step

    def poisoned(self: Pix2Pix, batches: Any) -> Any:
        losses = original(self, batches)
        if (tmp_path / "checkpoints" / "step-000000006.safetensors").exists():
            torch.nn.init.constant_(next(self.generator.parameters()), float("nan"))
        return losses

    monkeypatch.setattr(Pix2Pix, "train_step", poisoned)
    with pytest.raises(TrainingError, match=r"the last good checkpoint is step-000000006\.safetensors"):
        run(tensors, tmp_path, checkpoint_every=3)
    state = read_checkpoint(checkpoint_paths(tmp_path / "checkpoints")[-1]).state
    assert all(torch.isfinite(value).all() for value in state["backend"]["networks"]["generator"].values())


def test_full_disk_while_saving_keeps_the_last_good_checkpoint(
    tensors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gan.storage.container

    original = gan.storage.container.save_file

    def full(tensors: Any, path: Path, metadata: Any) -> None:
        if "000000006" in path.name:
            path.write_bytes(b"half a file")
            raise OSError(28, "No space left on device")
        original(tensors, path, metadata=metadata)

    monkeypatch.setattr(gan.storage.container, "save_file", full)
    with pytest.raises(TrainingError, match=r"No space left on device.*--resume"):
        run(tensors, tmp_path, checkpoint_every=3)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-000000003.safetensors"]
    monkeypatch.undo()
    run(tensors, tmp_path, checkpoint_every=3, resume=True)
    whole = run(tensors, tmp_path / "whole", checkpoint_every=3)
    assert (tmp_path / "model.safetensors").read_bytes() == whole.read_bytes()


def test_accumulation_and_no_averaging(tensors: Path, tmp_path: Path) -> None:
    run(tensors, tmp_path, epochs=1, batch=2, accumulate=2, ema=0.0)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert max(line["step"] for line in log) == 3  # five batches of two, two a step


def test_bf16_learns_as_float32_does(tmp_path: Path) -> None:
    """Targets that a network can learn, warm over cold: the L1 term falls, and by as much in either precision."""
    folder = tmp_path / "tensors"
    folder.mkdir()
    target = np.repeat(np.linspace(60000, 20000, 32).round().astype(np.uint16)[:, None], 32, axis=1)
    for index in range(4):
        label_image = np.random.default_rng(index).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        sample = Sample(index, label_image, np.zeros((32, 32), np.uint8), np.zeros((32, 32), np.uint16), target)
        (folder / f"{index:06d}.safetensors").write_bytes(encode_sample(sample))

    def losses(precision: str) -> list[float]:
        config = {"dropout": 0.0, "learning_rate": 2e-3}
        run(folder, tmp_path / precision, epochs=20, log_every=3, precision=precision, config=config)
        log = [json.loads(line) for line in (tmp_path / precision / "log.jsonl").read_text().splitlines()]
        return [line["generator_l1"] for line in log if line["kind"] == "train"]

    exact, mixed = losses("fp32"), losses("bf16")
    assert mixed[-1] < 0.4 * mixed[0]
    assert mixed[0] == pytest.approx(exact[0], rel=0.02)
    assert np.mean(mixed) == pytest.approx(np.mean(exact), rel=0.1)
    assert mixed != exact


@pytest.mark.parametrize("options", [{"epochs": 0}, {"batch": 0}, {"ema": 1.0}, {"keep": 0}])
def test_impossible_options(tensors: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        run(tensors, tmp_path, **options)


def test_average_of_weights() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, 0.0)
    ema = Ema(network, 0.9)
    torch.nn.init.constant_(network.weight, 1.0)
    for step in range(1, 8):
        ema.update(step)
    assert ema.network.weight.item() == 0.0
    ema.update(8)
    # Warm-up: the decay at step 8 is 9 / 18.
    assert ema.network.weight.item() == pytest.approx(1 - 0.5**8)
    for step in range(9, 401):
        ema.update(step)
    assert ema.network.weight.item() == pytest.approx(1.0, abs=1e-6)
    assert Ema(network, 0.0).network is network


def test_an_average_takes_statistics_as_they_are() -> None:
    """Running statistics of a normalisation are averages themselves."""
    network = torch.nn.BatchNorm1d(1)
    ema = Ema(network, 0.9)
    network(torch.tensor([[4.0], [8.0]]))
    ema.update(8)
    assert ema.network.running_mean.item() == pytest.approx(0.6)  # a tenth of the batch's mean
    assert ema.network.num_batches_tracked.item() == 1
    assert not ema.network.training
    assert not any(parameter.requires_grad for parameter in ema.network.parameters())


def test_metric_and_precision_are_chosen_and_said(shared_data: Path) -> None:
    name, metric, reason = choose_metric(str(shared_data / "weights"), torch.device("cpu"), (64, 64))
    assert (name, reason) == ("lpips", "")
    image = torch.rand(2, 1, 64, 64) * 2 - 1
    assert metric(image, image).tolist() == [0.0, 0.0]
    assert (metric(image, -image) > 0.01).all()
    assert choose_metric("", torch.device("cpu"), (16, 64))[0] == "l1"
    assert choose_precision("bf16") == "bf16"


def test_image_grid() -> None:
    grid = image_grid(torch.ones(2, 7, 4, 5), -torch.ones(2, 1, 4, 5), torch.zeros(2, 1, 4, 5))
    assert grid.shape == (3, 8, 15)
    assert grid[:, 0, [0, 5, 10]].tolist() == [[255, 0, 128]] * 3


def test_training_starts_from_a_model(tensors: Path, tmp_path: Path) -> None:
    """With a rate of next to nothing the model comes out again; a run that is resumed needs its file no more."""
    first = run(tensors, tmp_path / "first", epochs=1)
    started = str(tmp_path / "given.safetensors")
    Path(started).write_bytes(first.read_bytes())
    still = {"learning_rate": 1e-12}
    second = run(tensors, tmp_path / "second", epochs=1, config=still, start_from=started)
    fresh = run(tensors, tmp_path / "fresh", epochs=1, config=still)
    expected = read_model_file(first).state
    assert all(torch.equal(value, expected[name]) for name, value in read_model_file(second).state.items())
    assert not all(torch.equal(value, expected[name]) for name, value in read_model_file(fresh).state.items())
    Path(started).unlink()
    run(tensors, tmp_path / "second", epochs=1, config=still, start_from=started, resume=True)


def test_a_model_that_does_not_fit_is_not_started_from(tensors: Path, tmp_path: Path) -> None:
    first = str(run(tensors, tmp_path / "first", epochs=1))
    with pytest.raises(ConfigError, match=r"start-from .* in the file, .* in training"):
        run(tensors, tmp_path / "wide", config={"ngf": 8}, start_from=first)
    with pytest.raises(ConfigError, match="a model of pix2pix; expected one of thermalnet"):
        train(
            tensors, tmp_path / "other", "thermalnet", {}, TrainOptions(start_from=first), DataOptions(validation=0.25)
        )
    with pytest.raises(CheckpointError):
        run(tensors, tmp_path / "none", start_from=str(tmp_path / "missing.safetensors"))
