"""Runs as results: medians with their spread, the file of results, and tables to read or to paste."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypedDict

from benchmarks.runs import Run


class Result(TypedDict):
    """The shape of `.demo/bench.json` for one contestant; memory in 10^6 bytes."""

    seconds: float
    peak_rss_mb: float
    ok: bool


@dataclass(frozen=True)
class Summary:
    """All runs of one contestant at one size: medians, and of the seconds the least and the most.

    `cpu` and `server_cpu` are processor seconds of the client's processes and of PostgreSQL's; `call` is a reader's
    own seconds of its reading call, without Python's start and imports; `memory_mb` counts shared pages once. `others`
    is what the rest of the machine used meanwhile, in processors: nearly 0 on a quiet one.
    """

    runs: int
    seconds: float
    least: float
    most: float
    cpu: float
    server_cpu: float
    call: float
    memory_mb: float
    others: float
    ok: bool


def summary_of(runs: Sequence[Run]) -> Summary:
    """Of the runs of one contestant at one size."""
    seconds = [run.seconds for run in runs]
    return Summary(
        len(runs),
        round(median(seconds), 3),
        round(min(seconds), 3),
        round(max(seconds), 3),
        round(median(run.cpu_seconds for run in runs), 3),
        round(median(run.server_cpu_seconds for run in runs), 3),
        round(median(run.call_seconds for run in runs), 3),
        round(median(run.pss_mb for run in runs), 1),
        round(sum(run.others_cpu_seconds for run in runs) / sum(seconds), 2),
        all(run.ok for run in runs),
    )


def result_of(runs: Sequence[Run]) -> Result:
    """Medians of the runs; `ok` if every one of them was."""
    return {
        "seconds": round(median(run.seconds for run in runs), 3),
        "peak_rss_mb": round(median(run.peak_mb for run in runs), 1),
        "ok": all(run.ok for run in runs),
    }


def by_name(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs of each contestant, in order."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.name, []).append(run)
    return found


def merge(path: Path, rows: int, results: Mapping[str, Result]) -> None:
    """Put the results of one size into the file; what it holds of other sizes and contestants stays."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known.setdefault(str(rows), {}).update(results)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    fresh.replace(path)


# What each kind of contestant is held against.
_RIVALS = {
    "load": ("polars_adbc", "accepted_answer"),
    "read": ("fastexcel_read",),
}


def table(kind: str, title: str, results: Mapping[str, Summary]) -> str:
    """A Markdown table, the quickest first. A ratio is time over that of the named rival."""
    rivals = [rival for rival in _RIVALS[kind] if rival in results and results[rival].ok]
    head = [
        title,
        "seconds",
        "least–most",
        *(f"× {rival}" for rival in rivals),
        "CPU client",
        "CPU server",
        "MB",
        "",
    ]
    lines = ["", "| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 2) + " --- |"]
    for name, found in sorted(results.items(), key=lambda item: item[1].seconds):
        ratios = [f"{found.seconds / results[rival].seconds:.2f}" for rival in rivals]
        cells = [
            name,
            f"{found.seconds:.2f}",
            f"{found.least:.2f}–{found.most:.2f}" if found.runs > 1 else "",
            *ratios,
            f"{found.cpu:.2f}",
            f"{found.server_cpu:.2f}",
            f"{found.memory_mb:.0f}",
            "" if found.ok else "WRONG",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def steps_table(runs: Mapping[str, Sequence[Run]]) -> str:
    """What factload reports of itself in its median run: seconds and largest process of each step."""
    lines = []
    for name, ran in runs.items():
        good = sorted((run for run in ran if run.ok and run.steps_mb), key=lambda run: run.seconds)
        if not good:
            continue
        run = good[len(good) // 2]
        steps = ", ".join(
            f"{s} {run.steps_seconds.get(s, 0):.2f} s {mb:.0f} MB" for s, mb in run.steps_mb.items()
        )
        lines.append(
            f"{name}: largest step {max(run.steps_mb.values()):.0f} MB, all its processes {run.peak_mb:.0f} MB, "
            f"{run.pss_mb:.0f} MB with shared pages counted once ({steps})"
        )
    return "\n".join(lines)
