"""Fields of a feed that are given by ranges of periods: a list whose entries say from which period on they count.

Each range of periods has a feed of its own, plain and validated as a whole. What loads, checks or shows a period takes
that one (``Feed.at``), and knows nothing of ranges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from factload.errors import FeedError
from factload.feed.part import CrossFieldError

Place = tuple[str, ...]
PlainFeed = TypeVar("PlainFeed")
FROM = "from"
# Where a feed may have ranges; a star is any name that the feed chose.
BY_PERIOD: tuple[Place, ...] = (
    *(
        ("workbook", name)
        for name in ("path", "sheet", "table", "range", "ends", "skip_rows", "unpivot", "csv")
    ),
    ("dimensions", "*", "column"),
    ("dimensions", "*", "as_of", "date"),
    ("fact", "columns", "*", "column"),
    ("witness",),
)
# What every entry has to say.
NEVER_WITHOUT: tuple[Place, ...] = (("workbook", "path"), ("dimensions", "*", "column"))
_FACT_COLUMN = ("fact", "columns", "*", "column")  # without it the table's column is not filled


@dataclass(frozen=True, slots=True)
class Entry:
    """What a field says from a period on; None: from the first on. ``value``: None if it is as if it were not there."""

    since: date | None
    value: object


@dataclass(frozen=True, slots=True)
class Ranges:
    """A field that is given by ranges of periods, and its entries, ascending. ``fills``: whether it is what fills a
    column of the fact table, which is no column of the feed without it."""

    place: Place
    entries: Sequence[Entry]
    fills: bool = False

    @property
    def begins(self) -> date:
        """The first period of which it says anything."""
        return self.entries[0].since or date.min

    def value_at(self, period: date) -> object:
        """What counts for a period, of which it says something."""
        return [entry.value for entry in self.entries if entry.since is None or entry.since <= period][-1]


@dataclass(frozen=True, slots=True)
class ByPeriod(Generic[PlainFeed]):
    """The plain feeds of the feed ``name``, each with its first period, ascending; and the field that begins last."""

    name: str
    feeds: Sequence[tuple[date, PlainFeed]]
    last_to_begin: Ranges

    def at(self, period: date) -> PlainFeed:
        """The feed of a period; raises ``FeedError`` for one before the first."""
        found = [feed for since, feed in self.feeds if since <= period]
        if found:
            return found[-1]
        field, begins = ".".join(self.last_to_begin.place), self.last_to_begin.begins
        raise FeedError(
            "period_uncovered",
            f"the feed {self.name} does not say `{field}` for {period}: its first entry is from {begins}",
            expected=f"a period from {begins} on",
            remedy="Add an entry for earlier periods, or leave out `from` in the first one",
        )


def ranges_in(document: Mapping[str, Any]) -> list[Ranges]:
    """The fields that are given by ranges; raises ``CrossFieldError`` for entries that don't ascend or say nothing."""
    return [
        Ranges(place, tuple(_entries(place, value, needed=pattern in NEVER_WITHOUT)), pattern == _FACT_COLUMN)
        for pattern in BY_PERIOD
        for place, value in _found(document, pattern, ())
        if _is_by_period(value, place[-1])
    ]


def first_periods(ranges: Sequence[Ranges]) -> list[date]:
    """Where another plain feed begins to count, ascending; the first is where every field says something."""
    first = max(field.begins for field in ranges)
    later = {
        entry.since for field in ranges for entry in field.entries if entry.since and entry.since > first
    }
    return [first, *sorted(later)]


def plain(document: Mapping[str, Any], ranges: Sequence[Ranges], period: date) -> dict[str, Any]:
    """The feed's document as it counts for a period."""
    made = dict(document)
    for field in ranges:
        value = field.value_at(period)
        *parents, name = field.place[:-1] if value is None and field.fills else field.place
        part = made
        for parent in parents:
            part[parent] = part = copy(part[parent])
        if value is None:
            del part[name]
        else:
            part[name] = value
    return made


def _found(part: object, pattern: Place, at: Place) -> Iterator[tuple[Place, object]]:
    if not pattern:
        yield at, part
    elif isinstance(part, Mapping):
        names = part if pattern[0] == "*" else {pattern[0]} & part.keys()
        for name in list(names):
            yield from _found(part[name], pattern[1:], (*at, name))


def _is_by_period(value: object, name: str) -> bool:
    return isinstance(value, list) and any(
        isinstance(entry, Mapping) and (FROM in entry or name in entry) for entry in value
    )


def _entries(place: Place, value: object, *, needed: bool) -> Iterator[Entry]:
    name, before = place[-1], None
    for number, entry in enumerate(value if isinstance(value, list) else []):
        at: tuple[str | int, ...] = (*place, number)
        said = (
            f"expected `{FROM}` and `{name}`, such as {{{FROM}: 2019-01-01, {name}: …}}; in the first entry "
        )
        if not isinstance(entry, Mapping) or name not in entry or entry.keys() - {FROM, name}:
            raise CrossFieldError(f"{said}`{FROM}` may be left out", *at)
        since = entry.get(FROM)
        if since is None and not (number == 0 and FROM not in entry):
            raise CrossFieldError(
                f"{said}alone it may be left out: from which period on does this one count?", *at
            )
        if since is not None and (not isinstance(since, date) or isinstance(since, datetime)):
            raise CrossFieldError(f"expected a date such as 2019-01-01 (found {since!r})", *at, FROM)
        if since is not None and before is not None and since <= before:
            which = "twice" if since == before else f"after {before}"
            raise CrossFieldError(
                f"has {since} {which}: entries stand in the order of their periods, one for each", *at, FROM
            )
        if entry[name] is None and needed:
            raise CrossFieldError(f"says nothing: expected a `{name}` in every entry", *at, name)
        before = since
        yield Entry(since, entry[name])
