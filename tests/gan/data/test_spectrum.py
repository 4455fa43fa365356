"""Electromagnetic-spectrum normalisation: what the equations give as printed, and on one joint spectrum."""

from __future__ import annotations

import pytest
import torch

from gan.data.spectrum import BANDS_NM, Band, Emsn, Spectrum, levels_to_wavelengths

BANDS: tuple[Band, ...] = ("visible", "infrared")
LEVELS_8 = torch.arange(256, dtype=torch.float32)
LEVELS_16 = torch.arange(65536, dtype=torch.float32)


def plain(levels: torch.Tensor, highest: float) -> torch.Tensor:
    return levels / highest * 2 - 1


@pytest.mark.parametrize("band", BANDS)
def test_levels_cover_the_band(band: Band) -> None:
    wavelengths_nm = levels_to_wavelengths(torch.tensor([0.0, 127.5, 255.0]), band)
    low, high = {"visible": (380, 750), "infrared": (1000, 14000)}[band]
    assert wavelengths_nm.tolist() == pytest.approx([low, (low + high) / 2, high])


@pytest.mark.parametrize("band", BANDS)
def test_as_printed_it_is_plain_scaling(band: Band) -> None:
    """The equations divide by the band that they multiplied with; only float32's rounding of the nanometres is left."""
    scaled = plain(LEVELS_8, 255)
    printed = Spectrum("printed", band)
    torch.testing.assert_close(printed(scaled), scaled, atol=1e-6, rtol=0)
    assert torch.equal(((printed(scaled) + 1) * 127.5).round(), LEVELS_8)
    assert printed.limits == pytest.approx((-1.0, 1.0))
    # The same by hand, in double precision.
    low, high = BANDS_NM[band]
    wavelengths_nm = low + LEVELS_8.double() / 255 * (high - low)
    by_hand = 2 * (wavelengths_nm - low) / (high - low) - 1
    torch.testing.assert_close(printed(scaled).double(), by_hand, atol=1e-6, rtol=0)


@pytest.mark.parametrize("band", BANDS)
def test_joint_is_the_place_on_one_spectrum(band: Band) -> None:
    wavelengths_nm = levels_to_wavelengths(LEVELS_8.double(), band)
    by_hand = 2 * (wavelengths_nm - 380) / (14000 - 380) - 1
    torch.testing.assert_close(Spectrum("joint", band)(plain(LEVELS_8, 255)).double(), by_hand, atol=2e-7, rtol=0)


def test_joint_ranges_do_not_meet() -> None:
    visible, infrared = (Spectrum("joint", band).limits for band in BANDS)
    assert visible == pytest.approx((-1.0, -0.945668), abs=1e-6)
    assert infrared == pytest.approx((-0.908957, 1.0), abs=1e-6)
    assert (infrared[1] - infrared[0]) / (visible[1] - visible[0]) == pytest.approx(13000 / 370)


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("kind", ["none", "printed", "joint"])
@pytest.mark.parametrize(("levels", "highest"), [(LEVELS_8, 255.0), (LEVELS_16, 65535.0)])
def test_inverse_gives_every_level_back(kind: Emsn, band: Band, levels: torch.Tensor, highest: float) -> None:
    spectrum = Spectrum(kind, band)
    back = spectrum.inverse(spectrum(plain(levels, highest)))
    assert torch.equal(((back + 1) * (highest / 2)).round(), levels)


def test_what_lies_beyond_the_band_is_black_or_white() -> None:
    assert Spectrum("joint", "visible").inverse(torch.tensor([-1.0, -0.9, 1.0])).tolist() == [-1.0, 1.0, 1.0]
    assert Spectrum("joint", "infrared").inverse(torch.tensor([-1.0, -0.95, 1.0])).tolist() == [-1.0, -1.0, 1.0]


def test_bfloat16_has_15_visible_values_left() -> None:
    joint = Spectrum("joint", "visible")(plain(LEVELS_8, 255))
    assert len(joint.unique()) == 256
    assert len(joint.to(torch.bfloat16).unique()) == 15
