"""Reports, statuses and rejects as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from factload.rejects import Reject
from factload.report import Report


def show_report(report: Report) -> None:
    """Print a report: the rows, the control totals, the rejects by reason, the steps."""
    console = Console(highlight=False)
    rows = report.rows
    console.print(f"\n[bold]{report.load_id}[/bold]  {report.state}")
    accounted = rows["blank"] + rows["rejected"] + rows["staged"]
    sign = "=" if rows["source"] == accounted else "≠"
    console.print(
        f"source {rows['source']:,} {sign} blank {rows['blank']:,} + rejected {rows['rejected']:,} "
        f"+ staged {rows['staged']:,};  published {rows['published']:,}\n"
    )
    if report.control_totals:
        table = _table("control total", "source", "published", "")
        for name, totals in report.control_totals.items():
            same = "equal" if totals["source"] == totals["published"] else "different"
            table.add_row(name, totals["source"], totals["published"], same)
        console.print(table)
    if report.rejects:
        table = _table("rejected because", "rows")
        for reason, count in report.rejects.items():
            table.add_row(reason, f"{count:,}")
        console.print(table)
    if report.seconds:
        table = _table("step", "seconds", "peak memory, MB")
        for step, seconds in report.seconds.items():
            table.add_row(step, f"{seconds:.2f}", f"{report.peak_rss_mb[step]:,.0f}")
        console.print(table)
    for warning in report.warnings:
        console.print(f"[yellow]warning[/yellow] {warning}", soft_wrap=True)


def show_status(lines: Iterable[dict[str, Any]]) -> None:
    """Print a line a load."""
    table = _table("load", "state", "source", "rejected", "published", "attempt", "since", "error")
    for line in lines:
        table.add_row(
            line["load_id"],
            line["state"],
            f"{line['source']:,}",
            f"{line['rejected']:,}",
            f"{line['published']:,}",
            str(line["epoch"]),
            line["since"],
            line["error"] or "",
        )
    Console(highlight=False).print(table if table.row_count else "The ledger has no loads yet.")


def show_rejects(found: Iterable[Reject]) -> None:
    """Print a line a reject, columns parted by tabs, so that other programs can cut them."""
    print("sheet\trow\tcell\tcolumn\tvalue\treason\tmeaning")
    for reject in found:
        value = (reject.raw or "").encode("unicode_escape").decode("ascii") if reject.raw else ""
        columns = (
            reject.sheet,
            reject.row,
            reject.cell or "",
            reject.column,
            value,
            reject.reason,
            reject.explanation,
        )
        print(*columns, sep="\t")


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right" if name not in ("state", "error", "since", "") else "left")
    return table
