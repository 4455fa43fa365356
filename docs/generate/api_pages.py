"""Pages about the Python packages: their public names, which mkdocstrings reads from the sources."""

from __future__ import annotations

import importlib
from typing import Final

__all__ = ["PACKAGES", "api_pages", "model_page"]

PACKAGES: Final = ("renderer", "pipelines", "gan", "assets")


def api_pages() -> dict[str, str]:
    """Markdown by the page's path."""
    return {f"reference/python/{name}.md": _package_page(name) for name in PACKAGES} | {
        "reference/models.md": model_page()
    }


def _package_page(name: str) -> str:
    module = importlib.import_module(name)
    summary = (module.__doc__ or "").partition("\n")[0]
    lines = [f"# {name}", "", summary, "", f"What stands here can be taken from `{name}` itself: `import {name}`. "]
    lines += ["[From Python](../../python.md) has examples of most of it.", ""]
    for public in sorted(module.__all__, key=_rank):
        lines += [f"::: {name}.{public}", ""]
    return "\n".join(lines)


def _rank(name: str) -> tuple[bool, bool, str]:
    """Functions first, then constants and classes, then errors."""
    return name.endswith(("Error", "Lost", "Warning")), not name[0].islower(), name


def model_page() -> str:
    """Options of the translation models, which are given as ``--set NAME=VALUE``."""
    from gan.backends.registry import backend_names

    lines = [
        "# Options of translation models",
        "",
        "`gis train --model NAME --set OPTION=VALUE`, as often as there is something to set, or "
        "`gan.train(..., OPTION=VALUE)`. `gis models` prints them with their papers.",
        "",
    ]
    for name in backend_names():
        lines += [
            f"## {name}",
            "",
            f"::: gan.backends.{name}",
            _ONLY_TEXT,
            f"::: gan.backends.{name}.Config",
            _ATTRIBUTES,
        ]
    return "\n".join(lines)


_ONLY_TEXT: Final = """    options:
      members: false
      show_root_heading: false
      show_root_toc_entry: false
"""
_ATTRIBUTES: Final = """    options:
      heading_level: 3
      inherited_members: true
      show_root_full_path: false
      show_signature: false
      merge_init_into_class: false
      filters: ["!^_", "!^suggest", "!^build"]
"""
