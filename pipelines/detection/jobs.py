"""What worker processes do for a measurement: features of a set, or one training and its test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.detection.augmentation import window_px
from pipelines.detection.config import MeasureConfig
from pipelines.detection.features import TrainingViews, make_views
from pipelines.detection.inference import find_objects
from pipelines.detection.inputs import Inputs
from pipelines.detection.labelled_images import LabelledImages
from pipelines.detection.network import DetectionNetwork, FrozenLayers, imagenet_backbone
from pipelines.detection.plan import Training
from pipelines.detection.training import FreshViews, KeptViews, TrainingShare, train_detector

__all__ = ["TrainingJob", "ViewsJob"]

Found = dict[str, list[list[float]]]
"""By image: left, top, right, bottom, score, class of each find."""


@dataclass(frozen=True)
class ViewsJob:
    """Computes the features of one set, by number."""

    config: MeasureConfig
    inputs: Inputs

    def open(self) -> AbstractContextManager[Callable[[int], str]]:
        """The function gives the set's name."""

        @contextlib.contextmanager
        def opened() -> Iterator[Callable[[int], str]]:
            yield lambda number: _views(self.config, list(self.inputs.sets.values())[number])[1]

        return opened()


def _views(config: MeasureConfig, images: LabelledImages) -> tuple[TrainingViews, str]:

    def layers() -> FrozenLayers:
        return FrozenLayers(imagenet_backbone(config.weights_dir))

    views = make_views(
        images, layers, config.out / "features", at_least=config.windows, window_px=window_px(config.input_width)
    )
    return views, images.name


@dataclass(frozen=True)
class TrainingJob:
    """Runs one training, by number."""

    config: MeasureConfig
    inputs: Inputs
    trainings: tuple[Training, ...]

    def open(self) -> AbstractContextManager[Callable[[int], dict[str, Any]]]:
        """The function gives the number of images and the finds."""

        @contextlib.contextmanager
        def opened() -> Iterator[Callable[[int], dict[str, Any]]]:
            views: dict[str, TrainingViews] = {}
            yield lambda number: _run(self.config, self.inputs, views, self.trainings[number])

        return opened()


def _share(
    config: MeasureConfig, images: LabelledImages, views: dict[str, TrainingViews], chosen: list[int], weight: float
) -> TrainingShare:
    """Some images of a set as they are trained on; ``views`` keeps the features of the sets."""
    if config.all_layers:
        return FreshViews(images, np.array(chosen, np.int64), window_px(config.input_width), weight)
    if images.name not in views:
        views[images.name] = _views(config, images)[0]
    return KeptViews(views[images.name], views[images.name].rows_of(chosen), weight)


def _run(config: MeasureConfig, inputs: Inputs, views: dict[str, TrainingViews], training: Training) -> dict[str, Any]:

    chosen, weights = inputs.trained_on(training), {part.name: part.weight for part in training.row.parts}
    network = train_detector(
        [_share(config, inputs.sets[name], views, rows, weights[name]) for name, rows in chosen.items()],
        lambda: DetectionNetwork(
            imagenet_backbone(config.weights_dir), len(config.classes), all_layers=config.all_layers
        ),
        steps=config.steps,
        seed=training.seed,
    )
    layers = None if config.all_layers else FrozenLayers(imagenet_backbone(config.weights_dir))
    found: Found = {}
    for image in inputs.tested_by(training):
        finds = find_objects(layers, network, image.read(), config.input_width)
        columns = np.column_stack([finds.boxes_px, finds.scores, finds.classes])
        found[image.name] = np.round(columns.astype(np.float64), 4).tolist()
    return {"images": sum(map(len, chosen.values())), "found": found}
