"""Files of options: TOML that a command reads with ``--config`` and writes with ``--save-config``.

The names are those of the command line with ``_`` in place of ``-``; a model's own options stand in the table ``set``.
Nothing in such a file is executed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renderer.text_files import parse_toml

from pipelines.errors import ConfigError
from pipelines.io.files import write_text

__all__ = ["config_text", "read_config_file", "shipped_configs", "write_config_file"]


def shipped_configs() -> tuple[str, ...]:
    """Names of the files of options that ship with gis."""
    from assets import RECIPES

    return tuple(sorted(path.stem for path in RECIPES.glob("*.toml")))


def read_config_file(file: Path) -> dict[str, Any]:
    """Values by the options' names; the table ``set``, where there is one, under its name.

    Args:
        file: A TOML file, or the name of a shipped one without its suffix.

    Raises:
        ConfigError: There is no such file, or it is no TOML.
    """
    from assets import RECIPES

    path = file if file.suffix or file.exists() else RECIPES / f"{file}.toml"
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path}: is no file: expected a TOML file of options")
        values = parse_toml(path.read_bytes())
    except FileNotFoundError as error:
        known = ", ".join(shipped_configs())
        raise ConfigError(f"{file}: no such file of options: expected a TOML file, or one of {known}") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: no TOML ({error})") from error
    if not isinstance(values.get("set", {}), dict):
        raise ConfigError(f"{path}: set is {values['set']!r}: expected a table of the model's options")
    return values


def write_config_file(path: Path, command: str, values: Mapping[str, Any]) -> None:
    """Writes options so that ``gis COMMAND --config FILE`` makes the same run.

    Args:
        path: File to write; its folder is made.
        command: Name of the command, for a comment.
        values: Plain values by the options' names, the table ``set`` among them; what is None is left out.

    Raises:
        ConfigError: A value that TOML cannot say.
        OutputError: The file cannot be written.
    """
    write_text(path, f"# gis {command} --config {path.name}\n{config_text(values)}")


def config_text(values: Mapping[str, Any]) -> str:
    """The values as TOML.

    Raises:
        ConfigError: A value that TOML cannot say.
    """
    plain = {name: value for name, value in values.items() if value is not None and not isinstance(value, Mapping)}
    tables = {name: value for name, value in values.items() if isinstance(value, Mapping) and value}
    lines = [f"{name} = {_literal(name, value)}" for name, value in plain.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_literal(key, value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _literal(name: str, value: Any) -> str:
    """A value in TOML's words."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(name, one) for one in value)}]"
    if isinstance(value, str):  # JSON's escapes are TOML's, but for the one character that JSON leaves as it is
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise ConfigError(f"{name} is {value!r}: a file of options cannot hold it; leave it out of --save-config")
