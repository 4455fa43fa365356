"""Scripts that build the .blend files of ``assets``: ``python -m assets.build.cars``, ``python -m assets.build.city``."""
