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

from benchmarks import costs, memory, reading
from benchmarks.contestants import ALL, BY_NAME, PROJECT, Contestant
from benchmarks.costs.figure import Measured, NotHere, Setting
from benchmarks.costs.figure import table as table_of_costs
from benchmarks.data import MOST_ROWS, sample, write_ready_rows
from benchmarks.results import by_name, merge, result_of, steps_table, table
from benchmarks.runs import Run, Task, run_once
from benchmarks.warehouse import Warehouse, warehouse
from factload_demo.sample import ROWS

_DEMO = PROJECT / ".demo"
_FOLDER = _DEMO / "bench"  # workbooks and whatever a run needs
_RESULTS = _DEMO / "bench.json"
_DETAILS = _DEMO / "bench-details.json"
_PLOT = _DEMO / "bench-memory.png"
_QUICK_ROWS = 80_000
_REPEATS = 3
_PARTS = ("insert", "memory", "reading", "costs")
_NAMES = (*BY_NAME, *_PARTS, *costs.NAMES)


class Bench:
    """A session with one warehouse; keeps all its runs for the file of details."""

    def __init__(self, made: Warehouse) -> None:
        self.warehouse = made
        self.details: dict[str, object] = {}
        self.wrong = False
        self._tasks: dict[int, Task] = {}

    def compare(self, contestants: Sequence[Contestant], rows: int, repeats: int) -> None:
        """Run all in turns, so that a slow minute of the machine hits everybody; the slow ones once."""
        runs: list[Run] = []
        for turn in range(repeats):
            for contestant in contestants:
                if turn == 0 or not contestant.slow:
                    runs.append(self._run(contestant, rows))
        grouped = by_name(runs)
        results = {name: result_of(ran) for name, ran in grouped.items()}
        merge(_RESULTS, rows, results)
        print(table(rows, results))
        print("\n" + steps_table(grouped), flush=True)

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
        run = self._run(contestant, rows)
        if contestant.name in BY_NAME:
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

    def _run(self, contestant: Contestant, rows: int) -> Run:
        print(f"  {contestant.name:16} {rows:>9,} rows ", end="", flush=True)
        run = run_once(contestant, self._task(rows), self.warehouse, _FOLDER)
        verdict = "" if run.ok else f"WRONG: {run.complaint}"
        print(
            f"{run.seconds:8.2f} s {run.cpu_seconds:8.2f} s of CPU {run.peak_mb:7.0f} MB {verdict}".rstrip(),
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
            self._tasks[rows] = Task(
                made, ready, write_ready_rows(ready, rows, self.warehouse.sqlalchemy_url)
            )
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
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # the server and its data go in both cases
    rows = options.rows or (_QUICK_ROWS if options.quick else ROWS)
    repeats = options.repeat or (1 if options.quick else _REPEATS)
    chosen = _chosen(options.only)
    started = time.monotonic()
    with warehouse(PROJECT) as made:
        bench = Bench(made)
        contestants = [contestant for contestant in ALL if contestant.name in chosen]
        try:
            if contestants:
                bench.compare(contestants, rows, repeats)
            if "insert" in chosen:
                bench.inserts(min(rows, 200_000))
            if "memory" in chosen:
                bench.memory(rows)
            if "reading" in chosen:
                bench.reading(rows, repeats)
            if figures := chosen & set(costs.NAMES):
                bench.costs(figures, rows, repeats, quick=options.quick)
        finally:
            bench.save()
    _remove_ready_rows()
    print(f"\n{time.monotonic() - started:.0f} s in all; results in {_RESULTS}, every run in {_DETAILS}")
    return 0 if not bench.wrong and all(run["ok"] for run in _all_runs(bench)) else 1


def _all_runs(bench: Bench) -> Iterable[dict[str, object]]:
    runs = bench.details.get("runs", [])
    assert isinstance(runs, list)  # noqa: S101
    return runs


def _remove_ready_rows() -> None:
    for path in _FOLDER.glob("ready-*.csv"):
        path.unlink()


def _chosen(only: str | None) -> set[str]:
    chosen = set(_NAMES if only is None else only.split(","))
    return chosen | set(costs.NAMES if "costs" in chosen else ())


def _names(text: str) -> str:
    unknown = set(text.split(",")) - set(_NAMES)
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(sorted(unknown))}: not known; names are {', '.join(_NAMES)}"
        )
    return text


def _rows(text: str) -> int:
    rows = int(text)
    if not 1_000 <= rows <= MOST_ROWS:
        raise argparse.ArgumentTypeError(f"1000 to {MOST_ROWS}, which is where a sheet ends")
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="This engine and its peers on the same data, each as a process of its own, each verified.",
    )
    parser.add_argument("--rows", type=_rows, help=f"of the workbook (default: {ROWS})")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK_ROWS} rows, one run each")
    parser.add_argument("--only", type=_names, metavar="NAMES", help="some of " + ",".join(_NAMES))
    parser.add_argument(
        "--repeat", type=int, help=f"runs of each, in turns (default: {_REPEATS}; slow ones run once)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
