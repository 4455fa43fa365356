"""All pages of the site that no file below docs/ holds, by their paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from api_pages import api_pages
from option_pages import FOLDER as COMMANDS_FOLDER
from option_pages import command_pages
from preset_page import preset_page

__all__ = ["PROJECT_PAGES", "generated_pages", "named_pages", "with_all_pages"]

ROOT: Final = Path(__file__).resolve().parents[2]
PROJECT_PAGES: Final = ("ARCHITECTURE", "CONTRIBUTING", "CHANGELOG")


def generated_pages() -> dict[str, str]:
    """Markdown by the page's path below docs/."""
    project = {f"project/{name.lower()}.md": _project_page(name) for name in PROJECT_PAGES}
    return command_pages() | api_pages() | {"reference/presets.md": preset_page()} | project


def with_all_pages(navigation: list[Any]) -> list[Any]:
    """The navigation with a page for each command, and with the pages of docs/ that no line names.

    Args:
        navigation: That of mkdocs.yml, where ``reference/commands/*`` and ``*`` stand for these.
    """
    named = set(named_pages(navigation))
    docs = ROOT / "docs"
    more = sorted({path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} - named)
    return _expanded(navigation, {f"{COMMANDS_FOLDER}/*": _command_navigation(), "*": more})


def named_pages(entry: Any) -> Iterator[str]:
    """All paths of a navigation."""
    if isinstance(entry, str):
        yield entry
        return
    for one in entry.values() if isinstance(entry, dict) else entry:
        yield from named_pages(one)


def _expanded(entries: list[Any], pages: dict[str, list[Any]]) -> list[Any]:
    expanded = []
    for entry in entries:
        if isinstance(entry, dict):
            ((title, value),) = entry.items()
            value = pages.get(value, value) if isinstance(value, str) else _expanded(value, pages)
            entry = {title: value} if value else None
        if entry is not None:
            expanded.append(entry)
    return expanded


def _command_navigation() -> list[str | dict[str, str]]:
    pages = [path for path in command_pages() if not path.endswith("/index.md")]
    return [f"{COMMANDS_FOLDER}/index.md", *({f"gis {Path(path).stem}": path} for path in pages)]


def _project_page(name: str) -> str:
    """A page of the project's folder; its links start there."""
    text = (ROOT / f"{name}.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/", "](../", text)
    for other in PROJECT_PAGES:
        text = text.replace(f"]({other}.md", f"]({other.lower()}.md")
    return text
