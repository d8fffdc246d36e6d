"""How ambiguous cells are read: as the feed declares, or their rows are rejects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Merged = Literal["reject", "blank", "repeat"]
StaleFormulas = Literal["reject", "take"]


@dataclass(frozen=True, slots=True)
class CellChoices:
    """``merged``: a cell that is merged with others and isn't the first of them. ``stale_formulas``: a formula of a
    workbook that is to be calculated anew before anybody looks at it."""

    merged: Merged = "reject"
    stale_formulas: StaleFormulas = "reject"


USUAL = CellChoices()
