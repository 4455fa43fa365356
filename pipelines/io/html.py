"""HTML pages that need no other file, out of Jinja templates; values are escaped, controls in them are written out."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from pipelines.io.escape import for_console

__all__ = ["data_uri", "fill_template"]


def fill_template(template: Path | str, **values: Any) -> str:
    """The text of a template with its values.

    Args:
        template: file, or the template's own text.
        values: by name.

    Raises:
        jinja2.UndefinedError: the template asks for a value that is not given.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, finalize=_finalize
    )
    text = template if isinstance(template, str) else template.read_text(encoding="utf-8")
    return environment.from_string(text).render(values)


def _finalize(value: Any) -> Any:
    """A text with what cannot be seen in it written out; its lines stay lines, and what is escaped already as it is."""
    if type(value) is not str:
        return value
    return "\n".join(for_console(line) for line in value.split("\n"))


def data_uri(kind: str, data: bytes) -> str:
    """A file as the address of itself, e.g. of kind ``image/png``."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
