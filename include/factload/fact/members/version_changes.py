"""Versions of members changed and made as it was planned."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    FromClause,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)

from factload.dimension.said import value_of
from factload.fact.members.history import FOREVER, Change, Version
from factload.fact.members.version_log import VersionLog
from factload.fact.members.version_reading import Told
from factload.fact.members.version_rows import EMPTIED, MADE, OTHER, OWNER_ALONE, SHRUNK, VersionRows


def _place(before: Version | None, after: Version) -> int:
    """In which order a version is changed: those first that make room for others."""
    if before is None:
        return MADE
    if (before.begins, before.ends, before.said) == (after.begins, after.ends, after.said):
        return OWNER_ALONE
    if not after.lasts:
        return EMPTIED
    return SHRUNK if before.begins == after.begins and after.ends <= before.ends else OTHER


@dataclass(frozen=True, slots=True)
class VersionChanges:
    """What becomes of the versions in ``rows``."""

    rows: VersionRows

    def note(self, planned: Iterable[tuple[Told, Collection[Change]]]) -> None:
        """Put down what is to become of the versions of some members."""
        rows = [self._noted(told, change) for told, changes in planned for change in changes]
        if rows:
            self.rows.connection.execute(insert(self.rows.changes), rows)

    def _noted(self, told: Told, change: Change) -> dict[str, Any]:
        before, after = change.before, change.after
        ends = after.ends if after.ends == FOREVER else after.ends - self.rows.after_end
        return {
            "number": told.number,
            "place": _place(before, after),
            "takes": before.said != after.said if before else after.said == told.said,
            "surrogate": before and before.key,
            "like": change.like,
            "begins": _text(after.begins, told.texts),
            "ends": _text(ends, told.texts),
            "owner": after.owner and after.owner.load_id,
            "aside": None if change.aside is None else _text(change.aside, told.texts),
            "began": None if after.began is None else _text(after.began, told.texts),
        }

    def carry_out(self) -> dict[str, int]:
        """Change the versions as it was noted, and keep in the ledger what they were; returns how many were ``added``,
        and how many have other attributes (``updated``)."""
        log = VersionLog(self.rows)
        log.note_there()
        self._put_aside()
        for place in (EMPTIED, SHRUNK, OTHER):
            self._change(place)
        added = self._add()
        log.note_made()
        log.note_owners()
        self._require_carried_out()
        counted = select(func.count()).where(self.rows.changes.c.takes, self.rows.changes.c.place != MADE)
        updated = self.rows.connection.scalar(counted) or 0
        return {"updated": updated, "left": 0, "added": added}

    def _put_aside(self) -> None:
        """Let versions that are to begin at another moment have no time meanwhile: unique indexes and EXCLUDE
        constraints hold after each statement then."""
        table, changes, as_of = self.rows.table, self.rows.changes, self.rows.as_of
        begins, ends = table.c[as_of.valid_from], table.c[as_of.end]
        ended = cast(changes.c.aside, DateTime()) - self.rows.after_end
        self.rows.connection.execute(
            update(table)
            .values({begins: cast(changes.c.aside, begins.type), ends: cast(ended, ends.type)})
            .where(
                self.rows.surrogate(table) == cast(changes.c.surrogate, self.rows.surrogate(table).type),
                changes.c.aside.is_not(None),
            )
        )

    def _change(self, place: int) -> None:
        table, changes, members = self.rows.table, self.rows.changes, self.rows.members
        values: dict[Any, ColumnElement[Any]] = {
            table.c[name]: case(
                (changes.c.takes, value_of(members.c.said, table.c[name])), else_=table.c[name]
            )
            for name in self.rows.attributes
        }
        for column, text in self._bounds(table).items():
            values[column] = cast(text, column.type)
        self.rows.connection.execute(
            update(table)
            .values(values)
            .where(
                self.rows.surrogate(table) == cast(changes.c.surrogate, self.rows.surrogate(table).type),
                members.c.number == changes.c.number,
                changes.c.place == place,
            )
        )

    def _bounds(self, versions: FromClause) -> dict[Column[Any], ColumnElement[Any]]:
        """Validity columns → what they are to hold."""
        begins, ends = versions.c[self.rows.as_of.valid_from], versions.c[self.rows.as_of.end]
        return {begins: self.rows.changes.c.begins, ends: self.rows.changes.c.ends}  # type: ignore[dict-item]

    def _add(self) -> int:
        table, like, changes, members = (
            self.rows.table,
            self.rows.table.alias("like"),
            self.rows.changes,
            self.rows.members,
        )
        bounds = {column.name: text for column, text in self._bounds(table).items()}
        values: dict[str, ColumnElement[Any]] = {}
        for column in table.columns:
            if column.name in bounds:
                values[column.name] = cast(bounds[column.name], column.type)
            elif column.name in self.rows.attributes:
                told = value_of(members.c.said, column)
                values[column.name] = case((changes.c.takes, told), else_=like.c[column.name])
            elif column.name == self.rows.dimension.unmatched.inferred:
                values[column.name] = literal(value=True)
            elif column.name != self.rows.dimension.surrogate_key and not column.info["generated"]:
                values[column.name] = like.c[column.name]
        rows = (
            select(*values.values())
            .select_from(
                changes.join(members, members.c.number == changes.c.number).join(
                    like, self.rows.surrogate(like) == cast(changes.c.like, self.rows.surrogate(like).type)
                )
            )
            .where(changes.c.place == MADE)
            .order_by(changes.c.number, changes.c.begins)
        )
        return self.rows.connection.execute(insert(table).from_select(list(values), rows)).rowcount

    def _require_carried_out(self) -> None:
        table, changes = self.rows.table, self.rows.changes
        asked = select(func.count()).where(changes.c.place <= MADE)
        bounds = [
            column.is_not_distinct_from(cast(text, column.type))
            for column, text in self._bounds(table).items()
        ]
        there = (
            select(func.count()).select_from(self.rows.changed(table)).where(changes.c.place < MADE, *bounds)
        )
        made = select(func.count()).select_from(self.rows.made()).where(*bounds)
        wanted = self.rows.connection.scalar(asked) or 0
        found = (self.rows.connection.scalar(there) or 0) + (self.rows.connection.scalar(made) or 0)
        if found != wanted:
            raise self.rows.differ(wanted, found)


def _text(moment: datetime, texts: Mapping[datetime, str | None]) -> str | None:
    return texts[moment] if moment in texts else moment.isoformat(sep=" ")
