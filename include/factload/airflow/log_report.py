"""What a load came to, for the log of a task: counts, control totals, and the cells that were rejected.

A log is read by more people than a table: it says where a rejected cell stands and why, never what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from factload.cli.terminal import rendered
from factload.ledger.rejects import read_rejects
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.reports.report import read_report
from factload.sheet.reject import Reject

_SHOWN = 10


def load_report(url: str, load_id: str) -> str:
    """The report of a load, with its first rejected cells."""
    with database_errors("reading the rejects"), engine_for(url).connect() as connection:
        first = list(islice(read_rejects(connection, load_id), _SHOWN))
    return rendered(read_report(url, load_id)) + rejected_cells(first)


def rejected_cells(first: Iterable[Reject]) -> str:
    """A line for each of these rejects."""
    lines = [f"{reject.address}  {reject.reason}: {reject.explanation}" for reject in islice(first, _SHOWN)]
    return "\n".join(["", "the first rejected rows", *lines, ""]) if lines else ""
