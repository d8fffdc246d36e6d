"""What a split must come to, worked out from the oracle's cells one at a time."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Literal

from factload.load import Split
from factload.sheet.choices import MOST_UNPIVOTED
from factload.sheet.field import SheetField
from factload.sheet.pivot import CELL
from factload.split.partitions import Origin, split_workbook
from factload.sql_types import parse_sql_type
from factload.staging.files import open_table
from factload.staging.folder import FolderPlace
from tests import oracle

Row = dict[str, Any]


def field(
    name: str, kind: str, *, key: bool = False, required: bool = False, serials: bool = False
) -> SheetField:
    """A field named as its column."""
    role: Literal["key", "value"] = "key" if key else "value"
    return SheetField(name, name, role, parse_sql_type(kind), required or key, serials=serials)


def split(path: Path, fields: Sequence[SheetField], **options: Any) -> tuple[Split, list[Row]]:
    """Split a workbook into a folder of its own; the rows of all partitions, read back."""
    options = {"sheet": 0, "rows_per_partition": 1000, **options}
    with tempfile.TemporaryDirectory() as folder:
        done = split_workbook(
            path, Origin(path.name, "0" * 64), fields=fields, place=FolderPlace(Path(folder)), **options
        )
        tables = [open_table(p.path, p.sha256) for p in done.partitions]
        for partition, table in zip(done.partitions, tables, strict=True):
            numbers = table["row"].to_pylist()
            assert all(partition.first_row <= n <= partition.last_row for n in numbers)
            assert len(numbers) == partition.rows
        return done, [row for table in tables for row in table.to_pylist()]


@dataclass(frozen=True)
class Pivot:
    """Columns that become rows, from left to right, with their names and what stands above each."""

    columns: Sequence[int]
    names: Sequence[str]
    above: Sequence[str]
    keep_blanks: bool


Placed = (
    int | Literal["name", "above", "value"]
)  # a column of the sheet, or what stands for one in an unpivoted row


def rows(
    workbook: oracle.Workbook,
    header_row: int,
    placed: Sequence[Placed],
    fields: Sequence[SheetField],
    position: int = 0,
    merged: str = "reject",
    pivot: Pivot | None = None,
) -> list[Row]:
    """The rows that the partition files must hold, without the names of columns and the raw text."""
    out = []
    sheet, ranges = workbook.sheet(position), workbook.merges(position)
    own = {index for index in placed if isinstance(index, int)}
    for number in sheet:
        read = {
            index: settled(sheet, ranges, number, index, header_row, merged)
            for index in {*own, *(pivot.columns if pivot else ())}
        }
        if number <= header_row or not any(cell and not blank(cell) for cell in read.values()):
            continue
        if pivot is None:
            out.append(
                _row(number, [(read[at], at) for at in placed if isinstance(at, int)], fields, workbook)
            )
            continue
        for at, column in enumerate(pivot.columns):
            cell = read[column]
            if not pivot.keep_blanks and (cell is None or blank(cell)):
                continue
            made = {
                "name": (oracle.Value("text", pivot.names[at]), column),
                "above": (oracle.Value("text", pivot.above[at]), column),
                "value": (cell, column),
            }
            cells = [(read[one], one) if isinstance(one, int) else made[one] for one in placed]
            out.append({CELL: number * MOST_UNPIVOTED + at} | _row(number, cells, fields, workbook))
    return out


def _row(
    number: int,
    cells: Sequence[tuple[oracle.Value | None, int]],
    fields: Sequence[SheetField],
    workbook: oracle.Workbook,
) -> Row:
    row: Row = {"row": number, "reason": None, "cell": None}
    for (cell, index), one in zip(cells, fields, strict=True):
        value, reason = typed(cell, one, workbook)
        row[one.name] = value
        if reason and row["reason"] is None:
            row |= {"reason": reason, "cell": f"{letters(index)}{number}"}
    return row


def filled(workbook: oracle.Workbook, header_row: int, columns: Collection[int]) -> list[int]:
    """The rows with something in one of the columns, of a sheet without merged cells."""
    sheet = workbook.sheet()
    return [
        number
        for number, row in sheet.items()
        if number > header_row and any(not blank(row[index]) for index in columns if index in row)
    ]


def left_out(
    workbook: oracle.Workbook,
    numbers: Sequence[int],
    last: int,
    *,
    column: int,
    header_row: int,
    totals: bool,
    end: Any,
    skipped: Collection[str],
) -> dict[int, str] | None:
    """Which of the rows ``numbers``, which have something, are no data, and why; None if there is no end.

    ``last``: the last row of the range, one of totals if ``totals`` says so; ``column``: that in which labels are
    looked for; ``end``, ``skipped``: as a feed has them.
    """
    sheet = workbook.sheet()
    labels = {number: seen(sheet[number].get(column)) for number in sheet if header_row < number <= last}
    skips = [number for number in numbers if labels[number] in skipped]
    plain = [number for number in numbers if number not in skips]
    stops, of_totals = [last + 1], None
    if totals:
        stops.append(of_totals := last)
    elif end == "totals_row" and plain:
        stops.append(of_totals := plain[-1])
    if end == "blank_row" and plain:
        filled = {*numbers, *(number for number, label in labels.items() if label in skipped)}
        stops.append(next(number for number in range(plain[0], last + 2) if number not in filled))
    if isinstance(end, dict):
        ends = [number for number, label in labels.items() if label == end["first"]]
        if not ends and not totals:
            return None
        stops += ends[:1]
    stop = min(stops)
    of_totals = stop if of_totals == stop or (isinstance(end, dict) and stop <= last) else None
    return {
        n: "totals_row" if n == of_totals else "after_end" if n >= stop else "skipped_row"
        for n in numbers
        if n >= stop or n in skips
    }


def seen(cell: oracle.Value | None) -> str | None:
    """A label as a person sees it; None if the cell holds no text."""
    return " ".join(cell.text.split()) if cell is not None and cell.kind == "text" else None


def settled(
    sheet: oracle.Sheet,
    ranges: list[tuple[int, int, int, int]],
    row: int,
    column: int,
    header_row: int,
    merged: str,
) -> oracle.Value | None:
    """A cell as the feed has it where it is merged with others and isn't the first of them."""
    for top, left, bottom, right in ranges:
        if top <= row <= bottom and left <= column <= right and (row, column) != (top, left):
            first = sheet.get(top, {}).get(left) if top > header_row else None
            if first is None or blank(first) or merged == "blank":
                return None
            return first if merged == "repeat" else oracle.Value("merged", first.text)
    return sheet[row].get(column)


def letters(index: int) -> str:
    above, last = divmod(index - 1, 26)
    return (letters(above) if above else "") + chr(65 + last)


def blank(cell: oracle.Value) -> bool:
    return cell.kind == "text" and not "".join(re.split("[\u200b\u2060\ufeff]", cell.text)).strip()


DEFECTS = {
    "error": "error_cell",
    "rich": "rich_value",
    "formula": "formula_without_value",
    "stale": "stale_formula",
    "merged": "merged_cell",
    "ambiguous": "ambiguous_cell",
}


def typed(cell: oracle.Value | None, one: SheetField, workbook: oracle.Workbook) -> tuple[Any, str | None]:
    kind = one.type.kind
    if cell is None or (blank(cell) and (one.required or one.role == "key" or kind != "text")):
        return None, ("blank_key" if one.role == "key" else "blank_value") if one.required else None
    if cell.kind in DEFECTS:
        return None, DEFECTS[cell.kind]
    if kind == "text":
        return text(cell, one, workbook)
    if kind in ("date", "timestamp"):
        return dated(cell, kind, one, workbook)
    if kind == "boolean":
        return (cell.text == "1", None) if cell.kind == "boolean" else (None, "not_a_boolean")
    return number(cell, one)


def number(cell: oracle.Value, one: SheetField) -> tuple[Any, str | None]:
    if cell.kind != "number" or (cell.format and not one.serials):
        return None, "not_a_number"
    if one.type.kind == "double":
        return float(cell.text), None
    if one.type.kind == "integer":
        exact = oracle.as_excel_shows(cell.text)
        if exact != int(exact):
            return None, "not_an_integer"
        if not -(2 ** (one.type.bits - 1)) <= exact < 2 ** (one.type.bits - 1):
            return None, "number_out_of_range"
        return (None, "number_may_be_cut") if oracle.may_be_cut(exact) else (int(exact), None)
    value = oracle.quantized(oracle.for_column(cell.text, one.type.scale), one.type.scale)
    fits = abs(value) < Decimal(10) ** (one.type.precision - one.type.scale)
    return (value, None) if fits else (None, "number_out_of_range")


def text(cell: oracle.Value, one: SheetField, workbook: oracle.Workbook) -> tuple[Any, str | None]:
    shown = cell.text
    if cell.kind == "boolean":
        shown = {"1": "TRUE", "0": "FALSE"}[cell.text]
    elif cell.kind == "date":
        moment, time = oracle.iso_moment(cell.text, workbook.strict), oracle.iso_time(cell.text)
        shown = iso(moment) if moment else cell.text if time is None else oracle.clock(time)
    elif cell.format:
        shown = in_format(cell, workbook.date1904)
    elif cell.kind == "number":
        number = oracle.as_excel_shows(cell.text)
        digits = "".join(map(str, number.as_tuple().digits)).strip("0")
        if one.role == "key" and (
            abs(number) >= 10**15 or len(digits) > 15 or oracle.loses_digits(cell.text)
        ):
            return None, "key_too_long_number"
        if oracle.may_be_cut(number):
            return None, "number_may_be_cut"
        shown = oracle.without_exponent(number)
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in shown):
        return None, "unstorable_text"
    if one.type.length is not None and len(shown) > one.type.length:
        return shown, "text_too_long"
    return shown, None


def in_format(cell: oracle.Value, date1904: bool) -> str:
    """A number in the format of a date, a time or elapsed time."""
    serial = Decimal(cell.text)
    if not 0 <= serial < 10_000_000:
        return cell.text
    millis = timedelta(milliseconds=int((serial * 86_400_000).to_integral_value(ROUND_HALF_EVEN)))
    if cell.format == "elapsed":
        return oracle.clock(millis)
    if serial < 1 and (cell.format == "time" or not date1904):
        return oracle.clock(millis % timedelta(days=1))
    moment = oracle.moment(cell.text, date1904) if serial < 2_957_000 else None
    return cell.text if moment is None else iso(moment)


def dated(
    cell: oracle.Value, kind: str, one: SheetField, workbook: oracle.Workbook
) -> tuple[Any, str | None]:
    moment: datetime | None = None
    if cell.kind == "date":
        moment = oracle.iso_moment(cell.text, workbook.strict)
    elif cell.kind == "number" and (cell.format in ("date", "time") or (not cell.format and one.serials)):
        serial = Decimal(cell.text)
        alone = 0 <= serial < 1 and (cell.format == "time" or not workbook.date1904)
        if 0 <= serial < 2_957_000 and not alone:
            moment = oracle.moment(cell.text, workbook.date1904)
    if moment is None:
        return None, "not_a_date"
    if kind == "timestamp":
        return moment, None
    half = timedelta(milliseconds=500)
    near = datetime.combine((moment + half).date(), datetime.min.time())
    return (near.date(), None) if -half <= moment - near < half else (None, "not_a_date")


def iso(moment: datetime) -> str:
    return moment.isoformat(sep=" ").removesuffix(" 00:00:00")


def clean(row: Row) -> Row:
    """What is judged of a row: a rejected row's values say nothing, its place and its reason do."""
    kept = {name: value for name, value in row.items() if name not in ("column", "raw")}
    place = ("row", CELL, "reason", "cell")
    return kept if row["reason"] is None else {name: row[name] for name in place if name in row}
