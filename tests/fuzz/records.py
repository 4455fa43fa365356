"""Data sets, folders of frames and passes whose records or files are damaged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from fuzz.damage import Rng, broken_json, damaged, json_damage, json_text, sound_png
from fuzz.judge import Attack, Sandbox
from fuzz.models import damage_json_file
from fuzz.prepared import Prepared
from pipelines.export.formats import format_names


def damage_line(path: Path, rng: Rng) -> str:
    """Damages one line of a frames.jsonl, mostly with its hash made right; what was done."""
    lines = path.read_text().splitlines()
    place = int(rng.integers(len(lines)))
    if rng.random() < 0.15:
        data, how = broken_json(lines[place], rng)
        rest = [line.encode() for line in lines]
        rest[place] = data
        path.write_bytes(b"\n".join(rest) + b"\n")
        return f"line {place} {how}"
    record, how = json_damage(json.loads(lines[place]), rng)
    lines[place] = json_text(_sealed(record) if rng.random() < 0.8 else record)
    path.write_text("\n".join(lines) + "\n")
    return how


def _sealed(record: Any) -> Any:
    if not isinstance(record, dict) or "record_sha256" not in record:
        return record
    rest = {key: value for key, value in record.items() if key != "record_sha256"}
    text = json_text(json.loads(json.dumps(rest, sort_keys=True)))
    return {**rest, "record_sha256": hashlib.sha256(text.encode()).hexdigest()}


def damage_file(path: Path, rng: Rng) -> str:
    """Damages any file; what was done."""
    if path.name == "frames.jsonl":
        how = damage_line(path, rng)
    elif path.suffix == ".json":
        how = damage_json_file(path, rng)
    else:
        way = sound_png if path.suffix == ".png" and rng.random() < 0.5 else damaged
        data, how = way(path.read_bytes(), rng)
        path.write_bytes(data)
        if rng.random() < 0.6:
            _give_its_hash(path)
    return f"{path.name}: {how}"


def _give_its_hash(path: Path) -> None:
    """Lets the record of a file vouch for it, so that it is decoded."""
    log = path.parent.parent / "frames.jsonl"
    log = log if log.is_file() else log.parent.parent / "frames.jsonl"
    if not log.is_file():
        return
    name = path.relative_to(log.parent).as_posix()
    records = [json.loads(line) for line in log.read_text().splitlines()]
    for record in records:
        if name in record.get("files", {}):
            record["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    log.write_text("".join(json.dumps(_sealed(record)) + "\n" for record in records))


def _some_file(folder: Path, rng: Rng, share_of_records: float = 0.6) -> Path:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    records = [path for path in files if path.name in ("frames.jsonl", "dataset.json", "config.json", "index.json")]
    records += [path for path in files if path.parent.name == "frames" and path.suffix == ".json"]
    pictures = [path for path in files if path.suffix in (".exr", ".png", ".tar")]
    files = pictures if rng.random() < 0.5 else files
    if records and rng.random() < share_of_records:
        return records[rng.integers(len(records))]
    return files[rng.integers(len(files))]


def validate(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis validate` of a damaged data set or passes."""
    folder = prepared.copy(str(rng.choice(["dataset", "kelvin", "passes"])), box.inputs / "d")
    how = damage_file(_some_file(folder, rng), rng)
    return Attack(("validate", str(folder)), how)


def images(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis validate` of a damaged EXR, PNG or shard whose hash is right."""
    folder = prepared.copy(str(rng.choice(["dataset", "kelvin", "passes"])), box.inputs / "d")
    return Attack(("validate", str(folder)), damage_file(_some_file(folder, rng, 0.0), rng))


def export(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis export` of a damaged data set or folder of frames."""
    kind = str(rng.choice(["dataset", "dataset", "frames"]))
    folder = prepared.copy(kind, box.inputs / "d")
    how = damage_file(_some_file(folder, rng), rng)
    form = str(rng.choice(format_names())) if kind == "dataset" else "tiff"
    more = ("--segments",) if form in ("yolo", "coco", "cvat", "label-studio") and rng.random() < 0.5 else ()
    return Attack(("export", str(folder), "--out", str(box.out), "--format", form, *more), f"{form}: {how}")


def go_on(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """A run that goes on in a folder whose files were damaged."""
    kind = int(rng.integers(3))
    size = ("--size", "64x48", "--workers", "1")
    if kind == 0:
        how = damage_file(_some_file(prepared.copy("dataset", box.out), rng), rng)
        args = ("synthesize", "--count", "3", "--model", "physics", "--tensors", "--layout", "physics", *size)
    elif kind == 1:
        how = damage_file(_some_file(prepared.copy("passes", box.out), rng), rng)
        args = ("render", "--count", "3", *size)
    else:
        how = damage_file(_some_file(prepared.copy("frames", box.out), rng), rng)
        args = ("backgrounds", str(prepared.folder / "thermal"), "--size", "48", "--workers", "1")
    return Attack((*args, "--out", str(box.out)), f"{args[0]} {how}")


def over_frames(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis synthesize` over a folder of `gis backgrounds` whose sidecars were damaged."""
    folder = prepared.copy("frames", box.inputs / "d")
    how = damage_file(_some_file(folder, rng, 0.9), rng)
    args = ("synthesize", "--count", "2", "--model", "physics", "--backgrounds", str(folder), "--size", "64x48")
    return Attack((*args, "--workers", "1", "--out", str(box.out)), how)


ATTACKS = {"validate": validate, "images": images, "export": export, "go_on": go_on, "over_frames": over_frames}
