"""What publishing would change, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One row that differs. ``key``: the columns that it is known by, dimensions by their business key; ``values``:
    column → (before, after) as texts, of the columns that differ, None for a row that isn't there or a blank.
    ``workbook``, ``sheet``, ``row``, ``cells``: where the new one came from; ``cells`` by column, such as ``B7``."""

    kind: Kind
    key: Mapping[str, str | None]
    values: Mapping[str, tuple[str | None, str | None]]
    workbook: str | None = None
    sheet: str | None = None
    row: int | None = None
    cells: Mapping[str, str] = field(default_factory=dict)

    def without_values(self) -> dict[str, Any]:
        """Which row and columns they are, and not what they hold."""
        told = asdict(self)
        del told["key"], told["values"]
        return told | {"columns": list(self.values)}


@dataclass(frozen=True, slots=True)
class Vanishing:
    """Members of a dimension that rows have now and none would have. ``first``: business keys of some of them."""

    members: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What publishing a load would change.

    ``before`` and ``after``: numbers of rows; ``key``: the columns that rows are paired by; ``totals``: measure →
    (before, after) as exact decimal texts; ``largest``: the ten changes that weigh most; ``vanishing``: dimension's
    column → its members; ``held``: why the load is held, where it is; ``notes``: what a person should know.
    """

    load_id: str
    feed: str
    period: str
    state: str
    workbooks: tuple[str, ...]
    table: str
    key: tuple[str, ...]
    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    totals: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    largest: tuple[Change, ...] = ()
    vanishing: Mapping[str, Vanishing] = field(default_factory=dict)
    held: str = ""
    notes: tuple[str, ...] = ()

    @property
    def unchanged(self) -> int:
        """How many rows would stand as they do."""
        return self.before - self.removed - self.changed

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        return {
            "load_id": self.load_id,
            "feed": self.feed,
            "period": self.period,
            "state": self.state,
            "workbooks": list(self.workbooks),
            "table": self.table,
            "key": list(self.key),
            "rows": {
                name: getattr(self, name)
                for name in ("before", "after", "added", "removed", "changed", "unchanged")
            },
            "totals": {
                name: {"before": before, "after": after} for name, (before, after) in self.totals.items()
            },
            "largest": [asdict(change) for change in self.largest],
            "vanishing": {name: asdict(members) for name, members in self.vanishing.items()},
            "held": self.held or None,
            "notes": list(self.notes),
        }

    def without_values(self) -> dict[str, Any]:
        """The same without what cells hold, for logs and reports that are kept where more people look: of a row that
        differs the columns and cells, and of members that vanish their number."""
        told = self.to_json()
        return {name: told[name] for name in ("workbooks", "key", "rows", "totals", "notes")} | {
            "largest": [change.without_values() for change in self.largest],
            "vanishing": {name: {"members": gone.members} for name, gone in self.vanishing.items()},
        }
