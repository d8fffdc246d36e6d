"""The rejected rows of a load: read from the ledger, and written as a workbook to send back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.exceptions import IllegalCharacterError
from sqlalchemy import select
from sqlalchemy.engine import Connection

from factload.ledger_tables import attempts, loads, rejects
from factload.sheet.address import address
from factload.sheet.columns import REASONS

EXPLANATIONS = {**REASONS, "unmatched_key": "No member of the dimension has this key"}

_PAGE = 5_000
_HEADERS = ("workbook", "sheet", "row", "cell", "column", "value", "reason", "what it means")
_WIDTHS = (32, 16, 10, 16, 24, 32, 22, 70)


@dataclass(frozen=True, slots=True)
class Reject:
    """One rejected row: where it stands in the workbook, what the cell held, and why it could not be loaded."""

    workbook: str
    sheet: str
    row: int
    cell: str | None
    column: str
    raw: str | None
    reason: str

    @property
    def explanation(self) -> str:
        """The reason in plain words."""
        return EXPLANATIONS[self.reason]

    @property
    def address(self) -> str:
        """The cell as Excel calls it, ``Facts!B1042``; the row alone where no cell is to blame."""
        return address(self.sheet, self.cell or f"{self.row}:{self.row}")

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        return asdict(self) | {"address": self.address, "explanation": self.explanation}


def read_rejects(connection: Connection, load_id: str) -> Iterator[Reject]:
    """The rejects of a load's newest attempt, in the order of workbooks, sheets and rows, a page at a time."""
    content = (
        select(attempts.c.content)
        .join(loads, (attempts.c.load_id == loads.c.load_id) & (attempts.c.epoch == loads.c.epoch))
        .where(loads.c.load_id == load_id)
        .scalar_subquery()
    )
    query = (
        select(*(rejects.c[field.name] for field in fields(Reject)))
        .where(rejects.c.load_id == load_id, rejects.c.content == content)
        .order_by(rejects.c.workbook, rejects.c.sheet, rejects.c.row)
        .execution_options(yield_per=_PAGE)
    )
    for row in connection.execute(query):
        yield Reject(*row)


def write_workbook(path: Path, found: Iterator[Reject]) -> int:
    """Write the rejects to a new workbook at ``path``, a row each; returns how many.

    Every value is stored as text: what looks like a formula is shown, never computed.
    """
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("rejects")
    for letter, width in zip("ABCDEFGH", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    sheet.append([_text(sheet, header, bold=True) for header in _HEADERS])
    count = 0
    for reject in found:
        sheet.append(
            [
                _text(sheet, reject.workbook),
                _text(sheet, reject.sheet),
                reject.row,
                _text(sheet, reject.address),
                _text(sheet, reject.column),
                _text(sheet, reject.raw or ""),
                _text(sheet, reject.reason),
                _text(sheet, reject.explanation),
            ]
        )
        count += 1
    workbook.save(path)
    return count


def _text(sheet: Any, value: str, bold: bool = False) -> Any:
    try:
        cell = WriteOnlyCell(sheet, value)
    except IllegalCharacterError:
        # Control characters can't stand in a workbook's XML; shown escaped they can.
        cell = WriteOnlyCell(sheet, value.encode("unicode_escape").decode("ascii"))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
