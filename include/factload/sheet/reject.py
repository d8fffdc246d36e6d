"""A reject: a row that can't be loaded, with the cell that is to blame. Its fields and their order are said here alone.

The reader notes them in the partition file, the lookup adds those whose keys match no member, the ledger keeps them,
and the command line, the logs and the Loads page show them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.reasons import REASONS
from factload.sheet.address import address


@dataclass(frozen=True, slots=True)
class Reject:
    """One rejected row: where it stands in the workbook, what the cell held, and why it could not be loaded.

    ``duplicate_of``: the row of the load that has the same value, and stays.
    """

    workbook: str
    sheet: str
    row: int
    cell: str | None
    column: str
    raw: str | None
    reason: str
    duplicate_of: str | None = None

    @property
    def explanation(self) -> str:
        """The reason in plain words; of a duplicate, with the place of the row that was first."""
        return REASONS.get(self.reason, "") + (f": {self.duplicate_of}" if self.duplicate_of else "")

    @property
    def address(self) -> str:
        """The cell as Excel calls it, ``Facts!B1042``; the row alone where no cell is to blame."""
        return address(self.sheet, self.cell or f"{self.row}:{self.row}")

    @property
    def told(self) -> tuple[str, ...]:
        """What a list of rejects says of this one, after the place of its row."""
        return self.address, self.column, self.raw or "", self.reason, self.explanation

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        return asdict(self) | {"address": self.address, "explanation": self.explanation}


FIELDS = tuple(field.name for field in fields(Reject))
# The rejects of one partition, which knows its workbook and its sheet.
REJECT_SCHEMA = pa.schema(
    [
        (name, pa.int32() if name == "row" else pa.string())
        for name in FIELDS
        if name not in ("workbook", "sheet")
    ]
)
# The part of it that stands beside the values in a partition file: null in good rows.
NOTED = ("cell", "column", "raw", "reason")


def cells(letter: str | pa.Array, row: pa.Array) -> pa.Array:
    """The cells of these rows in one column of the sheet, or in that of each row: ``B2``."""
    return pc.binary_join_element_wise(letter, pc.cast(row, pa.string()), "")


def reject_table(
    row: pa.Array,
    *,
    column: str | pa.Array,
    reason: str | pa.Array,
    letter: str | pa.Array | None = None,
    raw: pa.Array | None = None,
    duplicate_of: pa.Array | None = None,
) -> pa.Table:
    """Rejects in ``REJECT_SCHEMA``, with the ``column`` to blame.

    ``letter``: where that column stands in the sheet; without it no cell is named. ``column``, ``letter`` and
    ``reason``: the one of all rows, or each row's own.
    """
    nothing = pa.nulls(len(row), pa.string())
    said = {
        "row": row,
        "cell": nothing if letter is None else cells(letter, row),
        "column": pa.repeat(column, len(row)) if isinstance(column, str) else column,
        "raw": nothing if raw is None else raw,
        "reason": pa.repeat(reason, len(row)) if isinstance(reason, str) else reason,
        "duplicate_of": nothing if duplicate_of is None else duplicate_of,
    }
    return pa.table(said, schema=REJECT_SCHEMA)


def noted_rejects(rows: pa.Table) -> pa.Table:
    """The rejects that a partition file notes, in ``REJECT_SCHEMA``."""
    found = rows.filter(pc.is_valid(rows["reason"]))
    nothing = pa.nulls(found.num_rows, pa.string())
    said = {name: found[name] if name in found.column_names else nothing for name in REJECT_SCHEMA.names}
    return pa.table(said).cast(REJECT_SCHEMA)
