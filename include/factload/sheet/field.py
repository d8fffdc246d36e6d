"""What a feed reads from the columns of a sheet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from factload.rules.asked import AskedRule
from factload.sheet.header import Header, columns_named
from factload.sheet.names import ColumnName
from factload.sheet.signs import Signs
from factload.sheet.text_format import UNGROUPED, TextFormat
from factload.sql_types import SqlType

NumberKey = Literal["integer", "decimal"]


@dataclass(frozen=True, slots=True)
class SheetField:
    """One value that a feed reads from each row.

    ``column`` is the header's name in the sheet, or the first of several of which it has one, and ``aliases`` are the
    others. ``name`` is unique and names the Arrow column. A ``required`` one
    is never blank. As a key a number is its digits, of which there are no more than Excel keeps. ``parse_text``: a
    text that writes a value of the type, as ``text_format`` says, is that value; otherwise text is no number, date or
    truth value. ``serials``: dates and the numbers that count their days may stand for each other. ``timezone``: by
    whose clocks a moment with an offset is told; without it such a moment is none. Of a type with time zone it is the
    zone whose clocks the sheet tells. ``nulls``: what is no value, if a
    cell shows it. ``number``: a key that is the text of a number, ``2`` for ``02`` and ``2.0``. ``signed_by``: the name
    of the field that says the sign of its numbers: one before it, of the role ``sign``, with its words in ``signs``.
    """

    name: str
    column: str
    role: Literal["key", "value", "sign"]
    type: SqlType
    required: bool = False
    parse_text: bool = False
    text_format: TextFormat = UNGROUPED
    rules: tuple[AskedRule, ...] = ()
    serials: bool = False
    timezone: str | None = None
    aliases: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    number: NumberKey | None = None
    signed_by: str = ""
    signs: Signs | None = None

    @property
    def names(self) -> ColumnName:
        """What the header may call it."""
        return (self.column, *self.aliases) if self.aliases else self.column


def as_named(fields: Iterable[SheetField], header: Header) -> list[SheetField]:
    """The fields, each by the one of its names that the header has."""
    return [_as_named(field, header) if field.aliases else field for field in fields]


def _as_named(field: SheetField, header: Header) -> SheetField:
    there = next(name for name in (field.column, *field.aliases) if columns_named(header, name))
    return replace(field, column=there, aliases=())
