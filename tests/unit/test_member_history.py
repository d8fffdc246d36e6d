"""The versions of a member, planned out of values: whatever order loads come in, the same history comes out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

import pytest

from factload.fact.members.history import ALWAYS, FOREVER, Known, Speaker, Version, VersionsOverlap, planned


def day(number: int) -> datetime:
    return datetime(2026, 1, 1) + timedelta(days=10 * number)


@dataclass
class Member:
    """A member's versions, and which of them the rows of each published load belong to."""

    versions: dict[str, Version] = field(default_factory=dict)
    rows: dict[int, str] = field(default_factory=dict)

    def load(self, period: int, said: int | None) -> None:
        """Publish a load, again or for the first time, which says ``said``."""
        load = Speaker(f"load {period}", day(period))
        if not self.versions:
            self.versions["1"] = Version("1", ALWAYS, FOREVER, said or 0, load)
        now = self.at(load.period)
        if said is not None and now.said == said:
            if now.owner is not None and now.owner.period > load.period:
                self.versions[now.key or ""] = replace(now, owner=load)
        else:
            newer = defaultdict(list)
            for other, key in self.rows.items():
                if other > period:
                    newer[key].append(Speaker(f"load {other}", day(other)))
            held = {key for other, key in self.rows.items() if other != period}
            for change in planned(list(self.versions.values()), load, said, Known(newer, bool(newer), held)):
                key = change.after.key or str(len(self.versions) + 1)
                self.versions[key] = replace(change.after, key=key)
        self.rows.pop(period, None)
        if said is not None:
            self.rows[period] = self.at(load.period).key or ""

    def at(self, moment: datetime) -> Version:
        [found] = [version for version in self.versions.values() if version.valid_at(moment)]
        return found

    @property
    def history(self) -> list[tuple[datetime, datetime, int]]:
        """Who says the same one after the other counts once."""
        found: list[tuple[datetime, datetime, int]] = []
        for version in sorted(self.versions.values(), key=lambda version: version.begins):
            if version.lasts and found and found[-1][2] == version.said:
                found[-1] = (found[-1][0], version.ends, version.said)
            elif version.lasts:
                found.append((version.begins, version.ends, version.said))
        return found


def wanted(said: dict[int, int]) -> list[tuple[datetime, datetime, int]]:
    found: list[tuple[datetime, datetime, int]] = []
    for period, value in sorted(said.items()):
        if not found:
            found = [(ALWAYS, FOREVER, value)]
        elif found[-1][2] != value:
            found[-1] = (found[-1][0], day(period), found[-1][2])
            found.append((day(period), FOREVER, value))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_versions_are_what_published_loads_say_in_whatever_order_they_come_and_are_corrected(
    seed: int,
) -> None:
    random, member, said = Random(seed), Member(), dict[int, int]()  # noqa: S311 - no secret
    for _ in range(25):
        period, value = random.randrange(1, 8), random.choice([0, 1, 2])
        if period in said and len(said) > 1 and random.random() < 0.2:
            member.load(period, None)
            del said[period]
        else:
            member.load(period, value)
            said[period] = value
        assert member.history == wanted(said)
        assert {period: member.versions[key].said for period, key in member.rows.items()} == said
        begins = [version.begins for version in member.versions.values()]
        assert len(set(begins)) == len(begins)


def test_periods_in_their_order_make_a_version_for_each_change_and_keep_rows_within_it() -> None:
    member = Member()
    for period, value in enumerate((0, 0, 1, 1, 0), 1):
        member.load(period, value)
    assert len(member.versions) == 3
    assert all(member.versions[key].valid_at(day(period)) for period, key in member.rows.items())


def test_versions_that_overlap_are_refused() -> None:
    overlapping = [Version("1", ALWAYS, day(3), 0), Version("2", day(2), FOREVER, 1)]
    with pytest.raises(VersionsOverlap):
        planned(overlapping, Speaker("load 5", day(5)), 2, Known())
