"""New versions of members, by what the staged rows of a load say of them, in the transaction that publishes these rows,
and taken back by an undo (ADR 45).

What is to change is planned member by member (``history``), some thousands at a time; the database does the
rest in a few statements. Staged rows get the surrogate keys of the versions that are valid on the load's period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any

from sqlalchemy import Table, cast, func, insert, select, update
from sqlalchemy.engine import Connection

from factload.dimension.said import value_of
from factload.dimension.table import dimension_table
from factload.errors import FeedError, RowsRefused
from factload.fact.load_column import load_key
from factload.fact.members.changes import keep_others_out, no_dimension
from factload.fact.members.history import Change, Known, Speaker, VersionsOverlap, planned
from factload.fact.members.said import said_of
from factload.fact.members.version_changes import VersionChanges
from factload.fact.members.version_choice import MembersToChange
from factload.fact.members.version_log import VersionLog
from factload.fact.members.version_reading import Told, held, spoken, told
from factload.fact.members.version_rows import VersionRows
from factload.fact.modes.publishing import DEFERRED_TRIGGERS_NOW
from factload.fact.modes.registry import mode_of
from factload.feed.model import Feed
from factload.ledger.member_changes import (
    MemberCounts,
    changes_of,
    forget_older,
    newer_loads,
    record_members,
)
from factload.ledger.tables import member_changes
from factload.load import Load

_AT_ONCE = 10_000  # members


def give_versions(connection: Connection, load: Load, feed: Feed, fact: Table) -> int:
    """Give the members that staged rows belong to versions which say what these rows do, from the load's period on, and
    the rows the surrogate keys of these versions; returns how many rows got another.

    Nobody else may change a staged row any more. Raises ``ReconciliationError`` where a member has
    something else then, ``RowsRefused`` where two versions of one are valid at once, and ``TransientError`` when
    members are locked for too long.
    """
    if not feed.versioned_dimensions:
        return 0
    staging = mode_of(feed.fact).staging_table(load, feed, fact)
    forget_older(connection, load.load_id, load.epoch)
    keep_others_out(connection, feed, feed.told_dimensions)
    counts, moved = {}, 0
    for name in feed.versioned_dimensions:
        rows = _rows_of(connection, load, feed, fact, name)
        rows.make()
        _ask_staged(rows, staging)
        counts[name] = _bring_about(rows)
        moved += rows.move_rows(staging)
        rows.drop()
    record_members(connection, load, counts, "")
    connection.execute(DEFERRED_TRIGGERS_NOW)
    return moved


def take_back_versions(
    connection: Connection, load: Load, undoes: int, feed: Feed, fact: Table, back: Table | None
) -> MemberCounts:
    """Give members the versions that they must have without what the attempt ``undoes`` said, and with what the rows in
    ``back`` say, which stand again.

    ``load``: the undo's own attempt. Raises ``FeedError`` where rows of other loads keep a version from having again
    what it had, or where the feed no longer has such a dimension; else as ``give_versions``.
    """
    changed = connection.execute(
        select(member_changes.c.dimension, member_changes.c.table_name)
        .distinct()
        .where(changes_of(load.load_id, undoes), member_changes.c.valid_after.is_not(None))
    ).all()
    for name, table_name in changed:
        _require_dimension(load, feed, name, table_name)
    if not feed.versioned_dimensions:
        return {}
    keep_others_out(connection, feed, feed.told_dimensions)
    counts = {}
    for name in feed.versioned_dimensions:
        rows = _rows_of(connection, load, feed, fact, name)
        rows.make()
        _give_back(rows, undoes)
        if back is not None:
            _ask_kept(rows, back)
        counts[name] = _bring_about(rows)
        counts[name] = {**counts[name], "updated": VersionLog(rows).changed()}
        rows.drop()
    connection.execute(DEFERRED_TRIGGERS_NOW)
    return counts


def _rows_of(connection: Connection, load: Load, feed: Feed, fact: Table, name: str) -> VersionRows:
    fills = tuple(column for column, source in feed.fact.columns.items() if source.dimension == name)
    table = dimension_table(connection, name, feed.dimensions[name])
    return VersionRows(connection, load, feed, fact, name, table, fills)


def _ask_staged(rows: VersionRows, staging: Table) -> None:
    asked = said_of(rows.load, rows.name, staging.c[rows.fills[0]], rows.asked.c.surrogate.type)
    rows.connection.execute(insert(rows.asked).from_select(["surrogate", "said"], asked))


def _ask_kept(rows: VersionRows, back: Table) -> None:
    column = back.c[rows.fills[0]]
    member = rows.table.alias("member")
    surrogate = rows.surrogate(member)
    belong = select(1).select_from(back).where(column == cast(surrogate, column.type)).exists()
    asked = select(surrogate, rows.said_by(member)).where(belong)
    rows.connection.execute(insert(rows.asked).from_select(["surrogate", "said"], asked))


def _bring_about(rows: VersionRows) -> Mapping[str, int]:
    """Make the versions what they must be, by what was asked of them."""
    members = MembersToChange(rows).choose()
    counts: Mapping[str, int] = {"updated": 0, "left": 0, "added": 0}
    if members:
        rows.lock()
        changes = VersionChanges(rows)
        newer = _newer(rows)
        for first in range(1, members + 1, _AT_ONCE):
            last = min(first + _AT_ONCE - 1, members)
            some = list(told(rows, first, last))
            of_newer = spoken(rows, first, last, newer) if newer else {}
            known = Known(of_newer, bool(newer), held(rows, _ours(rows, some)))
            changes.note((one, _planned(rows, one, known)) for one in some)
        rows.know(rows.changes)
        counts = changes.carry_out()
        rows.keep_silent()
    rows.require_said()
    return counts


def _newer(rows: VersionRows) -> dict[Any, Speaker]:
    """The loads of newer periods that readers see, by what the load column holds."""
    column = rows.fact.c[rows.feed.fact.load_column or ""]
    return {
        load_key(column, load_id): Speaker(load_id, datetime.combine(period, time()))
        for load_id, period in newer_loads(rows.connection, rows.load).items()
    }


def _ours(rows: VersionRows, some: Sequence[Told]) -> list[str]:
    """The versions that may get other attributes, if no rows of other loads belong to them."""
    return [
        version.key
        for one in some
        if one.said is not None
        for version in one.versions
        if version.key is not None
        and version.owner is not None
        and (version.owner.load_id == rows.load.load_id or not version.owner.published)
    ]


def _planned(rows: VersionRows, one: Told, known: Known) -> list[Change]:
    load = Speaker(rows.load.load_id, datetime.combine(rows.load.period_date, time()))
    try:
        return planned(one.versions, load, one.said, known)
    except VersionsOverlap:
        raise RowsRefused(
            "dimension_overlap",
            f"versions of a member of {rows.dimension.table} that {rows.load.load_id} speaks of are valid at the same "
            "time",
            expected=f"each {', '.join(rows.dimension.business_key)} once at any moment",
            remedy="Nothing was changed. Correct the dimension; then run the load again",
        ) from None


def _give_back(rows: VersionRows, undoes: int) -> None:
    """Give versions the attributes that they had before the attempt ``undoes``."""
    changes, table = member_changes.alias("undone"), rows.table
    same = rows.surrogate(table) == cast(changes.c.surrogate, rows.surrogate(table).type)
    undone = (
        (changes.c.load_id == rows.load.load_id)
        & (changes.c.epoch == undoes)
        & (changes.c.dimension == rows.name)
        & (changes.c.valid_before.is_not(None))
        & (changes.c.before != changes.c.after)
    )
    surrogates = list(rows.connection.scalars(select(changes.c.surrogate).where(undone)))
    if not surrogates:
        return
    owner = rows.owners()
    own = (owner.c.load_id == rows.load.load_id) | ~owner.c.published
    as_left = (
        select(func.count())
        .select_from(table.join(changes, same).join(owner, owner.c.surrogate == changes.c.surrogate))
        .where(undone, rows.said_by(table) == changes.c.after, own)
    )
    if rows.connection.scalar(as_left) != len(surrogates) or held(rows, surrogates):
        raise FeedError(
            "undo_versions",
            f"{rows.load.load_id} can't be undone: it gave versions of members of {rows.dimension.table} other "
            "attributes, and since then rows of other loads belong to them, or rows that are kept for the undo of "
            "such, or somebody has changed them",
            expected="versions as the load left them, that no other rows belong to",
            remedy="Nothing was undone. Load the workbook that is to stand",
        )
    VersionLog(rows).note_given_back(changes, undone)
    values = {table.c[name]: value_of(changes.c.before, table.c[name]) for name in rows.attributes}
    rows.connection.execute(update(table).values(values).where(same, undone))


def _require_dimension(load: Load, feed: Feed, name: str, table_name: str) -> None:
    if name in feed.versioned_dimensions and feed.dimensions[name].table == table_name:
        return
    raise no_dimension(
        load,
        f"gave members of {table_name} new versions",
        f"{name} with `on_change: new_version` on that table",
    )
