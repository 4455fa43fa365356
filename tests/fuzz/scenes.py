"""Damaged .blend files and car models, by Blender itself."""

from __future__ import annotations

import functools
import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

from fuzz.damage import Rng, damaged
from fuzz.judge import Attack, Sandbox
from fuzz.prepared import Prepared

NUMBERS = ("nan", "inf", "-inf", "1e30", "-1e38", "1e400", "999999999", "-1", "0", "x", "1e-40", "9" * 400)
TEXTS = (".obj", ".ply", ".stl", ".usda")
CANARY = "/tmp/gis-fuzz-canary"


@functools.cache
def base() -> dict[str, bytes]:
    """Whole files by name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).with_name("make_scene.py")), folder, CANARY]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def words_damaged(data: bytes, rng: Rng) -> tuple[bytes, str]:
    """A text with some numbers replaced."""
    lines = data.decode("utf-8", "replace").split("\n")
    value = NUMBERS[rng.integers(len(NUMBERS))]
    for _ in range(int(rng.choice([1, 3, 200]))):
        place = int(rng.integers(len(lines)))
        words = lines[place].split(" ")
        words[rng.integers(len(words))] = value
        lines[place] = " ".join(words)
    return "\n".join(lines).encode(), f"numbers {value[:10]}"


def scene(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis render --scene` of a damaged .blend, plain or packed."""
    kind = str(rng.choice(["scene", "packed", "gzip"]))
    data = base()["packed.blend" if kind == "packed" else "scene.blend"]
    if kind == "gzip":
        data = gzip.compress(data)
    data, how = damaged(data, rng)
    (box.inputs / "scene.blend").write_bytes(data)
    args = ("render", "--scene", str(box.inputs / "scene.blend"), "--count", "1", "--size", "64x48", "--workers", "1")
    return Attack((*args, "--out", str(box.out)), f"{kind} {how}", limit_s=40)


def cars(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis render --cars` of a damaged model."""
    files = base()
    name = str(rng.choice(sorted(name for name in files if name != "packed.blend")))
    sound = name.endswith(TEXTS) and rng.random() < 0.7
    data, how = (words_damaged if sound else damaged)(files[name], rng)
    (box.inputs / name).write_bytes(data)
    args = ("render", "--cars", str(box.inputs / name), "--count", "1", "--size", "64x48", "--workers", "1")
    return Attack((*args, "--out", str(box.out)), f"{name} {how}", limit_s=60)


ATTACKS = {"scene": scene, "cars": cars}
