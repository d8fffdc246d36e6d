"""``replace``: the rows that the load published before are deleted, and the staged ones inserted.

A load's rows are found by the load column. What can't be deleted is found when rows are read back.
"""

from __future__ import annotations

from sqlalchemy import delete

from factload.fact.load_index import load_index_advice
from factload.fact.modes.mode import PublishingMode
from factload.fact.modes.publishing import Publishing, Written, by_inserting, by_inserting_slices


def _delete(at: Publishing) -> int:
    deleted = at.connection.execute(delete(at.fact).where(at.of_this_load())).rowcount
    at.require_own(deleted)
    return deleted


def _publish(at: Publishing) -> Written:
    deleted = _delete(at)
    at.connection.execute(at.insert())
    return _read_back(at, deleted)


def _read_back(at: Publishing, deleted: int) -> Written:
    at.run_deferred_triggers()
    rows = at.rows_of(at.fact).where(at.of_this_load())
    return Written(at.content_of(rows), rows, at.missing_before(deleted))


MODE = PublishingMode(
    commands=("INSERT", "DELETE"),
    publish=by_inserting(_publish),
    publish_slices=by_inserting_slices(_delete, _read_back),
    advice=load_index_advice,
    replaces=True,
)
