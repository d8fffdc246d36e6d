"""``append_once``: the staged rows are inserted beside all others, once, and never taken back.

Without a load column nothing in a row says which load it came from.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, cast, func, literal_column, select, update

from factload.fact.modes.mode import ForbiddenRules, PublishingMode
from factload.fact.modes.publishing import Publishing, Written, by_inserting
from factload.fact.relation import acts_after_an_insert, relation_of
from factload.feed.fact import Fact
from factload.ledger.tables import loads


def _publish(at: Publishing) -> Written:
    if at.feed.fact.load_column is None:
        return _publish_without_a_mark(at)
    carrying = select(func.count()).select_from(at.fact).where(at.of_this_load())
    at.require_own(at.connection.scalar(carrying) or 0)
    at.connection.execute(at.insert())
    at.run_deferred_triggers()
    rows = at.rows_of(at.fact).where(at.of_this_load())
    return Written(at.content_of(rows), rows)


def _publish_without_a_mark(at: Publishing) -> Written:
    """Insert rows that nothing but their transaction tells from others.

    What the INSERT returns is what went in, unless a trigger acts on it afterwards. Only then is the table searched
    for the rows of this transaction, for which there is no index.
    """
    # Of the subtransaction, rather: what rows say they were made by. Any row of it says which it is.
    transaction = at.connection.scalar(
        update(loads)
        .where(loads.c.load_id == at.load.load_id)
        .values(target=at.feed.fact.table)
        .returning(_made_by())
    )
    content = at.content_of(at.insert().returning(*at.columns_of(at.fact)).cte("returned"))
    at.run_deferred_triggers()
    relation = relation_of(at.connection, at.fact)
    if relation.is_view:
        return Written(content, None)
    rows = at.rows_of(at.fact).where(_made_by() == transaction)
    if acts_after_an_insert(at.connection, relation):
        content = at.content_of(rows)
    return Written(content, rows)


def _made_by() -> Any:
    return cast(literal_column("xmin"), Text)


def _forbidden_rules(fact: Fact) -> ForbiddenRules | None:
    if fact.load_column is not None:
        return None
    return ForbiddenRules(("INSERT",), "none without a load column")


MODE = PublishingMode(
    commands=("INSERT",), publish=by_inserting(_publish), forbidden_rules=_forbidden_rules, repeatable=False
)
