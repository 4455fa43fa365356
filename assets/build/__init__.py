"""Scripts that build the .blend files of ``assets``, e.g. ``python -m assets.build.cars``."""
