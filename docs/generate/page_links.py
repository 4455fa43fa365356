"""Names of pages in texts. On GitHub a reader looks for a file, on the site for a title."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = ["title_of", "with_titles"]

DOCS: Final = Path(__file__).resolve().parents[1]
_CODE: Final = re.compile(r"(^```.*?^```|^(?: {4}|\t).*?$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[(?:docs/)?[a-z/-]+\.md\]\(([a-z./-]+\.md)(#[^)]*)?\)")
_NAMED: Final = re.compile(r"(?<![\w/(\[])docs/([a-z/-]+\.md)")


def with_titles(markdown: str, page: str) -> str:
    """The text with titles in the place of names of files, and links where there were names alone.

    Args:
        markdown: The text of a page.
        page: Its path below docs/.
    """
    parts = _CODE.split(markdown)
    return "".join(
        part if number % 2 else _renamed(part, PurePosixPath(page).parent) for number, part in enumerate(parts)
    )


def _renamed(text: str, folder: PurePosixPath) -> str:
    text = _LINK.sub(lambda found: _link(_joined(folder, found[1]), folder, found[2] or "") or found[0], text)
    return _NAMED.sub(lambda found: _link(found[1], folder) or found[0], text)


def _joined(folder: PurePosixPath, target: str) -> str:
    return os.path.normpath(folder / target)


def _link(path: str, folder: PurePosixPath, anchor: str = "") -> str:
    title = title_of(path)
    return title and f"[{title}]({os.path.relpath(path, folder)}{anchor})"


@cache
def title_of(path: str) -> str:
    """The heading of a page below docs/; empty where there is none."""
    file = DOCS / path
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].strip() if found else ""
