"""JSON and TOML of files that anybody may have written: values, or a ValueError of one line, whatever stands in them.

The standard readers say RecursionError of deep brackets, take the last of two equal keys without a word, read numbers
of any length, which then fail where they are used, and let NaN through, which no JSON is. All readers of the project
stand on these two functions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NoReturn

__all__ = ["parse_json", "parse_toml"]

_LONGEST_INT: Final = 20
"""Characters: 64 bits, with a sign or without. Seeds and hashes' halves are no longer."""
_TOO_DEEP: Final = "nested too deep"


def parse_json(text: str | bytes, *, allow_nan: bool = False) -> Any:
    """The values of a JSON text; bytes are UTF-8 (or 16, 32), with or without a byte order mark.

    Args:
        text: of a whole file, or of a line.
        allow_nan: take NaN and infinities, which Python's writer and pandas leave in files, as numbers.

    Raises:
        ValueError: no JSON; a key stands twice in an object; a whole number of more than 20 digits; nested too deep.
    """
    if isinstance(text, str):
        text = text.removeprefix("\ufeff")
    constant = None if allow_nan else _no_constant
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_whole, parse_constant=constant)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def parse_toml(data: bytes) -> dict[str, Any]:
    """The tables of a TOML file in UTF-8, with or without a byte order mark.

    Raises:
        ValueError: no TOML, no UTF-8, a whole number of more than 20 digits, or nested too deep.
    """
    from .optional import read_toml  # brings numba, which those who read JSON alone do without

    try:
        tables = read_toml(data.decode("utf-8-sig"))
        _check_numbers(tables)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    return tables


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST_INT:
        raise ValueError(f"the number {digits[:12]}... has {len(digits)} digits")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError(f"the key {_first_double(key for key, _ in pairs)!r} stands twice in one object")
    return result


def _first_double(keys: Iterable[str]) -> str:
    seen: set[str] = set()
    return next(key for key in keys if key in seen or seen.add(key))  # type: ignore[func-returns-value]


def _check_numbers(value: Any) -> None:
    """Refuses whole numbers that no float and no array can hold."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _check_numbers(item)
    elif isinstance(value, int) and value.bit_length() > 64:
        raise ValueError(f"a whole number of {value.bit_length()} bits")
