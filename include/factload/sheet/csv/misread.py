"""The error for a csv file with another delimiter than the declared one."""

from __future__ import annotations

from collections.abc import Sequence

from factload.errors import WorkbookError
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.csv.stream import open_utf8
from factload.sheet.header import HEADER_WITHIN, Header, columns_named
from factload.sheet.limits import Limits
from factload.sheet.names import ColumnName
from factload.sheet.workbook_file import WorkbookFile

_DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT = 1 << 16  # bytes


def refuse_another_delimiter(
    file: WorkbookFile, wanted: Sequence[ColumnName], dialect: CsvDialect, limits: Limits
) -> None:
    """Raise WorkbookError ``csv_delimiter`` if a line holds every wanted name between other delimiters."""
    with open_utf8(file, dialect, limits) as stream:
        lines = stream.read(_LOOKED_AT).decode("utf-8", "replace").splitlines()
    for number, line in enumerate(lines[:HEADER_WITHIN], 1):
        for delimiter in _DELIMITERS:
            fields = [field.strip(f" {dialect.quote}") for field in line.split(delimiter)]
            names = Header(number, {i: field for i, field in enumerate(fields, 1) if field})
            if delimiter != dialect.delimiter and all(columns_named(names, name) for name in wanted):
                raise WorkbookError(
                    "csv_delimiter",
                    f"Line {number} holds the columns' names with {delimiter!r} between them",
                    expected=f"the delimiter that the feed declares, {dialect.delimiter!r}",
                    remedy=f"Say `csv: {{delimiter: {_in_yaml(delimiter)}}}` under `workbook` in the feed file",
                )


def _in_yaml(delimiter: str) -> str:
    return '"\\t"' if delimiter == "\t" else f'"{delimiter}"'
