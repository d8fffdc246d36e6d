"""The plots of `docs/benchmarks.md`: the whole load by contestant, and seconds against rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.tables import TABLES

_TITLES = {table.name: table.title for table in TABLES}
_OURS, _THEIRS = "#b5422c", "#4a6d8c"


def draw(folder: Path, document: Mapping[str, Any]) -> None:
    """Both, as PNG files; what was not measured is not drawn."""
    import matplotlib as mpl

    mpl.use("Agg")
    loads = {int(rows): tables for rows, tables in document.get("loads", {}).items()}
    if loads:
        folder.mkdir(parents=True, exist_ok=True)
        _bars(folder / "benchmark-loads.png", _largest(loads), loads)
        _lines(folder / "benchmark-rows.png", loads)


def _largest(loads: Mapping[int, Any]) -> int:
    """The size at which most contestants took part; of several such, the largest."""

    def takers(rows: int) -> int:
        return sum(len(measured["results"]) for measured in loads[rows].values())

    return max(loads, key=lambda rows: (takers(rows), rows))


def _right(measured: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in measured["results"].items() if one["ok"]}


def _bars(path: Path, rows: int, loads: Mapping[int, Any]) -> None:
    from matplotlib import pyplot

    tables = [name for name in _TITLES if name in loads[rows]]
    figure, all_axes = pyplot.subplots(
        1, len(tables), figsize=(4.2 * len(tables), 5.2), dpi=110, squeeze=False
    )
    for axes, table in zip(all_axes[0], tables, strict=True):
        found = sorted(_right(loads[rows][table]).items(), key=lambda item: -item[1]["seconds"])
        names = [name for name, _ in found]
        colours = [_OURS if name.startswith("factload") else _THEIRS for name in names]
        axes.barh(names, [one["seconds"] for _, one in found], color=colours)
        axes.set(xscale="log", xlabel="seconds (logarithmic)", title=_TITLES[table])
        for name, one in found:
            axes.annotate(
                f" {one['seconds']:.2g}", (one["seconds"], name), va="center", fontsize=8, clip_on=False
            )
        axes.grid(visible=True, axis="x", alpha=0.3)
    figure.suptitle(f"The whole load, {rows:,} rows: wall time of the process")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def _lines(path: Path, loads: Mapping[int, Any]) -> None:
    from matplotlib import pyplot

    tables = [name for name in _TITLES if any(name in of_size for of_size in loads.values())]
    figure, all_axes = pyplot.subplots(
        1, len(tables), figsize=(4.2 * len(tables), 4.6), dpi=110, squeeze=False, sharey=True
    )
    for axes, table in zip(all_axes[0], tables, strict=True):
        of_table = {
            rows: _right(of_size[table]) for rows, of_size in sorted(loads.items()) if table in of_size
        }
        names = dict.fromkeys(name for found in of_table.values() for name in found)
        for name in names:
            points = [(rows, found[name]["seconds"]) for rows, found in of_table.items() if name in found]
            ours = name.startswith("factload")
            axes.plot(
                [rows for rows, _ in points],
                [seconds for _, seconds in points],
                "o-" if ours else "s--",
                linewidth=2.2 if ours else 1.0,
                markersize=4,
                label=name,
            )
        axes.set(xscale="log", yscale="log", xlabel="rows", title=_TITLES[table])
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=6)
    all_axes[0][0].set_ylabel("seconds")
    figure.suptitle("Wall time against rows, both logarithmic")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
