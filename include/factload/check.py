"""What a load would come to, without writing anything: ``factload check``, and dry runs."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

from factload.database import database_errors, engine_for, fact_table
from factload.errors import RowsRefused
from factload.feed import Feed
from factload.lookup import dimension_table, extract_dimension_map
from factload.progress import Progress
from factload.report import Report
from factload.resolve import control_totals, measures, resolve
from factload.sources import read_sources
from factload.split import split_sources
from factload.staging import open_table
from factload.steps import sheet_fields


def check_load(
    feed: Feed, period: date, *, database: str, workbook: str | None = None, progress: Progress
) -> Report:
    """Read the whole workbook and every dimension, and report what a load would stage and reject.

    The database is asked in read-only transactions; the files go to a temporary folder. The state is ``ready``,
    or ``held`` with the error that a load would end with. Raises what a load would raise before it counts rows.
    """
    engine = engine_for(database).execution_options(postgresql_readonly=True)
    with tempfile.TemporaryDirectory(prefix="factload-check-") as name:
        folder = Path(name)
        with database_errors("checking the feed's tables"), engine.connect() as connection:
            fact_table(connection, feed)
            for dimension, part in feed.dimensions.items():
                dimension_table(connection, dimension, part)
        split = split_sources(
            read_sources(workbook or feed.workbook.for_period(period)),
            sheet=feed.workbook.sheet,
            csv=feed.workbook.csv_dialect,
            fields=sheet_fields(feed),
            folder=folder,
            rows_per_partition=feed.rows_per_partition,
            progress=progress.rows_read,
        )
        with database_errors("reading the dimensions"), engine.connect() as connection:
            maps = {
                dimension: extract_dimension_map(connection, dimension, part, folder)
                for dimension, part in feed.dimensions.items()
            }
        members = {dimension: open_table(Path(m.path), m.sha256) for dimension, m in maps.items()}
        progress.rows_to_load(split.rows)
        reasons: Counter[str] = Counter()
        totals = dict.fromkeys(measures(feed), Decimal(0))
        staged = 0
        for partition in split.partitions:
            resolved = resolve(open_table(Path(partition.path), partition.sha256), feed, members)
            reasons.update(resolved.rejects["reason"].to_pylist())
            staged += resolved.rows.num_rows
            for measure, total in control_totals(resolved.rows, list(totals)).items():
                totals[measure] += Decimal(total)
            progress.rows_loaded(partition.rows)
    rejected = reasons.total()
    error = None
    if feed.max_rejects.exceeded(rejected, split.source):
        refusal = RowsRefused(
            "too_many_rejects",
            f"{rejected} of {split.source} rows would be rejected",
            expected=f"at most max_rejects, {feed.max_rejects}",
            remedy="Correct the workbook or the dimension",
        )
        error = {"code": refusal.code, "message": str(refusal)}
    return Report(
        feed=feed.feed,
        period=period.isoformat(),
        load_id=feed.load_id(period),
        state="held" if error else "ready",
        error=error,
        rows={
            "source": split.source,
            "blank": split.blank,
            "rejected": rejected,
            "staged": staged,
            "published": 0,
        },
        rejects=dict(reasons.most_common()),
        control_totals={m: {"source": f"{t:f}", "published": "0"} for m, t in totals.items()},
        warnings=list(split.warnings),
    )
