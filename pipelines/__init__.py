"""Joins renderer and gan: labelled thermal frames, data sets, real backgrounds, measures, and the command line.

    >>> import pipelines
    >>> for frame in pipelines.synthesize(count=4, hour=22):
    ...     print(frame.image.shape, [item.box_visible_px for item in frame.instances])
    >>> pipelines.write_dataset("out/night", count=500, hour=22, workers=4)

Names are loaded when they are first used.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as of typing, which `gis` imports only once it has left the current folder
if TYPE_CHECKING:
    from typing import Any

    from pipelines.backgrounds.images import Background, open_backgrounds
    from pipelines.backgrounds.ingest.run import ingest_backgrounds
    from pipelines.comparison.run import compare
    from pipelines.comparison.tables import Comparison
    from pipelines.dataset.frame import SynthesizedFrame
    from pipelines.dataset.merge import merge
    from pipelines.dataset.record import FrameRecord
    from pipelines.dataset.store import read_records
    from pipelines.dataset.validation import Report, validate
    from pipelines.detection.measure import measure
    from pipelines.detection.results import Measurement
    from pipelines.errors import (
        BackgroundError,
        ConfigError,
        DatasetError,
        GisError,
        OutputError,
        PipelineError,
        WorkerError,
        WorkerLost,
    )
    from pipelines.evaluation.evaluate import evaluate
    from pipelines.evaluation.results import Evaluation
    from pipelines.export.run import ExportSummary, export_dataset
    from pipelines.export.tiff import export_tiff
    from pipelines.fitting.run import FitResult, fit_cars
    from pipelines.registration.align import AlignResult, align_cameras
    from pipelines.synthesis.api import synthesize, write_dataset
    from pipelines.translation.translate import TranslationSummary, translate

__all__ = [
    "AlignResult",
    "Background",
    "BackgroundError",
    "Comparison",
    "ConfigError",
    "DatasetError",
    "Evaluation",
    "ExportSummary",
    "FitResult",
    "FrameRecord",
    "GisError",
    "Measurement",
    "OutputError",
    "PipelineError",
    "Report",
    "SynthesizedFrame",
    "TranslationSummary",
    "WorkerError",
    "WorkerLost",
    "align_cameras",
    "compare",
    "evaluate",
    "export_dataset",
    "export_tiff",
    "fit_cars",
    "ingest_backgrounds",
    "measure",
    "merge",
    "open_backgrounds",
    "read_records",
    "synthesize",
    "translate",
    "validate",
    "write_dataset",
]

_MODULES = {
    "pipelines.backgrounds.images": ("Background", "open_backgrounds"),
    "pipelines.backgrounds.ingest.run": ("ingest_backgrounds",),
    "pipelines.comparison.run": ("compare",),
    "pipelines.comparison.tables": ("Comparison",),
    "pipelines.detection.measure": ("measure",),
    "pipelines.detection.results": ("Measurement",),
    "pipelines.evaluation.evaluate": ("evaluate",),
    "pipelines.evaluation.results": ("Evaluation",),
    "pipelines.export.run": ("ExportSummary", "export_dataset"),
    "pipelines.export.tiff": ("export_tiff",),
    "pipelines.fitting.run": ("FitResult", "fit_cars"),
    "pipelines.registration.align": ("AlignResult", "align_cameras"),
    "pipelines.dataset.frame": ("SynthesizedFrame",),
    "pipelines.dataset.merge": ("merge",),
    "pipelines.dataset.record": ("FrameRecord",),
    "pipelines.dataset.store": ("read_records",),
    "pipelines.dataset.validation": ("Report", "validate"),
    "pipelines.errors": (
        "BackgroundError", "ConfigError", "DatasetError", "GisError", "OutputError", "PipelineError", "WorkerError",
        "WorkerLost",
    ),
    "pipelines.synthesis.api": ("synthesize", "write_dataset"),
    "pipelines.translation.translate": ("TranslationSummary", "translate"),
}  # fmt: skip

if not TYPE_CHECKING:  # else every misspelt name would pass the check of types

    def __getattr__(name: str) -> Any:
        for module, names in _MODULES.items():
            if name in names:
                globals()[name] = getattr(importlib.import_module(module), name)
                return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
