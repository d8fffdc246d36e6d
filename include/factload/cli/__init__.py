"""`factload`: every step without Airflow. Each module here adds the commands of one group.

Exit status: 0 published (or: the check passed; all stands); 2 bad usage or feed; 3 the workbook or its rows are
refused, nothing is published (or: something doesn't stand as it was published); 4 a fault worth a retry.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from factload.cli import doctor, feeds, ledger, loads, questions
from factload.cli.completion import SHELLS, PrintCompletion
from factload.cli.options import say
from factload.errors import INTERRUPTED, TransientError
from factload.interrupts import interruptible
from factload.last_net import foreseen
from factload.version import __version__

_EPILOG = """exit status:
  0  published; or the check passed; or all stands as it was published
  2  bad usage, or the feed is wrong
  3  the workbook or its rows are refused, and nothing is published; or something does not stand as it was published
  4  a fault that a retry may help

Connections: a feed names one (`fact.connection: warehouse`). Here it is a URL in the environment,
FACTLOAD_CONN_WAREHOUSE or AIRFLOW_CONN_WAREHOUSE, or --url.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        with interruptible():
            status = int(options.command(options))
            sys.stdout.flush()
            return status
    except KeyboardInterrupt:
        return say(TransientError(INTERRUPTED, "interrupted", remedy="Run the command again"))
    except BrokenPipeError:
        return 0
    except Exception as error:
        return say(foreseen(error))
    finally:
        _let_go_of_output()


def _let_go_of_output() -> None:
    """Python flushes standard output once more as it exits: a closed pipe would print a traceback then."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser() -> argparse.ArgumentParser:
    """The command line, with every command; docs/commands.md is made of its help texts."""
    made = argparse.ArgumentParser(
        prog="factload",
        description="Turns spreadsheets into fact rows: bounded memory, every row accounted for, published at once.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"factload {__version__}")
    made.add_argument(
        "--print-completion",
        metavar="SHELL",
        choices=SHELLS,
        action=PrintCompletion,
        help=f"print a script that completes commands and options in a shell: {' or '.join(SHELLS)}",
    )
    commands = made.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in (loads, ledger, questions, feeds, doctor):
        group.add_commands(commands)
    return made
