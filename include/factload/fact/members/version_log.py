"""What the ledger keeps of versions that are changed and made: what they had, and which load they begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
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

from factload.fact.members.version_rows import EMPTIED, MADE, VersionRows
from factload.ledger.member_changes import CHANGE, changes_of, of_attempt
from factload.ledger.tables import loads, member_changes, member_versions

_LOGGED = [*CHANGE, "valid_before", "valid_after"]


@dataclass(frozen=True, slots=True)
class VersionLog:
    """Of the versions in ``rows``, by what ``VersionRows.changes`` says becomes of them."""

    rows: VersionRows

    def note_there(self) -> None:
        """Note what the versions that are to be changed have, and are to have."""
        there, changes, members = self.rows.table, self.rows.changes, self.rows.members
        rows = (
            select(
                *self._logged(there),
                self.rows.said_by(there),
                case((changes.c.takes, members.c.said), else_=self.rows.said_by(there)),
                self._validity(there),
                _validity_of(changes.c.begins, changes.c.ends),
            )
            .select_from(self.rows.changed(there))
            .where(changes.c.place < MADE)
        )
        noted = upsert(member_changes).from_select(_LOGGED, rows)
        again = {name: noted.excluded[name] for name in ("after", "valid_after")}
        key = ["load_id", "epoch", "dimension", "surrogate"]
        self.rows.connection.execute(noted.on_conflict_do_update(index_elements=key, set_=again))

    def note_made(self) -> None:
        """Note the versions that were made, and which load they begin with."""
        made, table = self.rows.made(), self.rows.table
        empty = cast(literal("{}"), JSONB)
        rows = select(
            *self._logged(table),
            empty,
            self.rows.said_by(table),
            cast(null(), JSONB),
            self._validity(table),
        ).select_from(made)
        self.rows.connection.execute(insert(member_changes).from_select(_LOGGED, rows))
        owned = select(
            self.rows.changes.c.owner, literal(self.rows.name), cast(self.rows.surrogate(table), Text)
        ).select_from(made)
        columns = ["load_id", "dimension", "surrogate"]
        self.rows.connection.execute(insert(member_versions).from_select(columns, owned))

    def note_owners(self) -> None:
        """Note which load each version begins with from now on."""
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
        ).where(changes.c.began.is_not(None), changes.c.place == EMPTIED)
        noted = upsert(member_versions).from_select(["load_id", "dimension", "surrogate", "began"], replaced)
        self.rows.connection.execute(
            noted.on_conflict_do_update(
                index_elements=["load_id", "dimension", "surrogate"],
                set_={"began": noted.excluded.began, "unsaid": False},
            )
        )

    def changed(self) -> int:
        """How many versions the attempt has changed, those that it made left out."""
        own = changes_of(self.rows.load.load_id, self.rows.load.epoch) & (
            member_changes.c.dimension == self.rows.name
        )
        there = own & member_changes.c.valid_before.is_not(None)
        return self.rows.connection.scalar(select(func.count()).where(there)) or 0

    def note_given_back(self, undone: FromClause, which: ColumnElement[bool]) -> None:
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
        self.rows.connection.execute(insert(member_changes).from_select(_LOGGED, rows))

    def _logged(self, versions: FromClause) -> list[ColumnElement[Any]]:
        rows = self.rows
        return of_attempt(rows.load, rows.name, rows.dimension.table, rows.surrogate(versions))

    def _validity(self, versions: FromClause) -> ColumnElement[Any]:
        begins, ends = versions.c[self.rows.as_of.valid_from], versions.c[self.rows.as_of.end]
        return _validity_of(cast(begins, Text), cast(ends, Text))


def _validity_of(begins: ColumnElement[Any], ends: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.jsonb_build_object(literal("from", Text()), begins, literal("to", Text()), ends, type_=JSONB)
