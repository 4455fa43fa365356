"""One model of a comparison, in a process of its own: ``python -m pipelines.comparison.worker JOB.json``.

A process of its own keeps a crash away from the others, and its peak memory is this model's alone. What stands in
its folder when it is done:

train/         the run of `gan.training.train`
budget.json    epochs that fit the budget, decided once, so that a resumed run keeps its schedule
images/SET/    translated test images
result.json    figures; written last, so a folder without it is unfinished
"""

from __future__ import annotations

import dataclasses
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from gan.backends.base import StepOptions
from gan.backends.registry import load_backend, make_config
from gan.data.batch import Batch
from gan.data.options import DataOptions
from gan.data.training_data import open_data
from gan.processes import end_with_parent
from gan.serving.inference import TranslationModel, load_model
from gan.training.devices import choose_precision
from gan.training.options import TrainOptions
from gan.training.train import train
from torch.utils.flop_counter import FlopCounterMode

from pipelines.comparison.samples import TestSet, open_test_set
from pipelines.errors import ConfigError, GisError
from pipelines.io.files import read_object, write_bytes, write_json, write_text
from pipelines.translation.translate import encode_image

__all__ = ["main"]

_WARM_UP, _TIMED = 2, 6  # training steps before the clock starts, and while it runs
_PASSES: Final = 3  # over the test images, for images per second; the fastest counts
_POINTS: Final = 60  # of a loss curve


def main(path: Path) -> int:
    """Does one job; an error ends up as one line in ``error.txt`` beside it."""
    try:
        _work(read_object(path))
    except GisError as error:
        write_text(path.parent / "error.txt", " ".join(str(error).split()) + "\n")
        return 1
    return 0


def _work(job: dict[str, Any]) -> None:
    out = Path(job["out"])
    torch.set_num_threads(job["threads"])
    options = DataOptions(**job["data_options"])
    cache = Path(job["cache"])
    epochs, about = _epochs(job, options, cache)
    started = _clock_s(job["threads"])
    model = _train(job, options, cache, epochs, about["steps_per_epoch"])
    trained_s = _clock_s(job["threads"]) - started
    # The precision of training may be bf16; all are served alike.
    translator = load_model(model, precision="fp32", engine="torch", threads=job["threads"])
    test, _ = open_test_set(Path(job["data"]), options, cache, seed=job["seed"])
    sets = {"test": test}
    for name, folder in job["also"].items():
        sets[name], _ = open_test_set(Path(folder), options, cache, everything=True)
    for name, images in sets.items():
        _translate(translator, images, out / "images" / name)
    write_json(
        out / "result.json",
        {
            "epochs": epochs,
            "steps": epochs * about["steps_per_epoch"],
            **about,
            "trained_s": trained_s,
            "images_per_s": _speed(translator, test),
            "peak_MiB": _peak_MiB(),
        },
    )


def _train(job: dict[str, Any], data: DataOptions, cache: Path, epochs: int, steps: int) -> Path:
    options = TrainOptions(
        epochs=epochs,
        batch=job["batch"],
        seed=job["seed"],
        threads=job["threads"],
        # Only the last weights are measured: choosing an epoch by the test images would favour the lucky.
        validate_every=epochs,
        log_every=max(1, epochs * steps // _POINTS),
        checkpoint_minutes=job["checkpoint_minutes"],
        keep=1,
        weights_dir=job["weights_dir"],
    )
    path = Path(job["data"])
    out = Path(job["out"]) / "train"
    if (out / "model.safetensors").is_file():
        return out / "model.safetensors"
    return train(path, out, job["model"], job["settings"], options, data, resume=True, cache=cache)


def _epochs(job: dict[str, Any], options: DataOptions, cache: Path) -> tuple[int, dict[str, Any]]:
    """Epochs that fit the budget, and the sizes of the networks; asked once, then read back."""
    stored = Path(job["out"]) / "budget.json"
    if not stored.is_file():
        write_json(stored, _measured(job, options, cache))
    about = read_object(stored)
    epochs = about.pop("epochs", None)
    if not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < 1:
        raise ConfigError(f"{stored}: says no epochs; delete it and give the same command again")
    return epochs, about


def _measured(job: dict[str, Any], options: DataOptions, cache: Path) -> dict[str, Any]:
    data = open_data(Path(job["data"]), options, cache, seed=job["seed"])
    height, width = data.samples.size
    module = load_backend(job["model"])
    suggested = module.suggest(data.in_channels, data.out_channels, height, width)
    config = make_config(module.Config, {**suggested, **job["settings"]}, f"options of {job['spec']}")
    backend = module.create(config)
    networks = {name: _count(network) for name, network in backend.networks().items()}
    translator = backend.translator()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        translator.eval()(torch.zeros(1, data.in_channels, height, width))
    steps = -(-len(data.split.train) // job["batch"])
    epochs = job["epochs"]
    step_s = None
    if job["budget_minutes"] is not None:
        shape = (job["batch"], height, width)
        step_s = _step_s(backend, job, data.in_channels, data.out_channels, shape)
        epochs = max(1, min(epochs, int(60 * job["budget_minutes"] / (step_s * steps))))
    return {
        "epochs": epochs,
        "steps_per_epoch": steps,
        "step_s": step_s,
        "config": dataclasses.asdict(config),
        "parameters": _count(translator),
        "networks": networks,
        "flops": counter.get_total_flops(),
    }


def _count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _step_s(backend: Any, job: dict[str, Any], sources: int, targets: int, shape: tuple[int, int, int]) -> float:
    """Median seconds of a training step, as `gan.training.train` takes it, on random images."""
    from lightning_fabric import Fabric

    precision: Any = "bf16-mixed" if choose_precision("auto") == "bf16" else "32-true"
    fabric = Fabric(accelerator="auto", devices=1, precision=precision)
    backend.setup(fabric, StepOptions(weights_dir=job["weights_dir"]))
    backend.start_epoch(0, job["epochs"])
    count, height, width = shape
    draw = torch.rand(count, sources + targets, height, width, device=fabric.device) * 2 - 1
    batch = Batch(draw[:, :sources].contiguous(), draw[:, sources:].contiguous())
    return _median_s(lambda: [float(value) for value in backend.train_step([batch]).values()], job["threads"])


def _median_s(step: Callable[[], Any], threads: int) -> float:
    times = []
    for _ in range(_WARM_UP + _TIMED):
        started = _clock_s(threads)
        step()
        times.append(_clock_s(threads) - started)
    return float(np.median(times[_WARM_UP:]))


def _clock_s(threads: int) -> float:
    """Seconds of training: by the clock on a GPU, of a core on a CPU, so that other work on it takes no epochs away."""
    return time.monotonic() if torch.cuda.is_available() else time.process_time() / threads


def _translate(translator: TranslationModel, images: TestSet, folder: Path) -> None:
    for name, source, _ in images:
        write_bytes(folder / f"{name}.png", encode_image(translator.translate(source)))


def _speed(translator: TranslationModel, images: TestSet) -> float:
    """Images per second, one by one, of the fastest pass over at most 20 test images."""
    sources = [source for _, (_, source, _) in zip(range(20), images, strict=False)]
    seconds = []
    for _ in range(_PASSES):
        started = time.monotonic()
        for source in sources:
            translator.translate(source)
        seconds.append(time.monotonic() - started)
    return len(sources) / min(seconds)


def _peak_MiB() -> float:
    """Most memory so far: of the GPU where there is one, else of this process with all its libraries."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    end_with_parent(os.getppid())  # a killed comparison leaves nobody writing in its folder
    sys.exit(main(Path(sys.argv[1])))
