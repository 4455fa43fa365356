"""What `gis measure` is told; apart from the work, so that asking for its options loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from gan.options import Option, check_options

from pipelines.errors import ConfigError

__all__ = ["BATCH", "MeasureConfig"]

BATCH = 4
"""Windows of one step."""
_LEAST_WINDOWS, _TIMES_SEEN = 1200, 3
_DATA, _TRAINING, _OUTPUT = "Images", "Training", "Output"


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


@dataclass(frozen=True)
class MeasureConfig:
    """On what detectors are trained, and on what they are tested.

    Raises:
        ConfigError: An option of another type or outside of its limits, or options that do not go together.
    """

    train: Annotated[
        tuple[str, ...],
        Option(
            "A set to train on: a data set, a folder of images with labels, or FRAMES=LABELS; may be repeated.", _DATA
        ),
    ]
    test: Annotated[
        str,
        Option("Real images with labels to test on; one that is trained on too is cross-validated.", _DATA),
    ]
    out: Annotated[Path, Option("Folder of the results; a run that was cut short goes on in it.", _OUTPUT)]
    rows: Annotated[
        tuple[str, ...],
        Option(
            "What is trained on, by the sets' folder names: A,B,A+B,A@25+3*B: @25 takes a quarter of A's images, and "
            "3*B fills three times as much of each batch as A.",
            _TRAINING,
            parse=_names,
            default_text="each set alone, and all together",
        ),
    ] = ()
    classes: Annotated[tuple[str, ...], Option("What is looked for.", _DATA, parse=_names)] = (
        "car", "person", "bicycle",
    )  # fmt: skip
    steps: Annotated[int, Option("Steps of each training, of 4 windows.", _TRAINING, at_least=1)] = 600
    seeds: Annotated[int, Option("Trainings of each row, whose spread is told.", _TRAINING, at_least=1)] = 3
    folds: Annotated[int, Option("Parts of a set that is trained on and tested.", _TRAINING, at_least=2)] = 3
    views: Annotated[
        int | None,
        Option(
            "Augmented windows of each set, at least one an image; 0.7 MB each on disk.",
            _TRAINING, at_least=1, default_text="a third of the windows that a training takes, at least 1200",
        ),
    ] = None  # fmt: skip
    input_width: Annotated[
        int,
        Option(
            "Width that images are brought to, pixels: smaller objects are found at more, a step costs its square.",
            _TRAINING, at_least=160, at_most=1280,
        ),
    ] = 400  # fmt: skip
    all_layers: Annotated[
        bool,
        Option(
            "Train the low layers too, on windows drawn anew at each step: nothing is kept on disk, a step costs 1.7.",
            _TRAINING,
        ),
    ] = False  # fmt: skip
    report_share: Annotated[
        float,
        Option(
            "Report on so many of the tested images, by whole sequences, and show the others apart to choose by.",
            _DATA, at_least=0.0, at_most=0.9, default_text="no split",
        ),
    ] = 0.0  # fmt: skip
    workers: Annotated[
        int | None,
        Option("Trainings at a time.", _TRAINING, at_least=1, default_text="one per core", decides_content=False),
    ] = None
    weights_dir: Annotated[
        Path | None,
        Option("Folder with SqueezeNet's weights.", _TRAINING, default_text="GIS_WEIGHTS", decides_content=False),
    ] = None

    @property
    def windows(self) -> int:
        """Augmented windows of each set. Seen more often than three times, they are learned by heart."""
        return self.views or max(_LEAST_WINDOWS, BATCH * self.steps // _TIMES_SEEN)

    def __post_init__(self) -> None:
        check_options(self)
        if self.all_layers and self.views is not None:
            raise ConfigError("--views and --all-layers: windows are drawn anew there, none is kept; give one of them")
        if not self.train or not self.classes:
            raise ConfigError("nothing to train on: expected --train with a set, and at least one class")
