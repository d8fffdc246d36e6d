"""Workbooks that tests write row by row, and read with openpyxl."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests import opendocument

Rows = Iterable[Sequence[Any]]


def first_sheet(workbook: Workbook) -> Worksheet:
    """The sheet that a new workbook has, or the first one of a workbook that was opened."""
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    return sheet


def write_rows(path: Path, rows: Rows, sheet: str = "Facts") -> Path:
    """A workbook of one sheet with these rows."""
    return write_sheets(path, {sheet: rows})


def write_sheets(path: Path, sheets: dict[str, Rows]) -> Path:
    """A workbook of these sheets, each with its rows."""
    workbook = openpyxl.Workbook()
    workbook.remove(first_sheet(workbook))
    for title, rows in sheets.items():
        added = workbook.create_sheet(title)
        for row in rows:
            added.append(list(row))
    workbook.save(path)
    return path


def write_csv(path: Path, rows: Rows, delimiter: str = ",") -> Path:
    """A csv file of these rows, without quotes; None is a blank cell."""
    lines = (delimiter.join("" if cell is None else str(cell) for cell in row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write_ods(path: Path, rows: Rows) -> Path:
    """An .ods workbook of these rows of numbers and texts; None is a blank cell."""

    def cell(value: Any) -> str:
        if value is None:
            return "<table:table-cell/>"
        return opendocument.number(str(value)) if isinstance(value, int) else opendocument.text(value)

    return opendocument.ods(path, "".join(opendocument.row(*map(cell, row)) for row in rows))


WRITE: dict[str, Callable[[Path, Rows], Path]] = {".xlsx": write_rows, ".csv": write_csv, ".ods": write_ods}
