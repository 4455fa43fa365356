"""Errors of the pipelines.

::

    GisError                  the root of all errors of gis, `renderer.errors.GisError`
    ├── ConfigError
    └── PipelineError
        ├── BackgroundError   a folder of backgrounds, or an image in it, that cannot be used
        ├── DatasetError      a folder that holds another dataset, or files that contradict each other
        ├── OutputError       a file cannot be written (disk full, no permission)
        └── WorkerError       a worker process failed or died
            └── WorkerLost    it died, or was ended because it was stuck: another may do what it was at

Every message is one line: what was wrong, where, what was expected, what to do.
"""

from __future__ import annotations

from renderer.errors import ConfigError, GisError

__all__ = [
    "BackgroundError",
    "ConfigError",
    "DatasetError",
    "GisError",
    "OutputError",
    "PipelineError",
    "WorkerError",
    "WorkerLost",
]


class PipelineError(GisError):
    """Base of everything that the pipelines raise on purpose."""


class BackgroundError(PipelineError):
    """Background images cannot be used."""


class DatasetError(PipelineError):
    """A folder holds something else than expected."""


class OutputError(PipelineError):
    """A file cannot be written."""


class WorkerError(PipelineError):
    """A worker process failed or died."""


class WorkerLost(WorkerError):
    """A worker process died, or was ended because it was stuck."""
