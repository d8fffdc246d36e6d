"""What is wrong with a file that can't be read: errors that every kind of file shares."""

from __future__ import annotations

from factload.environment import limit_name
from factload.errors import WorkbookError


def damaged(seen: str) -> WorkbookError:
    """A file that was a workbook once, or says it is one."""
    return WorkbookError(
        "workbook_damaged",
        seen,
        expected="a whole, unaltered .xlsx workbook",
        remedy="Open it in Excel, save it again, and replace the file",
    )


def hostile(seen: str, limit: str, field: str = "") -> WorkbookError:
    """A file that asks for more than any real workbook does; ``field`` of the limits bounds it."""
    meant = f"; if it is meant so, raise the setting {limit_name(field)}" if field else ""
    return WorkbookError(
        "workbook_hostile",
        seen,
        expected=limit,
        remedy=f"Ask its sender what it is{meant}",
    )
