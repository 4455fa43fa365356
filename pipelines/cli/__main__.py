"""``python -m pipelines.cli``, the same as ``gis``."""

from pipelines.cli import main

main()
