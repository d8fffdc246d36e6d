"""The commands that make loads, or say what one would come to."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from factload.cli.options import add_load_argument, add_load_options, add_output_options, day, say
from factload.errors import FactloadError

if TYPE_CHECKING:
    from factload.check.findings import CheckReport
    from factload.cli.options import Commands
    from factload.reports.report import Report


def add_commands(commands: Commands) -> None:
    """``check``, ``run``, ``replay`` and ``release``."""
    check = commands.add_parser(
        "check", help="say what a load would come to, and all that is wrong; writes nothing"
    )
    add_load_options(check)
    check.add_argument(
        "--from",
        dest="first",
        metavar="P",
        type=day,
        help="instead of one period, all from this one on: say where columns and sheets of their workbooks change",
    )
    check.add_argument("--to", dest="last", metavar="P", type=day, help="to this one; default: today")
    check.set_defaults(command=_check)

    run = commands.add_parser("run", help="load one period's workbooks, in parallel processes")
    add_load_options(run)
    run.add_argument("--reload", action="store_true", help="load again what is published already, unchanged")
    run.set_defaults(command=_run)

    replay = commands.add_parser("replay", help="try the rejected rows of a load again")
    add_load_argument(replay)
    replay.add_argument(
        "--workbook",
        metavar="F",
        help="the rejected rows, corrected: see `factload rejects --xlsx`. It may lie anywhere",
    )
    add_output_options(replay)
    replay.set_defaults(command=_replay)

    release = commands.add_parser("release", help="publish a load that is held for its number of rows")
    add_load_argument(release)
    release.add_argument("--reason", metavar="TEXT", required=True, help="why; it stays in the ledger")
    release.add_argument("--by", metavar="NAME", default=None, help="who; default: the user of this machine")
    add_output_options(release)
    release.set_defaults(command=_release)


def _check(options: argparse.Namespace) -> int:
    if options.first or options.last:
        from factload.cli.layouts import check_layouts

        return check_layouts(options)
    from factload.check.load import check_load
    from factload.memory import save_memory

    save_memory()
    return _report_of(
        options,
        lambda feed, period, url, progress: check_load(
            feed, period, database=url, workbook=options.workbook, progress=progress
        ),
        _show_check,
    )


def _run(options: argparse.Namespace) -> int:
    from factload.runtime.processes import warm_up

    warm_up()
    from factload.memory import save_memory
    from factload.pipeline import run_load
    from factload.reports.report import read_report
    from factload.runtime.retry import through_losses

    save_memory()

    def load(feed: Any, period: date, url: str, progress: Any) -> Any:
        run_load(
            feed, period, database=url, workbook=options.workbook, reload=options.reload, progress=progress
        )
        return through_losses(partial(read_report, url, feed.load_id(period)), progress)

    return _report_of(options, load, _show_report)


def _replay(options: argparse.Namespace) -> int:
    from factload.runtime.processes import warm_up

    warm_up()
    from factload.memory import save_memory
    from factload.replay import replay_load
    from factload.reports.report import read_report
    from factload.runtime.retry import through_losses

    save_memory()
    _take_load_apart(options)

    def replay(feed: Any, period: date, url: str, progress: Any) -> Any:
        replay_load(feed, period, database=url, workbook=_corrected(options.workbook), progress=progress)
        return through_losses(partial(read_report, url, feed.load_id(period)), progress)

    return _report_of(options, replay, _show_report)


def _corrected(name: str | None) -> str | Path | None:
    """A corrected workbook, here or in the project's folder: whoever types a command may read what they name."""
    from factload.settings import is_url, settings
    from factload.split.allowed import missing

    if name is None or is_url(name):
        return name
    for place in (Path(name), settings().home / name):
        if place.is_file():
            return place
    raise missing(f"there is no workbook {name}")


def _release(options: argparse.Namespace) -> int:
    from getpass import getuser

    from factload.release import publish_held
    from factload.reports.report import read_report
    from factload.runtime.retry import through_losses

    _take_load_apart(options)

    def release(feed: Any, period: date, url: str, progress: Any) -> Any:
        by = options.by or getuser()
        publish_held(feed, period, reason=options.reason, by=by, database=url)
        return through_losses(partial(read_report, url, feed.load_id(period)), progress)

    return _report_of(options, release, _show_report)


def _take_load_apart(options: argparse.Namespace) -> None:
    """Split LOAD into FEED and period, as the other loading commands take them."""
    from factload.load import parse_load_id

    name, options.period = parse_load_id(options.load)
    options.feed = options.feed or name


def _show_report(report: Report) -> None:
    from factload.cli.terminal import show_report

    show_report(report)


def _show_check(report: CheckReport) -> None:
    from factload.cli.terminal import show_check

    show_check(report)


def _report_of(options: argparse.Namespace, produce: Any, show: Callable[[Any], None]) -> int:
    """Produce a report and print it; an error becomes part of the report, and one line on standard error."""
    from factload.check.findings import CheckReport
    from factload.feed.file import read_feed
    from factload.postgres.database import engine_for
    from factload.progress import Quiet
    from factload.reports.report import after_failure
    from factload.settings import connection_url

    period = options.period or datetime.now(UTC).date()
    feed = url = None
    status = 0
    try:
        feed = read_feed(options.feed)
        url = options.url or connection_url(feed.fact.connection)
        engine_for(url)
        if options.json:
            report = produce(feed, period, url, Quiet())
        else:
            # Only here: whoever wants JSON waits for no library of bars and tables.
            from factload.cli.progress_bars import Bars

            with Bars() as bars:
                report = produce(feed, period, url, bars)
    except FactloadError as error:
        status = say(error)
        report = after_failure(url, feed, options.feed, period, error)
    else:
        if report.error:
            status = report.exit_status
            print(f"factload: {report.error['message']}", file=sys.stderr)
    if options.json:
        print(json.dumps(report.to_json()))
    elif status == 0 or report.rows["source"] or isinstance(report, CheckReport):
        show(report)
    return status
