"""Text that came from a file (names of objects, files, models, cameras) as it may stand in what is written for people.

A name may hold whatever its maker liked: line ends, commands to the terminal, marks that turn the direction of reading,
markup. :func:`for_console` and :func:`for_markdown` leave nothing of it but the letters; HTML pages escape by
themselves (:mod:`pipelines.io.html`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["for_console", "for_markdown"]

_UNSEEN: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Controls, marks without a shape (those of the direction among them), halves of pairs (bytes that were no UTF-8 in a
file's name), ends of lines and paragraphs: categories of the Unicode standard, chapter 4.5."""
_JOINERS: Final = "\u200c\u200d"
"""Letters of some scripts need them."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9]+(?:[ ._-][A-Za-z0-9]+)*")
"""Words, numbers and names of files, in which nothing is markup though the marks below stand in them."""
_MARKUP: Final = re.compile(r"[\\`*_{}\[\]<>()#+.!|~&$:@-]")
"""What begins something in CommonMark, in GitHub's tables, strikethrough, formulas, mentions and bare addresses."""


def for_console(text: object) -> str:
    r"""The text on one line, what cannot be seen in it written out: ``\n``, ``\x1b``, ``\u202e``."""
    text = str(text)
    if text.isprintable():  # all of it, at the speed of C: pages hold whole pictures as text
        return text
    return "".join(one if _is_seen(one) else one.encode("unicode_escape").decode("ascii") for one in text)


def _is_seen(letter: str) -> bool:
    return letter in _JOINERS or unicodedata.category(letter) not in _UNSEEN


def for_markdown(text: object) -> str:
    """The text as plain words inside of a line or of a table's cell: nothing of it is markup."""
    seen = for_console(text)
    return seen if _PLAIN.fullmatch(seen) and "www." not in seen.lower() else _MARKUP.sub(r"\\\g<0>", seen)
