"""The rows of a load that people corrected: of each row, the cells that they changed.

A correction belongs to the load, not to an attempt: every later attempt applies it, as long as the workbook still has
the row. ``workbook_sha256`` says of which delivery the row was, ``row_sha256`` what all of its cells held there, so
that the same row is known in the next delivery. Of several corrections of one row the newest is the whole word: it
has the cells of those before it that still stand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from factload.ledger.tables import corrections as table
from factload.sheet.block import Kind
from factload.sheet.rows import Row

_AT_ONCE = 5_000

Cells = Mapping[int, tuple[Kind, str]]  # column index (A = 1) → kind and text, as in ``Row``


@dataclass(frozen=True, slots=True)
class Correction:
    """One row as a person corrected it. ``corrected_in``: the workbook that they sent; ``epoch``: the attempt that
    took it (0: none yet)."""

    workbook: str
    sheet: str
    row: int
    workbook_sha256: str
    row_sha256: str
    cells: Cells
    corrected_in: str
    epoch: int = field(default=0, compare=False)

    def on(self, row: Row) -> Row:
        """The row with its corrected cells. One of which nothing is left is still a row."""
        return with_cells(row, self.cells)


def with_cells(row: Row, cells: Cells) -> Row:
    """The row with these cells in the place of its own."""
    whole = {**row.cells, **cells}
    return Row(row.number, row.valued, {i: cell for i, cell in whole.items() if cell[0] != Kind.BLANK})


def sha256_of_row(row: Row) -> str:
    """What a row's cells are known by: all of them, whether a feed reads them or not."""
    cells = [(index, kind.name, text) for index, (kind, text) in sorted(row.cells.items())]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def read_corrections(connection: Connection, load_id: str, epoch: int | None = None) -> list[Correction]:
    """The corrections of a load in the order in which they were taken, those up to ``epoch`` if it is given."""
    query = (
        select(*(table.c[name] for name in Correction.__dataclass_fields__))
        .where(table.c.load_id == load_id)
        .order_by(table.c.epoch, table.c.workbook, table.c.sheet, table.c.row)
    )
    if epoch is not None:
        query = query.where(table.c.epoch <= epoch)
    return [
        Correction(
            row.workbook,
            row.sheet,
            row.row,
            row.workbook_sha256,
            row.row_sha256,
            {int(i): (Kind[kind], text) for i, (kind, text) in json.loads(row.cells).items()},
            row.corrected_in,
            row.epoch,
        )
        for row in connection.execute(query)
    ]


def record_corrections(
    connection: Connection, load_id: str, epoch: int, corrections: Sequence[Correction]
) -> None:
    """Note what the attempt ``epoch`` took, in the transaction that opens it."""
    for start in range(0, len(corrections), _AT_ONCE):
        connection.execute(
            insert(table),
            [
                {
                    "load_id": load_id,
                    "epoch": epoch,
                    "workbook": correction.workbook,
                    "sheet": correction.sheet,
                    "row": correction.row,
                    "workbook_sha256": correction.workbook_sha256,
                    "row_sha256": correction.row_sha256,
                    "cells": _written(correction.cells),
                    "corrected_in": correction.corrected_in,
                }
                for correction in corrections[start : start + _AT_ONCE]
            ],
        )


def sha256_of_corrections(corrections: Iterable[Correction]) -> str:
    """What the corrections of a load are known by; "" for none."""
    found = sorted(
        json.dumps((c.workbook, c.sheet, c.row, c.workbook_sha256, c.row_sha256, _written(c.cells)))
        for c in corrections
    )
    return hashlib.sha256("\n".join(found).encode()).hexdigest() if found else ""


def _written(cells: Cells) -> str:
    return json.dumps({index: (kind.name, text) for index, (kind, text) in sorted(cells.items())})
