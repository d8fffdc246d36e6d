"""The plots of `docs/benchmarks.md`: the whole load by contestant, and seconds against rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.tables import TABLES

_TITLES = {table.name: table.title for table in TABLES}
_OURS = "factload"


def draw(folder: Path, document: Mapping[str, Any]) -> None:
    """Both, as PNG files; what was not measured is not drawn."""
    import matplotlib as mpl

    mpl.use("Agg")
    loads = {int(rows): tables for rows, tables in document.get("loads", {}).items()}
    if loads:
        folder.mkdir(parents=True, exist_ok=True)
        _dots(folder / "benchmark-loads.png", _largest(loads), loads)
        _lines(folder / "benchmark-rows.png", loads)


def _largest(loads: Mapping[int, Any]) -> int:
    """The size at which most contestants took part; of several such, the largest."""

    def takers(rows: int) -> int:
        return sum(len(measured["results"]) for measured in loads[rows].values())

    return max(loads, key=lambda rows: (takers(rows), rows))


def _right(measured: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in measured["results"].items() if one["ok"]}


def _dots(path: Path, rows: int, loads: Mapping[int, Any]) -> None:
    """A dot a contestant, the line through it from the least to the most of its runs."""
    from matplotlib import pyplot

    tables = [name for name in _TITLES if name in loads[rows]]
    figure, all_axes = pyplot.subplots(
        1, len(tables), figsize=(4.6 * len(tables), 4.8), dpi=100, squeeze=False
    )
    for axes, table in zip(all_axes[0], tables, strict=True):
        found = sorted(_right(loads[rows][table]).items(), key=lambda item: -item[1]["seconds"])
        for name, one in found:
            colour = _colour(name)
            axes.plot([one["least"], one["most"]], [name, name], color=colour, linewidth=2)
            axes.plot([one["seconds"]], [name], "o", color=colour)
            axes.annotate(
                f"{one['seconds']:.3g}",
                (one["seconds"], name),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
        axes.set(xscale="log", xlabel="seconds (logarithmic)", title=_TITLES[table])
        axes.margins(x=0.12, y=0.08)
        _plain(axes.xaxis)
        axes.grid(visible=True, alpha=0.3)
    figure.suptitle(f"The whole load, {rows:,} rows: wall time of the process, median and range")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def _lines(path: Path, loads: Mapping[int, Any]) -> None:
    from matplotlib import pyplot

    tables = [name for name in _TITLES if any(name in of_size for of_size in loads.values())]
    figure, all_axes = pyplot.subplots(
        1, len(tables), figsize=(4.6 * len(tables), 5.2), dpi=100, squeeze=False, sharey=True
    )
    for axes, table in zip(all_axes[0], tables, strict=True):
        of_table = {
            rows: _right(of_size[table]) for rows, of_size in sorted(loads.items()) if table in of_size
        }
        names = dict.fromkeys(name for found in of_table.values() for name in found)
        for number, name in enumerate(names):
            points = [(rows, found[name]["seconds"]) for rows, found in of_table.items() if name in found]
            ours = name.startswith(_OURS)
            axes.plot(
                [rows for rows, _ in points],
                [seconds for _, seconds in points],
                "-" if ours else "--",
                marker="osD^v<>Pp*hX"[number % 12],
                color=pyplot.get_cmap("tab20")(number % 20),
                linewidth=2.2 if ours else 1.0,
                markersize=4,
                label=name,
            )
        axes.set(xscale="log", yscale="log", xlabel="rows", title=_TITLES[table])
        axes.set_xticks(list(of_table), [f"{rows:,}" for rows in of_table])
        axes.minorticks_off()
        _plain(axes.yaxis)
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=6)
    all_axes[0][0].set_ylabel("seconds")
    figure.suptitle("The whole load: wall time against rows, both logarithmic")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def _colour(name: str) -> str:
    return "#b5422c" if name.startswith(_OURS) else "#4a6d8c"


def _plain(axis: Any) -> None:
    """Ticks at 1, 2, 5, 10, 20 …, in figures that people read."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())
