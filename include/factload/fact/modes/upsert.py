"""``{upsert: [columns]}``: rows with the same values in these columns are updated, all others inserted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Table, and_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.modes.mode import ForbiddenRules, PublishingMode
from factload.fact.modes.publishing import Publishing, Written, by_inserting
from factload.fact.once_only import OnceOnly
from factload.feed.fact import Fact
from factload.feed.model import Feed
from factload.postgres.indexes import unique_indexes


def _publish(at: Publishing) -> Written:
    keys = at.feed.fact.mode.keys
    columns, staged = at.insertion()
    # In the order of the keys, so that two loads which write the same ones wait for each other in a row.
    in_order = staged.order_by(*(at.staging.c[name] for name in sorted(keys)))
    statement = insert(at.fact).from_select(columns, in_order)
    # Columns of the key are among those that are set, to what they are: so there is always something to set.
    changed = {name: statement.excluded[name] for name in columns}
    by = [at.fact.c[name] for name in keys]
    at.connection.execute(statement.on_conflict_do_update(index_elements=by, set_=changed))
    at.run_deferred_triggers()
    rows = at.rows_of(at.fact).join(
        at.staging, and_(*(at.fact.c[name] == at.as_in_fact(name) for name in keys))
    )
    if at.feed.fact.load_column is not None:
        rows = rows.where(at.of_this_load())
    return Written(at.content_of(rows), rows)


def _defects(connection: Connection, feed: Feed, fact: Table) -> Iterator[FeedError]:
    """ON CONFLICT needs a unique index on just these columns, over all rows, that is checked at once."""
    indexes = unique_indexes(connection, fact)
    wanted = frozenset(feed.fact.mode.keys)
    same = [index for index in indexes if index.columns == wanted]
    if any(not index.unfit for index in same):
        return
    keys = ", ".join(feed.fact.mode.keys)
    if same:
        yield FeedError(
            "upsert_not_unique",
            f"fact.mode upserts by {keys}, and the unique index {same[0].name} on that is {same[0].unfit}",
            expected="an index that ON CONFLICT can use",
            remedy="Make the constraint NOT DEFERRABLE"
            if same[0].unfit == "deferrable"
            else f"REINDEX INDEX {same[0].name}",
        )
        return
    known = " or ".join(", ".join(sorted(index.columns)) for index in indexes)
    yield FeedError(
        "upsert_not_unique",
        f"fact.mode upserts by {keys}, and {feed.fact.table} has no unique index on just that",
        expected=f"the columns of one, such as {known}" if known else "",
        remedy=f"Create a unique index on ({keys}), or use the columns of another one",
    )


def _once_only(fact: Fact) -> Sequence[OnceOnly]:
    return [OnceOnly(fact.mode.keys, "duplicate_key")]


MODE = PublishingMode(
    commands=("INSERT", "UPDATE"),
    publish=by_inserting(_publish),
    forbidden_rules=lambda _: ForbiddenRules(("INSERT", "UPDATE"), "no such rule"),
    defects=_defects,
    once_only=_once_only,
    takes_over=True,
)
