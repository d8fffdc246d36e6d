"""What the commands that ask have found out, as a person reads it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from factload.cli.changes import total_row, write_changes, write_rows
from factload.cli.console import new_console, new_table, write_heading, write_line, write_whole
from factload.printable import in_one_line

if TYPE_CHECKING:
    from factload.diff.difference import Difference
    from factload.verify.judgement import State
    from factload.verify.proof import Proof


def show_difference(found: Difference) -> None:
    """Print what publishing would change: rows, totals, the largest changes with their cells, members that vanish."""
    console = new_console()
    write_heading(
        console, found.load_id, f"{found.state}, not published" if found.state != "published" else "published"
    )
    for note in (*([f"held: {found.held}"] if found.held else []), *found.notes):
        write_line(console, in_one_line(note))
    if found.state == "published":
        return
    write_rows(console, found)
    if found.totals:
        table = new_table("control total", "before", "after", "change")
        for name, (before, after) in found.totals.items():
            table.add_row(*total_row(name, before, after))
        write_whole(console, table)
    write_changes(console, found)


def show_proof(proof: Proof) -> None:
    """Print a line a load, below it what differs and where, or what can't be proved; last how many there are of each
    kind."""
    console = new_console()
    for verdict in proof.verdicts:
        by = f" by {', '.join(verdict.proved_by)}" if verdict.proved_by else ""
        told = f"{verdict.load.load_id}: {verdict.load.rows:,} rows in {verdict.load.table}{by}"
        write_line(console, f"{verdict.state:<8} {told}", _VERDICTS[verdict.state], len(verdict.state))
        for sentence in (*verdict.differences, *verdict.where, *verdict.notes):
            write_line(console, f"         {in_one_line(sentence)}")
        for partition in verdict.partitions:
            write_line(console, f"         partition {in_one_line(partition)}")
    for table, rows in proof.strays:
        write_line(
            console,
            f"note     {rows:,} rows of {table} are of no published load: of others, or added by somebody",
        )
    counted = Counter(verdict.state for verdict in proof.verdicts)
    if not proof.verdicts:
        write_line(console, "No load is published that was asked for.")
        return
    said = [f"{counted[state]:,} {words}" for state, words in _COUNTED.items() if counted[state]]
    write_line(console, "; ".join(said))


_VERDICTS: dict[State, str] = {"stands": "green", "differs": "red", "unproved": "yellow"}
_COUNTED: dict[State, str] = {
    "stands": "as published",
    "differs": "not as published",
    "unproved": "can't be proved",
}
