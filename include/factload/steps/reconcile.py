"""``reconcile_load``: what was staged adds up, or nothing is published."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from factload.fact import staged
from factload.fact.digest import columns_filled, digest_values
from factload.fact.duplicates import reject_duplicates
from factload.fact.modes.registry import mode_of
from factload.fact.table import fact_table
from factload.fact.unique import once_only
from factload.feed.model import Feed
from factload.ledger import ledger, partitions
from factload.ledger.opening import last_publication, published_before
from factload.ledger.rejects import rejects_by_reason
from factload.load import Load, WitnessValue
from factload.reconcile import counts
from factload.reconcile.read_back import content_of
from factload.reconcile.witness import Counted, compare
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import step


@again_after_conflict
def reconcile_load(load: Load, feed: Feed, *, database: str) -> None:
    """Prove that every source row is accounted for, or raise ``ReconciliationError`` or ``RowsRefused``."""
    with step(load, feed, "reconcile", "", database) as connection:
        with connection.begin():
            state = ledger.fence(connection, load, *ledger.UNFINISHED, "published", lock="update")
            if state == "published":
                return
            result = prove(connection, load, feed)
            note_digest(connection, load, feed, result)
        counts.require_agreement(load.load_id, result)
    counts.require_within_limits(load.load_id, result, feed.max_rejects, feed.min_rows, feed.max_change)


def note_digest(connection: Connection, load: Load, feed: Feed, proved: counts.Reconciliation) -> None:
    """Note the digest of the staged rows, where they are going to be fact rows as they are and aren't read back."""
    mode = mode_of(feed.fact)
    if mode.reads_back or not proved.publishable:
        return
    fact = fact_table(connection, feed)
    rows = select(*columns_filled(mode.staging_table(load, feed, fact), feed))
    names = list(feed.fact.columns)
    content = content_of(connection, rows, names, feed.fact.measures)
    ledger.update_attempt(connection, load, **digest_values(content.digest, feed, fact))


def prove(connection: Connection, load: Load, feed: Feed) -> counts.Reconciliation:
    """Count and compare, and note the outcome: counts and state, or which partitions are to be loaded again."""
    fact = fact_table(connection, feed)
    table = mode_of(feed.fact).staging_table(load, feed, fact)
    rows = partitions.loaded_partitions(connection, load)
    for once in once_only(connection, feed, fact):
        reject_duplicates(connection, load, feed, table, rows, once)
        rows = partitions.loaded_partitions(connection, load)
    counted = [partitions.counts_of(row, feed.fact.measures) for row in rows]
    found = staged.staged_slices(connection, table, feed, [p.partition_id for p in counted])
    result = counts.reconcile(counted, found, feed.fact.measures)
    if result.differences:
        ledger.loading_again(connection, load)
        partitions.load_again(connection, load, result.differing)
        return result
    attempt = ledger.attempt(connection, load)
    compared = compare(
        feed, map(_as_read, attempt.witness), [_counted(row) for row in rows] if feed.witness else ()
    )
    ledger.update_attempt(
        connection,
        load,
        rejected_rows=result.rejected,
        staged_rows=result.staged,
        source_totals={name: f"{total:f}" for name, total in result.totals.items()},
        witness=[asdict(one) for one in compared],
    )
    if attempt.released_at is None:
        reasons = dict(sorted(rejects_by_reason(connection, load.load_id).items()))
        last = last_publication(connection, load.load_id)
        result = replace(
            result,
            too_many=feed.max_rejects.exceeded(reasons, result.source),
            too_few=feed.min_rows.missed(
                result.staged, last.rows if last else 0, replaces=mode_of(feed.fact).replaces
            ),
            too_different=_too_different(connection, load, feed, result),
            unequal=tuple(one.words for one in compared if not one.equal),
        )
    if result.publishable:
        ledger.record_reconciled(connection, load)
    return result


def _too_different(
    connection: Connection, load: Load, feed: Feed, result: counts.Reconciliation
) -> tuple[str, ...]:
    if not feed.max_change.shares:
        return ()
    before = published_before(connection, load.feed, load.load_id, load.period_date)
    return () if before is None else feed.max_change.exceeded(result.amounts, before.amounts, before.of)


def _as_read(kept: dict[str, Any]) -> WitnessValue:
    """What the split read, also where the ledger has it compared already."""
    return WitnessValue(
        **{field.name: kept[field.name] for field in fields(WitnessValue) if field.name in kept}
    )


def _counted(row: Row[Any]) -> Counted:
    return Counted(
        workbook=row.workbook,
        sheet=row.sheet,
        delivered_rows=row.source_rows - row.blank_rows - sum(row.left_out_rows.values()),
        loaded_rows=row.staged_rows or 0,
        delivered=row.delivered_totals,
        loaded=row.totals or {},
    )
