"""Reports, statuses and rejects as a person reads them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from factload.check.findings import SHOWN_PER_REASON, CheckReport
from factload.ledger.rejects import Reject
from factload.reasons import REASONS
from factload.reports.report import Report

if TYPE_CHECKING:
    from factload.doctor.finding import Finding

_LOG_WIDTH = 120


def show_report(report: Report) -> None:
    """Print a report: the rows, the control totals, the rejects by reason, the steps."""
    _write_report(_console(), report)


def rendered(report: Report) -> str:
    """A report as ``show_report`` prints it, without colours: for logs."""
    console = Console(file=io.StringIO(), highlight=False, width=_LOG_WIDTH)
    with console.capture() as capture:
        _write_report(console, report)
    return capture.get()


def _write_report(console: Console, report: Report) -> None:
    rows = report.rows
    console.print(f"\n[bold]{report.load_id}[/bold]  {report.state}")
    if report.released:
        who = (
            f"released by {report.released['by']} at {report.released['at']} UTC: {report.released['reason']}"
        )
        console.print(escape(who), soft_wrap=True)
    accounted = rows["blank"] + rows["rejected"] + rows["staged"]
    sign = "=" if rows["source"] == accounted else "≠"
    console.print(
        f"source {rows['source']:,} {sign} blank {rows['blank']:,} + rejected {rows['rejected']:,} "
        f"+ staged {rows['staged']:,};  published {rows['published']:,}\n"
    )
    if rows["source"] and report.control_totals:
        console.print(_totals(report))
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


def _totals(report: Report) -> Table:
    if not report.rows["published"]:
        table = _table("control total", "source")
        for name, totals in report.control_totals.items():
            table.add_row(name, totals["source"])
        return table
    table = _table("control total", "source", "published", "")
    for name, totals in report.control_totals.items():
        same = "equal" if Decimal(totals["source"]) == Decimal(totals["published"]) else "different"
        table.add_row(name, totals["source"], totals["published"], same)
    return table


def show_check(report: Report) -> None:
    """Print a report, and what a check found beside it: problems, rejected rows with their cells, unmatched keys.

    What the cells hold is shown: it is the reader's own sheet.
    """
    show_report(report)
    if not isinstance(report, CheckReport):
        return
    console = _console()
    if report.problems:
        console.print(f"\n[bold]problems[/bold]  {len(report.problems)}")
    for number, problem in enumerate(report.problems, 1):
        _line(console, f"{number:>3}. {problem}")
    if report.rejected:
        console.print(f"\n[bold]rejected rows[/bold]  the first {SHOWN_PER_REASON} of each reason")
    several = len({reject.workbook for reject in report.rejected}) > 1
    for reason, found in groupby(report.rejected, lambda reject: reject.reason):
        _line(console, f"{reason} ({report.rejects[reason]:,} rows): {REASONS[reason]}")
        for reject in found:
            where = f"{reject.workbook} {reject.address}" if several else reject.address
            value = "" if reject.raw is None else f"  {_visible(reject.raw)}"
            _line(console, f"     {where}  {reject.column}{value}")
    for name, unmatched in report.unmatched.items():
        console.print(
            f"\n[bold]no member in {escape(name)}[/bold]  {unmatched.rows:,} rows, {unmatched.keys:,} keys"
        )
        for key, rows in unmatched.first.most_common():
            _line(console, f"     {_visible(key)}  {rows:,}")


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _visible(value: str) -> str:
    """A cell's text in one line, its control characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in value)


def show_status(lines: Iterable[dict[str, Any]]) -> None:
    """Print a line a load; below them what those came to that are not published, and what resumes them."""
    console = _console()
    table = _table("load", "state", "source", "rejected", "published", "since, UTC")
    found = list(lines)
    for line in found:
        counts = (f"{line[name]:,}" for name in ("source", "rejected", "published"))
        table.add_row(line["load_id"], line["state"], *counts, line["since"])
    console.print(table if found else "The ledger has no loads yet.")
    for line in found:
        if line["state"] != "published":
            console.print(f"{line['load_id']}: {line['next']}", soft_wrap=True)
        if line["error"]:
            console.print(f"{line['load_id']}: {line['error']}", soft_wrap=True)


_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


def show_findings(found: Iterable[Finding]) -> None:
    """Print a line a finding; what to do stands at its end."""
    console = _console()
    for finding in found:
        state = f"[{_COLOURS[finding.state]}]{finding.state:<8}[/]"
        remedy = f". {finding.remedy}." if finding.remedy else ""
        told = f"{finding.check} {finding.about}: {finding.seen}{remedy}"
        console.print(f"{state} {escape(_visible(told))}", soft_wrap=True)


def show_rejects(found: Iterable[Reject]) -> None:
    """Print a line a reject, columns parted by tabs, so that other programs can cut them."""
    print("workbook\tsheet\trow\tcell\tcolumn\tvalue\treason\tmeaning")
    for reject in found:
        value = (reject.raw or "").encode("unicode_escape").decode("ascii") if reject.raw else ""
        columns = (
            reject.workbook,
            reject.sheet,
            reject.row,
            reject.address,
            reject.column,
            value,
            reject.reason,
            reject.explanation,
        )
        print(*columns, sep="\t")


def _console() -> Console:
    # In a pipe there is no width to keep to, and nothing may be cut off.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(
            name, no_wrap=True, justify="right" if name not in ("state", "since, UTC", "") else "left"
        )
    return table
