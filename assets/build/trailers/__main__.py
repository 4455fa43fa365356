"""Write trailers.npz: ``python -m assets.build.trailers [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from assets import TRAILER_ARRAYS
from assets.build.people.arrays import model_arrays, write_arrays

from .models import trailer_models


def main() -> None:
    """Write the file that ships, or the same into the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else TRAILER_ARRAYS.parent
    path = folder / TRAILER_ARRAYS.name
    write_arrays(path, model_arrays([*trailer_models()]))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
