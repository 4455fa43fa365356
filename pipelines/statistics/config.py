"""What `gis stats` is told; apart from the work, so that asking for its options loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from gan.options import Option, check_options

from pipelines.errors import ConfigError

__all__ = ["StatsConfig"]

_SETS, _OUTPUT = "Sets", "Output"


@dataclass(frozen=True)
class StatsConfig:
    """Sets to look at beside each other.

    Raises:
        ConfigError: An option of another type or outside of its limits.
    """

    sets: Annotated[
        tuple[str, ...],
        Option(
            "Data sets, folders of images with labels, FRAMES=LABELS, or a stats.json; NAME:SET gives one a name.",
            _SETS,
            positional=True,
        ),
    ]
    out: Annotated[
        Path | None,
        Option("Folder for stats.json, stats.md and stats.png.", _OUTPUT, default_text="nothing is written"),
    ] = None
    window: Annotated[
        str | None,
        Option(
            "Count only the centred WIDTHxHEIGHT of larger frames, as --camera of gis synthesize cuts them.",
            _SETS,
            default_text="whole frames",
        ),
    ] = None
    placed_only: Annotated[
        bool, Option("Of frames over real backgrounds only what was put into them.", _SETS, default_text="all objects")
    ] = False
    pictures: Annotated[
        int,
        Option(
            "Pictures of each set to look at, evenly spaced, for contrast, grey levels and noise; 0: labels alone.",
            _SETS,
            at_least=0,
        ),
    ] = 400

    def __post_init__(self) -> None:
        """Check the options."""
        check_options(self)
        if not self.sets:
            raise ConfigError("no set: expected a data set, a folder of images with labels, or FRAMES=LABELS")
        _ = self.window_px

    @property
    def window_px(self) -> tuple[int, int] | None:
        """Width and height of the window that counts."""
        from pipelines.cameras import parse_size

        return None if self.window is None else parse_size(self.window)
