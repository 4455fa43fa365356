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
    overlapping: frozenset[str]
    """Names of the sets of which some images are tested too, or were made from one that is."""
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
        overlapping = frozenset(name for name, one in sets.items() if one is test or _shows(one, test))
        rows = parse_rows(config.rows, tuple(sets))
        folds = folds_of(test, config.folds) if overlapping else [0] * len(test.images)
        return cls(sets, test, rows, overlapping, folds)

    def trained_on(self, training: Training) -> dict[str, list[int]]:
        """Images of each set in a training: never one that is tested, nor one made from one that is tested.

        Of a set that was made from the images of another, of which the row takes a share, only what was made from
        that share is taken: otherwise it would bring the labels of the rest along.
        """
        tested = {image.name for image in self.tested_by(training)} if training.fold >= 0 else set()
        chosen: dict[str, list[int]] = {}
        left_out: set[str] = set()
        for part in training.row.parts:
            images = self.sets[part.name].images
            allowed = [k for k, one in enumerate(images) if not {one.name, one.background} & tested]
            chosen[part.name] = rows = part_images(self.sets[part.name], allowed, part.percent, training.seed)
            left_out |= {images[k].name for k in set(allowed) - set(rows)}
        return {name: self._not_made_from(left_out, name, rows) for name, rows in chosen.items()}

    def _not_made_from(self, left_out: set[str], name: str, rows: list[int]) -> list[int]:
        images = self.sets[name].images
        return [row for row in rows if images[row].background not in left_out]

    def objects(self, training: Training) -> list[int]:
        """Labelled objects of each class that a training sees."""
        seen = [self.sets[name].chosen(rows) for name, rows in self.trained_on(training).items()]
        return [sum(one.count(number) for one in seen) for number in range(len(self.test.classes))]

    def tested_by(self, training: Training) -> list[LabelledImage]:
        """Images that a training is tested on."""
        every = zip(self.test.images, self.folds, strict=True)
        return [image for image, fold in every if training.fold in (-1, fold)]


def _shows(images: LabelledImages, test: LabelledImages) -> bool:
    """Whether some images were made from tested ones."""
    return not {image.background for image in images.images}.isdisjoint({image.name for image in test.images})
