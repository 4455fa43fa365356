"""LPIPS against the figures that its authors publish for their example images, and what happens without weights."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gan.errors import MetricError
from gan.metrics.features import (
    _fid_inception,
    backbone_state,
    feature_extractor,
    inception_extractor,
    meta_torchvision,
)
from gan.metrics.lpips import Lpips

PUBLISHED = {"alex": (0.722, 0.138), "vgg": (0.5686, 0.4217)}


@pytest.fixture(scope="module")
def weights(shared_data: Path) -> Path:
    return shared_data / "weights"


@pytest.fixture(scope="module")
def examples(weights: Path) -> list[np.ndarray]:
    return [cv2.imread(str(weights / f"ex_{name}.png"))[..., ::-1] / 255.0 for name in ("ref", "p0", "p1")]


@pytest.mark.parametrize("backbone", ["alex", "vgg"])
def test_published_distances(backbone: str, weights: Path, examples: list[np.ndarray]) -> None:
    lpips = Lpips(backbone, weights)  # type: ignore[arg-type]
    reference, *others = examples
    for other, published in zip(others, PUBLISHED[backbone], strict=True):
        assert lpips(reference, other) == pytest.approx(published, abs=5.1e-4)
    assert lpips(reference, reference) == pytest.approx(0.0, abs=1e-7)
    whole = np.ones(reference.shape[:2], dtype=bool)
    assert lpips(reference, others[0], whole) == pytest.approx(lpips(reference, others[0]), rel=1e-3)


def test_grey_and_region(weights: Path, examples: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIS_WEIGHTS", str(weights))
    lpips = Lpips("alex")
    grey = examples[0].mean(axis=2)
    changed = grey.copy()
    changed[:, :20] = 0.0
    left, right = np.zeros((2, *grey.shape), dtype=bool)
    left[:, :12], right[:, -12:] = True, True
    assert lpips(grey, changed) == pytest.approx(lpips(np.stack([grey] * 3, -1), np.stack([changed] * 3, -1)), abs=1e-6)
    assert lpips(grey, changed, left) > 5 * lpips(grey, changed, right)


def test_features_are_those_of_the_backbone(weights: Path, examples: list[np.ndarray]) -> None:
    batch = np.stack(examples).transpose(0, 3, 1, 2).astype(np.float32)
    extractor = feature_extractor("alex", weights)
    features = extractor(batch)
    assert features.shape == (3, 256)
    assert "alexnet" in extractor.name
    # The same layers, written out by hand.
    state = backbone_state("alex", weights)
    x = torch.from_numpy(batch) - torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
    x = x / torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    for layer, (stride, padding, pool) in {
        0: (4, 2, True),
        3: (1, 2, True),
        6: (1, 1, False),
        8: (1, 1, False),
        10: (1, 1, False),
    }.items():
        x = torch.conv2d(x, state[f"features.{layer}.weight"], state[f"features.{layer}.bias"], stride, padding).relu()
        x = torch.max_pool2d(x, 3, 2) if pool else x
    np.testing.assert_allclose(features, x.mean(dim=(2, 3)).numpy(), rtol=1e-4, atol=1e-5)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="alexnet_features"):
        Lpips("alex", tmp_path)
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "alexnet_features.safetensors")
    with pytest.raises(MetricError, match="lack"):
        Lpips("alex", tmp_path)
    (tmp_path / "vgg16_features.safetensors").write_bytes(b"not tensors")
    with pytest.raises(MetricError, match="cannot be read"):
        Lpips("vgg", tmp_path)


def test_inception_is_only_taken_when_it_is_the_one_of_fid(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(1000, 2048)}, tmp_path / "inception.pth")
    with pytest.raises(MetricError, match="1008"):
        inception_extractor(tmp_path / "inception.pth")


def test_inception_pools_as_in_fid(tmp_path: Path) -> None:
    """Random weights: the published file is not ours to share, but shapes and poolings can be checked without it."""
    network = meta_torchvision(_fid_inception)
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.rand(value.shape, generator=generator) * 0.1 if value.is_floating_point() else torch.zeros(())
        for name, value in network.state_dict().items()
    }
    state["fc.weight"], state["fc.bias"] = torch.zeros(1008, 2048), torch.zeros(1008)
    torch.save(state, tmp_path / "inception.pth")
    features = inception_extractor(tmp_path / "inception.pth")(np.full((2, 1, 64, 80), 0.5, np.float32))
    assert features.shape == (2, 2048)
    np.testing.assert_allclose(features[0], features[1], rtol=1e-5)

    network.load_state_dict({name: value for name, value in state.items() if not name.startswith("fc.")}, assign=True)
    network.eval()
    with torch.inference_mode():
        x = torch.rand(1, 192, 9, 9, generator=generator)
        mean = network.Mixed_5b.branch_pool(x[..., :2, :2].mean(dim=(2, 3), keepdim=True))
        torch.testing.assert_close(network.Mixed_5b(x)[:, -32:, :1, :1], mean)  # the corner: four pixels, no padding
        x = torch.rand(1, 2048, 5, 5, generator=generator)
        highest = network.Mixed_7c.branch_pool(x[..., :2, :2].amax(dim=(2, 3), keepdim=True))
        torch.testing.assert_close(network.Mixed_7c(x)[:, -192:, :1, :1], highest)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("executed",))


def test_weights_never_execute_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"fc.weight": _Evil()}, tmp_path / "evil.pth")
    with pytest.raises(MetricError, match="more than tensors"):
        inception_extractor(tmp_path / "evil.pth")
    assert "executed" not in capsys.readouterr().out


def test_lpips_refuses_other_sizes(weights: Path) -> None:
    lpips = Lpips("alex", weights)
    with pytest.raises(MetricError, match="different size"):
        lpips(np.zeros((40, 40)), np.zeros((40, 41)))
    with pytest.raises(MetricError, match="32x32"):
        lpips(np.zeros((20, 40)), np.zeros((20, 40)))
