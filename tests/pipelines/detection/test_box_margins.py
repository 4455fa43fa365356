"""How annotators draw boxes, told from what detectors find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipelines.detection.labelled_images import open_labelled
from pipelines.detection.margins import LEAST_MATCHES, box_gaps, margins_of

Write = Callable[[Path, dict[str, dict[str, object]]], str]
FOUND = [12.0, 10.0, 38.0, 37.0]
"""In the label of the fixture, 10 to 40 in both directions: 2 of 30 px narrower at the sides, 3 of 30 at the bottom."""


def test_room_around_what_is_found(tmp_path: Path, write_set: Write) -> None:
    images = open_labelled(write_set(tmp_path / "set", {f"{k}": {} for k in range(LEAST_MATCHES)}), ("car", "person"))
    wrong = [[60.0, 10.0, 90.0, 40.0, 0.9, 0.0], [12.0, 10.0, 38.0, 20.0, 0.1, 0.0], [*FOUND, 0.9, 1.0]]
    found = {image.name: [[*FOUND, 0.8, 0.0], *wrong] for image in images.images}
    gaps = box_gaps(images.images, [found], images.classes)
    np.testing.assert_allclose(gaps["car"], [[2 / 30, 0.0, 2 / 30, 3 / 30]] * LEAST_MATCHES)
    assert margins_of(gaps) == {"car": (0.065, 0.0, 0.065, 0.1)}
    assert not margins_of(box_gaps(images.images[1:], [found], images.classes))
    assert margins_of(box_gaps(images.images[1:], [found, found], images.classes)) == margins_of(gaps)


def test_edges_that_the_border_cuts_tell_nothing(tmp_path: Path, write_set: Write) -> None:
    cut = {"boxes": [{"cls": "car", "xyxy": [0, 20, 40, 64]}]}
    images = open_labelled(write_set(tmp_path / "set", {"a": cut}), ("car",))
    gaps = box_gaps(images.images, [{"a": [[4.0, 24.2, 35.6, 60.0, 0.8, 0.0]]}], images.classes)["car"]
    np.testing.assert_allclose(gaps, [[np.nan, 4.2 / 44, 4.4 / 44, np.nan]], rtol=1e-6)


def test_an_edge_that_is_cut_in_all_labels_gets_no_room(tmp_path: Path, write_set: Write) -> None:
    rows: dict[str, dict[str, object]] = {
        f"{k}": {"boxes": [{"cls": "car", "xyxy": [10, 20, 40, 64]}]} for k in range(LEAST_MATCHES)
    }
    images = open_labelled(write_set(tmp_path / "set", rows), ("car",))
    found = {image.name: [[10.0, 24.4, 40.0, 60.0, 0.8, 0.0]] for image in images.images}
    assert margins_of(box_gaps(images.images, [found], images.classes)) == {"car": (0.0, 0.1, 0.0, 0.0)}
