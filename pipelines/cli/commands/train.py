"""`gis train` and `gis backends`: options in, one call to `gan`, a few lines out."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from pipelines.errors import ConfigError

__all__ = ["backends", "parse_settings", "train"]

Precision = Literal["auto", "fp32", "bf16"]
_Compile = Annotated[bool, typer.Option("--compile", help="Compile the networks: slower start, faster steps.")]
_PairByName = Annotated[
    bool,
    typer.Option(
        "--pair-by-name/--no-pair-by-name",
        "--matched/--no-matched",
        help="Unpaired training: images of the same names are pairs to validate on.",
    ),
]
_TargetRange = Annotated[
    tuple[float, float] | None, typer.Option(help="Target values that become black and white.", metavar="LOW HIGH")
]
_Validation = Annotated[float, typer.Option(help="Share of the images to validate, by whole sequences; 0: none.")]
_Crop = Annotated[
    int, typer.Option(min=0, help="Edge of windows cut around the objects of source tensors; 0: whole images.")
]
_MatchLevels = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Share of sources of layout physics that get the target's levels.")
]
_UnpairedObjects = Annotated[
    Path | None,
    typer.Option(
        "--unpaired-objects",
        "--inserted",
        help="Folder of source tensors of objects where no real one was; they have no targets.",
    ),
]
_ExtraData = Annotated[
    list[Path] | None,
    typer.Option(
        "--extra-data", "--also", help="More source tensors, which train and never validate; may be repeated."
    ),
]
_Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Option of the backend, as name=value; may be repeated.")
]
_Recipe = Annotated[
    Path | None, typer.Option(help="TOML file of options, or the name of a shipped one; options given here win.")
]
_OF_ONE_RUN = (
    "context",
    "return",
    "data",
    "extra_data",
    "unpaired_objects",
    "out",
    "resume",
    "cache",
    "settings",
    "recipe",
)
"""Parameters of the command that a recipe cannot set: the backend's settings are its table ``set``."""


def train(
    context: typer.Context,
    data: Annotated[Path, typer.Option(help="Source tensors of gis synthesize, or the parent of two image folders.")],
    out: Annotated[Path, typer.Option(help="Folder of the run: checkpoints, log, images, model.safetensors.")],
    backend: Annotated[str, typer.Option(help="Translation model; gis backends lists them.")] = "pix2pix",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training data.")] = 200,
    batch: Annotated[int, typer.Option(min=1, help="Samples per step and device.")] = 1,
    accumulate: Annotated[int, typer.Option(min=1, help="Batches whose gradients make one step.")] = 1,
    precision: Annotated[Precision, typer.Option(help="auto takes bf16 where the hardware multiplies it.")] = "auto",
    compile: _Compile = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in --out stopped.")] = False,
    devices: Annotated[int, typer.Option(min=1, help="Devices of this machine; torchrun overrules it.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, split, order, augmentation and noise.")] = 0,
    ema: Annotated[float, typer.Option(help="Decay of the averaged weights; 0 for none.")] = 0.999,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves the choice to torch.")] = 0,
    source_dir: Annotated[str, typer.Option(help="Folder of source images below --data.")] = "visible",
    target_dir: Annotated[str, typer.Option(help="Folder of infrared images below --data.")] = "infrared",
    pair_by_name: _PairByName = True,
    size: Annotated[int | None, typer.Option(min=8, help="Crop and scale all images to this edge in pixels.")] = None,
    target_range: _TargetRange = None,
    validation: _Validation = 0.1,
    validation_list: Annotated[Path | None, typer.Option(help="Text file: names that validate.")] = None,
    train_list: Annotated[Path | None, typer.Option(help="Text file: names that train.")] = None,
    sequences: Annotated[Path | None, typer.Option(help="JSON file {name: sequence} for the split.")] = None,
    flip: Annotated[bool, typer.Option(help="Mirror half of the images.")] = True,
    jitter: Annotated[float, typer.Option(min=1.0, help="Largest zoom of a random crop; the paper's is 1.117.")] = 1.0,
    crop: _Crop = 0,
    crop_zoom: Annotated[float, typer.Option(min=1.0, help="Largest random magnification of windows.")] = 1.0,
    tone: Annotated[float, typer.Option(min=0.0, help="Strength of random tone curves, as of other cameras.")] = 0.0,
    match_levels: _MatchLevels = 0.0,
    extra_data: _ExtraData = None,
    unpaired_objects: _UnpairedObjects = None,
    resident: Annotated[bool, typer.Option("--resident", help="Keep all images in the device's memory.")] = False,
    cache: Annotated[Path | None, typer.Option(help="Folder for decoded images; default OUT/cache.")] = None,
    validate_every: Annotated[int, typer.Option(min=1, help="Epochs between validations.")] = 1,
    log_every: Annotated[int, typer.Option(min=1, help="Steps between log lines.")] = 50,
    checkpoint_every: Annotated[int, typer.Option(min=0, help="Steps between checkpoints; 0: ends of epochs.")] = 0,
    checkpoint_minutes: Annotated[float, typer.Option(min=0, help="Least minutes between ends of epochs saved.")] = 5.0,
    keep: Annotated[int, typer.Option(min=1, help="Checkpoints kept.")] = 2,
    weights_dir: Annotated[Path | None, typer.Option(help="Folder with backbone weights for LPIPS.")] = None,
    settings: _Settings = None,
    recipe: _Recipe = None,
) -> None:
    """Trains a translation model and writes one small file to share, OUT/model.safetensors."""
    # The options of gan are named as the command's, so each dataclass picks its own; before any other local name.
    path = _train(context, dict(locals()))
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB; use it with gis translate --weights {path}")


def _train(context: typer.Context, given: dict[str, Any]) -> Path:
    """Trains with the options of the command, those of its recipe under them; returns the model's file."""
    values: dict[str, Any] = {}
    if given["recipe"] is not None:
        options, values = read_recipe(given["recipe"])
        given |= _not_on_the_command_line(context, options, given["recipe"])
    from gan.backends.registry import load_backend
    from gan.data.options import DataOptions
    from gan.options import new_names
    from gan.training.options import TrainOptions
    from gan.training.train import train as run

    kind = load_backend(given["backend"]).Config
    values = new_names(kind, values) | new_names(
        kind, parse_settings(given["settings"] or ()), lambda old, new: typer.echo(f"--set {old} is now called {new}")
    )
    given["extra_data"] = tuple(str(folder) for folder in given["extra_data"] or ())
    return run(
        given["data"],
        given["out"],
        given["backend"],
        values,
        _pick(TrainOptions, given),
        _pick(DataOptions, given),
        resume=given["resume"],
        cache=given["cache"],
        say=typer.echo,
    )


def _not_on_the_command_line(context: typer.Context, options: dict[str, Any], recipe: Path) -> dict[str, Any]:
    """A recipe's options less those that stand on the command line too.

    Raises:
        ConfigError: An option that a recipe cannot set, or a value of another type than the option's.
    """
    types = get_type_hints(train)
    for name, value in sorted(options.items()):
        if name not in types or name in _OF_ONE_RUN:
            raise ConfigError(f"recipe {recipe}: {name!r} is no option of gis train that a recipe can set")
        if not _is_a(value, types[name]):
            plain = isinstance(types[name], type)
            expected = (
                types[name].__name__ if plain else str(types[name]).replace("typing.", "").replace("pathlib.", "")
            )
            raise ConfigError(f"recipe {recipe}: {name} is {value!r}: expected {expected}, as of gis train --help")
    return {name: value for name, value in options.items()
            if not str(context.get_parameter_source(name)).endswith("COMMANDLINE")}  # fmt: skip


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a value of a TOML file is one of an option's type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return any(_is_a(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        pairs = isinstance(value, list) and len(value) == len(arguments)
        return pairs and all(_is_a(*pair) for pair in zip(value, arguments, strict=True))
    if kind is float:
        return type(value) in (int, float)
    return type(value) is (str if kind is Path else kind)


def backends(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Lists the translation models: paper, pairing, default options, parameters."""
    from gan.backends.registry import list_models

    rows = [dataclasses.asdict(model) for model in list_models()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        counts = ", ".join(f"{name} {count / 1e6:.1f} M" for name, count in row["parameters"].items())
        typer.echo(f"{row['name']}  ({row['pairing']}; {counts} parameters)\n    {row['paper']}")
        typer.echo("    " + " ".join(f"{name}={value}" for name, value in row["config"].items()))


def read_recipe(recipe: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the command and of the backend from a TOML file.

    Args:
        recipe: File, or name of one in ``assets/recipes`` without its suffix.

    Returns:
        The values of its top level, and those of its table ``set``.

    Raises:
        ConfigError: Where there is no such file, or it is no TOML.
    """
    from assets import RECIPES

    path = recipe if recipe.suffix or recipe.exists() else RECIPES / f"{recipe}.toml"
    try:
        options = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(sorted(one.stem for one in RECIPES.glob("*.toml")))
        raise ConfigError(f"{recipe}: no such recipe: expected a TOML file, or one of {known}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: no TOML ({error})") from error
    backend = options.pop("set", {})
    if not isinstance(backend, dict):
        raise ConfigError(f"{path}: set is {backend!r}: expected a table of the backend's options")
    return options, backend


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """``name=value`` texts to values: numbers, true, false and null as in JSON, all else text.

    Raises:
        ConfigError: Where a text has no name or stands twice.
    """
    values: dict[str, Any] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or not name or name in values:
            raise ConfigError(f"--set {text}: expected name=value, each name once")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def _pick(kind: Any, given: dict[str, Any]) -> Any:
    """Fills a dataclass of options from the command's, by name; paths become text."""
    names = [field.name for field in dataclasses.fields(kind) if field.name in given and given[field.name] is not None]
    return kind(**{name: str(given[name]) if isinstance(given[name], Path) else given[name] for name in names})
