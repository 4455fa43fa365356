"""A converted U-Net, rewritten so that less is computed; its values stay as they are.

What joins in the decoder goes through a rectifier, and what comes over a skip connection goes through a leaky one on
its other way. The rectifier of a map is that of the map after a leaky one. So each map can be rectified before it
joins: the engine then does both within the convolutions that made them, and a quantised network has steps of its own
for each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["is_join", "rectify_before_joins"]


def is_join(node: Any) -> bool:
    """Whether a node joins two maps (N, C, H, W) by their channels; the skip connection comes first."""
    if node.get_type_name() != "Concat" or node.get_input_size() != 2:
        return False
    rank = node.output(0).get_partial_shape().rank
    return bool(rank.is_static and rank.get_length() == 4 and node.get_attributes()["axis"] in (1, -3))


def rectify_before_joins(model: Any) -> None:
    """Rewrites an `openvino.Model` in place; one without such places stays as it is."""
    from openvino import opset13

    for join in model.get_ordered_ops():
        rectifier = _only_reader(join) if is_join(join) else None
        if rectifier is None or rectifier.get_type_name() != "Relu":
            continue
        skip, below = (opset13.relu(source) for source in (_after_leak(join.input_value(0)), join.input_value(1)))
        joined = opset13.concat([skip, below], 1)
        joined.set_friendly_name(join.get_friendly_name())
        for reader in rectifier.output(0).get_target_inputs():
            reader.replace_source_output(joined.output(0))
    model.validate_nodes_and_infer_types()


def _only_reader(node: Any) -> Any | None:
    readers = list(node.output(0).get_target_inputs())
    return readers[0].get_node() if len(readers) == 1 else None


def _after_leak(source: Any) -> Any:
    """The map after the leaky rectifier that reads it; where there is none, the map."""
    for reader in source.get_target_inputs():
        node = reader.get_node()
        if node.get_type_name() == "PRelu" and _is_positive(node.input_value(1).get_node()):
            return node.output(0)
    return source


def _is_positive(slope: Any) -> bool:
    """Whether a node is a constant above 0, perhaps one that is stored in fewer bits."""
    while slope.get_type_name() == "Convert":
        slope = slope.input_value(0).get_node()
    return slope.get_type_name() == "Constant" and bool((np.asarray(slope.get_data()) > 0).all())
