"""Rows that are no data although they stand among it: totals, subtotals, and what is below the end.

The feed says how they are known. They are found while pieces of a sheet are decoded, each apart from the others, and
taken out when the pieces come in their order, since only then it is known where the data ended. Each is counted by
its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np

from factload.errors import WorkbookError
from factload.sheet.area import Area
from factload.sheet.block import Block, Column, Int32s, Kind
from factload.sheet.choices import RowChoices
from factload.sheet.columns import TypedRows
from factload.sheet.convert import are_plain
from factload.sheet.header import Header, columns_named
from factload.sheet.names import ColumnName, spellings
from factload.sheet.pieces import Cell, Decoded, Marks, Pieces
from factload.sheet.references import column_letters
from factload.sheet.seen import number_seen
from factload.vectors import Flags, fixed, flags, matches, texts

TOTALS, AFTER, SKIPPED = "totals_row", "after_end", "skipped_row"
_FieldsOf = Callable[[str], Sequence[str]]
_FieldsAt = Mapping[int, Sequence[str]]


class LeftOutRows:
    """What of one sheet is left out. ``columns``: those that it looks at.

    ``totals_row``: its number once all pieces are settled, 0 if there was none. ``watched_columns``: those of its cells
    that are asked for (A = 1), in the order in which they are.
    """

    def __init__(self, choices: RowChoices, header: Header, sheet: str, area: Area | None) -> None:
        ends = choices.ends
        column = partial(_column, header, sheet, area)
        self._sheet, self._kind = sheet, ends.kind if ends else ""
        self._label = ends.pattern if ends else ""
        self._last_row = area.last_row if area is not None and area.totals else None
        if self._last_row is not None and self._kind == "totals_row":
            self._kind = ""  # the file says which row it is
        self._label_column = 0
        if ends is not None and self._kind == "first":
            self._label_column = column(ends.column) if ends.column else min(header.names)
        self._skips = [(column(skip.column), skip) for skip in choices.skips]
        self._looks_at_texts = bool(self._skips) or self._kind == "first"
        self.watched_columns = [column(one) for one in choices.watched]
        self._watched_by_name = [column(one) for one in choices.watched if not isinstance(one, int)]
        self._widest = max(header.names)
        looked_at = {self._label_column, *self.watched_columns, *(at for at, _ in self._skips)}
        self.columns = sorted(looked_at - {0})
        self._begin()

    def _begin(self) -> None:
        self._ended = False
        self._last = 0  # the last line that is not blank, from the first row of data on, of the pieces so far
        self.totals_row = 0
        self._cells_of_totals: Mapping[int, Cell] = {}

    def marks(self, block: Block, rows: TypedRows, fields_of: _FieldsOf = lambda _: ()) -> Marks:
        """What a piece's rows say of themselves. ``fields_of``: the fields of a row that is too short or too long."""
        ragged = {at: fields_of(text) for at, text in block.ragged.items()} if self._looks_at_texts else {}
        ends_at = self._labelled(block, ragged) if self._kind == "first" else 0
        skipped = np.zeros(len(block), np.bool_)
        for column, skip in self._skips:
            skipped |= _matching(block, column, skip.pattern, ragged)
            if skip.numbers and column in block.columns:
                skipped |= _numbers_shown(block.columns[column], skip.pattern)
        of_interest = {ends_at} - {0}
        if self._last_row is not None:
            of_interest |= set(block.row[block.row > self._last_row].tolist())
        elif self._kind == "totals_row":
            of_interest |= {_last_row(rows, block.row[skipped])} - {0}
        tall = _tall(block) if self._kind == "blank_row" else {}
        return Marks(ends_at, block.row[skipped], self._cells(block, of_interest, fields_of), tall)

    def settled(self, pieces: Pieces) -> Pieces:
        """The pieces without these rows."""
        self._begin()
        held: list[Decoded] = []
        with closing(pieces):
            for piece in pieces:
                if self._kind != "totals_row":
                    yield self._settle(piece)
                    continue
                # With such a row, that of totals is in this piece, or in a later one.
                if _last_row(piece.rows, piece.marks.skipped):
                    yield from map(self._settle, held)
                    held = []
                held.append(piece)
        for number, piece in enumerate(held):
            yield self._settle(piece, ends_here=number == 0)

    def watched(self, column: int) -> Cell | None:
        """What a watched cell of the totals row holds, once all pieces are settled; None without such a row."""
        return self._cells_of_totals.get(column, (Kind.BLANK, "")) if self.totals_row else None

    def defects(self) -> list[WorkbookError]:
        """Why the sheet is refused, once all pieces are settled: its data don't end as the feed says."""
        if self._kind != "first" or self._ended or self._last_row is not None:
            return []
        return [
            WorkbookError(
                "end_missing",
                f"Sheet {self._sheet!r} has no row that holds the text of `workbook.ends` in its column",
                expected="one, below the data",
                remedy="Ask for the whole workbook, or correct `workbook.ends` in the feed file",
            )
        ]

    def _settle(self, piece: Decoded, *, ends_here: bool = False) -> Decoded:
        end = self._end(piece, piece.rows.numbers, ends_here=ends_here)
        numbers = fixed(piece.rows.batch["row"], np.int32)
        reason = np.zeros(len(numbers), np.uint8)
        reason[np.isin(numbers, piece.marks.skipped)] = 3
        if end:
            reason[numbers >= end] = 2
            reason[numbers == self.totals_row] = 1
        if not reason.any():
            return piece
        counts = {name: int((reason == code).sum()) for code, name in enumerate((TOTALS, AFTER, SKIPPED), 1)}
        return replace(
            piece,
            rows=_without(piece.rows, reason != 0),
            left_out={name: count for name, count in counts.items() if count},
        )

    def _end(self, piece: Decoded, numbers: Int32s, *, ends_here: bool) -> int:
        """The first row of the piece from which on nothing is data; 0 for none."""
        if self._ended:
            return 1
        marks = piece.marks
        totals = [row for row in marks.cells if row == marks.ends_at or self._is_behind(row)]
        if self._kind == "totals_row" and ends_here:
            totals.append(_last_row(piece.rows, marks.skipped))
        end = self.totals_row = min(totals, default=0)
        if self._kind == "blank_row" and not end:
            end = self._after_gap(numbers, marks)
        if end:
            self._ended = True
            self._cells_of_totals = marks.cells.get(self.totals_row, {})
        return end

    def _is_behind(self, row: int) -> bool:
        """Whether the file itself says that the row is one of totals."""
        return self._last_row is not None and row > self._last_row

    def _after_gap(self, numbers: Int32s, marks: Marks) -> int:
        """The first row that stands behind a blank one; those above the first row of data don't count. A row that is
        skipped is no blank one, though its label may be all that it has."""
        filled = np.union1d(numbers, marks.skipped).astype(np.int32)
        if not self._last:
            data = np.setdiff1d(numbers, marks.skipped)
            filled = filled[filled >= data[0]] if len(data) else filled[:0]
        if not len(filled):
            return 0
        lasts = _last_lines(filled, marks.tall)
        before = np.concatenate([[self._last or filled[0] - 1], lasts[:-1]])
        self._last = int(lasts[-1])
        gaps = np.flatnonzero(filled != before + 1)
        return int(filled[gaps[0]]) if len(gaps) else 0

    def _labelled(self, block: Block, ragged: _FieldsAt) -> int:
        """The first row that has the label; 0 for none."""
        at = np.flatnonzero(_matching(block, self._label_column, self._label, ragged))
        return int(block.row[at[0]]) if len(at) else 0

    def _cells(self, block: Block, rows: Collection[int], fields_of: _FieldsOf) -> dict[int, dict[int, Cell]]:
        found: dict[int, dict[int, Cell]] = {}
        for number in rows:
            at = int(np.searchsorted(block.row, number))
            if at in block.ragged:
                fields = fields_of(block.ragged[at])
                found[number] = {
                    i: (Kind.TEXT, fields[i - 1]) for i in self.columns if i <= len(fields) and fields[i - 1]
                }
                if any(
                    map(str.strip, fields[self._widest :])
                ):  # as where a number's own comma separates fields
                    found[number] |= dict.fromkeys(self._watched_by_name, (Kind.AMBIGUOUS, ""))
            else:
                found[number] = {i: _cell(block.columns[i], at) for i in self.columns if i in block.columns}
        return found


def left_out_rows(choices: RowChoices, header: Header, sheet: str, area: Area | None) -> LeftOutRows | None:
    """What of a sheet is left out; None for nothing. Raises WorkbookError ``column_unclear``, ``totals_missing``."""
    if (
        choices.ends is not None
        and choices.ends.kind == "totals_row"
        and area
        and area.table
        and not area.totals
    ):
        raise WorkbookError(
            "totals_missing",
            f"The {area.title} ({area.reference} of sheet {sheet!r}) has no totals row, and `workbook.ends` says so",
            expected="a totals row that the table itself knows",
            remedy="Turn on Total Row in the table's design in Excel, or take `workbook.ends` out of the feed file",
        )
    asked = choices.ends is not None or choices.skips or (area is not None and area.totals)
    return LeftOutRows(choices, header, sheet, area) if asked else None


def _last_row(rows: TypedRows, skipped: Int32s) -> int:
    """The last row with something in a column that is read, of those that are not skipped; 0 for none."""
    numbers = rows.numbers
    left = numbers[~np.isin(numbers, skipped)] if len(skipped) else numbers
    return int(left[-1]) if len(left) else 0


def _tall(block: Block) -> dict[int, int]:
    if block.last_lines is None:
        return {}
    at = np.flatnonzero(block.last_lines != block.row)
    return dict(zip(block.row[at].tolist(), block.last_lines[at].tolist(), strict=True))


def _last_lines(numbers: Int32s, tall: Mapping[int, int]) -> Int32s:
    """The last line of each row."""
    lasts = numbers.copy()
    if tall:
        rows, last = (np.array(part, np.int32) for part in zip(*sorted(tall.items()), strict=True))
        at = np.isin(numbers, rows)
        lasts[at] = last[np.isin(rows, numbers)]
    return lasts


def _column(header: Header, sheet: str, area: Area | None, name: ColumnName | int) -> int:
    """Where a column is that the feed names, or tells by its position (A = 1)."""
    if isinstance(name, int):
        if area is None or area.left <= name <= area.right:
            return name
        raise WorkbookError(
            "column_unclear",
            f"Column {column_letters(name)} of sheet {sheet!r}, by which rows are left out or witnessed, is not one of "
            f"the {area.title} ({area.reference})",
            expected=f"a position from {area.left:,} to {area.right:,}, counted from column A",
            remedy="Correct the position in the feed file",
        )
    found = columns_named(header, name)
    if len(found) == 1:
        return found[0]
    named = " or ".join(map(repr, spellings(name)))
    raise WorkbookError(
        "column_unclear",
        f"Sheet {sheet!r} has {f'{len(found):,} columns' if found else 'no column'} {named} in row {header.row}, by "
        "which rows are left out or witnessed",
        expected="one column of this name",
        remedy="Correct the header, or the name in the feed file; a column without a name has a position (`field`)",
    )


def _matching(block: Block, at: int, pattern: str, ragged: _FieldsAt) -> Flags:
    """Which rows hold a text of this pattern in the column. ``ragged``: the fields of those that have not as many as
    the header."""
    found = np.zeros(len(block), np.bool_)
    if column := block.columns.get(at):
        found = (column.kind == Kind.TEXT) & matches(column.text, pattern)
    if ragged:
        in_column = texts("".join(fields[at - 1 : at]) for fields in ragged.values())
        found[list(ragged)] = matches(in_column, pattern)
    return found


def _numbers_shown(column: Column, pattern: str) -> Flags:
    """Which numbers show a text of this pattern."""
    number: Flags = column.kind == Kind.NUMBER
    if not number.any():
        return number
    plain = number & are_plain(column.text)
    found: Flags = plain & matches(column.text, pattern)
    if (odd := number & ~plain).any():
        encoded = column.text.filter(flags(odd)).dictionary_encode()
        shown = texts(number_seen(raw) for raw in encoded.dictionary.to_pylist())
        found[odd] = matches(shown, pattern)[fixed(encoded.indices, np.int32)]
    return found


def _without(rows: TypedRows, out: Flags) -> TypedRows:
    batch = rows.batch.filter(flags(~out))
    return replace(rows, batch=batch, rejected=batch.num_rows - batch["reason"].null_count)


def _cell(column: Column, at: int) -> Cell:
    return Kind(int(column.kind[at])), str(column.text[at].as_py())
