"""Runs a comparison: one worker after the other, then the report; goes on where it was stopped."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from gan.options import keyword_options
from gan.processes import isolated_environment
from gan.training.run_folder import first_difference

from pipelines.comparison.plan import MAIN_SET, CompareConfig, ComparedModel, shared_plan, with_new_names
from pipelines.comparison.report import write_report
from pipelines.comparison.samples import TestSet, open_test_set, read_objects, write_test_set
from pipelines.comparison.tables import Comparison, measure
from pipelines.errors import ConfigError
from pipelines.io.files import locked_folder, make_folder, read_object, remove_temporaries, write_json

__all__ = ["compare", "run_comparison"]


@dataclass(frozen=True)
class _Opened:
    sets: dict[str, TestSet]
    plan: dict[str, Any]


def compare(
    data: str | PathLike[str],
    models: str | Sequence[str],
    out: str | PathLike[str],
    *,
    test_sets: Mapping[str, str | PathLike[str]] | None = None,
    log: Callable[[str], None] = lambda text: None,
    **options: Any,
) -> Comparison:
    """Trains several models alike and measures them on the same images, as `gis compare` does.

    Args:
        data: Training data: source tensors, or the parent of ``visible/`` and ``infrared/``.
        models: Models with their options: ``"pix2pix,cyclegan:pairing=paired"``, or a list of such names.
        out: Folder of the runs, ``report.html`` and ``compare.json``; an interrupted comparison goes on in it.
        test_sets: Folders of further test sets that nothing is trained on, by name.
        log: Takes lines for the user.
        options: Those of `gis compare` by name: epochs, budget_minutes, size, validation, boxes, set ...; see
            `pipelines.comparison.plan.CompareConfig`.

    Returns:
        ``rows`` of figures, the baseline first; a model that failed has its ``error`` there.

    Raises:
        ConfigError: An option that cannot work, or a folder that holds another comparison.
        DataError: Data that cannot be used.
        OutputError: Files that cannot be written.

    Examples:
        >>> import pipelines
        >>> result = pipelines.compare("roadscene", "pix2pix,thermalnet", "out", size=128)  # doctest: +SKIP
        >>> [(row.name, row.means["test"]["psnr_dB"]["mean"]) for row in result.rows]  # doctest: +SKIP
    """
    texts = [f"{name}={os.fspath(folder)}" for name, folder in (test_sets or {}).items()]
    values = {**options, "data": data, "models": models, "out": out, "test_sets": texts}
    return run_comparison(keyword_options(CompareConfig, values), log=log)


def run_comparison(config: CompareConfig, *, log: Callable[[str], None] = lambda text: None) -> Comparison:
    """Trains, translates and measures every model, and writes ``report.html`` and ``compare.json``.

    A model that fails leaves one line in its row, and is tried again by the next call; finished ones are not.

    Args:
        config: What to compare.
        log: Takes lines for the user.

    Raises:
        ConfigError: A folder that holds another comparison.
        DataError: Data that cannot be used.
        OutputError: Files that cannot be written.
    """
    with locked_folder(config.out):
        return _run(config, log)


def _run(config: CompareConfig, log: Callable[[str], None]) -> Comparison:
    opened = _open(config)
    _open_plan(config.out, opened.plan)
    objects = read_objects(config.boxes, config.data_options.size) if config.boxes else None
    for name, images in opened.sets.items():
        write_test_set(images, config.out / "sets" / name)
    for number, model in enumerate(config.compared, 1):
        log(f"{number}/{len(config.models)} {model.spec}: {_run_model(config, model)}")
    result = measure(config, opened.sets, objects, log)
    write_report(config, opened.plan, result)
    return result


def _open(config: CompareConfig) -> _Opened:
    cache = config.out / "cache"
    main, about = open_test_set(config.data, config.data_options, cache, seed=config.seed)
    sets, also = {MAIN_SET: main}, {}
    for name, folder in config.test_folders.items():
        sets[name], described = open_test_set(folder, config.data_options, cache, everything=True)
        also[name] = described["sha256"]
    return _Opened(sets, shared_plan(config, about, also))


def _open_plan(out: Path, plan: dict[str, Any]) -> None:
    """Writes the plan, or checks that the folder holds the same one; other models may join it."""
    path = out / "plan.json"
    if path.is_file():
        different = first_difference(with_new_names(read_object(path)), plan)
        if different:
            raise ConfigError(f"{out}: holds a comparison with another {different}; give the same, or another --out")
        remove_temporaries(out)
        return
    make_folder(out)
    write_json(path, plan)


def _run_model(config: CompareConfig, model: ComparedModel) -> str:
    """Runs one worker unless its result is there; returns a line for the user."""
    out = config.out / "runs" / model.folder
    job = _job(config, model, out)
    path = out / "job.json"
    if (out / "result.json").is_file():
        different = first_difference(read_object(path).get("settings"), model.settings)
        if different:
            raise ConfigError(f"{out}: was trained with another {different}; give the same, or another --out")
        return "done before"
    make_folder(out)
    write_json(path, job)
    (out / "error.txt").unlink(missing_ok=True)
    code = _call(path, out / "worker.log", config.threads)
    if code and not (out / "error.txt").is_file():
        (out / "error.txt").write_text(_last_words(code, out / "worker.log") + "\n", encoding="utf-8")
    return "done" if not code else f"failed: {read_error(out)}"


def read_error(out: Path) -> str:
    """The line that a failed worker left, "" where there is none."""
    path = out / "error.txt"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _job(config: CompareConfig, model: ComparedModel, out: Path) -> dict[str, Any]:
    return {
        **dataclasses.asdict(model),
        "out": str(out.resolve()),
        "data": str(config.data.resolve()),
        "cache": str((config.out / "cache").resolve()),
        "also": {name: str(folder.resolve()) for name, folder in config.test_folders.items()},
        "data_options": dataclasses.asdict(config.data_options),
        "epochs": config.epochs,
        "batch": config.batch,
        "seed": config.seed,
        "threads": config.threads,
        "budget_minutes": config.budget_minutes,
        "checkpoint_minutes": config.checkpoint_minutes,
        "weights_dir": str(config.weights_dir or ""),
    }


def _call(job: Path, log: Path, threads: int) -> int:
    """Exit status of a worker; it is ended with this process where that is interrupted."""
    environment = isolated_environment({**os.environ, "OMP_NUM_THREADS": str(threads)}, sys.path)
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.comparison.worker", str(job)],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=environment,
        )
        try:
            return process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise


def _last_words(code: int, log: Path) -> str:
    if code < 0:
        return f"ended by signal {-code}; it may have run out of memory; give the same command to go on"
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"ended with status {code}"
