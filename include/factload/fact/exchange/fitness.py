"""Why a fact table can't be published to by partition exchange, seen before a row is read.

What a table has that rows which come in by ATTACH would pass by is refused by name, with ``replace`` as the way out.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Table, TextClause, func, select, text
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.exchange.parent import Parent, Partition, parent_of
from factload.feed.model import Feed
from factload.postgres.statements import as_text, table_name

_OLDEST_SERVER = 150_000  # the first that publishes whole schemas: what is asked here of publications
_OR_REPLACE = "or use `mode: replace`"

# Not those that each partition has from its parent.
_OWN_TRIGGERS = text("""
    SELECT tgname FROM pg_catalog.pg_trigger
    WHERE tgrelid = :oid AND NOT tgisinternal AND tgparentid = 0
    ORDER BY tgname
""")
# pg_trigger.tgtype: INSERT is 4, DELETE 8.
_TRIGGERS_THAT_WOULD_FIRE = text("""
    SELECT tgname FROM pg_catalog.pg_trigger
    WHERE tgrelid = :oid AND NOT tgisinternal AND tgenabled <> 'D' AND (tgtype & 12) <> 0
    ORDER BY tgname
""")
_REFERENCED_BY = text("""
    SELECT DISTINCT conrelid::regclass::text FROM pg_catalog.pg_constraint
    WHERE confrelid = :oid AND contype = 'f' ORDER BY 1
""")
_PUBLISHED_BY = text("""
    SELECT p.pubname FROM pg_catalog.pg_publication p
    WHERE p.puballtables
       OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = :oid)
       OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace n JOIN pg_catalog.pg_class c
                  ON c.relnamespace = n.pnnspid WHERE n.pnpubid = p.oid AND c.oid = :oid)
    ORDER BY 1
""")
# Rules of views, defaults and functions with a parsed body; not what belongs to the table itself.
_USED_BY = text("""
    SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)
    FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = :oid AND d.deptype = 'n'
      AND d.classid IN ('pg_catalog.pg_rewrite'::regclass, 'pg_catalog.pg_proc'::regclass,
                        'pg_catalog.pg_policy'::regclass)
    ORDER BY 1
""")
_EXCLUDED_BY = text("""
    SELECT conname FROM pg_catalog.pg_constraint WHERE conrelid = :oid AND contype = 'x' AND conindid <> 0
    ORDER BY conindid
""")
_PASSED_BY = (
    (
        "exchange_trigger",
        _TRIGGERS_THAT_WOULD_FIRE,
        "the trigger {} is on {}, which would not fire for rows that come in as a partition",
    ),
    (
        "exchange_published",
        _PUBLISHED_BY,
        "the publication {} is on {}, which sends rows as they are inserted: subscribers would never get those that "
        "come in as a partition",
    ),
    (
        "exchange_referenced",
        _REFERENCED_BY,
        "a foreign key of {} points to {}, so rows of it can't be taken out as a partition while others point to them",
    ),
    (
        "exchange_exclusion",
        _EXCLUDED_BY,
        "the exclusion constraint {} is on {}, which PostgreSQL can't make of an index that is there already, so the "
        "table would be locked while it is built",
    ),
)
_MAY = text("""
    SELECT pg_has_role(c.relowner, 'USAGE'), has_schema_privilege(c.relnamespace, 'CREATE'), current_user::text
    FROM pg_catalog.pg_class c WHERE c.oid = :oid
""")
_NOT_REFERENCEABLE = text("""
    SELECT k.confrelid::regclass::text FROM pg_catalog.pg_constraint k
    WHERE k.conrelid = :oid AND k.contype = 'f' AND EXISTS (
        SELECT FROM unnest(k.confkey) AS key (number)
        WHERE NOT has_column_privilege(k.confrelid, key.number, 'REFERENCES'))
    ORDER BY 1
""")
_ROW_SECURITY = text("SELECT relrowsecurity FROM pg_catalog.pg_class WHERE oid = :oid")
_OWN_INDEXES = text("""
    SELECT x.indexrelid::regclass::text FROM pg_catalog.pg_index x
    WHERE x.indrelid = :oid AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = x.indexrelid)
    ORDER BY 1
""")
_OWN_CONSTRAINTS = text("""
    SELECT conname FROM pg_catalog.pg_constraint
    WHERE conrelid = :oid AND contype IN ('c', 'f', 'n') AND coninhcount = 0 AND conparentid = 0 ORDER BY 1
""")
_OWN_DEFAULTS = text("""
    SELECT a.attname FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.attrelid
    JOIN pg_catalog.pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname
    LEFT JOIN pg_catalog.pg_attrdef pd ON pd.adrelid = p.attrelid AND pd.adnum = p.attnum
    WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped AND p.attidentity = ''
      AND pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM pg_get_expr(pd.adbin, pd.adrelid)
    ORDER BY 1
""")
_OWN_STATISTICS = text("SELECT stxname FROM pg_catalog.pg_statistic_ext WHERE stxrelid = :oid ORDER BY 1")
_OWN = (
    ("has triggers of its own:", _OWN_TRIGGERS),
    ("has indexes of its own:", _OWN_INDEXES),
    ("has constraints of its own:", _OWN_CONSTRAINTS),
    ("has defaults of its own, of", _OWN_DEFAULTS),
    ("has extended statistics of its own:", _OWN_STATISTICS),
    ("is sent to subscribers by itself, by publication", _PUBLISHED_BY),
    ("is what foreign keys point to, of", _REFERENCED_BY),
    ("is read by its own name, and not as a part of the fact table, by", _USED_BY),
)


def table_defects(connection: Connection, feed: Feed, fact: Table) -> Iterator[FeedError]:
    """Why no load of the feed can be published to the table by exchange, whatever its period."""
    parent = parent_of(connection, fact)
    name = feed.fact.table
    if parent.server < _OLDEST_SERVER:
        yield FeedError(
            "exchange_server",
            f"the server is PostgreSQL {parent.server // 10_000}, and mode exchange needs 15 or newer",
            remedy="Upgrade the server, or use `mode: replace`",
        )
        return
    if not parent.strategy:
        yield FeedError(
            "exchange_not_partitioned",
            f"{name} is not partitioned, and mode exchange makes the rows of a load a partition",
            expected=f"a table PARTITION BY LIST ({feed.fact.load_column})",
            remedy="Make it anew, partitioned (`factload init --partitioned --ddl` writes the statements), or use "
            "`mode: replace`",
        )
        return
    yield from _key_defects(parent, feed)
    yield from _passed_by(connection, parent, name)
    yield from _lacking_rights(connection, parent, name)


def _key_defects(parent: Parent, feed: Feed) -> Iterator[FeedError]:
    name, load_column = feed.fact.table, feed.fact.load_column
    of_period = [column for column, source in feed.fact.columns.items() if source.period is not None]
    fit = parent.key == load_column and parent.strategy == "LIST"
    fit = fit or (parent.key in of_period and parent.strategy in ("LIST", "RANGE"))
    if not fit:
        period = f", or by LIST or RANGE of {' or '.join(of_period)}, which the feed fills with the period"
        yield FeedError(
            "exchange_key",
            f"{name} is partitioned by {parent.strategy} of {parent.key or 'several columns or an expression'}",
            expected=f"PARTITION BY LIST ({load_column}){period if of_period else ''}: one partition is one load",
            remedy="Partition the table so, or use `mode: replace`",
        )
    if parent.nested:
        yield FeedError(
            "exchange_nested",
            f"{name} is itself a partition of another table",
            remedy="Partition by the load at the first level, or use `mode: replace`",
        )


def _passed_by(connection: Connection, parent: Parent, name: str) -> Iterator[FeedError]:
    """What acts on rows as they are inserted or deleted, and would not act on those that come in by ATTACH."""
    for code, query, sentence in _PASSED_BY:
        if found := _names(connection, query, parent.oid):
            yield FeedError(
                code, sentence.format(", ".join(found), name), remedy="Drop it, or use `mode: replace`"
            )


def _lacking_rights(connection: Connection, parent: Parent, name: str) -> Iterator[FeedError]:
    owns, creates, user = connection.execute(_MAY, {"oid": parent.oid}).one()
    lacking = []
    if not owns:
        lacking.append(f"the ownership of {name}, which ATTACH PARTITION asks for, not a right on it")
    if not creates:
        lacking.append(f"CREATE on schema {parent.schema}")
    unreferenceable = _names(connection, _NOT_REFERENCEABLE, parent.oid)
    if unreferenceable:
        lacking.append(f"REFERENCES on {', '.join(unreferenceable)}")
    if lacking:
        yield FeedError(
            "exchange_right_missing",
            f"mode exchange makes a partition, and user {user} lacks {'; '.join(lacking)}",
            remedy=f"Grant it: the ownership by `GRANT {parent.owner} TO {user}`; {_OR_REPLACE}",
        )


def partition_defects(connection: Connection, old: Partition) -> Iterator[FeedError]:
    """What a partition has of its own that would be lost, or left behind, when another takes its place."""
    why = ["is itself partitioned, or a foreign table"] if old.kind != "r" else []
    if connection.scalar(_ROW_SECURITY, {"oid": old.oid}):
        why.append("has row-level security of its own")
    for what, query in _OWN:
        if found := _names(connection, query, old.oid):
            why.append(f"{what} {', '.join(found)}")
    if why:
        yield FeedError(
            "exchange_partition",
            f"partition {old.full_name} {'; it '.join(why)}. That would be lost when a new delivery takes its "
            "place",
            remedy="Drop that; give it to the fact table instead, so that every partition has it; or use `mode: "
            "replace`",
        )


def name_defects(connection: Connection, parent: Parent, name: str) -> Iterator[FeedError]:
    """Another table that has the name of the partition to come."""
    whole = as_text(connection, table_name(parent.schema, name))
    if connection.scalar(select(func.to_regclass(whole))):
        yield FeedError(
            "exchange_name_taken",
            f"{parent.schema}.{name} is there already, and is no partition of {parent.full_name} that takes the rows "
            "of this load",
            remedy="Rename or drop it, or attach it where it belongs; then run the load again",
        )


def _names(connection: Connection, query: TextClause, oid: int) -> list[str]:
    return list(connection.scalars(query, {"oid": oid}))
