"""Columns that may say the signs of the amounts beside them: debit and credit, plus and minus.

Which word is the minus, and of which amounts, only a person knows: it is noted, and nothing is proposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from factload.propose.columns_seen import SeenColumn
from factload.propose.text_shapes import SIGN_WORDS, UNDOUBTED
from factload.sheet.block import Kind
from factload.sheet.names import as_seen
from factload.sheet.numbers import parse_decimal


def with_signs_noted(columns: Sequence[SeenColumn]) -> tuple[SeenColumn, ...]:
    """The columns, of which the amounts nearest to a column of signs have a note about it; that column is no key."""
    noted = {column.header: column for column in columns}
    for column in columns:
        pair = _pair_in(column)
        amounts = [other for other in noted.values() if _may_lack_signs(other)] if pair else []
        if pair and amounts:
            nearest = min(amounts, key=lambda other: abs(other.index - column.index))
            minus, plus = (word if word[:1].isalpha() else f'"{word}"' for word in pair)
            note = (
                f"{column.header} may say its sign: negative: {{column: {column.header}, minus: [{minus}], "
                f"plus: [{plus}]}}" + ("" if pair in UNDOUBTED else ", or the other way round")
            )
            reading = replace(nearest.reading, notes=(*nearest.reading.notes, note))
            noted[nearest.header] = replace(nearest, reading=reading)
            noted[column.header] = replace(column, may_be_key=False)
    return tuple(noted.values())


def _pair_in(column: SeenColumn) -> tuple[str, str] | None:
    words = {as_seen(text) for kind, text in column.cells if kind == Kind.TEXT}
    others = any(kind != Kind.TEXT for kind, _ in column.cells)
    return None if others else next((pair for pair in SIGN_WORDS if words == {*pair}), None)


def _may_lack_signs(column: SeenColumn) -> bool:
    """Whether the column holds amounts, none of which is negative."""
    written = column.reading.written
    if column.reading.type.kind != "numeric" or written.minus or written.plus:
        return False
    numbers = (parse_decimal(text) for kind, text in column.cells if kind == Kind.NUMBER)
    negative = any(number is not None and number < 0 for number in numbers)
    return not negative and not any("-" in text for kind, text in column.cells if kind == Kind.TEXT)
