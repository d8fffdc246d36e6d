"""One load in full: its attempts, its partitions with their speed, its steps, and how far it has come.

The read model of a load's page. It only reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from factload.ledger.conditions import of_content
from factload.ledger.tables import attempts, kept, loads, partitions, steps
from factload.reports.history import LoadSummary, summaries, summary_of, without_pauses

# A partition is slow when it stages less than half as many rows a second as the median one. One of fewer than half
# the usual rows, such as the sheet's last, has mostly fixed costs; and fewer than four can't be compared.
_SLOW = 0.5
_FEWEST = 4


@dataclass(frozen=True, slots=True)
class Attempt:
    """One epoch: its workbooks, how it ended, and who released it, or took an earlier one back by it. Totals: measure →
    exact decimal text.

    ``workbook``: the path or pattern they were named by; ``sources``: each with its path, bytes and SHA-256.
    ``undoes``: the attempt that was taken back.
    """

    epoch: int
    state: str
    content: str
    workbook: str
    workbook_sha256: str
    workbook_bytes: int
    sources: list[dict[str, Any]]
    source_rows: int
    blank_rows: int
    rejected_rows: int
    staged_rows: int
    published_rows: int
    source_totals: dict[str, str]
    published_totals: dict[str, str]
    warnings: list[str]
    error_code: str | None
    error_message: str | None
    opened_at: datetime
    ended_at: datetime | None
    released_by: str | None
    released_at: datetime | None
    release_reason: str | None
    left_out_rows: dict[str, int]
    witness: list[dict[str, Any]]
    verified_at: datetime | None
    verified_as: str | None
    member_counts: dict[str, dict[str, int]]
    undoes: int | None
    undone_by: str | None
    undo_reason: str | None


@dataclass(frozen=True, slots=True)
class StepRun:
    """A step that has ended; ``item`` is a dimension's name or a partition's label."""

    epoch: int
    step: str
    item: str
    started_at: datetime
    finished_at: datetime
    peak_rss_mb: float

    def seconds(self) -> float:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class PartitionDetail:
    """A partition: its rows, and when they were staged. ``rejected`` and ``staged`` are None before that.

    ``worker``: the host that staged them; None in a ledger that was older then.

    ``done``: the newest attempt is through with it, whether it staged the rows or found them staged by an earlier one.
    ``rows_per_second`` counts the partition's source rows; ``slow`` compares it with the load's other partitions.
    """

    label: str
    workbook: str
    sheet: str
    first_row: int
    last_row: int
    source: int
    blank: int
    rejected: int | None
    staged: int | None
    loaded_epoch: int | None
    worker: str | None
    done: bool
    started_at: datetime | None
    finished_at: datetime | None
    rows_per_second: float | None
    slow: bool


@dataclass(frozen=True, slots=True)
class LoadDetail:
    """A load. ``attempts`` newest first; ``partitions`` in the order of the sheet; ``steps`` of the newest epoch.

    ``is_split``: the newest attempt has read its workbooks; before that, partitions are those of an earlier one.
    ``kept_until``: how long the rows before the last publication are kept, so that it can be undone; None if none are.
    """

    summary: LoadSummary
    attempts: list[Attempt]
    partitions: list[PartitionDetail]
    steps: list[StepRun]
    is_split: bool
    kept_until: datetime | None

    def rows_done(self) -> int:
        """Source rows of the partitions that the newest attempt is through with."""
        return sum(p.source for p in self.partitions if p.done)


def load_detail(connection: Connection, feed: str, load_id: str) -> LoadDetail | None:
    """The load called ``load_id`` of this feed; ``None`` when the ledger has none."""
    query = summaries().where(loads.c.load_id == load_id, loads.c.feed == feed)
    found = connection.execute(query).one_or_none()
    if found is None:
        return None
    [summary] = without_pauses(connection, [summary_of(found)])
    tried = _attempts(connection, load_id)
    ran = _steps(connection, load_id)
    newest = [run for run in ran if run.epoch == summary.epoch]
    is_split = any(run.step == "split_workbook" for run in newest)
    through = {run.item for run in newest if run.step == "load_partition"} if is_split else set()
    return LoadDetail(
        summary=summary,
        attempts=tried,
        partitions=_partitions(connection, load_id, tried[0].content, ran, through),
        steps=newest,
        is_split=is_split,
        kept_until=connection.scalar(select(kept.c.keep_until).where(kept.c.load_id == load_id)),
    )


def _attempts(connection: Connection, load_id: str) -> list[Attempt]:
    names = Attempt.__dataclass_fields__
    query = (
        select(*(attempts.c[name] for name in names))
        .where(attempts.c.load_id == load_id)
        .order_by(attempts.c.epoch.desc())
    )
    return [Attempt(*row) for row in connection.execute(query)]


def _steps(connection: Connection, load_id: str) -> list[StepRun]:
    names = StepRun.__dataclass_fields__
    query = (
        select(*(steps.c[name] for name in names))
        .where(steps.c.load_id == load_id)
        .order_by(steps.c.started_at, steps.c.step_run)
    )
    return [StepRun(*row) for row in connection.execute(query)]


def _partitions(
    connection: Connection, load_id: str, content: str, ran: list[StepRun], through: set[str]
) -> list[PartitionDetail]:
    """The partitions of one content, each with the step that staged what is there now.

    ``through``: the labels of those that the newest attempt is through with.
    """
    staged_by = {(run.epoch, run.item): run for run in ran if run.step == "load_partition"}
    found = list(
        connection.execute(
            select(partitions)
            .where(of_content(partitions, load_id, content))
            .order_by(partitions.c.workbook, partitions.c.sheet, partitions.c.first_row)
        )
    )
    runs = [staged_by.get((row.loaded_epoch, row.label)) for row in found]
    speeds = [_speed(row.source_rows, run) for row, run in zip(found, runs, strict=True)]
    timed = zip(found, runs, strict=True)
    slow = slow_ones([(row.source_rows, run.seconds()) if run else None for row, run in timed])
    return [
        PartitionDetail(
            label=row.label,
            workbook=row.workbook,
            sheet=row.sheet,
            first_row=row.first_row,
            last_row=row.last_row,
            source=row.source_rows,
            blank=row.blank_rows,
            rejected=row.rejected_rows,
            staged=row.staged_rows,
            loaded_epoch=row.loaded_epoch,
            worker=row.worker,
            done=row.loaded_epoch is not None and row.label in through,
            started_at=run.started_at if run else None,
            finished_at=run.finished_at if run else None,
            rows_per_second=speed,
            slow=is_slow,
        )
        for row, run, speed, is_slow in zip(found, runs, speeds, slow, strict=True)
    ]


def _speed(rows: int, run: StepRun | None) -> float | None:
    return rows / run.seconds() if run and run.seconds() > 0 else None


def slow_ones(partitions: Sequence[tuple[int, float] | None]) -> list[bool]:
    """Which of these (rows, seconds) are slow; None stands for a partition that isn't staged yet."""
    known = [(rows, rows / seconds) for rows, seconds in filter(None, partitions) if seconds > 0]
    if len(known) < _FEWEST:
        return [False] * len(partitions)
    usual, speed = (median(values) for values in zip(*known, strict=True))
    return [p is not None and p[0] >= usual / 2 and p[0] < _SLOW * speed * p[1] for p in partitions]
