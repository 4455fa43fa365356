"""Cameras, files of options, and every option of every command with values that nobody means."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from fuzz.damage import HUGE, Rng, broken_json, damaged, json_damage, json_text
from fuzz.judge import Attack, Sandbox
from fuzz.prepared import CAMERA, NETWORK, Prepared

PLACES = ("/proc/version", "/dev/null", "/dev/zero", "/proc/self/mem", "/sys", "FIFO", "FOLDER", "TEXT", "NOISE")
VALUES = (
    "", " ", "\n", "-1", "0", "-0.0", "nan", "inf", "-inf", "1e400", "1e308", "1e-320", "9" * 400, "2147483648",
    "9223372036854775808", "1.5", "1_000", "１２", "24", "0 1", "1,2", "x", "\x1b[31mred", "../x", "..", ".", "~",
    "a" * 300, "é漢", "\udcff\udcfe", "true", "none", "both", "auto", "0x0", "1x1", "8192x8192", "100000x1", "64x48x3",
    "name=value", "ngf=-1", "ngf=x", "=", "a=b=c", "{}", "[]", "*", "%s%n", "$(touch EXECUTED)", "`touch EXECUTED`",
    "; touch EXECUTED", "cuda:99", "cpu", "meta", "pix2pix", "pix2pix,thermalnet", "os.system", "winter", *PLACES,
)  # fmt: skip
CONFIGURED = ("render", "synthesize", "backgrounds", "train", "translate", "evaluate", "align", "fit", "compare")
COUNTS = {"count", "epochs", "passes", "variants", "style_steps", "steps", "repeats", "seeds"}
"""Options that say how much is done: a huge number of them is done, and takes its time."""
WRITTEN = {"out", "save_config", "attention", "cache", "folder"}
"""Options whose value is written to: they get no place outside of the sandbox."""


def _value(option: Any, rng: Rng, box: Sandbox) -> str:
    value = str(rng.choice([one for one in VALUES if len(one) < 9 or option.name not in COUNTS])).replace(
        "EXECUTED", str(box.canary)
    )
    if value not in PLACES or option.name in WRITTEN:
        return "x" if value in PLACES else value
    made = box.inputs / value
    if value == "FIFO":
        os.mkfifo(made)
    elif value == "FOLDER":
        made.mkdir(exist_ok=True)
    elif value in ("TEXT", "NOISE"):
        made.write_bytes(b"hello\n" if value == "TEXT" else rng.bytes(3000))
    return value if value.startswith("/") else str(made)


def command(name: str, box: Sandbox, prepared: Prepared) -> list[str]:
    """A command line that works; of a command that is not known here one with what it demands."""
    folder, out = prepared.folder, f"--out {box.out}"
    pictures, data, boxes = folder / "pairs" / "infrared", folder / "dataset", folder / "boxes.json"
    size = f"--size 64x48 --workers 1 {out}"
    known = {
        "backgrounds": f"{folder / 'thermal'} --size 48 --workers 1 {out}",
        "render": f"--count 1 {size}",
        "synthesize": f"--count 1 --model physics {size}",
        "fit": f"--frames {pictures} --boxes {boxes} --camera {folder / 'camera.json'} --min-px 60 --workers 1 {out}",
        "align": f"--visible {pictures} --infrared {pictures} {out}",
        "train": f"--data {data} {out} --epochs 1 {' '.join(NETWORK)}",
        "translate": f"--weights {folder}/run/model.safetensors --input {data} --engine torch --threads 1 {out}",
        "evaluate": f"--real {pictures} --generated {pictures} --lpips none --features none {out}",
        "compare": f"--data {folder / 'missing'} --models pix2pix --epochs 1 {out}",
        "export": f"{data} {out}",
        "stats": f"{data} {out}",
        "validate": f"{data}",
        "addon": f"build {out}",
        "models": "",
        "doctor": out,
    }
    if name in known:
        return [name, *known[name].split()]
    demanded = [option for option in _options(name) if option.required and option.param_type_name == "option"]
    return [name, *(f"{one.opts[0]}={box.out if one.name == 'out' else data}" for one in demanded)]


def _options(name: str) -> list[Any]:
    from pipelines.cli.main import load_command

    return [one for one in load_command(name).params if one.name != "help"]


def _some_command(rng: Rng, names: Sequence[str]) -> str:
    """One of the commands; seldom `fit`, which loads the car models for seconds before it reads anything."""
    ending = [name for name in names if name != "view"]  # serves until it is told to end
    return str(rng.choice([name for name in ending if name != "fit" or rng.random() < 0.15]))


def options(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """One or two options of a command, as they are declared now, with a nasty value."""
    from pipelines.cli.main import COMMANDS

    name = _some_command(rng, sorted(COMMANDS))
    known, args = _options(name), command(name, box, prepared)
    for _ in range(int(rng.integers(1, 3))):
        if not known:
            break
        option = known[rng.integers(len(known))]
        value = _value(option, rng, box)
        if option.param_type_name == "argument":
            args[1 : 2 if len(args) > 1 else 1] = [value]
        elif getattr(option, "is_flag", False):
            args.append(rng.choice([*option.opts, *option.secondary_opts]))
        else:
            flag = option.opts[0]
            if flag in args:
                at = args.index(flag)
                del args[at : at + 2]
            args += [flag, *([value] * option.nargs)] if option.nargs > 1 else [f"{flag}={value}"]
    said = " ".join(one[:60] for one in args if str(prepared.folder) not in one and str(box.folder) not in one)
    return Attack(tuple(map(str, args)), said, limit_s=30, may_write=("cwd",))


def camera(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """A damaged file of intrinsics."""
    toml = rng.random() < 0.5
    path = box.inputs / ("camera.toml" if toml else "camera.json")
    about = {
        **CAMERA,
        "height_m": 1.6,
        "pitch_deg": 1.0,
        "sensor": "tau2",
        "K": [[60.0, 0, 32], [0, 60, 24], [0, 0, 1]],
        "distortion": [0, 0, 0, 0, 0],
    }
    if rng.random() < 0.5:
        del about["K"]
    changed, how = json_damage(about, rng)
    if toml:
        path.write_bytes(_toml(changed, rng))
    elif rng.random() < 0.15:
        data, how = broken_json(json.dumps(about), rng)
        path.write_bytes(data)
    else:
        path.write_text(json_text(changed))
    name = _some_command(rng, ("render", "synthesize", "fit"))
    args = command(name, box, prepared)
    if "--camera" in args:
        args[args.index("--camera") + 1] = str(path)
    else:
        args += ["--camera", str(path)]
        if rng.random() < 0.5:
            at = args.index("--size")
            del args[at : at + 2]
    return Attack(tuple(args), f"{name} {path.name} {how}")


def _toml(values: dict[str, Any], rng: Rng) -> bytes:
    lines = [f"{key} = {_toml_value(value)}" for key, value in values.items()]
    data = ("\n".join(lines) + "\n").encode("utf-8", "replace")
    return damaged(data, rng)[0] if rng.random() < 0.15 else data


def _toml_value(value: Any) -> str:
    if value is None:
        return '"null"'
    if value == HUGE:
        return "9" * 400
    if isinstance(value, float):
        return {"nan": "nan", "inf": "inf"}.get(str(value), repr(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return json.dumps(value)


def config(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """A file of options with values of every kind for the options as they are declared now."""
    name = _some_command(rng, CONFIGURED)
    known = [option.name for option in _options(name)]
    values: dict[str, Any] = {}
    nasty = (
        None, True, -1, 0, 1.5, 10**9, 2**63, float("nan"), float("inf"), HUGE, "", "x", "../x", "a" * 300, "\x1b[31m",
        "/proc/version", [], {}, [1, 2], {"a": 1}, [[1]], ["a"],
    )  # fmt: skip
    for _ in range(int(rng.integers(1, 3))):
        key = str(rng.choice([*known, "set", "unknown", "config"]))
        values[key] = nasty[rng.integers(len(nasty))]
    path = box.inputs / "options.toml"
    path.write_bytes(
        [
            _toml(values, rng),
            damaged(_toml(values, rng), rng)[0],
            b"a = " + b"[" * 5000,
            b"[[set]]\na=1\n",
            b"\xff\xfe",
        ][rng.choice(5, p=[0.8, 0.1, 0.04, 0.03, 0.03])]
    )
    args = command(name, box, prepared)
    for key in values:  # what the command line says would win
        flag = f"--{key.replace('_', '-')}"
        if flag in args and flag != "--out":
            at = args.index(flag)
            del args[at : at + 2]
    return Attack((*args, f"--config={path}"), f"{name} {str(values)[:100]}", limit_s=30, may_write=("cwd",))


ATTACKS = {"options": options, "camera": camera, "config": config}
