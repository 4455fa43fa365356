"""Training: one code path for a CPU, one GPU and several, on Lightning Fabric.

Everything random follows from the seed, the step and the rank (`_seed_step`), so a checkpoint needs to hold no
generator: a run that was killed and resumed takes the same steps as one that never stopped.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from gan.backends.base import Backend, BackendConfig, StepOptions, TwoWay, translate
from gan.backends.registry import config_to_dict, load_backend, make_config
from gan.data.batch import Batch, Pairing
from gan.data.loader import (
    Loader,
    TrainingData,
    calibration_sources,
    calibration_targets,
    open_data,
    validation_targets,
)
from gan.data.options import DataOptions
from gan.errors import CheckpointError, ConfigError, TrainingError
from gan.storage.checkpoint import checkpoint_paths, prune_checkpoints, read_checkpoint, write_checkpoint
from gan.storage.model_file import write_model_file
from gan.training.ema import Ema
from gan.training.old_runs import current_state
from gan.training.options import Precision, TrainOptions
from gan.training.run_folder import RunLog, image_grid, open_run
from gan.training.validation import ByPairs, Measure, Metric, Unmeasured, choose_metric, choose_set_measure

__all__ = ["Metric", "choose_metric", "choose_precision", "train"]

_SHOWN: Final = 4
_REVERSE: Final = "_reverse"


@dataclass
class _Position:
    """Where a run stands."""

    epoch: int = 0
    step_in_epoch: int = 0
    step: int = 0
    best: float = math.inf
    best_epoch: int = -1


def train(
    data_dir: Path,
    out: Path,
    backend: str = "pix2pix",
    config: dict[str, Any] | None = None,
    options: TrainOptions | None = None,
    data_options: DataOptions | None = None,
    *,
    resume: bool = False,
    cache: Path | None = None,
    metric: tuple[str, Metric] | None = None,
    progress: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """Trains a backend and writes one model file to share.

    Args:
        data_dir: Training data; see `gan.data.sources`.
        out: Folder of the run; see `gan.training.run_folder`.
        backend: Name of the backend.
        config: Values for the backend's ``Config``; channels and levels follow from the data where they are not named.
        options: How to train.
        data_options: How to read and split the data.
        resume: Go on where ``out`` holds a run.
        cache: Folder for decoded images; None takes ``out/cache``.
        metric: Name and function of the metric of validation pairs (lower is better); None takes LPIPS, else L1.
        progress: Show bars where the output is a terminal.
        say: Takes lines for the user.

    Returns:
        Path of the model file, ``out/model.safetensors``; a backend that learns both ways writes the other translator
        as ``out/model_reverse.safetensors`` beside it.

    Raises:
        GanError: Where data, options or the run folder cannot be used, the loss is not finite, or a file cannot be
        written.
    """
    options, data_options = options or TrainOptions(), data_options or DataOptions()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True  # all steps have one shape: let cuDNN time its algorithms once
    fabric = _make_fabric(options)
    fabric.launch()
    module = load_backend(backend)
    pairing = make_config(module.Config, config or {}, f"options of {backend}").pairing
    data = _open_on_all(fabric, data_dir, data_options, cache or out / "cache", pairing, options.seed, progress)
    suggested = module.suggest(data.in_channels, data.out_channels, *data.size)
    typed = make_config(
        module.Config,
        {**suggested, **(config or {})},
        f"options of {backend}",
        note=lambda old, new: say(f"{old} is now called {new}"),
    )
    _check_unpaired_objects(data_options, typed, backend)
    about = {
        "backend": backend,
        "config": config_to_dict(typed),
        "options": dataclasses.asdict(options) | {"precision": choose_precision(options.precision)},
        "data": data.describe(),
        "data_options": dataclasses.asdict(data_options),
    }
    start = open_run(out, about, resume=resume) if fabric.is_global_zero else _newest(out)
    fabric.barrier()
    torch.manual_seed(options.seed)
    run = _Run(fabric, module.create(typed), backend, options, data, data_options, out, about, metric, progress, say)
    return run.fit(start)


def choose_precision(wanted: Precision) -> Literal["fp32", "bf16"]:
    """The precision that "auto" means here: bf16 where the hardware multiplies bf16 matrices (GPU, AMX), else fp32."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.cpu._is_amx_tile_supported() else "fp32"


@dataclass
class _Served:
    """A translator that becomes model files, averaged over the steps."""

    suffix: str
    """After the file's name: "", or "_reverse" for images to sources."""
    config: Any
    ema: Ema
    calibration: Callable[[TrainingData], Tensor]


class _Run:
    """One training run; `fit` reads from top to bottom."""

    def __init__(
        self,
        fabric: Fabric,
        backend: Backend[Any],
        name: str,
        options: TrainOptions,
        data: TrainingData,
        data_options: DataOptions,
        out: Path,
        about: dict[str, Any],
        metric: tuple[str, Metric] | None,
        progress: bool,
        say: Callable[[str], None],
    ) -> None:
        self._fabric, self._backend, self._name, self._options = fabric, backend, name, options
        self._data, self._out, self._about, self._say = data, out, about, say
        self._shows_progress = progress and fabric.is_global_zero
        step_options = StepOptions(options.compile, options.channels_last, options.weights_dir)
        backend.setup(fabric, step_options)
        forward = _Served("", backend.config, Ema(backend.translator(), options.ema), calibration_sources)
        self._served = [forward]
        if isinstance(backend, TwoWay):
            config, network = backend.reverse()
            self._served.append(_Served(_REVERSE, config, Ema(network, options.ema), calibration_targets))
        rank, world, device = fabric.global_rank, fabric.world_size, fabric.device
        seed = options.seed
        self._loader = Loader(data, options.batch, seed, data_options, device, rank=rank, world=world)
        self._validation = Loader(data, 1, seed, data_options, device, validate=True) if data.split.validation else None
        measures = self._validation is not None and fabric.is_global_zero
        self._measure = self._choose_measure(metric) if measures else Unmeasured()
        self._at = _Position()
        self._sums: dict[str, Tensor] = {}
        self._counted = 0
        self._saved_at = self._logged_at = time.monotonic()

    @property
    def _steps(self) -> int:
        return -(-self._loader.steps // self._options.accumulate)

    def fit(self, start: Path | None) -> Path:
        """Trains from a checkpoint, or from the start, to the end."""
        if start is not None:
            self._load(start)
        log = RunLog(self._out, self._at.step) if self._fabric.is_global_zero else None
        try:
            with self._progress() as progress:
                for epoch in range(self._at.epoch, self._options.epochs):
                    self._backend.start_epoch(epoch, self._options.epochs)
                    self._run_epoch(log, progress)
                    self._end_epoch(log)
            return self._finish()
        finally:
            if log is not None:
                log.close()

    def _run_epoch(self, log: RunLog | None, progress: Any) -> None:
        at, options = self._at, self._options
        batches = self._loader.epoch(at.epoch, at.step_in_epoch * options.accumulate)
        for group in _chunks(batches, options.accumulate):
            self._seed_step()
            self._count(self._backend.train_step(group))
            at.step += 1
            at.step_in_epoch += 1
            for served in self._served:
                served.ema.update(at.step)
            progress.update(sum(len(batch.source) for batch in group) * self._fabric.world_size)
            if at.step % options.log_every == 0:
                self._write_losses(log, progress)
            if options.checkpoint_every and at.step % options.checkpoint_every == 0:
                self._save()

    def _end_epoch(self, log: RunLog | None) -> None:
        at, options = self._at, self._options
        self._write_losses(log)
        at.epoch += 1
        at.step_in_epoch = 0
        last = at.epoch == options.epochs
        if at.epoch % options.validate_every == 0 or last:
            self._validate(log)
        waited = time.monotonic() - self._saved_at
        if last or (not options.checkpoint_every and waited >= 60 * options.checkpoint_minutes):
            self._save()

    def _seed_step(self) -> None:
        words = np.random.SeedSequence([self._options.seed, self._at.step, self._fabric.global_rank]).generate_state(2)
        torch.manual_seed(int(words[0]) << 31 ^ int(words[1]))

    def _count(self, losses: dict[str, Tensor]) -> None:
        for name, value in losses.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._counted += 1

    def _write_losses(self, log: RunLog | None = None, progress: Any = None) -> None:
        """Reads the mean losses since the last call, stops where one is not finite, and logs them."""
        if not self._counted:
            return
        means = {name: float(value) / self._counted for name, value in self._sums.items()}
        images = self._counted * self._options.batch * self._options.accumulate * self._fabric.world_size
        rate = images / (time.monotonic() - self._logged_at)
        self._sums, self._counted, self._logged_at = {}, 0, time.monotonic()
        for name, value in means.items():
            if not math.isfinite(value):
                self._stop_at_nan(f"loss {name} is {value}")
        if log is not None:
            log.scalars("train", self._at.step, self._at.epoch, {**means, "images_per_s": rate})
        if progress is not None:
            progress.set_postfix({name: f"{value:.3g}" for name, value in means.items()}, refresh=False)

    def _stop_at_nan(self, what: str) -> None:
        saved = checkpoint_paths(self._out / "checkpoints")
        good = f"the last good checkpoint is {saved[-1].name}" if saved else "no checkpoint was saved yet"
        raise TrainingError(
            f"{what} at or shortly before step {self._at.step}: training diverged; {good}. "
            "Lower the learning rate, or use --precision fp32"
        )

    @torch.no_grad()
    def _validate(self, log: RunLog | None) -> None:
        """Measures the averaged weights, keeps the best, and shows a few images."""
        if log is not None and self._validation is not None:
            shown: list[tuple[Tensor, Tensor, Tensor]] = []
            for batch in self._validation.epoch(0):
                fake = translate(self._served[0].ema.network, batch.source)
                self._measure.add(fake, batch.target)
                if len(shown) < _SHOWN:
                    shown.append((batch.source, fake, batch.target))
            values = self._measure.values()
            log.scalars("validation", self._at.step, self._at.epoch, values)
            log.images(
                self._at.epoch, self._at.step, image_grid(*(torch.cat(images) for images in zip(*shown, strict=True)))
            )
            if self._measure.name:
                self._keep_best(values, self._measure.name)
            self._logged_at = time.monotonic()
        self._fabric.barrier()

    def _keep_best(self, values: dict[str, float], name: str) -> None:
        if not math.isfinite(values[name]):
            self._stop_at_nan(f"validation {name} is {values[name]}")
        if values[name] < self._at.best:
            self._at.best, self._at.best_epoch = values[name], self._at.epoch
            for served in self._served:
                self._write_model("best", served, values)

    def _write_model(self, stem: str, served: _Served, values: Mapping[str, float]) -> None:
        meta = {
            "data": self._about["data"],
            "training": self._about["options"],
            # They were measured forward.
            "metrics": {"validation": dict(values)} if values and not served.suffix else {},
            "epoch": self._at.epoch,
            "step": self._at.step,
        }
        path = self._out / f"{stem}{served.suffix}.safetensors"
        weights = served.ema.network.state_dict()
        layout = None if served.suffix else self._data.layout
        write_model_file(path, self._name, served.config, weights, meta, served.calibration(self._data), layout)

    def _save(self) -> None:
        if self._fabric.is_global_zero:
            self._write_losses()
            for name, network in self._backend.networks().items():
                if not all(bool(torch.isfinite(parameter).all()) for parameter in network.parameters()):
                    self._stop_at_nan(f"a weight of the {name} is not finite")
            state = {"backend": self._backend.state(), "position": dataclasses.asdict(self._at)}
            if self._options.ema:
                state |= {f"ema{served.suffix}": served.ema.network.state_dict() for served in self._served}
            folder = self._out / "checkpoints"
            write_checkpoint(folder / f"step-{self._at.step:09d}.safetensors", state, self._about)
            prune_checkpoints(folder, self._options.keep)
        self._saved_at = time.monotonic()
        self._fabric.barrier()

    def _load(self, path: Path) -> None:
        state = read_checkpoint(path).state
        try:
            self._backend.load_state(current_state(state["backend"]))
            for served in self._served if self._options.ema else ():
                served.ema.network.load_state_dict(state[f"ema{served.suffix}"])
            self._at = _Position(**state["position"])
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            raise CheckpointError(f"{path}: does not fit this run ({str(error).splitlines()[0]})") from error
        self._say(f"going on at epoch {self._at.epoch}, step {self._at.step} ({path.name})")

    def _finish(self) -> Path:
        if self._fabric.is_global_zero:
            for served in self._served:
                best, path = (self._out / f"{stem}{served.suffix}.safetensors" for stem in ("best", "model"))
                if self._at.best_epoch >= 0 and best.is_file():
                    partial = path.with_name(f".{path.name}.partial")
                    partial.write_bytes(best.read_bytes())
                    os.replace(partial, path)
                else:
                    self._write_model("model", served, {})
        self._fabric.barrier()
        return self._out / "model.safetensors"

    def _choose_measure(self, metric: tuple[str, Metric] | None) -> Measure:
        data, weights_dir, device = self._data, self._options.weights_dir, self._fabric.device
        if data.targets is None or data.target_split is None:
            name, function, reason = (*metric, "") if metric else choose_metric(weights_dir, device, data.size)
            if reason:
                self._say(f"validating by L1, because LPIPS cannot be had: {reason}")
            return ByPairs(name, function)
        counts = len(data.split.validation), len(data.target_split.validation)
        measure, reason = choose_set_measure(weights_dir, device, data.samples.size, validation_targets(data), counts)
        if reason:
            self._say(f"validating by eye alone, the last weights become the model: {reason}")
        return measure

    def _progress(self) -> Any:
        images = self._options.batch * self._options.accumulate * self._fabric.world_size
        total = self._options.epochs * self._loader.steps * self._options.batch * self._fabric.world_size
        return tqdm(
            total=total,
            initial=min(total, self._at.step * images),
            unit="img",
            disable=None if self._shows_progress else True,
            smoothing=0.05,
        )


def _check_unpaired_objects(options: DataOptions, config: BackendConfig, backend: str) -> None:
    """Sources without targets that no loss would see are a mistake."""
    if options.unpaired_objects and not config.judges_unpaired:
        raise ConfigError(
            f"unpaired-objects is {options.unpaired_objects}: no loss of {backend} sees them; "
            "expected the model pix2pix or pix2pix_mrff with an object_discriminator_weight above 0"
        )


def _make_fabric(options: TrainOptions) -> Fabric:
    # torchrun has started the processes and says how many; without it Fabric starts them.
    local = int(os.environ.get("LOCAL_WORLD_SIZE", options.devices))
    nodes = max(1, int(os.environ.get("WORLD_SIZE", local)) // local)
    precision: Any = "bf16-mixed" if choose_precision(options.precision) == "bf16" else "32-true"
    strategy = "ddp" if local * nodes > 1 else "auto"
    return Fabric(accelerator="auto", strategy=strategy, devices=local, num_nodes=nodes, precision=precision)


def _open_on_all(
    fabric: Fabric, folder: Path, options: DataOptions, cache: Path, pairing: Pairing, seed: int, progress: bool
) -> TrainingData:
    """The first process of a machine fills the cache, the others open it."""

    def bar(items: Sequence[Any]) -> Any:
        return tqdm(items, desc="decoding", unit="img", disable=None if progress else True, leave=False)

    with fabric.rank_zero_first(local=True):
        return open_data(folder, options, cache, pairing=pairing, seed=seed, progress=bar)


def _newest(out: Path) -> Path | None:
    found = checkpoint_paths(out / "checkpoints")
    return found[-1] if found else None


def _chunks(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    iterator = iter(batches)
    while group := list(itertools.islice(iterator, size)):
        yield group
