"""An .xls, .xlsb or .ods workbook as a source: a child process reads it, its rows are typed as those of other files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa

from factload.sheet.block import Block, Column, Kind
from factload.sheet.calamine.ods_addresses import as_excel_writes
from factload.sheet.calamine.ods_merged import note_merged
from factload.sheet.calamine.process_budget import ProcessBudget, ended
from factload.sheet.calamine.zip_bounds import inflated_size
from factload.sheet.choices import CellChoices
from factload.sheet.columns import type_rows
from factload.sheet.dates import GREGORIAN, Calendar
from factload.sheet.field import SheetField
from factload.sheet.header import HEADER_WITHIN
from factload.sheet.left_out import left_out_rows
from factload.sheet.limits import MAX_COLUMNS, MAX_ROWS, Limits
from factload.sheet.merged import MergedCells, is_hidden
from factload.sheet.named_areas import DefinedName, NamedAreas, TableOfCells
from factload.sheet.pieces import NO_MARKS, Cell, Decoded, Pieces, row_count_mismatch
from factload.sheet.placing import place_fields
from factload.sheet.ranges import RangeList, Ranges
from factload.sheet.references import column_letters
from factload.sheet.rows import Row, bounded, chosen, too_much_text
from factload.sheet.seen import seen_in
from factload.sheet.sheets import SheetPart, SheetState
from factload.sheet.unstorable import as_escaped, marked
from factload.sheet.workbook_file import WorkbookFile

_STATES: dict[str, SheetState] = {"Hidden": "hidden", "VeryHidden": "veryHidden"}
_KINDS = {"WorkSheet": "worksheet", "ChartSheet": "chartsheet", "DialogSheet": "dialogsheet"}


class CalamineSource:
    """A workbook that another process reads: every request starts a new one."""

    def __init__(self, file: WorkbookFile, ending: str, limits: Limits, cells: CellChoices) -> None:
        self._file, self._ending, self.limits, self.cells = file, ending, limits, cells
        size = inflated_size(file, limits) if zipfile.is_zipfile(file.stream()) else file.size
        self._budget = ProcessBudget.of(size, limits)

    @cached_property
    def sheets(self) -> Sequence[SheetPart]:
        return self._sheets if self.cells.area is None else (self._areas.chosen(self.cells.area),)

    @cached_property
    def _areas(self) -> NamedAreas:
        names = [
            DefinedName(name, as_excel_writes(formula), as_escaped(marked(sheet)))
            for name, formula, sheet in self._lines(ask="names")
        ]
        has_tables = self._ending == ".xlsb"
        tables = [
            TableOfCells(as_escaped(marked(name)), self._sheets[sheet].name, *cells_and_rows)
            for sheet, name, *cells_and_rows in (self._lines(ask="tables") if has_tables else ())
        ]
        return NamedAreas(self._sheets, tables if has_tables else None, names)

    def cell(self, place: str) -> tuple[str, Cell]:
        part, row, column = self._areas.cell(place)
        at = f"{part.name}!{column_letters(column)}{row}"
        if is_hidden(self._ranges(part, 0).ranges, row, column):
            return at, (Kind.MERGED, "")
        rows = self._one_row(part, row)
        return at, rows[0].cells.get(column, (Kind.BLANK, "")) if rows else (Kind.BLANK, "")

    @cached_property
    def _sheets(self) -> Sequence[SheetPart]:
        found = self._json(ask="sheets")
        return tuple(
            SheetPart(
                as_escaped(marked(name)),
                _STATES.get(state, "visible"),
                str(i),
                _KINDS.get(kind, kind.lower()),
            )
            for i, (name, state, kind) in enumerate(found)
        )

    def first_rows(self, sheet: SheetPart) -> list[Row]:
        if sheet.area is not None:
            return list(sheet.area.within(self._one_row(sheet, sheet.area.top)))
        with closing(self._rows_until(sheet, HEADER_WITHIN)) as rows:
            return list(bounded(rows, self.limits.window_text_bytes))

    def _one_row(self, sheet: SheetPart, number: int) -> list[Row]:
        with closing(self._rows_until(sheet, number)) as rows:
            return [row for row in rows if row.number == number]

    def is_empty(self, sheet: SheetPart) -> bool:
        return bool(self._json(ask="empty", sheet=int(sheet.part)))

    def some_rows(
        self, sheet: SheetPart, wanted: Iterable[int], *, header_row: int, columns: Collection[int]
    ) -> Iterator[Row]:
        return chosen(self.all_rows(sheet, header_row=header_row, columns=columns), wanted)

    def all_rows(
        self, sheet: SheetPart, *, header_row: int = 0, columns: Collection[int] = ()
    ) -> Iterator[Row]:
        merged = self.merged(sheet, header_row, columns) if columns else None
        rows = (row for row in self._rows_until(sheet, MAX_ROWS) if row.valued)
        found = merged.settled(rows) if merged else rows
        yield from sheet.area.within(found) if sheet.area else found

    @property
    def calendar(self) -> Calendar:
        return GREGORIAN  # calamine gives calendar dates, whatever they count from

    def rows(self, sheet: SheetPart, fields: Sequence[SheetField], threads: int) -> CalamineRows:
        return CalamineRows(self, sheet, fields)

    def merged(self, sheet: SheetPart, header_row: int, placed: Collection[int]) -> MergedCells | None:
        """What the merged ranges of a sheet change in these columns; None for nothing."""
        found = self._ranges(sheet, header_row)
        if sheet.area is not None:
            sheet.area.require_uncut(found.ranges, sheet.name)
        shown = partial(seen_in, calendar=self.calendar)
        cells = MergedCells(found.ranges, header_row, placed, self.cells.merged, self.limits, shown)
        return cells if cells.matter else None

    def ranges(self, sheet: SheetPart, row: int) -> Ranges:
        return self._ranges(sheet, row).ranges

    def _ranges(self, sheet: SheetPart, header_row: int) -> RangeList:
        found = RangeList(header_row, self.limits)
        if self._ending == ".ods":
            note_merged(self._file, int(sheet.part), found)
        else:
            for corners in self._lines(ask="merged", sheet=int(sheet.part)):
                found.add(*corners)
        return found

    def _rows_until(self, sheet: SheetPart, last: int) -> Generator[Row, None, None]:
        for number, cells in self._lines(ask="first", sheet=int(sheet.part), rows=last):
            found = {i: (Kind(kind), text) for i, kind, text in cells if i <= MAX_COLUMNS}
            yield Row(number, bool(cells), found)

    def _json(self, **request: Any) -> Any:
        [answer] = self._lines(**request)
        return answer

    def _lines(self, **request: Any) -> Iterator[Any]:
        """The values that the child writes, one a line, each no longer than the text of a window may be."""
        most = self.limits.window_text_bytes
        with self.asked(**request) as answer:
            while (line := answer.readline(most + 1)).endswith(b"\n"):
                yield json.loads(line)
            if len(line) > most:
                raise too_much_text(most)

    @contextmanager
    def asked(self, **request: Any) -> Iterator[IO[bytes]]:
        """The child's answer to one request. Raises WorkbookError when it doesn't end well, whatever was read."""
        limits = self.limits
        request |= {
            "cells": limits.cells,
            "file_cells": self._budget.cells,
            "file_share": self._budget.memory,
            "file_seconds": self._budget.seconds,
            "process_bytes": limits.process_bytes,
            "process_seconds": limits.process_seconds,
            "text_chars": limits.text_chars,
            "text_bytes": limits.window_text_bytes,
            "stale": self.cells.stale_formulas == "reject",
        }
        package = str(Path(__file__).resolve().parents[3])
        environment = os.environ | {"PYTHONPATH": package, "ARROW_DEFAULT_MEMORY_POOL": "system"}
        with tempfile.TemporaryFile() as said, _link_to(self._file, self._ending) as request["path"]:
            child = subprocess.Popen(
                # Without -P, modules of the current folder, an inbox perhaps, would run instead of Python's own.
                [sys.executable, "-P", "-m", "factload.sheet.calamine.child"],
                cwd="/",
                pass_fds=(self._file.descriptor,),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=environment,
            )
            late = threading.Timer(limits.process_seconds, child.kill)
            late.daemon = True
            late.start()
            read_all = False
            try:
                with child:
                    assert child.stdin is not None and child.stdout is not None  # noqa: S101
                    child.stdin.write(json.dumps(request).encode())
                    child.stdin.close()
                    try:
                        yield child.stdout
                        read_all = True
                    except (pa.ArrowInvalid, OSError, EOFError) as error:
                        child.kill() if child.poll() is None and not late.is_alive() else child.wait()
                        raise ended(child.returncode, said, self.limits, self._budget) from error
                    finally:
                        if not read_all and child.poll() is None:
                            child.kill()
            finally:
                late.cancel()
            if child.returncode:
                raise ended(child.returncode, said, self.limits, self._budget)


class CalamineRows:
    """One sheet, streamed from the child by batches."""

    def __init__(self, source: CalamineSource, sheet: SheetPart, fields: Sequence[SheetField]) -> None:
        self.name, self._source, self._sheet = sheet.name, source, sheet
        place = sheet.area.place if sheet.area else ""
        # No serial dates in plain numbers: calamine does not tell the workbook's date system.
        dates = ("date", "timestamp")
        known = [replace(field, serials=False) if field.type.kind in dates else field for field in fields]
        self.placing = place_fields(
            source.first_rows(sheet),
            known,
            sheet.name,
            source.cells.unpivot,
            place=place,
            ranges=partial(source.ranges, sheet),
        )
        self.header = self.placing.header
        self.leaves = left_out_rows(source.cells.rows, self.header, sheet.name, sheet.area)
        self._merged: MergedCells | None = None

    @property
    def warnings(self) -> Sequence[str]:
        return ()

    @property
    def unclear(self) -> Mapping[int, str]:
        return self._merged.unclear if self._merged else {}

    def look_ahead(self) -> None:
        """What changes how the rows are read is asked for before them."""

    def pieces(self, rows_per_partition: int) -> Pieces:
        self._merged = self._source.merged(self._sheet, self.header.row, self.placing.columns)
        watched = self.leaves.columns if self.leaves else ()
        columns = sorted({*(self._merged.columns if self._merged else self.placing.columns), *watched})
        area = self._sheet.area
        request = {
            "sheet": int(self._sheet.part),
            "columns": columns,
            "after": self.header.row,
            "through": area.bottom if area else MAX_ROWS,
        }
        held = 0
        with self._source.asked(ask="rows", **request) as answer, pa.ipc.open_stream(answer) as batches:
            for batch in batches:
                counted = int(batch["counted"][0].as_py())
                if counted != batch.num_rows:
                    raise row_count_mismatch(self.name, int(batch["row"][0].as_py()))
                done = 0
                while done < batch.num_rows:
                    part = batch.slice(done, min(rows_per_partition - held, batch.num_rows - done))
                    done += part.num_rows
                    held = (held + part.num_rows) % rows_per_partition
                    yield self._decoded(part, columns, ends_partition=held == 0)

    def exactly(self, rows_per_partition: int) -> Pieces:
        return self.pieces(rows_per_partition)

    def _decoded(self, batch: pa.RecordBatch, columns: Sequence[int], *, ends_partition: bool) -> Decoded:
        row = batch["row"].to_numpy()
        found = {
            column: Column(np.array(batch[f"kind{i}"].to_numpy()), pa.concat_arrays([batch[f"text{i}"]]))
            for i, column in enumerate(columns)
        }
        block = Block(row.astype(np.int32), found, int(row[-1]))
        if self._merged:
            block = self._merged.settle(block)
        rows = type_rows(block, self.placing, calendar=GREGORIAN)
        marks = self.leaves.marks(block, rows) if self.leaves else NO_MARKS
        source = len(row) * self.placing.rows_of_one
        return Decoded(rows, source, int(row[0]), int(row[-1]), ends_partition, marks)


@contextmanager
def _link_to(file: WorkbookFile, ending: str) -> Iterator[str]:
    """A path of the open file, as the child sees it, with the ending by which that knows how to read it."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"workbook{ending}"
        link.symlink_to(f"/dev/fd/{file.descriptor}")
        yield str(link)
