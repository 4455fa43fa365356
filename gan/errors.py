"""Errors of gan.

::

    GanError
    ├── ConfigError       an option, or a combination of them, that cannot work
    ├── DataError         data that cannot be used (missing partner, mixed sizes, NaN, empty split)
    │   └── LayoutError   source tensors of another layout or version than expected
    ├── CheckpointError   a model file that is missing, truncated, tampered with or of another kind
    ├── TrainingError     training cannot go on (loss is NaN, disk is full)
    ├── MetricError       images that cannot be compared, or backbone weights that cannot be found
    └── ServingError      a model that cannot be served the way that was asked for

Every message is one line: what was wrong, where, what was expected, what to do.
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "GanError",
    "LayoutError",
    "MetricError",
    "ServingError",
    "TrainingError",
]


class GanError(Exception):
    """Base of everything that gan raises on purpose."""


class ConfigError(GanError):
    """An option cannot work."""


class DataError(GanError):
    """Data cannot be used."""


class LayoutError(DataError):
    """Source tensors have another layout than expected."""


class CheckpointError(GanError):
    """A model file cannot be loaded."""


class TrainingError(GanError):
    """Training cannot go on."""


class MetricError(GanError):
    """Images cannot be measured."""


class ServingError(GanError):
    """A model cannot be served as asked."""
