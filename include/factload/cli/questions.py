"""The commands that ask what of loads stands."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from factload.cli.ledger import new_file
from factload.cli.options import (
    add_load_argument,
    add_load_options,
    add_output_options,
    databases,
    day,
    feed_of_load,
    say,
)
from factload.errors import FactloadError, FeedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from factload.cli.options import Commands
    from factload.verify.judgement import Verdict
    from factload.verify.proof import Proof
    from factload.verify.published import PublishedLoad


def add_commands(commands: Commands) -> None:
    """``diff``, ``undo`` and ``verify``."""
    diff = commands.add_parser(
        "diff",
        help="say what publishing a period would change against what stands; stages rows, publishes nothing",
    )
    add_load_options(diff)
    diff.set_defaults(command=_diff)

    undo = commands.add_parser(
        "undo", help="take a load's last change back: the rows before it stand again, or none; twice is none"
    )
    add_load_argument(undo)
    undo.add_argument("--reason", metavar="TEXT", required=True, help="why; it stays in the ledger")
    undo.add_argument("--by", metavar="NAME", default=None, help="who; default: the user of this machine")
    add_output_options(undo)
    undo.set_defaults(command=_undo)

    verify = commands.add_parser(
        "verify", help="prove that the fact tables still hold what was published, and note it in the ledger"
    )
    verify.add_argument("feed", metavar="FEED", nargs="?", help="only this feed's loads")
    verify.add_argument(
        "--since", metavar="DATE", type=day, help="only loads of this period and later ones, YYYY-MM-DD"
    )
    receipts = verify.add_mutually_exclusive_group()
    receipts.add_argument(
        "--receipt",
        metavar="F",
        type=Path,
        help="write what stands as a sealed statement to the new file F, unless something doesn't stand",
    )
    receipts.add_argument(
        "--receipt-of",
        metavar="F",
        type=Path,
        help="prove instead what the receipt F says, without the ledger",
    )
    add_output_options(verify)
    verify.set_defaults(command=_verify)


def _diff(options: argparse.Namespace) -> int:
    from factload.runtime.processes import warm_up

    warm_up()
    from factload.difference import diff_load
    from factload.feed.file import read_feed
    from factload.memory import save_memory
    from factload.progress import Quiet
    from factload.settings import connection_url

    save_memory()
    period = options.period or datetime.now(UTC).date()
    feed = read_feed(options.feed)
    url = options.url or connection_url(feed.fact.connection)
    if options.json:
        found = diff_load(feed, period, database=url, workbook=options.workbook, progress=Quiet())
        print(json.dumps(found.to_json()))
        return 0
    from factload.cli.answers import show_difference
    from factload.cli.progress_bars import Bars

    with Bars() as bars:
        found = diff_load(feed, period, database=url, workbook=options.workbook, progress=bars)
    show_difference(found)
    return 0


def _undo(options: argparse.Namespace) -> int:
    from getpass import getuser

    from factload.cli.terminal import show_report
    from factload.load import parse_load_id
    from factload.progress import QUIET
    from factload.reports.report import read_report
    from factload.runtime.retry import through_losses
    from factload.settings import connection_url
    from factload.undo import undo_load

    _, period = parse_load_id(options.load)
    feed = feed_of_load(options)
    url = options.url or connection_url(feed.fact.connection)
    if feed.load_id(period) != options.load:
        raise FeedError(
            "load_unknown",
            f"the feed {feed.feed} has no load {options.load}",
            expected=feed.load_id(period),
            remedy="Name the load's own feed with --feed",
        )
    undo_load(feed, period, reason=options.reason, by=options.by or getuser(), database=url)
    report = through_losses(partial(read_report, url, options.load), QUIET)
    if options.json:
        print(json.dumps(report.to_json()))
    else:
        show_report(report)
    return 0


def _verify(options: argparse.Namespace) -> int:
    from factload.cli.answers import show_proof
    from factload.verify.proof import together

    if options.receipt_of:
        proofs, errors = _proofs_of_receipt(options)
    else:
        proofs, errors = _proofs(options)
    whole = together(proof for proof, _ in proofs)
    written = None
    if options.receipt and whole.stands and not errors:
        written = _write_receipt(options.receipt, whole.verdicts, [url for _, url in proofs])
    if options.json:
        stands = whole.stands and not errors
        print(json.dumps(whole.to_json() | {"stands": stands, "receipt": written}))
    else:
        if proofs:
            show_proof(whole)
        if written:
            print(f"{written['file']} is written: {written['sealed']}")
    status = max(map(say, errors), default=0)
    if not whole.stands:
        differing = sum(verdict.state == "differs" for verdict in whole.verdicts)
        of = "load does" if differing == 1 else "loads do"
        receipt = ". No receipt was written" if options.receipt else ""
        print(f"factload: {differing:,} {of} not stand as published{receipt}.", file=sys.stderr)
        return max(status, _NOT_AS_PUBLISHED)
    return status


_NOT_AS_PUBLISHED = 3


def _proofs(options: argparse.Namespace) -> tuple[list[tuple[Proof, str]], list[FactloadError]]:
    """A proof and its database, for each database there is to ask; and why some couldn't be asked."""
    from factload.verify.proof import verify_loads

    urls, errors = databases(options)
    feed = _name_of(options.feed)
    found = []
    for url in urls:
        try:
            found.append((verify_loads(url, feed, options.since), url))
        except FactloadError as error:
            errors.append(error)
    return found, errors


def _name_of(feed: str | None) -> str | None:
    """What the ledger calls a feed: by its file's own word, where there is one."""
    from factload.feed.file import read_feed

    if feed is None:
        return None
    try:
        return read_feed(feed).feed
    except FactloadError:
        return Path(feed).stem


def _proofs_of_receipt(options: argparse.Namespace) -> tuple[list[tuple[Proof, str]], list[FactloadError]]:
    from factload.verify.proof import is_asked, verify_receipt
    from factload.verify.receipt import read_receipt

    loads = read_receipt(options.receipt_of)
    feed = _name_of(options.feed)
    asked = [load for load in loads if is_asked(load, feed, options.since)]
    if not asked:
        raise FeedError(
            "load_unknown",
            f"{options.receipt_of} has no load that was asked for",
            expected="a feed, and a date up to the last period, of its loads",
            remedy="Leave out FEED and --since to prove all of its loads",
        )
    return [(verify_receipt(url, some), url) for url, some in _by_database(options, asked)], []


def _by_database(
    options: argparse.Namespace, loads: Sequence[PublishedLoad]
) -> list[tuple[str, list[PublishedLoad]]]:
    from factload.feed.file import read_feed
    from factload.settings import connection_url

    if options.url:
        return [(options.url, list(loads))]
    by_url: dict[str, list[PublishedLoad]] = {}
    for load in loads:
        by_url.setdefault(connection_url(read_feed(load.feed).fact.connection), []).append(load)
    return list(by_url.items())


def _write_receipt(path: Path, verdicts: Sequence[Verdict], urls: Sequence[str]) -> dict[str, str]:
    from factload.verify.proof import server_version
    from factload.verify.receipt import is_signed, receipt_text

    server = ", ".join(sorted({server_version(url) for url in urls}))
    with new_file(path) as file:
        file.write(receipt_text(verdicts, server).encode())
    sealed = (
        "signed with the key in FACTLOAD_RECEIPT_KEY"
        if is_signed()
        else "sealed with a digest that shows damage, not signed: FACTLOAD_RECEIPT_KEY is not set"
    )
    return {"file": str(path), "sealed": sealed}
