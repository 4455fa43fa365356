"""All pages of the site that no file below docs/ holds, by their paths."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from api_pages import api_pages
from option_pages import FOLDER as COMMANDS_FOLDER
from option_pages import command_pages
from preset_page import preset_page

__all__ = ["COMMANDS_FOLDER", "PROJECT_PAGES", "command_navigation", "generated_pages"]

ROOT: Final = Path(__file__).resolve().parents[2]
PROJECT_PAGES: Final = ("ARCHITECTURE", "CONTRIBUTING", "CHANGELOG")


def generated_pages() -> dict[str, str]:
    """Markdown by the page's path below docs/."""
    project = {f"project/{name.lower()}.md": _project_page(name) for name in PROJECT_PAGES}
    return command_pages() | api_pages() | {"reference/presets.md": preset_page()} | project


def command_navigation() -> list[str | dict[str, str]]:
    """Entries of the navigation for the pages of commands."""
    pages = [path for path in command_pages() if not path.endswith("/index.md")]
    return [f"{COMMANDS_FOLDER}/index.md", *({f"gis {Path(path).stem}": path} for path in pages)]


def _project_page(name: str) -> str:
    """A page of the project's folder; its links start there."""
    text = (ROOT / f"{name}.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/", "](../", text)
    for other in PROJECT_PAGES:
        text = text.replace(f"]({other}.md", f"]({other.lower()}.md")
    return text
