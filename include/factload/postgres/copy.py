"""COPY statements, for the driver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Table
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement


def copy_text(statement: ClauseElement, connection: Connection) -> str:
    """The SQL of a COPY statement, for the driver's ``copy_expert``, which takes no parameters: a percent sign
    in a name stands there once."""
    return str(statement.compile(connection)) % ()


class CopyIn(ClauseElement):
    """``COPY table (columns) FROM STDIN (FORMAT …)``."""

    inherit_cache = False

    def __init__(self, table: Table, columns: Sequence[str], form: Literal["binary", "csv"]) -> None:
        self.table = table
        self.columns = columns
        self.form = form


@compiles(CopyIn)
def _copy_in(element: CopyIn, compiler: Any, **_: Any) -> str:
    columns = ", ".join(compiler.preparer.quote(name) for name in element.columns)
    return (
        f"COPY {compiler.preparer.format_table(element.table)} ({columns}) FROM STDIN (FORMAT {element.form})"
    )
