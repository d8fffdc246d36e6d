"""Rows that publishing would add, remove or change, as a person reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from factload.cli.console import new_table, write_heading, write_line, write_whole
from factload.decimals import EXACT
from factload.printable import in_one_line, printable

if TYPE_CHECKING:
    from rich.console import Console

    from factload.diff.difference import Change, Difference


def write_rows(console: Console, found: Difference) -> None:
    """Print how many rows there are, and how many would be added, removed and changed."""
    table = new_table("rows", "before", "after", "added", "removed", "changed", "unchanged")
    numbers = (found.before, found.after, found.added, found.removed, found.changed, found.unchanged)
    table.add_row(printable(found.table), *(f"{number:,}" for number in numbers))
    write_whole(console, table)


def total_row(name: str, before: str, after: str) -> tuple[str, str, str, str]:
    """A row of a table for a control total: its name, its exact texts before and after, and by how much it changes."""
    by = EXACT.subtract(Decimal(after), Decimal(before))
    return printable(name), before, after, f"{by:+f}"


def write_changes(console: Console, found: Difference, *, with_values: bool = True) -> None:
    """Print the largest changes with their cells, and members that vanish. Logs are ``with_values=False``: they name
    columns and cells, and not what these hold."""
    if found.largest:
        write_heading(
            console, "the largest changes", f"rows are paired by {', '.join(found.key) or 'nothing'}"
        )
    for change in found.largest:
        write_line(console, in_one_line(f"{change.kind:<8} {_told(change, with_values)}{_place(change)}"))
    for name, members in found.vanishing.items():
        more = members.members - len(members.first)
        others = f", and {more:,} more" if more else ""
        named = f": {in_one_line(', '.join(members.first))}{others}" if with_values else ""
        write_line(console, f"{members.members:,} members of {name} vanish{named}")


def _told(change: Change, with_values: bool) -> str:
    if not with_values:
        return ", ".join(change.values)
    key = ", ".join(f"{name} {_shown(value)}" for name, value in change.key.items())
    values = "; ".join(
        f"{name} {_shown(before)} → {_shown(after)}" for name, (before, after) in change.values.items()
    )
    return f"{key}  {values}"


def _place(change: Change) -> str:
    """Where the new row stands; a row that is removed stands nowhere."""
    if change.row is None:
        return ""
    cells = ", ".join(dict.fromkeys(change.cells.values()))
    return f"  {change.workbook} {change.sheet} row {change.row}" + (f" ({cells})" if cells else "")


def _shown(value: str | None) -> str:
    return "(none)" if value is None else value
