"""The sets of a measurement, and which of their images a training sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.detection.config import MeasureConfig
from pipelines.detection.labelled_images import LabelledImage, LabelledImages, open_labelled
from pipelines.detection.plan import Row, Training, folds_of, parse_rows, part_images
from pipelines.errors import ConfigError

__all__ = ["Inputs"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """The sets, opened."""

    sets: dict[str, LabelledImages]
    test: LabelledImages
    rows: tuple[Row, ...]
    tested: str
    """Name of the set that is trained on and tested; "" where none is."""
    folds: list[int]
    """Fold of each test image; all 0 where nothing of them is trained on."""

    @classmethod
    def open(cls, config: MeasureConfig, log: Callable[[str], None] = lambda line: None) -> Inputs:
        """Opens all sets; raises what `pipelines.detection.labelled_images.open_labelled` does."""
        places = {
            place: open_labelled(place, config.classes, report=log)
            for place in dict.fromkeys((*config.train, config.test))
        }
        names = [places[place].name for place in config.train]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise ConfigError(f"two sets are named {double!r}: rename a folder, so that rows can tell them apart")
        sets, test = {places[place].name: places[place] for place in config.train}, places[config.test]
        tested = test.name if config.test in config.train else ""
        rows = parse_rows(config.rows, tuple(sets))
        return cls(sets, test, rows, tested, folds_of(test, config.folds) if tested else [0] * len(test.images))

    def trained_on(self, training: Training) -> dict[str, list[int]]:
        """Images of each set in a training: never one that is tested, nor one made over one that is tested."""
        tested = {image.name for image in self.tested_by(training)} if training.fold >= 0 else set()
        chosen = {}
        for part in training.row.parts:
            images = self.sets[part.name]
            allowed = [k for k, one in enumerate(images.images) if not {one.name, one.background} & tested]
            chosen[part.name] = part_images(images, allowed, part.percent, training.seed)
        return chosen

    def tested_by(self, training: Training) -> list[LabelledImage]:
        """Images that a training is tested on."""
        every = zip(self.test.images, self.folds, strict=True)
        return [image for image, fold in every if training.fold in (-1, fold)]
