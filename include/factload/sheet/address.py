"""A cell's address as Excel writes it in a formula: ``Facts!B1042``, ``'My Sheet'!B2``."""

from __future__ import annotations

import re

# What Excel leaves without quotes: letters, digits, _ and . after a letter or _, and nothing that reads as a cell in
# either of its notations (A1, R1C1).
_BARE = re.compile(r"[^\W\d][\w.]*")
_A_CELL = re.compile(r"[A-Za-z]{1,3}[0-9]{1,7}|[Rr][0-9]*(?:[Cc][0-9]*)?|[Cc][0-9]*")


def address(sheet: str, cell: str) -> str:
    """The address of ``cell`` (``B2``) in ``sheet``, which is quoted where Excel quotes it."""
    bare = _BARE.fullmatch(sheet) and not _A_CELL.fullmatch(sheet)
    return f"{sheet}!{cell}" if bare else "'" + sheet.replace("'", "''") + f"'!{cell}"
