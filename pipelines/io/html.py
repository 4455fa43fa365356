"""HTML pages that need no other file, out of Jinja templates that lie beside the code; values are escaped."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

__all__ = ["data_uri", "fill_template"]


def fill_template(template: Path, **values: Any) -> str:
    """The text of a template with its values.

    Raises:
        jinja2.UndefinedError: the template asks for a value that is not given.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(template.read_text(encoding="utf-8")).render(values)


def data_uri(kind: str, data: bytes) -> str:
    """A file as the address of itself, e.g. of kind ``image/png``."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
