"""Values of every declared type, through both ways of inserting, come back as they were."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, create_engine, event, func, select, types
from sqlalchemy.pool import NullPool

from factload.postgres.insert import INSERTS

VALUES: dict[str, tuple[Any, pa.DataType, list[Any]]] = {
    "bigints": (types.BigInteger(), pa.int64(), [2**63 - 1, -(2**63), None]),
    "numerics": (types.Numeric(38, 10), pa.decimal128(38, 10), [Decimal("-1234567890123456789012345678.0123456789"), Decimal(0), None]),
    "doubles": (types.Double(), pa.float64(), [0.1, -1e308, None]),
    "texts": (types.Text(), pa.string(), ['quote " back \\ slash, {brace} NULL \n\t é 漢 \U0001f600', "", None]),
    "nulls": (types.Text(), pa.string(), ["NULL", "null", None]),
    "dates": (types.Date(), pa.date32(), [date(1, 1, 1), date(9999, 12, 31), None]),
    "times": (types.DateTime(), pa.timestamp("us"), [datetime(2026, 11, 5, 23, 59, 59, 999_999), datetime(1900, 1, 1), None]),
    "flags": (types.Boolean(), pa.bool_(), [True, False, None]),
}  # fmt: skip


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
