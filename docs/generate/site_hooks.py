"""What `mkdocs build` does beside reading the pages: it adds those that are generated, and names pages by their titles.

https://www.mkdocs.org/user-guide/configuration/#hooks
"""

from __future__ import annotations

import re
from typing import Any, Final

from generated_pages import generated_pages, with_all_pages
from mkdocs.structure.files import File
from page_links import with_titles

__all__ = ["on_config", "on_files", "on_page_content", "on_page_markdown"]

_ROLE: Final = re.compile(r":(?:mod|func|class|data|attr|meth|exc):(?=<code>)")
"""What Sphinx would make a link of in a docstring."""


def on_config(config: Any) -> None:
    """Puts all pages into the navigation."""
    config.nav = with_all_pages(config.nav)


def on_files(files: Any, config: Any) -> None:
    """Adds the generated pages."""
    for path, text in generated_pages().items():
        files.append(File.generated(config, path, content=text))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Names a page by its title where the text names the file."""
    return with_titles(markdown, page.file.src_uri)


def on_page_content(html: str, **_: Any) -> str:
    """Docstrings without the roles of Sphinx."""
    return _ROLE.sub("", html)
