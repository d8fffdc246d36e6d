"""The fact table as PostgreSQL's catalog describes it: its kind, its triggers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Select, Table, column, exists, func, or_, select, table
from sqlalchemy.engine import Connection

from factload.postgres.catalog import partition_tree, pg_class, pg_namespace, pg_rewrite
from factload.postgres.tables import sql_name

_VIEW, _PARTITIONED = "v", "p"  # pg_class.relkind
# pg_trigger.tgtype, as bits
_BEFORE, _ON_INSERT, _INSTEAD = 1 << 1, 1 << 2, 1 << 6

_triggers = table(
    "pg_trigger",
    column("tgrelid"),
    column("tgtype"),
    column("tgisinternal", Boolean),
    column("tgenabled"),
    schema="pg_catalog",
)


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view as the catalog knows it."""

    oid: int
    kind: str
    schema: str
    name: str

    @property
    def is_view(self) -> bool:
        """Whether its rows are those of other tables."""
        return self.kind == _VIEW

    @property
    def is_partitioned(self) -> bool:
        """Whether its rows are in partitions."""
        return self.kind == _PARTITIONED


def relation_of(connection: Connection, fact: Table) -> Relation:
    """The catalog's entry of a table that is there."""
    found = connection.execute(
        select(pg_class.c.oid, pg_class.c.relkind, pg_namespace.c.nspname, pg_class.c.relname)
        .join(pg_namespace, pg_namespace.c.oid == pg_class.c.relnamespace)
        .where(pg_class.c.oid == func.to_regclass(sql_name(connection, fact)))
    ).one()
    return Relation(*found)


def acts_on_statements(connection: Connection, found: Relation) -> bool:
    """Whether it is a view, or the table has a trigger of a person's, or a rule: what may act on the statement that
    writes rows, and would act on each of several."""
    if found.is_view:
        return True
    rules = select(pg_rewrite.c.ev_class).where(pg_rewrite.c.ev_class == found.oid)
    return bool(connection.scalar(select(or_(exists(_triggers_of(found)), exists(rules)))))


def acts_after_an_insert(connection: Connection, found: Relation) -> bool:
    """Whether the table, or a partition of it, has a trigger that acts once a row is inserted, at once or deferred."""
    kind = _triggers.c.tgtype
    after = _triggers_of(found).where(kind.op("&")(_ON_INSERT) != 0, kind.op("&")(_BEFORE | _INSTEAD) == 0)
    return bool(connection.scalar(select(exists(after))))


def _triggers_of(found: Relation) -> Select[Any]:
    """The triggers of a person's that are enabled on the table or a partition of it."""
    tree = partition_tree(found.oid)
    return select(_triggers.c.tgrelid).where(
        (_triggers.c.tgrelid == found.oid) | _triggers.c.tgrelid.in_(select(tree.c.relid)),
        ~_triggers.c.tgisinternal,
        _triggers.c.tgenabled != "D",
    )
