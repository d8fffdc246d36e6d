"""Statements that SQLAlchemy has no construct for, composed by the driver: names and values are quoted by it, and the
rest is a constant of the code that calls.
"""

from __future__ import annotations

from typing import Any

from psycopg2.sql import SQL, Composable, Identifier
from sqlalchemy.engine import Connection


class Definition(SQL):
    """A definition that the server itself wrote, of an index or a constraint, to be made once more as it is."""


def run(connection: Connection, template: str, *parts: Composable) -> None:
    """Carry out the statement ``template`` with ``parts`` in the place of its ``{}``, in the caller's transaction."""
    statement = as_text(connection, SQL(template).format(*parts))
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def table_name(schema: str, table: str) -> Identifier:
    """A table's whole name."""
    return Identifier(schema, table)


def as_text(connection: Connection, part: Composable) -> str:
    """A part of a statement, quoted as this connection's server has it."""
    driver: Any = connection.connection.dbapi_connection
    return part.as_string(driver)
