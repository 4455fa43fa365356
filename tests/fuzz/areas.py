"""All attacks by name, and how many of each the ordinary suite makes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fuzz import labels, metadata, models, pictures, records, scenes, settings
from fuzz.damage import Rng
from fuzz.judge import Attack, Sandbox, Server, judge
from fuzz.prepared import Prepared

__all__ = ["AREAS", "Range", "attack", "few"]

_ROOMS = {
    "pictures": pictures, "metadata": metadata, "models": models, "records": records, "labels": labels,
    "settings": settings, "scenes": scenes,
}  # fmt: skip
AREAS: dict[str, Callable[[Rng, Sandbox, Prepared], Attack]] = {
    f"{room}.{name}": make for room, module in _ROOMS.items() for name, make in module.ATTACKS.items()
}
_FEW = {"settings.options": 20, "scenes.scene": 3, "scenes.cars": 3, "pictures.fit": 1, "labels.fit": 1}
_NEED_BLENDER = ("scenes.",)
"""Their workers load Blender, which is loaded before they are forked."""


def few(area: str) -> int:
    """How many of an area's attacks the ordinary suite makes."""
    return _FEW.get(area, 5)


def needs_blender(area: str) -> bool:
    """Whether an attack of this area reaches Blender."""
    return area.startswith(_NEED_BLENDER)


def attack(area: str, seed: int, box: Sandbox, prepared: Prepared) -> Attack:
    """The attack of that number: the same whenever it is made."""
    return AREAS[area](np.random.default_rng([zlib.crc32(area.encode()), seed]), box, prepared)


class Range:
    """Where attacks are made: two forking processes, one with Blender, and whole outputs to damage."""

    def __init__(self, folder: Path) -> None:
        self._servers = {False: Server(), True: Server(blender=True)}
        self._folder = folder
        self.prepared = Prepared(folder / "whole", self._servers[False])

    def fire(self, area: str, seed: int) -> tuple[Attack, list[str], Sandbox]:
        """Makes an attack; what was wrong with how it was taken."""
        box = Sandbox(self._folder / f"{area}-{seed}")
        made = attack(area, seed, box, self.prepared)
        return made, judge(made, box, self._servers[needs_blender(area)]), box

    def close(self) -> None:
        """Ends the processes."""
        for server in self._servers.values():
            server.close()
