"""Workbooks that tests write and read with openpyxl."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet


def first_sheet(workbook: Workbook) -> Worksheet:
    """The sheet that a new workbook has, or the first one of a workbook that was opened."""
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    return sheet


def write_rows(path: Path, rows: Iterable[Sequence[Any]], sheet: str = "Facts") -> Path:
    """A workbook of one sheet with these rows."""
    return write_sheets(path, {sheet: rows})


def write_sheets(path: Path, sheets: dict[str, Iterable[Sequence[Any]]]) -> Path:
    """A workbook of these sheets, each with its rows."""
    workbook = openpyxl.Workbook()
    workbook.remove(first_sheet(workbook))
    for title, rows in sheets.items():
        added = workbook.create_sheet(title)
        for row in rows:
            added.append(list(row))
    workbook.save(path)
    return path
