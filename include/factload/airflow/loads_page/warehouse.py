"""Reading a warehouse for a page: bounded in time, leaving nothing behind, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from factload.airflow.connection import database_url
from factload.errors import FactloadError, FeedError, TransientError
from factload.ledger.migrations import is_installed
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors

STATEMENT_TIMEOUT = "5s"
_CANCELED = "57014"  # https://www.postgresql.org/docs/current/errcodes-appendix.html: query_canceled
_UNREACHABLE = "database_unreachable"
_LOCKED = "Another session may hold a lock on the ledger. The page asks again by itself"


@contextmanager
def reading(
    connection_id: str, *, timeout: str = STATEMENT_TIMEOUT, if_slow: str = _LOCKED
) -> Iterator[Connection]:
    """A read-only transaction on the warehouse that a feed names, no statement longer than ``timeout``.

    Raises ``FactloadError``, whose remedy is for somebody who looks at a page: no such connection, a database that
    doesn't answer or takes too long (``if_slow`` says what to do then), and ``ledger_missing`` where no load has
    ever run.
    """
    with _connected(connection_id, timeout, if_slow, postgresql_readonly=True) as connection:
        yield connection


@contextmanager
def comparing(connection_id: str, *, timeout: str, if_slow: str) -> Iterator[Connection]:
    """The same on one snapshot of the warehouse, for a comparison: temporary tables may be made, which a read-only
    transaction doesn't have. It is rolled back in any case."""
    with _connected(connection_id, timeout, if_slow, isolation_level="REPEATABLE READ") as connection:
        yield connection


@contextmanager
def _connected(connection_id: str, timeout: str, if_slow: str, **options: Any) -> Iterator[Connection]:
    url = _url(connection_id)
    # A feed that names a URL is told so; who looks at a page need not see which.
    name = "that fact.connection names" if "://" in connection_id else connection_id
    try:
        with (
            database_errors("reading the ledger"),
            engine_for(url).connect().execution_options(**options) as connection,
        ):
            connection.execute(select(func.set_config("statement_timeout", timeout, True)))
            if not is_installed(connection):
                raise FeedError(
                    "ledger_missing",
                    f"the connection {name} leads to no ledger yet",
                    remedy="The first load makes it: trigger one",
                )
            yield connection
    except FactloadError as error:
        if isinstance(error.__cause__, DBAPIError) and _state(error.__cause__) == _CANCELED:
            raise TransientError(
                "too_slow", f"the connection {name} gave no answer within {timeout}", remedy=if_slow
            ) from error
        if error.code == _UNREACHABLE:
            raise TransientError(
                _UNREACHABLE,
                error.seen,
                remedy="The page asks again by itself. Whoever looks after the warehouse can check that it runs, and "
                "that Airflow's web server can reach it",
            ) from error
        raise


def _url(connection_id: str) -> str:
    try:
        return database_url(connection_id)
    except AirflowNotFoundException:
        raise FeedError(
            "connection_unknown",
            f"Airflow has no connection called {connection_id}",
            remedy="Add it under Admin → Connections, or correct fact.connection in the feed",
        ) from None


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "pgcode", None)
