"""What a load would come to, without writing anything: ``factload check``, and dry runs.

A load stops at the first thing that is wrong. A check goes on as far as it can, so that one run names it all.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
from sqlalchemy import Engine

from factload.check.findings import CheckReport, Problems, RejectedRows, UnmatchedKeys
from factload.check.sheets import ReadableSheet, readable_sheets
from factload.database import database_errors, engine_for
from factload.dimension.extract import extract_dimension_map
from factload.dimension.inferred import WouldBeMembers
from factload.dimension.lookup import Members, open_members
from factload.dimension.table import check_dimension
from factload.errors import FactloadError, RowsRefused
from factload.fact.resolve import control_totals, measures, resolve
from factload.fact.table import fact_table
from factload.feed.dimensions import Unmatched
from factload.feed.model import Feed
from factload.reports.progress import Progress
from factload.split.all_workbooks import named, origins, unchanged, with_name
from factload.split.fields import sheet_fields
from factload.split.partitions import MAX_PARTITIONS, PartitionFile, Split, after, joined, split_workbook
from factload.split.sources import read_sources
from factload.staging import open_table

_NO_BOUND = 1 << 40


def check_load(
    feed: Feed, period: date, *, database: str, workbook: str | None = None, progress: Progress
) -> CheckReport:
    """Read all workbooks and every dimension, and report what a load would stage and reject, and what would stop it.

    The database is asked in read-only transactions; the files go to a temporary folder. The state is ``ready``;
    ``held`` where only the number of rejects stands against the load; else ``refused``. Raises ``TransientError``.
    """
    problems = Problems()
    engine = engine_for(database).execution_options(postgresql_readonly=True)
    with tempfile.TemporaryDirectory(prefix="factload-check-") as name:
        folder = Path(name)
        would_be = WouldBeMembers()
        members = _members(engine, feed, folder, problems, would_be)
        sheets = _sheets(feed, workbook or feed.workbook.for_period(period), problems)
        split = [(s, _split(s, feed, folder, problems, progress)) for s in sheets]
        whole = joined(part for _, part in split)
        progress.rows_to_load(whole.rows)
        rows = _Rows(feed, members, period, would_be)
        for sheet, part in split:
            readable = _readable_feed(feed, sheet, members)
            for partition in part.partitions:
                rows.add(partition, readable)
                progress.rows_loaded(partition.rows)
    return _report(feed, period, whole, rows, problems)


def _members(
    engine: Engine, feed: Feed, folder: Path, problems: Problems, would_be: WouldBeMembers
) -> dict[str, Members]:
    """The dimensions that can be read, each in its own file; the fact table's defects are noted with theirs."""
    found: dict[str, Members] = {}
    with database_errors("reading the feed's tables"), closing(engine.connect()) as connection:
        with problems.noted():
            fact_table(connection, feed)
        for name, dimension in feed.dimensions.items():
            with problems.noted():
                would_be.tables[name] = check_dimension(connection, name, dimension)
                same = found.get(feed.map_of[name])
                found[name] = same or open_members(extract_dimension_map(connection, name, dimension, folder))
    return found


def _sheets(feed: Feed, name: str, problems: Problems) -> list[ReadableSheet]:
    with problems.noted():
        sources = read_sources(name)
        return [
            sheet
            for source, origin in zip(sources, origins(sources), strict=True)
            for sheet in readable_sheets(source, origin, feed, sheet_fields(feed), problems)
        ]
    return []


def _split(sheet: ReadableSheet, feed: Feed, folder: Path, problems: Problems, progress: Progress) -> Split:
    with problems.noted(), unchanged(sheet.source), named(sheet.origin):
        split = split_workbook(
            sheet.source.file,
            sheet.origin,
            sheet=sheet.sheet,
            csv=feed.workbook.csv_dialect,
            cells=feed.workbook.cells,
            fields=sheet.fields,
            folder=folder,
            rows_per_partition=feed.rows_per_partition,
            most=_NO_BOUND,
            progress=after(0, progress.rows_read),
        )
        for defect in split.defects:
            problems.note(with_name(defect, sheet.origin))
        return split
    return Split((), ())


def _readable_feed(feed: Feed, sheet: ReadableSheet, members: Mapping[str, Members]) -> Feed:
    """The feed with those columns alone that this sheet and these dimensions can fill; no unmatched key ends it."""
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


@dataclass(slots=True)
class _Rows:
    """What the partitions looked at so far come to."""

    feed: Feed
    members: Mapping[str, Members]
    period: date
    would_be: WouldBeMembers
    staged: int = 0
    totals: dict[str, Decimal] = field(default_factory=dict)
    rejected: RejectedRows = field(default_factory=RejectedRows)
    unmatched: dict[str, UnmatchedKeys] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, partition: PartitionFile, readable: Feed) -> None:
        rows = open_table(Path(partition.path), partition.sha256)
        resolved = resolve(rows, readable, self.members, self.period, self.would_be)
        self.unknown.update(resolved.unknown)
        self.staged += resolved.rows.num_rows
        self.rejected.add(partition, resolved.rejects)
        for measure, total in control_totals(resolved.rows, measures(readable)).items():
            self.totals[measure] = self.totals.get(measure, Decimal(0)) + Decimal(total)
        lost = resolved.rejects.filter(pc.equal(resolved.rejects["reason"], "unmatched_key"))
        for column in lost["column"].unique().to_pylist():
            keys = lost.filter(pc.equal(lost["column"], column))["raw"].combine_chunks()
            those = self.feed.dimensions.items()
            name = ", ".join(n for n, dimension in those if ", ".join(dimension.column) == column)
            self.unmatched.setdefault(name, UnmatchedKeys()).add(keys)

    def refusals(self, source: int) -> list[FactloadError]:
        """Why rows without a reason of their own to stop would stop the load all the same."""
        return [
            RowsRefused(
                "unmatched_key",
                f"{keys.rows} rows have a business key without a member in dimension {name}",
                expected="a member for every key, since `unmatched` is `fail`",
                remedy="Add the members, or let the feed say `unmatched: reject`",
            )
            for name, keys in self.unmatched.items()
            if any(self.feed.dimensions[one].unmatched.action == "fail" for one in name.split(", "))
        ] or self._too_many(source)

    def _too_many(self, source: int) -> list[FactloadError]:
        limits = self.feed.max_rejects
        exceeded = limits.exceeded(self.rejected.reasons, source)
        if not exceeded:
            return []
        return [
            RowsRefused(
                "too_many_rejects",
                "; ".join(exceeded).replace(" were rejected", " would be rejected"),
                expected=f"at most max_rejects, {limits}",
                remedy="Correct the workbook or the dimension",
            )
        ]


def _report(feed: Feed, period: date, split: Split, rows: _Rows, problems: Problems) -> CheckReport:
    fatal = bool(problems.found)
    found = (*problems.found, *rows.refusals(split.source))
    held = not fatal and {problem.code for problem in found} == {"too_many_rejects"}
    reasons = rows.rejected.reasons
    totals = {m: rows.totals.get(m, Decimal(0)) for m in measures(feed)}
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
        problems=found,
        rejected=tuple(rows.rejected.kept),
        unmatched=rows.unmatched,
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
