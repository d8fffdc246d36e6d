"""A rejects workbook that came back, compared with the rows that were written there: the corrections in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import select
from sqlalchemy.engine import Connection

from factload.corrections.identity import ADDED, proof_of
from factload.corrections.returned import Returned, ReturnedRow, returned_rows
from factload.corrections.same_rows import CorrectedRow, chains_of, corrections_of, rows_of
from factload.corrections.shown_cells import Shown, calendar_cell, is_changed, keeps_sign, show
from factload.ledger.conditions import of_content
from factload.ledger.corrections import Cells, Correction, read_corrections, sha256_of_row
from factload.ledger.tables import rejects
from factload.load import Load, SourceFile
from factload.sheet.block import Column, Kind
from factload.sheet.choices import CellChoices
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.field import SheetField
from factload.sheet.names import as_seen
from factload.sheet.placing import Placing, header_names
from factload.sheet.source import Source, open_source, placing_of
from factload.sheet.text_values import read_text
from factload.sheet.workbook_file import Openable
from factload.split.all_workbooks import unchanged
from factload.split.sources import openable
from factload.vectors import texts

_ASKED_AT_ONCE = 5_000
_NOTHING = (Kind.BLANK, "")


@dataclass(slots=True)
class Corrections:
    """What a person corrected in a rejects workbook, and what they should know about it."""

    corrections: list[Correction] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_returned(
    connection: Connection,
    path: Openable,
    name: str,
    load: Load,
    *,
    fields: Sequence[SheetField],
    csv: CsvDialect | None,
    cells: CellChoices,
) -> Corrections:
    """The corrections in the workbook at ``path``, called ``name``, that ``load`` has not taken before.

    ``connection``: to the ledger that has the load. ``fields``: what the feed reads of a row. ``csv``: how the feed
    declares csv files (None: it doesn't). ``cells``: how ambiguous cells are read. Raises ``RowsRefused`` unless
    every row is one of this load, of its newest delivery, as it was written, and every changed one is still
    rejected.
    """
    known = read_corrections(connection, load.load_id)
    wanted = list(dict.fromkeys(header_names(fields, cells.unpivot)))
    with returned_rows(path, name, load, wanted, csv) as returned:
        found = Corrections(notes=returned.notes)
        for sha256, sheet in returned.sheets():
            source = next((one for one in load.sources if one.sha256 == sha256), None)
            if source is None:
                rows = [row.place for row in returned.rows(sha256, sheet)]
                returned.refuse(
                    f"{len(rows)} rows of {name} were rejected in another delivery of the workbook", rows
                )
            comparison = _Comparison(returned, load, source, sheet, fields)
            found.corrections += comparison.corrections(
                csv, cells, corrections_of(source, load.sources, known)
            )
        _require_rejected(connection, load, found.corrections, returned)
        if not found.corrections:
            found.notes.append(f"{name} has no new corrections for {load.load_id}")
        return found


class _Comparison:
    """The returned rows of one sheet beside the sheet's own."""

    def __init__(
        self,
        returned: Returned,
        load: Load,
        source: SourceFile,
        sheet: str,
        fields: Sequence[SheetField],
    ) -> None:
        self._returned, self._load, self._source, self._sheet = returned, load, source, sheet
        self._saved, self._fields = returned.saved, fields
        self._altered: list[str] = []
        self._signs: list[str] = []
        self._written: set[int] = set()  # what each row showed
        self._changed: list[
            tuple[str, int, int]
        ] = []  # where the changed ones stand, what they showed and show

    def corrections(
        self, csv: CsvDialect | None, cells: CellChoices, known: Sequence[Correction]
    ) -> list[Correction]:
        """The corrections that are not among the ``known`` ones."""
        found: list[Correction] = []
        numbers = [row.row for row in self._returned.rows(self._source.sha256, self._sheet)]
        with unchanged(self._source), open_source(openable(self._source), csv=csv, cells=cells) as opened:
            if not any(part.name == self._sheet for part in opened.sheets):
                self._altered += [row.place for row in self._returned.rows(self._source.sha256, self._sheet)]
                self._require_whole()
            part = next(part for part in opened.sheets if part.name == self._sheet)
            placing = placing_of(opened, part, self._fields)
            own = {i: name for i, name in placing.header.names.items() if name not in ADDED}
            chains = chains_of(opened, self._sheet, self._fields, self._source, known)
            rows = rows_of(opened, self._sheet, self._fields, numbers, chains)
            came = self._returned.rows(self._source.sha256, self._sheet)
            for row, there in zip(came, rows, strict=True):
                changed = self._correction(row, there, own, placing, opened)
                if changed and not any(changed == earlier.cells for earlier in there.corrections):
                    found.append(self._as_correction(there, changed))
        self._require_whole()
        return found

    def _correction(
        self, came: ReturnedRow, there: CorrectedRow, own: dict[int, str], placing: Placing, opened: Source
    ) -> Cells | None:
        """The cells of the row that people corrected, this time and before; None where this time changed none."""
        written = there.row
        cells: Cells | None = None
        for earlier, row in reversed(
            [({}, there.row), *((c.cells, c.on(there.row)) for c in there.corrections)]
        ):
            proof = proof_of(self._load.load_id, came.workbook, came.workbook_sha256, came.sheet, row)
            if proof == came.digest:
                cells, written = earlier, row
                break
        if cells is None:
            self._altered.append(came.place)
            return None
        changes: dict[int, tuple[Kind, str]] = {}
        shows: list[Shown] = []
        for index, (kind, text) in _by_column(own, came).items():
            shown = show(*written.cells.get(index, _NOTHING), date1904=opened.calendar.date1904)
            shows.append(shown)
            if is_changed(shown, kind, text, self._saved):
                if kind == Kind.TEXT and keeps_sign(shown, text):
                    self._signs.append(f"{came.place}, column {own[index]}")
                changes[index] = self._meant(placing.fields_at(index), kind, text, opened)
        self._written.add(_key(shows))
        if changes:
            seen = [show(k, t, date1904=self._saved.date1904) for k, t in _by_column(own, came).values()]
            self._changed.append((came.place, _key(shows), _key(seen)))
        return {**cells, **changes} if changes else None

    def _meant(self, of: Sequence[SheetField], kind: Kind, text: str, opened: Source) -> tuple[Kind, str]:
        """A changed cell, written as in the load's own workbook."""
        if self._saved.date1904 != opened.calendar.date1904:
            kind, text = calendar_cell(kind, text, self._saved)
        if self._saved.texts_alone and kind == Kind.TEXT and of and all(one.role == "value" for one in of):
            # A csv file holds texts alone, so the declared type is read from them, as it is from a feed's own.
            read = read_text(Column(np.array([kind], np.uint8), texts([text])), of[0].type, of[0].text_format)
            kind, text = Kind(int(read.kind[0])), str(read.text[0])
        return (kind, text) if text or kind == Kind.TEXT else _NOTHING

    def _as_correction(self, there: CorrectedRow, cells: Cells) -> Correction:
        return Correction(
            self._source.path,
            self._sheet,
            there.row.number,
            self._source.sha256,
            sha256_of_row(there.row),
            cells,
            self._returned.name,
        )

    def _require_whole(self) -> None:
        name = self._returned.name
        if self._altered:
            self._returned.refuse(
                f"{len(self._altered)} rows of {name} are not as they were written: the columns that factload "
                "added were altered, or the rows were corrected since",
                self._altered,
            )
        if self._signs:
            self._returned.refuse(
                f"{len(self._signs)} corrected cells of {name} still hold a sign that stands for what a workbook "
                "can't hold: type the whole text, or leave the cell as it was",
                self._signs,
            )
        moved = [each for each in self._changed if each[2] in self._written]
        if moved and Counter(written for _, written, _ in moved) == Counter(seen for _, _, seen in moved):
            self._returned.refuse(
                f"{len(moved)} rows of {name} hold what was written in other rows: its own columns were sorted "
                "without those that factload added",
                [place for place, _, _ in moved],
            )


def _by_column(own: dict[int, str], came: ReturnedRow) -> dict[int, tuple[Kind, str]]:
    """The cells that came back, by the column in which they are in the load's own sheet.

    Names count exactly, or else in any case if only one column has it, as they do for a feed.
    """
    places: dict[str, list[int]] = {}
    for index, name in sorted(own.items()):
        places.setdefault(as_seen(name), []).append(index)
    folded: dict[str, list[str]] = {}
    for name in places:
        folded.setdefault(name.casefold(), []).append(name)
    found = {}
    for header, kind, text in came.cells:
        name = as_seen(header)
        alike = [name] if name in places else folded.get(name.casefold(), [])
        if len(alike) == 1 and places[alike[0]]:
            found[places[alike[0]].pop(0)] = (kind, text)
    return dict(sorted(found.items()))


def _key(shown: Sequence[Shown]) -> int:
    return hash(
        tuple((one.what, f"{one.value:.14e}" if one.what == "number" else str(one.value)) for one in shown)
    )


def _require_rejected(
    connection: Connection, load: Load, corrections: Sequence[Correction], returned: Returned
) -> None:
    """Raise for rows that are not rejected rows of ``load``, naming them: published rows can't be corrected."""
    known: set[tuple[str, str, int]] = set()
    places = sorted({(c.workbook, c.sheet) for c in corrections})
    for workbook, sheet in places:
        rows = sorted(c.row for c in corrections if (c.workbook, c.sheet) == (workbook, sheet))
        for start in range(0, len(rows), _ASKED_AT_ONCE):
            asked = connection.scalars(
                select(rejects.c.row).where(
                    of_content(rejects, load.load_id, load.content),
                    rejects.c.workbook == workbook,
                    rejects.c.sheet == sheet,
                    rejects.c.row.in_(rows[start : start + _ASKED_AT_ONCE]),
                )
            )
            known |= {(workbook, sheet, row) for row in asked}
    unknown = [
        f"{Path(c.workbook).name} {c.sheet} row {c.row}"
        for c in corrections
        if (c.workbook, c.sheet, c.row) not in known
    ]
    if unknown:
        returned.refuse(f"{len(unknown)} rows of {returned.name} are not rejected in {load.load_id}", unknown)
