"""Whatever a sheet begins with and whatever its columns hold, the table is found and every row of it can be loaded."""

from __future__ import annotations

import contextlib
import csv
import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from factload.errors import FactloadError
from factload.propose.first import propose_feed
from tests.workbooks import first_sheet

_NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # an example takes a tenth of a second
_WORDS = (
    st.text("abcdefgh XYZ-äé", min_size=2, max_size=12)
    .map(str.strip)
    .filter(lambda t: len(t) > 1 and t.strip("- "))
)
_COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "Customer ID": st.integers(1, 9).map(lambda n: f"C{n:03}"),
    "StockCode": st.integers(10_000, 10_009),
    "Name": _WORDS,
    "Ordered on": st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    "Changed": st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31)).map(lambda t: t.replace(microsecond=0)),
    "Quantity": st.integers(-999, 999),
    "Amount (EUR)": st.decimals(-9999, 9999, places=2),
    "Share": st.floats(0, 1, allow_subnormal=False).filter(lambda x: x == 0 or x > 1e-6),
    "Active": st.booleans(),
    "Remark": st.one_of(st.none(), _WORDS),
    "Discount": st.one_of(st.none(), st.decimals(0, 1, places=2)),
    "When": st.dates(date(2020, 1, 1), date(2030, 12, 31)).map(lambda d: f"{d:%d.%m.%Y}"),
    "Betrag": st.decimals(-99_999, 99_999, places=2).map(lambda n: f"{n:,.2f}".translate(str.maketrans(",.", ".,"))),
}  # fmt: skip
_PREAMBLES = st.sampled_from(
    [
        [],
        [("Report of the week",)],
        [("Created by", "JSMITH"), ()],
        [("Title",), (), ("Period:", None, "November 2026"), ()],
    ]
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    header = draw(st.lists(st.sampled_from(sorted(_COLUMNS)), min_size=3, max_size=9, unique=True))
    rows = draw(st.lists(st.tuples(*(_COLUMNS[name] for name in header)).map(list), min_size=4, max_size=25))
    # A row of data has something to say: one with a single cell is a note.
    rows = [row for row in rows if sum(value is not None for value in row) > 1]
    assume(rows)
    return header, rows


@pytest.fixture
def home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FACTLOAD_CONN_WAREHOUSE", "AIRFLOW_CONN_WAREHOUSE"):
        monkeypatch.delenv(name, raising=False)
    return home


def require_whole(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    proposal = propose_feed(path)
    taken = [h for c in proposal.columns for h in ([c.header] if c.header else [])]
    taken += [h for d in proposal.dimensions for h in d.headers]
    assert sorted(taken) == sorted(header)
    assert (proposal.sheet.rows, proposal.max_rejects, proposal.notes) == (len(rows), "0.5%", ())


@settings(
    deadline=None,
    max_examples=30,
    phases=_NO_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(tables(), _PREAMBLES, st.booleans())
def test_every_row_of_a_workbook_s_table_can_be_loaded(
    home: Path, table: tuple[list[str], list[list[Any]]], preamble: list[tuple[Any, ...]], cover: bool
) -> None:
    header, rows = table
    workbook = openpyxl.Workbook()
    sheet = first_sheet(workbook)
    if cover:
        sheet.append(("Field", "Meaning"))
        sheet.append(("x", "y"))
        sheet.title = "README"
        sheet = workbook.create_sheet("Data")
    for row in [*preamble, header, *rows]:
        sheet.append(list(row))
    path = home / "inbox/any.xlsx"
    workbook.save(path)
    require_whole(path, header, rows)


@settings(
    deadline=None,
    max_examples=30,
    phases=_NO_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    tables(),
    _PREAMBLES,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "cp1252", "utf-16"]),
)
def test_every_row_of_a_csv_file_s_table_can_be_loaded(
    home: Path,
    table: tuple[list[str], list[list[Any]]],
    preamble: list[tuple[Any, ...]],
    delimiter: str,
    encoding: str,
) -> None:
    header, rows = table
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([*preamble, header, *rows])
    path = home / "inbox/any.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    require_whole(path, header, rows)


_LINES = st.lists(
    st.lists(st.text("ab1,.;\"'\t\x00é€ -/%", max_size=6), max_size=5).map(";".join), max_size=8
).map("\n".join)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        _LINES.map(str.encode),
        _LINES.map(lambda text: text.encode("utf-16")),
        _LINES.map(lambda text: text.encode("cp1252")),
    ),
    st.sampled_from(["any.csv", "any.txt", "any.xlsx", "any.csv.gz", "any"]),
)
def test_any_bytes_end_in_a_proposal_or_in_an_error_with_a_name(home: Path, data: bytes, name: str) -> None:
    path = home / "inbox" / name
    path.write_bytes(data)
    with contextlib.suppress(FactloadError):
        propose_feed(path)
