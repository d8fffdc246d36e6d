"""Which members are to be looked at: those whose versions are not yet as a load says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from factload.fact.members.version_rows import VersionRows
from factload.ledger.member_changes import changes_of
from factload.ledger.tables import loads, member_changes, member_versions


@dataclass(frozen=True, slots=True)
class MembersToChange:
    """Of those that rows of the load in ``rows`` belong to, or did before."""

    rows: VersionRows

    def choose(self) -> int:
        """Find the members whose versions are not yet as the load says, or as they must be when it says nothing of them
        any more; how many they are. Versions that are, and begin with a later load, begin with this one from now on."""
        self.rows.know(self.rows.asked)
        self._take_over()
        found = union(self._differing(), self._unsaid(), self._given_back()).subquery("found")
        *keys, said = found.c
        once = select(*keys, said).ext(distinct_on(*keys)).order_by(*keys, said.nulls_last())
        chosen = once.subquery("chosen")
        numbered = select(func.row_number().over(order_by=list(chosen.c)[:-1]), *chosen.c)
        members = self.rows.connection.execute(
            insert(self.rows.members).from_select(list(self.rows.members.c.keys()), numbered)
        ).rowcount
        self.rows.know(self.rows.members)
        return members

    def _keys(self, versions: FromClause) -> list[ColumnElement[Any]]:
        return [versions.c[name] for name in self.rows.dimension.business_key]

    def _differing(self) -> Select[Any]:
        """The members whose version on the load's period says something else, or isn't there."""
        member, now = self.rows.table.alias("member"), self.rows.table.alias("now")
        valid = self.rows.same_member(now, member) & self.rows.valid(now)
        there = self.rows.asked.join(
            member, self.rows.surrogate(member) == self.rows.asked.c.surrogate
        ).outerjoin(now, valid)
        differs = self.rows.surrogate(now).is_(None) | (self.rows.said_by(now) != self.rows.asked.c.said)
        return select(*self._keys(member), self.rows.asked.c.said).select_from(there).where(differs)

    def _unsaid(self) -> Select[Any]:
        """Those of which a version begins with the load, and that it says nothing of."""
        member, other, own = (
            self.rows.table.alias("member"),
            self.rows.table.alias("other"),
            member_versions.c,
        )
        said = select(literal(1)).where(
            self.rows.asked.c.surrogate == self.rows.surrogate(other), self.rows.same_member(other, member)
        )
        return (
            select(*self._keys(member), cast(null(), JSONB))
            .join(
                member_versions,
                self.rows.surrogate(member) == cast(own.surrogate, self.rows.surrogate(member).type),
            )
            .where(
                own.load_id == self.rows.load.load_id,
                own.dimension == self.rows.name,
                ~own.unsaid,
                ~said.exists(),
            )
        )

    def _given_back(self) -> Select[Any]:
        """Those of which a version has other attributes since this transaction began."""
        member, other, changed = (
            self.rows.table.alias("member"),
            self.rows.table.alias("other"),
            member_changes.c,
        )
        said = select(func.max(cast(self.rows.asked.c.said, Text))).where(
            self.rows.asked.c.surrogate == self.rows.surrogate(other), self.rows.same_member(other, member)
        )
        own = changes_of(self.rows.load.load_id, self.rows.load.epoch) & (changed.dimension == self.rows.name)
        same = self.rows.surrogate(member) == cast(changed.surrogate, self.rows.surrogate(member).type)
        return select(*self._keys(member), cast(said.scalar_subquery(), JSONB)).join(
            member_changes, own & same
        )

    def _take_over(self) -> None:
        own, now, member = member_versions.c, self.rows.table.alias("now"), self.rows.table.alias("member")
        later = (loads.c.period > self.rows.load.period_date) | loads.c.published_epoch.is_(None)
        of_others = (
            select(own.load_id, own.surrogate)
            .join(loads, loads.c.load_id == own.load_id)
            .where(
                loads.c.feed == self.rows.load.feed,
                own.dimension == self.rows.name,
                own.began.is_(None),
                ((own.load_id != self.rows.load.load_id) & later) | own.unsaid,
            )
            # Not looked up before they are known to be of this feed: other feeds' surrogate keys have other types.
            .cte("of_others")
            .prefix_with("MATERIALIZED")
        )
        self.rows.connection.execute(
            update(member_versions)
            .values(load_id=self.rows.load.load_id, unsaid=False)
            .where(
                own.load_id == of_others.c.load_id,
                own.dimension == self.rows.name,
                own.surrogate == of_others.c.surrogate,
                self.rows.surrogate(now) == cast(of_others.c.surrogate, self.rows.surrogate(now).type),
                self.rows.valid(now),
                self.rows.same_member(now, member),
                self.rows.surrogate(member) == self.rows.asked.c.surrogate,
                self.rows.said_by(now) == self.rows.asked.c.said,
            )
        )
