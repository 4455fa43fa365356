"""What is told of files that were left out: one bad file never ends the run of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gan.errors import ItemError

__all__ = ["check_share", "skipped_lines"]

_SHOWN: Final = 40


def check_share(skipped: Sequence[tuple[str, str]], count: int) -> None:
    """Half of a folder or more that cannot be used is no accident.

    Args:
        skipped: Name and reason of each that was left out.
        count: How many there were with them.

    Raises:
        ItemError: So many are left out, with the reason of the first.
    """
    if skipped and 2 * len(skipped) >= count:
        reason = skipped[0][1]
        raise ItemError(f"{len(skipped)} of {count} cannot be used, the first: {reason}" if count > 1 else reason)


def skipped_lines(skipped: Sequence[tuple[str, str]], count: int, what: str) -> list[str]:
    """A table for the terminal: how many of the files were left out, and why each.

    Args:
        skipped: Name and reason of each that was left out.
        count: How many there were with them.
        what: What they are, in the plural.

    Returns:
        Lines; none where nothing was left out. After forty only how many more there are.
    """
    if not skipped:
        return []
    rows = [f"  {reason if name in reason else f'{name}: {reason}'}" for name, reason in skipped[:_SHOWN]]
    more = [f"  ... and {len(skipped) - _SHOWN} more"] if len(skipped) > _SHOWN else []
    return [f"{len(skipped)} of {count} {what} are left out:", *(_printable(row) for row in rows), *more]


def _printable(text: str) -> str:
    """Without what moves the cursor or has no code: names of files may hold anything."""
    encoded = text.encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in encoded)
