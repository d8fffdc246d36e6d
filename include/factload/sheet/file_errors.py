"""Errors of files that can't be read, shared by all kinds of file."""

from __future__ import annotations

from factload.environment import limit_name
from factload.errors import WorkbookError


def damaged(seen: str) -> WorkbookError:
    """The error for a file that is, or claims to be, a workbook, and is damaged."""
    return WorkbookError(
        "workbook_damaged",
        seen,
        expected="a whole, unaltered .xlsx workbook",
        remedy="Open it in Excel, save it again, and replace the file",
    )


def hostile(seen: str, limit: str, field: str = "") -> WorkbookError:
    """The error for a file that exceeds what real workbooks need; ``field``: the limit that it exceeds."""
    meant = f"; if it is meant so, raise the setting {limit_name(field)}" if field else ""
    return WorkbookError(
        "workbook_hostile",
        seen,
        expected=limit,
        remedy=f"Ask its sender what it is{meant}",
    )
