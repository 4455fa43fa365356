"""Which training data, and how they are read, split and varied, as options; asking for them loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from gan.data.bands import parse_bands
from gan.errors import ConfigError
from gan.options import Option, check_options

__all__ = ["DataOptions"]

_DATA, _SPLIT, _VARIATION = "Data", "Split", "Augmentation"


@dataclass(frozen=True)
class DataOptions:
    """Where the data are and how they are split.

    Raises:
        ConfigError: An option of another type, or outside of its limits.
    """

    source_dir: Annotated[str, Option("Folder of source images below the data.", _DATA)] = "visible"
    target_dir: Annotated[str, Option("Folder of infrared images below the data.", _DATA)] = "infrared"
    source_bands: Annotated[
        str | None,
        Option(
            "Bands of the channels of source images, which the model file then names: mwir; red,green,blue; or "
            "NAME:LOW-HIGH in micrometres.",
            _DATA,
            default_text="not said",
        ),
    ] = None
    pair_by_name: Annotated[
        bool,
        Option(
            "Unpaired training: images of the same names are pairs, where every image has a partner, and validate as "
            "such.",
            _SPLIT,
            old_names=("matched",),
        ),
    ] = True
    size: Annotated[
        int | None,
        Option(
            "Crop and scale all images to this edge, pixels.",
            _DATA,
            at_least=8,
            default_text="as they are, all of one size",
        ),
    ] = None
    target_range: Annotated[
        tuple[float, float] | None,
        Option("Target values that become black and white.", _DATA, default_text="the full range of the integer type"),
    ] = None
    validation: Annotated[
        float,
        Option("Share of the images to validate, by whole sequences; 0 for none.", _SPLIT, at_least=0.0, below=1.0),
    ] = 0.1
    validation_list: Annotated[
        str | None, Option("Text file with the names that validate, instead of a share.", _SPLIT)
    ] = None
    train_list: Annotated[
        str | None, Option("Text file with the names that train.", _SPLIT, default_text="all that do not validate")
    ] = None
    sequences: Annotated[
        str | None,
        Option("JSON file {name: sequence} for the split.", _SPLIT, default_text="from samples or names"),
    ] = None
    flip: Annotated[bool, Option("Mirror half of the images left to right.", _VARIATION)] = True
    jitter: Annotated[
        float,
        Option(
            "Largest magnification of a random crop; the paper's 286 to 256 pixels is 1.117, and 1 is off.",
            _VARIATION,
            at_least=1.0,
        ),
    ] = 1.0
    crop: Annotated[
        int,
        Option(
            "Edge in pixels of windows that are cut around the objects of source tensors, one object a sample and "
            "epoch; 0 takes whole images.",
            _VARIATION,
            at_least=0,
        ),
    ] = 0
    crop_zoom: Annotated[
        float,
        Option(
            "Windows are magnified or reduced at random by up to this factor; one that holds a larger object is "
            "reduced.",
            _VARIATION,
            at_least=1.0,
        ),
    ] = 1.0
    tone: Annotated[
        float,
        Option(
            "Strength of random tone curves on target and background, as of other gain controls; 0 is off.",
            _VARIATION,
            at_least=0.0,
        ),
    ] = 0.0
    match_levels: Annotated[
        float,
        Option(
            "Share of the sources of layout physics whose picture is given the target's levels.",
            _VARIATION,
            at_least=0.0,
            at_most=1.0,
        ),
    ] = 0.0
    unpaired_objects: Annotated[
        str | None,
        Option(
            "Folder of source tensors of objects where no real one was, as many a step as there are pairs: no "
            "targets, so only losses that need none see them.",
            _DATA,
            old_names=("inserted",),
        ),
    ] = None
    extra_data: Annotated[
        tuple[str, ...],
        Option(
            "One more folder of source tensors, of the same layout and size: its samples train, and never validate; "
            "may be repeated.",
            _DATA,
            old_names=("also",),
        ),
    ] = ()
    resident: Annotated[bool, Option("Keep all images in the device's memory.", "Machine")] = False

    def __post_init__(self) -> None:
        """Check the options, one by one and together."""
        check_options(self)
        if self.source_bands is not None:
            parse_bands(self.source_bands)
        if self.target_range is not None and not self.target_range[0] < self.target_range[1]:
            low, high = self.target_range
            raise ConfigError(f"target-range is {low:g} to {high:g}: expected two rising values")
