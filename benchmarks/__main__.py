"""The benchmark's command line: measure, verify, print, and keep the results in `.demo/`."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from benchmarks import costs, defects, memory, reading
from benchmarks.contestants import ALL, BY_NAME, PROJECT, SLOW_FROM, SLOW_UP_TO, Contestant
from benchmarks.costs.figure import Measured, NotHere, Setting
from benchmarks.costs.figure import table as table_of_costs
from benchmarks.data import MOST_ROWS, keys_of, sample, write_ready_rows
from benchmarks.published import Published
from benchmarks.results import by_name, merge, result_of, steps_table, summary_of, table
from benchmarks.runs import Run, Task, run_once
from benchmarks.tables import BARE, PARTITIONED, TABLES, TABLES_BY_NAME, FactTable
from benchmarks.versions import environment, is_here
from benchmarks.warehouse import Warehouse, warehouse
from factload_demo.sample import ROWS

_DEMO = PROJECT / ".demo"
_FOLDER = _DEMO / "bench"  # workbooks and whatever a run needs
_RESULTS = _DEMO / "bench.json"
_DETAILS = _DEMO / "bench-details.json"
_PLOT = _DEMO / "bench-memory.png"
_QUICK_ROWS = 80_000
_REPEATS = 5
_FEWEST_ROWS, _ROWS_AT_MOST = 1_000, 20_000_000
_PARTS = ("insert", "memory", "reading", "costs")  # measured when they are asked for
_NAMES = (*BY_NAME, "defects", *_PARTS, *costs.NAMES)


class Bench:
    """A session with one warehouse; keeps all its runs for the file of details."""

    def __init__(self, made: Warehouse) -> None:
        self.warehouse = made
        measured_with = environment(made.version())
        self.published = Published(measured_with)
        print("; ".join(f"{name} {value}" for name, value in measured_with.items()), flush=True)
        self.details: dict[str, object] = {}
        self.wrong = False
        self._tasks: dict[int, Task] = {}

    def compare(
        self, contestants: Sequence[Contestant], rows: int, tables: Sequence[FactTable], repeats: int
    ) -> None:
        """All contestants at one size: whole loads into each table, readers once for all tables."""
        able = [c for c in contestants if rows <= SLOW_UP_TO or not (c.slow or c.kind == "read")]
        loads = [c for c in able if c.kind != "read"]
        for table_ in tables:
            chosen = [c for c in loads if table_ is PARTITIONED or not c.makes_partitions]
            grouped = self._in_turns(chosen, rows, table_, repeats)
            summaries = {name: summary_of(ran) for name, ran in grouped.items()}
            if table_ is BARE:
                merge(_RESULTS, rows, {name: result_of(ran) for name, ran in grouped.items()})
            if summaries:
                self.published.loads(rows, table_.name, summaries)
                print(table("load", f"{rows:,} rows, {table_.title}", summaries))
                print("\n" + steps_table(grouped), flush=True)
        grouped = self._in_turns([c for c in able if c.kind == "read"], rows, BARE, repeats)
        if grouped:
            merge(_RESULTS, rows, {name: result_of(ran) for name, ran in grouped.items()})
            summaries = {name: summary_of(ran) for name, ran in grouped.items()}
            self.published.readers(rows, summaries)
            print(table("read", f"reading alone, {rows:,} rows", summaries), flush=True)

    def _in_turns(
        self, contestants: Sequence[Contestant], rows: int, table_: FactTable, repeats: int
    ) -> dict[str, list[Run]]:
        """Round after round, so that a slow minute of the machine hits everybody; the slow ones once with many rows."""
        runs: list[Run] = []
        for turn in range(repeats):
            for contestant in contestants:
                if turn == 0 or not contestant.slow or rows < SLOW_FROM:
                    runs.append(self._run(contestant, rows, table_))
        return by_name(runs)

    def defects(self, names: set[str]) -> None:
        """What each does with defects, and what is left when it is killed."""
        seen = {}
        for name, found in defects.try_all(names, self.warehouse, _FOLDER):
            seen[name] = found
            print(f"  {name:22} " + "; ".join(one["sentence"] for one in found.values()), flush=True)
        self.details["defects"] = seen
        self.published.defects(seen)
        print("\n" + defects.table(seen), flush=True)

    def memory(self, rows: int) -> None:
        """Peaks of the readers at four sizes and the plot of them; of whole loads at the smallest and the largest."""
        peaks: dict[str, dict[int, float]] = {}
        sizes = memory.sizes(rows)
        self.details["memory"] = peaks
        for size in sizes:
            for reader in memory.READERS:
                self._peak(reader, size, peaks)
        memory.plot(_PLOT, peaks)
        for size in (sizes[0], sizes[-1]):
            for load in memory.AT_BOTH_ENDS:
                self._peak(load, size, peaks)
        print(memory.table(peaks))
        print(f"\nplot: {_PLOT}", flush=True)

    def _peak(self, contestant: Contestant, rows: int, peaks: dict[str, dict[int, float]]) -> None:
        run = self._run(contestant, rows, BARE)
        merge(_RESULTS, rows, {run.name: result_of([run])})
        if run.ok:
            peaks.setdefault(run.name, {})[rows] = run.peak_mb
        if run.steps_mb:
            peaks.setdefault(f"{run.name}, shared once", {})[rows] = run.pss_mb
            peaks.setdefault(f"{run.name}, largest step", {})[rows] = max(run.steps_mb.values())

    def inserts(self, rows: int) -> None:
        """Rows a second of the two Core inserts, in a process of their own."""
        self.warehouse.renew()
        command = [sys.executable, "-m", "benchmarks.insert_rows", str(rows), self.warehouse.sqlalchemy_url]
        done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
        speed = json.loads(done.stdout)
        self.details["insert"] = speed
        print(
            f"\nCore insert, {rows:,} rows into an unlogged staging table, rows/s: arrays {speed['arrays']:,.0f}, "
            f"dicts {speed['dicts']:,.0f}; {speed['arrays'] / speed['dicts']:.1f} times as many",
            flush=True,
        )

    def reading(self, rows: int, repeats: int) -> None:
        """The readers alone on wide sheets, shared strings and CSV; by one thread and by two."""
        results = reading.compare(rows, repeats, _FOLDER)
        self.details["reading"] = {name: asdict(result) for name, result in results.items()}
        self.published.shapes(results)
        print(reading.table(results), flush=True)
        if not all(result.ok for result in results.values()):
            self.wrong = True

    def costs(self, names: set[str], rows: int, repeats: int, *, quick: bool) -> None:
        """The project's promised figures beside their goals."""
        setting = Setting(_FOLDER, self.warehouse, rows, repeats, quick)
        results: dict[str, Measured] = {}
        kept = self.details.setdefault("costs", {})
        assert isinstance(kept, dict)  # noqa: S101
        for name, found in costs.measure(names, setting):
            if isinstance(found, Measured):
                results[name], kept[name] = found, found.to_json()
            elif isinstance(found, NotHere):
                print(f"  {name:16} not measured: {found}", flush=True)
            else:
                print(f"  {name:16} WRONG: {found}", flush=True)
                self.wrong = True
        print(table_of_costs(results), flush=True)

    def _run(self, contestant: Contestant, rows: int, table_: FactTable) -> Run:
        print(f"  {contestant.name:22} {rows:>9,} rows ", end="", flush=True)
        run = run_once(contestant, self._task(rows), table_, self.warehouse, _FOLDER)
        verdict = "" if run.ok else f"WRONG: {run.complaint}"
        print(
            f"{run.table:12}{run.seconds:8.2f} s, CPU {run.cpu_seconds:6.2f} s client {run.server_cpu_seconds:6.2f} s "
            f"server, {run.pss_mb:6.0f} MB {verdict}".rstrip(),
            flush=True,
        )
        runs = self.details.setdefault("runs", [])
        assert isinstance(runs, list)  # noqa: S101
        runs.append({"rows": rows, **asdict(run)})
        return run

    def _task(self, rows: int) -> Task:
        if rows not in self._tasks:
            made = sample(_FOLDER, rows)
            ready = _FOLDER / f"ready-{rows}.csv"
            keys = keys_of(self.warehouse.sqlalchemy_url)
            self._tasks[rows] = Task(made, ready, write_ready_rows(ready, made, keys))
        return self._tasks[rows]

    def save(self) -> None:
        """Write every single run and the rest that was measured. What the file holds of other parts stays."""
        known = json.loads(_DETAILS.read_text()) if _DETAILS.exists() else {}
        figures = {**known.get("costs", {}), **self.details.get("costs", {})}  # type: ignore[dict-item]
        kept = {**known, **self.details, **({"costs": figures} if figures else {})}
        _DETAILS.write_text(json.dumps(kept, indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line says; 1 when a result was wrong."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the server and its data go in both cases
    sizes: list[int] = options.rows or [_QUICK_ROWS if options.quick else ROWS]
    repeats = options.repeat or (1 if options.quick else _REPEATS)
    chosen = _chosen(options.only)
    started = time.monotonic()
    with warehouse(PROJECT) as made:
        bench = Bench(made)
        contestants = [contestant for contestant in ALL if contestant.name in chosen and _can_run(contestant)]
        try:
            for rows in sizes:
                bench.compare(contestants, rows, options.tables, repeats)
            if "defects" in chosen:
                bench.defects({contestant.name for contestant in contestants or ALL})
            _further(bench, chosen, min(max(sizes), MOST_ROWS), repeats, quick=options.quick)
        finally:
            bench.save()
            if options.write_docs:  # of an hour's run, too, that was interrupted
                bench.published.write()
    _remove_ready_rows()
    print(f"\n{time.monotonic() - started:.0f} s in all; results in {_RESULTS}, every run in {_DETAILS}")
    return 0 if not bench.wrong and all(run["ok"] for run in _all_runs(bench)) else 1


def _can_run(contestant: Contestant) -> bool:
    missing = [package for package in contestant.packages if not is_here(package)]
    if missing:
        print(f"  {contestant.name:22} left out: no {', '.join(missing)} for this machine", flush=True)
    return not missing


def _further(bench: Bench, chosen: set[str], rows: int, repeats: int, *, quick: bool) -> None:
    """The parts that are measured when they are asked for."""
    if "insert" in chosen:
        bench.inserts(min(rows, 200_000))
    if "memory" in chosen:
        bench.memory(rows)
    if "reading" in chosen:
        bench.reading(rows, repeats)
    if figures := chosen & set(costs.NAMES):
        bench.costs(figures, rows, repeats, quick=quick)


def _all_runs(bench: Bench) -> Iterable[dict[str, object]]:
    runs = bench.details.get("runs", [])
    assert isinstance(runs, list)  # noqa: S101
    return runs


def _remove_ready_rows() -> None:
    for path in _FOLDER.glob("ready-*.csv"):
        path.unlink()


def _chosen(only: str | None) -> set[str]:
    chosen = {*BY_NAME, "defects"} if only is None else set(only.split(","))
    return chosen | set(costs.NAMES if "costs" in chosen else ())


def _names(text: str) -> str:
    unknown = set(text.split(",")) - set(_NAMES)
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(sorted(unknown))}: not known; names are {', '.join(_NAMES)}"
        )
    return text


def _rows(text: str) -> list[int]:
    sizes = [int(part) for part in text.replace("_", "").split(",")]
    if not all(_FEWEST_ROWS <= rows <= _ROWS_AT_MOST for rows in sizes):
        raise argparse.ArgumentTypeError(f"each {_FEWEST_ROWS} to {_ROWS_AT_MOST}")
    return sizes


def _tables(text: str) -> list[FactTable]:
    unknown = set(text.split(",")) - set(TABLES_BY_NAME)
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(sorted(unknown))}: tables are {', '.join(TABLES_BY_NAME)}"
        )
    return [TABLES_BY_NAME[name] for name in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="This engine and its peers on the same data, each as a process of its own, each verified.",
    )
    parser.add_argument(
        "--rows",
        type=_rows,
        metavar="N,…",
        help=f"of the workbook; above {MOST_ROWS}, of several workbooks in one load (default: {ROWS})",
    )
    parser.add_argument(
        "--tables",
        type=_tables,
        default=list(TABLES),
        metavar="NAMES",
        help="some of " + ",".join(TABLES_BY_NAME) + " (default: all)",
    )
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK_ROWS} rows, one run each")
    parser.add_argument(
        "--only",
        type=_names,
        metavar="NAMES",
        help=f"some of {','.join(_NAMES)} (default: all but {','.join(_PARTS)})",
    )
    parser.add_argument(
        "--repeat",
        type=int,
        help=f"runs of each, in turns (default: {_REPEATS}; slow ones run once from {SLOW_FROM} rows on)",
    )
    parser.add_argument(
        "--write-docs",
        action="store_true",
        help="put the results into docs/benchmarks.json, and make docs/benchmarks.md and its plots of it",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
