"""The commands of ``gis``, one module each; see :mod:`pipelines.cli`."""
