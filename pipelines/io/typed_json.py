"""Dataclasses to JSON values and back by their type hints: what is declared once is written, read and checked.

Numbers, strings, booleans, ``None``, literals, tuples, mappings with string keys, numpy arrays and other dataclasses
are known; ``Any`` takes every JSON value. A field with ``metadata=OMITTED_IF_NONE`` is written only where it has a
value.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Final, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from renderer.errors import GisError

from pipelines.errors import DatasetError

__all__ = ["OMITTED_IF_NONE", "fields_to_json", "from_json", "to_json"]

T = TypeVar("T")
Reader = Callable[[Any], Any]

OMITTED_IF_NONE: Final = {"omitted_if_none": True}
"""Metadata of a field whose key is left out where it is None."""
_PLAIN = frozenset((float, int, str, bool, type(None)))
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", type(None): "null"}


class _Mismatch(Exception):
    """A value that does not fit: where it stands within what is read, and what is wrong."""

    def within(self, place: str) -> _Mismatch:
        """The same, of what stands at ``place``."""
        return _Mismatch(f"{place}{self.args[0]}")


def to_json(value: Any) -> Any:
    """A dataclass, or what stands in one, as JSON values; keys are in the order of the fields."""
    return value if type(value) in _PLAIN else _writer(value.__class__)(value)


def fields_to_json(value: Any) -> dict[str, Any]:
    """The fields of a dataclass as JSON values."""
    data = {}
    for name, omitted in _names(value.__class__):
        item = getattr(value, name)
        if type(item) in _PLAIN:
            if item is not None or not omitted:
                data[name] = item
        else:
            data[name] = _writer(item.__class__)(item)
    return data


@cache
def _writer(kind: Any) -> Callable[[Any], Any]:
    """What writes the values of a type; found once for each, for a record has hundreds of values."""
    if is_dataclass(kind):
        own: Callable[[Any], Any] = getattr(kind, "to_json", fields_to_json)
        return own
    if issubclass(kind, (np.ndarray, np.generic)):
        return lambda value: value.tolist()
    if issubclass(kind, (tuple, list)):
        return lambda value: [item if type(item) in _PLAIN else to_json(item) for item in value]
    if issubclass(kind, Mapping):
        return lambda value: {key: to_json(item) for key, item in value.items()}
    return lambda value: value


@cache
def _names(kind: Any) -> tuple[tuple[str, bool], ...]:
    """Fields of a dataclass, and whether their keys are left out where they are None."""
    return tuple((field.name, bool(field.metadata.get("omitted_if_none"))) for field in fields(kind))


def from_json(kind: Callable[..., T], data: Any, where: str) -> T:
    """A dataclass of JSON values; keys that it has no field for are left alone.

    Args:
        kind: the dataclass.
        data: what :func:`to_json` made.
        where: begins the error, e.g. the file and line.

    Raises:
        DatasetError: a key is missing, or a value is of another kind.
    """
    try:
        result: T = _reader(kind)(data)
    except _Mismatch as error:
        raise DatasetError(f"{where}: {str(error.args[0]).lstrip(' .')}") from None
    return result


@cache
def _reader(hint: Any) -> Reader:
    """What reads a value of a type; made once for each."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value: value
    if origin in (Union, types.UnionType):
        return _optional(hint, arguments)
    if origin is Literal:
        return _literal(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is np.ndarray:
        return _array(get_args(arguments[1])[0])
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(arguments[1])
    if is_dataclass(hint):
        return _dataclass(hint)
    return _scalar(hint)


def _scalar(kind: Any) -> Reader:
    accepted = (int, float) if kind is float else (kind,)

    def read(value: Any) -> Any:
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            raise _Mismatch(f" is {_short(value)}: expected {_WORDS[kind]}")
        if kind is float and not math.isfinite(value):
            raise _Mismatch(f" is {value}: expected a finite number")
        return value

    return read


def _optional(hint: Any, arguments: tuple[Any, ...]) -> Reader:
    others = [one for one in arguments if one is not type(None)]
    if len(others) != 1:
        raise TypeError(f"{hint}: only one kind of value, or None, can be read from JSON")
    inner = _reader(others[0])
    return lambda value: None if value is None else inner(value)


def _literal(values: tuple[Any, ...]) -> Reader:
    def read(value: Any) -> Any:
        if value not in values or isinstance(value, bool) != isinstance(values[0], bool):
            raise _Mismatch(f" is {_short(value)}: expected one of {', '.join(map(str, values))}")
        return value

    return read


def _tuple(arguments: tuple[Any, ...]) -> Reader:
    length = None if arguments[-1] is Ellipsis else len(arguments)
    are_these = _number_check(arguments)
    readers = [_reader(one) for one in arguments if one is not Ellipsis]

    def read(value: Any) -> Any:
        if not isinstance(value, (list, tuple)) or (length is not None and len(value) != length):
            raise _Mismatch(f" is {_short(value)}: expected a list" + ("" if length is None else f" of {length}"))
        if are_these(value):  # most of a record
            return tuple(value)
        if not length:
            with suppress(_Mismatch):  # which one it is, is looked for below
                return tuple(map(readers[0], value))
        result = []
        for place, item in enumerate(value):
            try:
                result.append(readers[place if length else 0](item))
            except _Mismatch as error:
                raise error.within(f"[{place}]") from None
        return tuple(result)

    return read


def _number_check(arguments: tuple[Any, ...]) -> Callable[[Any], bool]:
    """What tells at once that all of a list are finite numbers of a tuple's types; where it does not, each is read."""
    if arguments == (float, Ellipsis):
        return lambda value: {float}.issuperset(map(type, value)) and all(map(math.isfinite, value))
    if set(arguments) <= {float, int}:
        return lambda value: tuple(map(type, value)) == arguments and all(map(math.isfinite, value))
    return lambda value: False


def _array(dtype: Any) -> Reader:
    def read(value: Any) -> Any:
        try:
            array = np.array(value, dtype=dtype)
        except (TypeError, ValueError, OverflowError):
            raise _Mismatch(f" is {_short(value)}: expected rows of numbers") from None
        # A sum tells that all are finite in half the time; only where it is not, each is looked at.
        if not math.isfinite(array.sum()) and not np.isfinite(array).all():
            raise _Mismatch(f" is {_short(value)}: expected finite numbers")
        return array

    return read


def _mapping(hint: Any) -> Reader:
    inner = _reader(hint)

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _Mismatch(f" is {_short(value)}: expected an object")
        result = {}
        for key, item in value.items():
            try:
                result[key] = inner(item)
            except _Mismatch as error:
                raise error.within(f".{key}") from None
        return result

    return read


def _dataclass(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    known = [
        _Field(field.name, _reader(hints[field.name]), _EXACT.get(hints[field.name]), _is_needed(field))
        for field in fields(kind)
        if field.init
    ]

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _Mismatch(f" is {_short(value)}: expected an object")
        values = {}
        for name, reader, exact, needed in known:
            if name in value:
                item = value[name]
                if type(item) is not exact:  # what has its type needs no look, and most has
                    try:
                        item = reader(item)
                    except _Mismatch as error:
                        raise error.within(f".{name}") from None
                values[name] = item
            elif needed:
                raise _Mismatch(f".{name} is missing")
        try:
            return kind(**values)
        except GisError as error:  # the dataclass may have limits of its own
            raise _Mismatch(f" cannot be: {error}") from None

    return read


class _Field(NamedTuple):
    """How a field of a dataclass is read."""

    name: str
    read: Reader
    exact: type | None
    """What its values may be as they stand; None where each has to be looked at."""
    needed: bool


_EXACT: Final[Mapping[Any, type]] = {
    int: int, str: str, bool: bool, int | None: int, str | None: str, bool | None: bool,
}  # fmt: skip
"""Types of JSON that any value of is good for a field; a number with a point may be infinite."""


def _is_needed(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _short(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}..."
