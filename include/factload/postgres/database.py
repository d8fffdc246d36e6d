"""The warehouse as the engine sees it: its engine, the tables a feed names; what its errors mean is in
``database_errors``, how its connections end in ``connections``.
"""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import (
    Engine,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from factload.postgres.connections import note_backend, watch
from factload.postgres.copy import copy_text
from factload.postgres.errors import database_errors, room_for
from factload.postgres.server import require_postgresql
from factload.postgres.tables import missing_columns, reflect, split_name
from factload.postgres.url import read_url
from factload.settings import settings

__all__ = [
    "copy_text",
    "database_errors",
    "engine_for",
    "missing_columns",
    "reflect",
    "room_for",
    "split_name",
]

_LOOK_FOR_THE_CLIENT = "5s"


@lru_cache(maxsize=8)
def engine_for(url: str) -> Engine:
    """The engine of this process for one PostgreSQL URL, in any of the spellings people use; raises ``FeedError``.

    Without a pool: a step uses a connection or two, and holds none while it reads files. What stays from step to
    step is what SQLAlchemy learned: the server's version, and the text of statements. Every transaction begins by
    bounding its waits.
    """
    engine = create_engine(
        read_url(url),
        poolclass=NullPool,
        hide_parameters=True,  # they are rows, and errors are logged
        # Of this engine's own, whatever the server, the database or the role have for a default.
        isolation_level="READ COMMITTED",
        connect_args={"application_name": "factload", "client_encoding": "utf8"},
    )
    watch(engine)
    require_postgresql(engine)
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
    bound = [func.set_config(name, value, True) for name, value in bounds.items()]
    *_, backend = connection.execute(select(*bound, func.pg_backend_pid())).one()
    note_backend(connection.connection.dbapi_connection, backend)
