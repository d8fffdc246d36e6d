"""The parts of `docs/benchmarks.md` that are made of `docs/benchmarks.json`.

A part stands between ``<!-- measured: NAME -->`` and ``<!-- end -->``; whatever surrounds it is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import defects
from benchmarks.contestants import ALL, BY_NAME
from benchmarks.reading import Result as ReadingResult
from benchmarks.results import Summary
from benchmarks.tables import TABLES

_PART = re.compile(r"(<!-- measured: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SIZES = (2_000, 80_000, 800_000, 8_000_000)
BUSY = 0.3  # processors, from which on somebody else was at work
_FEWEST_RUNS = 5

Document = dict[str, Any]
Parts = Mapping[str, Callable[[Document], str]]


def filled(page: str, document: Document, parts: Parts) -> str:
    """The page with every one of its parts made anew; raises ``KeyError`` for a part that there isn't."""

    def part(found: re.Match[str]) -> str:
        return f"{found[1]}{parts[found[2]](document)}\n{found[3]}"

    return _PART.sub(part, page)


def environment_table(document: Document) -> str:
    """What it was measured with."""
    lines = ["| | |", "| --- | --- |"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in document["environment"].items()])


def _standing(document: Document) -> str:
    """What this page lacks, and what of it was measured beside other work."""
    said = []
    missing = [f"{rows:,}" for rows in _SIZES if str(rows) not in document.get("loads", {})]
    if missing:
        said.append(f"Not measured yet with these versions: {', '.join(missing)} rows.")
    busy = max((_others(measured) for measured in _timed(document)), default=0.0)
    if busy >= BUSY:
        said.append(
            f"Other programs ran on the machine meanwhile (up to {busy:.1f} of its processors): seconds are larger "
            "than on a quiet machine, by how much differs from one to the next. Processor seconds suffer less."
        )
    runs = [one["runs"] for measured in _timed(document) for one in measured["results"].values()]
    if min(runs, default=_FEWEST_RUNS) < _FEWEST_RUNS:
        said.append("Not all are medians of five runs: the column *runs* says of how many.")
    return " ".join(said) or "All sizes are measured, five runs each, on a quiet machine."


def _others(measured: Document) -> float:
    """Processors that other programs used while a table was measured."""
    found = measured["results"].values()
    seconds = sum(one["seconds"] * one["runs"] for one in found)
    return float(sum(one["others"] * one["seconds"] * one["runs"] for one in found) / seconds)


def _timed(document: Document) -> list[Document]:
    loads = [measured for of_size in document.get("loads", {}).values() for measured in of_size.values()]
    return [*loads, *document.get("readers", {}).values()]


def _contestants(_: Document) -> str:
    lines = ["| name | what it is |", "| --- | --- |"]
    return "\n".join(lines + [f"| `{contestant.name}` | {contestant.says} |" for contestant in ALL])


def _tables(_: Document) -> str:
    return "\n".join(f"- **{table.title}**: {table.shape}." for table in TABLES)


def summaries(measured: Document) -> dict[str, Summary]:
    """The results of one table that were right, the quickest first."""
    found = {name: Summary(**values) for name, values in measured["results"].items()}
    right = {name: summary for name, summary in found.items() if summary.ok}
    return dict(sorted(right.items(), key=lambda item: item[1].seconds))


def _wrong(measured: Document) -> list[str]:
    return [name for name, values in measured["results"].items() if not values["ok"]]


def _loads(document: Document) -> str:
    parts = []
    for rows, of_size in sorted(document.get("loads", {}).items(), key=lambda item: int(item[0])):
        for table in TABLES:
            if table.name in of_size:
                measured = of_size[table.name]
                heading = f"### {int(rows):,} rows, {table.title}"
                parts.append(f"{heading}\n{_place(summaries(measured))}\n\n{_load_table(measured)}")
    return "\n\n".join(parts)


def _place(found: Mapping[str, Summary]) -> str:
    """Where factload stands among the whole loads, in a sentence; the rows that are ready are no load."""
    order = [name for name in found if BY_NAME[name].kind in ("load", "factload")]
    ours = next((name for name in order if BY_NAME[name].kind == "factload"), None)
    theirs = next((name for name in order if BY_NAME[name].kind == "load"), None)
    if ours is None or theirs is None:
        return "Nothing to compare."
    ratio = found[ours].seconds / found[theirs].seconds
    if order[0] == ours:
        place = f"factload is first: `{ours}` takes {ratio:.2f} of the time of the next peer, `{theirs}`."
    else:
        ahead = ", ".join(f"`{name}`" for name in order[: order.index(ours)])
        place = f"factload is not first: {ahead} before it; `{ours}` takes {ratio:.2f} times as long as `{theirs}`."
    memory = min(order, key=lambda name: found[name].memory_mb)
    cpu = min(order, key=lambda name: found[name].cpu + found[name].server_cpu)
    return f"{place} Least memory: `{memory}`; least processor time, client and server together: `{cpu}`."


def _load_table(measured: Document) -> str:
    found = summaries(measured)
    fastest = min((s.seconds for n, s in found.items() if BY_NAME[n].kind == "load"), default=0.0)
    lines = [
        "| | seconds | least–most | runs | × best peer | CPU s, client | CPU s, server | memory, MB |",
        "| --- |" + " ---: |" * 7,
    ]
    for name, one in found.items():
        ratio = f"{one.seconds / fastest:.2f}" if fastest else ""
        spread = f"{one.least:.2f}–{one.most:.2f}" if one.runs > 1 else ""
        figures = f"{one.runs} | {ratio} | {one.cpu:.2f} | {one.server_cpu:.2f} | {one.memory_mb:,.0f}"
        shown = f"**{name}**" if BY_NAME[name].kind == "factload" else name
        lines.append(f"| {shown} | {one.seconds:.2f} | {spread} | {figures} |")
    return "\n".join(lines) + _footnote(measured)


def _footnote(measured: Document) -> str:
    wrong = _wrong(measured)
    failed = f" Without a right result, so without a time: {', '.join(wrong)}." if wrong else ""
    return f"\n\n{_when(measured)}{failed}"


def _when(measured: Document) -> str:
    return f"Measured {measured['date']}; other programs used {_others(measured):.1f} of the processors meanwhile."


def _readers(document: Document) -> str:
    parts = []
    for rows, measured in sorted(document.get("readers", {}).items(), key=lambda item: int(item[0])):
        found = dict(sorted(summaries(measured).items(), key=lambda item: item[1].call))
        lines = [
            f"### {int(rows):,} rows × 2 columns",
            _reader_place(found),
            "",
            "| | seconds of reading | seconds of the process | least–most of these | runs | CPU s | memory, MB |",
            "| --- |" + " ---: |" * 6,
        ]
        for name, one in found.items():
            spread = f"{one.least:.2f}–{one.most:.2f}" if one.runs > 1 else ""
            shown = f"**{name}**" if name == "split" else name
            figures = f"{one.runs} | {one.cpu:.2f} | {one.memory_mb:,.0f}"
            lines.append(f"| {shown} | {one.call:.3f} | {one.seconds:.2f} | {spread} | {figures} |")
        parts.append("\n".join(lines) + _footnote(measured))
    return "\n\n".join(parts)


def _reader_place(found: Mapping[str, Summary]) -> str:
    others = [name for name in found if name != "split"]
    if "split" not in found or not others:
        return "Nothing to compare."
    ratio = found["split"].call / found[others[0]].call
    ahead = [name for name in found if name != "split" and found[name].call < found["split"].call]
    if not ahead:
        return f"`split` is first: it takes {ratio:.2f} of the time of the next, `{others[0]}`."
    before = ", ".join(f"`{name}`" for name in ahead)
    return f"`split` is not first: {before} before it; it takes {ratio:.1f} times as long as `{others[0]}`."


def _shapes(document: Document) -> str:
    if "shapes" not in document:
        return "Not measured yet with these versions."
    measured = document["shapes"]
    lines = [
        "| sheet and reader | rows | seconds of reading | least–most | runs | CPU s | memory, MB |",
        "| --- |" + " ---: |" * 6,
    ]
    failed = []
    for name, values in measured["results"].items():
        one = ReadingResult(**values)
        if not one.ok:
            failed.append(f"{name}: {one.complaint}")
            continue
        spread = f"{one.least:.2f}–{one.most:.2f}" if one.runs > 1 else ""
        shown = f"**{name}**" if "split" in name else name
        figures = f"{spread} | {one.runs} | {one.cpu_seconds:.2f} | {one.peak_mb:,.0f}"
        lines.append(f"| {shown} | {one.rows:,} | {one.seconds:.2f} | {figures} |")
    notes = "".join(f"\n- {line}" for line in failed)
    without = f"\n\nWithout a right result:\n{notes}" if failed else ""
    return "\n".join(lines) + f"\n\nMeasured {measured['date']}." + without


def _defects(document: Document) -> str:
    if "defects" not in document:
        return "Not tried yet with these versions."
    measured = document["defects"]
    return f"{defects.table(measured['results'])}\n\nSeen {measured['date']}."


PARTS: Parts = {
    "environment": environment_table,
    "standing": _standing,
    "contestants": _contestants,
    "tables": _tables,
    "loads": _loads,
    "readers": _readers,
    "shapes": _shapes,
    "defects": _defects,
}
