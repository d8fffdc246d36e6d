"""`make demo`, `make up` and `make down`: python -m factload_demo run | up | down | clean."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date

from rich.console import Console

from factload_demo.errors import DemoError
from factload_demo.processes import one_interruption
from factload_demo.sample import MEMBERS, ROWS
from factload_demo.setup import Sizes, alone, remove_all, running_site, say_login, stop_all


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # a port or a password of another PostgreSQL would be taken for this one's
    console = Console(highlight=False)
    try:
        with one_interruption(), alone():
            _run(chosen, console)
    except KeyboardInterrupt:
        print("Interrupted; everything that was started is stopped.", file=sys.stderr)
        return 130
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(chosen: argparse.Namespace, console: Console) -> None:
    match chosen.command:
        case "run":
            from factload_demo.show import demonstrate  # the engine's report takes seconds to import

            demonstrate(Sizes(chosen.rows, chosen.members, chosen.period), console)
        case "up":
            site = running_site()
            if site is None:
                from factload_demo.show import stay_up

                stay_up(Sizes(chosen.rows, chosen.members, chosen.period), console)
            else:
                say_login(site, console)
        case "down":
            console.print("Stopped." if stop_all() else "Nothing was running.")
        case "clean":
            remove_all()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m factload_demo", description=__doc__)
    parser.add_argument("command", choices=("run", "up", "down", "clean"))
    parser.add_argument("--rows", type=int, default=ROWS, help="of the workbook (default: %(default)s)")
    parser.add_argument(
        "--members", type=int, default=MEMBERS, help="of the dimension (default: %(default)s)"
    )
    parser.add_argument("--period", type=date.fromisoformat, default=Sizes.period, help="YYYY-MM-DD")
    return parser


if __name__ == "__main__":
    sys.exit(main())
