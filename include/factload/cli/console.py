"""How the commands write for people: texts as they are, whatever is in them, and tables that are never cut."""

from __future__ import annotations

import sys

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from factload.printable import printable


def new_console() -> Console:
    """What prints: no text is taken for markup."""
    # In a pipe there is no width to keep to, and nothing may be cut off.
    width = None if sys.stdout.isatty() else 160
    return Console(highlight=False, markup=False, emoji=False, width=width)


def write_heading(console: Console, name: str, told: str) -> None:
    """Print a line in bold as far as ``name``, below an empty one."""
    console.print()
    write_line(console, f"{name}  {told}", "bold", len(name))


def write_line(console: Console, text: str, style: str = "", styled: int = 0) -> None:
    """Print a text as it is, however long; its first ``styled`` characters in ``style``."""
    line = Text(printable(text))
    line.stylize(style, 0, styled)
    console.print(line, soft_wrap=True)


def new_table(first: str, *numbers: str) -> Table:
    """An empty table with these columns, of numbers but for the first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(
            name, no_wrap=True, justify="right" if name not in ("state", "since, UTC", "") else "left"
        )
    return table


def write_whole(console: Console, table: Table) -> None:
    """Print a table; where it is wider than the terminal its lines are broken there, and no cell is cut."""
    width = console.width
    console.width = max(width, width_of(console, table))
    console.print(table)
    console.width = width


def width_of(console: Console, table: Table) -> int:
    """How many characters a table is wide, if nothing keeps it narrower."""
    return Measurement.get(console, console.options.update(max_width=10_000), table).maximum
