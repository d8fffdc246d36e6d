"""Column names, compared as a person sees them."""

from __future__ import annotations

import re
import unicodedata

ColumnName = str | tuple[str, ...]
"""What a column is called, or the names of which it has one: ``("Amount", "Betrag")``."""


def spellings(name: ColumnName) -> tuple[str, ...]:
    """The names that the column may have."""
    return (name,) if isinstance(name, str) else name


def as_seen(name: str) -> str:
    """The name with white space of any kind as one space, its accents composed, and without what shows nothing.

    In a header cell that is narrow, ``Net Amount`` is written with a line break; what is copied from a page brings
    spaces that don't break, and characters without any width.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
        name = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    return " ".join(name.split())


def either(name: ColumnName) -> str:
    """The names that the column may have, in words."""
    return " or ".join(spellings(name))


_SPACE = r"[\s\p{Z}\p{Cf}\x0b\x1c-\x1f\x85]"


def pattern_of(text: str) -> str:
    """The RE2 expression of all texts in which a person sees this one, case included."""
    words = [r"\p{Cf}*".join(map(_either, word)) for word in as_seen(text).split(" ")]
    return whole_pattern(f"{_SPACE}+".join(words))


def whole_pattern(expression: str) -> str:
    """The RE2 expression of all texts that match this one, white space around it left out."""
    return rf"\A{_SPACE}*(?:{expression}){_SPACE}*\z"


def _either(letter: str) -> str:
    """The letter with its accents composed or not."""
    apart = unicodedata.normalize("NFD", letter)
    return re.escape(letter) if apart == letter else f"(?:{letter}|{apart})"


def is_same(name: str, other: str) -> bool:
    """Whether a person sees the same name, whatever its case."""
    return as_seen(name).casefold() == as_seen(other).casefold()
