"""Whatever gis is given: no traceback, no hang, no gigabytes, nothing executed, nothing written but its output.

A few attacks of each area, the first of those that `make fuzz` makes by the thousand. ``GIS_FUZZ_COUNT`` is how many of
each; what failed is made again by ``python -m fuzz AREA --first NUMBER --count 1``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from fuzz.areas import AREAS, Range, few


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Range]:
    made = Range(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()


@pytest.mark.parametrize("area", AREAS)
def test_damage_is_one_line(area: str, place: Range) -> None:
    found = []
    for number in range(int(os.environ.get("GIS_FUZZ_COUNT", few(area)))):
        attack, faults, box = place.fire(area, number)
        found += [f"{area} {number}, {attack.what[:200]}: {fault}" for fault in faults]
        if not faults:
            shutil.rmtree(box.folder)
    assert not found, "\n".join(found)
