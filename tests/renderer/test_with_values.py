"""Copies of dataclasses: as those of the standard library, and the original stays as it is."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from pipelines.dataset.record import InstanceRecord, ObjectLabelError
from renderer.copies import with_values
from renderer.geometry.frame import Box3D, Instance
from renderer.scene.cars import Placement


def instance(cls: type[Instance] = Instance) -> Instance:
    box = Box3D((0.0, 1.5, 10.0), 4.0, 1.5, 1.8, 0.1)
    return cls(3, "car", "hatchback", "parked", np.eye(4), box, (1.0, 2.0, 3.0, 4.0), None, 0, 9, 0.0, 3)


def test_a_copy_is_what_the_standard_library_makes() -> None:
    item = instance(InstanceRecord)
    ours, theirs = (make(item, profile="driving", rle="x") for make in (with_values, replace))
    assert type(ours) is InstanceRecord
    for field in fields(InstanceRecord):
        assert getattr(ours, field.name) is getattr(theirs, field.name), field.name
    assert vars(ours) == vars(theirs)
    assert pickle.loads(pickle.dumps(ours)).profile == "driving"


def test_the_original_stays_as_it_is() -> None:
    item = instance()
    with_values(item, profile="driving")
    assert item.profile == "parked"


@pytest.mark.parametrize("kind", [Instance, InstanceRecord, ObjectLabelError, Placement])
def test_those_that_are_copied_check_nothing_and_keep_nothing(kind: type) -> None:
    assert not hasattr(kind, "__post_init__")
    assert not hasattr(kind, "__slots__")
    kept = [name for one in kind.__mro__ for name, value in vars(one).items() if "cached" in type(value).__name__]
    assert not kept
