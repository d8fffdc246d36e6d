"""DDL that SQLAlchemy has no construct for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement


class AddColumn(ExecutableDDLElement):
    """``ALTER TABLE … ADD COLUMN``: ``table`` with nothing but the new column."""

    def __init__(self, table: Table) -> None:
        self.table = table


@compiles(AddColumn)
def _add_column(element: AddColumn, compiler: Any, **_: Any) -> str:
    [column] = element.table.columns
    table = compiler.preparer.format_table(element.table)
    return f"ALTER TABLE {table} ADD COLUMN {compiler.get_column_specification(column)}"
