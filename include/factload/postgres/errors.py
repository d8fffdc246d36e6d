"""What the driver's errors mean: what was seen, whether a retry helps, and no word that may hold a row's values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy.exc import DBAPIError

from factload.errors import (
    Conflict,
    ConnectionLost,
    FactloadError,
    FeedError,
    NotConnected,
    RowsRefused,
    TransientError,
)
from factload.interrupts import stop_was_asked

_DISK_FULL = "53100"
_AGAIN = "then run the load again"

# https://www.postgresql.org/docs/current/errcodes-appendix.html. The longest prefix of the SQLSTATE decides; where
# none does, somebody has to change the feed, the connection or the tables.
_KINDS: dict[str, type[FactloadError]] = {
    "08": ConnectionLost,
    "22": RowsRefused,  # a value that doesn't fit
    "2200H": FeedError,  # a sequence that has ended
    "23": RowsRefused,
    "25006": TransientError,  # read only: a standby, until it is promoted
    "25P03": ConnectionLost,  # ended while it was idle in a transaction
    "25P04": ConnectionLost,  # ended by transaction_timeout
    "40": Conflict,
    "44": RowsRefused,
    "53": TransientError,
    "55006": TransientError,
    "55P03": TransientError,
    "57": ConnectionLost,  # shutdown and crash
    "57014": TransientError,
    "58": TransientError,
    "P0": RowsRefused,  # what a trigger of theirs says no to
    "XX": TransientError,
}
_MEANINGS = {
    _DISK_FULL: (
        "database_disk_full",
        "the disk of the database's server is full",
        f"Free space there, {_AGAIN}",
    ),
    "55P03": (
        "lock_timeout",
        "a lock was not granted in time",
        f"See in pg_stat_activity who works on the same tables, {_AGAIN}",
    ),
    "57014": (
        "statement_canceled",
        "the database ended a statement",
        "It was a person, or statement_timeout: `ALTER ROLE … SET statement_timeout = 0` for the connection's user; "
        + _AGAIN,
    ),
    "25006": (
        "database_read_only",
        "the database takes no changes",
        "Does the connection lead to a standby, or is default_transaction_read_only set for its user or database? "
        "Correct that, or wait until the standby is promoted; " + _AGAIN,
    ),
    "40": (
        "conflict",
        "other transactions were in the way, again and again",
        f"See in pg_stat_activity who changes the same tables, {_AGAIN}",
    ),
    "22P05": (
        "text_unstorable",
        "a text has a character that the database's encoding lacks",
        "Take the character out of the workbook (a cell, a sheet's name), or load into a database of encoding UTF8",
    ),
    "42501": ("database_right_missing", "a right is missing", "Grant it to the user of the connection"),
    "42P01": ("table_missing", "a table is missing", "Create it, or correct its name in the feed"),
    "42703": (
        "column_missing",
        "a column is missing",
        "Where factload was upgraded under a load, run it again (in Airflow: clear it from open_load on), which brings "
        "the ledger up to date; else make the column, or correct its name in the feed",
    ),
    "28P01": ("database_login", "the password was refused", "Correct the connection's password"),
    "28000": ("database_login", "the login was refused", "Correct the connection's user"),
    "3D000": ("database_missing", "the database does not exist", "Correct the connection's database"),
}

# The driver gives no SQLSTATE when no connection comes about: libpq's English words have to do. In another language
# it is taken for a server that does not answer.
_SOON = re.compile(
    r"starting up|shutting down|recovery|too many (clients|connections)|connection slots|no more connections"
)
_REFUSED_LOGINS = (
    (
        re.compile(
            r"authentication failed|no password supplied|(role|user) .* does not exist|no such user|not permitted to"
            r" log in|pg_hba\.conf|authentication method|permission denied for database"
        ),
        "database_login",
        "the login was refused",
        "Correct the connection's user or password, or let the server's pg_hba.conf admit it",
    ),
    (
        re.compile(r"database .* does not exist|no such database|not currently accepting connections"),
        "database_missing",
        "there is no such database",
        "Create it, or correct the connection's database",
    ),
    (
        re.compile(
            r"invalid (dsn|URI|port|connection option|value for parameter|integer value|\w+ value)|startup parameter|"
            r"unrecognized|SSL|certificate"
        ),
        "database_url",
        "the connection's options don't fit the server",
        "Correct the options in its URL; before a pooler such as PgBouncer, which takes none, set them for the user: "
        "`ALTER ROLE … SET …`",
    ),
)

_RAISED_BY = re.compile(r"PL/pgSQL function (.+?) line \d+ at")
_QUOTED = re.compile(r'".*"', re.DOTALL)
_BYTES = re.compile(r"0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*")
# "character … in encoding "UTF8" has no equivalent in encoding "LATIN1""
_LACKING = re.compile(r'"([^"]+)"\W*$')
_IN_PARENTHESES = re.compile(r"\([^()]*\)")


@contextmanager
def database_errors(doing: str) -> Iterator[None]:
    """Turn the driver's errors into the engine's, with what was being done.

    The driver's own text stays out of the message: it may hold rows. Of the server's, ``_said`` tells what can't.
    """
    try:
        yield
    except (DBAPIError, psycopg2.Error) as error:  # COPY goes to the driver itself
        if stop_was_asked():
            raise KeyboardInterrupt from error
        raise meaning(error.orig if isinstance(error, DBAPIError) else error, doing) from error
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise FeedError(
            "text_unreadable",
            f"a text can't be transferred to or from the database as UTF-8 while {doing}",
            remedy="In a database of encoding SQL_ASCII the server checks no text: correct what is stored there, or "
            "load into a database of encoding UTF8",
        ) from error


@contextmanager
def room_for(what: str, size: int) -> Iterator[None]:
    """A full disk of the database's server is told with what was to be written: ``what``, about ``size`` bytes."""
    try:
        yield
    except (DBAPIError, psycopg2.Error) as error:
        if sqlstate(error) != _DISK_FULL:
            raise
        # It names a file of the server, and no row.
        said = _primary(error.orig if isinstance(error, DBAPIError) else error)
        raise TransientError(
            "database_disk_full",
            f"the disk of the database's server is full ({said}) while writing {what}, about {size / 1e6:,.1f} MB",
            remedy="Free space there, then run the load again",
        ) from error


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of a driver's error, bare or as SQLAlchemy wraps it; empty where it has none."""
    bare = error.orig if isinstance(error, DBAPIError) else error
    return getattr(bare, "pgcode", None) or ""


def meaning(error: BaseException | None, doing: str) -> FactloadError:
    """The engine's error for one of the driver's."""
    state = sqlstate(error)
    if not state:
        return _connection_error(error, doing)
    kind = _longest(_KINDS, state) or FeedError
    said = _said(error, state)
    if state.startswith("23"):
        return RowsRefused(
            "constraint_violated",
            f"a constraint refused the rows{said} while {doing}",
            remedy="Nothing was changed. Check what the constraint requires: correct the rows, choose another unique "
            "key, or advance a sequence that lags behind its column",
        )
    code, seen, remedy = _longest(_MEANINGS, state) or (
        "database_error",
        f"the database refused with SQLSTATE {state}",
        "The database's log has more" if said else "The database's log says why",
    )
    if kind is ConnectionLost:
        remedy = f"Check that the database runs and can be reached, {_AGAIN}"
    return kind(code, f"{seen}{said} while {doing}", remedy=remedy)


def _longest(table: dict[str, Any], state: str) -> Any:
    return next((table[state[:n]] for n in (5, 2) if state[:n] in table), None)


def _connection_error(error: BaseException | None, doing: str) -> FactloadError:
    lines = [] if _was_connected(error) else str(error).strip().splitlines()
    soon = any(map(_SOON.search, lines))
    for refused, code, seen, remedy in () if soon else _REFUSED_LOGINS:
        for line in filter(refused.search, lines):
            return FeedError(code, f"{seen} while {doing}: {line.strip()}", remedy=remedy)
    kind = NotConnected if lines and not soon else ConnectionLost
    return kind(
        "database_unreachable",
        f"the database did not answer while {doing}" + (f": {lines[0]}" if lines else ""),
        remedy="Check that it runs and can be reached, then run the load again",
    )


def _was_connected(error: BaseException | None) -> bool:
    return getattr(error, "cursor", None) is not None


def _primary(error: BaseException | None) -> str:
    return getattr(getattr(error, "diag", None), "message_primary", None) or ""


def _said(error: BaseException | None, state: str) -> str:
    """The server's primary message in parentheses, where it can hold no value of a row; else nothing, or less.

    Messages about values (class 22) put them in double quotes or at the end, and only in English we know where. What a
    function raises is its author's own text. DETAIL and CONTEXT are never told.
    """
    diag, said = getattr(error, "diag", None), _primary(error)
    if getattr(diag, "source_function", None) == "exec_stmt_raise":
        raised = _RAISED_BY.search(getattr(diag, "context", None) or "")
        return f" (raised by {raised[1]})" if raised else " (raised by a function of the database)"
    if state == "22P05":
        encoding = _LACKING.search(said)
        return f" ({encoding[1]})" if encoding else ""
    if state.startswith("22") and state != "2200H":
        if getattr(diag, "severity", "") != getattr(diag, "severity_nonlocalized", ""):
            return ""
        said = _BYTES.sub("…", _QUOTED.sub('"…"', said))
        if any(map(str.isdigit, _IN_PARENTHESES.sub("", said))):
            return ""
    return f" ({' '.join(said.split())})" if said else ""
