"""Reports, statuses and rejects as a person reads them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from factload.check.findings import SHOWN_PER_REASON, CheckReport
from factload.cli.changes import total_row, write_changes, write_rows
from factload.cli.console import new_console, new_table, width_of, write_heading, write_line, write_whole
from factload.printable import in_one_line, printable
from factload.reasons import REASONS
from factload.reports.report import Report
from factload.sheet.reject import Reject

if TYPE_CHECKING:
    from factload.doctor.finding import Finding

_LOG_WIDTH = 120


def show_report(report: Report) -> None:
    """Print a report: the rows, the control totals, the rejects by reason, the steps."""
    _write_report(new_console(), report)


def rendered(report: Report) -> str:
    """A report as ``show_report`` prints it, without colours: for logs."""
    console = Console(file=io.StringIO(), highlight=False, markup=False, emoji=False, width=_LOG_WIDTH)
    with console.capture() as capture:
        _write_report(console, report)
    return capture.get()


def _write_report(console: Console, report: Report) -> None:
    rows = report.rows
    write_heading(console, report.load_id, report.state)
    if report.released:
        write_line(
            console,
            f"released by {report.released['by']} at {report.released['at']} UTC: {report.released['reason']}",
        )
    if report.undone:
        what = "its rows taken back" if report.state == "undone" else "the rows before brought back"
        write_line(
            console,
            f"{what} by {report.undone['by']} at {report.undone['at']} UTC: {report.undone['reason']}",
        )
    if report.verified:
        write_line(console, f"verified at {report.verified['at']} UTC: {report.verified['state']}")
    left_out = sum(report.left_out.values())
    sign = "=" if rows["source"] == report.accounted else "≠"
    console.print(
        f"source {rows['source']:,} {sign} blank {rows['blank']:,} + "
        + (f"left out {left_out:,} + " if left_out else "")
        + f"rejected {rows['rejected']:,} "
        f"+ staged {rows['staged']:,};  published {rows['published']:,}\n"
    )
    if rows["source"] and report.control_totals:
        write_whole(console, _totals(report))
    _show_witnesses(console, report)
    for title, counts in (("left out, no data", report.left_out), ("rejected because", report.rejects)):
        if counts:
            write_whole(console, _counts(title, counts))
    _show_members(console, report)
    _show_work(console, report)
    for warning in report.warnings:
        write_line(console, f"warning {warning}", "yellow", len("warning"))


def _show_members(console: Console, report: Report) -> None:
    for name, updated in report.updated.items():
        added = f"{report.added[name]:,} versions added, " if name in report.added else ""
        left = f", {report.left[name]:,} left as before" if name in report.left else ""
        write_line(console, f"members of {name}: {added}{updated:,} brought up to date{left}")


def _show_work(console: Console, report: Report) -> None:
    if report.seconds:
        table = new_table("step", "seconds", "peak memory, MB")
        for step, seconds in report.seconds.items():
            table.add_row(step, f"{seconds:.2f}", f"{report.peak_rss_mb[step]:,.0f}")
        write_whole(console, table)
    if len(report.workers) > 1:
        told = (f"{worker} ({count:,})" for worker, count in report.workers.items())
        write_line(console, f"partitions by worker: {', '.join(told)}")


def _show_witnesses(console: Console, report: Report) -> None:
    for witness in report.witness:
        _show_witness(console, witness)


def _show_witness(console: Console, witness: Mapping[str, Any]) -> None:
    of = f"{witness['workbook']}: " if witness["workbook"] else ""
    if witness["problem"]:
        write_line(console, f"witness {of}{witness['problem']}", "yellow", len("witness"))
        return
    verdict = "equal" if witness["equal"] else f"different by {witness['difference']}"
    told = f"{witness['says']} {witness['number']}, {witness['rows']} {witness['found']}, {verdict}"
    style = "" if witness["equal"] else "red"
    write_line(console, f"witness {of}{witness['place']}: {told}", style, len("witness"))


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    table = new_table(title, "rows")
    for reason, count in counts.items():
        table.add_row(reason, f"{count:,}")
    return table


def _totals(report: Report) -> Table:
    published = bool(report.rows["published"])
    witness = report.witnessed
    heads = (*(["published", ""] if published else []), *(["witness"] if witness else []))
    table = new_table("control total", "source", *heads)
    for name, totals in report.control_totals.items():
        same = "equal" if Decimal(totals["source"]) == Decimal(totals["published"]) else "different"
        told = [totals["published"], same] if published else []
        table.add_row(printable(name), totals["source"], *told, *([witness.get(name, "")] if witness else []))
    return table


def rendered_check(report: CheckReport) -> str:
    """A check's report as ``show_check`` prints it, without colours, and without what cells hold: for logs."""
    console = Console(file=io.StringIO(), highlight=False, markup=False, emoji=False, width=_LOG_WIDTH)
    with console.capture() as capture:
        _write_report(console, report)
        _write_change(console, report, with_values=False)
    return capture.get()


def _write_change(console: Console, report: CheckReport, *, with_values: bool) -> None:
    """Rows and control totals before and after publishing, and, where rows of the load stand, which of them change."""
    if report.change:
        _write_totals(console, report.change)
    if report.difference:
        write_rows(console, report.difference)
        write_changes(console, report.difference, with_values=with_values)


def _write_totals(console: Console, change: Mapping[str, Any]) -> None:
    write_heading(
        console, "what publishing would change", f"before: {change['of']}; after: as the workbook has it"
    )
    table = new_table("", "before", "after", "change")
    rows = change["rows"]
    table.add_row("rows", f"{rows['before']:,}", f"{rows['after']:,}", f"{rows['after'] - rows['before']:+,}")
    for name, total in change["totals"].items():
        table.add_row(*total_row(name, total["before"], total["after"]))
    write_whole(console, table)


def show_check(report: Report) -> None:
    """Print a report, and what a check found beside it: problems, rejected rows with their cells, unmatched keys.

    What the cells hold is shown: it is the reader's own sheet.
    """
    show_report(report)
    if not isinstance(report, CheckReport):
        return
    console = new_console()
    _write_change(console, report, with_values=True)
    if report.problems:
        write_heading(console, "problems", f"{len(report.problems)}")
    for number, problem in enumerate(report.problems, 1):
        write_line(console, f"{number:>3}. {problem}")
    if report.rejected:
        write_heading(console, "rejected rows", f"the first {SHOWN_PER_REASON} of each reason")
    several = len({reject.workbook for reject in report.rejected}) > 1
    for reason, found in groupby(report.rejected, lambda reject: reject.reason):
        write_line(console, f"{reason} ({report.rejects[reason]:,} rows): {REASONS[reason]}")
        for reject in found:
            where = f"{reject.workbook} {reject.address}" if several else reject.address
            value = "" if reject.raw is None else f"  {in_one_line(reject.raw)}"
            write_line(console, f"     {where}  {reject.column}{value}")
    for name, unmatched in report.unmatched.items():
        write_heading(console, f"no member in {name}", f"{unmatched.rows:,} rows, {unmatched.keys:,} keys")
        for key, rows in unmatched.first.most_common():
            write_line(console, f"     {in_one_line(key)}  {rows:,}")


def show_status(lines: Iterable[dict[str, Any]], feed: str | None) -> None:
    """Print one line per load, of ``feed`` or of all feeds; below them, for unpublished loads, why, and what resumes
    them."""
    console = new_console()
    found = list(lines)
    if not found:
        write_line(console, f"The ledger has no loads of {feed}." if feed else "The ledger has no loads yet.")
        return
    with_times = _status_table(found, times=True)
    fits = width_of(console, with_times) <= console.width
    write_whole(console, with_times if fits else _status_table(found, times=False))
    for line in found:
        if line["state"] != "published":
            write_line(console, f"{line['load_id']}: {line['next']}")
        if line["error"]:
            write_line(console, f"{line['load_id']}: {line['error']}")


def _status_table(found: Iterable[dict[str, Any]], *, times: bool) -> Table:
    table = new_table("load", "state", "source", "rejected", "published", *(["since, UTC"] if times else []))
    for line in found:
        counts = (f"{line[name]:,}" for name in ("source", "rejected", "published"))
        table.add_row(line["load_id"], line["state"], *counts, *([line["since"]] if times else []))
    return table


_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


def show_findings(found: Iterable[Finding]) -> None:
    """Print a line a finding; what to do stands at its end."""
    console = new_console()
    for finding in found:
        remedy = f". {finding.remedy}." if finding.remedy else ""
        told = in_one_line(f"{finding.check} {finding.about}: {finding.seen}{remedy}")
        write_line(console, f"{finding.state:<8} {told}", _COLOURS[finding.state], len(finding.state))


def show_rejects(found: Iterable[Reject]) -> None:
    """Print a line a reject, columns parted by tabs, so that other programs can cut them."""
    print("workbook\tsheet\trow\tcell\tcolumn\tvalue\treason\tmeaning")
    for reject in found:
        told = (reject.workbook, reject.sheet, str(reject.row), *reject.told)
        print(*(in_one_line(text).replace("\t", "\\t") for text in told), sep="\t")
