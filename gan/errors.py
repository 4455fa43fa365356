"""Errors of gan.

::

    GisError              the root of all errors of gis, `renderer.errors.GisError`
    ├── ConfigError
    └── GanError
        ├── DataError         data that cannot be used (missing partner, mixed sizes, NaN, empty split)
        │   ├── ItemError     one image or sample cannot be used; the others of its folder can
        │   └── LayoutError   source tensors of another layout or version than expected
        ├── CheckpointError   a model file that is missing, truncated, tampered with or of another kind
        ├── TrainingError     training cannot go on (loss is NaN, disk is full)
        ├── MetricError       images that cannot be compared, or backbone weights that cannot be found
        └── ServingError      a model that cannot be served the way that was asked for

Every message is one line: what was wrong, where, what was expected, what to do.
"""

from __future__ import annotations

from renderer.errors import ConfigError, GisError

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "GanError",
    "GisError",
    "ItemError",
    "LayoutError",
    "MetricError",
    "ServingError",
    "TrainingError",
]


class GanError(GisError):
    """Base of everything that gan raises on purpose."""


class DataError(GanError):
    """Data cannot be used."""


class ItemError(DataError):
    """One image or sample cannot be used; what reads a whole folder leaves it out and says so."""


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
