"""What loads of other sizes would take, of what a row, a member and a partition cost: docs/scaling.md's predictions.

    python -m benchmarks.scaling_model --rows 1e9 --loads 10 --members 1e7 --workers 4 --cores 4 --server-cores 8

The costs are those of docs/scaling.json, which `make bench-scale` measures on small loads: processor seconds of the
client and of the server, for each load, row, member and partition. Steps that run side by side share processors; the
rest waits for what is before it, as in `factload.pipeline`. Waiting for disk and network is not in it.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from factload.airflow.mapped import MOST_TASKS
from factload.feed.model import Feed

FILE = Path(__file__).resolve().parents[1] / "docs" / "scaling.json"
ROWS_PER_PARTITION: int = Feed.model_fields["rows_per_partition"].default
STEPS_BESIDE_COPIES = 6
AIRFLOW_TASK_SECONDS = 3.0  # of a processor: a process, and Airflow's imports; docs/adr/0033 says 1 to 5

# What a step costs either side for each of. A partition is looked up in the whole map, by the client: `lookup` is a
# partition × a member. A foreign key is proved against all members, by the server.
TERMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "open_load": {"client": ("load", "row"), "server": ("load",)},
    "extract_dimension_map": {"client": ("load", "member"), "server": ("load", "member")},
    "split_workbook": {"client": ("load", "row"), "server": ("load",)},
    "load_partition": {"client": ("partition", "row", "member", "lookup"), "server": ("partition", "row")},
    "complete_staging": {"client": ("load",), "server": ("load", "row", "member")},
    "reconcile": {"client": ("load",), "server": ("load", "row")},
    "publish": {"client": ("load",), "server": ("load", "row")},
    "clean_staging": {"client": ("load",), "server": ("load",)},
}

# Step -> side (client, server) -> what a cost is of -> processor seconds of one.
Units = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True)
class Size:
    """One load."""

    rows: int
    members: int
    rows_per_partition: int = ROWS_PER_PARTITION
    workbooks: int = 1

    @property
    def partitions(self) -> int:
        """No partition has rows of two workbooks."""
        of_one = -(-self.rows // self.workbooks)
        return self.workbooks * -(-of_one // self.rows_per_partition)

    def amount(self, term: str) -> float:
        """How many units of a cost the load has."""
        return float(
            {
                "load": 1,
                "row": self.rows,
                "member": self.members,
                "partition": self.partitions,
                "lookup": self.partitions * self.members,
            }[term]
        )


@dataclass(frozen=True)
class Costs:
    """Processor seconds; ``start``: of the command, before its first step and after its last. Bytes: ``staged`` and
    ``map`` are those of staging files, ``written`` what the database writes into its table, indexes and log."""

    start: float
    units: Units
    staged_bytes_a_row: float
    map_bytes_a_member: float
    written_bytes_a_row: float = 0.0

    def of(self, step: str, side: str, size: Size) -> float:
        """Seconds of one step, all its calls together."""
        return sum(cost * size.amount(term) for term, cost in self.units[step][side].items())

    def total(self, side: str, size: Size) -> float:
        """Seconds of all steps."""
        return sum_of(self.units, side, size)


def sum_of(units: Units, side: str, size: Size) -> float:
    """Seconds of all steps at these costs."""
    return sum(cost * size.amount(term) for sides in units.values() for term, cost in sides[side].items())


@dataclass(frozen=True)
class Site:
    """``cores`` of each of the ``workers``, and those of the database; on one machine they are the same ones. ``disk``:
    bytes a second that the database's writes."""

    workers: int
    cores: float
    server_cores: float
    disk: float = math.inf
    one_machine: bool = False


def seconds_of_load(costs: Costs, size: Size, site: Site) -> float:
    """From the start of a load that has the site for itself to its end."""

    def at_once(*steps: str, spread: bool = False) -> float:
        """Steps beside each other: no quicker than the processors allow, nor than the longest of them. A step is one
        process and one session of the database, unless its calls can be ``spread``."""
        client = sum(costs.of(step, "client", size) for step in steps)
        server = sum(costs.of(step, "server", size) for step in steps)
        longest = max(costs.of(step, "client", size) + costs.of(step, "server", size) for step in steps)
        if site.one_machine:
            by_processors, copies = (client + server) / site.cores, site.cores
        else:
            by_processors = max(client / (site.workers * site.cores), server / site.server_cores)
            copies = site.workers * site.cores
        alone = longest / min(size.partitions, copies) if spread else longest / min(1.0, copies)
        return max(by_processors, alone)

    return (
        _start(costs, site)
        + at_once("open_load")
        + at_once("extract_dimension_map", "split_workbook")
        + at_once("load_partition", spread=True)
        + at_once("complete_staging", "reconcile")
        + at_once("publish")
        + at_once("clean_staging")
    )


def _start(costs: Costs, site: Site) -> float:
    """The command itself: two processes begin beside each other."""
    return costs.start / min(2.0, site.cores)


@dataclass(frozen=True)
class Night:
    """What many loads take, beside each other as far as processors and disk allow. Hours; bytes."""

    one_load: float
    by_workers: float
    by_server: float
    by_disk: float
    staged_bytes: float
    map_bytes: float

    @property
    def hours(self) -> float:
        """No fewer than each of these."""
        return max(self.one_load, self.by_workers, self.by_server, self.by_disk)

    @property
    def bound_by(self) -> str:
        """Which of these it is."""
        bounds = {
            self.one_load: "one load's own order",
            self.by_workers: "workers",
            self.by_server: "database's processors",
            self.by_disk: "database's disk",
        }
        return bounds[self.hours]


def night(costs: Costs, size: Size, loads: int, site: Site) -> Night:
    """``loads`` loads of this size, with Airflow's tasks."""
    tasks = min(size.partitions, MOST_TASKS) + STEPS_BESIDE_COPIES
    client = costs.total("client", size) + tasks * AIRFLOW_TASK_SECONDS
    return Night(
        seconds_of_load(costs, size, site) / 3600,
        loads * client / (site.workers * site.cores) / 3600,
        loads * costs.total("server", size) / site.server_cores / 3600,
        loads * size.rows * costs.written_bytes_a_row / site.disk / 3600,
        costs.staged_bytes_a_row * size.rows * loads,
        costs.map_bytes_a_member * size.members,
    )


@dataclass(frozen=True)
class VerifyCosts:
    """Of ``factload verify``: processor seconds of the command itself, and of either side for a row; the bytes of the
    fact table that are read for a row."""

    start: float
    client: float
    server: float
    read_bytes: float


def seconds_of_verify(costs: VerifyCosts, rows: int, disk: float = math.inf) -> float:
    """Of so many published rows: one session that has one processor, or waits for a disk that reads ``disk`` bytes a
    second. Workers of PostgreSQL beside the session, and what is in memory already, are not counted on."""
    return costs.start + rows * max(costs.client + costs.server, costs.read_bytes / disk)


def costs_of(document: Mapping[str, Any]) -> Costs:
    """The costs in a document of results; what the database writes is that of the largest load."""
    largest = document["large"][-1]
    written = (largest["fact_bytes"] + largest["wal_bytes"]) / largest["rows"]
    return Costs(**document["costs"], written_bytes_a_row=written)


def verify_costs_of(document: Mapping[str, Any]) -> VerifyCosts:
    """What verifying costs, by the medians of a load of hardly any rows and of a larger one."""
    measured = document["verified"]
    few, many = (
        {name: median(run[name] for run in measured[of]) for name in measured[of][0]}
        for of in ("least", "runs")
    )
    rows = many["rows"] - few["rows"]
    client, server = (max(0.0, many[side] - few[side]) / rows for side in ("cpu", "server_cpu"))
    return VerifyCosts(few["cpu"] + few["server_cpu"], client, server, many["read_bytes"] / many["rows"])


def main() -> None:
    """Print what the loads of the command line would take."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scaling_model", description=__doc__.splitlines()[0]
    )
    number = lambda text: int(float(text))  # noqa: E731 - 1e9 is easier to count
    parser.add_argument("--rows", type=number, default=1_000_000_000, help="of all loads (default: 1e9)")
    parser.add_argument("--loads", type=number, default=10, help="that they come in (default: 10)")
    parser.add_argument("--members", type=number, default=10_000_000, help="of the dimension (default: 1e7)")
    parser.add_argument("--workers", type=number, default=4, help="hosts (default: 4)")
    parser.add_argument("--cores", type=float, default=4, help="of each (default: 4)")
    parser.add_argument("--server-cores", type=float, default=8, help="of the database (default: 8)")
    parser.add_argument(
        "--disk-mb", type=float, default=250, help="a second that its disk writes (default: 250)"
    )
    asked = parser.parse_args()
    document = json.loads(FILE.read_text(encoding="utf-8"))
    costs = costs_of(document)
    size = Size(asked.rows // asked.loads, asked.members)
    site = Site(asked.workers, asked.cores, asked.server_cores, asked.disk_mb * 1e6)
    found = night(costs, size, asked.loads, site)
    print(f"{asked.loads} loads of {size.rows:,} rows, {size.partitions:,} partitions each")
    print(f"one load, alone: {found.one_load:.2f} h")
    print(f"the workers' processors: {found.by_workers:.2f} h; the database's: {found.by_server:.2f} h")
    print(f"the database's disk: {found.by_disk:.2f} h")
    print(f"all of it: no less than {found.hours:.2f} h")
    verified = seconds_of_verify(verify_costs_of(document), asked.rows, site.disk)
    print(f"all of it verified afterwards: {verified / 3600:.3f} h")
    print(f"staging: {found.staged_bytes / 1e9:.1f} GB of rows, a map of {found.map_bytes / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
