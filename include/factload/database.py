"""The warehouse as the engine sees it: connections, the tables a feed names, and what its errors mean."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Column, Engine, FetchedValue, MetaData, Table, create_engine, inspect, types
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import ClauseElement

from factload.errors import FactloadError, FeedError, TransientError
from factload.fact_constants import constant_defects
from factload.feed import MAX_FEED_NAME, Feed
from factload.sql_types import SqlType

CONNECT_TIMEOUT_SECONDS = 10
LOAD_ID_LENGTH = MAX_FEED_NAME + len("@2026-11-05")

# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, rollback by deadlock or
# serialisation, resources (disk, memory, connections), lock not available, shutdown and crash.
_WORTH_A_RETRY = ("08", "40", "53", "55P03", "57P")
_MEANINGS = {
    "53100": (
        "database_disk_full",
        "the database's disk is full",
        "Free space there, then run the load again",
    ),
    "42501": ("database_right_missing", "a right is missing", "Grant it to the user of the connection"),
    "42P01": ("table_missing", "a table is missing", "Create it, or correct its name in the feed"),
    "28P01": ("database_login", "the password was refused", "Correct the connection's password"),
    "28000": ("database_login", "the login was refused", "Correct the connection's user"),
    "3D000": ("database_missing", "the database does not exist", "Correct the connection's database"),
}


@lru_cache(maxsize=8)
def engine_for(url: str) -> Engine:
    """The engine of this process for one PostgreSQL URL, in any of the spellings people use; raises ``FeedError``.

    Without a pool: a step uses a connection or two, and holds none while it reads files. What stays from step to
    step is what SQLAlchemy learned: the server's version, and the text of statements.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise FeedError(
            "database_url", "the database's URL can't be read", expected="postgresql://user@host/database"
        ) from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise FeedError(
            "database_url",
            f"{parsed.drivername} is not PostgreSQL",
            expected="postgresql://user@host/database",
        )
    return create_engine(
        parsed.set(drivername="postgresql+psycopg2"),
        poolclass=NullPool,
        hide_parameters=True,  # they are rows, and errors are logged
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "factload"},
    )


def shown(url: str) -> str:
    """The URL as it may be printed: without the password."""
    return make_url(url).render_as_string(hide_password=True)


@contextmanager
def database_errors(doing: str) -> Iterator[None]:
    """Turn the driver's errors into the engine's, with what was being done.

    The driver's own text stays out of the message: it may hold rows.
    """
    try:
        yield
    except DBAPIError as error:
        raise _meaning(error, doing) from error


def _meaning(error: DBAPIError, doing: str) -> FactloadError:
    state: str = getattr(error.orig, "pgcode", None) or ""
    diagnosis = getattr(error.orig, "diag", None)
    detail = getattr(diagnosis, "message_primary", None) or ""
    if not state:
        first_line = str(error.orig).strip().splitlines()[0] if error.connection_invalidated is False else ""
        return TransientError(
            "database_unreachable",
            f"the database did not answer while {doing}" + (f": {first_line}" if first_line else ""),
            remedy="Check that it runs and can be reached, then run the load again",
        )
    code, seen, remedy = _MEANINGS.get(
        state, ("database_error", f"the database refused with SQLSTATE {state}", "See the database's log")
    )
    if state.startswith("23") and diagnosis is not None:
        rule = diagnosis.constraint_name or f"NOT NULL of column {diagnosis.column_name}"
        code, seen = "constraint_violated", f"constraint {rule} of table {diagnosis.table_name} refused a row"
        remedy = (
            "Look at what the constraint asks for: a sequence behind its column's values, another unique key"
        )
    if state.startswith("42"):
        seen = f"{seen} ({detail})"  # names of tables and columns, never rows
    kind = TransientError if state.startswith(_WORTH_A_RETRY) else FeedError
    return kind(code, f"{seen} while {doing}", remedy=remedy)


def copy_text(statement: ClauseElement, connection: Connection) -> str:
    """The SQL of a COPY statement, for the driver's ``copy_expert``, which takes no parameters: a percent sign
    in a name stands there once."""
    return str(statement.compile(connection)) % ()


def split_name(name: str) -> tuple[str | None, str]:
    """``schema.table`` as (schema, table); without a schema the connection's search path decides."""
    schema, dot, table = name.partition(".")
    return (schema, table) if dot else (None, name)


def reflect(connection: Connection, name: str, needed: dict[str, str]) -> Table:
    """The table called ``name`` with its columns as they are in the database.

    ``needed``: column → the feed's field that names it. Raises ``FeedError`` for a table or column that isn't
    there, naming those that are.
    """
    schema, table = split_name(name)
    inspector = inspect(connection)
    if not inspector.has_table(table, schema=schema):
        known = inspector.get_table_names(schema=schema) + inspector.get_view_names(schema=schema)
        raise FeedError(
            "table_missing",
            f"there is no table {name} in the database",
            expected=f"one of {', '.join(sorted(known)[:12]) or '(no tables)'}",
            remedy=_nearest(table, known) or "Create it, or correct its name in the feed",
        )
    columns = [
        Column(
            c["name"],
            c["type"],
            nullable=c["nullable"],
            server_default=FetchedValue() if any(map(c.get, ("default", "identity", "computed"))) else None,
        )
        for c in inspector.get_columns(table, schema=schema)
    ]
    found = Table(table, MetaData(), *columns, schema=schema)
    if missing := _missing_columns(found, name, needed):
        raise FeedError.together(missing)
    return found


def _missing_columns(table: Table, name: str, needed: Mapping[str, str]) -> list[FeedError]:
    names = [c.name for c in table.columns]
    return [
        FeedError(
            "column_missing",
            f"table {name} has no column {column}, which {field} names",
            expected=f"one of {', '.join(names)}",
            remedy=_nearest(column, names) or "Correct the feed, or add the column",
        )
        for column, field in needed.items()
        if column not in names
    ]


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else ""


def fact_table(connection: Connection, feed: Feed) -> Table:
    """The feed's fact table, checked: every column there, of a type that holds what the feed declares.

    Raises ``FeedError`` that names every defect.
    """
    fact = feed.fact
    table = reflect(connection, fact.table, {})
    needed = {name: f"fact.columns.{name}" for name in fact.columns} | {fact.load_column: "fact.load_column"}
    if defects := [*_missing_columns(table, fact.table, needed), *_fact_defects(table, feed)]:
        raise FeedError.together(defects)
    return table


def _fact_defects(table: Table, feed: Feed) -> Iterator[FeedError]:
    """Why columns that are there can't take what the feed gives them."""
    fact = feed.fact
    for name, source in fact.columns.items():
        if name not in table.c or source.type is None:
            continue
        if problem := _misfit(source.type, table.c[name].type):
            yield FeedError(
                "column_type",
                f"fact.columns.{name} is declared {source.type}, and {fact.table}.{name} {problem}",
                remedy="Declare the column's own type, or change the table",
            )
    yield from constant_defects(table, feed)
    if fact.load_column in table.c and (refused := _load_column_defect(table.c[fact.load_column])):
        yield refused
    filled = {*fact.columns, fact.load_column}
    for column in table.columns:
        if column.name not in filled and not column.nullable and column.server_default is None:
            yield FeedError(
                "column_unfilled",
                f"column {column.name} of {fact.table} may not be null, has no default, and the feed fills it not",
                remedy=f"Add it to fact.columns, or give {column.name} a default",
            )


def load_key(column: Column[object], load_id: str) -> str:
    """What the load column holds for ``load_id``; raises ``FeedError`` for a column that can't hold it."""
    if refused := _load_column_defect(column):
        raise refused
    return load_id


def _load_column_defect(column: Column[object]) -> FeedError | None:
    kind = column.type
    if isinstance(kind, types.String) and (kind.length is None or kind.length >= LOAD_ID_LENGTH):
        return None
    return FeedError(
        "load_column_type",
        f"the load column {column.name} is {kind}",
        expected=f"text, or varchar of {LOAD_ID_LENGTH} characters or more, for values such as sales@2026-11-05",
        remedy="Change the column's type, or name another in fact.load_column",
    )


def _misfit(declared: SqlType, actual: types.TypeEngine[object]) -> str | None:
    """Why a column of type ``actual`` can't hold every value of the ``declared`` type."""
    if isinstance(actual, types.Float):
        fits = declared.kind == "double"
    elif isinstance(actual, types.Numeric):
        free = actual.precision is None
        digits = (actual.precision or 0) - (actual.scale or 0)
        fits = declared.kind in ("numeric", "integer") and (
            free
            or (
                declared.kind == "numeric"
                and declared.scale <= (actual.scale or 0)
                and declared.precision - declared.scale <= digits
            )
        )
    elif isinstance(actual, types.Integer):
        bits = {"SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}.get(str(actual), 0)
        fits = declared.kind == "integer" and declared.bits <= bits
    elif isinstance(actual, types.String):
        fits = declared.kind == "text" and (
            actual.length is None or (declared.length is not None and declared.length <= actual.length)
        )
    elif isinstance(actual, types.DateTime):
        fits = declared.kind == "timestamp" and not actual.timezone
    elif isinstance(actual, types.Date):
        fits = declared.kind == "date"
    elif isinstance(actual, types.Boolean):
        fits = declared.kind == "boolean"
    else:
        fits = False
    return None if fits else f"is {actual}".lower()
