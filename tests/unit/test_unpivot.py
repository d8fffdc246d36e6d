"""Columns that become rows: each cell once, by its own place, whatever the kind of file, and counted from the bytes."""

from __future__ import annotations

import copy
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factload.errors import WorkbookError
from factload.feed.left_out import SkippedRows, end_of_data
from factload.feed.model import Feed
from factload.feed.unpivot import Unpivot
from factload.sheet.choices import MOST_UNPIVOTED, CellChoices, RowChoices
from factload.sheet.csv import source as csv_source
from factload.sheet.field import SheetField
from factload.sheet.pivot import CELL
from factload.sheet.references import column_letters
from factload.sheet.source import open_source, read_rows
from factload.sheet.text_format import TextFormat
from factload.sheet.xlsx import source as xlsx_source
from tests import expected
from tests.feeds import SALES, changed
from tests.workbooks import WRITE, write_rows

KEY = expected.field("SKU", "text", key=True)
MONTH, YEAR = expected.field("month", "text"), expected.field("year", "integer")
AMOUNT = expected.field("amount", "numeric(12,2)")
MONTHS = {"columns": ["Jan", "Feb", "Mar"], "name": "month", "value": "amount"}
Rows = Sequence[Sequence[Any]]
Found = list[tuple[Any, ...]]


def choices(unpivot: dict[str, Any], ends: Any = None, skip: dict[str, Any] | None = None) -> CellChoices:
    skips = (SkippedRows(**skip).skip,) if skip else ()
    rows = RowChoices(end_of_data(ends), skips)  # type: ignore[arg-type]
    return CellChoices(rows=rows, unpivot=Unpivot.model_validate(unpivot).choice)


def read(
    path: Path,
    cells: CellChoices,
    fields: Sequence[SheetField] = (KEY, MONTH, AMOUNT),
    per_partition: int = 1_000,
) -> tuple[Found, dict[str, int]]:
    """The rows that are made, and the counts; each row of the source is one that is made, blank or left out."""
    with open_source(path, cells=cells) as source:
        rows = source.rows(source.sheets[0], fields, 2)

        def take(pieces: Any) -> tuple[Found, dict[str, int]]:
            found: Found = []
            counts = {"source": 0, "blank": 0, "left_out": 0, "rejected": 0}
            for piece in pieces:
                batch, gone = piece.rows.batch, sum(piece.left_out.values())
                assert piece.source == piece.rows.blank + batch.num_rows + gone
                for row in batch.to_pylist():
                    at = row[CELL] % MOST_UNPIVOTED
                    assert row[CELL] // MOST_UNPIVOTED == row["row"]
                    found.append(
                        (
                            row["row"],
                            at,
                            *(row[f.name] for f in fields),
                            row["reason"],
                            row["cell"],
                            row["column"],
                        )
                    )
                counts["source"] += piece.source
                counts["blank"] += piece.rows.blank
                counts["rejected"] += piece.rows.rejected
                counts["left_out"] += gone
            return found, counts

        return read_rows(rows, per_partition, take)


def good(row: int, at: int, *values: Any) -> tuple[Any, ...]:
    return (row, at, *values, None, None, None)


SHEET: Rows = [
    ("SKU", "Jan", "Remark", "Feb", "Mar"),
    ("A1", 1, "x", None, 3),
    (None, None, "only a remark", None, None),
    ("B2", None, "", "n/a", 6),
    (None, 7, "", None, None),
]


@pytest.mark.parametrize("kind", WRITE)
def test_each_cell_is_a_row_and_a_reject_names_its_own_cell(tmp_path: Path, kind: str) -> None:
    found, counts = read(WRITE[kind](tmp_path / f"a{kind}", SHEET), choices(MONTHS))
    assert found == [
        good(2, 0, "A1", "Jan", Decimal(1)),
        good(2, 2, "A1", "Mar", Decimal(3)),
        (4, 1, "B2", "Feb", None, "not_a_number", "D4", "Feb"),
        good(4, 2, "B2", "Mar", Decimal(6)),
        (5, 0, None, "Jan", Decimal(7), "blank_key", "A5", "SKU"),
    ]
    assert counts == {"source": 12, "blank": 7, "left_out": 0, "rejected": 2}


@pytest.mark.parametrize("kind", WRITE)
def test_blank_cells_are_kept_where_the_feed_says_so_but_not_of_blank_rows(tmp_path: Path, kind: str) -> None:
    found, counts = read(WRITE[kind](tmp_path / f"a{kind}", SHEET), choices({**MONTHS, "blanks": "keep"}))
    assert [row[:5] for row in found[:3]] == [
        (2, 0, "A1", "Jan", Decimal(1)),
        (2, 1, "A1", "Feb", None),
        (2, 2, "A1", "Mar", Decimal(3)),
    ]
    assert counts == {"source": 12, "blank": 3, "left_out": 0, "rejected": 4}


def test_columns_are_found_by_pattern_and_their_names_are_values_of_a_type(tmp_path: Path) -> None:
    day = replace(expected.field("month", "date"))
    path = write_rows(tmp_path / "a.xlsx", [("SKU", "2026-01-01", "Sum", "2026-02-01"), ("A1", 1, 3, 2)])
    by_pattern = {"pattern": "20.*", "name": "month", "value": "amount"}
    found, _ = read(path, choices(by_pattern), (KEY, day, AMOUNT))
    assert [(str(row[3]), row[4]) for row in found] == [("2026-01-01", 1), ("2026-02-01", 2)]


def test_months_in_names_are_read_by_their_format_and_cells_with_dates_need_none(tmp_path: Path) -> None:
    month = replace(expected.field("month", "date"), text_format=TextFormat(date="%b %y"))
    header = ["SKU", "Jan 26", date(2026, 2, 1), "mar 26"]
    named = {"columns": ["Jan 26", "2026-02-01", "Mar 26"], "name": "month", "value": "amount"}
    path = write_rows(tmp_path / "a.xlsx", [header, ("A1", 1, 2, 3)])
    found, _ = read(path, choices(named), (KEY, month, AMOUNT))
    assert [row[3] for row in found] == [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    found, _ = read(path, choices(named))
    assert [row[3] for row in found] == ["Jan 26", "2026-02-01", "mar 26"]  # where texts are wanted
    path = write_rows(tmp_path / "b.xlsx", [[*header[:2], date(2026, 2, 15)], ("A1", 1, 2)])
    named["columns"] = ["Jan 26", "2026-02-15"]
    with pytest.raises(WorkbookError, match=r"'2026-02-15' as the name of column C.* first day of a month"):
        read(path, choices(named), (KEY, month, AMOUNT))


def test_dates_in_cells_above_are_dates_whatever_the_format_of_texts(tmp_path: Path) -> None:
    month = replace(expected.field("month", "date"), text_format=TextFormat(date="%b %y"))
    rows: Rows = [
        ("", date(2026, 1, 1), None, "Feb 26", None),
        ("SKU", "Plan", "Actual", "Plan", "Actual"),
        ("A1", 1, 2, 3, 4),
    ]
    two = {"columns": ["Plan", "Actual"], "name": "kind", "value": "amount", "above": "month"}
    kind = expected.field("kind", "text")
    found, _ = read(write_rows(tmp_path / "a.xlsx", rows), choices(two), (KEY, month, kind, AMOUNT))
    assert [row[3:5] for row in found] == [
        (date(2026, 1, 1), "Plan"),
        (date(2026, 1, 1), "Actual"),
        (date(2026, 2, 1), "Plan"),
        (date(2026, 2, 1), "Actual"),
    ]


@pytest.mark.parametrize("kind", WRITE)
def test_a_second_row_of_names_stands_above(tmp_path: Path, kind: str) -> None:
    rows: Rows = [
        ("Sales", None, None, None, None),
        (None, 2025, None, 2026, None),
        ("SKU", "Jan", "Feb", "Jan", "Feb"),
        ("A1", 1, 2, 3, 4),
    ]
    two = {"columns": ["Jan", "Feb"], "name": "month", "value": "amount", "above": "year"}
    found, _ = read(WRITE[kind](tmp_path / f"a{kind}", rows), choices(two), (KEY, YEAR, MONTH, AMOUNT))
    assert [row[3:6] for row in found] == [
        (2025, "Jan", 1),
        (2025, "Feb", 2),
        (2026, "Jan", 3),
        (2026, "Feb", 4),
    ]


@pytest.mark.parametrize("merges", [["B2:C2", "D2:E2"], ["B1:C2", "D1:E2"]])
def test_what_merged_cells_show_stands_above_and_not_what_they_hide(
    tmp_path: Path, merges: list[str]
) -> None:
    shown, hidden = (2025, 2019, 2026, 2017), (2018, 2019, 2016, 2017)
    upper, lower = (shown, hidden) if merges[0] == "B1:C2" else (hidden, shown)
    rows: Rows = [("Plan", *upper), (None, *lower), ("SKU", "Jan", "Feb", "Mar", "Apr"), ("A1", 1, 2, 3, 4)]
    path = write_rows(tmp_path / "a.xlsx", rows)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    told = "".join(f'<mergeCell ref="{one}"/>' for one in merges)
    sheet = parts["xl/worksheets/sheet1.xml"].replace(
        b"</sheetData>", f"</sheetData><mergeCells>{told}</mergeCells>".encode()
    )
    with zipfile.ZipFile(path, "w") as book:
        for name, content in (parts | {"xl/worksheets/sheet1.xml": sheet}).items():
            book.writestr(name, content)
    four = {"columns": ["Jan", "Feb", "Mar", "Apr"], "name": "month", "value": "amount", "above": "year"}
    found, _ = read(path, choices(four), (KEY, YEAR, MONTH, AMOUNT))
    assert [row[3] for row in found] == [2025, 2025, 2026, 2026]


BAD: dict[str, tuple[Rows, dict[str, Any], str]] = {
    "missing": (
        [("SKU", "Jan", "Fbe", "Mar"), ("A1", 1, 2, 3)],
        {},
        r"no column 'Feb' .*Did you mean 'Fbe'\?",
    ),
    "twice": ([("SKU", "Jan", "Feb", "Mar", "Jan"), ("A1", 1, 2, 3, 4)], {}, "'Jan' 2 times: B1 and E1"),
    "no match": ([("SKU", "Jan"), ("A1", 1)], {"pattern": "20.*"}, "no column in row 1 that matches"),
    "a key too": (
        [("SKU", "Jan"), ("A1", 1)],
        {"pattern": ".*"},
        r"has 'SKU' \(A1\), which is read by itself and",
    ),
    "a match twice": (
        [("SKU", "Q 1", "Q  1"), ("A1", 1, 2)],
        {"pattern": "Q.*"},
        "the column 'Q  1' twice: B1 and C1",
    ),
    "nothing above": (
        [(None, None), ("SKU", "Jan"), ("A1", 1)],
        {"columns": ["Jan"], "above": "year"},
        "nothing in B1, above",
    ),
    "no row above": (
        [("SKU", "Jan"), ("A1", 1)],
        {"columns": ["Jan"], "above": "year"},
        "nothing above the first column",
    ),
    "the same pair": (
        [(None, 2025, 2025), ("SKU", "Jan", "Jan"), ("A1", 1, 2)],
        {"columns": ["Jan"], "above": "year"},
        "the column 'Jan' below '2025' twice: B2 and C2",
    ),
    "no value of its type": (
        [(None, "soon"), ("SKU", "Jan"), ("A1", 1)],
        {"columns": ["Jan"], "above": "year"},
        "has 'soon' as the name of column B, row 2, which becomes 'year' of its rows: The cell doesn't hold a number",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_columns_that_are_not_as_the_feed_says_are_refused_in_one_line(tmp_path: Path, case: str) -> None:
    rows, changes, said = BAD[case]
    unpivot = {name: value for name, value in MONTHS.items() if name != "columns" or not changes} | changes
    fields = (KEY, *([YEAR] if "above" in changes else []), MONTH, AMOUNT)
    with pytest.raises(WorkbookError, match=said) as error:
        read(write_rows(tmp_path / "a.xlsx", rows), choices(unpivot), fields)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", [".xlsx", ".csv"])
def test_a_row_with_a_key_alone_is_no_gap_that_ends_the_data(tmp_path: Path, kind: str) -> None:
    rows: Rows = [
        ("SKU", "Jan", "Feb", "Mar"),
        ("A1", 1, 1, 1),
        ("B2", None, None, None),
        ("C3", 2, None, None),
    ]
    rows = [*rows, (None, None, None, None), ("D4", 9, 9, None)]
    found, counts = read(WRITE[kind](tmp_path / f"a{kind}", rows), choices(MONTHS, ends="blank_row"))
    assert [row[0] for row in found] == [2, 2, 2, 4]
    assert counts == {"source": 12, "blank": 6, "left_out": 2, "rejected": 0}


def test_a_totals_row_and_subtotals_are_left_out_by_their_cells(tmp_path: Path) -> None:
    rows: Rows = [("SKU", "Jan", "Feb", "Mar"), ("A1", 1, 1, 1), ("Sub", 1, 1, None), ("B2", 2, None, None)]
    rows = [*rows, ("Total", 3, 1, 1)]
    cells = choices(MONTHS, ends="totals_row", skip={"column": "SKU", "equals": "Sub"})
    found, counts = read(write_rows(tmp_path / "a.xlsx", rows), cells)
    assert [row[:2] for row in found] == [(2, 0), (2, 1), (2, 2), (4, 0)]
    assert counts == {"source": 12, "blank": 3, "left_out": 5, "rejected": 0}


def test_every_cell_of_a_row_whose_fields_cant_be_told_apart_is_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("SKU,Jan,Feb,Mar\nA1,1,2,3\nB2,1\nC3,,5,\n", encoding="utf-8")
    found, counts = read(path, choices(MONTHS))
    assert [(row[0], row[1], row[5]) for row in found if row[5]] == [(3, at, "ragged_row") for at in range(3)]
    assert counts == {"source": 9, "blank": 2, "left_out": 0, "rejected": 3}


CELLS = st.one_of(st.none(), st.integers(-99, 99), st.just("n/a"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["A1", "B2", None]), CELLS, CELLS, CELLS), min_size=1, max_size=25
    ),
    kind=st.sampled_from([".xlsx", ".csv"]),
    keep=st.booleans(),
    order=st.permutations(range(4)),
)
def test_any_sheet_is_read_as_a_plain_loop_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[Any], kind: str, keep: bool, order: list[int]
) -> None:
    monkeypatch.setattr(xlsx_source, "WINDOW_BYTES", 300)
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 40)
    names = ("SKU", "Jan", "Feb", "Mar")
    written = [[row[i] for i in order] for row in [names, *rows]]
    months = [names[i] for i in order if i]
    wanted, blank, valued = [], 0, 0
    for number, row in enumerate(rows, 2):
        filled = any(cell is not None for cell in row)
        valued += filled
        for at, month in enumerate(months):
            cell = row[names.index(month)]
            if cell is None and not (keep and filled):
                blank += filled
                continue
            amount = Decimal(cell) if isinstance(cell, int) else None
            reason = "blank_key" if row[0] is None else "not_a_number" if cell == "n/a" else None
            column = {"blank_key": "SKU", "not_a_number": month}.get(reason or "")
            place = f"{column_letters(order.index(names.index(column)) + 1)}{number}" if column else None
            wanted.append((number, at, row[0], month, amount, reason, place, column))
    unpivot = {**MONTHS, "blanks": "keep" if keep else "skip"}
    found, counts = read(WRITE[kind](tmp_path / f"a{kind}", written), choices(unpivot), per_partition=7)
    assert found == wanted
    rejected = sum(row[5] is not None for row in wanted)
    assert counts == {"source": 3 * valued, "blank": blank, "left_out": 0, "rejected": rejected}


FEED = yaml.safe_load(
    changed(
        SALES,
        {
            "workbook": {"path": "inbox/{period}.xlsx", "unpivot": {**MONTHS, "value": "metric"}},
            "fact.columns.month": {"column": "month", "type": "text"},
        },
    )
)
UNFIT: dict[str, tuple[str, Any, str]] = {
    "nothing reads it": ("workbook.unpivot.above", "year", "is 'year', and nothing reads it"),
    "both": ("workbook.unpivot.pattern", "x", "expected `columns: [NAME, ...]` or `pattern`, one of them"),
    "twice": ("workbook.unpivot.columns", ["Jan", "jan"], "has 'jan' twice"),
    "its own name": ("workbook.unpivot.columns", ["Jan", "Month"], "has 'Month' twice"),
    "a range has nothing above": (
        "workbook",
        {"path": "a.xlsx", "range": "A", "unpivot": {**MONTHS, "above": "year"}},
        "goes with a sheet",
    ),
    "a total of each column": (
        "witness",
        {"at": "totals_row", "sum": "metric"},
        "which has a number in each column",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_fit_together_is_refused(case: str) -> None:
    field, value, said = UNFIT[case]
    document = copy.deepcopy(FEED)
    Feed.model_validate(document)
    *parents, name = field.split(".")
    part = document
    for parent in parents:
        part = part[parent]
    part[name] = value
    if case == "a total of each column":
        document["workbook"]["ends"] = "totals_row"
    with pytest.raises(ValueError, match=re.escape(said)):
        Feed.model_validate(document)
