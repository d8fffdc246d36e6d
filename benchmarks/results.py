"""Runs as results: medians, the file of results, and tables to read or to paste."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TypedDict

from benchmarks.contestants import ALL
from benchmarks.runs import Run


class Result(TypedDict):
    """The file's shape for one contestant; memory in 10^6 bytes."""

    seconds: float
    peak_rss_mb: float
    ok: bool


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


def table(rows: int, results: Mapping[str, Result]) -> str:
    """Two Markdown tables: whole loads, and readers alone. A ratio is time over that of the named rival."""
    kinds = {c.name: "read" if c.kind == "read" else "load" for c in ALL}
    lines = []
    for kind, title in (("load", "the whole load"), ("read", "reading alone")):
        chosen = {n: r for n, r in results.items() if kinds.get(n) == kind}
        if not chosen:
            continue
        rivals = [rival for rival in _RIVALS[kind] if rival in results and results[rival]["ok"]]
        lines += [
            "",
            "| "
            + " | ".join([f"{title}, {rows:,} rows", "seconds", "peak MB", *(f"× {r}" for r in rivals), ""]),
            "| --- |" + " ---: |" * (2 + len(rivals)) + " --- |",
        ]
        for name, result in sorted(chosen.items(), key=lambda item: item[1]["seconds"]):
            ratios = [f"{result['seconds'] / results[rival]['seconds']:.2f}" for rival in rivals]
            verdict = "" if result["ok"] else "WRONG"
            cells = [name, f"{result['seconds']:.2f}", f"{result['peak_rss_mb']:.0f}", *ratios, verdict]
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
