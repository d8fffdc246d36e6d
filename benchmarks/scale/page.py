"""The parts of docs/scaling.md that are made of docs/scaling.json: what was measured.

python -m benchmarks.scale.page    # page and plots once more of the file, nothing measured
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from benchmarks.contestants import PROJECT
from benchmarks.page import BUSY, Document, Parts, environment_table, filled
from benchmarks.published import IMAGES, a_line_each
from benchmarks.scale import plots, predicted
from benchmarks.scale.results import (
    GOAL_MB,
    GOAL_RATIO,
    all_runs,
    cpu_a_row,
    is_busy,
    largest_mb,
    met,
    rate,
    size_text,
    small_run,
    table,
)
from benchmarks.scaling_model import FILE

PAGE = PROJECT / "docs" / "scaling.md"
NAMED = ("processor", "memory", "system", "Python", "PostgreSQL", "factload")


def read() -> Document:
    """The results as they are in the documentation."""
    document: Document = json.loads(FILE.read_text(encoding="utf-8"))
    return document


def write(document: Document) -> None:
    """The file, the page and the plots."""
    FILE.write_text(a_line_each(document), encoding="utf-8")
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), read(), PARTS), encoding="utf-8")
    plots.draw(IMAGES, document)


def shown(document: Document) -> str:
    """All parts, for a terminal."""
    return "\n\n".join(part(document) for part in PARTS.values())


def _standing(document: Document) -> str:
    busiest = max(run["others"] for run in all_runs(document))
    if busiest <= BUSY:
        return f"Measured {document['date']}, on a quiet machine."
    return (
        f"Measured {document['date']}, beside other programs that used up to {busiest:.1f} of the {document['cores']} "
        "processors: seconds are larger than on a quiet machine, and not by the same factor for each load. Processor "
        "seconds suffer less."
    )


def _results(document: Document) -> str:
    small, last = small_run(document), document["large"][-1]

    def rows() -> Iterator[Sequence[str]]:
        for run in all_runs(document):
            exact = run["exact"]
            yield (
                size_text(run),
                f"{run['workbooks']}",
                f"{run['seconds']:.1f}",
                f"{run['others']:.1f}",
                f"{rate(run):,.0f}",
                "" if is_busy(run) or is_busy(small) else f"{rate(run) / rate(small):.2f}",
                f"{run['cpu']:.1f} + {run['server_cpu']:.1f}",
                f"{cpu_a_row(small) / cpu_a_row(run):.2f}",
                f"{largest_mb(run):.0f}",
                f"{run['tree_mb']:.0f}",
                "every row" if exact["equal"] else f"**WRONG: {exact['missing']:,} rows missing**",
            )

    head = ["rows × members", "workbooks", "seconds", "others' processors", "rows/s", "÷ small", "CPU s"]
    head += ["÷ small by CPU", "largest process, MB", "all processes, MB", "exact"]
    memory, by_time, by_cpu = largest_mb(last), rate(last) / rate(small), cpu_a_row(small) / cpu_a_row(last)
    busy = is_busy(small) or is_busy(last)
    timed = (
        "not judged by time, as others used the machine"
        if busy
        else f"{met(by_time >= GOAL_RATIO)}, {by_time:.2f}"
    )
    said = [
        f"At most {GOAL_MB:.0f} MB for every process: {met(memory <= GOAL_MB)}, {memory:.0f} MB.",
        f"At least {GOAL_RATIO} of the small load's rows a second: {timed}; by processor seconds "
        f"{met(by_cpu >= GOAL_RATIO)}, {by_cpu:.2f}.",
    ]
    return f"{table(head, rows())}\n\n" + "\n".join(f"- {line}" for line in said)


def _steps(document: Document) -> str:
    runs = all_runs(document)

    def rows() -> Iterator[Sequence[str]]:
        for step in runs[0]["steps_mb"]:
            taken = ((run["steps_seconds"].get(step, 0), run["steps_mb"].get(step, 0)) for run in runs)
            yield f"`{step}`", *(f"{seconds:.1f} s, {mb:.0f} MB" for seconds, mb in taken)

    return table(["step", *map(size_text, runs)], rows())


def _handed_on(document: Document) -> str:
    runs = (small_run(document), document["large"][-1])
    names = list(runs[0]["handed_on"]["tasks"])

    def rows() -> Iterator[Sequence[str]]:
        for run in runs:
            handed = run["handed_on"]
            bytes_of = [handed["tasks"][name] for name in names]
            yield (
                f"{run['rows']:,} rows, {run['workbooks']} workbook{'s' if run['workbooks'] > 1 else ''}",
                f"{handed['partitions']}",
                f"{handed['copies']}",
                f"{handed['largest']}",
                *(f"{number:,}" for number in bytes_of),
                f"{sum(bytes_of):,}",
            )

    head = ["load", "partitions", "mapped tasks", "bytes of one", *(f"`{name}`" for name in names), "all"]
    return table(head, rows())


PARTS: Parts = {
    "environment": environment_table,
    "standing": _standing,
    "results": _results,
    "steps": _steps,
    "handed_on": _handed_on,
    **predicted.PARTS,
}


if __name__ == "__main__":
    write(read())
