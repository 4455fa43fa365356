"""Write people.npz and two_wheelers.npz: ``python -m assets.build.people [FOLDER]``. Needs the extra ``build``."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path

from assets import PEOPLE_ARRAYS, TWO_WHEELER_ARRAYS

from .arrays import model_arrays, write_arrays
from .models import person_models, pushing_models, two_wheeler_models

NEAR = "notoes_collapse10pc"


def main() -> None:
    """Write the files that ship, or the same into the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE_ARRAYS.parent
    moving = chain(two_wheeler_models(NEAR), pushing_models(NEAR))
    for file, models in ((TWO_WHEELER_ARRAYS, moving), (PEOPLE_ARRAYS, person_models(NEAR))):
        path = folder / file.name
        write_arrays(path, model_arrays(models))
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
