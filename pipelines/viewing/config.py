"""What `gis view` is told; apart from the work, so that asking for its options loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from gan.options import Option, check_options

__all__ = ["ViewConfig"]

_SETS, _PAGE = "Sets", "Page"


@dataclass(frozen=True)
class ViewConfig:
    """A set to look at.

    Raises:
        ConfigError: An option of another type or outside of its limits.
    """

    folder: Annotated[
        str,
        Option(
            "A data set (packed ones too), a folder of images with labels, or FRAMES=LABELS.", _SETS, positional=True
        ),
    ]
    beside: Annotated[
        str | None,
        Option("A real set, or a stats.json, whose charts stand beside.", _SETS, default_text="the set alone"),
    ] = None
    port: Annotated[
        int, Option("Port on this machine, 0 to 65535; 0: any that is free.", _PAGE, at_least=0, at_most=65535)
    ] = 0
    open: Annotated[bool, Option("Open the page in the browser of this desktop.", _PAGE)] = False
    pictures: Annotated[
        int, Option("Pictures of each set that the charts look at, evenly spaced.", _SETS, at_least=0)
    ] = 200

    def __post_init__(self) -> None:
        """Check the options."""
        check_options(self)
