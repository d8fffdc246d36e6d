"""Texts from workbooks, feeds and servers, made safe to print on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with its control characters escaped (``\\x1b``), except line ends: a terminal would obey them."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def in_one_line(text: str) -> str:
    """The text with all its control characters escaped, line ends too."""
    return printable(text).replace("\n", "\\n")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
