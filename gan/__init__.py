"""Source tensors to infrared images: networks, training, metrics and fast inference.

What most scripts need stands here; it is imported when it is asked for, so that ``import gan`` loads no torch::

    import gan

    for model in gan.list_models():
        print(model.name, model.pairing, model.paper)

    path = gan.train("out/pairs", "runs/a", model="pix2pix", epochs=10)   # runs/a/model.safetensors

    model = gan.load_model(path)
    for sample in gan.read_samples("out/test"):
        image = model.translate(sample.source())        # (H, W) float32 in [-1, 1]

    gan.evaluate([(real, image)])["ssim"]               # pairs of images

Never imports ``bpy`` or ``renderer`` (but for the root of all errors): it runs on a GPU machine that has no Blender.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gan.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    GanError,
    GisError,
    LayoutError,
    MetricError,
    ServingError,
    TrainingError,
)

if TYPE_CHECKING:
    from gan.backends.registry import ModelSummary, list_models
    from gan.data.images import image_files, read_image
    from gan.data.layout import Sample, SourceLayout, build_source, decode_sample, encode_sample
    from gan.data.options import DataOptions
    from gan.data.sample_files import read_samples
    from gan.metrics.summary import evaluate
    from gan.serving.inference import ModelInfo, ServingWarning, TranslationModel, load_model
    from gan.training.by_keywords import train
    from gan.training.options import TrainOptions

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DataOptions",
    "GanError",
    "GisError",
    "LayoutError",
    "MetricError",
    "ModelInfo",
    "ModelSummary",
    "Sample",
    "ServingError",
    "ServingWarning",
    "SourceLayout",
    "TrainOptions",
    "TrainingError",
    "TranslationModel",
    "build_source",
    "decode_sample",
    "encode_sample",
    "evaluate",
    "image_files",
    "list_models",
    "load_model",
    "read_image",
    "read_samples",
    "train",
]

_MODULES = {
    "gan.backends.registry": ("ModelSummary", "list_models"),
    "gan.data.images": ("image_files", "read_image"),
    "gan.data.layout": ("Sample", "SourceLayout", "build_source", "decode_sample", "encode_sample"),
    "gan.data.options": ("DataOptions",),
    "gan.data.sample_files": ("read_samples",),
    "gan.metrics.summary": ("evaluate",),
    "gan.serving.inference": ("ModelInfo", "ServingWarning", "TranslationModel", "load_model"),
    "gan.training.by_keywords": ("train",),
    "gan.training.options": ("TrainOptions",),
}

if not TYPE_CHECKING:  # else every misspelt name would pass the check of types

    def __getattr__(name: str) -> Any:
        for module, names in _MODULES.items():
            if name in names:
                globals()[name] = getattr(importlib.import_module(module), name)
                return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
