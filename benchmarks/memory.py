"""Peak memory against rows: the table, the plot, and the ratio over the whole span."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.contestants import BY_NAME
from benchmarks.data import MOST_ROWS

READERS = (
    BY_NAME["split"],
    BY_NAME["fastexcel_read"],
    BY_NAME["openpyxl_read"],
    BY_NAME["pandas_read"],
)
AT_BOTH_ENDS = (BY_NAME["factload_core"], BY_NAME["polars_adbc"])
_LOOKS = {
    "split": ("factload split_workbook", "o", "-"),
    "fastexcel_read": ("fastexcel", "s", "--"),
    "openpyxl_read": ("openpyxl read-only", "^", "--"),
    "pandas_read": ("pandas (calamine)", "D", "--"),
}

Peaks = Mapping[str, Mapping[int, float]]  # contestant -> rows -> 10^6 bytes


def sizes(rows: int) -> list[int]:
    """Four sizes around the main one; the last is ten times the first, and fits one sheet."""
    most = min(rows * 5 // 4, MOST_ROWS // 10 * 10)
    return [most // 10, most // 4, most // 2, most]


def table(peaks: Peaks) -> str:
    """A Markdown table: a line a contestant, a column a size, and the last over the first."""
    columns = sorted({rows for of_one in peaks.values() for rows in of_one})
    head = ["peak MB at", *(f"{rows:,}" for rows in columns), "last ÷ first"]
    lines = ["", "| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(columns) + 1)]
    for name, of_one in peaks.items():
        cells = [f"{of_one[rows]:.0f}" if rows in of_one else "" for rows in columns]
        ratio = f"{of_one[max(of_one)] / of_one[min(of_one)]:.2f}" if len(of_one) > 1 else ""
        lines.append("| " + " | ".join([name, *cells, ratio]) + " |")
    return "\n".join(lines)


def plot(path: Path, peaks: Peaks) -> None:
    """Draw the readers' lines into a PNG file."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.8), dpi=130)
    for name, of_one in peaks.items():
        if name not in _LOOKS:
            continue
        label, marker, line = _LOOKS[name]
        points = sorted(of_one.items())
        axes.plot([p[0] for p in points], [p[1] for p in points], line, marker=marker, label=label)
    axes.set(
        xlabel="rows of the sheet (2 columns)",
        ylabel="peak memory of the process, MB",
        title="Reading a workbook: peak memory against rows",
        ylim=(0, None),
        xlim=(0, None),
    )
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)
