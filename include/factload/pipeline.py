"""factload on one page: a workbook of business keys and measures becomes fact rows, exactly once.

    open_load ─┬─ extract_dimension_map (one a dimension) ─┐
               └─ split_workbook ──────────────────────────┴─ load_partition × N ─ reconcile ─ publish ─ clean

``run_load`` runs these steps on one machine; ``airflow/dags.py`` wires the same functions into an Airflow DAG.
Each step is in ``steps``, and gets nothing but small values: paths, counts, ids. Rows travel in staging files and
in the load's staging table.

Four rules hold it together:

* A load is one feed × one period. Retries, manual runs and backfills of the same two are the same load, and the
  newest attempt (epoch) alone may write.
* No step holds a whole sheet or an object a row: windows of a few megabytes, plain columns, chunked inserts.
* Whatever is cut short leaves nothing visible: rows go to a staging table of this load alone, and one transaction
  makes them facts.
* Nothing is published that does not add up: source = blank + left out + rejected + staged, staged = published, and
  every control total agrees.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

from factload.errors import INTERRUPTED, AttemptLost, ConnectionLost, FactloadError, TransientError
from factload.fact.modes.registry import mode_of
from factload.feed.model import Feed
from factload.last_net import foreseen
from factload.load import Load
from factload.postgres.connections import at_most
from factload.progress import QUIET, Progress
from factload.runtime.processes import Workers, say_rows_done
from factload.runtime.retry import PAUSES, through_losses
from factload.runtime.side_by_side import SideBySide, Step
from factload.steps import (
    clean_staging,
    complete_staging,
    extract_dimension_map,
    load_partition,
    open_load,
    publish_as_staged,
    publish_load,
    reconcile_load,
    record_failure,
    split_workbook,
)

# Who said stop waits this long until it is noted in the ledger: for a connection, and for all of it.
_TO_NOTE_AN_INTERRUPTION = (1.5, 10.0)


def run_load(
    feed: Feed,
    period: date,
    *,
    database: str,
    workbook: str | None = None,
    reload: bool = False,
    progress: Progress = QUIET,
) -> Load:
    """Load one period of ``feed`` into the database at the URL ``database``; returns the load once published.

    ``workbook``: a path instead of the feed's own. ``reload``: load again what is published already, unchanged.
    Raises the engine's errors (``errors``), each noted in the ledger before.
    """
    opening = partial(open_load, feed, period, database=database, workbook=workbook, reload=reload)
    load = through_losses(opening, progress)
    return load if load.already_published else carry_out(load, feed, database=database, progress=progress)


def carry_out(load: Load, feed: Feed, *, database: str, progress: Progress) -> Load:
    """All steps of a load that is open; returns it once published. Raises as ``run_load`` does.

    When the connection is lost, or the attempt together with a server, a new attempt goes on from what is staged, for
    about a minute (``PAUSES``).
    """
    pauses, feed = iter(PAUSES), feed.at(load.period_date)
    try:
        while not load.already_published:
            try:
                _run_steps(load, feed, database, progress)
                break
            except (ConnectionLost, AttemptLost) as lost:
                load = _opened_again(load, feed, database, progress, lost, pauses)
    except KeyboardInterrupt:
        stopped = TransientError(INTERRUPTED, f"{load.load_id} was interrupted", remedy="Run the load again")
        with at_most(*_TO_NOTE_AN_INTERRUPTION):
            record_failure(load, stopped, database=database)
        raise stopped from None
    except Exception as error:
        ended = foreseen(error)
        record_failure(load, ended, database=database)
        raise ended from error.__cause__ if ended is error else error
    return load


def _opened_again(
    load: Load, feed: Feed, database: str, progress: Progress, lost: FactloadError, pauses: Iterator[float]
) -> Load:
    """The next attempt, as soon as the database answers. It finds the load published if only the answer was lost."""
    unknown = isinstance(lost, AttemptLost)
    pause = next(pauses, None)
    if pause is None or (unknown and load.corrections):  # which may be lost with the attempt
        raise lost
    progress.step("waiting for the database")
    time.sleep(pause)
    opening = partial(
        open_load,
        feed,
        load.period_date,
        database=database,
        workbook=load.workbook,
        sources=load.sources,
        reload=unknown,  # it began, although an earlier one may have published the same
    )
    return through_losses(opening, progress, pauses)


def steps_in_order(feed: Feed, returned: Mapping[str, list[Any]]) -> Iterator[tuple[Step, ...]]:
    """The steps of an open load, in their order; those that come together may run side by side. Of several errors that
    of the last is raised: one in the workbook before one in a dimension.

    Before the next ones are asked for, ``returned`` must have what these returned, by their names.
    """
    yield (
        Step("extract_dimension_map", extract_dimension_map, [(name,) for name in feed.maps]),
        Step("split_workbook", partial(split_workbook, progress=say_rows_done)),
    )
    maps, [split] = returned["extract_dimension_map"], returned["split_workbook"]
    yield (Step("load_partition", load_partition, [(partition, maps) for partition in split.partitions]),)
    yield (Step("reconcile", reconcile_load),)
    yield (Step("publish", publish_load),)
    yield (Step("clean_staging", clean_staging),)


def stage(load: Load, feed: Feed, *, database: str, progress: Progress) -> None:
    """The steps of an open load up to the proof of its staged rows. Raises what they raise."""
    feed = feed.at(load.period_date)
    with Workers(feed.parallelism, progress.rows_read) as workers:
        run = SideBySide(load, feed, database, progress, workers)
        for steps in steps_in_order(feed, run.returned):
            if any(step.name == "publish" for step in steps):
                return
            run.end(run.start(steps))


def _run_steps(load: Load, feed: Feed, database: str, progress: Progress) -> None:
    with Workers(feed.parallelism, progress.rows_read) as workers, Workers(1, progress.rows_read) as beside:
        run = SideBySide(load, feed, database, progress, workers)
        for steps in steps_in_order(feed, run.returned):
            at_work = run.start(steps)
            ahead = beside.start(list(_ahead_of_publish(steps[0], load, feed)), database=database)
            run.end(at_work)
            ahead.results()


def _ahead_of_publish(
    step: Step, load: Load, feed: Feed
) -> Iterator[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """What of publishing is done beside ``step``. In a DAG, no task may wait for another: there it is publish's own."""
    mode = mode_of(feed.fact)
    several = len(step.arguments) > 1 and feed.parallelism > 1
    if step.name == "load_partition" and several and mode.publish_slices:
        partitions = [partition for partition, _ in step.arguments]
        yield publish_as_staged, (load, feed, partitions, step.arguments[0][1])
    elif step.name == "reconcile" and mode.complete:
        yield complete_staging, (load, feed)
