"""``replace``: the rows that the load published before are deleted, and the staged ones inserted.

A load's rows are found by the load column. What can't be deleted is found when rows are read back.
"""

from __future__ import annotations

from sqlalchemy import delete

from factload.fact.load_index import load_index_advice
from factload.fact.modes.mode import PublishingMode
from factload.fact.modes.publishing import Publishing, Written, by_inserting


def _publish(at: Publishing) -> Written:
    deleted = at.connection.execute(delete(at.fact).where(at.of_this_load())).rowcount
    at.require_own(deleted)
    at.connection.execute(at.insert())
    at.run_deferred_triggers()
    rows = at.rows_of(at.fact).where(at.of_this_load())
    return Written(at.content_of(rows), rows, at.missing_before(deleted))


MODE = PublishingMode(
    commands=("INSERT", "DELETE"), publish=by_inserting(_publish), advice=load_index_advice, replaces=True
)
