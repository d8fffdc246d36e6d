"""A rejects workbook as a person sends it back: opened, corrected, and saved by another program, perhaps as another kind."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import xlwt

from tests.workbooks import first_sheet

Sheet = list[list[Any]]  # the header and the rows; values as openpyxl reads them
_ERRORS = ("#N/A", "#DIV/0!", "#REF!")
_SPACES = {"office": "office:1.0", "table": "table:1.0", "text": "text:1.0"}


def resaved(path: Path, target: Path, edit: Callable[[Sheet], Sheet | None]) -> Path:
    """Save what ``edit`` makes of the first sheet of ``path`` as ``target``, of the kind that its name says."""
    workbook = openpyxl.load_workbook(path)
    sheet = [list(row) for row in first_sheet(workbook).iter_rows(values_only=True)]
    edited = edit(sheet) or sheet
    _WRITERS[target.suffix](target, edited)
    return target


def corrected(changes: dict[tuple[int, str], Any]) -> Callable[[Sheet], None]:
    """An edit: (row of the load, column's name) → what a person types there."""

    def edit(sheet: Sheet) -> None:
        header = sheet[0]
        at = header.index("factload row")
        for row in sheet[1:]:
            for (number, column), value in changes.items():
                if row[at] == number:
                    row[header.index(column)] = value

    return edit


def write_xlsx(path: Path, rows: Sequence[Sequence[Any]], name: str = "Facts") -> None:
    workbook = openpyxl.Workbook()
    sheet = first_sheet(workbook)
    sheet.title = name
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column, value)
            if isinstance(value, str) and value not in _ERRORS:
                cell.data_type = "s"
    workbook.save(path)


def write_xls(path: Path, rows: Sequence[Sequence[Any]], name: str = "Facts") -> None:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet(name)
    days = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value in _ERRORS:
                sheet.row(number).set_cell_error(column, value)
            elif isinstance(value, date):
                sheet.write(number, column, value, days)
            elif value is not None:
                sheet.write(number, column, value)
    workbook.save(str(path))


def write_ods(path: Path, rows: Sequence[Sequence[Any]], name: str = "Facts") -> None:
    body = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    spaces = " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{space}"' for prefix, space in _SPACES.items()
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="{name}">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)


def _ods_cell(value: Any) -> str:
    if value is None:
        return "<table:table-cell/>"
    if value in _ERRORS:  # LibreOffice keeps the formula, and no value of it
        return (
            '<table:table-cell table:formula="of:=NA()" office:value-type="string" office:string-value=""/>'
        )
    kind, attribute = "string", ""
    if isinstance(value, bool):
        kind, attribute = "boolean", f' office:boolean-value="{str(value).lower()}"'
    elif isinstance(value, int | float):
        kind, attribute = "float", f' office:value="{value!r}"'
    elif isinstance(value, datetime):
        kind, attribute = "date", f' office:date-value="{value.isoformat()}"'
    lines = "".join(f"<text:p>{_ods_text(line)}</text:p>" for line in str(value).split("\n"))
    return f'<table:table-cell office:value-type="{kind}"{attribute}>{lines}</table:table-cell>'


def _ods_text(line: str) -> str:
    """OpenDocument has elements for tabs, and for white space that is more than one space between words."""
    written = re.sub("(?:^| ) +", lambda found: f'<text:s text:c="{len(found[0])}"/>', escape(line))
    return written.replace("\t", "<text:tab/>")


def write_csv(path: Path, rows: Sequence[Sequence[Any]], _: str = "") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


_WRITERS: dict[str, Callable[..., None]] = {
    ".xlsx": write_xlsx,
    ".xls": write_xls,
    ".ods": write_ods,
    ".csv": write_csv,
}
