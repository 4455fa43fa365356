"""Band radiance against other integrals of Planck's law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from renderer.errors import ThermalError
from renderer.thermal.planck import LWIR, Band, band_radiance, band_table

STEFAN_BOLTZMANN = 5.670374419e-8


def series_fraction(wavelength_um: float, temperature_K: float) -> float:
    """Share of a black body's emission below a wavelength: the series of the textbooks (Siegel and Howell)."""
    x = 14387.768775 / (wavelength_um * temperature_K)
    terms = (math.exp(-n * x) * (x**3 + 3 * x**2 / n + 6 * x / n**2 + 6 / n**3) / n for n in range(1, 60))
    return 15 / math.pi**4 * sum(terms)


def adaptive(temperature_K: float, band: Band) -> float:
    h, c, k = 6.62607015e-34, 299792458.0, 1.380649e-23

    def spectral(wavelength_m: float) -> float:
        return 2 * h * c**2 / wavelength_m**5 / math.expm1(h * c / (wavelength_m * k * temperature_K))

    value, _ = integrate.quad(spectral, band.low_um * 1e-6, band.high_um * 1e-6, epsabs=0, epsrel=1e-12)
    return float(value)


@pytest.mark.parametrize("temperature_K", [200.0, 255.0, 300.0, 400.0, 900.0])
@pytest.mark.parametrize("band", [LWIR, Band(7.5, 13.5), Band(3.0, 5.0)])
def test_radiance_equals_adaptive_quadrature(temperature_K: float, band: Band) -> None:
    assert float(band_radiance(temperature_K, band)) == pytest.approx(adaptive(temperature_K, band), rel=1e-9)


@pytest.mark.parametrize("temperature_K", [220.0, 275.0, 300.0, 350.0, 600.0])
def test_radiance_equals_stefan_boltzmann_times_the_series_of_fractions(temperature_K: float) -> None:
    fraction = series_fraction(14.0, temperature_K) - series_fraction(8.0, temperature_K)
    expected = fraction * STEFAN_BOLTZMANN * temperature_K**4 / math.pi
    assert float(band_radiance(temperature_K)) == pytest.approx(expected, rel=1e-6)


def test_fractions_of_published_tables() -> None:
    # Incropera et al., table of blackbody radiation functions: F(0-2400 umK) 0.140256, F(0-4200 umK) 0.516014.
    total = STEFAN_BOLTZMANN * 300.0**4 / math.pi
    fraction = float(band_radiance(300.0, Band(8.0, 14.0))) / total
    assert fraction == pytest.approx(0.516014 - 0.140256, abs=2e-5)


def test_table_goes_there_and_back_within_a_millikelvin() -> None:
    kelvin = np.linspace(190.0, 900.0, 200_001, dtype=np.float32)
    table = band_table()
    assert np.abs(table.temperature(table.radiance(kelvin)) - kelvin).max() < 1e-3


def test_table_equals_the_integral() -> None:
    kelvin = np.linspace(190.0, 900.0, 1777, dtype=np.float32)
    exact = band_radiance(kelvin)
    slope = band_radiance(kelvin + 0.5) - band_radiance(kelvin - 0.5)
    table = band_table()
    assert (np.abs(table.radiance(kelvin) - exact) / slope).max() < 1e-3
    assert np.abs(table.temperature(exact.astype(np.float32)) - kelvin).max() < 1e-3


def test_table_stays_finite_outside_its_span() -> None:
    table = band_table()
    ends = table.temperature(np.array([-1.0, 0.0, 1e-9, 1e9], dtype=np.float32))
    assert np.isfinite(ends).all()
    assert ends[0] <= 110.0
    assert ends[-1] >= 990.0


def test_what_is_no_number_is_looked_up_inside_of_the_table() -> None:
    """Else it is read anywhere in memory: single numbers and whole runs of 1024."""
    table = band_table()
    odd = np.array([np.nan, np.inf, -np.inf, 300.0] * 300, dtype=np.float32)
    ends = [table.forward[0], table.forward[-1], table.forward[0], band_radiance(300.0)]
    np.testing.assert_allclose(table.radiance(odd), ends * 300, rtol=1e-3)
    kelvin = table.temperature(odd).reshape(-1, 4)
    np.testing.assert_allclose(kelvin[:, :3], [[100.0, 1000.0, 100.0]] * 300, atol=10.0)


def test_a_band_must_be_one() -> None:
    with pytest.raises(ThermalError, match="band"):
        Band(14.0, 8.0)


@pytest.mark.parametrize("band", [LWIR, Band(3.0, 5.0), Band(0.9, 1.7), Band(8.0, 8.1)])
def test_the_inverse_is_that_of_all_sixty_thousand_temperatures(band: Band) -> None:
    kelvin = np.linspace(100.0, 1000.0, 60001)
    radiance = np.concatenate([band_radiance(some, band) for some in np.array_split(kelvin, 100)])
    # 256 equal steps of each octave from 2^-12 to 2^13 W m-2 sr-1.
    steps = ((1 + np.arange(256) / 256) * 2.0 ** np.arange(-12, 13)[:, None]).astype(np.float32).reshape(-1)
    expected = np.interp(np.log(steps), np.log(radiance), kelvin).astype(np.float32)
    np.testing.assert_array_equal(band_table(band).inverse[: len(steps)], expected)


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1025, 2500])
def test_a_table_of_any_length_is_read_to_its_end(count: int) -> None:
    kelvin = np.linspace(90.0, 1010.0, count).astype(np.float32)
    expected = band_radiance(np.clip(kelvin.astype(np.float64), 100.0, 1000.0))
    np.testing.assert_allclose(band_table().radiance(kelvin), expected, rtol=1e-4)  # 0.5 mK at 100 K
