"""The trial of a proposal: every row is read as a load reads it, and the proposal is adjusted.

A proposal comes of the first rows of a sheet and of its first header cells. The reader itself says what of it does not
hold: cells further down that are of another type, names in merged cells.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from factload.errors import WorkbookError
from factload.feed.model import Feed
from factload.propose.column_types import TOLERATED, widened
from factload.propose.columns_seen import OUT_OF_DATE
from factload.propose.proposal import ATTENTION, Proposal
from factload.propose.sheet_seen import SeenSheet, SeenUnpivot
from factload.sheet.columns import TypedRows
from factload.sheet.pieces import Pieces
from factload.sheet.sheets import choose
from factload.sheet.source import open_source, read_rows
from factload.split.fields import sheet_fields

_ROWS_AT_ONCE = 100_000
_KEPT = 1_000
_UNREADABLE = {"error_cell", "formula_without_value", "rich_value", "ambiguous_cell"}
_MERGED = "merged_cell"
_WHOLE_ROW = ""  # what is wrong with it is no column's


@dataclass(slots=True)
class Defects:
    """What makes a column's cells rejects: how often each reason, the first cell, and some of what they hold."""

    reasons: Counter[str] = field(default_factory=Counter)
    first: str = ""
    raws: list[str] = field(default_factory=list)

    def add(self, reason: str, cell: str, raw: str | None) -> None:
        self.first = self.first or cell
        self.reasons[reason] += 1
        if raw is not None and len(self.raws) < _KEPT:
            self.raws.append(raw)


@dataclass(slots=True)
class Trial:
    """What reading every row came to. ``defects`` by header, ``merged`` headers, ``rows_rejected`` by number, how many
    values each column gave, by its ``headers`` in their order."""

    headers: tuple[str, ...] = ()
    unpivot: SeenUnpivot | None = None

    source: int = 0
    blank: int = 0
    rejected: int = 0
    defects: dict[str, Defects] = field(default_factory=dict)
    rows_rejected: set[int] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)
    filled: Counter[str] = field(default_factory=Counter)

    @property
    def loaded(self) -> int:
        return self.source - self.blank - self.rejected

    def add(self, source: int, rows: TypedRows) -> None:
        self.source, self.blank = self.source + source, self.blank + rows.blank
        self.rejected += rows.rejected
        for place, header in enumerate(self.headers, 1):
            self.filled[header] += rows.batch.num_rows - rows.batch.column(place).null_count
        if not rows.rejected:
            return
        found = rows.batch.select(["row", "reason", "column", "cell", "raw"])
        for reject in found.filter(found["reason"].is_valid()).to_pylist():
            self.rows_rejected.add(reject["row"])
            header = reject["column"] or _WHOLE_ROW
            read_as = self.unpivot.stands_for(header) if self.unpivot else header
            defects = self.defects.setdefault(read_as, Defects())
            defects.add(reject["reason"], reject["cell"], reject["raw"])


def try_feed(path: Path, feed: Feed, unpivot: SeenUnpivot | None) -> Trial:
    """Read every row of the workbook as a load of ``feed`` would, which has these columns as rows.

    Raises WorkbookError for what ends a load.
    """
    fields = sheet_fields(feed)
    with open_source(path, csv=feed.workbook.csv_dialect, cells=feed.workbook.cells) as source:
        [part] = choose(source.sheets, feed.workbook.sheet)
        rows = source.rows(part, fields, 2)
        headers = tuple(one.column for one in fields)
        trial = read_rows(rows, _ROWS_AT_ONCE, lambda pieces: _read(pieces, headers, unpivot))
        for fact_field, index in zip(fields, rows.placing.placed, strict=True):
            if index in rows.unclear:
                trial.merged.append(fact_field.column)
        return trial


def _read(pieces: Pieces, headers: tuple[str, ...], unpivot: SeenUnpivot | None) -> Trial:
    trial = Trial(headers, unpivot)
    with closing(pieces):
        for piece in pieces:
            trial.add(piece.source, piece.rows)
    return trial


def changed_by(  # noqa: C901 - a branch for each defect, the worst first
    trial: Trial, sheet: SeenSheet, proposal: Proposal
) -> SeenSheet:
    """The sheet, seen otherwise where the trial says so; the same where nothing is to be changed."""
    for header in trial.merged:
        sheet = sheet.without(
            header, "its name is in merged cells, so it is unclear which column holds the values"
        )
    sheet = _merged_cells(trial, sheet)
    filling = {c.header: c for c in proposal.columns if c.header}
    for header, defects in trial.defects.items():
        known = header not in (_WHOLE_ROW, *trial.merged) and header in {c.header for c in sheet.columns}
        odd = sum(row.number in trial.rows_rejected for row in sheet.odd)
        bad = defects.reasons.total() - odd
        if not known or bad <= TOLERATED * trial.source:
            continue
        if set(defects.reasons) & _UNREADABLE:
            sheet = sheet.without(header, f"{bad:,} of its cells show errors, or formulas without a value")
        elif "stale_formula" in defects.reasons:
            sheet = sheet.without(header, f"{bad:,} of its cells hold formulas {OUT_OF_DATE}")
        elif "merged_cell" in defects.reasons:
            sheet = sheet.without(
                header, f"{bad:,} of its cells are merged with others: `workbook.merged` says more"
            )
        elif header not in filling:
            sheet = sheet.changed(header, may_be_key=False)
        elif set(defects.reasons) == {"blank_value"}:
            sheet = sheet.changed(header, rows=trial.source, required=False)
        elif (reading := filling[header].reading) is not None and reading.type.kind != "text":
            sheet = sheet.changed(header, reading=widened(reading, defects.reasons, defects.raws))
        elif proposal.new_table:
            sheet = sheet.without(header, f"{bad:,} of its cells {_no_text(defects)}")
    return sheet


def _no_text(defects: Defects) -> str:
    """Why cells can't be read even as texts."""
    if "number_may_be_cut" in defects.reasons:
        return "hold numbers of more than 15 digits, of which Excel has cut the last: keys of that length must be texts"
    return f"would be rejects with any type: {', '.join(sorted(defects.reasons))}"


def _merged_cells(trial: Trial, sheet: SeenSheet) -> SeenSheet:
    """Labels that are merged over several rows belong to each of them; of amounts that can't be told."""
    hidden = {
        h for h, defects in trial.defects.items() if defects.reasons[_MERGED] > TOLERATED * trial.source
    }
    if sheet.merged == "repeat":
        hidden = {
            c.header for c in sheet.columns if trial.filled[c.header] > c.cells.total() + len(sheet.odd)
        }
    for column in sheet.columns:
        if column.header in hidden and column.reading.type.is_number:
            why = "numbers in merged cells: it is unclear whether they count once or in each row"
            sheet = sheet.without(column.header, why)
        elif column.header in hidden and sheet.whole:
            sheet = replace(sheet, merged="repeat")
    return sheet


def told(trial: Trial, sheet: SeenSheet) -> list[str]:
    """What a person has to know of the rows that would be rejects, and of odd rows that would not."""
    lines = []
    for header, defects in trial.defects.items():
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in defects.reasons.most_common(3))
        of = f"column {header!r}" if header else "whole rows"
        lines.append(f"rejects in {of}: {reasons}, the first at {defects.first}")
    kinds: dict[str, list[int]] = {}
    for row in sheet.odd:
        if row.number not in trial.rows_rejected:
            kinds.setdefault(row.what, []).append(row.number)
    for what, numbers in kinds.items():
        shown = ", ".join(map(str, numbers[:5])) + (", …" if len(numbers) > 5 else "")
        lines.append(
            f"{ATTENTION}: row {shown} looks like {what} and would be loaded as a row: take it out of the workbook"
        )
    return lines


def nothing_loads(path: Path, trial: Trial) -> WorkbookError:
    """The refusal of a workbook of which no row could be loaded."""
    listed = "; ".join(
        f"{reason} {n:,}, the first at {defects.first}"
        for defects in list(trial.defects.values())[:3]
        for reason, n in defects.reasons.most_common(1)
    )
    return WorkbookError(
        "rows_unreadable",
        f"none of the {trial.source:,} rows of {path.name} could be loaded: {listed or 'they hold nothing'}",
        expected="rows with as many fields as the header, and values below its names",
        remedy="Correct the workbook, or name the sheet with --sheet",
    )
