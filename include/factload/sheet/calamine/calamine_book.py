"""An .xls or .xlsb workbook in the process that reads it: what calamine gives of cells, and what it doesn't tell."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import olefile
import python_calamine

from factload.sheet.calamine import xlsb_parts
from factload.sheet.calamine.cell_values import ERROR, NO_VALUE, STALE, Held, held_in
from factload.sheet.calamine.refused import PasswordError, Refused
from factload.sheet.calamine.xls_marks import is_protected, marked_cells

# Errors as calamine names them and as a person sees them
_SHOWN = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
_Place = tuple[int, int]


class CalamineBook:
    """``stale``: whether formulas whose saved values are out of date are told from others."""

    def __init__(self, path: str, *, stale: bool) -> None:
        self._path, self._stale = path, stale
        # calamine would believe the name's ending, whatever the bytes are
        self._is_xls = olefile.isOleFile(path)
        try:
            self._book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(Path(path).read_bytes()))
        except python_calamine.CalamineError as error:
            if self._is_xls and is_protected(path):
                raise PasswordError from error
            raise

    def sheets(self) -> list[tuple[str, str, str]]:
        """Of each sheet its name, whether it is hidden, and its kind."""
        return [(sheet.name, _word(sheet.visible), _word(sheet.typ)) for sheet in self._book.sheets_metadata]

    def names(self) -> Iterator[tuple[str, str, str]]:
        """Each defined name, the formula that it stands for, and the sheet that it is for: "", it isn't known."""
        import fastexcel  # python-calamine doesn't give them

        for name in fastexcel.read_excel(Path(self._path).read_bytes()).defined_names():
            yield name.name, name.formula, ""

    def tables(self) -> Iterator[tuple[int, str, str, int, int]]:
        """Of each table of an .xlsb workbook the sheet, its name and cells, how many rows are header and totals."""
        return xlsb_parts.tables(self._path)

    def merged(self, sheet: int) -> Iterator[tuple[int, int, int, int]]:
        """The merged ranges of a sheet: first row and column, last row and column, from 1."""
        if self._is_xls:
            for (top, left), (bottom, right) in self._book.get_sheet_by_index(sheet).merged_cell_ranges or ():
                yield top + 1, left + 1, bottom + 1, right + 1
        else:
            yield from xlsb_parts.merged_ranges(self._path, sheet)

    def rows(self, sheet: int, cells: int, file_cells: int) -> Iterator[tuple[int, list[Any]]]:
        """Each row with its number from 1, its first cell in column A. Raises ``Refused`` for a sheet of more than so
        many cells, empty ones too."""
        found = self._book.get_sheet_by_index(sheet)
        start, end = found.start or (0, 0), found.end
        area = (end[0] + 1) * (end[1] + 1) if end is not None else 0
        if area > min(cells, file_cells):
            raise Refused("cells" if area > cells else "cells_per_byte")
        marks = self._marks(sheet, start)
        number = 0
        # iter_rows gives the rows above the first cell, not the columns left of it
        left_of_it = [""] * start[1]
        for number, row in enumerate(found.iter_rows() if end is not None else (), 1):
            yield number, _with_marks(left_of_it + row, marks.pop(number, {}))
        for below in sorted(row for row in marks if row > number):
            yield below, _with_marks([], marks[below])

    def _marks(self, sheet: int, start: _Place) -> dict[int, dict[int, Held]]:
        """By row and column from 1 what cells hold that calamine doesn't tell."""
        marks: dict[int, dict[int, Held]] = {}

        def note(place: _Place, held: Held) -> None:
            marks.setdefault(place[0], {})[place[1]] = held

        if self._is_xls:
            errors, stale, empty = marked_cells(self._path, sheet)
            for place in empty if self._stale else ():
                note(place, (NO_VALUE, "="))
        else:
            errors = _errors(self._path, sheet, start)
            stale = xlsb_parts.stale_formulas(self._path, sheet) if self._stale else set()
        for place in stale if self._stale else ():
            note(place, (STALE, ""))
        for place, error in errors.items():
            note(place, (ERROR, error))
        return marks


def _word(choice: Any) -> str:
    return str(choice).rpartition(".")[2]


def _with_marks(row: list[Any], marks: dict[int, Held]) -> list[Any]:
    if marks:
        row = row + [""] * (max(marks) - len(row))
        for column, (kind, text) in marks.items():
            row[column - 1] = (kind, held_in(row[column - 1])[1] if kind == STALE else text)
    return row


def _errors(path: str, sheet: int, start: _Place) -> dict[_Place, str]:
    """Cells of an .xlsb sheet that show an error, by row and column from 1: python-calamine gives them as empty texts.

    fastexcel counts from ``start``, the first row and column that hold anything. Of .xls it says nothing that can be
    trusted: it takes the values that a chart saves for cells of the sheet.
    """
    import fastexcel

    loaded = fastexcel.read_excel(Path(path).read_bytes()).load_sheet(sheet, header_row=None, dtypes="string")
    _, found = loaded.to_arrow_with_errors()
    return {
        (error.position[0] + start[0] + 1, error.position[1] + start[1] + 1): _shown(error.detail)
        for error in (found.errors if found else ())
        if "Error(" in error.detail
    }


def _shown(detail: str) -> str:
    name = detail.partition("Error(")[2].rstrip("')")
    return _SHOWN.get(name, f"#{name}")
