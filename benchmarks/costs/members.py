"""Dimensions of any size, made in the database: keys as text, surrogate keys in an order of their own."""

from __future__ import annotations

from math import gcd

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    Table,
    Text,
    create_engine,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
)
from sqlalchemy.pool import NullPool

from benchmarks.warehouse import Warehouse

MOST_MEMBERS = 10_000_000  # a key has seven digits
_STRIDE = 7_368_787  # a prime: number × stride modulo the members is each number once


def make_members(warehouse: Warehouse, name: str, members: int, prefix: str) -> None:
    """The dimension ``name`` with the business keys ``prefix`` + 0000000 and on, unless the database has it.

    Unlogged and without an index: a load reads it once from beginning to end, and never asks an index.
    """
    surrogate, digits = scattered(members)
    dimension = Table(
        name,
        MetaData(),
        Column("primary_synthetic_key", BigInteger, nullable=False),
        Column("business_key", Text, nullable=False),
        prefixes=["UNLOGGED"],
    )
    engine = create_engine(warehouse.sqlalchemy_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if inspect(connection).has_table(name):
            return
        dimension.create(connection)
        made = select(surrogate, func.concat(literal(prefix), digits))
        connection.execute(insert(dimension).from_select([c.name for c in dimension.c], made))
        connection.execute(text(f"VACUUM (ANALYZE) {name}"))
        connection.execute(text("CHECKPOINT"))


def scattered(members: int) -> tuple[ColumnElement[int], ColumnElement[str]]:
    """Of each of so many members its surrogate key, in an order of their own, and the seven digits of its business key;
    to be selected together."""
    if gcd(_STRIDE, members) != 1:
        raise ValueError(f"{members} members can't be scattered by {_STRIDE}")
    numbers = func.generate_series(0, members - 1).table_valued("number").render_derived()
    number = numbers.c.number.cast(BigInteger)
    return (number * _STRIDE) % members + 1, func.lpad(number.cast(Text), 7, "0")
