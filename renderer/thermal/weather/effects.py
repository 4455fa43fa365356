"""What a weather does beyond sky, air and wind: what was drawn of it for one frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import ThermalError

__all__ = ["WeatherEffects"]

_OPTIONAL = {"omitted_if_none": True}


@dataclass(frozen=True)
class WeatherEffects:
    """What lies on surfaces and hangs in the air; what a weather does not have is None.

    Raises:
        ThermalError: a number that no weather has.
    """

    sky: str
    """The simple weather whose clouds, sunlight and sky these are: ``clear``, ``cloudy``, ``overcast``, ``rain`` or
    ``fog``."""
    extinction_per_m: float | None = field(default=None, metadata=_OPTIONAL)
    """By droplets, drops or flakes in 8-14 um; in place of what the visibility alone would say."""
    droplet_radius_um: float | None = field(default=None, metadata=_OPTIONAL)
    """Effective radius of the fog's droplets."""
    rain_mm_h: float | None = field(default=None, metadata=_OPTIONAL)
    """Rate; surfaces are wet."""
    water_film: float | None = field(default=None, metadata=_OPTIONAL)
    """Share of level ground whose roughness lies under water and mirrors, 0-1."""
    snow_depth_m: float | None = field(default=None, metadata=_OPTIONAL)
    """On open ground."""
    snow_on_road: float | None = field(default=None, metadata=_OPTIONAL)
    """Share of the carriageway that traffic and ploughs have left white, 0-1."""
    snow_on_trees: float | None = field(default=None, metadata=_OPTIONAL)
    """Share of upper sides of leaves, boughs and hedges that snow covers, 0-1."""
    snow_age_days: float | None = field(default=None, metadata=_OPTIONAL)
    """Since it fell: old snow takes up more sun."""
    deposit: str | None = field(default=None, metadata=_OPTIONAL)
    """What has condensed on surfaces colder than the dew point: ``dew`` or ``frost``."""

    def __post_init__(self) -> None:
        """Check that such weather exists."""
        for label, most in (
            ("extinction_per_m", 1.0),
            ("droplet_radius_um", 50.0),
            ("rain_mm_h", 300.0),
            ("water_film", 1.0),
            ("snow_depth_m", 5.0),
            ("snow_on_road", 1.0),
            ("snow_on_trees", 1.0),
            ("snow_age_days", 300.0),
        ):
            value = getattr(self, label)
            if value is not None and not 0.0 <= value <= most:  # NaN fails too
                raise ThermalError(f"weather: {label} is {value}, expected 0 to {most:g}")
        if self.deposit not in (None, "dew", "frost"):
            raise ThermalError(f"weather: deposit is {self.deposit!r}, expected dew or frost")
