"""A part of an image by a U-Net in OpenVINO, without what is computed for the rest alone.

A decoder that doubles its maps reads two pixels of a map for each pixel that it makes, so a part of the image needs a
part of each map and little around it. The encoder sees all of its source as before; of every skip connection and of the
map beside it no more than that part is joined and decoded. The values are those of the whole image.

The converted network is changed as it is loaded: slices before each place where a skip connection joins, whose places
are a second input. Networks of another kind are left as they are, and what comes out is compared
(`gan.serving.openvino_engine`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.serving.engine import Part
from gan.serving.openvino_joins import is_join

__all__ = ["cut", "needed", "places"]


def needed(part: Part, size: tuple[int, int], joins: int) -> list[Part]:
    """What a part of the image needs of the maps that the decoder reads, from half the size down.

    At the border of a map it is moved inwards and not cut, so that parts of one size, on lines of the network's grid,
    need maps of one size: the engine prepares itself for each size that it meets.

    Args:
        part: of the image.
        size: (H, W) of the image, which can be halved once more than there are joins.
        joins: places where a skip connection joins.
    """
    rows, columns = (part[0], part[2]), (part[1], part[3])
    found = []
    for level in range(1, joins + 1):
        # A kernel of 4 with stride 2: pixel 2m is made of m - 1 and m, pixel 2m + 1 of m and m + 1.
        rows, columns = (((begin - 1) // 2, end // 2 + 1) for begin, end in (rows, columns))
        top, bottom = _inside(rows, size[0] >> level)
        left, right = _inside(columns, size[1] >> level)
        found.append((top, left, bottom, right))
    return found


def _inside(span: tuple[int, int], length: int) -> tuple[int, int]:
    """The span moved into 0 to length; all of that where it is longer."""
    begin = max(min(span[0], length - (span[1] - span[0])), 0)
    return begin, min(begin + span[1] - span[0], length)


def places(part: Part, size: tuple[int, int], joins: int) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """The second input for a part of the image, and the row and column where what comes out begins.

    Returns:
        (2 * joins + 1, 4) int64: for each join, from half the size down, where the skip connection is cut and where
        the map beside it, which was cut before; at last where the source is cut for what is added to it.
    """
    spans = needed(part, size, joins)
    corners = [(2 * span[0], 2 * span[1]) for span in spans]
    rows: list[Part] = []
    for span, corner in zip(spans, [*corners[1:], (0, 0)], strict=True):
        rows += [span, _moved(span, corner)]
    doubled = (2 * spans[0][0], 2 * spans[0][1], 2 * spans[0][2], 2 * spans[0][3])
    return np.array([*rows, doubled], np.int64), corners[0]


def _moved(span: Part, corner: tuple[int, int]) -> Part:
    return span[0] - corner[0], span[1] - corner[1], span[2] - corner[0], span[3] - corner[1]


def cut(network: Any, multiple_px: int) -> tuple[Any, int] | None:
    """A copy of a network with the second input of :func:`places`, and its joins; None where it is no plain U-Net.

    Args:
        network: `openvino.Model` with one input (N, C, H, W).
        multiple_px: what H and W must be multiples of.
    """
    import openvino as ov
    from openvino import opset13

    copy = network.clone()
    joined = [node for node in copy.get_ordered_ops() if is_join(node)]  # from the deepest up
    if not joined or multiple_px != 2 ** (len(joined) + 1):
        return None
    given = opset13.parameter([2 * len(joined) + 1, 4], np.int64, name="part")

    def sliced(output: Any, row: int) -> Any:
        place = opset13.gather(given, opset13.constant(np.int64(row)), opset13.constant(np.int64(0)))
        begin, end = (
            opset13.gather(place, opset13.constant(np.array(at, np.int64)), opset13.constant(np.int64(0)))
            for at in ([0, 1], [2, 3])
        )
        ones, axes = np.array([1, 1], np.int64), np.array([2, 3], np.int64)
        return opset13.slice(output, begin, end, opset13.constant(ones), opset13.constant(axes)).output(0)

    source = copy.get_parameters()[0]
    for reader in source.output(0).get_target_inputs():
        if reader.get_node().get_type_name() in ("Slice", "StridedSlice"):  # the channel that the change is added to
            reader.replace_source_output(sliced(source.output(0), 2 * len(joined)))
    for number, node in enumerate(reversed(joined)):
        skip, below = node.inputs()
        # A rectifier of the map below is done within the convolution that makes it.
        for place, reader in enumerate((_where_to_cut(skip), below)):
            reader.replace_source_output(sliced(reader.get_source_output(), 2 * number + place))
    return ov.Model(copy.get_results(), [source, given], "part"), len(joined)


def _where_to_cut(reader: Any) -> Any:
    """The input to cut for what a join reads: before what is done to each value alone and read by nobody else."""
    node = reader.get_source_output().get_node()
    while node.get_type_name() in ("Relu", "FakeQuantize") and len(node.output(0).get_target_inputs()) == 1:
        reader = node.input(0)
        node = reader.get_source_output().get_node()
    return reader
