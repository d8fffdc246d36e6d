"""Which server answers: PostgreSQL itself, new enough, and by whole transactions. All others are refused by name.

A server that speaks PostgreSQL's protocol may commit a COPY in pieces, bound a transaction's rows, or take a lock for
a remark. Nothing that a load proves would notice, so what was never tried is refused as the first connection is made.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import psycopg2
from sqlalchemy import Engine, event

from factload.errors import FeedError

OLDEST = 14  # the first that looks whether the client of a waiting statement still lives

_WHO = "SELECT version(), pg_backend_pid()"
_VERSION_ALONE = "SELECT version()"
_POSTGRESQL = re.compile(r"PostgreSQL \d.*\bcompiled by\b", re.DOTALL)
_SHOWN_CHARS = 80

_UNTRIED = "loads were never tried on it"
# What version() has of those that speak the protocol, or were PostgreSQL once.
_OTHERS = {
    "CockroachDB": "cockroach",
    "YugabyteDB": "-YB-|yugabyte",
    "Greenplum": "greenplum|greengage",
    "Apache Cloudberry": "cloudberry",
    "Amazon Redshift": "redshift",
    "Amazon Aurora DSQL": r"\bDSQL\b",
    "Materialize": "materialize",
    "RisingWave": "risingwave",
    "QuestDB": "questdb",
    "CrateDB": "cratedb",
    "Hologres": "hologres",
    "openGauss": "gauss",
    "KingbaseES": "kingbase",
    "EDB Postgres Advanced Server": "enterprisedb",
    "PolarDB": "polardb",
    "Babelfish": "babelfish",
    "IvorySQL": "ivorysql",
    "Postgres-XL": "postgres-x[lc2]",
    "Spanner": "spanner",
    "DuckDB": "duckdb",
    "GreptimeDB": "greptime",
    "GlareDB": "glaredb",
}
_REASONS = {
    "CockroachDB": "it may commit a COPY in pieces",
    "YugabyteDB": "it commits a COPY in pieces of 20,000 rows",
    "Amazon Redshift": "it enforces no key",
    "Amazon Aurora DSQL": "a transaction of it changes 3,000 rows at most",
    "CrateDB": "it has no transactions",
}
# What a server says of itself as a connection is made.
_TELLING_PARAMETERS = {"crdb_version": "CockroachDB", "crate_version": "CrateDB"}


def require_postgresql(engine: Engine) -> None:
    """Have the first connection that ``engine`` makes looked at; it raises ``FeedError`` where loads can't rely on
    what answers."""
    accepted = False

    def look(connection: Any, _: object) -> None:
        nonlocal accepted
        if not accepted:
            _look(connection)
            accepted = True

    # Before SQLAlchemy's own questions: it ends with a traceback where version() isn't worded as it expects.
    event.listen(engine.pool, "connect", look, insert=True)


def is_pooled(connection: Any, backend: int) -> bool:
    """Whether a pooler, such as PgBouncer, stands between the driver's ``connection`` and its process ``backend``:
    it numbers its clients by itself."""
    return bool(connection.info.backend_pid != backend)


def refusal(version: str, told: frozenset[str] = frozenset()) -> FeedError | None:
    """Why loads are refused on a server with this ``version()``; None for PostgreSQL itself.

    ``told``: the names of parameters that it sent by itself.
    """
    by_parameter = next((name for sent, name in _TELLING_PARAMETERS.items() if sent in told), None)
    for name, pattern in _OTHERS.items():
        if name == by_parameter or re.search(pattern, version, re.IGNORECASE):
            return _not_postgresql(f"the server is {name}: {_REASONS.get(name, _UNTRIED)}")
    if not _POSTGRESQL.match(version):
        shown = " ".join(version.split())[:_SHOWN_CHARS]
        return _not_postgresql(f"the server calls itself {shown!r}, as PostgreSQL doesn't: {_UNTRIED}")
    return None


def _not_postgresql(seen: str) -> FeedError:
    return FeedError(
        "database_not_postgresql",
        seen,
        expected=f"PostgreSQL {OLDEST} or newer",
        remedy="Load into a PostgreSQL, and copy the fact table from there",
    )


def _look(connection: Any) -> None:
    # A transaction would be two more trips, and SQLAlchemy's settings refuse one.
    connection.autocommit = True
    try:
        version, backend = _asked(connection)
        told = frozenset(p for p in _TELLING_PARAMETERS if connection.info.parameter_status(p))
        if (refused := refusal(version, told) or _too_old(connection)) is not None:
            raise refused
        if backend is not None and is_pooled(connection, backend):
            _require_transactions(connection)
        connection.autocommit = False
    except BaseException:  # the pool closes none that it hasn't got yet
        connection.close()
        raise


def _asked(connection: Any) -> tuple[str, int | None]:
    with connection.cursor() as cursor:
        with suppress(psycopg2.ProgrammingError, psycopg2.NotSupportedError):
            cursor.execute(_WHO)
            version, backend = cursor.fetchone()
            return str(version), backend
        cursor.execute(_VERSION_ALONE)
        return str(cursor.fetchone()[0]), None


def _too_old(connection: Any) -> FeedError | None:
    version = connection.server_version // 10_000
    if version >= OLDEST:
        return None
    return FeedError(
        "database_version",
        f"the server is PostgreSQL {version}",
        expected=f"{OLDEST} or newer",
        remedy="Upgrade the server",
    )


def _require_transactions(connection: Any) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("ROLLBACK")
    except psycopg2.Error as error:  # PgBouncer hangs up; why, it tells its own log alone
        raise FeedError(
            "database_pooler",
            "the pooler before the database answers single statements, and hangs up where a transaction begins",
            expected="`pool_mode` transaction or session",
            remedy="Set it for this database in the pooler, or let the URL lead to the server itself",
        ) from error
