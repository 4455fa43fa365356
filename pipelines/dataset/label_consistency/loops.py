"""The compiled loops of the measure; see :mod:`pipelines.dataset.label_consistency.measure`.

Places in a plane are numbers of its pixels where that is what costs time: an index that is known to be no less than 0
needs no test, and the loop over it becomes one over vectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from renderer.optional import kernel

__all__ = [
    "REACH_PX",
    "STEP_PX",
    "bound_boxes",
    "chosen_points",
    "fill_gradients",
    "grow_mask",
    "look_at_mask",
    "look_at_object",
    "mark_outline",
    "mark_rim",
    "normals_at",
]

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Box = tuple[int, int, int, int]

REACH_PX = 16
"""Furthest shift of the outline that is compared: outlines 16 px off have nothing to do with the object any more."""
STEP_PX = 2
"""Between the shifts of the outline that are compared. An edge is searched 1 px to both sides of each point, so no
place lies between two steps."""


@kernel
def bound_boxes(instance_id: UInt16, edges: Int32) -> None:
    """Boxes (top, left, bottom, right) of all ids at once."""
    for y in range(instance_id.shape[0]):
        for x in range(instance_id.shape[1]):
            number = instance_id[y, x]
            if number:
                box = edges[number]
                box[0], box[1] = min(box[0], y), min(box[1], x)
                box[2], box[3] = max(box[2], y + 1), max(box[3], x + 1)


# --- the picture ------------------------------------------------------------------------------------------------------


@kernel
def fill_gradients(
    level: Float32, pad: int, part: Box, blur: Float32, soft: Float32, across: Float32, down: Float32, size: Float32
) -> None:
    """The picture, blurred, and its gradients by Sobel's filter, per pixel; in a part of planes that are padded.

    Args:
        level: (H, W) the picture, which goes on beyond its border with the border's pixels.
        pad: pixels around it in the planes.
        part: top, left, bottom, right in the planes, at least one pixel from their border.
        blur: (5,) weights of the blur along each axis.
        soft: (H + 2 pad, W + 2 pad) takes the blurred picture, also one pixel around the part.
        across: takes the gradient along x.
        down: takes the gradient along y.
        size: takes the length of the gradient.
    """
    top, left, bottom, right = part
    height, width = level.shape
    outer, middle, centre = blur[0], blur[1], blur[2]
    line = np.empty(right - left + 6, dtype=np.float32)  # blurred along y, from column left - 3
    first, last = max(left - 3, pad), min(right + 3, pad + width)
    for y in range(top - 1, bottom + 1):
        a, b = level[min(max(y - pad - 2, 0), height - 1)], level[min(max(y - pad - 1, 0), height - 1)]
        c, d = level[min(max(y - pad, 0), height - 1)], level[min(max(y - pad + 1, 0), height - 1)]
        e = level[min(max(y - pad + 2, 0), height - 1)]
        begin, start = np.uint64(first - left + 3), np.uint64(first - pad)
        for k in range(last - first):
            at = start + np.uint64(k)
            line[begin + np.uint64(k)] = (a[at] + e[at]) * outer + (b[at] + d[at]) * middle + c[at] * centre
        for k in range(first - left + 3):
            line[k] = line[first - left + 3]
        for k in range(last - left + 3, len(line)):
            line[k] = line[last - left + 2]
        row = soft[y, left - 1 : right + 1]
        for k in range(right - left + 2):
            x = np.uint64(k)
            far, near = line[x] + line[x + np.uint64(4)], line[x + np.uint64(1)] + line[x + np.uint64(3)]
            row[x] = far * outer + near * middle + line[x + np.uint64(2)] * centre
    eighth, two = np.float32(0.125), np.float32(2.0)
    for y in range(top, bottom):
        a, b, c = soft[y - 1, left - 1 : right + 1], soft[y, left - 1 : right + 1], soft[y + 1, left - 1 : right + 1]
        to_x, to_y, length = across[y, left:right], down[y, left:right], size[y, left:right]
        for k in range(right - left):
            x = np.uint64(k)
            z, u = x + np.uint64(2), x + np.uint64(1)
            gx = ((a[z] - a[x]) + two * (b[z] - b[x]) + (c[z] - c[x])) * eighth
            gy = ((c[x] - a[x]) + two * (c[u] - a[u]) + (c[z] - a[z])) * eighth
            to_x[x], to_y[x], length[x] = gx, gy, np.sqrt(gx * gx + gy * gy)


# --- the mask of an object --------------------------------------------------------------------------------------------


@kernel
def grow_mask(instance_id: UInt16, number: int, box: Box, margin: int, grown: UInt8) -> int:
    """The mask of an object with a margin around it; where it meets the picture's border it goes on beyond.

    Args:
        instance_id: (H, W) mask.
        number: of the object.
        box: its tight box: top, left, bottom, right.
        margin: pixels around the box.
        grown: (bottom - top + 2 margin, right - left + 2 margin) takes 1 in the object, else 0.

    Returns:
        pixels of the object.
    """
    top, left, bottom, right = box
    height, width = instance_id.shape
    count = 0
    grown[:] = 0
    for y in range(top, bottom):
        row, ids = grown[y - top + margin, margin : margin + right - left], instance_id[y, left:right]
        for k in range(right - left):
            x = np.uint64(k)
            row[x] = np.uint8(ids[x] == number)
            count += int(row[x])
    _continue(grown, margin, (top == 0, left == 0, bottom == height, right == width))
    return count


@kernel
def _continue(grown: UInt8, margin: int, meets: tuple[bool, bool, bool, bool]) -> None:
    """The margin at the sides where a mask meets the border: top, left, bottom, right."""
    rows, columns = grown.shape
    for k in range(margin):
        above, below, top, bottom = grown[k], grown[rows - 1 - k], grown[margin], grown[rows - 1 - margin]
        for x in range(columns):
            if meets[0]:
                above[x] = top[x]
            if meets[2]:
                below[x] = bottom[x]
    for y in range(rows):
        row = grown[y]
        for k in range(margin):
            if meets[1]:
                row[k] = row[margin]
            if meets[3]:
                row[columns - 1 - k] = row[columns - 1 - margin]


@kernel
def mark_outline(grown: UInt8, edge: UInt8) -> None:
    """Pixels of a mask with one of their eight neighbours outside; the outermost rows and columns are left out."""
    rows, columns = grown.shape
    edge[:] = 0
    for y in range(1, rows - 1):
        a, b, c, out = grown[y - 1], grown[y], grown[y + 1], edge[y]
        for k in range(columns - 2):
            x = np.uint64(k)
            u, z = x + np.uint64(1), x + np.uint64(2)
            whole = a[x] & a[u] & a[z] & b[x] & b[z] & c[x] & c[u] & c[z]
            out[u] = b[u] & (whole ^ np.uint8(1))


@kernel
def normals_at(grown: UInt8, points: Int32, smooth: Float32, slope: Float32) -> Float32:
    """Unit vectors across a mask's outline, from the gradient of the blurred mask.

    Args:
        grown: (h, w) mask of 0 and 1.
        points: (N, 2) y, x, at least half of the filters' size from the border.
        smooth: (S,) blur along one axis, with Sobel's own.
        slope: (S,) blur along the other axis, with Sobel's difference.

    Returns:
        (N, 2) y, x.
    """
    out = np.empty((len(points), 2), dtype=np.float32)
    half = len(smooth) // 2
    for k in range(len(points)):
        down, across = np.float32(0.0), np.float32(0.0)
        for i in range(len(smooth)):
            row = grown[points[k, 0] + i - half]
            level, change = np.float32(0.0), np.float32(0.0)
            for j in range(len(smooth)):
                if row[points[k, 1] + j - half]:
                    level += smooth[j]
                    change += slope[j]
            down += slope[i] * level
            across += smooth[i] * change
        length = max(np.sqrt(down * down + across * across), np.float32(1e-6))
        out[k, 0], out[k, 1] = down / length, across / length
    return out


@kernel
def mark_rim(grown: UInt8, widths: Int32, rim: int, elsewhere: int, label: UInt8) -> None:
    """Labels of the rim around a mask: what a disc covers whose centre moves over the mask, without the mask.

    Args:
        grown: (h, w) mask of 0 and 1.
        widths: (2 R + 1,) how far the disc's rows reach to both sides of its centre.
        rim: label of the rim.
        elsewhere: label of all else.
        label: (h, w) takes the labels.
    """
    rows, columns = grown.shape
    radius = len(widths) // 2
    far = np.uint8(radius + 1)
    near = np.empty((rows, columns), dtype=np.uint8)  # to the closest pixel of the mask in the same row
    for y in range(rows):
        away = far
        for x in range(columns):
            away = np.uint8(0) if grown[y, x] else min(np.uint8(away + 1), far)
            near[y, x] = away
        away = far
        for k in range(columns):
            x = columns - 1 - k
            away = np.uint8(0) if grown[y, x] else min(np.uint8(away + 1), far)
            near[y, x] = min(near[y, x], away)
    for y in range(rows):
        line = label[y]
        line[:] = elsewhere
        for i in range(max(0, y - radius), min(rows, y + radius + 1)):
            reach, row = np.uint8(widths[i - y + radius]), near[i]
            for k in range(columns):
                at = np.uint64(k)
                line[at] = np.uint8(rim) if row[at] <= reach else line[at]
        inside = grown[y]
        for k in range(columns):
            at = np.uint64(k)
            line[at] = np.uint8(elsewhere) if inside[at] else line[at]


@kernel
def chosen_points(label: UInt8, none: int, region: Box, most: int) -> Int32:
    """At most ``most`` of the places with a label in a region, in the order of rows, evenly spread.

    Args:
        label: (H, W), of which ``none`` says that there is none.
        none: see there.
        region: top, left, bottom, right.
        most: of the places.

    Returns:
        (N, 2) y, x.
    """
    top, left, bottom, right = region
    width = max(0, right - left)
    in_row, count = np.zeros(max(0, bottom - top), dtype=np.int64), 0
    for y in range(top, bottom):
        row, found = label[y, left : left + width], 0
        for x in range(width):
            found += row[np.uint64(x)] != none
        in_row[y - top] = found
        count += found  # not in_row.sum(): a kernel that is read back with it imports scipy.linalg, 0.15 s
    taken = min(count, most)
    points = np.empty((taken, 2), dtype=np.int32)
    step = (count - 1) / (taken - 1) if taken > 1 else 0.0
    at, k, wanted = 0, 0, 0
    for y in range(top, bottom):
        if k == taken or at + in_row[y - top] <= wanted:  # none of the row is taken
            at += in_row[y - top]
            continue
        row = label[y, left : left + width]
        for x in range(width):
            if row[np.uint64(x)] != none:
                if at == wanted and k < taken:
                    points[k, 0], points[k, 1] = y, left + x
                    k += 1
                    # As np.linspace(0, count - 1, taken) has it, whose last value is count - 1 whatever was rounded.
                    wanted = count - 1 if k == taken - 1 else int(k * step)
                at += 1
    return points


@kernel
def look_at_mask(
    instance_id: UInt16,
    zone: UInt8,
    number: int,
    box: Box,
    margin: int,
    filters: tuple[Float32, Float32],
    widths: Int32,
    most: tuple[int, int],
    marks: tuple[int, int],
) -> tuple[int, Int32, Float32, Int32, UInt8]:
    """Points along an object's outline, and of its zones and the rim around it, within the picture.

    Args:
        instance_id: (H, W) mask.
        zone: (H, W) thermal zones.
        number: of the object.
        box: its tight box: top, left, bottom, right.
        margin: pixels around the box that are looked at.
        filters: see :func:`normals_at`.
        widths: see :func:`mark_rim`.
        most: points of the outline, and of the zones.
        marks: labels of the rim, and of what is neither rim nor object.

    Returns:
        pixels of the object; (N, 2) y, x along the outline; (N, 2) unit vectors across it; (M, 2) y, x of the zones and
        the rim; (M,) their labels.
    """
    top, left, bottom, right = box
    rim, elsewhere = marks
    height, width = bottom - top + 2 * margin, right - left + 2 * margin
    grown, label = np.empty((height, width), dtype=np.uint8), np.empty((height, width), dtype=np.uint8)
    pixels = grow_mask(instance_id, number, box, margin, grown)
    mark_outline(grown, label)
    outside = int(np.int64(0))  # no literal, for which the callee would be compiled once more
    outline = chosen_points(label, outside, (margin, margin, height - margin, width - margin), most[0])
    normal = normals_at(grown, outline, filters[0], filters[1])
    mark_rim(grown, widths, rim, elsewhere, label)
    for y in range(top, bottom):
        row = label[y - top + margin, margin : margin + right - left]
        ids, kinds = instance_id[y, left:right], zone[y, left:right]
        for k in range(right - left):
            x = np.uint64(k)
            row[x] = kinds[x] if ids[x] == number else row[x]
    # Of the rim what lies within the picture.
    end_y = min(height, instance_id.shape[0] - top + margin)
    end_x = min(width, instance_id.shape[1] - left + margin)
    points = chosen_points(label, elsewhere, (max(0, margin - top), max(0, margin - left), end_y, end_x), most[1])
    labels = np.empty(len(points), dtype=np.uint8)
    for k in range(len(points)):
        labels[k] = label[points[k, 0], points[k, 1]]
        points[k, 0] += top - margin
        points[k, 1] += left - margin
    for k in range(len(outline)):
        outline[k, 0] += top - margin
        outline[k, 1] += left - margin
    return pixels, outline, normal, points, labels


# --- the object in the picture ----------------------------------------------------------------------------------------


@kernel
def look_at_object(
    soft: Float32,
    across: Float32,
    down: Float32,
    outline: tuple[Int32, Float32],
    zones: tuple[Int32, UInt8],
    level: np.float32,
    tolerance: int,
    shifts: Int32,
    noise: float,
    strength: Float32,
    explained: Float64,
    pad: int,
) -> float:
    """What a picture shows of an object, at its place and elsewhere.

    Args:
        soft: (H, W) the picture, blurred, padded.
        across: (H, W) its gradient along x.
        down: (H, W) its gradient along y.
        outline: (N, 2) y, x of points of the outline, and (N, 2) the unit vectors across it.
        zones: (M, 2) y, x of points of the zones, and (M,) their labels.
        level: gradient that counts as an edge.
        tolerance: how far off an edge may lie, pixels.
        shifts: (S, 2) y, x of the places that zones are compared at.
        noise: variance that no picture can show.
        strength: (2 R + 1, 2 R + 1) takes the strength of the outline at every shift.
        explained: (S,) takes the share of the variance that one level per label explains, at every shift.
        pad: pixels that the planes have around the picture that the points lie in.

    Returns:
        share of the outline's points with an edge within the tolerance.
    """
    edge, zone = np.empty_like(outline[0]), np.empty_like(zones[0])
    for k in range(len(edge)):
        edge[k, 0], edge[k, 1] = outline[0][k, 0] + pad, outline[0][k, 1] + pad
    for k in range(len(zone)):
        zone[k, 0], zone[k, 1] = zones[0][k, 0] + pad, zones[0][k, 1] + pad
    _edge_strength(across.ravel(), down.ravel(), across.shape[1], edge, outline[1], level, strength)
    _explained_variance(soft.ravel(), soft.shape[1], zone, zones[1], shifts, noise, explained)
    return _clear_edges(across, down, edge, outline[1], level, tolerance)


@kernel
def _edge_strength(
    gx: Float32, gy: Float32, width: int, points: Int32, normals: Float32, level: np.float32, out: Float32
) -> None:
    """Mean edge strength along the outline at every shift: gradient / (gradient + level), strongest within 1 px.

    Along x it is taken at every pixel, of which every second counts: neighbours in memory fill a vector.
    """
    share = np.float32(1.0 / len(points))
    every = np.zeros((out.shape[0], 2 * REACH_PX + 1), dtype=np.float32)
    for k in range(len(points)):
        ny, nx = normals[k, 0], normals[k, 1]
        off = int(np.rint(ny)) * width + int(np.rint(nx))
        corner = (points[k, 0] - REACH_PX) * width + points[k, 1] - REACH_PX
        for i in range(out.shape[0]):
            at = corner + i * STEP_PX * width
            here, there, back = np.uint64(at), np.uint64(at + off), np.uint64(at - off)
            row = every[i]
            for j in range(2 * REACH_PX + 1):
                x = np.uint64(j)
                best = abs(gx[here + x] * nx + gy[here + x] * ny)
                best = max(best, abs(gx[there + x] * nx + gy[there + x] * ny))
                best = max(best, abs(gx[back + x] * nx + gy[back + x] * ny))
                row[x] += share * best / (best + level)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = every[i, j * STEP_PX]


@kernel
def _clear_edges(gx: Float32, gy: Float32, points: Int32, normals: Float32, level: np.float32, tolerance: int) -> float:
    """Share of the outline's points with a gradient above the level within the tolerance."""
    count = 0
    for k in range(len(points)):
        ny, nx = normals[k, 0], normals[k, 1]
        for t in range(-tolerance, tolerance + 1):
            y, x = points[k, 0] + int(np.rint(t * ny)), points[k, 1] + int(np.rint(t * nx))
            if abs(gx[y, x] * nx + gy[y, x] * ny) > level:
                count += 1
                break
    return count / len(points)


@kernel
def _explained_variance(
    soft: Float32, width: int, points: Int32, label: UInt8, shifts: Int32, noise: float, out: Float64
) -> None:
    """Share of the variance that one level per label explains, at every shift."""
    count, total = np.zeros(256), np.zeros(256)
    for k in range(len(points)):
        count[label[k]] += 1.0
    for s in range(len(shifts)):
        total[:] = 0.0
        square = 0.0
        off = shifts[s, 0] * width + shifts[s, 1]
        for k in range(len(points)):
            value = soft[np.uint64(points[k, 0] * width + points[k, 1] + off)]
            total[np.uint64(label[k])] += value
            square += value * value
        between, whole, number = 0.0, 0.0, 0.0
        for z in range(256):
            if count[z] > 0.0:
                between += total[z] * total[z] / count[z]
                whole += total[z]
                number += count[z]
        middle = whole * whole / number
        out[s] = (between - middle) / (square - middle + noise * number)
