"""Scenes made, rendered by Blender and by gis, and compared."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
ENGINES = ("raster", "cycles")
ALLOWED_SHARE = 1e-4
DEPTH_RELATIVE = 1e-3
PROBE_PX = 0.02
"""Blender's camera computes in float32."""


def run_jobs(script: str, jobs: Sequence[dict[str, Any]], done: str, *, knows_gis: bool, timeout_s: float) -> None:
    """Run a script over jobs in one process; after a crash another process goes on behind the scene that crashed.

    Args:
        script: file beside this one.
        jobs: what it does, one after the other.
        done: key of a job with the file that is there when the job is done.
        knows_gis: whether the process can import gis.
        timeout_s: for each process.
    """
    left = [job for job in jobs if not Path(job[done]).exists()]
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if knows_gis:
        variables["PYTHONPATH"] = str(ROOT)
    while left:
        todo = Path(left[0][done]).with_suffix(".todo.json")
        todo.write_text(json.dumps(left))
        command = [sys.executable, str(HERE / script), str(todo)]
        try:
            run = subprocess.run(
                command, cwd=HERE, env=variables, capture_output=True, text=True, timeout=timeout_s, check=False
            )
            said = f"ended with {run.returncode}: {run.stderr[-2000:]}"
        except subprocess.TimeoutExpired:
            said = f"was not done after {timeout_s} s"
        left = [job for job in left if not Path(job[done]).exists()]
        if left:
            np.savez(left[0][done], error=f"{script} {said}")
            left = left[1:]


def render_all(folder: Path, scenes: Sequence[dict[str, Any]], timeout_s: float = 900) -> None:
    """Make scenes (jobs of ``make_scenes.py`` with a ``name``) in a folder and render them three times."""
    made = [{**scene, "path": str(folder / f"{scene['name']}.blend")} for scene in scenes]
    run_jobs("make_scenes.py", made, "path", knows_gis=False, timeout_s=timeout_s)
    paths = [Path(job["path"]) for job in made]
    oracle = [{"scene": str(path), "out": str(path.with_suffix(".blender.npz"))} for path in paths]
    run_jobs("blender_side.py", oracle, "out", knows_gis=False, timeout_s=timeout_s)
    for engine in ENGINES:
        ours = [
            {"scene": str(path), "engine": engine, "out": str(path.with_suffix(f".{engine}.npz"))} for path in paths
        ]
        run_jobs("gis_side.py", ours, "out", knows_gis=True, timeout_s=timeout_s)


def faults(folder: Path, name: str, engine: str) -> list[str]:
    """What is wrong in a scene with an engine, one line each."""
    expected = json.loads((folder / f"{name}.json").read_text())
    theirs, ours = (dict(np.load(folder / f"{name}.{who}.npz")) for who in ("blender", engine))
    for who, got in (("blender", theirs), ("gis", ours)):
        if "error" in got:
            return [f"{who}: {str(got['error']).strip()[-1500:]}"]
    if "refused" in ours:
        since, word = expected["refused"] or (math.inf, "")
        right = since <= expected["first"] and word in str(ours["refused"])
        return [] if right else [f"refused: {ours['refused']}"]
    lines, wrong, total = [], 0, 0
    for index in expected["frames"]:
        since, word = expected["refused"] or (index + 1, None)
        refused = word if index >= since - expected["first"] else None
        if refused or f"refused_{index}" in ours:
            lines += _refusal(ours, index, refused)
            continue
        frame = _Frame(theirs, ours, index)
        noted = engine == "raster" and _is_noted(ours, index, expected)
        lines += [f"frame {index}: {line}" for line in frame.faults(noted)]
        wrong, total = wrong + frame.wrong_depths, total + frame.pixels
    if wrong > ALLOWED_SHARE * total:
        lines.append(f"{wrong} of {total} depths differ")
    return lines


def _refusal(ours: dict[str, Any], index: int, expected: str | None) -> list[str]:
    said = str(ours.get(f"refused_{index}", ""))
    if expected and expected in said:
        return []
    return [f"frame {index}: refused: {said!r}, expected {expected!r}"]


def _is_noted(ours: dict[str, Any], index: int, expected: dict[str, Any]) -> bool:
    """Whether a note names what the z-buffer cannot draw."""
    notes = " ".join(note for note in ours[f"notes_{index}"].tolist() if not note.startswith("zones of"))
    return any(name in notes for name in expected["noted"])


class _Frame:
    """One frame by both."""

    def __init__(self, theirs: dict[str, Any], ours: dict[str, Any], index: int) -> None:
        self.depth, self.things, self.doubtful = (theirs[f"{key}_{index}"] for key in ("depth", "things", "doubtful"))
        self.hard = theirs[f"hard_{index}"]
        """Pixels near what a z-buffer cannot draw."""
        self.names, self.probes = theirs[f"names_{index}"], theirs[f"probes_{index}"]
        self.depth_m, self.ids = ours[f"depth_{index}"], ours[f"ids_{index}"]
        self.category = {int(number): str(name) for number, name in ours[f"categories_{index}"].reshape(-1, 2)}
        self.camera, self.pose = ours[f"camera_{index}"], ours[f"pose_{index}"]
        self.pixels, self.wrong_depths = self.depth.size, 0

    def faults(self, noted: bool) -> list[str]:
        """What is wrong; near what is hard to draw nothing is, where that was ``noted``."""
        if self.depth.shape != self.depth_m.shape:
            return [f"{self.depth_m.shape} pixels, Blender's picture has {self.depth.shape}"]
        with np.errstate(invalid="ignore"):
            same = np.isclose(self.depth_m, self.depth, rtol=DEPTH_RELATIVE, atol=0)
        looked_at = ~(self.hard & noted)
        self.wrong_depths = int((~same & looked_at).sum())
        same &= looked_at
        return [*self._oracle_faults(same), *self._camera_faults(), *self._identity_faults(same)]

    def _oracle_faults(self, same: np.ndarray[Any, Any]) -> list[str]:
        lost = int(((self.things < 0) & same & ~self.hard).sum())
        return [f"the oracle found no surface at {lost} pixels"] if lost > ALLOWED_SHARE * self.pixels else []

    def _camera_faults(self) -> list[str]:
        fx, fy, cx, cy = self.camera
        # By the inverse, for a camera below a scaled parent is sheared in Blender too.
        local = (self.probes[:, :3] - self.pose[:3, 3]) @ np.linalg.inv(self.pose[:3, :3]).T
        seen = np.stack([fx * local[:, 0] / local[:, 2] + cx, fy * local[:, 1] / local[:, 2] + cy], axis=1)
        off = float(np.abs(seen - self.probes[:, 3:]).max())
        return [f"intrinsics are off by {off:.2f} px (fx {fx:.1f})"] if off > PROBE_PX else []

    def _identity_faults(self, same: np.ndarray[Any, Any]) -> list[str]:
        """The ids are a renaming of the things, with their categories."""
        compared = same & ~self.doubtful & np.isfinite(self.depth) & (self.things >= 0)
        things, ids = self.things[compared], self.ids[compared].astype(np.int64)
        pairs, counts = np.unique(np.stack([things, ids]), axis=1, return_counts=True)
        partner: dict[int, int] = {0: 0}
        wrong, lines = 0, []
        for k in np.argsort(-counts):
            thing, number = int(pairs[0, k]), int(pairs[1, k])
            if thing not in partner and number not in partner.values():
                partner[thing] = number
            wrong += int(counts[k]) if partner.get(thing) != number else 0
        if wrong > ALLOWED_SHARE * self.pixels:
            table = ", ".join(
                f"{self.names[t]}->{n}: {c}" for t, n, c in zip(*pairs, counts, strict=True) if partner.get(t) != n
            )
            lines.append(f"ids of {wrong} pixels differ ({table})")
        for thing, number in partner.items():
            wanted = str(self.names[thing]).split("|")[0]
            if thing and number and self.category.get(number) != wanted:
                lines.append(f"id {number} ({self.names[thing]}) is {self.category.get(number)!r}, expected {wanted!r}")
        return lines


def main() -> None:
    """``python judge_scenes.py FOLDER [NAME ...]``: each feature alone, or random scenes (names ``seed12``)."""
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    render_all(folder, [job_of(name) for name in names])
    for name in names:
        for engine in ENGINES:
            lines = faults(folder, name, engine)
            print(f"{'ok  ' if not lines else 'FAIL'} {name} {engine}", *lines, sep="\n       ", flush=True)


def job_of(name: str) -> dict[str, Any]:
    """``seed12``; or features by their names with + between them, and perhaps @0.01 behind for the unit's metres."""
    if name.startswith("seed"):
        return {"name": name, "seed": int(name[4:])}
    features, _, unit = name.partition("@")
    return {"name": name, "features": features.split("+"), "metres_per_unit": float(unit or 1)}


if __name__ == "__main__":
    main()
