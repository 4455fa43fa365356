"""The command line: ``gis COMMAND``."""

from __future__ import annotations

from pipelines.cli.main import app, main

__all__ = ["app", "main"]
