"""Values of every declared type, through both ways of inserting, come back as they were."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg2
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, MetaData, Table, cast, create_engine, event, func, select, types
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from factload.decimals import EXACT
from factload.postgres.insert import INSERTS

VALUES: dict[str, tuple[Any, pa.DataType, list[Any]]] = {
    "bigints": (types.BigInteger(), pa.int64(), [2**63 - 1, -(2**63), None]),
    "numerics": (types.Numeric(38, 10), pa.decimal128(38, 10), [Decimal("-1234567890123456789012345678.0123456789"), Decimal(0), None]),
    "amounts": (types.Numeric(18, 4), pa.decimal128(18, 4), [Decimal("-99999999999999.9999"), Decimal("0.0100"), None]),
    "free": (types.Numeric(), pa.decimal128(5, 2), [Decimal("-999.99"), Decimal("0.05"), Decimal("10.00")]),
    "whole": (types.Numeric(38, 0), pa.decimal128(38, 0), [Decimal(10**38 - 1), Decimal(10000), Decimal(-1)]),
    "integers": (types.Integer(), pa.int64(), [2**31 - 1, -(2**31), None]),
    "smallints": (types.SmallInteger(), pa.int32(), [2**15 - 1, -(2**15), 0]),
    "doubles": (types.Double(), pa.float64(), [0.1, -1e308, None]),
    "texts": (types.Text(), pa.string(), ['quote " back \\ slash, {brace} NULL \n\t é 漢 \U0001f600', "", None]),
    "nulls": (types.Text(), pa.string(), ["NULL", "null", None]),
    "dates": (types.Date(), pa.date32(), [date(1, 1, 1), date(9999, 12, 31), None]),
    "times": (types.DateTime(), pa.timestamp("us"), [datetime(2026, 11, 5, 23, 59, 59, 999_999), datetime(1900, 1, 1), None]),
    "flags": (types.Boolean(), pa.bool_(), [True, False, None]),
}  # fmt: skip


# Those that have no binary form: COPY takes them as CSV.
TEXTS: dict[str, tuple[Any, pa.DataType, list[Any]]] = {
    "reals": (types.REAL(), pa.float64(), [0.5, -1e30, None]),
    "uuids": (types.Uuid(), pa.string(), ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", None, "{6BA7B8119DAD11D180B400C04FD430C8}"]),
    "days": (types.Date(), pa.string(), ["2026-11-05", None, "0001-01-01"]),
    "digits": (types.Numeric(20, 2), pa.string(), ["1.50", "-7", None]),
    "counts": (types.Numeric(), pa.int64(), [2**63 - 1, None, 0]),
}  # fmt: skip
READ = {
    "reals": ["0.5", "-1e+30", None],
    "uuids": ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", None, "6ba7b811-9dad-11d1-80b4-00c04fd430c8"],
    "days": ["2026-11-05", None, "0001-01-01"],
    "digits": ["1.50", "-7.00", None],
    "counts": ["9223372036854775807", None, "0"],
}


@pytest.mark.parametrize("way", ["core", "copy"])
def test_values_come_back_as_they_were(database: str, way: str) -> None:
    engine = create_engine(database, poolclass=NullPool)
    table = Table(
        'odd "name"',
        MetaData(),
        Column("same", BigInteger),
        *(Column(f"{name} %s : x", kind) for name, (kind, _, _) in VALUES.items()),
    )
    chunk = pa.table(
        [pa.array(values, kind) for _, kind, values in VALUES.values()], names=list(table.columns.keys())[1:]
    )
    with engine.begin() as connection:
        table.create(connection)
        INSERTS[way](connection, table, {"same": -7}, chunk)
        rows = [tuple(row) for row in connection.execute(select(table))]
    expected = [(-7, *(values[i] for _, _, values in VALUES.values())) for i in range(3)]
    assert sorted(rows, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("way", ["core", "copy"])
@pytest.mark.parametrize("name", TEXTS)
def test_texts_become_values_as_the_server_reads_them(database: str, way: str, name: str) -> None:
    kind, arrow, values = TEXTS[name]
    table = Table("read", MetaData(), Column(name, kind))
    with create_engine(database, poolclass=NullPool).begin() as connection:
        table.create(connection)
        INSERTS[way](connection, table, {}, pa.table({name: pa.array(values, arrow)}))
        assert list(connection.scalars(select(cast(table.c[name], types.Text)))) == READ[name]


@pytest.mark.parametrize("way", ["core", "copy"])
def test_a_number_that_its_column_has_no_room_for_is_refused(database: str, way: str) -> None:
    table = Table("narrow", MetaData(), Column("n", types.SmallInteger()))
    with create_engine(database, poolclass=NullPool).begin() as connection:
        table.create(connection)
        with pytest.raises((DBAPIError, psycopg2.Error), match="out of range"):
            INSERTS[way](connection, table, {}, pa.table({"n": pa.array([2**15])}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_decimal_comes_back_by_copy(module_database: str, data: st.DataObject) -> None:
    precision = data.draw(st.integers(1, 38))
    scale = data.draw(st.integers(0, precision))
    digits = st.integers(-(10**precision) + 1, 10**precision - 1)
    values = data.draw(
        st.lists(st.none() | digits.map(lambda n: Decimal(n).scaleb(-scale, EXACT)), min_size=1)
    )
    table = Table("decimals", MetaData(), Column("n", types.Numeric()), prefixes=["TEMPORARY"])
    with create_engine(module_database, poolclass=NullPool).begin() as connection:
        table.create(connection)
        chunk = pa.table({"n": pa.array(values, pa.decimal128(precision, scale))})
        INSERTS["copy"](connection, table, {}, chunk.slice(len(values) // 2))
        assert list(connection.scalars(select(table.c.n))) == values[len(values) // 2 :]


def test_a_chunk_is_one_statement(database: str) -> None:
    engine = create_engine(database, poolclass=NullPool)
    table = Table("numbers", MetaData(), Column("same", BigInteger), Column("n", BigInteger))
    statements: list[str] = []
    with engine.begin() as connection:
        table.create(connection)
        event.listen(connection, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
        INSERTS["core"](connection, table, {"same": 1}, pa.table({"n": pa.array(range(20_000))}))
        assert len(statements) == 1
        assert connection.scalar(select(func.sum(table.c.n))) == sum(range(20_000))
