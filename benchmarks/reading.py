"""The readers alone on other shapes: wide sheets, shared strings, CSV, one thread against two."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import shapes
from benchmarks.contestants import ALL, PEERS
from benchmarks.data import MOST_ROWS
from benchmarks.runs import watched
from benchmarks.shapes import INLINE, SHARED, WIDE_10, WIDE_40, Shape
from benchmarks.watch import SECONDS_AT_MOST
from factload_demo.sample import ROWS

_HALF_A_CENT = 0.005


@dataclass(frozen=True)
class Reading:
    """One reader on one file. `against`: the reading whose seconds its own are divided by. `slow` ones run once."""

    name: str
    script: str
    shape: Shape
    options: tuple[str, ...] = ()
    csv: bool = False
    against: str = ""
    slow: bool = False

    def rows(self, rows: int) -> int:
        """How many rows its file has: wide sheets are as long as a sheet gets, unless a quick look is wanted."""
        return MOST_ROWS if self.shape.columns > 2 and rows >= ROWS else rows

    def command(self, file: Path) -> list[str]:
        return [sys.executable, str(PEERS / self.script), str(file), *self.options]


def _further(shape: Shape) -> str:
    return ",".join(shape.header()[2:])


def _wide(shape: Shape) -> tuple[Reading, ...]:
    name, whole, split = shape.name, f"{shape.name} fastexcel", f"{shape.name} split, all columns"
    columns = (_further(shape),)
    others = [c for c in ALL if c.kind == "read" and c.name not in ("split", "fastexcel_read")]
    return (
        Reading(whole, "fastexcel_read.py", shape),
        Reading(f"{name} split, 2 columns", "split.py", shape, against=whole),
        Reading(split, "split.py", shape, columns, against=whole),
        Reading(f"{name} split, all, 1 thread", "split.py", shape, (*columns, "1"), against=split),
        *(
            Reading(f"{name} {c.name.removesuffix('_read')}", c.script, shape, against=whole, slow=c.slow)
            for c in others
        ),
    )


READINGS = (
    Reading("inline fastexcel", "fastexcel_read.py", INLINE),
    Reading("inline split", "split.py", INLINE, against="inline fastexcel"),
    Reading("inline split, 1 thread", "split.py", INLINE, ("", "1"), against="inline split"),
    Reading("shared fastexcel", "fastexcel_read.py", SHARED),
    Reading("shared split", "split.py", SHARED, against="inline split"),
    Reading("csv split", "split.py", INLINE, csv=True, against="inline split"),
    *_wide(WIDE_10),
    *_wide(WIDE_40),
)


@dataclass(frozen=True)
class Result:
    """Medians of seconds: of the reading call, of its whole process, of processor time; the highest memory of all
    runs, in 10^6 bytes. `least` and `most` are of the reading call's seconds; `complaint` says why it is not `ok`."""

    rows: int
    seconds: float
    process_seconds: float
    cpu_seconds: float
    peak_mb: float
    ok: bool
    least: float = 0.0
    most: float = 0.0
    runs: int = 1
    complaint: str = ""


def measure(reading: Reading, rows: int, folder: Path) -> Result:
    """One run. The file is made unless it is there."""
    rows = reading.rows(rows)
    file, total = shapes.as_csv(folder, rows) if reading.csv else shapes.workbook(folder, reading.shape, rows)
    done, cost = watched(reading.command(file), folder)
    complaint = ""
    seen = {"rows": 0, "total": 0.0, "seconds": 0.0}
    if cost["status"] == -signal.SIGKILL and cost["seconds"] >= SECONDS_AT_MOST:
        complaint = f"stopped after {SECONDS_AT_MOST} s"
    elif cost["status"] != 0:
        complaint = (done.stderr.strip().splitlines() or [f"exit status {cost['status']}"])[-1]
    else:
        seen = json.loads(done.stdout)
        if seen["rows"] != rows or abs(seen["total"] - total) >= _HALF_A_CENT:
            complaint = f"read {seen}, expected {rows} rows and {total}"
    spent = (seen["seconds"], cost["seconds"], cost["cpu_seconds"], cost["tree_pss_mb"])
    return Result(rows, *spent, not complaint, seen["seconds"], seen["seconds"], complaint=complaint)


def compare(rows: int, repeats: int, folder: Path) -> dict[str, Result]:
    """All readings in turns, so that a slow minute of the machine hits everybody."""
    runs: dict[str, list[Result]] = {reading.name: [] for reading in READINGS}
    for turn in range(repeats):
        for reading in READINGS:
            if turn and reading.slow:
                continue
            run = measure(reading, rows, folder)
            runs[reading.name].append(run)
            print(
                f"  {reading.name:28} {run.rows:>9,} rows {run.seconds:8.2f} s, process {run.process_seconds:6.2f} s, "
                f"{run.cpu_seconds:6.2f} s of CPU {run.peak_mb:7.0f} MB "
                f"{'' if run.ok else f'WRONG: {run.complaint}'}".rstrip(),
                flush=True,
            )
    return {name: _median(ran) for name, ran in runs.items()}


def _median(runs: Sequence[Result]) -> Result:
    return Result(
        runs[0].rows,
        median(run.seconds for run in runs),
        median(run.process_seconds for run in runs),
        median(run.cpu_seconds for run in runs),
        max(run.peak_mb for run in runs),
        all(run.ok for run in runs),
        min(run.seconds for run in runs),
        max(run.seconds for run in runs),
        len(runs),
        next((run.complaint for run in runs if run.complaint), ""),
    )


def table(results: dict[str, Result]) -> str:
    """A Markdown table, a line a reading."""
    lines = ["", "| reading alone | rows | seconds | process | of CPU | peak MB | time against |  |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |")
    for reading in READINGS:
        one = results[reading.name]
        ratio = (
            f"{one.seconds / results[reading.against].seconds:.2f} × {reading.against}"
            if reading.against and one.ok and results[reading.against].ok
            else ""
        )
        seconds = f"{one.seconds:.2f} | {one.process_seconds:.2f} | {one.cpu_seconds:.2f}"
        figures = f"{one.rows:,} | {seconds} | {one.peak_mb:.0f}"
        lines.append(f"| {reading.name} | {figures} | {ratio} | {'' if one.ok else 'WRONG'} |")
    return "\n".join(lines)
