"""An attack, its sandbox, and what is demanded of `gis` whatever it is given."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("server.py")
ROOT = SERVER.parents[2]
GIGABYTE = 1 << 30
MAX_LINES = 60
FAULT = 70
"""Exit code of a fault of gis itself, which also says so."""
CACHES = ("tmp/gis-fault-", "home/.cache", "tmp/blender", "tmp/scene.crash.txt", "home/.config")
"""Tracebacks of faults, which are told apart; Blender's own, of its thumbnails and temporary files."""
LAST_RESORT = re.compile(
    r"Traceback|fault (of|in) gis|a worker failed .*\b[A-Z]\w*(Error|Exception)\b|Segmentation|Exception ignored"
    r"|(Runtime|Future|Deprecation|User|Resource)Warning"
)
"""Words of a program that was taken by surprise."""


@dataclass(frozen=True)
class Attack:
    """A command over damaged inputs in a sandbox."""

    args: tuple[str, ...]
    """Arguments of `gis`; paths lie in the sandbox."""
    what: str
    """What was done to the inputs, for the report."""
    culprit: str = ""
    """Name that a failure must say."""
    made: tuple[str, ...] = ()
    """Outputs that must be there, whatever the damage: of the good ones beside it."""
    decoded_bytes: int = 0
    """Memory that the content rightly takes."""
    limit_s: float = 20.0
    """Time of the processor."""
    may_write: tuple[str, ...] = ()
    """Folders of the sandbox, besides ``out``, that options may name as output."""


class Sandbox:
    """Folders of one attack: ``in`` and ``out`` and what nobody may write to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("in", "home", "tmp", "cwd", "outside", "cache"):
            (folder / name).mkdir(parents=True)
        (folder / "outside" / "secret.txt").write_text("not yours")
        self.inputs, self.out, self.outside = folder / "in", folder / "out", folder / "outside"
        self.canary = folder / "outside" / "EXECUTED"

    def listing(self) -> dict[str, str]:
        """What lies outside the output, and a hash of its content."""
        found = {}
        for top in ("in", "home", "tmp", "cwd", "outside"):
            for path in sorted((self.folder / top).rglob("*")):
                name = str(path.relative_to(self.folder))
                if name.startswith(CACHES):
                    continue
                if path.is_symlink():
                    found[name] = os.readlink(path)
                elif path.is_file() and not path.is_fifo():
                    found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
                else:
                    found[name] = "folder"
        found["."] = " ".join(
            sorted(path.name for path in self.folder.iterdir() if path.name not in ("out", "stdout", "stderr", "x"))
        )
        return found


class Server:
    """The forking process; started when it is first asked."""

    def __init__(self, *, blender: bool = False) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._blender = blender

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Runs a job; see :mod:`fuzz.server`."""
        if self._process is None:
            environment = {
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests", ROOT / "tests" / "pipelines"))),
                "PYTHONWARNINGS": "default",
            }
            environment |= {"GIS_FUZZ_BLENDER": "1"} if self._blender else {}
            self._process = subprocess.Popen(
                [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
            assert self._answer() == "ready"
        assert self._process.stdin is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._answer())
        return answer

    def _answer(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the forking process died")
        return line.strip()

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            try:
                self._process.communicate(timeout=20)
            except subprocess.TimeoutExpired:  # libraries that hang at their end say nothing about gis
                self._process.kill()
                self._process.communicate()
            self._process = None


def judge(attack: Attack, box: Sandbox, server: Server) -> list[str]:
    """Runs an attack; what is wrong with how `gis` took it, nothing where all is well."""
    before = box.listing()
    job = {"args": attack.args, "box": str(box.folder), "limit_s": attack.limit_s, "limit_bytes": 6 * GIGABYTE}
    ended = server.run(job)
    said = (box.folder / "stderr").read_text(errors="replace")
    return [
        *_how_it_ended(ended, attack),
        *_what_it_said(said, ended["code"], attack),
        *_what_it_touched(before, box, attack.may_write),
        *(f"not made: {name}" for name in attack.made if not list(box.out.glob(name))),
    ]


def _how_it_ended(ended: dict[str, Any], attack: Attack) -> list[str]:
    faults = []
    if ended["hung"]:
        faults.append(f"hung: more than {attack.limit_s:.0f} s of the processor, or six times as long by the clock")
    elif ended["code"] not in (0, 1, 2, FAULT):
        faults.append(f"exit code {ended['code']}")
    allowed = GIGABYTE + attack.decoded_bytes
    if ended["grown_bytes"] > allowed:
        faults.append(f"{ended['grown_bytes'] >> 20} MB of memory, expected at most {allowed >> 20}")
    return faults


def _what_it_said(said: str, code: int, attack: Attack) -> list[str]:
    lines = said.splitlines()
    faults = [f"says: {line.strip()[:300]}" for line in lines if LAST_RESORT.search(line)][-1:]
    if "Traceback" in said:
        faults = ["traceback: " + _tail(lines)]
    if len(lines) > MAX_LINES:
        faults.append(f"{len(lines)} lines on stderr")
    if code == 1 and not faults and attack.culprit and attack.culprit not in said:
        faults.append(f"does not name {attack.culprit}: {said.strip()[-300:]}")
    if code == 1 and not said.strip():
        faults.append("fails without a word")
    return faults


def _tail(lines: list[str]) -> str:
    """The last frame of ours in a traceback, and the error."""
    places = [
        line.strip()
        for line in lines
        if line.lstrip().startswith("File ") and str(ROOT) in line and "/tests/" not in line
    ]
    place = places[-1].replace(str(ROOT) + "/", "") if places else "?"
    errors = [line for line in lines if re.match(r"\w[\w.]*(Error|Exception|Interrupt|Bomb\w*)\b", line)]
    return f"{place}: {(errors or lines)[-1][:200]}"


def _what_it_touched(before: dict[str, str], box: Sandbox, allowed: tuple[str, ...]) -> list[str]:
    after = box.listing()
    faults = [f"EXECUTED: {box.canary}"] if box.canary.exists() else []
    new = sorted(name for name in set(after) - set(before) if not name.startswith(allowed or ("?",)))
    changed = sorted(name for name, content in before.items() if after.get(name) != content)
    return faults + [f"written outside --out: {name}" for name in new] + [f"changed: {name}" for name in changed]
