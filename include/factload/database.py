"""The warehouse as the engine sees it: connections, the tables a feed names, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg2
from sqlalchemy import (
    Column,
    Engine,
    FetchedValue,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import ClauseElement

from factload.errors import (
    ConnectionLost,
    FactloadError,
    FeedError,
    RowsRefused,
    TransientError,
    did_you_mean,
)
from factload.settings import settings

CONNECT_TIMEOUT_SECONDS = 10
_LOOK_FOR_THE_CLIENT = "5s"

_QUOTED = re.compile(r'"(?:[^"]|"")+"')
_NAME = re.compile(rf"(?:({_QUOTED.pattern}|[^.]*)\.)?(.*)", re.DOTALL)

# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, rollback by deadlock or
# serialisation, resources (disk, memory, connections), lock not available, shutdown and crash.
_INTEGRITY = "23"  # its first line names tables and constraints, never values
_DISK_FULL = "53100"
_WORTH_A_RETRY = ("08", "40", "53", "55P03", "57P")
_GONE = ("08", "57P")
_MEANINGS = {
    _DISK_FULL: (
        "database_disk_full",
        "the disk of the database's server is full",
        "Free space there, then run the load again",
    ),
    "55P03": (
        "lock_timeout",
        "a lock was not granted in time",
        "See in pg_stat_activity who works on the same tables, then run the load again",
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
    step is what SQLAlchemy learned: the server's version, and the text of statements. Every transaction begins by
    bounding its waits.
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
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg2"),
        poolclass=NullPool,
        hide_parameters=True,  # they are rows, and errors are logged
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "factload"},
    )
    event.listen(engine, "begin", _bound_waits)
    return engine


def _bound_waits(connection: Connection) -> None:
    """Bound, for this transaction, how long it waits for locks, and how long it may idle holding some: the
    server ends a frozen client's transaction, so its locks never outlive that."""
    here = settings()
    bounds = {
        "lock_timeout": f"{here.lock_timeout}s",
        "idle_in_transaction_session_timeout": f"{here.idle_timeout}s",
        # A statement whose client has died, even one that waits for a lock, ends too.
        "client_connection_check_interval": _LOOK_FOR_THE_CLIENT,
    }
    connection.execute(select(*(func.set_config(name, value, True) for name, value in bounds.items())))


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
        raise _meaning(error.orig, doing) from error
    except psycopg2.Error as error:  # COPY goes to the driver itself
        raise _meaning(error, doing) from error


@contextmanager
def room_for(what: str, size: int) -> Iterator[None]:
    """A full disk of the database's server is told with what was to be written: ``what``, about ``size`` bytes."""
    try:
        yield
    except (DBAPIError, psycopg2.Error) as error:
        refused = error.orig if isinstance(error, DBAPIError) else error
        if getattr(refused, "pgcode", None) != _DISK_FULL:
            raise
        said = getattr(
            getattr(refused, "diag", None), "message_primary", None
        )  # a file of the server, and no row
        raise TransientError(
            "database_disk_full",
            f"the disk of the database's server is full ({said}) while writing {what}, about {size / 1e6:,.1f} MB",
            remedy="Free space there, then run the load again",
        ) from error


def _meaning(error: BaseException | None, doing: str) -> FactloadError:
    state: str = getattr(error, "pgcode", None) or ""
    detail = getattr(getattr(error, "diag", None), "message_primary", None) or ""
    if not state:
        # Why no connection came about; of one that was lost there is nothing more to say.
        first_line = "" if _was_connected(error) else next(iter(str(error).strip().splitlines()), "")
        return ConnectionLost(
            "database_unreachable",
            f"the database did not answer while {doing}" + (f": {first_line}" if first_line else ""),
            remedy="Check that it runs and can be reached, then run the load again",
        )
    if state.startswith(_INTEGRITY):
        return RowsRefused(
            "constraint_violated",
            f"a constraint refused the rows ({detail}) while {doing}",
            remedy="Nothing was changed. Look at what the constraint asks for: rows to correct, another unique key, a "
            "sequence behind its column's values",
        )
    code, seen, remedy = _MEANINGS.get(
        state, ("database_error", f"the database refused with SQLSTATE {state}", "See the database's log")
    )
    if state.startswith("42"):
        seen = f"{seen} ({detail})"  # names of tables and columns, never rows
    kind: type[FactloadError] = TransientError if state.startswith(_WORTH_A_RETRY) else FeedError
    if state.startswith(_GONE):
        kind = ConnectionLost
    return kind(code, f"{seen} while {doing}", remedy=remedy)


def _was_connected(error: BaseException | None) -> bool:
    return getattr(error, "cursor", None) is not None


def copy_text(statement: ClauseElement, connection: Connection) -> str:
    """The SQL of a COPY statement, for the driver's ``copy_expert``, which takes no parameters: a percent sign
    in a name stands there once."""
    return str(statement.compile(connection)) % ()


def split_name(name: str) -> tuple[str | None, str]:
    """``schema.table`` as (schema, table); without a schema the connection's search path decides.

    A part in double quotes is taken as it stands, dots in it too, and two quotes in it are one: SQL's own rule.
    Outside of quotes upper and lower case are kept as well.
    """
    schema, table = _NAME.fullmatch(name).groups()  # type: ignore[union-attr]  # it matches any text
    return schema and _unquoted(schema), _unquoted(table)


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if _QUOTED.fullmatch(part) else part


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
            remedy=did_you_mean(table, known) or "Create it, or correct its name in the feed",
        )
    columns = [
        Column(
            c["name"],
            c["type"],
            nullable=c["nullable"],
            info={"generated": _is_generated(c)},
            server_default=FetchedValue() if any(map(c.get, ("default", "identity", "computed"))) else None,
        )
        for c in inspector.get_columns(table, schema=schema)
    ]
    found = Table(table, MetaData(), *columns, schema=schema)
    if missing := missing_columns(found, name, needed):
        raise FeedError.together(missing)
    return found


def _is_generated(column: Mapping[str, Any]) -> bool:
    """Whether the database alone fills it: a generated column, or an identity that is one ALWAYS."""
    return bool(column.get("computed")) or bool((column.get("identity") or {}).get("always"))


def missing_columns(table: Table, name: str, needed: Mapping[str, str]) -> list[FeedError]:
    """An error for each of the ``needed`` columns (column → the feed's field that names it) that isn't there."""
    names = [c.name for c in table.columns]
    return [
        FeedError(
            "column_missing",
            f"table {name} has no column {column}, which {field} names",
            expected=f"one of {', '.join(names)}",
            remedy=did_you_mean(column, names) or "Correct the feed, or add the column",
        )
        for column, field in needed.items()
        if column not in names
    ]
