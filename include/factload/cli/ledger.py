"""The commands that ask the ledger: loads, and the rows they rejected."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EISDIR
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from factload.cli.options import (
    add_load_argument,
    add_output_options,
    databases,
    feed_of_load,
    say,
    url_for_load,
)
from factload.errors import FactloadError, FeedError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from factload.cli.options import Commands


def add_commands(commands: Commands) -> None:
    """``status`` and ``rejects``."""
    status = commands.add_parser("status", help="the loads in the ledger, newest period first")
    status.add_argument("feed", metavar="FEED", nargs="?", help="only this feed's")
    status.add_argument("--load", metavar="LOAD", help="one load's whole report, such as sales@2026-11-05")
    add_output_options(status)
    status.set_defaults(command=_status)

    rejects = commands.add_parser("rejects", help="the rejected rows of a load, each with its reason")
    add_load_argument(rejects)
    rejects.add_argument(
        "--xlsx", metavar="F", type=Path, help="write them to the new workbook F, to send back"
    )
    rejects.add_argument(
        "--annotated",
        action="store_true",
        help="with --xlsx: F is the sender's own workbook with the wrong cells marked, the rest as it was",
    )
    rejects.add_argument(
        "--workbook", metavar="W", help="with --annotated: which of the load's workbooks, by its path or name"
    )
    add_output_options(rejects)
    rejects.set_defaults(command=_rejects)


def _status(options: argparse.Namespace) -> int:
    from factload.cli import terminal
    from factload.reports.report import read_report, read_status

    if options.load:
        report = read_report(url_for_load(options), options.load)
        if options.json:
            print(json.dumps(report.to_json()))
        else:
            terminal.show_report(report)
        return 0
    urls, errors = databases(options)
    found: list[dict[str, Any]] = []
    asked = 0
    for url in urls:
        try:
            found += read_status(url, options.feed)
            asked += 1
        except FactloadError as error:
            errors.append(error)
    if options.json:
        print(json.dumps(found))
    elif found or asked:
        terminal.show_status(found, options.feed)
    # What could not be asked is said beside what could; the exit status says that it isn't all.
    return max(map(say, errors), default=0)


def _rejects(options: argparse.Namespace) -> int:
    from factload.cli import terminal
    from factload.ledger.rejects import read_rejects
    from factload.postgres.database import engine_for
    from factload.postgres.errors import database_errors
    from factload.reports.report import read_report

    if options.annotated and not options.xlsx:
        raise FeedError("option_missing", "--annotated needs a file to write", remedy="Name it with --xlsx F")
    url = url_for_load(options)
    read_report(url, options.load)  # says so when there is no such load
    with database_errors("reading the rejects"), engine_for(url).connect() as connection:
        if options.xlsx:
            return (_write_annotated if options.annotated else _write_rejects)(options, connection)
        found = read_rejects(connection, options.load)
        if options.json:
            for reject in found:
                print(json.dumps(reject.to_json()))
        else:
            terminal.show_rejects(found)
    return 0


def _write_rejects(options: argparse.Namespace, connection: Connection) -> int:
    from factload.reports.rejects_workbook import write_rejects

    with new_file(options.xlsx) as file:
        written = write_rejects(file, connection, feed_of_load(options), options.load)
    words = f"{written.rows} rejected rows written to {options.xlsx}"
    return _say_written(options, words, written.notes, rows=written.rows)


def _write_annotated(options: argparse.Namespace, connection: Connection) -> int:
    from factload.reports.annotated.rejects import annotate_rejects

    with new_file(options.xlsx) as file:
        done = annotate_rejects(file, connection, options.load, options.workbook)
    words = f"{done.cells} cells marked in {options.xlsx}"
    return _say_written(options, words, done.notes, cells=done.cells)


def _say_written(options: argparse.Namespace, words: str, notes: Sequence[str], **counted: int) -> int:
    if options.json:
        print(json.dumps({"workbook": str(options.xlsx), **counted, "notes": notes}))
    else:
        print(words)
    for note in notes:
        print(note, file=sys.stderr)
    return 0


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file; it is removed again if it can't be written completely."""
    try:
        file = path.open("xb")
    except FileExistsError as error:
        if path.is_dir():
            raise _unwritable(path, IsADirectoryError(EISDIR, "it is a folder")) from error
        raise FeedError(
            "file_exists",
            f"{path} is there already",
            expected="a new file: the existing one may hold somebody's corrections",
            remedy="Name another, or delete it first",
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def _unwritable(path: Path, error: OSError) -> FeedError:
    return FeedError(
        "file_unwritable",
        f"{path} can't be written ({error.strerror})",
        expected="a new file in an existing folder",
        remedy="Name another",
    )
