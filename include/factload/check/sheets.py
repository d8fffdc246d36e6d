"""The sheets and columns that a check can read; what is wrong with the others is added as a problem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from factload.check.findings import Problems
from factload.errors import WorkbookError
from factload.feed.model import Feed
from factload.load import SourceFile
from factload.sheet.field import SheetField
from factload.sheet.header import best_header, columns_named
from factload.sheet.placing import header_names
from factload.sheet.sheets import EVERY, SheetChoice, SheetPart, choose
from factload.sheet.source import Source, open_source
from factload.split.all_workbooks import named
from factload.split.partitions import Origin, left_out
from factload.split.sources import openable


@dataclass(frozen=True, slots=True)
class ReadableSheet:
    """One sheet of one workbook, and those fields whose columns its header has once."""

    source: SourceFile
    origin: Origin
    sheet: str
    fields: tuple[SheetField, ...]


def readable_sheets(
    file: SourceFile, origin: Origin, feed: Feed, fields: Sequence[SheetField], problems: Problems
) -> Iterator[ReadableSheet]:
    """The sheets of a workbook that a feed means, as far as they can be read."""
    choice, csv, cells = feed.workbook.sheet, feed.workbook.csv_dialect, feed.workbook.cells
    with problems.noted(), named(origin), open_source(openable(file), csv=csv, cells=cells) as source:
        for part in _chosen(source.sheets, choice, origin, problems):
            if choice == EVERY and source.is_empty(part):
                problems.warnings.append(left_out(origin, part.name))
                continue
            with problems.noted(), named(origin):
                try:
                    source.rows(part, fields, 1)
                    readable = tuple(fields)
                except WorkbookError as error:
                    if not error.code.startswith("header_"):
                        raise
                    readable = _fields_found(source, part, fields)
                    with problems.noted(), named(origin):
                        raise
                if readable:
                    yield ReadableSheet(file, origin, part.name, readable)


def _chosen(
    sheets: Sequence[SheetPart], choice: SheetChoice, origin: Origin, problems: Problems
) -> Sequence[SheetPart]:
    """The chosen sheets that exist; the others are added as problems."""
    with problems.noted(), named(origin):
        return choose(sheets, choice)
    found: dict[str, SheetPart] = {}
    for wanted in choice if isinstance(choice, tuple) else ():
        try:
            [part] = choose(sheets, wanted)
        except WorkbookError:
            continue  # noted above
        found.setdefault(part.name, part)
    return list(found.values())


def _fields_found(source: Source, part: SheetPart, fields: Sequence[SheetField]) -> tuple[SheetField, ...]:
    header = best_header(source.first_rows(part), header_names(fields, source.cells.unpivot), source.calendar)
    if header is None or source.cells.unpivot is not None:
        return ()
    found = {field.name: field for field in fields if len(columns_named(header, field.names)) == 1}
    return tuple(field for field in found.values() if not field.signed_by or field.signed_by in found)
