"""Write trams.npz: ``python -m assets.build.trams [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from assets import TRAM_ARRAYS
from assets.build.people.arrays import model_arrays, write_arrays

from .models import tram_model


def main() -> None:
    """Write the file that ships, or the same into the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else TRAM_ARRAYS.parent
    path = folder / TRAM_ARRAYS.name
    write_arrays(path, model_arrays([tram_model()]))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
