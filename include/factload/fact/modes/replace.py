"""``replace``: the rows that the load published before are deleted, and the staged ones inserted.

A load's rows are found by the load column. What can't be deleted is found when rows are read back.
"""

from __future__ import annotations

from sqlalchemy import delete

from factload.fact.modes.mode import PublishingMode
from factload.fact.modes.publishing import Publishing, Written


def _publish(at: Publishing) -> Written:
    deleted = at.connection.execute(delete(at.fact).where(at.of_this_load())).rowcount
    at.require_own(deleted)
    at.connection.execute(at.insert())
    at.run_deferred_triggers()
    rows = at.rows_of(at.fact).where(at.of_this_load())
    return Written(at.content_of(rows), rows, _missing_before(at, deleted))


def _missing_before(at: Publishing, deleted: int) -> tuple[str, ...]:
    last = at.last
    if last is None or last.mode != "replace" or deleted >= last.rows:
        return ()
    return (f"{last.rows} rows had been published before, and only {deleted} of them were still there",)


MODE = PublishingMode(commands=("INSERT", "DELETE"), publish=_publish, replaces=True)
