"""Makes attacks by number, `make fuzz`: ``python -m fuzz [AREA ...] --count N --first N --out DIR``.

Each number is one attack of each area. What fails is kept below the folder, with what gis said; the same number makes
the same attack again, and ``--first`` goes on where a run stopped.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from fuzz.areas import AREAS, Range

_PROGRESS_S = 20.0


def main() -> int:
    given = _arguments()
    areas = [area for area in AREAS if not given.areas or area.startswith(tuple(given.areas))]
    shutil.rmtree(given.out, ignore_errors=True)
    given.out.mkdir(parents=True)
    seen: Counter[str] = Counter()
    place, made, shown = Range(given.out.resolve()), 0, time.monotonic()
    for seed in range(given.first, given.first + given.count):
        for area in areas:
            found = _fire(place, area, seed)
            made += 1
            seen.update(found)
        if time.monotonic() - shown > _PROGRESS_S:
            shown = time.monotonic()
            print(f"{made} attacks, {seen.total()} faults; --first {seed + 1} goes on from here", flush=True)
    place.close()
    shutil.rmtree(given.out / "whole")
    print(f"{made} attacks, {seen.total()} faults" + "".join(f"\n{n:6} {kind}" for kind, n in seen.most_common()))
    return int(bool(seen))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description="Attacks gis with damaged inputs.")
    parser.add_argument("areas", nargs="*", help=f"beginnings of names; all: {', '.join(AREAS)}")
    parser.add_argument("--count", type=int, default=100, help="attacks of each area")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"), help="folder of what failed; emptied before")
    return parser.parse_args()


def _fire(place: Range, area: str, seed: int) -> set[str]:
    """Makes one attack and says what was wrong; the kinds of its faults."""
    attack, faults, box = place.fire(area, seed)
    if not faults:
        shutil.rmtree(box.folder)
    faults = [fault.replace(str(box.folder), "BOX") for fault in faults]
    for fault in faults:
        print(f"{area} {seed}: {fault}\n    {attack.what[:200]!r}", flush=True)
    return {re.sub("[0-9]+", "#", fault)[:150] for fault in faults}


if __name__ == "__main__":
    sys.exit(main())
