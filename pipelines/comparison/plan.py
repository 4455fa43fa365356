"""What is compared: backends with their options, data, budget."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan.backends.registry import load_backend, make_config
from gan.data.options import DataOptions
from gan.options import parse_settings

from pipelines.errors import ConfigError

__all__ = ["BASELINE", "CompareConfig", "Contestant", "parse_also", "parse_backends", "shared_plan"]

BASELINE = "grey copy"
"""Name of the row that hands out the grey source image."""
MAIN_SET = "test"
"""Name of the test set that is split off the training data."""


@dataclass(frozen=True)
class Contestant:
    """One backend with its options."""

    spec: str
    """As it was given: ``cyclegan:pairing=paired``."""
    backend: str
    """Name in the registry."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Values for the backend's ``Config``."""

    @property
    def folder(self) -> str:
        """Name of its folder: the spec in letters that every file system takes."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.spec)


@dataclass(frozen=True)
class CompareConfig:
    """Everything that `gis compare` needs to know."""

    data: Path
    """Training data; see `gan.data.sources`."""
    out: Path
    """Folder of the runs and the report."""
    contestants: tuple[Contestant, ...]
    """What is compared, in the order of the report."""
    epochs: int = 200
    """Passes over the training data, the same for all."""
    batch: int = 1
    """Samples per step."""
    seed: int = 0
    """Of weights, split, order and augmentation."""
    budget_minutes: float | None = None
    """Training time of each: one that is too slow for all epochs takes as many as fit. None: no limit."""
    threads: int = 1
    """CPU threads of each; one makes runs repeatable and times comparable."""
    data_options: DataOptions = field(default_factory=DataOptions)
    """How data are read and split."""
    also: dict[str, Path] = field(default_factory=dict)
    """Further test sets that nothing is trained on, by name."""
    boxes: Path | None = None
    """COCO file with the objects of the test images, for the error of each class."""
    checkpoint_minutes: float = 1.0
    """Least minutes between checkpoints: what a kill costs at most, to the end of an epoch."""
    weights_dir: Path | None = None
    """Folder with backbone weights for LPIPS."""
    shown: int = 6
    """Images of each test set in the report."""


def parse_backends(text: str, shared: Sequence[str] = ()) -> tuple[Contestant, ...]:
    """Reads ``pix2pix,cyclegan:pairing=paired,emsn=joint,thermalnet``.

    Args:
        text: Names separated by commas; options follow a colon, separated by commas too.
        shared: ``name=value`` for every backend that has such an option; a backend's own option goes first.

    Raises:
        ConfigError: no name, one twice, a shared option that no backend has.
        gan.errors.ConfigError: a backend or an option that does not exist, or a value of the wrong kind.
    """
    specs: list[str] = []
    for piece in (part.strip() for part in text.split(",")):
        if specs and "=" in piece and ":" not in piece.partition("=")[0]:
            specs[-1] += f",{piece}"
        elif piece:
            specs.append(piece)
    if not specs:
        raise ConfigError(f"--backends is {text!r}: expected names separated by commas; gis backends lists them")
    common = parse_settings(shared)
    contestants = tuple(_contestant(spec, common) for spec in specs)
    folders = [one.folder for one in contestants]
    twice = sorted({one.spec for one in contestants if folders.count(one.folder) > 1})
    if twice:
        raise ConfigError(f"--backends names {twice[0]!r} twice: expected each once")
    _check_shared(common, contestants)
    return contestants


def _contestant(spec: str, common: Mapping[str, Any]) -> Contestant:
    name, _, options = spec.partition(":")
    module = load_backend(name)
    known = {item.name for item in dataclasses.fields(module.Config)}
    own = parse_settings([part for part in options.split(",") if part])
    settings = {key: value for key, value in common.items() if key in known} | own
    make_config(module.Config, settings, f"options of {spec}")
    return Contestant(spec, name, settings)


def _check_shared(common: Mapping[str, Any], contestants: Sequence[Contestant]) -> None:
    unused = sorted(set(common) - {key for one in contestants for key in one.settings})
    if unused:
        raise ConfigError(
            f"--set {unused[0]}: no backend of this comparison has such an option; gis backends lists them"
        )


def parse_also(texts: Sequence[str]) -> dict[str, Path]:
    """``NAME=DIR`` texts to folders by name.

    Raises:
        ConfigError: a text of another form, a name that is taken, or no such folder.
    """
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name in found or name == MAIN_SET:
            raise ConfigError(
                f"--also {text}: expected NAME=DIR, NAME of letters and digits, each once, not {MAIN_SET}"
            )
        if not Path(folder).is_dir():
            raise ConfigError(f"--also {text}: no such folder {folder}; expected one with visible/ and infrared/")
        found[name] = Path(folder)
    return found


def shared_plan(config: CompareConfig, data: Mapping[str, Any], also: Mapping[str, str]) -> dict[str, Any]:
    """What all runs of one report have in common, as JSON values; folders appear by the hash of what they hold."""
    return {
        "schema": "gis-compare",
        "version": 1,
        "epochs": config.epochs,
        "batch": config.batch,
        "seed": config.seed,
        "budget_minutes": config.budget_minutes,
        "threads": config.threads,
        "data_options": dataclasses.asdict(config.data_options),
        "data": dict(data),
        "also": dict(also),
    }
