"""What `gis evaluate` is told; apart from the work, so that asking for its options loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from gan.options import Option, check_options, option_values

from pipelines.errors import ConfigError

__all__ = ["Backbone", "EvaluateConfig", "config_values"]

Backbone = Literal["alex", "vgg"]
_IMAGES, _MEASURES, _REGION, _OUTPUT = "Images", "Measures", "Region", "Output"


def _backbones(option: str, text: str) -> tuple[str, ...]:
    """Networks from ``alex,vgg``, ``both`` or ``none``.

    Raises:
        ConfigError: Another word.
    """
    if text in ("none", "both"):
        return () if text == "none" else get_args(Backbone)
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not set(names) <= set(get_args(Backbone)):
        raise ConfigError(f"{option} is {text!r}: expected alex, vgg, both or none")
    return names


@dataclass(frozen=True)
class EvaluateConfig:
    """What to compare, and how.

    Raises:
        ConfigError: An option of another type or outside of its limits, or options that do not go together.
    """

    real: Annotated[Path, Option("Folder of real images (or a data set with images/).", _IMAGES)]
    generated: Annotated[
        Path, Option("Folder of generated images of the same names (or with images/).", _IMAGES, old_names=("fake",))
    ]
    out: Annotated[
        Path | None, Option("Folder of metrics.json and report.html.", _OUTPUT, default_text="nothing is written")
    ] = None
    lpips: Annotated[
        tuple[Backbone, ...],
        Option(
            "Backbones of LPIPS, with a comma between them; both; or none.",
            _MEASURES,
            parse=partial(_backbones, "lpips"),
        ),
    ] = ("alex",)
    features: Annotated[
        tuple[Backbone, ...],
        Option(
            "Backbones of the distances between the two sets, with a comma between them; both; or none.",
            _MEASURES,
            parse=partial(_backbones, "features"),
        ),
    ] = ("alex",)
    inception: Annotated[Path | None, Option("Weights of the published Inception: adds FID.", _MEASURES)] = None
    weights_dir: Annotated[
        Path | None, Option("Folder with backbone weights.", _MEASURES, default_text="GIS_WEIGHTS, else a download")
    ] = None
    masks: Annotated[Path | None, Option("Folder of masks of the same names: only non-zero pixels count.", _REGION)] = (
        None
    )
    boxes: Annotated[
        Path | None, Option("COCO file, or {name: [[x0, y0, x1, y1]]}: only pixels inside count.", _REGION)
    ] = None
    unpaired: Annotated[
        bool, Option("The folders show different scenes: only the distances between the two sets.", _IMAGES)
    ] = False
    sequences: Annotated[
        Path | None, Option("JSON file {name: sequence}: intervals are taken over whole sequences.", _MEASURES)
    ] = None
    seed: Annotated[int, Option("Seed of the confidence intervals.", _MEASURES, at_least=0)] = 0
    device: Annotated[str, Option("Torch device of the backbones: cpu, cuda, cuda:1 ...", _MEASURES)] = "cpu"

    def __post_init__(self) -> None:
        """Check the options, one by one and together."""
        check_options(self)
        if self.masks is not None and self.boxes is not None:
            raise ConfigError("both masks and boxes were given: expected one region; leave one out")
        if self.unpaired and not (self.features or self.inception):
            raise ConfigError(
                "unpaired folders need features for a distance between distributions: expected alex, vgg or inception"
            )
        if self.unpaired and (self.masks or self.boxes):
            raise ConfigError("a region needs pairs: expected neither masks nor boxes, or no --unpaired")


def config_values(config: EvaluateConfig) -> dict[str, Any]:
    """What metrics.json says of the configuration; folders by their last name, so that the place makes no difference.

    The folder of generated images is ``fake`` there.
    """
    values = option_values(config)
    paths = [name for name in values if isinstance(getattr(config, name), Path)]
    values |= {name: getattr(config, name).name for name in paths}
    return {"fake" if name == "generated" else name: value for name, value in values.items() if name != "out"}
