"""Losses against hand-computed values and against torch's own."""

from __future__ import annotations

import pytest
import torch

from gan.losses.terms import discriminator_loss, generator_loss, gradient_loss

REAL, FAKE = torch.tensor([2.0, -1.0]), torch.tensor([0.5, -3.0])


def test_vanilla_is_binary_cross_entropy() -> None:
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    expected = (bce(REAL, torch.ones(2)) + bce(FAKE, torch.zeros(2))) / 2
    torch.testing.assert_close(discriminator_loss("vanilla", REAL, FAKE), expected)
    torch.testing.assert_close(generator_loss("vanilla", FAKE), bce(FAKE, torch.ones(2)))


def test_least_squares() -> None:
    assert discriminator_loss("lsgan", REAL, FAKE).item() == pytest.approx(((1 + 4) / 2 + (0.25 + 9) / 2) / 2)
    assert generator_loss("lsgan", FAKE).item() == pytest.approx((0.25 + 16) / 2)


def test_hinge() -> None:
    assert discriminator_loss("hinge", REAL, FAKE).item() == pytest.approx(((0 + 2) / 2 + (1.5 + 0) / 2) / 2)
    assert generator_loss("hinge", FAKE).item() == pytest.approx(1.25)


def test_vanilla_stays_finite_far_out() -> None:
    far = torch.tensor([200.0])
    assert torch.isfinite(discriminator_loss("vanilla", -far, far))


def test_gradient_loss_sees_edges_and_no_offset() -> None:
    image = torch.zeros(1, 1, 4, 4)
    assert gradient_loss(image, image + 0.3).item() == pytest.approx(0)
    step = image.clone()
    step[..., 2:] = 1.0
    # One of three differences along x is 1, none along y.
    assert gradient_loss(step, image).item() == pytest.approx(1 / 3)
