"""`factload`: every step without Airflow.

Exit status: 0 published (or: the check passed); 2 bad usage or feed; 3 the workbook or its rows are refused,
nothing is published; 4 a fault worth a retry.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from factload.errors import FactloadError, TransientError

_EPILOG = """exit status:
  0  published; or the check passed
  2  bad usage, or the feed is wrong
  3  the workbook or its rows are refused; nothing is published
  4  a fault that a retry may help

Connections: a feed names one (`fact.connection: warehouse`). Here it is a URL in the environment,
FACTLOAD_CONN_WAREHOUSE or AIRFLOW_CONN_WAREHOUSE, or --url.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    try:
        return int(options.command(options))
    except FactloadError as error:
        return _say(error)
    except KeyboardInterrupt:
        return _say(TransientError("interrupted", "interrupted", remedy="Run the command again"))
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _say(error: FactloadError) -> int:
    print(f"factload: {error}", file=sys.stderr)
    return error.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="factload",
        description="Turns spreadsheets into fact rows: bounded memory, every row accounted for, published at once.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    check = commands.add_parser("check", help="say what a load would come to; writes nothing")
    _add_load_options(check)
    check.set_defaults(command=_check)

    run = commands.add_parser("run", help="load one period's workbook, in parallel processes")
    _add_load_options(run)
    run.add_argument("--reload", action="store_true", help="load again what is published already, unchanged")
    run.set_defaults(command=_run)

    status = commands.add_parser("status", help="the loads in the ledger, newest period first")
    status.add_argument("feed", metavar="FEED", nargs="?", help="only this feed's")
    status.add_argument("--load", metavar="LOAD", help="one load's whole report, such as sales@2026-11-05")
    _add_output_options(status)
    status.set_defaults(command=_status)

    rejects = commands.add_parser("rejects", help="the rejected rows of a load, each with its reason")
    rejects.add_argument("load", metavar="LOAD", help="a load's identity, such as sales@2026-11-05")
    rejects.add_argument("--xlsx", metavar="F", type=Path, help="write them to the workbook F, to send back")
    _add_output_options(rejects)
    rejects.set_defaults(command=_rejects)
    return parser


def _add_load_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("feed", metavar="FEED", help="a name in include/feeds, or a feed file's path")
    parser.add_argument("--workbook", metavar="F", help="this workbook instead of the one the feed names")
    parser.add_argument(
        "--period",
        metavar="P",
        type=_period,
        default=None,
        help="the business date, YYYY-MM-DD; default: today",
    )
    _add_output_options(parser)


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", metavar="DB", help="the database, instead of the feed's connection")
    parser.add_argument("--json", action="store_true", help="print JSON alone")


def _period(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-11-05") from None


def _check(options: argparse.Namespace) -> int:
    from factload.check import check_load
    from factload.memory import leave_pandas_out

    leave_pandas_out()
    return _report_of(
        options,
        lambda feed, period, url, progress: check_load(
            feed, period, database=url, workbook=options.workbook, progress=progress
        ),
    )


def _run(options: argparse.Namespace) -> int:
    from factload.processes import warm_up

    warm_up()
    from factload.memory import leave_pandas_out
    from factload.pipeline import run_load
    from factload.report import read_report

    leave_pandas_out()

    def load(feed: Any, period: date, url: str, progress: Any) -> Any:
        run_load(
            feed, period, database=url, workbook=options.workbook, reload=options.reload, progress=progress
        )
        return read_report(url, feed.load_id(period))

    return _report_of(options, load)


def _report_of(options: argparse.Namespace, produce: Any) -> int:
    """Produce a report and print it; an error becomes part of the report, and one line on standard error."""
    from factload import terminal
    from factload.database import engine_for
    from factload.feed_file import read_feed
    from factload.progress import Bars, Quiet
    from factload.report import after_failure
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
            with Bars() as bars:
                report = produce(feed, period, url, bars)
    except FactloadError as error:
        status = _say(error)
        report = after_failure(url, feed, options.feed, period, error)
    else:
        if report.error:
            status = 3
            print(f"factload: {report.error['message']}", file=sys.stderr)
    if options.json:
        print(json.dumps(report.to_json()))
    elif status == 0 or report.rows["source"]:
        terminal.show_report(report)
    return status


def _status(options: argparse.Namespace) -> int:
    from factload import terminal
    from factload.report import read_report, read_status

    if options.load:
        report = read_report(_url_for_load(options), options.load)
        if options.json:
            print(json.dumps(report.to_json()))
        else:
            terminal.show_report(report)
        return 0
    found = [line for url in _urls(options) for line in read_status(url, options.feed)]
    if options.json:
        print(json.dumps(found))
    else:
        terminal.show_status(found)
    return 0


def _rejects(options: argparse.Namespace) -> int:
    from factload import terminal
    from factload.database import database_errors, engine_for
    from factload.rejects import read_rejects, write_workbook
    from factload.report import read_report

    url = _url_for_load(options)
    read_report(url, options.load)  # says so when there is no such load
    with database_errors("reading the rejects"), engine_for(url).connect() as connection:
        found = read_rejects(connection, options.load)
        if options.xlsx:
            count = write_workbook(options.xlsx, found)
            print(f"{count} rejected rows written to {options.xlsx}")
        elif options.json:
            for reject in found:
                print(json.dumps(reject.to_json()))
        else:
            terminal.show_rejects(found)
    return 0


def _url_for_load(options: argparse.Namespace) -> str:
    from factload.feed_file import read_feed
    from factload.settings import connection_url

    name = (options.load or "").partition("@")[0]
    return options.url or connection_url(read_feed(name).fact.connection)


def _urls(options: argparse.Namespace) -> list[str]:
    from factload.feed_file import feed_files, read_feed
    from factload.settings import connection_url

    if options.url:
        return [options.url]
    names = [options.feed] if options.feed else [str(path) for path in feed_files()]
    return sorted({connection_url(read_feed(name).fact.connection) for name in names})


if __name__ == "__main__":
    sys.exit(main())
