"""Whether a dimension lets a version be valid at no time, as one is that was taken back: rows may belong to it still.

Asked of its constraints before anything is read; nothing is written for it.
"""

from __future__ import annotations

from psycopg2.sql import SQL, Identifier, Literal
from sqlalchemy import Table, text
from sqlalchemy.engine import Connection

from factload.feed.dimensions import AsOf
from factload.postgres.statements import Definition, as_text
from factload.postgres.tables import sql_name
from factload.postgres.types import type_name

_CHECKS = text("""
    SELECT c.conname, pg_get_expr(c.conbin, c.conrelid) AS condition FROM pg_catalog.pg_constraint c
    WHERE c.conrelid = to_regclass(:table) AND c.contype = 'c' AND NOT EXISTS (
        SELECT FROM unnest(c.conkey) AS key (number)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = key.number
        WHERE a.attname <> ALL (:validity))
    ORDER BY c.conname
""")
_EXCLUSIONS = text("""
    SELECT conname FROM pg_catalog.pg_constraint
    WHERE conrelid = to_regclass(:table) AND contype = 'x' ORDER BY conname
""")
_DAY, _DAY_BEFORE = "2026-07-01", "2026-06-30"  # any


def refused_by(connection: Connection, table: Table, as_of: AsOf) -> list[str]:
    """The names of the constraints that refuse such a version. Of CHECK constraints those that speak of validity alone;
    where the end is inclusive, every EXCLUDE constraint, as a range that ends before it begins is an error."""
    name = sql_name(connection, table)
    validity = [as_of.valid_from, as_of.end]
    found = []
    for row in connection.execute(_CHECKS, {"table": name, "validity": validity}):
        ends = _DAY_BEFORE if as_of.is_inclusive else _DAY
        query = SQL(
            "SELECT ({}) IS FALSE FROM (SELECT CAST({} AS {}) AS {}, CAST({} AS {}) AS {}) AS version"
        ).format(
            Definition(row.condition),
            Literal(_DAY),
            SQL(type_name(table.c[as_of.valid_from].type)),
            Identifier(as_of.valid_from),
            Literal(ends),
            SQL(type_name(table.c[as_of.end].type)),
            Identifier(as_of.end),
        )
        statement = as_text(connection, query)
        if connection.exec_driver_sql(statement, execution_options={"no_parameters": True}).scalar():
            found.append(row.conname)
    if as_of.is_inclusive:
        found += connection.scalars(_EXCLUSIONS, {"table": name})
    return found
