"""Weighted control totals: Python's and the database's are the same number, and see what plain sums don't."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, event, insert, select, types, update
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from factload.reconcile.weighted_checksums import PRESENT, hashes_alike, weighted_sums, weighted_totals

KEY, OTHER = UUID("12345678-9abc-def0-1234-56789abcdef0"), UUID("abcdef00-0000-4000-8000-000000000000")
LARGE = Decimal("-1234567890123456789012345678.0123456789")

COLUMNS: dict[str, tuple[Any, pa.DataType, list[Any]]] = {
    "small": (types.SmallInteger(), pa.int64(), [32767, -32768, None, 0]),
    "int": (types.Integer(), pa.int64(), [2**31 - 1, -(2**31), None, 7]),
    "big": (types.BigInteger(), pa.int64(), [2**63 - 1, -(2**63), None, -1]),
    "numeric": (types.Numeric(38, 10), pa.decimal128(38, 10), [LARGE, Decimal("0.0000000001"), None, Decimal(3)]),
    "free": (types.Numeric(), pa.decimal128(18, 4), [Decimal("1.5000"), Decimal("-0.0001"), None, Decimal(2)]),
    "double": (types.Double(), pa.float64(), [0.1, -1e308, None, -0.0]),
    "real": (types.REAL(), pa.float64(), [0.1, 1 / 3, None, 1e-30]),
    "text": (types.Text(), pa.string(), ["quote ' é 漢 \U0001f600", "", None, "NULL  "]),
    "char": (types.CHAR(5), pa.string(), ["ab ", "abcde", None, ""]),
    "uuid": (types.Uuid(), pa.string(), [str(KEY), str(OTHER).upper(), None, "{" + str(KEY) + "}"]),
    "date": (types.Date(), pa.date32(), [date(1, 1, 1), date(9999, 12, 31), None, date(1970, 1, 1)]),
    "time": (types.DateTime(), pa.timestamp("us"), [datetime(2026, 11, 5, 23, 59, 59, 999_999), datetime(1900, 1, 1, 0, 0, 0, 1), None, datetime(1969, 12, 31)]),
    "flag": (types.Boolean(), pa.bool_(), [True, False, None, True]),
}  # fmt: skip
ROWS = [2, 1_048_576, 2**31 - 1, 17]  # a sheet ends at 2**20, a text file doesn't


@pytest.fixture
def staged(database: str) -> Any:
    engine = create_engine(database, poolclass=NullPool)
    columns = [Column(f"{name} %s", kind) for name, (kind, _, _) in COLUMNS.items()]
    table = Table("staged", MetaData(), Column("row", Integer), *columns)
    with engine.begin() as connection:
        table.create(connection)
        for place, row in enumerate(ROWS):
            values = {f"{name} %s": _driver(values[place]) for name, (_, _, values) in COLUMNS.items()}
            connection.execute(insert(table).values(row=row, **values))
        yield connection, table


def _driver(value: Any) -> Any:
    return UUID(value) if isinstance(value, str) and len(value) >= len(str(KEY)) else value


def arrow() -> pa.Table:
    columns = [pa.array(values, kind) for _, kind, values in COLUMNS.values()]
    names = [f"{name} %s" for name in COLUMNS]
    return pa.table([pa.array(ROWS, pa.int32()), *columns], names=["row", *names])


def of_database(connection: Connection, table: Table, alike: bool = True) -> dict[str, Decimal]:
    sums = weighted_sums(table, "row", [c.name for c in table.columns if c.name != "row"], alike=alike)
    found = connection.execute(select(*sums.values())).one()
    return {name: Decimal(value or 0) for name, value in zip(sums, found, strict=True)}


@pytest.mark.parametrize("alike", [True, False])
def test_both_sides_come_to_the_same_for_every_type(staged: tuple[Connection, Table], alike: bool) -> None:
    connection, table = staged
    totals = weighted_totals(arrow(), "row", table, alike=alike)
    assert {name: Decimal(total) for name, total in totals.items()} == of_database(connection, table, alike)
    assert set(totals) == {f"{name} %s" for name in COLUMNS} | {PRESENT}


def test_a_slice_of_a_file_is_weighed_as_what_it_is(staged: tuple[Connection, Table]) -> None:
    connection, table = staged
    connection.execute(table.delete().where(table.c.row.in_([ROWS[0], ROWS[3]])))
    totals = weighted_totals(arrow().slice(1, 2), "row", table, alike=True)
    assert {name: Decimal(total) for name, total in totals.items()} == of_database(connection, table)


def test_no_rows_weigh_nothing(staged: tuple[Connection, Table]) -> None:
    connection, table = staged
    connection.execute(table.delete())
    totals = weighted_totals(arrow().slice(0, 0), "row", table, alike=True)
    assert {Decimal(total) for total in totals.values()} == {Decimal(0)}
    assert set(of_database(connection, table).values()) == {Decimal(0)}


def test_a_server_is_asked_how_it_hashes_only_where_that_matters(staged: tuple[Connection, Table]) -> None:
    connection, table = staged
    asked: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    assert not hashes_alike(connection, [table.c["big %s"], table.c["numeric %s"]])
    assert asked == []
    assert hashes_alike(connection, table.columns)
    assert len(asked) == 1


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("name", COLUMNS)
def test_values_that_change_places_are_seen(staged: tuple[Connection, Table], name: str, alike: bool) -> None:
    connection, table = staged
    before = of_database(connection, table, alike)
    column = table.c[f"{name} %s"]
    first, second = (
        connection.scalar(select(column).where(table.c.row == row)) for row in (ROWS[1], ROWS[3])
    )
    for row, value in ((ROWS[1], second), (ROWS[3], first)):
        connection.execute(update(table).where(table.c.row == row).values({column: value}))
    after = of_database(connection, table, alike)
    assert {name for name, total in after.items() if total != before[name]} == {column.name}


def test_null_is_not_zero(staged: tuple[Connection, Table]) -> None:
    connection, table = staged
    before = of_database(connection, table)
    connection.execute(update(table).where(table.c.row == ROWS[3]).values({"small %s": None}))
    after = of_database(connection, table)
    assert before[PRESENT] - after[PRESENT] == ROWS[3]
    assert before["small %s"] == after["small %s"]


def test_a_timestamp_column_that_rounds_is_not_weighed() -> None:
    from sqlalchemy.dialects.postgresql import TIMESTAMP

    table = Table("t", MetaData(), Column("row", Integer), Column("at", TIMESTAMP(precision=0)))
    rows = pa.table(
        {"row": pa.array([2], pa.int32()), "at": pa.array([datetime(2026, 1, 1)], pa.timestamp("us"))}
    )
    assert weighted_totals(rows, "row", table, alike=True) == {PRESENT: "0"}
