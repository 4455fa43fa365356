"""Write animals.npz: ``python -m assets.build.animals [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from assets import ANIMAL_ARRAYS
from assets.build.people.arrays import model_arrays, write_arrays

from .models import animal_models, pram_model


def main() -> None:
    """Write the file that ships, or the same into the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ANIMAL_ARRAYS.parent
    path = folder / ANIMAL_ARRAYS.name
    write_arrays(path, model_arrays([*animal_models(), pram_model()]))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
