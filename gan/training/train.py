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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from gan.backends.base import Backend, BackendConfig, StepOptions, translate
from gan.backends.registry import config_to_dict, load_backend, make_config
from gan.data.batch import Batch
from gan.data.loader import Loader
from gan.data.options import DataOptions
from gan.data.skipped import skipped_lines
from gan.data.sources import SourceFinder, find_sources
from gan.data.training_data import TrainingData, open_data
from gan.errors import CheckpointError, ConfigError, TrainingError
from gan.locked_folder import locked_folder
from gan.processes import end_with_parent
from gan.storage.checkpoint import checkpoint_paths, prune_checkpoints, read_checkpoint, write_checkpoint
from gan.training.devices import choose_precision, make_fabric
from gan.training.mean_losses import MeanLosses
from gan.training.memory import freed_memory_kept
from gan.training.old_runs import current_state
from gan.training.options import TrainOptions
from gan.training.run_folder import RunLog, image_grid, open_run
from gan.training.start_weights import start_from
from gan.training.stored_state import check_position, check_state
from gan.training.teacher import Teacher, open_teacher
from gan.training.translators import Translators
from gan.training.validation import Measure, Metric, Unmeasured, choose_measure

__all__ = ["train"]

_EXAMPLES: Final = 4


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
    report: Callable[[str], None] = lambda text: None,
    find: SourceFinder = find_sources,
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
        report: Takes lines for the user.
        find: Looks what ``data_dir`` and the other places of data hold.

    Returns:
        Path of the model file, ``out/model.safetensors``; a backend that learns both ways writes the other translator
        as ``out/model_reverse.safetensors`` beside it.

    Raises:
        GanError: Where data, options or the run folder cannot be used, the loss is not finite, or a file cannot be
        written.
    """
    options, data_options = options or TrainOptions(), data_options or DataOptions()
    fabric = make_fabric(options)
    if int(os.environ.get("LOCAL_RANK", 0)) > 0:
        end_with_parent(os.getppid())  # which is the first process, or torchrun
    fabric.launch()
    kept = freed_memory_kept() if fabric.device.type == "cpu" else nullcontext()
    with locked_folder(out, ConfigError, TrainingError) if fabric.is_global_zero else nullcontext(), kept:
        module = load_backend(backend)
        first = make_config(module.Config, config or {}, f"options of {backend}")
        data = _open_on_all(fabric, data_dir, data_options, cache or out / "cache", first, options.seed, progress, find)
        suggested = module.suggest(data.in_channels, data.out_channels, *data.size)
        if data.measured is not None:
            suggested |= module.suggest_temperatures(data.measured)
        typed = make_config(
            module.Config,
            {**suggested, **(config or {})},
            f"options of {backend}",
            note=lambda old, new: report(f"{old} is now called {new}"),
        )
        _check_unpaired_objects(data_options, typed, backend)
        teacher, data = open_teacher(options.teacher, data, fabric.device)
        about = {
            "backend": backend,
            "config": config_to_dict(typed),
            "options": dataclasses.asdict(options) | {"precision": choose_precision(options.precision)},
            "data": data.describe() | teacher.describe(),
            "data_options": dataclasses.asdict(data_options),
        }
        start = open_run(out, about, resume=resume) if fabric.is_global_zero else _newest(out)
        for line in skipped_lines(data.skipped, len(data.samples.names) + len(data.skipped), "images or samples"):
            report(line)
        fabric.barrier()
        torch.manual_seed(options.seed)
        model = module.create(typed)
        if options.start_from and start is None:
            start_from(model.translator(), Path(options.start_from), backend, data.layout)
        if options.teacher_fit and start is None:
            samples = Loader(data, options.batch, options.seed, data_options, fabric.device).epoch(0)
            teacher.fit(model.translator(), samples, options.teacher_fit, options.seed)
        setup = _Setup(fabric, model, data, options, data_options, teacher, out, about, progress, report)
        return _Run(setup, metric).fit(start)


@dataclass(frozen=True)
class _Setup:
    """What a run is made of, once all is decided."""

    fabric: Fabric
    backend: Backend[Any]
    data: TrainingData
    options: TrainOptions
    data_options: DataOptions
    teacher: Teacher
    out: Path
    about: dict[str, Any]
    """The resolved configuration as JSON values, as ``run.json`` holds it."""
    progress: bool
    report: Callable[[str], None]

    def loader(self, *, validate: bool) -> Loader:
        """The training batches of this process, or all validation images one by one."""
        fabric, options, device = self.fabric, self.options, self.fabric.device
        if validate:
            return Loader(self.data, 1, options.seed, self.data_options, device, validate=True)
        rank, world = fabric.global_rank, fabric.world_size
        return Loader(self.data, options.batch, options.seed, self.data_options, device, rank=rank, world=world)


class _Run:
    """One training run; `fit` reads from top to bottom."""

    def __init__(self, setup: _Setup, metric: tuple[str, Metric] | None) -> None:
        self._setup, self._fabric, self._backend = setup, setup.fabric, setup.backend
        self._options, self._out = setup.options, setup.out
        options = setup.options
        self._backend.setup(self._fabric, StepOptions(options.compile, options.channels_last, options.weights_dir))
        self._translators = Translators(setup.about["backend"], self._backend, setup.data, options.ema)
        self._loader = setup.loader(validate=False)
        self._validation = setup.loader(validate=True) if setup.data.split.validation else None
        self._measure: Measure = Unmeasured()
        if self._validation is not None and self._fabric.is_global_zero:
            self._measure = choose_measure(setup.data, options.weights_dir, self._fabric.device, metric, setup.report)
        self._at = _Position()
        self._losses = MeanLosses()
        self._saved_at = self._logged_at = time.monotonic()

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
        batches = self._setup.teacher.taught(self._loader.epoch(at.epoch, at.step_in_epoch * options.accumulate))
        for group in _chunks(batches, options.accumulate):
            self._seed_step()
            self._losses.add(self._backend.train_step(group))
            at.step += 1
            at.step_in_epoch += 1
            self._translators.update(at.step)
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
        due = not options.checkpoint_every and waited >= 60 * options.checkpoint_minutes
        if last or self._fabric.broadcast(due):  # by one clock, or some would wait for the others
            self._save()

    def _seed_step(self) -> None:
        words = np.random.SeedSequence([self._options.seed, self._at.step, self._fabric.global_rank]).generate_state(2)
        torch.manual_seed(int(words[0]) << 31 ^ int(words[1]))

    def _write_losses(self, log: RunLog | None = None, progress: Any = None) -> None:
        """Reads the mean losses since the last call, stops where one is not finite, and logs them."""
        if not self._losses.steps:
            return
        images = self._losses.steps * self._images_per_step
        means = self._over_processes(self._losses.take())
        rate = images / (time.monotonic() - self._logged_at)
        self._logged_at = time.monotonic()
        for name, value in means.items():
            if not math.isfinite(value):
                self._stop_at_nan(f"loss {name} is {value}")
        if log is not None:
            log.scalars("train", self._at.step, self._at.epoch, {**means, "images_per_s": rate})
        if progress is not None:
            progress.set_postfix({name: f"{value:.3g}" for name, value in means.items()}, refresh=False)

    def _over_processes(self, means: dict[str, float]) -> dict[str, float]:
        """Means over all processes, each of which has seen other images; all must ask for them at the same step."""
        if self._fabric.world_size == 1:
            return means
        values = torch.tensor([*means.values()], dtype=torch.float64, device=self._fabric.device)
        total: Any = self._fabric.all_reduce(values, reduce_op="mean")
        return dict(zip(means, total.tolist(), strict=True))

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
            examples: list[tuple[Tensor, Tensor, Tensor]] = []
            for batch in self._setup.teacher.taught(self._validation.epoch(0)):
                fake = translate(self._translators.forward, batch.source, conditions=self._backend.conditions(batch))
                self._measure.add(fake, batch.target)
                if len(examples) < _EXAMPLES:
                    examples.append((batch.source, fake, batch.target))
            values = self._measure.values()
            log.scalars("validation", self._at.step, self._at.epoch, values)
            columns = (torch.cat(images) for images in zip(*examples, strict=True))
            log.images(self._at.epoch, self._at.step, image_grid(*columns))
            if self._measure.name:
                self._keep_best(values, self._measure.name)
            self._logged_at = time.monotonic()
        self._fabric.barrier()

    def _keep_best(self, values: dict[str, float], name: str) -> None:
        if not math.isfinite(values[name]):
            self._stop_at_nan(f"validation {name} is {values[name]}")
        if values[name] < self._at.best:
            self._at.best, self._at.best_epoch = values[name], self._at.epoch
            self._translators.write(self._out, "best", self._meta(), values)

    def _meta(self) -> dict[str, Any]:
        """What a model file says of its training."""
        about = self._setup.about
        return {"data": about["data"], "training": about["options"], "epoch": self._at.epoch, "step": self._at.step}

    def _save(self) -> None:
        self._write_losses()
        if self._fabric.is_global_zero:
            for name, network in self._backend.networks().items():
                if not all(bool(torch.isfinite(parameter).all()) for parameter in network.parameters()):
                    self._stop_at_nan(f"a weight of the {name} is not finite")
            state = {"backend": self._backend.state(), "position": dataclasses.asdict(self._at)}
            state |= self._translators.state()
            folder = self._out / "checkpoints"
            write_checkpoint(folder / f"step-{self._at.step:09d}.safetensors", state, self._setup.about)
            prune_checkpoints(folder, self._options.keep)
        self._saved_at = time.monotonic()
        self._fabric.barrier()

    def _load(self, path: Path) -> None:
        state = read_checkpoint(path).state
        try:
            stored = current_state(state["backend"])
            check_state(stored, self._backend.state(), self._backend.networks())
            check_position(state["position"])
            self._backend.load_state(stored)
            self._translators.load_state(state)
            self._at = _Position(**state["position"])
        except (LookupError, TypeError, RuntimeError, ValueError, AttributeError, OverflowError) as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise CheckpointError(
                f"{path}: does not fit this run ({reason}); delete it, and --resume goes on from the one before"
            ) from error
        self._setup.report(f"going on at epoch {self._at.epoch}, step {self._at.step} ({path.name})")

    def _finish(self) -> Path:
        """The best weights become the model, where one epoch was measured to be the best, else the last."""
        if self._fabric.is_global_zero:
            best = self._at.best_epoch >= 0 and self._translators.copy(self._out, "best", "model")
            if not best:
                self._translators.write(self._out, "model", self._meta(), {})
        self._fabric.barrier()
        return self._out / "model.safetensors"

    @property
    def _images_per_step(self) -> int:
        """Over all processes."""
        return self._options.batch * self._options.accumulate * self._fabric.world_size

    def _progress(self) -> Any:
        total = self._options.epochs * self._loader.steps * self._options.batch * self._fabric.world_size
        return tqdm(
            total=total,
            initial=min(total, self._at.step * self._images_per_step),
            unit="img",
            disable=None if self._setup.progress and self._fabric.is_global_zero else True,
            smoothing=0.05,
        )


def _check_unpaired_objects(options: DataOptions, config: BackendConfig, backend: str) -> None:
    """Sources without targets that no loss would see are a mistake."""
    if options.unpaired_objects and not config.judges_unpaired:
        raise ConfigError(
            f"unpaired-objects is {options.unpaired_objects}: no loss of {backend} sees them; "
            "expected the model pix2pix or pix2pix_mrff with an object_discriminator_weight above 0"
        )


def _open_on_all(
    fabric: Fabric,
    folder: Path,
    options: DataOptions,
    cache: Path,
    config: BackendConfig,
    seed: int,
    progress: bool,
    find: SourceFinder,
) -> TrainingData:
    """The first process fills the cache, and where machines have caches of their own the first of each; all open it."""

    def bar(items: Sequence[Any]) -> Any:
        return tqdm(items, desc="decoding", unit="img", disable=None if progress else True, leave=False)

    def opened() -> TrainingData:
        return open_data(
            folder,
            options,
            cache,
            pairing=config.pairing,
            seed=seed,
            progress=bar,
            find=find,
            temperatures=config.needs_temperatures,
        )

    data: TrainingData | None = None
    with fabric.rank_zero_first():  # machines may have one disk in common, and would fill one cache at the same time
        if fabric.is_global_zero:
            data = opened()
    with fabric.rank_zero_first(local=True):
        return data or opened()


def _newest(out: Path) -> Path | None:
    checkpoints = checkpoint_paths(out / "checkpoints")
    return checkpoints[-1] if checkpoints else None


def _chunks(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    iterator = iter(batches)
    while group := list(itertools.islice(iterator, size)):
        yield group
