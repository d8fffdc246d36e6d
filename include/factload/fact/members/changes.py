"""Members brought up to date by a publication, and back by an undo, in the transaction that does it (ADR 43).

What the staged rows say of a member is compared with what it has, under a lock; where that differs it is noted in the
ledger and changed. A member of which rows of a newer period speak is left alone, whatever order loads come in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    cast,
    false,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection

from factload.dimension.said import of_member, value_of
from factload.dimension.table import dimension_table
from factload.errors import FeedError, ReconciliationError
from factload.fact.load_column import load_key
from factload.fact.members.said import said_of
from factload.fact.relation import relation_of
from factload.feed.model import Feed
from factload.ledger.member_changes import (
    CHANGE,
    MemberCounts,
    changes_of,
    forget_older,
    newer_loads,
    of_attempt,
    record_members,
)
from factload.ledger.tables import member_changes
from factload.load import Load
from factload.postgres.tables import reflect


def bring_up_to_date(connection: Connection, load: Load, feed: Feed, fact: Table, staging: Table) -> None:
    """Give the members that staged rows belong to the attributes that these rows say, and note what was changed.

    ``staging``: the staged rows, which nobody changes any more. Raises ``ReconciliationError`` where a member then has
    something else, and ``TransientError`` when members are locked for too long.
    """
    if not feed.updated_dimensions:
        return
    forget_older(connection, load.load_id, load.epoch)
    counts = {}
    keep_others_out(connection, feed, feed.updated_dimensions)
    newer = newer_loads(connection, load)
    for name in feed.updated_dimensions:
        members = _Members.of(connection, load, feed, fact, name, newer)
        said = members.said_by(staging)
        counts[name] = {"left": members.left(said), "updated": members.change(said)}
    record_members(connection, load, counts, "rows of a newer period say something else")


def take_back(connection: Connection, load: Load, undoes: int, feed: Feed, fact: Table) -> MemberCounts:
    """Give the members that the attempt ``undoes`` changed what they had before, those that nobody has changed since.

    ``load``: the undo's own attempt. Returns how many they were. Raises
    ``FeedError`` where the feed no longer has such a dimension, else as ``bring_up_to_date``.
    """
    changed = connection.execute(
        select(member_changes.c.dimension, member_changes.c.table_name, func.count())
        .where(changes_of(load.load_id, undoes), member_changes.c.valid_after.is_(None))
        .group_by(member_changes.c.dimension, member_changes.c.table_name)
        .order_by(member_changes.c.dimension)
    ).all()
    for name, table_name, _ in changed:
        _require_dimension(load, feed, name, table_name)
    keep_others_out(connection, feed, [name for name, _, _ in changed])
    newer = newer_loads(connection, load) if changed else {}
    counts = {}
    for name, _, many in changed:
        members = _Members.of(connection, load, feed, fact, name, newer, undoes)
        updated = members.change(members.had_before(undoes))
        counts[name] = {"updated": updated, "left": many - updated}
    forget_older(connection, load.load_id, load.epoch)
    return counts


def keep_others_out(connection: Connection, feed: Feed, names: Collection[str]) -> None:
    """Let no other load change members of these dimensions before the transaction ends: whoever comes next
    sees what is published then. Who reads members, makes or changes them otherwise goes on."""
    tables = [reflect(connection, feed.dimensions[name].table, {}) for name in names]
    for oid in sorted({relation_of(connection, table).oid for table in tables}):
        key = func.hashtextextended(literal(f"factload members {oid}"), 0)
        connection.execute(select(func.pg_advisory_xact_lock(key)))


@dataclass(frozen=True, slots=True)
class _Members:
    """The members of one dimension, and what of them may be changed. ``table``: the dimension's; ``names``: its columns
    that the sheet fills; ``newer``: whether rows of a newer period belong to a member."""

    connection: Connection
    load: Load
    name: str
    table_name: str
    table: Table
    surrogate: ColumnElement[Any]
    fills: str
    names: tuple[str, ...]
    newer: ColumnElement[bool]

    @classmethod
    def of(
        cls,
        connection: Connection,
        load: Load,
        feed: Feed,
        fact: Table,
        name: str,
        newer: Collection[str],
        undoes: int | None = None,
    ) -> _Members:
        """``newer``: the loads of newer periods. ``undoes``: the attempt whose changes say which columns they are."""
        dimension = feed.dimensions[name]
        fills = next(column for column, source in feed.fact.columns.items() if source.dimension == name)
        if undoes is None:
            table = dimension_table(connection, name, dimension)
            names = tuple(dimension.unmatched.attributes)
        else:
            names = _changed_columns(connection, load, undoes, name)
            needed = dict.fromkeys(names, "the ledger") | {dimension.surrogate_key: "the feed"}
            table = reflect(connection, dimension.table, needed)
        surrogate = table.c[dimension.surrogate_key]
        spoken_of = _spoken_of(feed, fact, newer, fact.c[fills] == cast(surrogate, fact.c[fills].type))
        return cls(connection, load, name, dimension.table, table, surrogate, fills, names, spoken_of)

    def said_by(self, staging: Table) -> Select[Any]:
        """``member``, ``known`` and ``wanted``: what the rows in ``staging`` say of each of their members."""
        said = said_of(self.load, self.name, staging.c[self.fills], self.surrogate.type).subquery("of_staged")
        return select(said.c.member, cast(null(), JSONB).label("known"), said.c.said.label("wanted"))

    def had_before(self, undoes: int) -> Select[Any]:
        """The same of what they had before the attempt ``undoes``, with what that left them with."""
        member = cast(member_changes.c.surrogate, self.surrogate.type)
        return select(
            member.label("member"),
            member_changes.c.after.label("known"),
            member_changes.c.before.label("wanted"),
        ).where(changes_of(self.load.load_id, undoes), member_changes.c.dimension == self.name)

    def left(self, wanted: Select[Any]) -> int:
        """How many members rows of a newer period keep from being changed."""
        found = select(func.count()).select_from(self._differing(wanted).where(self.newer).subquery())
        return self.connection.scalar(found) or 0

    def change(self, wanted: Select[Any]) -> int:
        """Change those that differ from what is ``wanted``, and note what they had; how many they were."""
        locked = (
            self._differing(wanted)
            .where(~self.newer)
            .order_by(self.surrogate)
            .with_for_update(key_share=True, of=self.table)
        )
        noted = insert(member_changes).from_select(CHANGE, locked)
        changes = self.connection.execute(noted).rowcount
        if not changes:
            return 0
        own = changes_of(self.load.load_id, self.load.epoch) & (member_changes.c.dimension == self.name)
        same = own & (self.surrogate == cast(member_changes.c.surrogate, self.surrogate.type))
        values = {
            self.table.c[name]: value_of(member_changes.c.after, self.table.c[name]) for name in self.names
        }
        self.connection.execute(update(self.table).values(values).where(same))
        has = of_member(self.table, self.names) == member_changes.c.after
        found = self.connection.scalar(select(func.count()).select_from(self.table).where(same, has))
        if found != changes:
            raise ReconciliationError(
                "members_differ",
                f"{changes:,} members of {self.table_name} were to be brought up to date, and {found:,} of them have "
                "then what they should have",
                remedy="Nothing was changed. Look for triggers, rules or policies on the dimension that change or keep "
                "its rows",
            )
        return changes

    def _differing(self, wanted: Select[Any]) -> Select[Any]:
        """The changes, as rows of the ledger, that would give members what is ``wanted``."""
        asked = wanted.subquery("asked")
        has = of_member(self.table, self.names)
        return (
            select(
                *of_attempt(self.load, self.name, self.table_name, self.surrogate),
                has,
                asked.c.wanted,
            )
            .select_from(self.table.join(asked, self.surrogate == asked.c.member))
            .where(has != asked.c.wanted, func.coalesce(has == asked.c.known, True))
        )


def _spoken_of(
    feed: Feed, fact: Table, newer: Collection[str], of_member: ColumnElement[bool]
) -> ColumnElement[bool]:
    if not newer or feed.fact.load_column is None:
        return false()
    column = fact.c[feed.fact.load_column]
    keys = [load_key(column, load_id) for load_id in newer]
    return select(literal(1)).where(of_member, column.in_(keys)).exists()


def _changed_columns(connection: Connection, load: Load, undoes: int, name: str) -> tuple[str, ...]:
    """The columns that an attempt changed: the same of all members of a dimension."""
    found = connection.scalar(
        select(member_changes.c.after)
        .where(changes_of(load.load_id, undoes), member_changes.c.dimension == name)
        .limit(1)
    )
    return tuple(found or ())


def _require_dimension(load: Load, feed: Feed, name: str, table_name: str) -> None:
    dimension = feed.dimensions.get(name)
    if dimension is None or dimension.table != table_name:
        raise no_dimension(load, f"brought members of {table_name} up to date", f"{name} on that table")


def no_dimension(load: Load, did: str, needed: str) -> FeedError:
    """An undo needs a dimension that the feed no longer has. ``did``: what the load did to members."""
    return FeedError(
        "undo_dimension",
        f"{load.load_id} can't be undone: it {did}, and the feed has no dimension {needed} now",
        expected="the feed's dimensions as they were then",
        remedy="Restore the feed for the undo, or load the workbook that is to stand",
    )
