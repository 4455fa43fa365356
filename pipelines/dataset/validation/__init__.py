"""A data set checked against itself: `gis validate`.

Labels are computed anew here, from masks, depth and poses, by formulas of the formats' own definitions. Nothing here
calls what writes data sets, so a writer that is wrong is found by it.
"""

from __future__ import annotations

from pipelines.dataset.validation.folder import Report, validate

__all__ = ["Report", "validate"]
