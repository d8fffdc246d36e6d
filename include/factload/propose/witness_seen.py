"""A number of the workbook's owner that is the sum of a column: in the row of totals, or in a cell of another sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from factload.feed.witness import TOTALS_ROW
from factload.propose.columns_seen import SeenColumn
from factload.propose.sheet_seen import SeenSheet, SeenWitness
from factload.reconcile.witness import NOISE
from factload.sheet.address import address
from factload.sheet.block import Kind
from factload.sheet.doubles import as_excel_shows
from factload.sheet.numbers import parse_decimal
from factload.sheet.references import column_letters
from factload.sheet.rows import Row

_TELLING = 4  # digits that a number must have to be told from any other by chance


def witness_in_totals(seen: SeenSheet, totals: Mapping[int, tuple[Kind, str]]) -> SeenWitness | None:
    """The sum that the row of totals holds of a column; nothing where it holds none that is right."""
    for header, total in _sums(seen):
        for column in _places(seen, header):
            if _is(_number(totals.get(column.index)), total):
                other = column.header if column.header != header else None
                return SeenWitness(TOTALS_ROW, header, other)
    return None


def witness_in_cell(seen: SeenSheet, sheets: Iterable[tuple[str, Sequence[Row]]]) -> SeenWitness | None:
    """The cell of another sheet, with a text to its left, that holds the sum of a column."""
    sums = [one for one in _sums(seen) if len(one[1].normalize().as_tuple().digits) >= _TELLING]
    for sheet, rows in sheets:
        for row in rows:
            texts = [index for index, (kind, _) in row.cells.items() if kind == Kind.TEXT]
            for index, cell in row.cells.items():
                if not any(left < index for left in texts):
                    continue
                for header, total in sums:
                    if _is(_number(cell), total):
                        return SeenWitness(address(sheet, f"{column_letters(index)}{row.number}"), header)
    return None


def _places(seen: SeenSheet, header: str) -> list[SeenColumn]:
    """The columns in whose cell a row of totals may have the sum of ``header``."""
    if seen.unpivot is None:
        return [seen.column(header)]
    return [c for c in seen.unpivot.plain.columns if c.header in seen.left_out]


def _sums(seen: SeenSheet) -> Iterator[tuple[str, Decimal]]:
    """The columns of numbers and their sums."""
    for column in seen.columns:
        kind = column.reading.type
        numbers = {cell: _number(cell) for cell in column.cells}
        of_rows = seen.unpivot is None or column.header == seen.unpivot.value
        if of_rows and kind.kind in ("numeric", "integer") and None not in numbers.values():
            total = sum(
                (number * column.cells[cell] for cell, number in numbers.items() if number), Decimal()
            )
            yield column.header, total


def _number(cell: tuple[Kind, str] | None) -> Decimal | None:
    """What a cell with a number shows."""
    number = parse_decimal(cell[1]) if cell and cell[0] == Kind.NUMBER else None
    return None if number is None else as_excel_shows(number)


def _is(number: Decimal | None, total: Decimal) -> bool:
    """Whether they are the same but for what adding doubles leaves behind."""
    return number is not None and abs(number - total) <= abs(total) * NOISE
