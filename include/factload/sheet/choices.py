"""Which cells of a workbook are read, and how ambiguous ones are: as the feed declares, or their rows are rejects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Merged = Literal["reject", "blank", "repeat"]
StaleFormulas = Literal["reject", "take"]


@dataclass(frozen=True, slots=True)
class AreaChoice:
    """What a feed names: an Excel table, or a range by its defined name or its cells. Exactly one of them."""

    table: str | None = None
    range: str | None = None


@dataclass(frozen=True, slots=True)
class CellChoices:
    """``merged``: a cell that is merged with others and isn't the first of them. ``stale_formulas``: a formula of a
    workbook that is to be calculated anew before anybody looks at it. ``area``: the table or range that is read, where
    that is not a whole sheet."""

    merged: Merged = "reject"
    stale_formulas: StaleFormulas = "reject"
    area: AreaChoice | None = None


USUAL = CellChoices()
