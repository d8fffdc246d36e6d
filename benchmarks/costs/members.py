"""Dimensions of any size, made in the database: keys as text, surrogate keys in an order of their own."""

from __future__ import annotations

from math import gcd

from sqlalchemy import (
    BigInteger,
    Column,
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

_STRIDE = 7_368_787  # a prime: number × stride modulo the members is each number once


def make_members(warehouse: Warehouse, name: str, members: int, prefix: str) -> None:
    """The dimension ``name`` with the business keys ``prefix`` + 0000000 and on, unless the database has it.

    Unlogged and without an index: a load reads it once from beginning to end, and never asks an index.
    """
    if gcd(_STRIDE, members) != 1:
        raise ValueError(f"{members} members can't be scattered by {_STRIDE}")
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
        numbers = func.generate_series(0, members - 1).table_valued("number").render_derived()
        number = numbers.c.number.cast(BigInteger)
        scattered = (number * _STRIDE) % members + 1
        key = func.concat(literal(prefix), func.lpad(number.cast(Text), 7, "0"))
        connection.execute(
            insert(dimension).from_select(["primary_synthetic_key", "business_key"], select(scattered, key))
        )
        connection.execute(text(f"VACUUM (ANALYZE) {name}"))
        connection.execute(text("CHECKPOINT"))
