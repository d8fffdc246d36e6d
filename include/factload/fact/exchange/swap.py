"""The exchange itself: the partition that stands out, the new one in, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2.sql import SQL, Composable, Identifier, Literal
from sqlalchemy import Table, text
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.exchange.bounds import Value, after
from factload.fact.exchange.fitness import name_defects, partition_defects
from factload.fact.exchange.parent import Parent, Partition, indexes_of
from factload.fact.exchange.staging import BOUND, holds_alone, identities_of, name_of
from factload.fact.relation import relation_of
from factload.fact.resolve import ROW
from factload.fact.staging_table import SLICE
from factload.ledger.tables import STAGING_SCHEMA
from factload.load import Load
from factload.postgres.statements import Definition, run, table_name

_DEFAULT = text("""
    SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = :oid AND a.attname = :column
""")
_GRANTS = text("""
    SELECT CASE WHEN g.grantee = 0 THEN NULL ELSE pg_get_userbyid(g.grantee) END, g.privilege_type, g.is_grantable,
           acl.attname
    FROM pg_catalog.pg_class c,
         LATERAL (SELECT c.relacl, NULL UNION ALL SELECT a.attacl, a.attname FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND NOT a.attisdropped) AS acl (items, attname),
         aclexplode(acl.items) g
    WHERE c.oid = :oid AND g.grantee <> c.relowner
""")
_COMMENTS = text("""
    SELECT a.attname, d.description FROM pg_catalog.pg_description d
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND a.attnum > 0
    WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid = :oid
""")
_OWN = text("""
    SELECT pg_get_userbyid(c.relowner), c.relreplident::text,
           (SELECT i.inhparent FROM pg_catalog.pg_index x JOIN pg_catalog.pg_inherits i ON i.inhrelid = x.indexrelid
            WHERE x.indrelid = c.oid AND x.indisreplident)
    FROM pg_catalog.pg_class c WHERE c.oid = :oid
""")
_REPLICA_IDENTITIES = {"f": "FULL", "n": "NOTHING"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A partition to come, and its place. ``old``: the partition that takes rows with ``value`` now, if any does;
    ``aside``: the table that it becomes, in the staging schema; it is dropped where there is none."""

    connection: Connection
    parent: Parent
    staging: Table
    load: Load
    value: Value
    old: Partition | None
    aside: Table | None = None

    @property
    def schema(self) -> str:
        """Where the partition will lie: as the one before it, or as the fact table."""
        return self.old.schema if self.old else self.parent.schema

    @property
    def name(self) -> str:
        """What it will be called: as the one before it, or readably."""
        return self.old.name if self.old else self.parent.readable_name(self.load.feed, self.load.period_date)

    @property
    def bound(self) -> Composable:
        """FOR VALUES: as the partition before it, or of this load alone."""
        if self.old is not None:
            return Definition(self.old.bound.definition)
        value = Literal(str(self.value))
        if self.parent.strategy == "LIST":
            return SQL("FOR VALUES IN ({})").format(value)
        return SQL("FOR VALUES FROM ({}) TO ({})").format(value, Literal(str(after(self.value))))

    def prepare(self, load_column: str) -> None:
        """What nobody but this load notices: the staging table is made what a partition is, beside the fact table."""
        self.require_place()
        table = name_of(self.staging)
        drops = SQL(", ").join(SQL("DROP COLUMN {}").format(Identifier(name)) for name in (SLICE, ROW))
        run(self.connection, "ALTER TABLE {} {}", table, drops)
        for column in identities_of(self.connection, self.parent):
            run(self.connection, "ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT", table, Identifier(column))
        default = self.connection.scalar(_DEFAULT, {"oid": self.parent.oid, "column": load_column})
        as_parent = SQL("SET DEFAULT {}").format(Definition(default)) if default else SQL("DROP DEFAULT")
        run(self.connection, "ALTER TABLE {} ALTER COLUMN {} {}", table, Identifier(load_column), as_parent)
        self._take_over(table)
        run(self.connection, "ALTER TABLE {} SET SCHEMA {}", table, Identifier(self.schema))

    def prepare_as_it_was(self) -> None:
        """The same for ``staging`` that was a partition before, and has all that one has."""
        table = name_of(self.staging)
        only = holds_alone({self.parent.key or "": self.value})
        run(self.connection, "ALTER TABLE {} ADD CONSTRAINT {} CHECK ({})", table, Identifier(BOUND), only)
        run(self.connection, "ALTER TABLE {} SET SCHEMA {}", table, Identifier(self.schema))

    def take_out(self) -> None:
        """The old partition, if there is one, is a partition no more: under the parent's lock."""
        if self.old is None:
            return
        if self.aside is None:
            run(self.connection, "DROP TABLE {}", self.old.identifier)
            return
        run(
            self.connection,
            "ALTER TABLE {} DETACH PARTITION {}",
            self.parent.identifier,
            self.old.identifier,
        )
        run(self.connection, "ALTER TABLE {} SET SCHEMA {}", self.old.identifier, Identifier(STAGING_SCHEMA))
        moved = table_name(STAGING_SCHEMA, self.old.name)
        run(self.connection, "ALTER TABLE {} RENAME TO {}", moved, Identifier(self.aside.name))

    def carry_out(self) -> None:
        """Old out, new in: under the parent's lock, and at once."""
        moved = table_name(self.schema, self.staging.name)
        self.take_out()
        run(self.connection, "ALTER TABLE {} RENAME TO {}", moved, Identifier(self.name))
        partition = table_name(self.schema, self.name)
        run(
            self.connection,
            "ALTER TABLE {} ATTACH PARTITION {} {}",
            self.parent.identifier,
            partition,
            self.bound,
        )
        run(self.connection, "ALTER TABLE {} DROP CONSTRAINT {}", partition, Identifier(BOUND))

    def require_place(self) -> None:
        """Raise ``FeedError`` where the old partition can't go, or the new one's name is taken."""
        if self.old is not None:
            defects = list(partition_defects(self.connection, self.old))
        else:
            defects = list(name_defects(self.connection, self.parent, self.name))
        if defects:
            raise FeedError.together(defects)

    def _take_over(self, table: Composable) -> None:
        """Owner, grants, comment and replica identity as those of the partition before."""
        oid = self.old.oid if self.old else self.parent.oid
        owner, identity, index = self.connection.execute(_OWN, {"oid": oid}).one()
        for statement in _as_before(identity, self._index_like(index)):
            run(self.connection, "ALTER TABLE {} REPLICA IDENTITY {}", table, statement)
        if self.old is not None:
            self._comment(self.old)
            self._grant(table, self.old)
        run(self.connection, "ALTER TABLE {} OWNER TO {}", table, Identifier(owner))

    def _grant(self, table: Composable, old: Partition) -> None:
        for grantee, privilege, grantable, column in self.connection.execute(_GRANTS, {"oid": old.oid}):
            on = SQL("") if column is None else SQL(" ({})").format(Identifier(column))
            to = SQL("PUBLIC") if grantee is None else Identifier(grantee)
            option = SQL(" WITH GRANT OPTION") if grantable else SQL("")
            run(self.connection, "GRANT {}{} ON {} TO {}{}", SQL(privilege), on, table, to, option)

    def _comment(self, old: Partition) -> None:
        for column, comment in self.connection.execute(_COMMENTS, {"oid": old.oid}):
            kind = SQL("TABLE") if column is None else SQL("COLUMN")
            where = (self.staging.schema or "", self.staging.name, *([] if column is None else [column]))
            run(self.connection, "COMMENT ON {} {} IS {}", kind, Identifier(*where), Literal(comment))

    def _index_like(self, of_parent: int | None) -> str | None:
        """The new partition's index for one of the parent's."""
        wanted = next((i for i in indexes_of(self.connection, self.parent.oid) if i.oid == of_parent), None)
        if wanted is None:
            return None
        oid = relation_of(self.connection, self.staging).oid
        return next(i.name for i in indexes_of(self.connection, oid) if i.definition == wanted.definition)


def _as_before(identity: str, index: str | None) -> Iterator[Composable]:
    if identity in _REPLICA_IDENTITIES:
        yield SQL(_REPLICA_IDENTITIES[identity])
    elif index is not None:
        yield SQL("USING INDEX {}").format(Identifier(index))
