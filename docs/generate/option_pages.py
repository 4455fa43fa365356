"""Pages about commands and their options, from the declarations themselves, so that none can be out of date."""

from __future__ import annotations

import html
import importlib
import inspect
import re
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

import typer

import assets
from gan.options import Declaration, Option, declarations
from pipelines.cli.declared_options import declared_command, is_declared
from pipelines.cli.main import COMMANDS

__all__ = ["FOLDER", "CommandOption", "command_options", "command_pages"]

FOLDER: Final = "reference/commands"
_ASSETS: Final = Path(assets.__file__).parent


def command_pages() -> dict[str, str]:
    """Markdown by the page's path: a page for each command, and one that lists them."""
    pages = {f"{FOLDER}/{name}.md": _command_page(name) for name in COMMANDS}
    return {f"{FOLDER}/index.md": _list_of_commands(), **pages}


def _list_of_commands() -> str:
    lines = ["# Commands", "", "`gis COMMAND --help` shows on a terminal what stands on these pages."]
    for panel in dict.fromkeys(row.panel for row in COMMANDS.values()):
        lines += ["", f"## {panel}", "", "| command | what it does |", "|---|---|"]
        lines += [f"| [`gis {name}`]({name}.md) | {row.help} |" for name, row in COMMANDS.items() if row.panel == panel]
    return "\n".join([*lines, "", *_exit_codes()])


def _exit_codes() -> list[str]:
    """The table in the docstring of the command line, as Markdown."""
    text = importlib.import_module("pipelines.cli.main").__doc__ or ""
    table = text.split("====  ")[2].split("\n", 1)[1]
    rows = [line.split(None, 1) for line in table.splitlines() if line[:1].isdigit()]
    return ["## Exit status", "", "| status | meaning |", "|---|---|", *(f"| {code} | {what} |" for code, what in rows)]


def _command_page(name: str) -> str:
    shown = command_options(name)
    lines = [f"# gis {name}", "", COMMANDS[name].help, "", "```text", _synopsis(name, shown), "```"]
    for panel in dict.fromkeys(one.panel for one in shown):
        lines += ["", f"## {panel}", "", "| option | value | default | what it does |", "|---|---|---|---|"]
        lines += [_row(one) for one in shown if one.panel == panel]
    if any(one.declared for one in shown):
        lines += ["", _IN_FILES]
    return "\n".join([*lines, ""])


_IN_FILES: Final = (
    "The same names, with `_` for `-`, are the keys of a `--config` file and the keywords of the "
    "[Python functions](../python/pipelines.md) that do this work."
)


@dataclass(frozen=True)
class CommandOption:
    """An option or argument as a command takes it: typer's description of it, and the field that declares it if any."""

    name: str
    kind: Any
    info: Any
    default: Any
    declared: Declaration | None

    @property
    def panel(self) -> str:
        """Heading under which it stands."""
        return getattr(self.info, "rich_help_panel", None) or "Arguments"

    @property
    def is_argument(self) -> bool:
        """Whether it has no name on the command line."""
        return isinstance(self.info, typer.models.ArgumentInfo)

    @property
    def needed(self) -> bool:
        """Whether it must be given."""
        return self.default in (..., inspect.Parameter.empty)

    @property
    def flags(self) -> tuple[str, ...]:
        """How it is typed."""
        if self.is_argument:
            return (self.name.upper(),)
        given = [text for text in (self.info.default, *(self.info.param_decls or ())) if str(text).startswith("--")]
        return tuple(flag for text in given or [f"--{self.name.replace('_', '-')}"] for flag in text.split("/"))

    @property
    def value_kind(self) -> Any:
        """Type of the value, without None and without the list of an option that may be repeated."""
        kinds = [one for one in typing.get_args(self.kind) if one is not type(None)]
        kind = kinds[0] if kinds and typing.get_origin(self.kind) in (typing.Union, types.UnionType) else self.kind
        return typing.get_args(kind)[0] if typing.get_origin(kind) is list else kind

    @property
    def repeated(self) -> bool:
        """Whether it may be given several times."""
        return "list[" in str(self.kind)


@cache
def command_options(name: str) -> tuple[CommandOption, ...]:
    """Options of a command, as they are declared."""
    function = getattr(importlib.import_module(f"pipelines.cli.commands.{name}"), name)
    fields: dict[str, Declaration] = {}
    if is_declared(function):
        fields = {one.name: one for one in declarations(typing.get_type_hints(function)["config"])}
        function = declared_command(function)[0]
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    split = ((one, *typing.get_args(one.annotation)) for one in parameters if one.name != "context")
    return tuple(CommandOption(one.name, kind, info, one.default, fields.get(one.name)) for one, kind, info in split)


def _synopsis(name: str, options: Iterable[CommandOption]) -> str:
    needed = [" ".join((*one.flags[:1], *_placeholder(one))) for one in options if one.needed]
    return " ".join(["gis", name, *needed, "[OPTIONS]"])


def _placeholder(option: CommandOption) -> tuple[str, ...]:
    return () if option.is_argument else ({Path: "PATH", int: "N", float: "NUMBER"}.get(option.value_kind, "VALUE"),)


def _row(option: CommandOption) -> str:
    anchor = f'<a id="{option.name.replace("_", "-").lower()}"></a>'
    names = "<br>".join(f"`{flag}`" for flag in option.flags)
    return f"| {anchor}{names} | {_value(option)} | {_default(option)} | {_plain(_help(option))} |"


def _help(option: CommandOption) -> str:
    """Its sentence; the words that are allowed have a column of their own."""
    return option.declared.option.help if option.declared else option.info.help or ""


def _value(option: CommandOption) -> str:
    if option.value_kind is bool:
        return "switch"
    limits = " ".join(_limits(option.declared.option)) if option.declared else ""
    words = _words(option)
    if words:
        kind = "one of " + ", ".join(f"`{_plain(word)}`" for word in words)
    else:
        kind = {Path: "path", int: "whole number", float: "number"}.get(option.value_kind, "text")
    return f"{kind}{' ' + limits if limits else ''}{', may be repeated' if option.repeated else ''}"


def _words(option: CommandOption) -> tuple[str, ...]:
    if option.declared:
        return option.declared.choices
    if isinstance(option.value_kind, type) and issubclass(option.value_kind, Enum):
        return tuple(word.value for word in option.value_kind)
    return tuple(map(str, typing.get_args(option.value_kind)))


def _limits(option: Option) -> Iterator[str]:
    limits = (("from", option.at_least), ("above", option.above), ("to", option.at_most), ("below", option.below))
    given = [f"{word} {limit:g}" for word, limit in limits if limit is not None]
    yield from given
    if given and option.unit:
        yield option.unit


def _default(option: CommandOption) -> str:
    value = option.declared.default if option.declared else option.default
    if option.needed:
        return "*required*"
    if option.declared and option.declared.option.default_text:
        return _plain(option.declared.option.default_text)
    if value is None or value in ((), [], {}, "", Path()):
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Path) and value.is_relative_to(_ASSETS):
        value = value.relative_to(_ASSETS)
    return f"`{','.join(map(str, value)) if isinstance(value, tuple) else value}`"


def _plain(text: str) -> str:
    """A text as a cell of a table shows it: a long word may break after a comma."""
    shown = html.escape(" ".join(text.split()), quote=False).replace("|", "\\|").replace("*", "\\*")
    return re.sub(r",(?=\S)", ",<wbr>", shown)
