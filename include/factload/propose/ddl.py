"""CREATE TABLE statements for the tables that a proposal needs and the database lacks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable, ExecutableDDLElement

from factload.postgres.ddl import AddColumn
from factload.postgres.tables import split_name
from factload.postgres.types import engine_type
from factload.propose.names import unused
from factload.propose.proposal import Proposal, ProposedDimension
from factload.sql_types import SqlType

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


def ddl_text(proposal: Proposal) -> str:
    """Statements for every table of the proposal that the database lacks, dimensions first; ``""`` for none."""
    return "".join(f"{str(made.compile(dialect=_POSTGRESQL)).strip()};\n" for made in _statements(proposal))


def _statements(proposal: Proposal) -> list[ExecutableDDLElement]:
    metadata = MetaData()
    made: list[ExecutableDDLElement] = []
    if proposal.new_schema:
        made.append(CreateSchema(proposal.new_schema, if_not_exists=True))
    for dimension in proposal.dimensions:
        if dimension.new:
            made.append(CreateTable(_dimension_table(dimension, metadata)))
        elif dimension.table not in metadata.tables:  # one table may have two roles
            _table(dimension.table, metadata, Column(dimension.surrogate_key, primary_key=True))
    if proposal.new_table:
        fact = _fact_table(proposal, metadata)
        made += [CreateTable(fact), *(CreateIndex(index) for index in fact.indexes)]
    elif proposal.new_load_column:
        made.append(AddColumn(_table(proposal.table, metadata, Column(proposal.load_column, Text))))
    return made


def _table(name: str, metadata: MetaData, *parts: Any, **options: Any) -> Table:
    schema, table = split_name(name)
    return Table(table, metadata, *parts, schema=schema, **options)


def _dimension_table(dimension: ProposedDimension, metadata: MetaData) -> Table:
    [business_key] = dimension.business_key
    return _table(
        dimension.table,
        metadata,
        Column(dimension.surrogate_key, BigInteger, Identity(), primary_key=True),
        Column(business_key, Text, nullable=False),
        *(Column(column, Text) for column, _ in dimension.attributes),
        UniqueConstraint(business_key),
    )


def _fact_table(proposal: Proposal, metadata: MetaData) -> Table:
    dimensions = {d.name: d for d in proposal.dimensions}
    columns = [
        Column(c.name, engine_type(d.key_type), _foreign_key(d), nullable=False)
        if c.dimension and (d := dimensions[c.dimension])
        else Column(
            c.name, engine_type(c.reading.type if c.reading else SqlType("text")), nullable=not c.required
        )
        for c in proposal.columns
    ]
    load = Column(proposal.load_column, Text, nullable=False)
    if proposal.partitioned:
        key = _POSTGRESQL.identifier_preparer.quote(proposal.load_column)
        return _table(proposal.table, metadata, *columns, load, postgresql_partition_by=f"LIST ({key})")
    name = unused(f"{split_name(proposal.table)[1]}_by_load", ())
    return _table(proposal.table, metadata, *columns, load, Index(name, load))


def _foreign_key(dimension: ProposedDimension) -> ForeignKey:
    return ForeignKey(f"{dimension.table}.{dimension.surrogate_key}")
