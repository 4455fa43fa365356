"""``python -m assets.build.city``."""

from .scene import main

main()
