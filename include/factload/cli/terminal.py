"""Reports, statuses and rejects as a person reads them."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from factload.check.findings import SHOWN_PER_REASON, CheckReport
from factload.printable import in_one_line, printable
from factload.reasons import REASONS
from factload.reports.report import Report
from factload.sheet.reject import Reject

if TYPE_CHECKING:
    from factload.diff.difference import Change, Difference
    from factload.doctor.finding import Finding
    from factload.verify.judgement import State, Verdict

_LOG_WIDTH = 120


def show_report(report: Report) -> None:
    """Print a report: the rows, the control totals, the rejects by reason, the steps."""
    _write_report(_console(), report)


def rendered(report: Report) -> str:
    """A report as ``show_report`` prints it, without colours: for logs."""
    console = Console(file=io.StringIO(), highlight=False, markup=False, emoji=False, width=_LOG_WIDTH)
    with console.capture() as capture:
        _write_report(console, report)
    return capture.get()


def _write_report(console: Console, report: Report) -> None:
    rows = report.rows
    _heading(console, report.load_id, report.state)
    if report.released:
        _line(
            console,
            f"released by {report.released['by']} at {report.released['at']} UTC: {report.released['reason']}",
        )
    if report.undone:
        what = "its rows taken back" if report.state == "undone" else "the rows before brought back"
        _line(
            console,
            f"{what} by {report.undone['by']} at {report.undone['at']} UTC: {report.undone['reason']}",
        )
    if report.verified:
        _line(console, f"verified at {report.verified['at']} UTC: {report.verified['state']}")
    left_out = sum(report.left_out.values())
    accounted = rows["blank"] + left_out + rows["rejected"] + rows["staged"]
    sign = "=" if rows["source"] == accounted else "≠"
    console.print(
        f"source {rows['source']:,} {sign} blank {rows['blank']:,} + "
        + (f"left out {left_out:,} + " if left_out else "")
        + f"rejected {rows['rejected']:,} "
        f"+ staged {rows['staged']:,};  published {rows['published']:,}\n"
    )
    if rows["source"] and report.control_totals:
        _whole(console, _totals(report))
    _show_witnesses(console, report)
    for title, counts in (("left out, no data", report.left_out), ("rejected because", report.rejects)):
        if counts:
            _whole(console, _counts(title, counts))
    if report.seconds:
        table = _table("step", "seconds", "peak memory, MB")
        for step, seconds in report.seconds.items():
            table.add_row(step, f"{seconds:.2f}", f"{report.peak_rss_mb[step]:,.0f}")
        _whole(console, table)
    for warning in report.warnings:
        _line(console, f"warning {warning}", "yellow", len("warning"))


def _show_witnesses(console: Console, report: Report) -> None:
    for witness in report.witness:
        _show_witness(console, witness)


def _show_witness(console: Console, witness: Mapping[str, Any]) -> None:
    of = f"{witness['workbook']}: " if witness["workbook"] else ""
    if witness["problem"]:
        _line(console, f"witness {of}{witness['problem']}", "yellow", len("witness"))
        return
    verdict = "equal" if witness["equal"] else f"different by {witness['difference']}"
    told = f"{witness['says']} {witness['number']}, {witness['rows']} {witness['found']}, {verdict}"
    style = "" if witness["equal"] else "red"
    _line(console, f"witness {of}{witness['place']}: {told}", style, len("witness"))


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    table = _table(title, "rows")
    for reason, count in counts.items():
        table.add_row(reason, f"{count:,}")
    return table


def _totals(report: Report) -> Table:
    published = bool(report.rows["published"])
    witness = report.witnessed
    heads = (*(["published", ""] if published else []), *(["witness"] if witness else []))
    table = _table("control total", "source", *heads)
    for name, totals in report.control_totals.items():
        same = "equal" if Decimal(totals["source"]) == Decimal(totals["published"]) else "different"
        told = [totals["published"], same] if published else []
        table.add_row(printable(name), totals["source"], *told, *([witness.get(name, "")] if witness else []))
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
        _heading(console, "problems", f"{len(report.problems)}")
    for number, problem in enumerate(report.problems, 1):
        _line(console, f"{number:>3}. {problem}")
    if report.rejected:
        _heading(console, "rejected rows", f"the first {SHOWN_PER_REASON} of each reason")
    several = len({reject.workbook for reject in report.rejected}) > 1
    for reason, found in groupby(report.rejected, lambda reject: reject.reason):
        _line(console, f"{reason} ({report.rejects[reason]:,} rows): {REASONS[reason]}")
        for reject in found:
            where = f"{reject.workbook} {reject.address}" if several else reject.address
            value = "" if reject.raw is None else f"  {in_one_line(reject.raw)}"
            _line(console, f"     {where}  {reject.column}{value}")
    for name, unmatched in report.unmatched.items():
        _heading(console, f"no member in {name}", f"{unmatched.rows:,} rows, {unmatched.keys:,} keys")
        for key, rows in unmatched.first.most_common():
            _line(console, f"     {in_one_line(key)}  {rows:,}")


def _heading(console: Console, name: str, told: str) -> None:
    console.print()
    _line(console, f"{name}  {told}", "bold", len(name))


def _line(console: Console, text: str, style: str = "", styled: int = 0) -> None:
    """Print a text as it is, however long; its first ``styled`` characters in ``style``."""
    line = Text(printable(text))
    line.stylize(style, 0, styled)
    console.print(line, soft_wrap=True)


def show_status(lines: Iterable[dict[str, Any]], feed: str | None) -> None:
    """Print one line per load, of ``feed`` or of all feeds; below them, for unpublished loads, why, and what resumes
    them."""
    console = _console()
    found = list(lines)
    if not found:
        _line(console, f"The ledger has no loads of {feed}." if feed else "The ledger has no loads yet.")
        return
    with_times = _status_table(found, times=True)
    fits = _width_of(console, with_times) <= console.width
    _whole(console, with_times if fits else _status_table(found, times=False))
    for line in found:
        if line["state"] != "published":
            _line(console, f"{line['load_id']}: {line['next']}")
        if line["error"]:
            _line(console, f"{line['load_id']}: {line['error']}")


def _status_table(found: Iterable[dict[str, Any]], *, times: bool) -> Table:
    table = _table("load", "state", "source", "rejected", "published", *(["since, UTC"] if times else []))
    for line in found:
        counts = (f"{line[name]:,}" for name in ("source", "rejected", "published"))
        table.add_row(line["load_id"], line["state"], *counts, *([line["since"]] if times else []))
    return table


def _whole(console: Console, table: Table) -> None:
    """Print a table; where it is wider than the terminal its lines are broken there, and no cell is cut."""
    width = console.width
    console.width = max(width, _width_of(console, table))
    console.print(table)
    console.width = width


def _width_of(console: Console, table: Table) -> int:
    return Measurement.get(console, console.options.update(max_width=10_000), table).maximum


_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


def show_findings(found: Iterable[Finding]) -> None:
    """Print a line a finding; what to do stands at its end."""
    console = _console()
    for finding in found:
        remedy = f". {finding.remedy}." if finding.remedy else ""
        told = in_one_line(f"{finding.check} {finding.about}: {finding.seen}{remedy}")
        _line(console, f"{finding.state:<8} {told}", _COLOURS[finding.state], len(finding.state))


def show_difference(found: Difference) -> None:
    """Print what publishing would change: rows, totals, the largest changes with their cells, members that vanish."""
    console = _console()
    _heading(
        console, found.load_id, f"{found.state}, not published" if found.state != "published" else "published"
    )
    for note in (*([f"held: {found.held}"] if found.held else []), *found.notes):
        _line(console, in_one_line(note))
    if found.state == "published":
        return
    table = _table("rows", "before", "after", "added", "removed", "changed", "unchanged")
    numbers = (found.before, found.after, found.added, found.removed, found.changed, found.unchanged)
    table.add_row(printable(found.table), *(f"{number:,}" for number in numbers))
    _whole(console, table)
    if found.totals:
        table = _table("control total", "before", "after", "change")
        for name, (before, after) in found.totals.items():
            table.add_row(printable(name), before, after, f"{Decimal(after) - Decimal(before):+f}")
        _whole(console, table)
    if found.largest:
        _heading(console, "the largest changes", f"rows are paired by {', '.join(found.key) or 'nothing'}")
    for change in found.largest:
        _line(console, _told(change))
    for name, members in found.vanishing.items():
        more = members.members - len(members.first)
        others = f", and {more:,} more" if more else ""
        _line(
            console,
            f"{members.members:,} members of {name} vanish: {in_one_line(', '.join(members.first))}{others}",
        )


def _told(change: Change) -> str:
    """One row that differs, in a line."""
    key = ", ".join(f"{name} {_shown(value)}" for name, value in change.key.items())
    values = "; ".join(
        f"{name} {_shown(before)} → {_shown(after)}" for name, (before, after) in change.values.items()
    )
    cells = ", ".join(dict.fromkeys(change.cells.values()))
    place = f"{change.workbook} {change.sheet} row {change.row}" + (f" ({cells})" if cells else "")
    where = f"  {place}" if change.row is not None else ""
    return in_one_line(f"{change.kind:<8} {key}  {values}{where}")


def _shown(value: str | None) -> str:
    return "(none)" if value is None else value


def show_proof(verdicts: Sequence[Verdict], strays: Iterable[tuple[str, int]]) -> None:
    """Print a line a load, below it what differs and where, or what can't be proved; last how many there are of each
    kind."""
    console = _console()
    for verdict in verdicts:
        by = f" by {', '.join(verdict.proved_by)}" if verdict.proved_by else ""
        told = f"{verdict.load.load_id}: {verdict.load.rows:,} rows in {verdict.load.table}{by}"
        _line(console, f"{verdict.state:<8} {told}", _VERDICTS[verdict.state], len(verdict.state))
        for sentence in (*verdict.differences, *verdict.where, *verdict.notes):
            _line(console, f"         {in_one_line(sentence)}")
        for partition in verdict.partitions:
            _line(console, f"         partition {in_one_line(partition)}")
    for table, rows in strays:
        _line(
            console,
            f"note     {rows:,} rows of {table} are of no published load: of others, or added by somebody",
        )
    counted = Counter(verdict.state for verdict in verdicts)
    if not verdicts:
        _line(console, "No load is published that was asked for.")
        return
    said = [f"{counted[state]:,} {words}" for state, words in _COUNTED.items() if counted[state]]
    _line(console, "; ".join(said))


_VERDICTS: dict[State, str] = {"stands": "green", "differs": "red", "unproved": "yellow"}
_COUNTED: dict[State, str] = {
    "stands": "as published",
    "differs": "not as published",
    "unproved": "can't be proved",
}


def show_rejects(found: Iterable[Reject]) -> None:
    """Print a line a reject, columns parted by tabs, so that other programs can cut them."""
    print("workbook\tsheet\trow\tcell\tcolumn\tvalue\treason\tmeaning")
    for reject in found:
        told = (reject.workbook, reject.sheet, str(reject.row), *reject.told)
        print(*(in_one_line(text).replace("\t", "\\t") for text in told), sep="\t")


def _console() -> Console:
    # In a pipe there is no width to keep to, and nothing may be cut off.
    width = None if sys.stdout.isatty() else 160
    return Console(highlight=False, markup=False, emoji=False, width=width)


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(
            name, no_wrap=True, justify="right" if name not in ("state", "since, UTC", "") else "left"
        )
    return table
