"""Whether rows of other tables go with fact rows that are deleted: by foreign keys that say so. Told by the catalog."""

from __future__ import annotations

from sqlalchemy import Table, text
from sqlalchemy.engine import Connection

from factload.fact.advice import Advice
from factload.fact.relation import relation_of
from factload.feed.model import Feed

# Not those that partitions have from a key of the tables above them.
_FOLLOWING = text("""
    WITH facts AS (SELECT CAST(:oid AS oid) AS oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(:oid))
    SELECT k.conrelid::regclass::text, k.conname,
           CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END
    FROM pg_catalog.pg_constraint k
    LEFT JOIN pg_catalog.pg_constraint above ON above.oid = k.conparentid
    WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd') AND k.confrelid IN (SELECT oid FROM facts)
      AND (above.confrelid IS NULL OR above.confrelid NOT IN (SELECT oid FROM facts))
    ORDER BY 1, 2
""")


def cascade_advice(connection: Connection, feed: Feed, fact: Table) -> Advice | None:
    """A warning of foreign keys onto the fact table that delete or change rows of theirs with the facts: those rows are
    in no proof, and neither a reload nor an undo brings them back."""
    found = connection.execute(_FOLLOWING, {"oid": relation_of(connection, fact).oid}).all()
    if not found:
        return None
    keys = ", ".join(f"{key} of {table} (ON DELETE {action})" for table, key, action in found)
    return Advice(
        "foreign keys",
        f"rows of other tables go with deleted rows of {feed.fact.table}, by {keys}: when a load takes the place of "
        "what it published before, or is undone, they are deleted or changed as well, and nothing brings them back",
        "Let them refer to what stays, such as a business key; or take the action from the foreign key: a load whose "
        "rows others refer to is refused then, and nothing is lost",
    )
