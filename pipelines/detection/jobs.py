"""What worker processes do for a measurement: features of a set, or one training and its test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.detection.config import MeasureConfig
from pipelines.detection.features import TrainingViews, make_views
from pipelines.detection.inference import find_objects
from pipelines.detection.inputs import Inputs
from pipelines.detection.labelled_images import LabelledImages
from pipelines.detection.network import DetectionNetwork, FrozenLayers, imagenet_backbone
from pipelines.detection.plan import Training
from pipelines.detection.training import TrainingShare, train_detector

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

    return make_views(images, layers, config.out / "features", at_least=config.windows), images.name


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


def _run(config: MeasureConfig, inputs: Inputs, views: dict[str, TrainingViews], training: Training) -> dict[str, Any]:

    chosen = inputs.trained_on(training)
    for name in chosen:
        if name not in views:
            views[name] = _views(config, inputs.sets[name])[0]
    shares = [TrainingShare(views[name], views[name].rows_of(rows)) for name, rows in chosen.items()]
    network = train_detector(
        shares,
        lambda: DetectionNetwork(imagenet_backbone(config.weights_dir), len(config.classes)),
        steps=config.steps,
        seed=training.seed,
    )
    layers = FrozenLayers(imagenet_backbone(config.weights_dir))
    found: Found = {}
    for image in inputs.tested_by(training):
        finds = find_objects(layers, network, image.read())
        columns = np.column_stack([finds.boxes_px, finds.scores, finds.classes])
        found[image.name] = np.round(columns.astype(np.float64), 4).tolist()
    return {"images": sum(map(len, chosen.values())), "found": found}
