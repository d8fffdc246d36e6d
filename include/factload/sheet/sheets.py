"""The sheets that a workbook lists, and which of them a feed means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from factload.errors import WorkbookError
from factload.sheet.file_errors import damaged, hostile

if TYPE_CHECKING:
    from factload.sheet.area import Area

SheetState = Literal["visible", "hidden", "veryHidden"]
SheetChoice = str | int | tuple[str | int, ...]
EVERY = "*"  # no sheet is called so: Excel forbids the character in names
UNKNOWN = "unknown"
_KINDS = {"chartsheet": "a chart sheet", "dialogsheet": "a dialog sheet", "xlMacrosheet": "a macro sheet"}
_LISTED = 20
_NAME_CHARS = 255  # of a sheet's name; Excel's own end at 31
_AT_ONCE = 10_000  # sheets that "*" may mean


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet as the workbook lists it; ``part`` is the zip member, or the file, that holds it. ``area``: the part
    of it that is read, where that is not all of it."""

    name: str
    state: SheetState
    part: str
    kind: str  # "worksheet", "chartsheet", "dialogsheet" …; UNKNOWN where the workbook doesn't say
    area: Area | None = None


def choose(sheets: Sequence[SheetPart], choice: SheetChoice) -> tuple[SheetPart, ...]:
    """The sheets that ``choice`` means, in its order; ``"*"``: every visible sheet of cells, in the workbook's.

    A name counts exactly, or else in any case if only one sheet has it; a position counts all sheets from 0. A
    hidden sheet is read only when it is named. Raises WorkbookError that says of each choice why it can't be
    read: ``sheet_missing``, ``sheet_hidden``, ``sheet_without_cells``, ``sheet_ambiguous``, ``sheet_twice``.
    """
    named = Counter(sheet.name for sheet in sheets)
    if choice == EVERY:
        visible = tuple(s for s in sheets if s.state == "visible" and s.kind in ("worksheet", UNKNOWN))
        if not visible:
            raise _missing("visible sheet of cells", sheets)
        if len(visible) > _AT_ONCE:
            raise hostile(f"The workbook has {len(visible):,} visible sheets", f"at most {_AT_ONCE:,}")
        defects = [d for d in (_defect(s, s.name, named) for s in visible) if d]
        if defects:
            raise WorkbookError.together(defects)
        return visible
    found: list[SheetPart] = []
    refused: list[WorkbookError] = []
    for wanted in choice if isinstance(choice, tuple) else (choice,):
        try:
            sheet = _one(sheets, wanted, named)
            if sheet in found:
                raise _twice(sheet.name, wanted)
            found.append(sheet)
        except WorkbookError as error:
            refused.append(error)
    if refused:
        raise WorkbookError.together(refused)
    return tuple(found)


def _one(sheets: Sequence[SheetPart], wanted: str | int, named: Mapping[str, int]) -> SheetPart:
    if isinstance(wanted, int):
        found = list(sheets[wanted : wanted + 1]) if wanted >= 0 else []
    else:
        folded = [s for s in sheets if s.name.casefold() == wanted.strip().casefold()]
        found = [s for s in sheets if s.name == wanted] or (folded if len(folded) == 1 else [])
    if not found:
        raise _missing(f"sheet {wanted!r}", sheets)
    if defect := _defect(found[0], wanted, named):
        raise defect
    return found[0]


def _defect(sheet: SheetPart, wanted: str | int, named: Mapping[str, int]) -> WorkbookError | None:
    if sheet.kind == UNKNOWN:
        return damaged(f"The workbook doesn't say which of its parts holds sheet {sheet.name!r}")
    if sheet.kind != "worksheet":
        return WorkbookError(
            "sheet_without_cells",
            f"Sheet {sheet.name!r} is {_KINDS.get(sheet.kind, 'a ' + sheet.kind)}",
            expected="a sheet of cells",
            remedy="Correct `workbook.sheet` in the feed file",
        )
    if isinstance(wanted, int) and sheet.state != "visible":
        return WorkbookError(
            "sheet_hidden",
            f"Sheet {wanted} is {sheet.name!r}, which is hidden",
            expected="a visible sheet",
            remedy="Give `workbook.sheet` its name if it is meant; a hidden sheet is read only by name",
        )
    if len(sheet.name) > _NAME_CHARS:
        return hostile(
            f"The name of a sheet has {len(sheet.name):,} characters", f"at most {_NAME_CHARS} characters"
        )
    if named[sheet.name] > 1:
        return WorkbookError(
            "sheet_ambiguous",
            f"Two sheets are called {sheet.name!r}",
            expected="every sheet under a name of its own",
            remedy="Rename one of them",
        )
    return None


def _missing(what: str, sheets: Sequence[SheetPart]) -> WorkbookError:
    there = ", ".join(_shown(s) for s in sheets[:_LISTED]) or "none"
    more = f" and {len(sheets) - _LISTED} more" if len(sheets) > _LISTED else ""
    return WorkbookError(
        "sheet_missing",
        f"The workbook has no {what}; it has {there}{more}",
        remedy="Correct `workbook.sheet` in the feed file, or ask for the sheet",
    )


def _shown(sheet: SheetPart) -> str:
    return repr(sheet.name) + ("" if sheet.state == "visible" else " (hidden)")


def _twice(name: str, wanted: str | int) -> WorkbookError:
    return WorkbookError(
        "sheet_twice",
        f"`workbook.sheet` names sheet {name!r} twice, the second time as {wanted!r}",
        expected="each sheet once: its rows would be loaded twice",
        remedy="Take one of them out of the feed file",
    )
