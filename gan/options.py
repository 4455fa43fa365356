"""Options that are declared once: the fields of frozen dataclasses.

A field says its type and default as ever, and in an `Option` what these cannot say::

    @dataclass(frozen=True)
    class TrainOptions:
        epochs: Annotated[int, Option("Passes over the training data.", "Schedule", at_least=1)] = 200

        def __post_init__(self) -> None:
            check_options(self)

From these follow the command line and its help (`pipelines.cli`), files of options, the keywords of Python functions
(`make_options`), what is written beside an output, and the checks: whoever makes such a dataclass gets the same message
for the same mistake. A field whose type is such a dataclass itself holds a group of options, which are named as if they
stood in its place.

The module needs the standard library alone, so that it works inside of Blender.
"""

from __future__ import annotations

import dataclasses
import errno
import math
import numbers
import os
import stat
import sys
import types
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from gan.errors import ConfigError
from gan.text_files import parse_json

__all__ = [
    "Declaration", "Option", "check_options", "declarations", "keyword_options", "make_options", "new_names",
    "option_values", "parse_settings",
]  # fmt: skip

T = TypeVar("T")
_LONGEST_NAME, _LONGEST_PATH = 255, 4095
"""Bytes, of Linux (limits.h); other systems have no longer names."""
_LARGEST, _LONGEST = sys.float_info.max, 1 << 63
"""Numbers beyond have no float, and whole numbers no place in an array."""


@dataclass(frozen=True)
class Option:
    """What the type and the default of a field cannot say."""

    help: str
    """One sentence for the help."""
    panel: str = "Options"
    """Heading in the help."""
    _: dataclasses.KW_ONLY
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    unit: str = ""
    """Of the limits, for messages."""
    choices: Callable[[], Iterable[str]] | None = None
    """The words that are allowed, where a ``Literal`` cannot say them; called when they are needed."""
    suggestions: Callable[[], Iterable[str]] | None = None
    """Words that a shell completes, beside which others are allowed."""
    default_text: str = ""
    """What the help says of a default that says nothing itself, such as None."""
    old_names: tuple[str, ...] = ()
    """Names of earlier versions, which go on working with a note."""
    flag: str = ""
    """Name on the command line, in files and in messages where it is not the field's; without the dashes before it."""
    positional: bool = False
    """An argument of the command line that has no name there."""
    parse: Callable[[str], Any] | None = None
    """Turns the text of the command line or of a file into the value, where the type alone does not tell how."""
    in_files: bool = True
    """Whether a file of options can set it."""
    decides_content: bool = True
    """Whether another value gives other files, so that the value stands beside them."""
    implied: tuple[Any, ...] = ()
    """Values that do not stand beside the files: what those mean that were made before the option was there."""


@dataclass(frozen=True)
class Declaration:
    """One option, as a field declares it."""

    field: str
    """Name of the field."""
    type: Any
    option: Option
    default: Any
    """`dataclasses.MISSING` where the option must be given."""
    group: tuple[str, ...] = ()
    """Fields that lead to the dataclass that holds it; empty for the outermost."""

    @property
    def name(self) -> str:
        """Name in files of options."""
        return self.option.flag.replace("-", "_") or self.field

    @property
    def flag(self) -> str:
        """Name on the command line, without the dashes before it; small letters, where a unit has a capital."""
        return self.name.replace("_", "-").lower()

    @property
    def label(self) -> str:
        """Name in messages: as a user types it."""
        return self.flag if self.option.help else self.name

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is dataclasses.MISSING

    @property
    def inner(self) -> Any:
        """The type without ``None``."""
        return _inner(self.type)

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that are allowed; empty where anything of the type is."""
        if self.option.choices is not None:
            return tuple(self.option.choices())
        inner = self.inner
        if typing.get_origin(inner) is tuple:
            inner = typing.get_args(inner)[0]
        return tuple(map(str, typing.get_args(inner))) if typing.get_origin(inner) is Literal else ()


def declarations(kind: type[Any]) -> tuple[Declaration, ...]:
    """All options of a dataclass, those of its groups in their place."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(one for field in dataclasses.fields(kind) for one in _declared(field, hints[field.name]))


def _declared(field: dataclasses.Field[Any], hint: Any) -> Iterator[Declaration]:
    if dataclasses.is_dataclass(hint):
        for one in declarations(typing.cast("type[Any]", hint)):
            yield dataclasses.replace(one, group=(field.name, *one.group))
        return
    kind, *extras = typing.get_args(hint) if typing.get_origin(hint) is typing.Annotated else (hint,)
    option = next((extra for extra in extras if isinstance(extra, Option)), Option(""))
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    yield Declaration(field.name, kind, option, default)


def make_options(kind: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """Makes a dataclass of options from plain values, and checks names and types.

    Args:
        kind: The dataclass; one whose fields carry no `Option` will do.
        values: By the options' names; those that are missing keep their defaults. Lists stand for tuples, texts for
            paths, whole numbers for numbers.
        where: Where the values come from, for messages.

    Raises:
        ConfigError: A name that is no option, an option that must be given and is not, or a value of another type.
    """
    known = {one.name: one for one in declarations(kind)}
    begin = f"{where}: " if where else ""
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{begin}unknown option {unknown[0]!r}; expected one of {', '.join(sorted(known))}")
    for one in known.values():
        if one.required and one.name not in values:
            raise ConfigError(f"{begin}{one.label} is missing: expected {_expected(one)}")
    try:
        return _build(kind, {name: _checked(known[name], value) for name, value in values.items()})
    except ConfigError as error:
        raise ConfigError(f"{begin}{error}") from error


def _build(kind: type[T], values: Mapping[str, Any]) -> T:
    """The dataclass and its groups from checked values."""
    own = {one.field: values[one.name] for one in declarations(kind) if not one.group and one.name in values}
    hints = typing.get_type_hints(kind)
    groups = {
        field.name: _build(hints[field.name], values)
        for field in dataclasses.fields(typing.cast(Any, kind))
        if dataclasses.is_dataclass(hints[field.name])
    }
    return kind(**own, **groups)


def option_values(options: Any) -> dict[str, Any]:
    """The values of all options by name, as plain values: numbers, texts, lists; None where nothing was given."""
    return {one.name: _plain(_value(options, one)) for one in declarations(type(options))}


def _value(options: Any, declaration: Declaration) -> Any:
    for name in (*declaration.group, declaration.field):
        options = getattr(options, name)
    return options


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def new_names(
    kind: type[Any], values: Mapping[str, Any], note: Callable[[str, str], None] = lambda old, new: None
) -> dict[str, Any]:
    """Values with the options' names of today.

    Args:
        kind: The dataclass of options.
        values: By names of today or of earlier versions.
        note: Takes each old name that was used, and the new one.

    Raises:
        ConfigError: An option that stands under both names.
    """
    old = {name: one.name for one in declarations(kind) for name in one.option.old_names}
    renamed: dict[str, Any] = {}
    for name, value in values.items():
        if name in old:
            note(name, old[name])
        if old.get(name, name) in renamed:
            raise ConfigError(f"{name} and {old.get(name, name)} are one option: expected it once")
        renamed[old.get(name, name)] = value
    return renamed


def keyword_options(kind: type[T], keywords: Mapping[str, Any]) -> T:
    """Makes a dataclass of options from the keywords of a Python function, which calls this itself.

    As `make_options`; an option's name of an earlier version goes on working with a FutureWarning.

    Raises:
        ConfigError: A name that is no option, an option that must be given and is not, or a value that cannot work.
    """

    def warn(old: str, new: str) -> None:
        message = f"{old} is now called {new}; the next version knows that name alone"
        warnings.warn(message, FutureWarning, stacklevel=5)  # the line that calls the function

    return make_options(kind, new_names(kind, keywords, warn))


def check_options(options: Any) -> None:
    """Checks every field of a dataclass of options, and turns what stands for a value into it: its __post_init__.

    Raises:
        ConfigError: A value of another type, or outside of its limits.
    """
    for one in declarations(type(options)):
        if not one.group:
            value = getattr(options, one.field)
            object.__setattr__(options, one.field, _checked(one, value))


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """``name=value`` texts to values: numbers, true, false and null as in JSON, all else text.

    Raises:
        ConfigError: Where a text has no name or stands twice.
    """
    values: dict[str, Any] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or not name or name in values:
            raise ConfigError(f"--set {text}: expected name=value, each name once")
        try:
            values[name] = parse_json(value)
        except ValueError:
            values[name] = value
    return values


def _checked(declaration: Declaration, value: Any) -> Any:
    """The value as the option's type has it, within its limits.

    Raises:
        ConfigError: It is neither.
    """
    option, label = declaration.option, declaration.label
    if option.parse is not None and isinstance(value, str):
        value = option.parse(value)
    try:
        value = _converted(value, declaration.type)
    except TypeError:
        if declaration.choices and isinstance(value, str):
            raise ConfigError(f"unknown {label} {value!r}: expected {_expected(declaration)}") from None
        raise ConfigError(f"{label} is {value!r}: expected {_expected(declaration)}") from None
    if option.choices is not None and value is not None:
        unknown = [one for one in (value if isinstance(value, tuple) else (value,)) if one not in declaration.choices]
        if unknown:
            raise ConfigError(f"unknown {label} {unknown[0]!r}: expected {_expected(declaration)}")
    if isinstance(value, Path) and (reason := _no_path(value)):
        raise ConfigError(f"{label} is {_shortened(value)}: {reason}")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, numbers.Real) and not _within(option, number):
            raise ConfigError(f"{label} is {_short(number)}: expected {_limits(option)}")
    return value


def _no_path(path: Path) -> str:
    """Why nothing can be read from a path or written to it, whatever stands there; empty where that may be."""
    if "\0" in str(path):
        return "expected a path without zero bytes"
    if len(os.fsencode(path)) > _LONGEST_PATH or any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        return f"expected a path of at most {_LONGEST_PATH} bytes, each name in it of at most {_LONGEST_NAME}"
    try:
        kind = path.stat().st_mode
    except OSError as error:  # the command that needs it says what is missing
        return "a link that leads to itself" if error.errno == errno.ELOOP else ""
    return "" if stat.S_ISREG(kind) or stat.S_ISDIR(kind) else "a pipe, a socket or a device: expected a file or folder"


def _shortened(path: Path) -> str:
    text = str(path)
    return repr(text if len(text) <= 60 else f"{text[:60]}...")


def _short(number: Any) -> str:
    return f"{number:g}" if isinstance(number, float) or abs(number) < 1e18 else "a number of many digits"


def _within(option: Option, number: Any) -> bool:
    return (
        (option.at_least is None or number >= option.at_least)
        and (option.above is None or number > option.above)
        and (option.at_most is None or number <= option.at_most)
        and (option.below is None or number < option.below)
    )


def _limits(option: Option) -> str:
    """The limits in words: ``0.3 to 20 metres``, ``above 0 and at most 1``, ``1 or more``."""
    low, high = option.at_least, option.at_most
    unit = f" {option.unit}" if option.unit else ""
    if low is not None and high is not None:
        return f"{low:g} to {high:g}{unit}"
    parts = [
        f"{value:g} or more" if word == "at least" else f"{word} {value:g}"
        for word, value in (("at least", low), ("above", option.above), ("at most", high), ("below", option.below))
        if value is not None
    ]
    return " and ".join(parts) + unit


def _expected(declaration: Declaration) -> str:
    choices = declaration.choices
    return f"one of {', '.join(choices)}" if choices else _in_words(declaration.type)


def _in_words(hint: Any) -> str:
    hint, origin = _inner(hint), typing.get_origin(_inner(hint))
    if origin is Literal:
        return f"one of {', '.join(map(str, typing.get_args(hint)))}"
    if origin is typing.Union:
        return " or ".join(map(_in_words, typing.get_args(hint)))
    if origin is tuple:
        parts = [part for part in typing.get_args(hint) if part is not Ellipsis]
        return f"a list of {len(parts)}" if len(parts) > 1 else f"a list, each {_in_words(parts[0])}"
    words = {
        int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path",
        dict: "a table",
    }  # fmt: skip
    return words.get(origin or hint, getattr(hint, "__name__", str(hint)))


def _inner(hint: Any) -> Any:
    """The type without ``None``."""
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else typing.Union[tuple(kinds)]  # noqa: UP007 - made at run time


def _converted(value: Any, hint: Any) -> Any:
    """The value as that type.

    Raises:
        TypeError: It is none of it.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _converted_to_one(value, arguments)
    if origin is Literal:
        return _only_if(any(value == one and type(value) is type(one) for one in arguments), value)
    if origin is tuple:
        return _converted_tuple(value, arguments)
    if origin is dict:
        return dict(_only_if(isinstance(value, Mapping), value))
    return value if hint is Any else _converted_plainly(value, hint)


def _converted_to_one(value: Any, kinds: Sequence[Any]) -> Any:
    if value is None:
        return _only_if(type(None) in kinds, None)
    for kind in kinds:
        try:
            return _converted(value, kind)
        except TypeError:
            continue
    raise TypeError


def _converted_tuple(value: Any, kinds: Sequence[Any]) -> tuple[Any, ...]:
    _only_if(isinstance(value, list | tuple), value)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    _only_if(len(kinds) == len(value), value)
    return tuple(_converted(*pair) for pair in zip(value, kinds, strict=True))


def _converted_plainly(value: Any, kind: type[Any]) -> Any:
    if kind is Path:
        return Path(_only_if(isinstance(value, str | os.PathLike), value))
    if kind is int:
        whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        return int(_only_if(whole and abs(value) < _LONGEST, value))
    if kind is float:
        whole = isinstance(value, numbers.Real) and not isinstance(value, bool)
        return float(_only_if(whole and abs(value) < math.inf and abs(value) <= _LARGEST, value))
    return _only_if(isinstance(value, kind), value)


def _only_if(fits: bool, value: T) -> T:
    if not fits:
        raise TypeError
    return value
