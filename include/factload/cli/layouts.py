"""``factload check --from --to``: where the layout of a feed's workbooks drifts, on the terminal or as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from factload.errors import FeedError

if TYPE_CHECKING:
    from factload.check.layouts import Drift


def check_layouts(options: argparse.Namespace) -> int:
    """Print what changes from period to period; the exit status is 3 where a load would be refused for it."""
    from factload.check.layouts import layout_drift
    from factload.feed.file import read_feed

    first, last = options.first, options.last or datetime.now(UTC).date()
    if first is None or options.period or options.workbook or last < first:
        raise FeedError(
            "periods_invalid",
            "`--from` and `--to` name the first and the last of several periods",
            expected="`--from` a day that is not after `--to`, without `--period` and `--workbook`",
        )
    found = layout_drift(read_feed(options.feed), first, last)
    if options.json:
        drifts = list(found)
        print(json.dumps([drift.to_json() for drift in drifts]))
    else:
        drifts = list(_shown(found))
    return 3 if any(drift.problems for drift in drifts) else 0


def _shown(drifts: Iterator[Drift]) -> Iterator[Drift]:
    from factload.cli.console import new_console, write_heading, write_line

    console, periods, other = new_console(), 0, 0
    for drift in drifts:
        periods += 1
        if drift.drifts:
            other += 1
            write_heading(console, drift.period.isoformat(), drift.workbook)
            for line in _lines(drift):
                write_line(console, f"  {line}")
        yield drift
    console.print()
    write_line(
        console, f"{periods:,} periods with workbooks, {other:,} with another layout than before, or problems"
    )


def _lines(drift: Drift) -> Iterator[str]:
    yield from (f"renamed: {was!r} is {now!r}, and the feed knows both" for was, now in drift.renamed)
    alike = dict(drift.alike)
    for name in drift.gone:
        yield f"gone: {name!r}" + (f". Did you mean {alike[name]!r}, which is new?" if name in alike else "")
    yield from _listed("new", drift.new)
    yield from _listed("sheets that are gone", drift.gone_sheets)
    yield from _listed("sheets that are new", drift.new_sheets)
    yield from (f"problem: {problem}" for problem in drift.problems)


def _listed(what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{what}: {', '.join(map(repr, names))}"
