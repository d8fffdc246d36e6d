"""The sheets that a workbook lists, and which of them a feed means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from factload.errors import WorkbookError

SheetState = Literal["visible", "hidden", "veryHidden"]


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet as the workbook lists it; ``part`` is the zip member, or the file, that holds it."""

    name: str
    state: SheetState
    part: str
    kind: str  # "worksheet", "chartsheet", "dialogsheet" …


def choose(sheets: Sequence[SheetPart], wanted: str | int) -> SheetPart:
    """The sheet of this name, or of this position from 0.

    Raises WorkbookError ``sheet_missing`` or ``sheet_without_cells``.
    """
    if isinstance(wanted, int):
        found = tuple(sheets[wanted : wanted + 1]) if wanted >= 0 else ()
    else:
        found = tuple(s for s in sheets if s.name == wanted)
        folded = tuple(s for s in sheets if s.name.casefold() == wanted.strip().casefold())
        found = found or (folded if len(folded) == 1 else ())
    if not found:
        there = ", ".join(repr(s.name) for s in sheets[:20]) or "none"
        raise WorkbookError(
            "sheet_missing",
            f"The workbook has no sheet {wanted!r}; it has {there}",
            remedy="Correct `workbook.sheet` in the feed file, or ask for the sheet",
        )
    if found[0].kind != "worksheet":
        raise WorkbookError(
            "sheet_without_cells",
            f"Sheet {found[0].name!r} is a {found[0].kind}",
            expected="a sheet of cells",
        )
    return found[0]
