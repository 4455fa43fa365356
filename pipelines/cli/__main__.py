"""``python -m pipelines.cli``, the same as ``gis``."""

from pipelines.cli.main import main

main()
