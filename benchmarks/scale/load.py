"""One load by `factload run`, as a person starts it: what it cost, step by step, and whether it is exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import TextClause, text

from benchmarks.costs.engine import environment, published, run_command
from benchmarks.runs import watched_with_server
from benchmarks.scale.exact import Compared, compare
from benchmarks.scale.handed_on import HandedOn, handed_on
from benchmarks.scale.place import FEED, ScalePlace
from benchmarks.tables import PARTITIONED
from benchmarks.warehouse import Warehouse

_LOG = text("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
_BYTES = text("""
    SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'fact_sales'::regclass
""")


@dataclass(frozen=True)
class LoadRun:
    """What a load cost. Memory in 10^6 bytes: ``steps_mb`` step -> its largest process, ``tree_mb`` the most that all
    processes of the client held together, pages that they share counted once. ``others``: processors that other
    programs used meanwhile. ``wal_bytes``: what the server logged; ``fact_bytes``: the load's partition with its
    indexes. ``exact`` is what the rows in the fact table came to beside those that were drawn.
    """

    rows: int
    members: int
    workbooks: int
    seconds: float
    cpu: float
    server_cpu: float
    others: float
    steps_seconds: dict[str, float]
    steps_mb: dict[str, float]
    tree_mb: float
    wal_bytes: int
    fact_bytes: int
    handed_on: HandedOn
    exact: Compared

    @property
    def rate(self) -> float:
        """Rows a second, from the command's start to its exit."""
        return self.rows / self.seconds


def run_load(
    warehouse: Warehouse, place: ScalePlace, workbooks: Sequence[Path], rows: int, members: int
) -> LoadRun:
    """A load of these workbooks, into a new fact table. Raises ``WrongResult`` when it is not published."""
    warehouse.renew(PARTITIONED, partition=False)
    place.put(workbooks)
    logged = _number(warehouse, _LOG)
    command = run_command(FEED, warehouse.url)
    done, cost = watched_with_server(command, place.home, environment(place.home), warehouse)
    report = published(done, int(cost["status"]))
    return LoadRun(
        rows,
        members,
        len(workbooks),
        round(cost["seconds"], 2),
        round(cost["cpu_seconds"], 2),
        round(cost["server_cpu_seconds"], 2),
        round(cost["others_cpu_seconds"] / cost["seconds"], 2),
        report["seconds"],
        report["peak_rss_mb"],
        round(cost["tree_pss_mb"], 1),
        _number(warehouse, _LOG) - logged,
        _number(warehouse, _BYTES),
        handed_on(warehouse, place, report, members),
        compare(warehouse.sqlalchemy_url, len(workbooks)),
    )


def _number(warehouse: Warehouse, query: TextClause) -> int:
    with warehouse.connected() as connection:
        return int(connection.scalar(query) or 0)
