"""The reader of JSON that all of gis has (`renderer.text_files`), by a name of this package."""

from __future__ import annotations

from renderer.text_files import parse_json

__all__ = ["parse_json"]
