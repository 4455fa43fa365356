"""TIFF files: what they state of their values, and radiometric ones of our own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from pipelines.backgrounds.ingest.radiometric import KELVIN_AT_0_C
from pipelines.errors import BackgroundError
from pipelines.io.files import write_through

__all__ = [
    "CONVENTION",
    "KELVIN_PER_COUNT",
    "Unit",
    "stated_scale",
    "unit_to_kelvin",
    "write_kelvin_tiff",
]

Unit = Literal["stated", "kelvin", "centikelvin", "celsius"]
"""What values of 16-bit and float pictures mean; ``stated``: what the file itself says, else nothing is known."""

KELVIN_PER_COUNT = 0.01
"""10 mK, as FLIR's TLinear high resolution has it: 16 bits reach to 655.35 K."""
CONVENTION = f"kelvin = value * {KELVIN_PER_COUNT}; celsius = value * {KELVIN_PER_COUNT} - {KELVIN_AT_0_C}"
_GDAL_METADATA = 42112
"""Tag GDAL_METADATA, as registered for GDAL."""
_GDAL = (
    f'<GDALMetadata><Item name="SCALE" sample="0" role="scale">{KELVIN_PER_COUNT}</Item>'
    f'<Item name="OFFSET" sample="0" role="offset">-{KELVIN_AT_0_C}</Item>'
    '<Item name="UNITTYPE" sample="0" role="unittype">degree Celsius</Item></GDALMetadata>'
)
_STATEMENT = re.compile(r"kelvin\s*=\s*(?:value\s*\*\s*([0-9.eE+-]+)|([0-9.eE+-]+)\s*\*\s*value)")


def write_kelvin_tiff(path: Path, kelvin: NDArray[Any], about: str = "") -> None:
    """Writes temperatures as a grey 16-bit TIFF of 10 mK per count that says so in three ways.

    The description begins with ImageJ's calibration, so that ImageJ and Fiji show degrees Celsius under the cursor, and
    goes on with the rule in words; GDAL's metadata (QGIS) hold the same scale and offset. Not compressed, because every
    tool reads that.

    Args:
        path: of the file.
        kelvin: (H, W), 0 to 655.35 K.
        about: more for the description, one line of ASCII.

    Raises:
        BackgroundError: a value that 16 bits do not hold.
        OutputError: the file cannot be written.
    """
    counts = np.rint(np.asarray(kelvin, dtype=np.float64) / KELVIN_PER_COUNT)
    if not (np.isfinite(counts).all() and counts.min() >= 0 and counts.max() <= np.iinfo(np.uint16).max):
        raise BackgroundError(f"{path}: a temperature beyond 0 to 655.35 K: {KELVIN_PER_COUNT:g} K per count end there")
    lines = (
        *("ImageJ=1.54f", "cf=0", f"c0=-{KELVIN_AT_0_C}", f"c1={KELVIN_PER_COUNT}", "vunit=C"),
        f"info=radiometric; {CONVENTION}",
        *((f"about={about}",) if about else ()),
    )
    # No time and no library version, so that equal pictures are equal files.
    write_through(
        path,
        lambda temporary: tifffile.imwrite(
            temporary, counts.astype(np.uint16), photometric="minisblack", description="\n".join(lines) + "\n",
            metadata=None, software="gis", byteorder="<", extratags=[(_GDAL_METADATA, "s", 0, _GDAL, True)],
        ),
    )  # fmt: skip


def stated_scale(description: str) -> float | None:
    """Kelvin per count that a description states; None where it states none."""
    found = _STATEMENT.search(description)
    if found is None:
        return None
    try:
        scale = float(found[1] or found[2])
    except ValueError:
        return None
    return scale if 0 < scale < 10 else None


def unit_to_kelvin(values: NDArray[Any], unit: Unit) -> NDArray[np.float32]:
    """Kelvin of values in a unit that is not ``stated``."""
    wide = values.astype(np.float64)
    if unit == "centikelvin":
        wide *= 0.01
    elif unit == "celsius":
        wide += KELVIN_AT_0_C
    return wide.astype(np.float32)
