"""The versions of members in the database: which are to be looked at, what they are, and what is changed of them.

Everything lies in temporary tables, which are gone with the transaction, and is told apart by the numbers of members.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from psycopg2.sql import Identifier
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    FromClause,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    cast,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.schema import SchemaItem

from factload.dimension.said import of_member
from factload.dimension.validity import valid_on
from factload.errors import ReconciliationError
from factload.feed.dimensions import AsOf, Dimension
from factload.feed.model import Feed
from factload.ledger.member_versions import owners
from factload.ledger.tables import member_versions
from factload.load import Load
from factload.postgres.statements import run

# In which order versions are changed: those first that make room for others.
EMPTIED, SHRUNK, OTHER, MADE, OWNER_ALONE = range(5)


@dataclass(frozen=True)
class VersionRows:
    """The versions of one dimension's members, in the transaction that changes them. ``table``: the dimension's;
    ``fills``: the columns of ``fact`` that it fills."""

    connection: Connection
    load: Load
    feed: Feed
    fact: Table
    name: str
    table: Table
    fills: tuple[str, ...]

    @property
    def dimension(self) -> Dimension:
        """As the feed has it."""
        return self.feed.dimensions[self.name]

    @property
    def as_of(self) -> AsOf:
        """Its columns of validity."""
        if self.dimension.as_of is None:
            raise TypeError(f"{self.name} has no history")
        return self.dimension.as_of

    @property
    def attributes(self) -> tuple[str, ...]:
        """Its columns that the sheet fills."""
        return tuple(self.dimension.unmatched.attributes)

    @cached_property
    def asked(self) -> Table:
        """Members that rows of the load belong to, by the surrogate key of one of their versions, and what is said of
        them."""
        surrogate = Column(
            "surrogate",
            self.table.c[self.dimension.surrogate_key].type,
            primary_key=True,
            autoincrement=False,
        )
        return self._temporary("factload_asked", surrogate, Column("said", JSONB))

    @cached_property
    def members(self) -> Table:
        """Those that are to be looked at: a number, the key, and what the load says, null for nothing."""
        keys: list[Column[Any]] = [
            Column(f"key_{name}", self.table.c[name].type) for name in self.dimension.business_key
        ]
        number = Column("number", Integer, primary_key=True, autoincrement=False)
        return self._temporary("factload_members", number, *keys, Column("said", JSONB), Index(None, *keys))

    @cached_property
    def changes(self) -> Table:
        """What becomes of versions: see ``version_changes``."""
        texts = ("like", "begins", "ends", "owner", "began", "aside")
        columns: list[Column[Any]] = [Column("number", Integer, index=True), Column("place", Integer)]
        columns += [Column("takes", Boolean), Column("surrogate", Text, index=True)]
        return self._temporary("factload_versions", *columns, *(Column(name, Text) for name in texts))

    def _temporary(self, name: str, *parts: SchemaItem) -> Table:
        """A table with indexes: what is estimated of a new table's rows is wrong, and nothing may hang on it."""
        return Table(name, MetaData(), *parts, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")

    def make(self) -> None:
        """Make the temporary tables."""
        self.connection.execute(select(func.set_config("datestyle", "ISO, YMD", True)))
        for table in (self.asked, self.members, self.changes):
            table.create(self.connection)

    def know(self, table: Table) -> None:
        """Let the server know how many rows a temporary table has by now."""
        run(self.connection, "ANALYZE {}", Identifier(table.name))

    def drop(self) -> None:
        """Drop them, for the next dimension."""
        for table in (self.asked, self.members, self.changes):
            table.drop(self.connection)

    def surrogate(self, versions: FromClause) -> ColumnElement[Any]:
        """The surrogate key of ``versions``, the table or an alias of it."""
        return versions.c[self.dimension.surrogate_key]

    def same_member(self, one: FromClause, other: FromClause) -> ColumnElement[bool]:
        """That two versions are of one member; either may be ``members``."""
        return and_(*(self._key(one, name) == self._key(other, name) for name in self.dimension.business_key))

    def _key(self, versions: FromClause, name: str) -> ColumnElement[Any]:
        return versions.c[f"key_{name}"] if versions is self.members else versions.c[name]

    def valid(self, versions: FromClause) -> ColumnElement[bool]:
        """That they are valid on the load's period."""
        return valid_on(self.dimension, versions, self.load.period_date)

    def said_by(self, versions: FromClause) -> ColumnElement[Any]:
        """What they have."""
        return of_member(versions, self.attributes)

    def owners(self) -> FromClause:
        """The loads that versions begin with."""
        return owners(self.load.feed, self.name).subquery("owner")

    def changed(self, versions: FromClause) -> FromClause:
        """Versions that are there, with their change and their member."""
        changes = self.changes
        same = self.surrogate(versions) == cast(changes.c.surrogate, self.surrogate(versions).type)
        return versions.join(changes, same).join(self.members, self.members.c.number == changes.c.number)

    def made(self) -> FromClause:
        """The versions that were made, with their change."""
        begins = self.table.c[self.as_of.valid_from]
        return self.table.join(self.members, self.same_member(self.table, self.members)).join(
            self.changes,
            (self.changes.c.number == self.members.c.number)
            & (self.changes.c.place == MADE)
            & begins.is_not_distinct_from(cast(self.changes.c.begins, begins.type)),
        )

    def lock(self) -> None:
        """Let nobody else change these members' versions until the transaction ends."""
        rows = (
            select(literal(1))
            .select_from(self.table.join(self.members, self.same_member(self.table, self.members)))
            .order_by(self.surrogate(self.table))
            .with_for_update(key_share=True, of=self.table)
        )
        self.connection.execute(select(func.count()).select_from(rows.subquery())).one()

    @property
    def after_end(self) -> timedelta:
        """From the end, as its column has it, to the moment from which a version isn't valid any more."""
        if not self.as_of.is_inclusive:
            return timedelta(0)
        dated = isinstance(self.table.c[self.as_of.end].type, Date)
        return timedelta(days=1) if dated else timedelta(microseconds=1)

    def keep_silent(self) -> None:
        """Note that the load says nothing any more of the members that it doesn't speak of."""
        member = self.table.alias("member")
        own = member_versions.c
        self.connection.execute(
            update(member_versions)
            .values(unsaid=True)
            .where(
                own.load_id == self.load.load_id,
                own.dimension == self.name,
                own.surrogate == cast(self.surrogate(member), Text),
                self.same_member(member, self.members),
                self.members.c.said.is_(None),
            )
        )

    def require_said(self) -> None:
        """Raise ``ReconciliationError`` unless each member that rows of the load belong to has one version on its
        period, which says what these rows do."""
        member, now = self.table.alias("member"), self.table.alias("now")
        good = (
            select(func.count())
            .select_from(
                self.asked.join(member, self.surrogate(member) == self.asked.c.surrogate).join(
                    now, self.same_member(now, member) & self.valid(now)
                )
            )
            .where(self.said_by(now) == self.asked.c.said)
        )
        wanted = self.connection.scalar(select(func.count()).select_from(self.asked)) or 0
        found = self.connection.scalar(good) or 0
        if found != wanted:
            raise self.differ(wanted, found)

    def differ(self, wanted: int, found: int) -> ReconciliationError:
        return ReconciliationError(
            "members_differ",
            f"{wanted:,} versions of members of {self.dimension.table} were to be valid as {self.load.load_id} says, "
            f"and {found:,} of them are",
            remedy="Nothing was changed. Look for triggers, rules or policies on the dimension that change or keep "
            "its rows, and for who changes it besides; then run the load again",
        )

    def move_rows(self, rows: Table) -> int:
        """Give ``rows`` the surrogate keys of the versions valid on the load's period; how many got another."""
        member, now, moved = self.table.alias("member"), self.table.alias("now"), 0
        for name in self.fills:
            column = rows.c[name]
            moved += self.connection.execute(
                update(rows)
                .values({column: cast(self.surrogate(now), column.type)})
                .where(
                    column == cast(self.asked.c.surrogate, column.type),
                    self.surrogate(member) == self.asked.c.surrogate,
                    self.same_member(now, member),
                    self.valid(now),
                    self.surrogate(now) != self.surrogate(member),
                )
            ).rowcount
        return moved
