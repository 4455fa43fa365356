"""Electromagnetic-spectrum normalisation (EMSN): grey levels placed on wavelengths before they are scaled to [-1, 1].

From "Infrared Image Generation From RGB Images Using CycleGAN". A level of 0..255 is mapped linearly to the band of its
domain, 380..750 nm for visible images and 1000..14000 nm for infrared ones, and the wavelength is scaled to [-1, 1].

- ``printed``: as the paper's equations stand. They divide by the band that they multiplied with, so everything cancels
  and plain scaling of 0..255 to -1..1 is left. The steps are computed all the same; a test shows that they change
  nothing.
- ``joint``: what the words of the paper ask for. Both domains are scaled by one spectrum, 380..14000 nm. Visible images
  then lie in [-1, -0.9457], a 37th of the range, and infrared ones in [-0.9090, 1].

One grey level of a visible image is 2.1e-4 on the joint scale. float32 resolves that 3600 times, bfloat16 (steps of
2^-8 below 1) not at all: of 256 levels 15 are left. Whoever computes with joint values must do so in float32.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn

__all__ = ["BANDS_NM", "SPECTRUM_NM", "Band", "Emsn", "Spectrum", "levels_to_wavelengths"]

Emsn = Literal["none", "printed", "joint"]
Band = Literal["visible", "infrared"]

# The paper's bands; the joint spectrum reaches from the lowest to the highest of their ends.
BANDS_NM: Final[dict[Band, tuple[float, float]]] = {"visible": (380.0, 750.0), "infrared": (1000.0, 14000.0)}
SPECTRUM_NM: Final = (380.0, 14000.0)
_LEVELS: Final = 255.0


def levels_to_wavelengths(levels: Tensor, band: Band) -> Tensor:
    """Grey levels 0..255 to wavelengths in nm, linear over the band."""
    low, high = BANDS_NM[band]
    return low + levels / _LEVELS * (high - low)


class Spectrum(nn.Module):
    """Plain images in [-1, 1] to normalised ones and back; the normalised ones lie in `limits`.

    Args:
        kind: ``none``, ``printed`` or ``joint``.
        band: Domain of the images. Every channel of an image is treated alike, those of a source tensor too.
    """

    def __init__(self, kind: Emsn, band: Band) -> None:
        super().__init__()
        self.kind: Emsn = kind
        self.band: Band = band
        low, high = SPECTRUM_NM if kind == "joint" else BANDS_NM[band]
        first, last = BANDS_NM[band]
        self._low_nm, self._high_nm = low, high
        # In double precision, here and once: the map of a plain image is offset + (image + 1) * scale.
        self._offset = 2 * (first - low) / (high - low) - 1
        self._scale = (last - first) / (high - low)

    @property
    def limits(self) -> tuple[float, float]:
        """Normalised values of black and white."""
        return self._offset, self._offset + 2 * self._scale

    def forward(self, image: Tensor) -> Tensor:
        """Plain image in [-1, 1] to a normalised one, float32 where it changes anything."""
        if self.kind == "none":
            return image
        if self.kind == "printed":
            wavelengths_nm = levels_to_wavelengths((image.float() + 1) * (_LEVELS / 2), self.band)
            return (wavelengths_nm - self._low_nm) / (self._high_nm - self._low_nm) * 2 - 1
        return self._offset + (image.float() + 1) * self._scale

    def inverse(self, image: Tensor) -> Tensor:
        """Normalised image to a plain one; what lies beyond the band becomes black or white."""
        if self.kind != "joint":
            return image
        plain = (image.float() - self._offset) / self._scale - 1
        return torch.clamp(plain, -1.0, 1.0)
