"""Errors of the pipelines.

::

    PipelineError
    ├── ConfigError       an option that cannot work (count 0, an unknown camera or backend, a size that is none)
    ├── BackgroundError   a folder of backgrounds, or an image in it, that cannot be used
    ├── DatasetError      a folder that holds another dataset, or files that contradict each other
    ├── OutputError       a file cannot be written (disk full, no permission)
    └── WorkerError       a worker process failed or died

Every message is one line: what was wrong, where, what was expected, what to do.
"""

from __future__ import annotations

__all__ = ["BackgroundError", "ConfigError", "DatasetError", "OutputError", "PipelineError", "WorkerError"]


class PipelineError(Exception):
    """Base of everything that the pipelines raise on purpose."""


class ConfigError(PipelineError):
    """An option cannot work."""


class BackgroundError(PipelineError):
    """Background images cannot be used."""


class DatasetError(PipelineError):
    """A folder holds something else than expected."""


class OutputError(PipelineError):
    """A file cannot be written."""


class WorkerError(PipelineError):
    """A worker process failed or died."""
