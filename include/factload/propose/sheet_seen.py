"""A sheet as it was seen: its columns, which of them become rows, and which rows are no data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from factload.propose.columns_seen import SeenColumn
from factload.propose.csv_seen import SeenCsv
from factload.propose.left_out import NOTHING, LeftOut
from factload.propose.odd_rows import OddRow
from factload.sheet.choices import Merged


@dataclass(frozen=True, slots=True)
class SeenWitness:
    """The owner's number. ``at``: where it stands, as a feed says it; ``sum``: the column whose sum it is; ``column``:
    that in whose cell it stands, where that is another."""

    at: str
    sum: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class SeenUnpivot:
    """Columns that become rows: their names, and a ``pattern`` if one tells them; what the feed calls a column's
    ``name``, the ``value`` in it, and what stands ``above`` the name. ``plain``: the sheet without all that."""

    plain: SeenSheet
    columns: tuple[str, ...]
    pattern: str | None
    name: str
    value: str
    above: str | None = None

    @property
    def made(self) -> tuple[str, ...]:
        """What is read as columns are, and is none of the sheet's."""
        return (self.name, self.value) if self.above is None else (self.name, self.value, self.above)

    def stands_for(self, header: str) -> str:
        """By what name a column of the sheet is read."""
        return self.value if header in self.columns else header


@dataclass(frozen=True)
class SeenSheet:
    """The sheet that is looked at, and the others of the workbook. ``left_out``: columns that no feed can read, each
    with the reason; ``odd``: rows that look like totals or notes; ``leaves``: what of them a feed can leave out.
    ``table``: the Excel table that holds the rows; ``doubled``: columns that share their names; ``unpivot``: those that
    become rows; ``attributes``: by a key's column those that say the same of a key in every row; ``witness``: the
    owner's own sum of a column."""

    name: str
    others: tuple[str, ...]
    header_row: int
    columns: tuple[SeenColumn, ...]
    left_out: dict[str, str]
    odd: tuple[OddRow, ...]
    rows: int
    csv: SeenCsv | None = None
    decimal: str | None = None
    whole: bool = True
    merged: Merged = "reject"
    leaves: LeftOut = NOTHING
    first_header: str = ""
    table: str | None = None
    doubled: tuple[SeenColumn, ...] = ()
    unpivot: SeenUnpivot | None = None
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    witness: SeenWitness | None = None

    def column(self, header: str) -> SeenColumn:
        """The column called so."""
        return next(c for c in self.columns if c.header == header)

    def changed(self, header: str, **changes: object) -> SeenSheet:
        """The sheet with one of its columns seen otherwise."""
        columns = (replace(c, **changes) if c.header == header else c for c in self.columns)  # type: ignore[arg-type]
        return replace(self, columns=tuple(columns))

    def with_names(self, name: str, value: str) -> SeenSheet:
        """The sheet with other names for what columns that become rows make."""
        assert self.unpivot is not None  # noqa: S101  # the caller's branch
        called = {self.unpivot.name: name, self.unpivot.value: value}
        columns = (replace(c, header=called.get(c.header, c.header)) for c in self.columns)
        seen = replace(self, columns=tuple(columns), unpivot=replace(self.unpivot, name=name, value=value))
        witness = self.witness and replace(self.witness, sum=called.get(self.witness.sum, self.witness.sum))
        return replace(seen, witness=witness)

    def without_blank_row(self) -> SeenSheet:
        """The sheet with what is below a blank row as rows that look odd: in the columns that are read, another row may
        be blank."""
        leaves = replace(self.leaves, below=())
        return replace(self, leaves=leaves, odd=(*self.odd, *self.leaves.below))

    def without(self, header: str, why: str) -> SeenSheet:
        """The sheet without a column that no feed can read."""
        if self.unpivot and header in self.unpivot.made:
            return self.unpivot.plain
        columns = tuple(c for c in self.columns if c.header != header)
        return replace(self, columns=columns, left_out={**self.left_out, header: why})
