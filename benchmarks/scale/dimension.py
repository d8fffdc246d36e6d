"""A dimension of any size: keys as text, surrogate keys in an order of their own, a primary key for foreign ones."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    create_engine,
    func,
    insert,
    select,
)
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import AddConstraint

from benchmarks.costs.members import scattered
from benchmarks.warehouse import Warehouse
from factload_demo.sample import dim_product


def make_dimension(warehouse: Warehouse, members: int) -> None:
    """`dim_product` with the business keys of a sample's rows. Indexed at the end: a load reads it whole."""
    surrogate, digits = scattered(members)
    dimension = Table(
        dim_product.name,
        MetaData(),
        Column("primary_synthetic_key", BigInteger, nullable=False),
        Column("business_key", Text, nullable=False),
        Column("name", Text),
    )
    made = select(surrogate, func.concat("P", digits), func.concat("Product ", digits))
    engine = create_engine(warehouse.sqlalchemy_url, poolclass=NullPool)
    with engine.begin() as connection:
        dimension.create(connection)
        connection.execute(insert(dimension).from_select([c.name for c in dimension.c], made))
        key = PrimaryKeyConstraint(dimension.c.primary_synthetic_key, name="dim_product_pkey")
        connection.execute(AddConstraint(key))
    warehouse.settle()
