"""The commands that help to write a feed file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from factload.cli.options import Commands


def add_commands(commands: Commands) -> None:
    """``init`` and ``schema``."""
    init = commands.add_parser("init", help="propose a feed file from a workbook and the database")
    init.add_argument("workbook", metavar="WORKBOOK", type=Path, help="a workbook as it will arrive")
    init.add_argument("--sheet", metavar="S", help="this sheet; default: the one with the widest table")
    init.add_argument(
        "--table",
        metavar="T",
        help="the fact table, `table` or `schema.table`; default: one that is there and has most of the sheet's names, "
        "else a new one",
    )
    init.add_argument(
        "--partitioned",
        action="store_true",
        help="a new fact table has a partition for each load, and the feed `mode: exchange`",
    )
    init.add_argument("--url", metavar="DB", help="the database; default: FACTLOAD_CONN_WAREHOUSE")
    what = init.add_mutually_exclusive_group()
    what.add_argument(
        "--output", metavar="F", type=Path, help="write the feed to the new file F, which gives it its name"
    )
    what.add_argument("--ddl", action="store_true", help="print instead the tables that the database lacks")
    init.set_defaults(command=_init)

    schema = commands.add_parser("schema", help="print the JSON Schema of feed files, for editors")
    schema.set_defaults(command=_schema)


def _schema(_: argparse.Namespace) -> int:
    from factload.feed.schema import schema_text

    sys.stdout.write(schema_text())
    return 0


def _init(options: argparse.Namespace) -> int:
    from factload.propose.ddl import ddl_text
    from factload.propose.first import next_commands, propose_feed, schema_beside, write_feed
    from factload.propose.written import feed_text
    from factload.settings import settings

    proposal = propose_feed(
        options.workbook,
        sheet=options.sheet,
        table=options.table,
        database=options.url,
        output=options.output,
        partitioned=options.partitioned,
    )
    if options.ddl:
        sys.stdout.write(ddl_text(proposal))
    elif options.output:
        commands = next_commands(proposal, options.workbook, options.output, options.url)
        write_feed(proposal, options.output)
        for warning in proposal.warnings:
            print(warning, file=sys.stderr)
        print(f"{options.output} is written. Read it; then:", file=sys.stderr)
        for command in commands:
            print(f"  {command}", file=sys.stderr)
    else:
        sys.stdout.write(feed_text(proposal, schema_beside(settings().feeds)))
    return 0
