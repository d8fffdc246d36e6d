"""What of the feed's limits a load would exceed, and be held for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from factload.check.target import Target
from factload.errors import RowsRefused
from factload.fact.modes.registry import mode_of
from factload.feed.limits import ROWS
from factload.feed.model import Feed


def beyond_limits(
    feed: Feed,
    target: Target,
    rejects: Mapping[str, int],
    source: int,
    *,
    rows: int,
    totals: Mapping[str, Decimal],
) -> Iterator[RowsRefused]:
    """Each limit that would be exceeded by ``rejects`` (reason → rows) among ``source`` rows, and by the ``rows`` that
    are left with their ``totals``."""
    if exceeded := feed.max_rejects.exceeded(rejects, source):
        yield RowsRefused(
            "too_many_rejects",
            "; ".join(exceeded).replace(" were rejected", " would be rejected"),
            expected=f"at most max_rejects, {feed.max_rejects}",
            remedy="Correct the workbook or the dimension",
        )
    published = target.last.rows if target.last else 0
    if missed := feed.min_rows.missed(rows, published, replaces=mode_of(feed.fact).replaces):
        yield RowsRefused(
            "too_few_rows",
            missed.replace(" are left", " would be left"),
            expected=f"at least min_rows, {feed.min_rows}",
            remedy="Check that the workbook is complete",
        )
    if target.before is None:
        return
    amounts = {**totals, ROWS: Decimal(rows)}
    if exceeded := feed.max_change.exceeded(amounts, target.before.amounts, target.before.of):
        yield RowsRefused(
            "too_much_change",
            "; ".join(exceeded),
            expected=f"changes up to max_change, {feed.max_change}",
            remedy="Check that the workbook is complete and correct",
        )
