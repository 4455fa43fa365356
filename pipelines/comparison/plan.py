"""What is compared: models with their options, data, budget."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from gan.backends.registry import backend_names, load_backend, make_config
from gan.data.options import DataOptions
from gan.options import Option, check_options, new_names, parse_settings

from pipelines.errors import ConfigError

__all__ = ["BASELINE", "MAIN_SET", "CompareConfig", "ComparedModel", "shared_plan", "split_models", "with_new_names"]

BASELINE = "grey copy"
"""Name of the row that hands out the grey source image."""
MAIN_SET = "test"
"""Name of the test set that is split off the training data."""
_DATA, _MODELS, _SCHEDULE, _TESTS, _RUN = "Data", "Models", "Schedule", "Tests", "Run"


@dataclass(frozen=True)
class ComparedModel:
    """One model with its options."""

    spec: str
    """As it was given: ``cyclegan:pairing=paired``."""
    model: str
    """Name in the registry."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Its options that are not the defaults."""

    @property
    def folder(self) -> str:
        """Name of its folder: the spec in letters that every file system takes."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.spec)


def split_models(text: str) -> tuple[str, ...]:
    """Splits ``pix2pix,cyclegan:pairing=paired,emsn=joint,thermalnet`` into models, each with its options.

    Raises:
        ConfigError: There is no name.
    """
    specs: list[str] = []
    for piece in (part.strip() for part in text.split(",")):
        if specs and "=" in piece and ":" not in piece.partition("=")[0]:
            specs[-1] += f",{piece}"
        elif piece:
            specs.append(piece)
    if not specs:
        raise ConfigError(f"models is {text!r}: expected names separated by commas; gis models lists them")
    return tuple(specs)


@dataclass(frozen=True)
class CompareConfig:
    """Everything that `gis compare` needs to know.

    Raises:
        ConfigError: An option of another type or outside of its limits, an unknown model or option of one, or a test
            set that is not there.
    """

    data: Annotated[Path, Option("Training data: source tensors, or the parent of two image folders.", _DATA)]
    out: Annotated[Path, Option("Folder of report.html, compare.json and all runs.", _RUN)]
    models: Annotated[
        tuple[str, ...],
        Option(
            "Models with their options: a,b,c:option=value,option=value.",
            _MODELS,
            parse=split_models,
            suggestions=backend_names,
            old_names=("backends",),
        ),
    ]
    settings: Annotated[
        dict[str, Any],
        Option("Option of every model that has it, as name=value; may be repeated.", _MODELS, flag="set"),
    ] = field(default_factory=dict)
    epochs: Annotated[int, Option("Passes over the training data, the same for all.", _SCHEDULE, at_least=1)] = 200
    batch: Annotated[int, Option("Samples per step.", _SCHEDULE, at_least=1)] = 1
    seed: Annotated[int, Option("Of weights, split, order and augmentation.", _SCHEDULE, at_least=0)] = 0
    budget_minutes: Annotated[
        float | None,
        Option(
            "Training time of each, of a CPU core, or by the clock on a GPU: a model that is too slow for all epochs "
            "takes as many as fit.",
            _SCHEDULE,
            above=0.0,
            default_text="no limit",
        ),
    ] = None
    threads: Annotated[
        int,
        Option("CPU threads of each; one makes runs repeatable and times comparable.", _RUN, at_least=1, at_most=1024),
    ] = 1
    data_options: DataOptions = field(default_factory=DataOptions)
    test_sets: Annotated[  # after the options of the data, one of which had the same old name
        tuple[str, ...],
        Option(
            "One more test set that nothing is trained on, as NAME=DIR; may be repeated.", _TESTS, old_names=("also",)
        ),
    ] = ()
    boxes: Annotated[Path | None, Option("COCO file of the test images: adds the error of each class.", _TESTS)] = None
    checkpoint_minutes: Annotated[
        float,
        Option("Least minutes between checkpoints: what an interruption costs at most.", _RUN, at_least=0.0),
    ] = 1.0
    weights_dir: Annotated[
        Path | None,
        Option("Folder with backbone weights for LPIPS.", _TESTS, default_text="GIS_WEIGHTS, else a download"),
    ] = None
    shown: Annotated[int, Option("Images of each test set in the report.", _TESTS, at_least=1)] = 6

    def __post_init__(self) -> None:
        """Check the options, the models and the test sets."""
        check_options(self)
        _check_models(self.compared, self.settings)
        _check_test_sets(self.test_sets)

    @property
    def compared(self) -> tuple[ComparedModel, ...]:
        """The models, in the order of the report."""
        return tuple(_compared_model(spec, self.settings) for spec in self.models)

    @property
    def test_folders(self) -> dict[str, Path]:
        """The further test sets by name."""
        return {name: Path(folder) for name, _, folder in (text.partition("=") for text in self.test_sets)}


def _compared_model(spec: str, common: Mapping[str, Any]) -> ComparedModel:
    name, _, options = spec.partition(":")
    module = load_backend(name)
    known = {item.name for item in dataclasses.fields(module.Config)}
    own = new_names(module.Config, parse_settings([part for part in options.split(",") if part]))
    settings = {key: value for key, value in new_names(module.Config, common).items() if key in known} | own
    make_config(module.Config, settings, f"options of {spec}")
    return ComparedModel(spec, name, settings)


def _check_models(models: Sequence[ComparedModel], common: Mapping[str, Any]) -> None:
    folders = [one.folder for one in models]
    twice = sorted({one.spec for one in models if folders.count(one.folder) > 1})
    if twice:
        raise ConfigError(f"models names {twice[0]!r} twice: expected each once")
    used = {key for one in models for key in one.settings}
    for name in common if models else ():
        if not any(used & set(new_names(load_backend(one.model).Config, {name: 0})) for one in models):
            raise ConfigError(f"set {name}: no model of this comparison has such an option; gis models lists them")


def _check_test_sets(texts: Sequence[str]) -> None:
    """Checks ``NAME=DIR`` texts.

    Raises:
        ConfigError: A text of another form, a name that is taken, or no such folder.
    """
    names = {MAIN_SET}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name in names:
            raise ConfigError(
                f"test-sets {text}: expected NAME=DIR, NAME of letters and digits, each once, not {MAIN_SET}"
            )
        if not Path(folder).is_dir():
            raise ConfigError(f"test-sets {text}: no such folder {folder}: expected one with visible/ and infrared/")
        names.add(name)


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


def with_new_names(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan from a file, its options named as today."""
    return {**plan, "data_options": new_names(DataOptions, plan["data_options"])}
