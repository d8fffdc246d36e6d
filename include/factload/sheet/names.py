"""Column names, compared as a person sees them."""

from __future__ import annotations

import unicodedata


def as_seen(name: str) -> str:
    """The name with white space of any kind as one space, its accents composed, and without what shows nothing.

    In a header cell that is narrow, ``Net Amount`` is written with a line break; what is copied from a page brings
    spaces that don't break, and characters without any width.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
        name = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    return " ".join(name.split())


def is_same(name: str, other: str) -> bool:
    """Whether a person sees the same name, whatever its case."""
    return as_seen(name).casefold() == as_seen(other).casefold()
