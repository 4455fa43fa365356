"""The folder of a training run: what it trains, its log, its images.

RUN/run.json            resolved configuration and description of the data
RUN/log.jsonl           one line per logged step or validation
RUN/tensorboard/        the same for TensorBoard
RUN/samples/            source, generated and real image of a few samples, per validation
RUN/checkpoints/        what --resume goes on from
RUN/best.safetensors    model file of the best validation so far
RUN/model.safetensors   model file of the finished run

A model that also learns the way back leaves ``best_reverse`` and ``model_reverse`` beside these two.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from torch import Tensor

from gan.errors import ConfigError, TrainingError
from gan.storage.checkpoint import checkpoint_paths
from gan.text_files import parse_json
from gan.training.old_runs import with_new_names

__all__ = ["RunLog", "image_grid", "open_run", "write_text"]

# Options that change neither the weights nor their order: a resumed run may have others.
_FREE: Final = {"keep", "log_every", "checkpoint_every", "checkpoint_minutes", "threads", "resident", "weights_dir"}
# Options that runs did not have once, and what they did then: such runs can still be resumed.
_LATER: Final[Mapping[str, Any]] = {
    "crop": 0, "crop_zoom": 1.0, "tone": 0.0, "match_levels": 0.0, "residual": False, "extra_data": (),
    "object_discriminator_weight": 0.0, "teacher": "", "teacher_fit": 0, "background_weight": 1.0,
}  # fmt: skip


def open_run(out: Path, about: Mapping[str, Any], *, resume: bool) -> Path | None:
    """Claims a run folder and returns the checkpoint to go on from, None to start.

    Args:
        out: Folder of the run.
        about: Resolved configuration, JSON values.
        resume: Go on where the folder holds a run.

    Raises:
        ConfigError: Where the folder holds another run, or one and ``resume`` is off.
    """
    path = out / "run.json"
    checkpoints = checkpoint_paths(out / "checkpoints")
    if path.is_file():
        stored = with_new_names(_read_run(path))
        if not resume and (checkpoints or (out / "model.safetensors").exists()):
            raise ConfigError(f"{out}: holds a training run; go on with --resume, or give another --out")
        different = first_difference(stored, about)
        if resume and different:
            raise ConfigError(
                f"{out}: was started with another {different}; resume it with the same, or give another --out"
            )
    elif checkpoints:
        raise ConfigError(f"{out}: has checkpoints but no run.json; give another --out")
    write_text(path, json.dumps(about, indent=2, sort_keys=True) + "\n")
    return checkpoints[-1] if checkpoints else None


def first_difference(stored: Any, now: Any, where: str = "") -> str:
    """The first value that differs between two JSON trees, but for what a resumed run may change; "" if none."""
    if isinstance(stored, dict) and isinstance(now, Mapping):
        for key in sorted({*stored, *now} - _FREE):
            old, new = (tree.get(key, _LATER.get(key)) for tree in (stored, now))
            difference = first_difference(old, new, f"{where}.{key}" if where else key)
            if difference:
                return difference
        return ""
    same = json.dumps(stored, sort_keys=True) == json.dumps(now, sort_keys=True)
    return "" if same else f"{where} ({stored!r}, now {now!r})"


def write_text(path: Path, text: str) -> None:
    """Writes a text file under a temporary name and renames it.

    Raises:
        TrainingError: Where it cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise TrainingError(f"{path}: cannot be written ({error}); free some space and go on with --resume") from error


class RunLog:
    """Scalars and images, to ``log.jsonl`` and TensorBoard.

    Args:
        out: Folder of the run.
        step: Step that the run goes on from; later lines of an interrupted run are dropped.
    """

    def __init__(self, out: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._out = out
        self._path = out / "log.jsonl"
        kept = self._kept_lines(step)
        write_text(self._path, "".join(kept))
        self._board = SummaryWriter(str(out / "tensorboard"), purge_step=step + 1 if step else None)

    def _kept_lines(self, step: int) -> list[str]:
        if not self._path.is_file():
            return []
        kept = []
        for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            try:
                if line.endswith("\n") and parse_json(line, allow_nan=True)["step"] <= step:
                    kept.append(line)
            except (ValueError, KeyError, TypeError):
                continue  # half a line that a kill left behind
        return kept

    def scalars(self, kind: str, step: int, epoch: int, values: Mapping[str, float]) -> None:
        """Writes one line: kind (train or validation), step, epoch and the values."""
        line = json.dumps({"kind": kind, "step": step, "epoch": epoch, **values})
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError as error:
            raise TrainingError(
                f"{self._path}: cannot be written ({error}); free space, go on with --resume"
            ) from error
        with self._board_reported():
            for name, value in values.items():
                self._board.add_scalar(f"{kind}/{name}", value, step)

    def images(self, epoch: int, step: int, grid: Tensor) -> None:
        """Writes a picture (3, H, W) uint8."""
        with self._board_reported():
            self._board.add_image("samples", grid, step)
        done, data = cv2.imencode(".png", np.ascontiguousarray(grid.permute(1, 2, 0).numpy()[..., ::-1]))
        if not done:
            raise TrainingError("samples: picture cannot be encoded")
        folder = self._out / "samples"
        try:
            folder.mkdir(exist_ok=True)
            (folder / f"epoch-{epoch:04d}.png").write_bytes(data.tobytes())
        except OSError as error:
            raise TrainingError(f"{folder}: cannot be written ({error}); free space, go on with --resume") from error

    def close(self) -> None:
        """Flushes TensorBoard."""
        with self._board_reported():
            self._board.close()

    @contextmanager
    def _board_reported(self) -> Iterator[None]:
        """A thread of TensorBoard's writes, and what stopped it comes out at a later call."""
        try:
            yield
        except OSError as error:
            raise TrainingError(
                f"{self._out / 'tensorboard'}: cannot be written ({error}): make room, or bring the folder back, and "
                "go on with --resume"
            ) from error


def image_grid(sources: Tensor, fakes: Tensor, targets: Tensor) -> Tensor:
    """A row per sample: source (its first three channels), generated, real; (3, rows * H, 3 * W) uint8.

    All are (N, C, H, W) in [-1, 1].
    """
    visible = sources[:, :3] if sources.shape[1] >= 3 else sources[:, :1]
    columns = [image.expand(-1, 3, -1, -1) for image in (visible, fakes, targets)]
    rows = torch.cat(columns, dim=3)  # (N, 3, H, 3 W)
    stacked = torch.cat(list(rows), dim=1)  # (3, N H, 3 W)
    return ((stacked.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu()


def _read_run(path: Path) -> Any:
    try:
        stored = parse_json(path.read_bytes(), allow_nan=True)
        if not isinstance(stored, dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not a run of gis ({error}); give another --out") from error
    return stored
