"""Bodies at rest from `anny` 0.6.2, a parametric body (code Apache-2.0, its data MakeHuman's, CC0).

It is needed to build the models alone: ``pip install gis-thermal[build]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .skeleton import Skeleton

__all__ = ["KEY_POINTS", "Body", "BodyModel", "Build"]

Array = NDArray[np.float64]

KEY_POINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
"""COCO's, in its order."""

# The body faces -y with its left towards +x; a model faces +x.
_TO_MODEL = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Build:
    """What a body is like; shares go from 0 to 1 as in `anny`."""

    height_m: float
    gender: float
    """0 male, 1 female."""
    age: float
    """0 a baby, 1/3 a child of ten, 2/3 an adult, 1 an old person."""
    weight: float = 0.5
    muscle: float = 0.5
    proportions: float = 0.5


@dataclass(frozen=True)
class Body:
    """One body at rest, arms half raised, in a model's axes."""

    vertices_m: Array
    """(V, 3)."""
    heads_m: Array
    """(B, 3) joints."""


class BodyModel:
    """Bodies of one topology."""

    def __init__(self, topology: str) -> None:
        """Load it; takes some ten seconds."""
        import anny  # built with, not shipped

        self._model: Any = anny.Anny(rig="anny", topology=topology)
        self._anny: Any = anny
        self.skeleton = Skeleton(tuple(self._model.bone_labels), tuple(int(p) for p in self._model.bone_parents))

    @cached_property
    def faces(self) -> NDArray[np.int64]:
        """(F, 3) vertices."""
        return np.asarray(self._model.faces, dtype=np.int64)

    @cached_property
    def weights(self) -> Array:
        """(V, B) of the bones on each vertex."""
        numbers, shares = (item.numpy() for item in (self._model.vertex_bone_indices, self._model.vertex_bone_weights))
        dense = np.zeros((len(numbers), len(self.skeleton.names)))
        np.add.at(dense, (np.arange(len(numbers))[:, None], numbers), shares)
        whole: Array = dense / dense.sum(axis=1, keepdims=True)
        return whole

    @cached_property
    def key_point_weights(self) -> Array:
        """(17, V) that give COCO's key points; of the whole topology ``anny`` alone."""
        labels = list(KEY_POINTS)
        regressor = self._anny.KeypointsRegressor.coco(self._model, labels=labels)
        return np.asarray(regressor.regression_weights.numpy(), dtype=np.float64)

    def body(self, build: Build) -> Body:
        """A body of a height.

        Raises:
            ValueError: no body of that age and sex is that tall or that short.
        """
        low, high = (self._rest(build, share) for share in (0.0, 1.0))
        short, tall = (float(np.ptp(one.vertices_m[:, 2])) for one in (low, high))
        share = (build.height_m - short) / (tall - short)
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{build}: expected a height of {short:.2f} to {tall:.2f} m")
        return self._rest(build, share)

    def _rest(self, build: Build, height: float) -> Body:
        coefficients = self._model.get_phenotype_blendshape_coefficients(
            gender=build.gender, age=build.age, weight=build.weight, muscle=build.muscle,
            proportions=build.proportions, height=height,
        )  # fmt: skip
        rest = self._model.get_rest_model(coefficients)
        vertices, heads = (rest[name][0].numpy() @ _TO_MODEL.T for name in ("rest_vertices", "rest_bone_heads"))
        return Body(vertices, heads)
