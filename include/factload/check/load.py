"""What a load would come to, without writing anything: ``factload check``, and dry runs.

A load stops at the first thing that is wrong. A check goes on as far as it can, so that one run names it all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path

from factload.check.change import change_of
from factload.check.findings import CheckReport, Problems
from factload.check.row_by_row import rows_aside
from factload.check.rows import Rows
from factload.check.sheets import ReadableSheet, readable_sheets
from factload.check.target import look_at
from factload.corrections.partitions import in_place
from factload.corrections.same_rows import corrections_of
from factload.dimension.attributes import with_attribute_types
from factload.dimension.inferred import WouldBeMembers
from factload.dimension.lookup import Members
from factload.errors import FactloadError
from factload.fact.members.attributes import settle_attributes
from factload.fact.unique import with_a_value
from factload.feed.model import Feed
from factload.feed.unmatched import Unmatched
from factload.ledger.corrections import Correction
from factload.ledger.ledger import HELD_FOR
from factload.load import SourceFile, Split
from factload.postgres.database import engine_for
from factload.progress import QUIET, Progress
from factload.reconcile.witness import compare
from factload.sheet.file_kind import is_named_csv
from factload.split.all_workbooks import named, origins, unchanged, with_name
from factload.split.fields import sheet_fields
from factload.split.partitions import MAX_PARTITIONS, after, joined, split_workbook
from factload.split.sources import openable, read_sources
from factload.split.witness import read_witness
from factload.staging.folder import FolderPlace

_NO_BOUND = 1 << 40


def check_load(
    feed: Feed, period: date, *, database: str, workbook: str | None = None, progress: Progress = QUIET
) -> CheckReport:
    """Read all workbooks and every dimension, and report what a load would stage and reject, and what would stop it.

    The database is asked in read-only transactions; the files go to a temporary folder. Rows are compared with those
    that stand in a temporary table, in a transaction that is rolled back. The state is ``ready``;
    ``held`` if only the number of rows would stop the load; else ``refused``. Raises ``TransientError``.
    """
    problems, feed = Problems(), feed.at(period)
    engine = engine_for(database).execution_options(
        postgresql_readonly=True, isolation_level="REPEATABLE READ"
    )
    with tempfile.TemporaryDirectory(prefix="factload-check-") as name:
        place = FolderPlace(Path(name))
        would_be = WouldBeMembers()
        target = look_at(engine, feed, period, place, problems, would_be)
        asked = feed if target.fact is None else with_a_value(feed, target.fact)
        asked = with_attribute_types(asked, would_be.tables)
        sources = _sources(workbook or feed.workbook.for_period(period), problems)
        with problems.noted():
            target.require_open(feed, period, sources)
        sheets = _sheets(asked, sources, problems)
        split = [
            (s, _split(s, feed, place, _own(s, sources, target.corrections), problems, progress))
            for s in sheets
        ]
        whole = settle_attributes(joined(part for _, part in split), asked, place)
        progress.rows_to_load(whole.rows)
        with rows_aside(database, feed, period, target) as aside:
            rows = Rows(feed, target, period, would_be, None if problems.found else aside)
            settled = iter(whole.partitions)
            for sheet, part in split:
                readable = _readable_feed(feed, sheet, target.members)
                for partition in islice(settled, len(part.partitions)):
                    rows.add(partition, readable)
                    progress.rows_loaded(partition.rows)
            if not problems.found:
                rows.compared = compare(feed, read_witness(feed, period, sources, whole), rows.counted)
                rows.settle(sources, problems)
    return _report(feed, period, sources, whole, rows, problems)


def _sources(name: str, problems: Problems) -> tuple[SourceFile, ...]:
    with problems.noted():
        return tuple(read_sources(name))
    return ()


def _sheets(feed: Feed, sources: Sequence[SourceFile], problems: Problems) -> list[ReadableSheet]:
    with problems.noted():
        return [
            sheet
            for source, origin in zip(sources, origins(sources), strict=True)
            for sheet in readable_sheets(source, origin, feed, sheet_fields(feed), problems)
        ]
    return []


def _own(
    sheet: ReadableSheet, sources: Sequence[SourceFile], corrections: Sequence[Correction]
) -> list[Correction]:
    """The corrections that are of this sheet; the one sheet of a csv file is named as the file is."""
    found = corrections_of(sheet.source, sources, corrections)
    return [c for c in found if c.sheet == sheet.sheet or is_named_csv(sheet.source.path)]


def _split(
    sheet: ReadableSheet,
    feed: Feed,
    place: FolderPlace,
    corrections: Sequence[Correction],
    problems: Problems,
    progress: Progress,
) -> Split:
    with problems.noted(), unchanged(sheet.source), named(sheet.origin):
        split = split_workbook(
            openable(sheet.source),
            sheet.origin,
            sheet=sheet.sheet,
            csv=feed.workbook.csv_dialect,
            cells=feed.cells,
            fields=sheet.fields,
            place=place,
            rows_per_partition=feed.rows_per_partition,
            most=_NO_BOUND,
            progress=after(0, progress.rows_read),
        )
        for defect in split.defects:
            problems.note(with_name(defect, sheet.origin))
        return in_place(
            split,
            [sheet.source],
            corrections,
            fields=sheet.fields,
            csv=feed.workbook.csv_dialect,
            cells=feed.workbook.cells,
            place=place,
        )
    return Split((), ())


def _readable_feed(feed: Feed, sheet: ReadableSheet, members: Mapping[str, Members]) -> Feed:
    """The feed with only the columns that this sheet and these dimensions can fill; unmatched keys are no error."""
    there = {field.name for field in sheet.fields}
    columns = {
        name: column
        for name, column in feed.fact.columns.items()
        if (column.dimension is None or column.dimension in members)
        and {field.name for field in sheet_fields(_of_columns(feed, [name]))} <= there
    }
    lenient = {
        name: dimension.model_copy(update={"unmatched": Unmatched()})
        if dimension.unmatched.action == "fail"
        else dimension
        for name, dimension in feed.dimensions.items()
    }
    return _of_columns(feed, list(columns)).model_copy(update={"dimensions": lenient})


def _of_columns(feed: Feed, names: Sequence[str]) -> Feed:
    columns = {name: feed.fact.columns[name] for name in names}
    return feed.model_copy(update={"fact": feed.fact.model_copy(update={"columns": columns})})


def _report(
    feed: Feed,
    period: date,
    sources: tuple[SourceFile, ...],
    split: Split,
    rows: Rows,
    problems: Problems,
) -> CheckReport:
    fatal = bool(problems.found)
    found = (*problems.found, *rows.errors(split.source))
    held = not fatal and bool(found) and {problem.code for problem in found} <= set(HELD_FOR)
    reasons = rows.rejected.reasons
    totals = {m: rows.totals.get(m, Decimal(0)) for m in feed.fact.measures}
    could_be_published = held or not found
    change = change_of(rows.target.before, rows.staged, totals) if could_be_published else None
    return CheckReport(
        feed=feed.feed,
        period=period.isoformat(),
        load_id=feed.load_id(period),
        state="held" if held else "refused" if found else "ready",
        error=_in_one_line(found),
        rows={
            "source": split.source,
            "blank": split.blank,
            "rejected": reasons.total(),
            "staged": rows.staged,
            "published": 0,
        },
        rejects=dict(reasons.most_common()),
        control_totals={m: {"source": f"{t:f}", "published": "0"} for m, t in totals.items()},
        warnings=[*problems.warnings, *split.warnings, *_enlarged(split)],
        unknown=dict(rows.unknown),
        created=rows.would_be.created,
        left_out=split.left_out,
        witness=[asdict(one) for one in rows.compared],
        problems=found,
        rejected=tuple(rows.rejected.kept),
        unmatched=rows.unmatched,
        sources=sources,
        change=change,
        difference=rows.difference if could_be_published else None,
    )


def _enlarged(split: Split) -> list[str]:
    count = len(split.partitions)
    if count <= MAX_PARTITIONS:
        return []
    return [f"there would be {count:,} partitions: a load makes larger ones, at most {MAX_PARTITIONS:,}"]


def _in_one_line(problems: Sequence[FactloadError]) -> dict[str, str] | None:
    if not problems:
        return None
    others = f"{len(problems)} problems, the first: " if len(problems) > 1 else ""
    return {"code": problems[0].code, "message": f"{others}{problems[0]}"}
