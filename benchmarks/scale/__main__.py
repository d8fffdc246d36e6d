"""The command line of `make bench-scale`: load, compare, measure, print, and write docs/scaling.md when asked to."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from benchmarks.contestants import PROJECT
from benchmarks.costs.members import MOST_MEMBERS
from benchmarks.data import MOST_ROWS, Part, parts_of, sample
from benchmarks.scale import page, plots, verified
from benchmarks.scale.costs import SteppedRun, costs_of, run_steps
from benchmarks.scale.dimension import make_dimension
from benchmarks.scale.exact import draw
from benchmarks.scale.load import LoadRun, run_load
from benchmarks.scale.place import ScalePlace
from benchmarks.scaling_model import ROWS_PER_PARTITION, Size
from benchmarks.versions import environment
from benchmarks.warehouse import Warehouse, warehouse
from factload_demo.sample import MEMBERS, ROWS

_FOLDER = PROJECT / ".demo" / "bench"
_RESULTS = PROJECT / ".demo" / "scaling.json"
_TIMES = 3  # the small load, which a slow second of the machine would distort
_START_ROWS = 2_000
_FEWEST_ROWS_OF_PARTITION = 2_000  # that a feed may ask for


@dataclass(frozen=True)
class Asked:
    """How much is loaded: ``workbooks`` of ``rows`` each, ``members``; ``small``: rows of the load to compare with."""

    workbooks: int
    rows: int
    members: int
    small: int

    @property
    def sizes(self) -> list[int]:
        """Of how many workbooks loads are made, up to all."""
        return sorted({max(1, self.workbooks * tenths // 10) for tenths in (1, 2, 5, 10)})


@dataclass
class Bench:
    """What is measured in one session, in the order in which it comes."""

    base: Warehouse
    asked: Asked
    place: ScalePlace = field(default_factory=lambda: ScalePlace(_FOLDER))
    stepped: list[SteppedRun] = field(default_factory=list)
    small: list[LoadRun] = field(default_factory=list)
    large: list[LoadRun] = field(default_factory=list)

    def costs(self) -> dict[str, object]:
        """Four small loads step by step: the small load, and that with five times the members; an eighth of its rows in
        small partitions, with few members and with many."""
        rows, some = self.asked.small, self.asked.small // 8
        for size, drawn in (
            (Size(some, some, max(_FEWEST_ROWS_OF_PARTITION, some // 10)), some),
            (Size(rows, MEMBERS, ROWS_PER_PARTITION), MEMBERS),
            (Size(rows, 5 * MEMBERS, ROWS_PER_PARTITION), MEMBERS),
            (Size(some, 5 * MEMBERS, _FEWEST_ROWS_OF_PARTITION), some),
        ):
            warehouse_ = self._with_members(size.members)
            made = sample(_FOLDER, size.rows, members=drawn, workbooks=1)
            self.stepped.append(run_steps(warehouse_, self.place, made.workbooks, size))
            print(f"  costs of {size.rows:,} rows × {size.members:,} members: measured", flush=True)
        for members in {run.size.members for run in self.stepped} - {MEMBERS}:
            self.base.server.drop_database(_name(members))
        start = self._load(self.base, self._drawn(self.base, _START_ROWS, MEMBERS, 1), MEMBERS)
        found = asdict(costs_of(self.stepped, Size(_START_ROWS, MEMBERS), start.cpu))
        del found["written_bytes_a_row"]  # known of the largest load alone
        return found

    def loads(self) -> None:
        """The small load a few times, and the large ones."""
        asked = self.asked
        parts = self._drawn(self.base, asked.small, MEMBERS, 1)
        self.small = [self._load(self.base, parts, MEMBERS) for _ in range(_TIMES)]
        large = self._with_members(asked.members)
        parts = self._drawn(large, asked.rows * asked.workbooks, asked.members, asked.workbooks)
        self.large = [self._load(large, parts[:workbooks], asked.members) for workbooks in asked.sizes]

    def _with_members(self, members: int) -> Warehouse:
        """A database with such a dimension."""
        if members == MEMBERS:
            return self.base
        made = self.base.empty_database(_name(members))
        if made.has_dimension():
            return made
        started = time.monotonic()
        make_dimension(made, members)
        print(f"  dimension of {members:,} members: {time.monotonic() - started:.0f} s", flush=True)
        return made

    def _drawn(self, into: Warehouse, rows: int, members: int, workbooks: int) -> list[Part]:
        """The workbooks of a sample; their rows are drawn once more into the database, to compare loads with."""
        started = time.monotonic()
        sample(_FOLDER, rows, members=members, workbooks=workbooks)
        parts = parts_of(_FOLDER, rows, members, workbooks)
        draw(into.sqlalchemy_url, parts, members)
        print(f"  {rows:,} rows in workbooks, and drawn: {time.monotonic() - started:.0f} s", flush=True)
        return parts

    def _load(self, into: Warehouse, parts: Sequence[Part], members: int) -> LoadRun:
        """The first workbooks of those that were drawn last, in one load."""
        rows = sum(part.rows for part in parts)
        run = run_load(into, self.place, [part.path for part in parts], rows, members)
        verdict = "exact" if run.exact.equal else f"WRONG: {run.exact}"
        print(
            f"  {run.rows:>11,} rows × {members:>10,} members {run.seconds:8.2f} s {run.rate:>9,.0f} rows/s, "
            f"CPU {run.cpu:.1f} s client {run.server_cpu:.1f} s server, others {run.others:.1f} processors, "
            f"largest process {max(run.steps_mb.values()):.0f} MB, all {run.tree_mb:.0f} MB; {verdict}",
            flush=True,
        )
        return run


def _name(members: int) -> str:
    return f"members_{members}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 when a load was not exact."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the server and its data go in both cases
    asked = Asked(options.workbooks, options.rows, options.members, options.small)
    started, busy = time.monotonic(), os.getloadavg()[0]
    with warehouse(PROJECT) as base:
        measured_with = environment(base.version())
        bench = Bench(base, asked)
        try:
            costs = bench.costs()
            bench.loads()
            of_verify = verified.measure(base, bench.place, asked.small)
        finally:
            bench.place.remove()
    document = {
        "environment": {name: measured_with[name] for name in page.NAMED},
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "load_average": round(busy, 1),
        "small": [asdict(run) for run in bench.small],
        "large": [asdict(run) for run in bench.large],
        "costs": costs,
        "stepped": [asdict(run) for run in bench.stepped],
        "verified": of_verify,
    }
    _RESULTS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(page.shown(document), flush=True)
    if options.write_docs:
        page.write(document)
    else:
        plots.draw(_RESULTS.parent, document)
    print(f"\n{time.monotonic() - started:.0f} s in all; results in {_RESULTS}")
    return 0 if all(run.exact.equal for run in (*bench.small, *bench.large)) else 1


def _between(least: int, most: int) -> type[int]:
    def number(text: str) -> int:
        found = int(text.replace("_", ""))
        if not least <= found <= most:
            raise argparse.ArgumentTypeError(f"{least} to {most}")
        return found

    return number  # type: ignore[return-value]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description="One load of many workbooks against a large dimension, in mode exchange: exact, in bounded memory, "
        "and as quick a row as a small load. A look in about a minute: --workbooks 5 --rows 20000 --members 200000 "
        "--small 80000.",
    )
    parser.add_argument("--workbooks", type=_between(1, 100), default=10, help="of the load (default: 10)")
    parser.add_argument(
        "--rows",
        type=_between(1_000, MOST_ROWS),
        default=1_000_000,
        help="of each workbook (default: 1,000,000)",
    )
    parser.add_argument(
        "--members",
        type=_between(1_000, MOST_MEMBERS),
        default=MOST_MEMBERS,
        help=f"of the dimension (default: {MOST_MEMBERS:,})",
    )
    parser.add_argument(
        "--small",
        type=_between(8_000, MOST_ROWS),
        default=ROWS,
        help=f"rows of the load that the others are compared with (default: {ROWS:,})",
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="put the results into docs/scaling.json, page and plots"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
