"""The types of columns: what a feed declares, what the database has, and what of the one fits into the other."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import types
from sqlalchemy.dialects import postgresql

from factload.postgres.types import ColumnType, column_type, engine_type, type_name
from factload.sheet.arrow_types import arrow_type
from factload.sql_types import SqlType, integer_range, is_in_numeric, parse_sql_type

NUMERICS = st.integers(1, 38).flatmap(
    lambda precision: st.integers(0, precision).map(
        lambda scale: SqlType("numeric", precision=precision, scale=scale)
    )
)
PLAIN = st.sampled_from(
    ["smallint", "integer", "bigint", "double precision", "text", "date", "timestamp", "boolean"]
)
DECLARED = st.one_of(
    NUMERICS, PLAIN.map(parse_sql_type), st.integers(1, 500).map(lambda n: SqlType("text", length=n))
)


@given(DECLARED)
def test_a_declared_type_is_told_made_and_seen_as_itself(declared: SqlType) -> None:
    made = column_type(engine_type(declared))
    assert parse_sql_type(str(declared)) == declared
    assert made.declared == declared
    assert made.takes(declared)
    assert parse_sql_type(type_name(engine_type(declared))) == declared


@given(DECLARED, DECLARED)
def test_no_type_takes_another_kind_but_a_free_numeric_whole_numbers(one: SqlType, other: SqlType) -> None:
    if one.kind != other.kind:
        assert not column_type(engine_type(one)).takes(other)
    assert ColumnType("numeric").takes(other) is other.is_exact_number


@given(NUMERICS, NUMERICS)
def test_a_numeric_takes_another_when_it_holds_its_largest_and_its_finest_value(
    column: SqlType, declared: SqlType
) -> None:
    made = column_type(engine_type(column))
    largest = Decimal((0, (9,) * declared.precision, -declared.scale))
    assert made.takes(declared) is made.holds(largest)


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_an_integer_holds_its_range_and_no_more(bits: int) -> None:
    made = column_type(engine_type(SqlType("integer", bits=bits)))
    held = integer_range(bits)
    assert (made.holds(held.start), made.holds(held.stop - 1)) == (True, True)
    assert not any(map(made.holds, (held.start - 1, held.stop, Decimal("0.5"), True, "1")))


@given(st.integers(29, 38))
def test_no_digit_of_a_long_number_is_left_out_of_account(digits: int) -> None:
    number = Decimal((0, (1,) * digits, -digits))
    assert is_in_numeric(number, 38, digits)
    assert not is_in_numeric(number, 38, digits - 1)


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [
        (postgresql.ENUM("low", "high", name="level"), "low", True),
        (postgresql.ENUM("low", "high", name="level"), "lo", False),
        (types.String(), "a", False),  # "char" or name
        (types.CHAR(2), "ab", True),
        (types.CHAR(2), "abc", False),
        (types.DateTime(timezone=True), datetime(2026, 11, 5), False),
        (types.DateTime(), datetime(2026, 11, 5), True),
        (types.Date(), datetime(2026, 11, 5), False),
        (types.Date(), date(2026, 11, 5), True),
        (types.REAL(), Decimal("0.1"), True),
        (types.Numeric(2, 5), Decimal("0.00012"), True),
        (types.Numeric(2, -3), 12_000, True),
        (types.Numeric(2, -3), 12_100, False),
        (types.Numeric(4, 1), Decimal("Infinity"), False),
        (types.Uuid(), "6c1f5b0e-0f2b-5d0c-9c0b-5d6d0f4a7e11", False),
        (postgresql.INTERVAL(), 1, False),
    ],
)
def test_a_column_holds_a_value_or_does_not(
    kind: types.TypeEngine[object], value: object, held: bool
) -> None:
    assert column_type(kind).holds(value) is held


@pytest.mark.parametrize(
    ("kind", "declared"),
    [
        (types.Numeric(), "numeric(38,10)"),
        (types.Numeric(60, 4), "numeric(38,4)"),
        (types.REAL(), "double precision"),
        (postgresql.CITEXT(), "text"),
        (types.DateTime(timezone=True), "None"),
        (types.Uuid(), "None"),
        (types.Time(), "None"),
    ],
)
def test_what_a_feed_declares_for_a_column(kind: types.TypeEngine[object], declared: str) -> None:
    assert str(column_type(kind).declared) == declared


def test_what_each_declared_type_is_in_a_partition_file() -> None:
    names = ("smallint", "bigint", "double precision", "varchar(3)", "date", "timestamp", "boolean")
    held = (pa.int64(), pa.int64(), pa.float64(), pa.string(), pa.date32(), pa.timestamp("us"), pa.bool_())
    assert tuple(arrow_type(parse_sql_type(name)) for name in names) == held
    assert arrow_type(parse_sql_type("numeric(18,4)")) == pa.decimal128(18, 4)
