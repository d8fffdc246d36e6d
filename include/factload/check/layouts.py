"""Where the layout of workbooks drifts over a range of periods: columns and sheets that are new, gone or renamed.

Headers alone are looked at; nothing is loaded, and no database is asked.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from factload.check.findings import Problems
from factload.errors import FactloadError, FeedError, WorkbookError
from factload.feed.model import Feed
from factload.load import SourceFile
from factload.settings import is_url
from factload.sheet.field import SheetField
from factload.sheet.header import best_header
from factload.sheet.names import as_seen
from factload.sheet.placing import header_names
from factload.sheet.sheets import EVERY, SheetPart, choose
from factload.sheet.source import Source, open_source
from factload.split.all_workbooks import named, origins
from factload.split.fields import sheet_fields
from factload.split.sources import find_workbooks, openable, placed, read_sources

MOST_URLS = 400  # that are asked for
_LIKENESS = 0.6  # from 0 to 1
_A_DAY = timedelta(days=1)
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """How the workbooks of a period differ from those before them.

    ``renamed``: a name before → the name now of a column that the feed knows by both. ``alike``: a column that is gone
    → a new one that may be the same. ``problems``: why a load of the period would be refused.
    """

    period: date
    workbook: str
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    renamed: Pairs = ()
    alike: Pairs = ()
    new_sheets: tuple[str, ...] = ()
    gone_sheets: tuple[str, ...] = ()
    problems: tuple[FactloadError, ...] = ()

    @property
    def drifts(self) -> bool:
        """Whether there is anything to say."""
        return bool(
            self.new or self.gone or self.renamed or self.new_sheets or self.gone_sheets or self.problems
        )

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        return {
            "period": self.period.isoformat(),
            "workbook": self.workbook,
            **{name: list(getattr(self, name)) for name in ("new", "gone", "new_sheets", "gone_sheets")},
            **{name: dict(getattr(self, name)) for name in ("renamed", "alike")},
            "problems": [{"code": problem.code, "message": str(problem)} for problem in self.problems],
        }


@dataclass(slots=True)
class _Layout:
    """The columns and sheets of one period: ``columns`` as they are compared → as written; ``read``: field → the column
    that it is read from, as it is compared."""

    columns: dict[str, str] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)
    sheets: dict[str, None] = field(default_factory=dict)


def layout_drift(feed: Feed, first: date, last: date) -> Iterator[Drift]:
    """The periods from ``first`` to ``last``, both included, that have workbooks, each compared with the one before it.

    Where several periods have the same workbooks, it is the first of them. Raises ``FeedError`` for days that the feed
    says nothing of, and for more URLs than are asked for; ``WorkbookError`` where no period has a workbook.
    """
    before: _Layout | None = None
    for period, path in _periods(feed, first, last):
        problems = Problems()
        now = _layout(feed.at(period), path, problems)
        yield _compared(before or now, now, period, path, problems.found)
        before = now
    if before is None:
        raise WorkbookError(
            "workbook_missing",
            f"no period from {first} to {last} has a workbook: the feed looks for {feed.workbook.path}",
            expected="one at least",
            remedy="Correct `workbook.path`, or name other periods",
        )


def _periods(feed: Feed, first: date, last: date) -> Iterator[tuple[date, str]]:
    """Each period that has workbooks, and their path."""
    seen: set[tuple[int, str]] = set()
    urls = 0
    for number in range((last - first).days + 1):
        period = first + number * _A_DAY
        of_period = feed.at(period)
        path = of_period.workbook.for_period(period)
        if (id(of_period), path) in seen:
            continue
        seen.add((id(of_period), path))
        urls += is_url(placed(path))
        if urls > MOST_URLS:
            raise FeedError(
                "periods_too_many",
                f"the periods from {first} to {last} have more than {MOST_URLS} URLs",
                expected=f"at most {MOST_URLS} to ask for",
                remedy="Name fewer periods",
            )
        if _is_there(path):
            yield period, path


def _is_there(path: str) -> bool:
    try:
        find_workbooks(path)
    except WorkbookError as error:
        if error.code != "workbook_missing":
            raise
        return False
    return True


def _layout(feed: Feed, path: str, problems: Problems) -> _Layout:
    found = _Layout()
    with problems.noted():
        sources = read_sources(path)
        for source, origin in zip(sources, origins(sources), strict=True):
            with problems.noted(), named(origin):
                _add_workbook(found, feed, source, problems)
    return found


def _add_workbook(found: _Layout, feed: Feed, file: SourceFile, problems: Problems) -> None:
    book, fields = feed.workbook, sheet_fields(feed)
    with open_source(openable(file), csv=book.csv_dialect, cells=feed.cells) as source:
        for part in choose(source.sheets, book.sheet):
            if book.sheet == EVERY and source.is_empty(part):
                continue
            found.sheets[part.name] = None
            with problems.noted():
                names, read = _header(source, part, fields, problems)
                found.columns |= {_compared_as(name): name for name in names.values()}
                found.read |= {name: _compared_as(names[index]) for name, index in read.items()}


def _header(
    source: Source, part: SheetPart, fields: Sequence[SheetField], problems: Problems
) -> tuple[Mapping[int, str], Mapping[str, int]]:
    """A sheet's names by column, and field → the column that it is read from."""
    try:
        rows = source.rows(part, fields, 1)
    except WorkbookError as error:
        problems.note(error)
        header = best_header(
            source.first_rows(part), header_names(fields, source.cells.unpivot), source.calendar
        )
        return (header.names if header else {}), {}
    placed = zip(rows.placing.fields, rows.placing.placed, strict=True)
    return rows.header.names, {field.name: index for field, index in placed if index > 0}


def _compared_as(name: str) -> str:
    return as_seen(name).casefold()


def _compared(
    before: _Layout, now: _Layout, period: date, path: str, problems: Sequence[FactloadError]
) -> Drift:
    new = {key: name for key, name in now.columns.items() if key not in before.columns}
    gone = {key: name for key, name in before.columns.items() if key not in now.columns}
    renamed = {
        (was, now.read[name])
        for name, was in before.read.items()
        if was in gone and now.read.get(name) in new
    }
    for was, one in renamed:
        gone.pop(was, None)
        new.pop(one, None)
    alike = {was: difflib.get_close_matches(was, new, 1, _LIKENESS) for was in gone}
    return Drift(
        period,
        path,
        tuple(new.values()),
        tuple(gone.values()),
        tuple((before.columns[was], now.columns[one]) for was, one in sorted(renamed)),
        tuple((gone[was], new[found[0]]) for was, found in alike.items() if found),
        tuple(name for name in now.sheets if name not in before.sheets),
        tuple(name for name in before.sheets if name not in now.sheets),
        tuple(problems),
    )
