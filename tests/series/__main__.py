"""The backfill over all years, and what came of it; see the package."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from factload_demo import airflow_site
from factload_demo.airflow_api import AirflowApi
from factload_demo.airflow_place import Place
from factload_demo.postgres import throwaway
from factload_demo.setup import PROJECT, connection_uri
from tests.airflow_command import airflow
from tests.forked_tasks import import_before_the_fork
from tests.series.plain_reader import Fact, facts_of
from tests.series.workbooks import FACTS, FEED, YEARS, write_year

TABLES = """
CREATE TABLE dim_product (primary_synthetic_key bigint PRIMARY KEY, business_key text UNIQUE);
INSERT INTO dim_product VALUES (1, 'A1'), (2, 'B2');
CREATE TABLE fact_sales (
    dimension_id bigint NOT NULL REFERENCES dim_product, metric numeric(18,4) NOT NULL, channel text, sheet text,
    load_id text NOT NULL);
"""
STATES = (
    "SELECT DISTINCT ON (load_id) load_id, state, witness FROM factload.attempts ORDER BY load_id, epoch DESC"
)
DAG, TAMPERED, CENT = "load_series", 2017, Decimal("0.01")
PATIENCE = 1_800.0


@dataclass(frozen=True)
class Plant:
    """A running Airflow, its warehouse, and the project's folder."""

    place: Place
    api: AirflowApi
    warehouse: str
    home: Path

    def backfill(self, reprocess: str) -> dict[int, str]:
        """`airflow backfill create` over all years, to its end; how each year's latest run ended."""
        began = time.monotonic()
        command = [
            *("backfill", "create", "--dag-id", DAG, "--reprocess-behavior", reprocess),
            *("--from-date", f"{YEARS[0]}-01-01", "--to-date", f"{YEARS[-1]}-12-31T23:59:00+00:00"),
        ]
        airflow(self.place, *command, seconds=PATIENCE)
        while self._at_work():
            if time.monotonic() > began + PATIENCE:
                raise TimeoutError("the backfill doesn't come to its end")
            time.sleep(0.5)
        asked = {"run_type": "backfill", "limit": 100}
        runs = self.api.call("GET", f"/api/v2/dags/{DAG}/dagRuns", params=asked)["dag_runs"]
        print(f"backfill, {reprocess}: {len(runs)} years, {time.monotonic() - began:.0f} s", flush=True)
        return {datetime.fromisoformat(run["logical_date"]).year: run["state"] for run in runs}

    def _at_work(self) -> bool:
        backfills = self.api.call("GET", "/api/v2/backfills", params={"dag_id": DAG})["backfills"]
        return any(backfill["completed_at"] is None for backfill in backfills)

    def facts(self, year: int) -> list[Fact]:
        with create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            found = connection.execute(text(FACTS), {"load": f"series@{year}-12-31"})
            return sorted((sheet, key, metric, channel) for sheet, key, metric, channel in found)

    def loads(self) -> dict[int, tuple[str, list[bool]]]:
        """By year the state of the load, and whether it is equal to each of the owner's own totals."""
        with create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            found = connection.execute(text(STATES)).all()
        return {
            int(load.removeprefix("series@")[:4]): (state, [one["equal"] for one in witness or ()])
            for load, state, witness in found
        }


def main() -> int:
    """0 when every year is what the plain script reads, and the one with another total was held."""
    parser = argparse.ArgumentParser(prog="python -m tests.series", description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=0, help="further rows of each sheet (default: %(default)s)"
    )
    rows = parser.parse_args().rows
    with _plant() as plant:
        for year in YEARS:
            write_year(plant.home, year, CENT if year == TAMPERED else Decimal(0), rows)
        ended, loads = plant.backfill("none"), plant.loads()
        right = {year: _is_right(plant, year, loads) for year in YEARS}
        held = (ended[TAMPERED], *loads[TAMPERED], plant.facts(TAMPERED))
        print(
            f"{TAMPERED}, with a total that is a cent off: run {held[0]}, load {held[1]}, {len(held[3])} facts"
        )
        others = all(right[year] and ended[year] == "success" for year in YEARS if year != TAMPERED)
        write_year(plant.home, TAMPERED, more_rows=rows)
        ended, loads = plant.backfill("failed"), plant.loads()
        right = {year: _is_right(plant, year, loads) for year in YEARS}
        counted = sum(len(plant.facts(year)) for year in YEARS)
        print(
            f"{sum(right.values())} of {len(YEARS)} years exact and equal to their owner's totals; {counted:,} facts"
        )
        was_held = held[:2] == ("failed", "held") and not all(held[2]) and not held[3]
        return 0 if others and was_held and all(right.values()) and {*ended.values()} == {"success"} else 1


def _is_right(plant: Plant, year: int, loads: dict[int, tuple[str, list[bool]]]) -> bool:
    """Whether a year is published, equal to its owner's totals, and what the plain script reads."""
    totals = 10 if year >= 2015 else 1
    published = loads.get(year) == ("published", [True] * totals)
    return published and plant.facts(year) == facts_of(plant.home / "inbox", year)


@contextmanager
def _plant() -> Iterator[Plant]:
    with throwaway() as server, tempfile.TemporaryDirectory(prefix="factload-series-") as folder:
        home = Path(folder)
        warehouse = server.create_database("warehouse")
        with create_engine(warehouse, poolclass=NullPool).begin() as connection:
            connection.execute(text(TABLES))
        (home / "include/feeds").mkdir(parents=True)
        (home / "include/feeds/series.yaml").write_text(FEED, encoding="utf-8")
        (home / "inbox").mkdir()
        place = Place(
            project=PROJECT,
            folder=home / "airflow",
            metadata_url=server.create_database("airflow"),
            variables={"AIRFLOW_CONN_WAREHOUSE": connection_uri(warehouse), "FACTLOAD_HOME": str(home)},
            port=0,
        )
        import_before_the_fork(place.folder)
        with airflow_site.running(place) as site:
            yield Plant(place, AirflowApi(site), warehouse, home)


if __name__ == "__main__":
    sys.exit(main())
