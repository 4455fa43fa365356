"""What the options density and distances ask of the cars, with the boxes that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from renderer.errors import SceneError
from renderer.scene.distances import BoxHeights, Distances, Traffic

from pipelines.backgrounds.geometry.boxes import KnownBox, read_boxes
from pipelines.backgrounds.images import Backgrounds
from pipelines.errors import ConfigError
from pipelines.synthesis.distances import OF_BACKGROUNDS, is_set, range_m
from pipelines.synthesis.options.synthesize import SynthesizeConfig

__all__ = ["read_traffic"]

LEAST_PX, LEAST_BOXES = 4.0, 20
"""Lower boxes are slips of who drew them; fewer tell no distribution."""


def read_traffic(
    config: SynthesizeConfig, backgrounds: Backgrounds | None, report: Callable[[str], None] = lambda line: None
) -> Traffic:
    """What the options ask of the cars.

    Args:
        config: names density, distances and boxes.
        backgrounds: the images of the boxes, where ``distances`` means those.
        report: takes lines for the user.

    Raises:
        BackgroundError: the boxes cannot be read.
        ConfigError: they are of too few cars, or in shares of images of unknown size.
    """
    if config.distances is None:
        return Traffic(config.density, None, config.most_cars, config.vehicle_shares)
    if (between := range_m(config.distances)) is not None:
        return Traffic(config.density, Distances(between), config.most_cars, config.vehicle_shares)
    from pipelines.statistics.run import is_statistics  # with all that statistics are drawn by

    if config.distances != OF_BACKGROUNDS and (is_set(config.distances) or is_statistics(config.distances)):
        return Traffic(config.density, _heights_of_set(config.distances), config.most_cars, config.vehicle_shares)
    path = config.boxes if config.distances == OF_BACKGROUNDS else Path(config.distances)
    assert path is not None
    heights = list(_heights_px(path, read_boxes(path, report), backgrounds))
    _check_count(path, len(heights))
    try:
        return Traffic(config.density, BoxHeights.of(heights), config.most_cars, config.vehicle_shares)
    except SceneError as error:
        raise ConfigError(f"{path}: {error}") from None


def _check_count(path: Path | str, count: int) -> None:
    if count < LEAST_BOXES:
        raise ConfigError(f"{path}: boxes of {count} cars: expected {LEAST_BOXES} or more, to take sizes from")


def _heights_of_set(place: str) -> BoxHeights:
    """Heights of the vehicles of a set, as `gis stats` tells them."""
    from pipelines.synthesis.likeness.like import figures_like  # as above

    vehicles = figures_like(place).kinds.get("vehicle")
    _check_count(place, 0 if vehicles is None else vehicles.count)
    assert vehicles is not None
    return BoxHeights(tuple(max(height, LEAST_PX) for height in vehicles.height_px))


def _heights_px(path: Path, boxes: dict[str, tuple[KnownBox, ...]], backgrounds: Backgrounds | None) -> Iterable[float]:
    """Heights of the cars' boxes in the pixels of their images."""
    images = {} if backgrounds is None else {Path(file.name).stem: file.height for file in backgrounds.files}
    for stem, known in boxes.items():
        for box in known:
            if box.kind != "car" or box.crowd:
                continue
            if box.relative and stem not in images:
                if backgrounds is not None:
                    continue
                raise ConfigError(f"{path}: boxes in shares of images of unknown size: expected boxes in pixels")
            whole = box.in_pixels(1, images.get(stem, 1)).box_px
            if whole[3] - whole[1] >= LEAST_PX:
                yield whole[3] - whole[1]
