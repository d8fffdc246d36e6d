"""The rejected rows of a load, as the ledger has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from factload.ledger.tables import attempts, loads, rejects
from factload.reasons import REASONS
from factload.sheet.address import address

_PAGE = 5_000


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
        return REASONS[self.reason] + (f": {self.duplicate_of}" if self.duplicate_of else "")

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
