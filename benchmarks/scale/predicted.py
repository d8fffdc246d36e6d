"""The parts of docs/scaling.md that the model makes: costs, predictions beside what was measured, a billion rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.page import Document, Parts
from benchmarks.scale.results import GOAL_OFF, Run, all_runs, is_busy, size_text, table
from benchmarks.scaling_model import (
    Costs,
    Site,
    Size,
    costs_of,
    night,
    seconds_of_load,
    seconds_of_verify,
    verify_costs_of,
)

_UNITS = {
    "load": (1.0, "s a load"),
    "row": (1e6, "µs a row"),
    "member": (1e6, "µs a member"),
    "partition": (1e3, "ms a partition"),
    "lookup": (1e9, "ns a partition × member"),
}
_LEAST_CORES = 0.2  # that others can leave, so that no time is without an end
_BILLION, _MEMBERS = 1_000_000_000, 10_000_000
_SITES = (Site(1, 4, 4, 100e6), Site(2, 4, 4, 250e6), Site(4, 4, 8, 500e6), Site(8, 4, 16, 1e9))
_LOADS = (10, 40, 100)
_VERIFIED = 100_000_000
_DISKS = (100e6, 250e6, 500e6)  # bytes a second


def _costs(document: Document) -> str:
    costs, run = costs_of(document), document["large"][-1]

    def rows() -> Iterator[Sequence[str]]:
        for step, sides in costs.units.items():
            for term, (times, unit) in _UNITS.items():
                cost = [sides[side].get(term, 0.0) * times for side in ("client", "server")]
                if any(cost):
                    yield f"`{step}`", unit, *(f"{seconds:.3f}" if seconds else "" for seconds in cost)

    return (
        f"{table(['step', 'of a processor', 'client', 'server'], rows())}\n\nThe command itself takes "
        f"{costs.start:.1f} s of a processor. A row takes {costs.staged_bytes_a_row:.0f} bytes in a partition file, a "
        f"member {costs.map_bytes_a_member:.0f} in the map; in the largest load a row took "
        f"{run['fact_bytes'] / run['rows']:.0f} bytes in the database, indexes included, and "
        f"{run['wal_bytes'] / run['rows']:.0f} in its log."
    )


def predictions(document: Document, costs: Costs, run: Run) -> dict[str, float]:
    """What the model says of a run, by the names that the run has for it. The machine is what others left of it."""
    cores = max(_LEAST_CORES, document["cores"] - run["others"])
    size = Size(run["rows"], run["members"], workbooks=run["workbooks"])
    return {
        "seconds": seconds_of_load(costs, size, Site(1, cores, cores, one_machine=True)),
        "cpu": costs.start + costs.total("client", size),
        "server_cpu": costs.total("server", size),
    }


def _predictions(document: Document) -> str:
    costs = costs_of(document)
    names = {"seconds": "seconds", "cpu": "CPU s of the client", "server_cpu": "CPU s of the server"}
    beyond: list[str] = []

    def rows() -> Iterator[Sequence[str]]:
        for run in all_runs(document):
            cells = []
            for name, value in predictions(document, costs, run).items():
                off = value / run[name] - 1
                cells.append(f"{run[name]:.1f} / {value:.1f} ({off:+.0%})")
                if abs(off) > GOAL_OFF and not (name == "seconds" and is_busy(run)):
                    beyond.append(f"{names[name]} of {size_text(run)}")
            yield size_text(run), *cells

    shown = table(["rows × members, measured / predicted", *names.values()], rows())
    verdict = (
        f"**Off by more than {GOAL_OFF:.0%}**: {'; '.join(beyond)}."
        if beyond
        else f"All lie within {GOAL_OFF:.0%} of what was measured."
    )
    if any(map(is_busy, all_runs(document))):
        verdict += (
            " Seconds are not judged where others used the machine: waiting for a processor is not modelled."
        )
    return f"{shown}\n\n{verdict}"


def _night(document: Document) -> str:
    costs, run = costs_of(document), document["large"][-1]

    def rows() -> Iterator[Sequence[str]]:
        for loads in _LOADS:
            for site in _SITES:
                size = Size(_BILLION // loads, _MEMBERS)
                found = night(costs, size, loads, site)
                yield (
                    f"{loads} × {size.rows:,}",
                    f"{site.workers} × {site.cores:.0f}",
                    f"{site.server_cores:.0f}",
                    f"{site.disk / 1e6:,.0f}",
                    f"{found.one_load:.2f}",
                    f"{found.by_workers:.2f}",
                    f"{found.by_server:.2f}",
                    f"{found.by_disk:.2f}",
                    f"{found.hours:.2f}",
                    found.bound_by,
                )

    head = ["loads × rows", "workers × processors", "processors of the database", "its disk, MB/s"]
    head += ["h: one load, alone", "h: workers", "h: database", "h: its disk", "h, at least", "bound by"]
    found = night(costs, Size(_BILLION // _LOADS[0], _MEMBERS), _LOADS[0], _SITES[0])
    table_bytes, log_bytes = (
        run[name] / run["rows"] * _BILLION / 1e9 for name in ("fact_bytes", "wal_bytes")
    )
    return (
        f"{table(head, rows())}\n\nWhatever the site: "
        f"{found.staged_bytes / 1e9:.0f} GB of partition files, each written once and read once; a map of "
        f"{found.map_bytes / 1e9:.2f} GB for each load, fetched once by each worker; {table_bytes:.0f} GB of table and "
        f"indexes, {log_bytes:.0f} GB of the database's log."
    )


def _verify(document: Document) -> str:
    costs, measured = verify_costs_of(document), document["verified"]

    def runs() -> Iterator[Sequence[str]]:
        for run in (*measured["least"], *measured["runs"]):
            yield (
                f"{run['rows']:,}",
                f"{run['seconds']:.2f}",
                f"{run['others']:.1f}",
                f"{run['rows'] / run['seconds']:,.0f}",
                f"{run['cpu']:.2f}",
                f"{run['server_cpu']:.2f}",
            )

    def sites() -> Iterator[Sequence[str]]:
        for disk in _DISKS:
            seconds = seconds_of_verify(costs, _VERIFIED, disk)
            reads = costs.read_bytes / disk > costs.client + costs.server
            bound = "database's disk" if reads else "one processor"
            yield f"{disk / 1e6:,.0f}", f"{seconds:.0f}", f"{seconds / 3600:.3f}", bound

    head = ["rows", "seconds", "others' processors", "rows/s", "CPU s of the client", "CPU s of the server"]
    return (
        f"Measured {measured['date']}:\n\n{table(head, runs())}\n\nThe command itself takes {costs.start:.1f} s of a "
        f"processor; a row {costs.server * 1e6:.2f} µs of the server's and {costs.client * 1e6:.2f} µs of the "
        f"client's, and {costs.read_bytes:.0f} bytes are read for it.\n\nFor {_VERIFIED:,} published rows:\n\n"
        f"{table(['disk of the database, MB/s read', 'seconds, at least', 'hours', 'bound by'], sites())}"
    )


PARTS: Parts = {
    "costs": _costs,
    "predictions": _predictions,
    "night": _night,
    "verify": _verify,
}
