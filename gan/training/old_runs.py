"""Runs of earlier versions can be resumed: their names and the form of their state, as they are today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["current_state", "with_new_names"]

_RENAMED: Final[Mapping[str, str]] = {
    "also": "extra_data",
    "critic_weight": "object_discriminator_weight",
    "inserted": "unpaired_objects",
    "inserted_sha256": "unpaired_objects_sha256",
    "matched": "pair_by_name",
    "sampling": "pairing",
}
"""Keys of ``run.json``, old to new."""
_NETWORKS: Final[Mapping[str, str]] = {"critic": "object_discriminator"}
_OPTIMISER: Final = "_optimiser"


def with_new_names(tree: Any) -> Any:
    """A JSON tree of a run with the keys of today."""
    if not isinstance(tree, Mapping):
        return tree
    renamed = {_RENAMED.get(key, key): with_new_names(value) for key, value in tree.items()}
    low, high = (renamed.pop(name, None) for name in ("target_low", "target_high"))
    return renamed if low is None or high is None else {**renamed, "target_range": [low, high]}


def current_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """A backend's state as `gan.backends.base.Backend.state` gives it today.

    pix2pix used to store ``NAME`` and ``NAME_optimiser`` for each network, ThermalNet ``network``, which was its whole
    translator, and ``optimiser``.
    """
    if "networks" in state:
        return dict(state)
    if "network" in state:
        classifier = {name.removeprefix("classifier."): value for name, value in state["network"].items()}
        return {"networks": {"thermalnet": classifier}, "optimisers": {"thermalnet": state["optimiser"]}}
    names = {name: _NETWORKS.get(name, name) for name in state if not name.endswith(_OPTIMISER)}
    return {
        "networks": {new: state[old] for old, new in names.items()},
        "optimisers": {new: state[old + _OPTIMISER] for old, new in names.items()},
    }
