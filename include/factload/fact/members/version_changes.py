"""Versions of members changed and made as it was planned, and kept in the ledger as they were."""

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
    Text,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from factload.dimension.said import value_of
from factload.fact.members.history import FOREVER, Change, Version
from factload.fact.members.version_reading import Told
from factload.fact.members.version_rows import VersionRows
from factload.ledger.member_changes import changes_of
from factload.ledger.tables import loads, member_changes, member_versions

_EMPTIED, _SHRUNK, _OTHER, _MADE, _OWNER_ALONE = range(5)
_LOGGED = (
    "load_id",
    "epoch",
    "dimension",
    "table_name",
    "surrogate",
    "before",
    "after",
    "valid_before",
    "valid_after",
)


def _validity_of(begins: ColumnElement[Any], ends: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.jsonb_build_object(literal("from", Text()), begins, literal("to", Text()), ends, type_=JSONB)


def _place(before: Version | None, after: Version) -> int:
    """In which order a version is changed: those first that make room for others."""
    if before is None:
        return _MADE
    if (before.begins, before.ends, before.said) == (after.begins, after.ends, after.said):
        return _OWNER_ALONE
    if not after.lasts:
        return _EMPTIED
    return _SHRUNK if before.begins == after.begins and after.ends <= before.ends else _OTHER


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
        self._log_there()
        self._put_aside()
        for place in (_EMPTIED, _SHRUNK, _OTHER):
            self._change(place)
        added = self._add()
        self._log_made()
        self._record_owners()
        self._require_carried_out()
        counted = select(func.count()).where(self.rows.changes.c.takes, self.rows.changes.c.place != _MADE)
        updated = self.rows.connection.scalar(counted) or 0
        return {"updated": updated, "left": 0, "added": added}

    def _log_there(self) -> None:
        there, changes, members = self.rows.table, self.rows.changes, self.rows.members
        rows = (
            select(
                *self._logged(there),
                self.rows.said_by(there),
                case((changes.c.takes, members.c.said), else_=self.rows.said_by(there)),
                self._validity(there),
                _validity_of(changes.c.begins, changes.c.ends),
            )
            .select_from(self._changed(there))
            .where(changes.c.place < _MADE)
        )
        noted = upsert(member_changes).from_select(list(_LOGGED), rows)
        again = {name: noted.excluded[name] for name in ("after", "valid_after")}
        key = ["load_id", "epoch", "dimension", "surrogate"]
        self.rows.connection.execute(noted.on_conflict_do_update(index_elements=key, set_=again))

    def changed(self) -> int:
        """How many versions the attempt has changed, those that it made left out."""
        own = changes_of(self.rows.load.load_id, self.rows.load.epoch) & (
            member_changes.c.dimension == self.rows.name
        )
        there = own & member_changes.c.valid_before.is_not(None)
        return self.rows.connection.scalar(select(func.count()).where(there)) or 0

    def log_given_back(self, undone: FromClause, which: ColumnElement[bool]) -> None:
        """Note that versions get again what they had before these changes, rows of the ledger's."""
        there = self.rows.table
        same = self.rows.surrogate(there) == cast(undone.c.surrogate, self.rows.surrogate(there).type)
        rows = (
            select(
                *self._logged(there),
                undone.c.after,
                undone.c.before,
                self._validity(there),
                self._validity(there),
            )
            .select_from(there.join(undone, same))
            .where(which)
        )
        self.rows.connection.execute(insert(member_changes).from_select(list(_LOGGED), rows))

    def _logged(self, versions: FromClause) -> list[ColumnElement[Any]]:
        return [
            literal(self.rows.load.load_id),
            literal(self.rows.load.epoch),
            literal(self.rows.name),
            literal(self.rows.dimension.table),
            cast(self.rows.surrogate(versions), Text),
        ]

    def _validity(self, versions: FromClause) -> ColumnElement[Any]:
        begins, ends = versions.c[self.rows.as_of.valid_from], versions.c[self.rows.as_of.end]
        return _validity_of(cast(begins, Text), cast(ends, Text))

    def _changed(self, versions: FromClause) -> FromClause:
        """Versions that are there, with their change and their member."""
        changes = self.rows.changes
        same = self.rows.surrogate(versions) == cast(changes.c.surrogate, self.rows.surrogate(versions).type)
        return versions.join(changes, same).join(
            self.rows.members, self.rows.members.c.number == changes.c.number
        )

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
            .where(changes.c.place == _MADE)
            .order_by(changes.c.number, changes.c.begins)
        )
        return self.rows.connection.execute(insert(table).from_select(list(values), rows)).rowcount

    def _made(self) -> FromClause:
        """The versions that were made, with their change."""
        begins = self.rows.table.c[self.rows.as_of.valid_from]
        return self.rows.table.join(
            self.rows.members, self.rows.same_member(self.rows.table, self.rows.members)
        ).join(
            self.rows.changes,
            (self.rows.changes.c.number == self.rows.members.c.number)
            & (self.rows.changes.c.place == _MADE)
            & begins.is_not_distinct_from(cast(self.rows.changes.c.begins, begins.type)),
        )

    def _log_made(self) -> None:
        made, table = self._made(), self.rows.table
        empty = cast(literal("{}"), JSONB)
        rows = select(
            *self._logged(table),
            empty,
            self.rows.said_by(table),
            cast(null(), JSONB),
            self._validity(table),
        ).select_from(made)
        self.rows.connection.execute(insert(member_changes).from_select(list(_LOGGED), rows))
        owned = select(
            self.rows.changes.c.owner, literal(self.rows.name), cast(self.rows.surrogate(table), Text)
        ).select_from(made)
        columns = ["load_id", "dimension", "surrogate"]
        self.rows.connection.execute(insert(member_versions).from_select(columns, owned))

    def _record_owners(self) -> None:
        changes, own = self.rows.changes, member_versions.c
        of_feed = select(loads.c.load_id).where(loads.c.feed == self.rows.load.feed)
        self.rows.connection.execute(
            update(member_versions)
            .values(load_id=changes.c.owner, unsaid=False)
            .where(
                own.dimension == self.rows.name,
                own.surrogate == changes.c.surrogate,
                own.load_id.in_(of_feed),
                changes.c.owner.is_not(None),
            )
        )
        replaced = select(
            literal(self.rows.load.load_id), literal(self.rows.name), changes.c.surrogate, changes.c.began
        ).where(changes.c.began.is_not(None), changes.c.place == _EMPTIED)
        noted = upsert(member_versions).from_select(["load_id", "dimension", "surrogate", "began"], replaced)
        self.rows.connection.execute(
            noted.on_conflict_do_update(
                index_elements=["load_id", "dimension", "surrogate"],
                set_={"began": noted.excluded.began, "unsaid": False},
            )
        )

    def _require_carried_out(self) -> None:
        table, changes = self.rows.table, self.rows.changes
        asked = select(func.count()).where(changes.c.place <= _MADE)
        bounds = [
            column.is_not_distinct_from(cast(text, column.type))
            for column, text in self._bounds(table).items()
        ]
        there = select(func.count()).select_from(self._changed(table)).where(changes.c.place < _MADE, *bounds)
        made = select(func.count()).select_from(self._made()).where(*bounds)
        wanted = self.rows.connection.scalar(asked) or 0
        found = (self.rows.connection.scalar(there) or 0) + (self.rows.connection.scalar(made) or 0)
        if found != wanted:
            raise self.rows.differ(wanted, found)


def _text(moment: datetime, texts: Mapping[datetime, str | None]) -> str | None:
    return texts[moment] if moment in texts else moment.isoformat(sep=" ")
