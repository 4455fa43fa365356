"""Kinds of frames that costs are told for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.worker_process import KEEP_MEMORY

__all__ = ["CASES", "ONE_THREAD", "cases"]

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")} | KEEP_MEMORY
"""Variables of a process that is measured: those of a worker."""

CASES: dict[str, dict[str, Any]] = {
    "city": {},
    "night": {"hour": 23.0},
    "rain": {"weather": "rain=1"},
    "snow": {"weather": "snow=1", "season": "winter"},
    "worlds": {"scene": Path("worlds"), "sensor_variety": 0.0},
}
"""Options of `gis synthesize` by the kind's name."""


def cases(backgrounds: Path | None) -> dict[str, dict[str, Any]]:
    """All kinds; those over real frames where a folder of them is given."""
    return CASES if backgrounds is None else {**CASES, "backgrounds": {"backgrounds": backgrounds}}
