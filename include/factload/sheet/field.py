"""What a feed reads from the columns of a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from factload.rules.asked import AskedRule
from factload.sheet.text_format import UNGROUPED, TextFormat
from factload.sql_types import SqlType


@dataclass(frozen=True, slots=True)
class SheetField:
    """One value that a feed reads from each row.

    ``column`` is the header's name in the sheet, ``name`` is unique and names the Arrow column. A ``required`` one
    is never blank. As a key a number is its digits, of which there are no more than Excel keeps. ``parse_text``: a
    text that writes a value of the type, as ``text_format`` says, is that value; otherwise text is no number, date or
    truth value. ``serials``: dates and the numbers that count their days may stand for each other. ``timezone``: by
    whose clocks a moment with an offset is told; without it such a moment is none.
    """

    name: str
    column: str
    role: Literal["key", "value"]
    type: SqlType
    required: bool = False
    parse_text: bool = False
    text_format: TextFormat = UNGROUPED
    rules: tuple[AskedRule, ...] = ()
    serials: bool = False
    timezone: str | None = None
