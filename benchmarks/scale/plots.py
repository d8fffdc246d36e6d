"""The plots of docs/scaling.md: memory against rows, and rows a second."""

from __future__ import annotations

from pathlib import Path

from benchmarks.page import Document
from benchmarks.scale.results import GOAL_MB, GOAL_RATIO, all_runs, cpu_a_row, is_busy, rate, small_run

_OURS, _GOAL = "#b5422c", "#4a6d8c"


def draw(folder: Path, document: Document) -> None:
    """Both, in one PNG file."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    runs = sorted(all_runs(document), key=lambda run: int(run["rows"]))
    rows, small = [run["rows"] / 1e6 for run in runs], small_run(document)
    figure, (memory, speed) = pyplot.subplots(1, 2, figsize=(11, 4.8), dpi=100)
    for number, step in enumerate(small["steps_mb"]):
        found = [run["steps_mb"].get(step, 0.0) for run in runs]
        memory.plot(rows, found, marker="osD^v<>"[number % 7], linewidth=1.2, markersize=4, label=step)
    memory.plot(rows, [run["tree_mb"] for run in runs], "k--", marker="x", label="all processes at once")
    memory.axhline(GOAL_MB, color=_OURS, linewidth=1, linestyle=":", label="goal for each process")
    memory.set(ylabel="peak memory, MB", ylim=(0, 1.5 * GOAL_MB))
    if not any(map(is_busy, runs)):
        speed.plot(rows, [rate(run) / rate(small) for run in runs], "o-", color=_OURS, label="by time")
    by_cpu = [cpu_a_row(small) / cpu_a_row(run) for run in runs]
    speed.plot(rows, by_cpu, "s--", color="k", label="by processor seconds")
    speed.axhline(GOAL_RATIO, color=_GOAL, linewidth=1, linestyle=":", label=f"goal, {GOAL_RATIO}")
    speed.set(ylabel=f"rows a second ÷ those of {small['rows']:,} × {small['members']:,}", ylim=(0, None))
    for axes in (memory, speed):
        axes.set(xlabel="million rows", xlim=(0, None))
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=7, ncols=3, loc="upper left")
    measured = document["environment"]
    figure.suptitle(
        f"factload {measured['factload']}, {measured['processor']}, {document['date']}: "
        f"{document['large'][-1]['members']:,} members"
        + (", beside other programs" if any(map(is_busy, runs)) else "")
    )
    figure.tight_layout()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "scaling.png")
    pyplot.close(figure)
