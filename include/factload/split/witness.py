"""The owner's own numbers, read where the feed says that they stand: a row of totals, a cell, a companion file."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date
from itertools import islice

import numpy as np

from factload.errors import WorkbookError
from factload.feed.model import Feed
from factload.feed.witness import TOTALS_ROW, Witness
from factload.feed.written_values import text_format
from factload.load import SourceFile, Split, WitnessCell, WitnessValue
from factload.sheet.block import Column, Kind
from factload.sheet.choices import CellChoices
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.doubles import as_excel_shows
from factload.sheet.header import find_header, place_columns
from factload.sheet.limits import MAX_COLUMNS
from factload.sheet.numbers import parse_decimal, plain_text
from factload.sheet.references import column_letters
from factload.sheet.source import Source, open_source
from factload.sheet.text_format import TextFormat
from factload.sheet.text_values import read_text
from factload.split.all_workbooks import unchanged
from factload.split.sources import openable, read_sources
from factload.sql_types import SqlType
from factload.vectors import texts

_BLANK = (Kind.BLANK, "")
_ANY_NUMBER = SqlType("numeric")
# What a cell shows instead of a number.
_SHOWS = {
    Kind.BLANK: "is blank",
    Kind.TEXT: "holds a text",
    Kind.SERIAL: "holds a date",
    Kind.TIME: "holds a time of day",
    Kind.ELAPSED: "holds a length of time",
    Kind.ISO_DATE: "holds a date",
    Kind.BOOLEAN: "holds TRUE or FALSE",
    Kind.ERROR: "shows an error",
    Kind.NO_VALUE: "holds a formula whose value was never saved: open and save the workbook in Excel",
    Kind.STALE: "holds a formula whose saved value is out of date: open and save the workbook in Excel",
    Kind.MERGED: "is merged with others, and is not the first of them",
    Kind.RICH: "holds a linked data type, an image or an error that only Excel can show",
    Kind.AMBIGUOUS: "can be read two ways, as in a record with more fields than the header",
}


def read_witness(
    feed: Feed, period: date, sources: Sequence[SourceFile], split: Split
) -> tuple[WitnessValue, ...]:
    """What the witnesses of a load say: once a sheet for a row of totals, once a workbook for a cell, once for a file.

    ``split``: has the cells of the rows of totals. What can't be read is no error here: it is a problem of the value.
    """
    return tuple(
        _value(cell, number, written)
        for number, witness in enumerate(feed.witness)
        for written in [_written(witness, feed)]
        for cell in _cells(witness, feed, period, sources, split)
    )


def _cells(
    witness: Witness, feed: Feed, period: date, sources: Sequence[SourceFile], split: Split
) -> list[WitnessCell]:
    if witness.at == TOTALS_ROW:
        watched = witness.watched(feed.fact)
        return [cell for cell in split.totals if cell.asked == watched]
    if witness.file is not None:
        path = witness.file.format(period=period)
        return [_or_problem("", witness.sheet or "", path, lambda: _in_file(path, witness, feed))]
    return [_in_workbook(source, witness, feed, several=len(sources) > 1) for source in sources]


def _or_problem(
    workbook: str, sheet: str, place: str, read: Callable[[], tuple[str, Kind, str]]
) -> WitnessCell:
    try:
        at, kind, text = read()
    except WorkbookError as error:
        problem = f"{error.seen.rstrip('.')}. {error.remedy}".strip()
        return WitnessCell(workbook, sheet, place, Kind.BLANK, "", problem)
    return WitnessCell(workbook, sheet, at, kind, text)


def _in_workbook(source: SourceFile, witness: Witness, feed: Feed, *, several: bool) -> WitnessCell:
    """The cell of one workbook. Of several, each says what its own rows come to."""
    workbook, place = source.path if several else "", witness.at or ""
    return _or_problem(workbook, witness.sheet or "", place, lambda: _in_cell(source, place, feed))


def _in_cell(source: SourceFile, place: str, feed: Feed) -> tuple[str, Kind, str]:
    cells = CellChoices(stale_formulas=feed.workbook.stale_formulas)
    with unchanged(source), open_source(openable(source), cells=cells) as opened:
        at, (kind, text) = opened.cell(place)
    return at, kind, text


def _in_file(path: str, witness: Witness, feed: Feed) -> tuple[str, Kind, str]:
    try:
        found = read_sources(path)
    except WorkbookError as error:
        if error.code != "workbook_missing":
            raise
        raise WorkbookError(
            "witness_unfit",
            f"there is no companion file {path}",
            remedy="Ask for the file, or correct `witness` in the feed file",
        ) from error
    if len(found) != 1:
        raise _unfit(f"{len(found)} files match {path}", "one companion file")
    csv = feed.workbook.csv_dialect or CsvDialect()
    with unchanged(found[0]), open_source(openable(found[0]), csv=csv) as opened:
        return _in_record(opened, path, witness, feed)


def _in_record(opened: Source, path: str, witness: Witness, feed: Feed) -> tuple[str, Kind, str]:
    part = opened.sheets[0]
    if witness.field is not None:
        column, widest = witness.field, MAX_COLUMNS
        rows = list(deque(opened.all_rows(part), maxlen=1))
    else:
        measure = witness.measure(feed.fact)
        source = feed.fact.columns[measure].column if measure else None
        name = witness.column or source or ""
        header = find_header(opened.first_rows(part), [name], part.name, calendar=opened.calendar)
        [column] = place_columns(header, [name], part.name)
        widest = max(header.names)
        below = (row for row in opened.all_rows(part) if row.number > header.row)
        rows = list(islice(below, 2))
    if len(rows) != 1:
        seen = "more than one record" if rows else "no record"
        raise _unfit(f"the companion file {path} has {seen}", "one")
    [row] = rows
    if max(row.cells) > widest:  # as where a number's own comma separates fields
        raise _unfit(f"the record of the companion file {path} has more fields than its header", "as many")
    kind, text = row.cells.get(column, _BLANK)
    return f"{path} {column_letters(column)}{row.number}", kind, text


def _written(witness: Witness, feed: Feed) -> TextFormat | None:
    """How a text writes the number, where texts are read as numbers; None where they are none."""
    csv, summed = feed.workbook.csv, witness.measure(feed.fact)
    is_text = feed.workbook.may_be_csv or witness.file is not None
    if summed is not None:
        parsed = is_text or feed.fact.columns[summed].parse_text
        return feed.text_format_of(summed) if parsed else None
    if not is_text:
        return None
    return text_format(csv.decimal, csv.thousands, csv.negative) if csv else TextFormat()


def _value(cell: WitnessCell, witness: int, written: TextFormat | None) -> WitnessValue:
    number, problem = "", cell.problem
    if not problem:
        kind, text = cell.kind, cell.text
        if kind == Kind.TEXT and written is not None:
            read = read_text(Column(np.array([kind], np.uint8), texts([text])), _ANY_NUMBER, written)
            kind, text = int(read.kind[0]), str(read.text[0])
        found = parse_decimal(text) if kind == Kind.NUMBER else None
        if found is None:
            problem = f"{cell.place} {_SHOWS.get(Kind(kind), 'holds no number')}"
        else:
            number = plain_text(found if cell.kind == Kind.TEXT else as_excel_shows(found))
    return WitnessValue(cell.workbook, cell.sheet, cell.place, number, problem, witness)


def _unfit(seen: str, expected: str) -> WorkbookError:
    return WorkbookError(
        "witness_unfit", seen, expected=expected, remedy="Correct the file, or `witness` in the feed"
    )
