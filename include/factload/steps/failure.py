"""``record_failure``: why an attempt ended, in the ledger."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError

from factload.errors import FactloadError
from factload.ledger import ledger
from factload.load import Load
from factload.postgres.database import engine_for

_log = logging.getLogger(__name__)


def record_failure(load: Load, error: FactloadError, *, database: str) -> None:
    """Note in the ledger why an attempt ended. A database that is down hears of it by the next attempt."""
    try:
        with engine_for(database).begin() as connection:
            ledger.record_end(connection, load, error)
    except (DBAPIError, UnicodeError):
        _log.info("the end of %s could not be noted in the ledger: %s", load.load_id, error.code)
