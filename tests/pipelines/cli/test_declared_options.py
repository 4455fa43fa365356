"""Options that are declared once: the command line, files and checks that follow from a field."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import subprocess
import sys
import tomllib
import typing
from pathlib import Path
from typing import Annotated, Literal

import pytest
from typer.testing import CliRunner

from gan.data.options import DataOptions
from gan.options import Option, declarations, keyword_options, make_options, new_names, option_values
from gan.training.options import TrainingRun, TrainOptions
from pipelines.cli.config_files import config_text, read_config_file, write_config_file
from pipelines.cli.declared_options import is_declared, resolved_values, values_for_file
from pipelines.cli.main import COMMANDS, app, load_command
from pipelines.errors import ConfigError
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig

ROOT = Path(__file__).resolve().parents[3]


def function_of(command: str) -> typing.Callable[..., None]:
    module = __import__(f"pipelines.cli.commands.{command}", fromlist=[command])
    return typing.cast("typing.Callable[..., None]", getattr(module, command))


DECLARED = [name for name in COMMANDS if is_declared(function_of(name))]


def kind_of(command: str) -> type:
    return typing.cast(type, typing.get_type_hints(function_of(command))["config"])


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: Annotated[float, Option("Of change.", above=0.0, at_most=1.0)] = 0.5


@dataclasses.dataclass(frozen=True)
class Outer:
    place: Annotated[Path, Option("Where.", old_names=("location",))]
    kind: Annotated[Literal["a", "b"], Option("Which.")] = "a"
    word: Annotated[str | None, Option("Another.", choices=lambda: ("x", "y"))] = None
    pair: Annotated[tuple[int, int] | None, Option("Two.", flag="two-of-them")] = None
    many: Annotated[tuple[Path, ...], Option("Some.")] = ()
    inner: Inner = dataclasses.field(default_factory=Inner)


def test_plain_values_become_what_the_fields_say() -> None:
    values = {"place": "here", "two_of_them": [1, 2], "many": ["a", "b"], "rate": 1, "word": "y"}
    expected = Outer(Path("here"), "a", "y", (1, 2), (Path("a"), Path("b")), Inner(1.0))
    assert make_options(Outer, values) == expected
    assert make_options(Outer, option_values(expected)) == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "f: place is missing: expected a path"),
        ({"place": 3}, "f: place is 3: expected a path"),
        ({"place": "x", "plaice": "y"}, "f: unknown option 'plaice'; expected one of kind, many, place, rate"),
        ({"place": "x", "kind": "c"}, "f: unknown kind 'c': expected one of a, b"),
        ({"place": "x", "word": "z"}, "f: unknown word 'z': expected one of x, y"),
        ({"place": "x", "rate": 0}, "f: rate is 0: expected above 0 and at most 1"),
        ({"place": "x", "rate": float("nan")}, "f: rate is nan: expected a number"),
        ({"place": "x", "rate": True}, "f: rate is True: expected a number"),
        ({"place": "x", "two_of_them": [1]}, r"f: two-of-them is \[1\]: expected a list of 2"),
        ({"place": "x", "many": "a"}, "f: many is 'a': expected a list, each a path"),
        ({"place": "x", "inner": {"rate": 1}}, "f: unknown option 'inner'"),
    ],
)
def test_mistakes_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_options(Outer, values, "f")


def test_old_names_are_read_once() -> None:
    notes: list[tuple[str, str]] = []
    assert new_names(Outer, {"location": "a"}, lambda *pair: notes.append(pair)) == {"place": "a"}
    assert notes == [("location", "place")]
    with pytest.raises(ConfigError, match="one option"):
        new_names(Outer, {"location": "a", "place": "b"})


def test_an_old_keyword_warns_at_the_line_of_the_caller() -> None:
    def function(**keywords: object) -> Outer:
        return keyword_options(Outer, keywords)

    with pytest.warns(FutureWarning, match="location is now called place") as caught:
        assert function(location="a") == Outer(Path("a"))
    assert [(warning.filename, warning.lineno) for warning in caught] == [
        (__file__, 1 + inspect.getsourcelines(test_an_old_keyword_warns_at_the_line_of_the_caller)[1] + 4)
    ]
    with pytest.raises(ConfigError, match="unknown option 'plaice'"):
        function(plaice="a")


@pytest.mark.parametrize("kind", [TrainOptions, DataOptions])
def test_constructors_check_too(kind: type) -> None:
    with pytest.raises(ConfigError, match=r"(seed|crop) is -1: expected 0 or more"):
        kind(**({"seed": -1} if kind is TrainOptions else {"crop": -1}))


@pytest.mark.parametrize("command", DECLARED)
def test_every_option_has_a_help_text_and_a_panel(command: str) -> None:
    for one in declarations(kind_of(command)):
        assert re.fullmatch(r"[A-Z0-9{].*\.", one.option.help, re.DOTALL), one.name
        assert one.option.panel != "Options", one.name
    for parameter in load_command(command).params:
        assert parameter.help, parameter.name


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_is_80_columns_and_says_what_the_function_says(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    assert max(map(len, done.output.splitlines())) <= 80
    first = (inspect.getdoc(function_of(command)) or "").splitlines()[0]
    assert COMMANDS[command].help == first
    for one in declarations(kind_of(command)) if command in DECLARED else ():
        assert one.option.positional or f"--{one.flag}" in done.output, one.name


def examples(folder: Path) -> dict[str, dict[str, object]]:
    """For each command options that are not the defaults; the files that they name are made."""
    for name in ("data", "more", "images"):
        (folder / name).mkdir()
    (folder / "list.txt").write_text("a\n")
    paths = {name: str(folder / name) for name in ("data", "more", "images", "out", "list.txt")}
    return {
        "render": {"out": paths["out"], "count": 3, "camera": "kitti-object", "size": "64x32", "engine": "cycles"},
        "synthesize": {
            "out": paths["out"], "backgrounds": paths["images"], "model": "physics", "hour": 22.5, "weather": "fog",
            "tensors": True, "layout": "physics", "max_label_error": 0.25, "camera_height": 1.5,
        },
        "translate": {
            "weights": paths["list.txt"], "input": paths["images"], "out": paths["out"], "bits": 16, "threads": 2,
            "noise_seed": 3, "postprocess": "style", "reference": paths["list.txt"], "style_start": "noise",
            "attention": paths["more"], "compile": True,
        },
        "evaluate": {
            "real": paths["images"], "generated": paths["more"], "out": paths["out"], "lpips": "both",
            "features": "none", "boxes": paths["list.txt"], "seed": 3, "device": "cuda",
        },
        "compare": {
            "data": paths["data"], "out": paths["out"], "models": ["pix2pix", "cyclegan:pairing=paired,emsn=joint"],
            "set": {"ngf": 8}, "budget_minutes": 2.5, "size": 64, "test_sets": [f"night={paths['more']}"], "shown": 3,
        },
        "measure": {
            "train": [paths["images"], f"{paths['more']}={paths['data']}"], "test": paths["data"], "out": paths["out"],
            "rows": ["images", "images@25+more"], "classes": ["car", "traffic light"], "steps": 20, "seeds": 2,
            "folds": 4,
        },
        "train": {
            "data": paths["data"], "out": paths["out"], "model": "cyclegan", "epochs": 3,
            "target_range": [270.5, 300.0],
            "extra_data": [paths["more"]], "validation_list": paths["list.txt"], "flip": False,
            "set": {"ngf": 8, "gan_loss": "hinge", "dropout": 0.5, "note": 'quote " and \\ and ü'},
        },
        "backgrounds": {
            "folder": paths["images"], "out": paths["out"], "reflected_C": -40, "window_transmittance": 0.5, "size": 64,
            "byte_order": "big", "unit": "kelvin", "workers": 2,
        },
        "fit": {
            "frames": paths["images"], "boxes": paths["data"], "camera": "kitti-object", "out": paths["out"],
            "cars": paths["more"], "min_px": 30, "layout": "physics", "variants": 3, "review": paths["list.txt"],
        },
        "export": {
            "folder": paths["data"], "out": paths["out"], "format": "yolo", "split": "0.7,0.2,0.1", "seed": 3,
            "segments": True,
        },
        "align": {
            "visible": paths["data"], "infrared": paths["images"], "out": paths["out"], "model": "homography",
            "per_frame": True, "frames": 5,
        },
        "view": {
            "folder": paths["data"], "beside": f"{paths['images']}={paths['list.txt']}", "port": 8080, "open": True,
        },
        "stats": {
            "sets": [paths["data"], f"real:{paths['images']}={paths['list.txt']}"], "out": paths["out"],
            "window": "512x384", "placed_only": True, "pictures": 10,
        },
    }  # fmt: skip


def test_no_command_is_left_out(tmp_path: Path) -> None:
    assert set(examples(tmp_path)) == set(DECLARED)


@pytest.mark.parametrize("command", DECLARED)
def test_saved_options_give_the_same_configuration(command: str, tmp_path: Path) -> None:
    kind, values, file = kind_of(command), examples(tmp_path)[command], tmp_path / "saved" / "run.toml"
    config = make_options(kind, values)
    write_config_file(file, command, values_for_file(config))
    again = make_options(kind, resolved_values(kind, {}, file))
    assert again == config
    assert again != make_options(kind, {one.name: values[one.name] for one in declarations(kind) if one.required})


def test_the_command_line_saves_and_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipelines.synthesis.passes as passes

    seen: list[RenderConfig] = []
    monkeypatch.setattr(passes, "render", lambda config, **_: seen.append(config))
    file, out = str(tmp_path / "a.toml"), str(tmp_path / "out")
    first = ["render", "--out", out, "--count", "3", "--size", "64", "--save-config", file]
    for arguments in (first, ["render", "--config", file], ["render", "--config", file, "--count", "5"]):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
    assert seen[0] == seen[1] == dataclasses.replace(seen[2], count=3)
    assert seen[2].count == 5
    assert tomllib.loads(Path(file).read_text())["out"] == out


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("epochs = 4\nbatch = 2\n[set]\nngf = 4\nndf = 5\n")
    values = resolved_values(TrainingRun, {"epochs": 7, "set": ["ndf=6", "norm=batch"]}, file)
    assert values == {"epochs": 7, "batch": 2, "set": {"ngf": 4, "ndf": 6, "norm": "batch"}}


def test_old_names_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('backend = "physics"\nmax_drift = 0.5\n')
    lines: list[str] = []
    assert resolved_values(SynthesizeConfig, {}, file, lines.append) == {"model": "physics", "max_label_error": 0.5}
    assert [line.split(": ")[1] for line in lines] == [
        "backend is now called model, which is read",
        "max_drift is now called max_label_error, which is read",
    ]


@pytest.mark.parametrize(
    ("command", "old", "new", "value"),
    [
        ("synthesize", "--max-drift", "--max-label-error", "7"),
        ("synthesize", "--backend", "--model", "none"),
        ("train", "--backend", "--model", "none"),
        ("train", "--inserted", "--unpaired-objects", None),
        ("train", "--also", "--extra-data", None),
        ("train", "--recipe", "--config", "no such"),
        ("train", "--matched", "--pair-by-name", None),
        ("train", "--no-matched", "--no-pair-by-name", None),
        ("evaluate", "--fake", "--generated", None),
        ("compare", "--backends", "--models", "none"),
        ("compare", "--also", "--test-sets", "night"),
    ],
)
def test_old_names_on_the_command_line(command: str, old: str, new: str, value: str | None, tmp_path: Path) -> None:
    """Both names are refused for the same value, or accepted alike; the old one with a note."""
    demanded = {"train": ["--data", "none"], "evaluate": ["--real", "none"], "compare": ["--data", "none"]}
    extra = demanded.get(command, []) + (["--models", "pix2pix"] if old == "--also" and command == "compare" else [])
    given = [value or "x"] if "matched" not in old else []
    results = [
        CliRunner().invoke(app, [command, "--out", str(tmp_path / "out"), *extra, flag, *given]) for flag in (old, new)
    ]
    note = f"gis {command}: {old} is now {new}; the next version knows that name alone\n"
    assert results[0].stderr.startswith(note)
    assert results[0].stderr.removeprefix(note) == results[1].stderr
    assert results[0].exit_code == results[1].exit_code == 1
    if value:
        assert value in results[1].stderr
    assert CliRunner().invoke(app, [command, "--help"]).output.count(f"{old} ") == 0


def test_the_old_command_works() -> None:
    done = CliRunner().invoke(app, ["backends", "--json"])
    assert done.stderr == "gis: backends is now models; the next version knows that name alone\n"
    assert done.stdout == CliRunner().invoke(app, ["models", "--json"]).stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [("count = 1.5", "count is 1.5: expected a whole number"), ("cuont = 3", "unknown option 'cuont'"),
     ("count = ", "no TOML"), ("count = 0", "count is 0: expected 1 or more")],
)  # fmt: skip
def test_bad_files_are_one_line(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    done = CliRunner().invoke(app, ["render", "--out", str(tmp_path / "out"), "--config", str(file)])
    assert done.exit_code == 1
    assert done.stderr.startswith(f"gis render: {file}")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_must_be_given_may_stand_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("count = 1\n")
    assert CliRunner().invoke(app, ["render"]).exit_code == 2
    done = CliRunner().invoke(app, ["render", "--config", str(file)])
    assert (done.exit_code, done.stderr) == (1, f"gis render: {file}: out is missing: expected a path\n")


def test_toml_says_what_python_says() -> None:
    values = {"a": True, "b": -3, "c": 1e-7, "d": 'tab\t, "quotes", \\, ü, \x7f, 😀', "e": ["x", "y"], "g": {"h": 1.5}}
    assert tomllib.loads(config_text({**values, "f": None})) == values
    with pytest.raises(ConfigError, match="x is None"):
        config_text({"set": {"x": None}})


def test_shipped_files_of_options_can_be_read() -> None:
    run = make_options(TrainingRun, {**resolved_values(TrainingRun, {}, Path("cars")), "data": "a", "out": "b"})
    assert (run.data_options.crop, run.options.epochs, run.settings["ngf"]) == (192, 14, 24)
    with pytest.raises(ConfigError, match="one of cars"):
        read_config_file(Path("bikes"))


def complete(words: str) -> list[str]:
    environment = {**os.environ, "_GIS_COMPLETE": "complete_bash", "COMP_WORDS": words, "PYTHONPATH": str(ROOT)}
    environment["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli"], capture_output=True, text=True, env=environment, cwd=ROOT, check=True
    )
    return done.stdout.split()


def test_words_are_completed() -> None:
    assert complete("gis synthesize --passes f") == ["flow"]
    assert complete("gis synthesize --weather c") == ["clear", "cloudy"]
    assert complete("gis render --camera kitti-ob") == ["kitti-object"]
    assert complete("gis train --model cyc") == ["cyclegan"]
    assert complete("gis train --config c") == ["cars"]
    assert complete("gis align --model s") == ["similarity"]
    assert complete("gis fit --camera flir-a") == ["flir-adas"]
    assert complete("gis backgrounds x --refl") == ["--reflected-c"]
    assert complete("gis syn") == ["synthesize"]
    assert "--max-label-error" in complete("gis synthesize --max")


def test_the_completion_script_is_shown() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "pipelines.cli", "--show-completion", "bash"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=True)
    assert "_GIS_COMPLETE=complete_bash" in done.stdout
    subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)


def test_the_version_is_printed() -> None:
    assert re.fullmatch(r"gis \d+\.\d+\.\d+\S*\n", CliRunner().invoke(app, ["--version"]).output)


def test_no_default_hides_behind_none() -> None:
    """A file leaves out what is None, so None must be the default wherever it is a value."""
    for command in DECLARED:
        for one in declarations(kind_of(command)):
            optional = type(None) in typing.get_args(one.type)
            assert not optional or one.default is None, (command, one.name)
