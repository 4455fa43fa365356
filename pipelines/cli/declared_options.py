"""Commands whose options are the fields of a dataclass (`gan.options`).

A command is a function of one argument, ``config``, whose type is such a dataclass; its options on the command line,
with help, panels, defaults and completion of words, are made from the fields. Every such command also reads options
from a file (``--config``; the command line wins) and writes them to one (``--save-config``).
"""

from __future__ import annotations

import functools
import inspect
import typing
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import typer
from gan.options import Declaration, declarations, make_options, new_names, option_values, parse_settings
from typer.core import TyperCommand

from pipelines.cli.config_files import read_config_file, shipped_configs, write_config_file
from pipelines.cli.console import say
from pipelines.errors import ConfigError

__all__ = ["DeclaredCommand", "command_class", "declared_command", "is_declared", "resolved_values", "values_for_file"]

_SETTINGS = "set"
"""The one option that is a table: a model's own options, as ``name=value`` on the command line."""
_FILES = "Files of options"


class DeclaredCommand(TyperCommand):
    """A command that knows the names its options had, and needs none of them where a file is read."""

    old_flags: ClassVar[Mapping[str, str]] = {}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put today's names in the place of old ones, with a note, and parse."""
        args = [self._with_new_name(arg, quiet=ctx.resilient_parsing) for arg in args]
        from_file = any(arg == "--config" or arg.startswith("--config=") for arg in args)
        demanded = [parameter for parameter in self.params if parameter.required]
        for parameter in demanded:
            parameter.required = not from_file
        try:
            return super().parse_args(ctx, args)
        finally:
            for parameter in demanded:
                parameter.required = True

    def _with_new_name(self, arg: str, *, quiet: bool) -> str:
        flag, equals, value = arg.partition("=")
        if flag not in self.old_flags:
            return arg
        if not quiet:
            note = f"gis {self.name}: {flag} is now {self.old_flags[flag]}; the next version knows that name alone"
            say(note, err=True)
        return f"{self.old_flags[flag]}{equals}{value}"


def command_class(old_flags: Mapping[str, str]) -> type[DeclaredCommand]:
    """A command whose options had other names: old to new, with their dashes."""
    return type("Command", (DeclaredCommand,), {"old_flags": old_flags})


def is_declared(function: Callable[..., Any]) -> bool:
    """Whether a command's options are the fields of a dataclass."""
    return list(inspect.signature(function).parameters) == ["config"]


def declared_command(function: Callable[[Any], None]) -> tuple[Callable[..., None], type[DeclaredCommand]]:
    """A function for typer with one parameter for each option, and the class of its command."""
    kind = typing.get_type_hints(function)["config"]

    @functools.wraps(function)
    def command(context: typer.Context, **given: Any) -> None:
        file, save = given.pop("config"), given.pop("save_config")
        typed = {name: value for name, value in given.items() if _stands_on_the_command_line(context, name)}
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: say(f"gis {context.info_name}: {message}", err=True)
            values = resolved_values(kind, typed, file, lambda line: say(line, err=True))
            config = make_options(kind, values, "" if file is None else str(file))
            if save is not None:
                write_config_file(save, function.__name__, values_for_file(config))
            function(config)

    parameters = [_context(), *map(_parameter, declarations(kind)), *_file_parameters()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command, command_class(_old_flags(kind))


def resolved_values(
    kind: type[Any], typed: Mapping[str, Any], file: Path | None, report: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Values of the options: those of the command line over those of a file.

    Args:
        kind: The dataclass.
        typed: What stands on the command line, by the options' names.
        file: A file of options, or the name of a shipped one.
        report: Takes a line for the user about each old name in the file.

    Raises:
        ConfigError: The file cannot be read, or holds what is no option.
    """
    values: dict[str, Any] = {}
    if file is not None:
        values = new_names(
            kind, read_config_file(file), lambda old, new: report(f"{file}: {old} is now called {new}, which is read")
        )
        for one in declarations(kind):
            if one.name in values and not one.option.in_files:
                raise ConfigError(f"{file}: {one.name} belongs on the command line: expected it there")
    typed = dict(typed)
    if _SETTINGS in typed:
        typed[_SETTINGS] = {**values.get(_SETTINGS, {}), **parse_settings(typed[_SETTINGS])}
    return {**values, **typed}


def values_for_file(config: Any) -> dict[str, Any]:
    """What ``--save-config`` writes of a configuration: the plain values of all options that a file may hold."""
    names = {one.name for one in declarations(type(config)) if one.option.in_files}
    return {name: value for name, value in option_values(config).items() if name in names}


def _stands_on_the_command_line(context: typer.Context, name: str) -> bool:
    return str(context.get_parameter_source(name)).endswith("COMMANDLINE")


def _old_flags(kind: type[Any]) -> dict[str, str]:
    flags = {"--recipe": "--config"}
    for one in declarations(kind):
        for old in (name.replace("_", "-") for name in one.option.old_names):
            flags[f"--{old}"] = f"--{one.flag}"
            if one.inner is bool:
                flags[f"--no-{old}"] = f"--no-{one.flag}"
    return flags


def _context() -> inspect.Parameter:
    return inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)


def _parameter(declaration: Declaration) -> inspect.Parameter:
    """The option as typer has it."""
    option = declaration.option
    default = _shown_default(declaration)
    details: dict[str, Any] = {"help": option.help, "rich_help_panel": option.panel}
    details["show_default"] = option.default_text or default not in (None, "", [])
    words = declaration.choices
    if words:
        details["help"] = f"{option.help} One of {', '.join(words)}."
    if words or option.suggestions:
        details["autocompletion"] = _completion(words or option.suggestions or ())
    flags = () if option.positional else _flags(declaration)
    info = typer.Argument(**details) if option.positional else typer.Option(*flags, **details)
    return _keyword(declaration.name, default, _typer_type(declaration), info)


def _keyword(name: str, default: Any, kind: Any, info: Any) -> inspect.Parameter:
    annotation = Annotated.__class_getitem__((kind, info))  # type: ignore[attr-defined]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _flags(declaration: Declaration) -> tuple[str, ...]:
    flag = declaration.flag
    return (f"--{flag}/--no-{flag}",) if declaration.inner is bool and declaration.option.in_files else (f"--{flag}",)


def _shown_default(declaration: Declaration) -> Any:
    """The default as the command line would say it; none where the option must be given."""
    value = declaration.default
    if declaration.required:
        return ...
    if declaration.option.parse is not None and isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, dict) or value == ():
        return None
    return value


def _typer_type(declaration: Declaration) -> Any:
    """The type that typer parses: a word for what is checked here, lists for what may be repeated."""
    kind, arguments = declaration.inner, typing.get_args(declaration.inner)
    origin = typing.get_origin(kind)
    own = origin is typing.Union or (origin is None and kind not in (str, int, float, bool, Path))
    if declaration.option.parse is not None or own:
        base: Any = str
    elif origin is Literal:
        base = type(arguments[0])
    elif origin is dict:
        base = list[str]
    elif origin is tuple and Ellipsis in arguments:
        base = list.__class_getitem__(arguments[0])
    else:
        base = kind
    return base if declaration.required else base | None


def _completion(words: Iterable[str] | Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        known = words() if callable(words) else words
        return [word for word in known if word.startswith(incomplete)]

    return complete


def _file_parameters() -> tuple[inspect.Parameter, ...]:
    """``--config`` and ``--save-config``."""
    read = typer.Option(
        "--config",
        help="TOML file of options, or the name of a shipped one; options given here win.",
        metavar="FILE",
        rich_help_panel=_FILES,
        autocompletion=_completion(shipped_configs),
    )
    write = typer.Option(
        "--save-config",
        help="Write all options of this run to a TOML file, which --config reads.",
        metavar="FILE",
        rich_help_panel=_FILES,
    )
    return tuple(_keyword(name, None, Path | None, info) for name, info in (("config", read), ("save_config", write)))
