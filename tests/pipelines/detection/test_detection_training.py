"""Trainings of a few steps, with weights drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from gan.networks.squeezenet import DenseSqueezeNet  # noqa: E402
from pipelines.detection import network as network_module  # noqa: E402
from pipelines.detection.augmentation import window_px  # noqa: E402
from pipelines.detection.features import make_views  # noqa: E402
from pipelines.detection.inference import find_objects  # noqa: E402
from pipelines.detection.labelled_images import LabelledImages, open_labelled  # noqa: E402
from pipelines.detection.network import DetectionNetwork, FrozenLayers  # noqa: E402
from pipelines.detection.targets import Targets  # noqa: E402
from pipelines.detection.training import FreshViews, KeptViews, _batches, train_detector  # noqa: E402

WIDTH_PX = 160


def backbone() -> torch.nn.Sequential:
    torch.manual_seed(5)
    whole = DenseSqueezeNet(3, classes=2, caffe_input=True)
    network_module._fold_grey(whole)
    return whole.features


@pytest.fixture
def images(tmp_path: Path, write_set: Callable[[Path, dict[str, dict[str, object]]], str]) -> LabelledImages:
    root = write_set(tmp_path / "set", {f"{number}": {} for number in range(8)})
    return open_labelled(f"{root}/images={root}/boxes.json", ("car",))


def test_all_layers_are_trained_on_new_windows_and_find_by_themselves(images: LabelledImages) -> None:
    before = [one.clone() for one in backbone()[:8].parameters()]
    share = FreshViews(images, np.arange(len(images.images)), window_px(WIDTH_PX))
    made = train_detector([share], lambda: DetectionNetwork(backbone(), 1, all_layers=True), steps=3, seed=0)
    after = list(made.low.parameters())
    assert len(before) == len(after) > 10
    assert all(not torch.equal(one, other) for one, other in zip(before, after, strict=True))
    again = train_detector([share], lambda: DetectionNetwork(backbone(), 1, all_layers=True), steps=3, seed=0)
    assert all(torch.equal(one, other) for one, other in zip(after, again.low.parameters(), strict=True))
    image = images.images[0].read()
    found = find_objects(None, made, image, WIDTH_PX)
    assert len(found.scores) > 0
    assert found.boxes_px[:, 2].max() <= image.shape[1]


def test_windows_are_new_at_each_draw_and_kept_ones_the_same(images: LabelledImages, tmp_path: Path) -> None:
    fresh = FreshViews(images, np.arange(len(images.images)), window_px(WIDTH_PX))
    rng = np.random.default_rng(1)
    one, other = (fresh.draw(0, rng)[0] for _ in range(2))
    assert one.shape == other.shape == (1, 128, 128)
    assert not np.array_equal(one, other)
    views = make_views(
        images, lambda: FrozenLayers(backbone()), tmp_path / "kept", at_least=16, window_px=window_px(WIDTH_PX)
    )
    kept = KeptViews(views, views.rows_of(range(len(images.images))))
    assert np.array_equal(kept.draw(3, rng)[0], kept.draw(3, rng)[0])
    assert kept.draw(3, rng)[0].shape == (256, 16, 16)


def test_the_frozen_layers_are_no_part_of_what_is_trained(images: LabelledImages, tmp_path: Path) -> None:
    layers = FrozenLayers(backbone())
    views = make_views(images, lambda: layers, tmp_path / "kept", at_least=16, window_px=window_px(WIDTH_PX))
    share = KeptViews(views, views.rows_of(range(len(images.images))))
    made = train_detector([share], lambda: DetectionNetwork(backbone(), 1), steps=2, seed=0)
    assert list(made.low.parameters()) == []
    assert torch.equal(layers.layers[0].weight, backbone()[0].weight)
    assert find_objects(layers, made, images.images[0].read(), WIDTH_PX).boxes_px.shape[1] == 4


class Counted:
    """A share that counts how often it is drawn from."""

    def __init__(self, share: FreshViews) -> None:
        self.share, self.rows, self.weight, self.drawn = share, share.rows, share.weight, 0

    def draw(self, row: int, rng: np.random.Generator) -> tuple[NDArray[np.floating[Any]], Targets]:
        self.drawn += 1
        return self.share.draw(row, rng)


def test_a_set_fills_as_much_of_the_batches_as_its_weight_says(images: LabelledImages) -> None:
    shares = [
        Counted(FreshViews(images, np.arange(count), window_px(WIDTH_PX), weight))
        for count, weight in ((8, 1.0), (2, 3.0))
    ]
    batches = _batches(shares, np.random.default_rng(3))
    for _ in range(100):
        next(batches)
    assert sum(share.drawn for share in shares) == 400
    assert 0.25 * 400 - 3 * 8.7 < shares[0].drawn < 0.25 * 400 + 3 * 8.7  # three standard deviations of the binomial
