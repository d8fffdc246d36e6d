"""The proposal: a feed, and the tables that it needs. What is uncertain is said in it, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from factload.propose.column_types import Reading
from factload.propose.sheet_seen import SeenSheet
from factload.propose.tables_seen import TableColumn
from factload.sheet.text_format import TextFormat
from factload.sql_types import SqlType

LOAD_COLUMN, OTHER_LOAD_COLUMN = (
    "load_id",
    "factload_load_id",
)  # the other where the sheet has a Load ID of its own
ATTENTION = "ATTENTION"
KEY_TYPE = SqlType("integer", bits=64)


@dataclass(frozen=True, slots=True)
class ProposedDimension:
    """One dimension; ``new`` when its table is yet to be made. ``history``: its columns valid from and to, of which the
    second is ``inclusive`` where it holds the last day. ``date_format``: how texts write a key that is a date.
    ``attributes``: columns of a new table, each with the sheet's."""

    name: str
    table: str
    business_key: tuple[str, ...]
    surrogate_key: str
    headers: tuple[str, ...]
    why: str
    key_type: SqlType = KEY_TYPE
    type: Literal["text", "date", "integer"] = "text"
    new: bool = False
    create: bool = False
    history: tuple[str, str] | None = None
    inclusive: bool = False
    date_format: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """One column of the fact table, filled by a dimension or, as ``reading`` says, by a column of the sheet."""

    name: str
    dimension: str | None = None
    header: str | None = None
    reading: Reading | None = None
    required: bool = False
    notes: tuple[str, ...] = ()
    not_allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A feed, proposed. ``open_columns`` of the fact table nothing fills yet, ``unused_headers`` fill nothing, each
    with the reason. ``partitioned``: the new table has a partition for each load. ``max_rejects``, and ``notes`` about
    it, come of a trial."""

    feed: str
    path: str
    period: date | None
    sheet: SeenSheet
    table: str
    why_table: str
    new_table: bool
    load_column: str
    new_load_column: bool
    dimensions: tuple[ProposedDimension, ...]
    columns: tuple[ProposedColumn, ...]
    open_columns: tuple[TableColumn, ...] = ()
    unused_headers: tuple[tuple[str, str], ...] = ()
    new_schema: str | None = None
    partitioned: bool = False
    max_rejects: str = "0.5%"
    notes: tuple[str, ...] = ()

    @property
    def fills_every_row(self) -> bool:
        """Whether some column that the feed reads holds something in every row of data that was seen."""
        read = {c.header for c in self.columns} | {h for d in self.dimensions for h in d.headers}
        return any(column.header in read and column.always_filled for column in self.sheet.columns)

    @property
    def reads_what_is_made(self) -> bool:
        """Whether the feed reads all that columns which become rows make: their names, and what stands in them."""
        read = {c.header for c in self.columns} | {h for d in self.dimensions for h in d.headers}
        return self.sheet.unpivot is None or read >= {*self.sheet.unpivot.made}

    @property
    def warnings(self) -> list[str]:
        """The notes that must not be missed."""
        return [note for note in self.notes if note.startswith(ATTENTION)]

    @property
    def text_format(self) -> TextFormat:
        """How all texts of a csv file write numbers and dates; what its columns don't agree on is said for each."""
        readings = [c.reading for c in self.sheet.columns]
        decimal = self.sheet.decimal or "."
        grouped = {r.written.thousands for r in readings if r.written.decimal == decimal} - {""}
        dates = {r.written.date for r in readings if r.type.kind in ("date", "timestamp")}
        alone = self.sheet.decimal is not None and len(grouped) == 1
        return TextFormat(decimal, grouped.pop() if alone else "", dates.pop() if len(dates) == 1 else "")
