"""`dag.test()`: the whole DAG in one process, as somebody who writes a feed runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from factload_demo import sample
from factload_demo.postgres import Server
from factload_demo.setup import connection_uri
from tests.feeds import changed

PROJECT = Path(__file__).parents[2]
RUN = """
import sys
from factload.airflow import mapped
mapped.MOST_TASKS = int(sys.argv[3])
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
run = bag.dags["load_sales"].test(run_conf={"period": sys.argv[2]})
print("state:", run.state)
from airflow.sdk.lineage import get_hook_lineage_collector
collected = get_hook_lineage_collector().collected_assets
print("lineage:", [each.asset.uri for each in collected.inputs], [each.asset.uri for each in collected.outputs])
"""
# Whoever collects lineage has a plugin like this one: OpenLineage's does the same.
COLLECTS_LINEAGE = """
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.lineage import HookLineageReader
class Collects(AirflowPlugin):
    name = "collects"
    hook_lineage_readers = [HookLineageReader]
"""

pytestmark = pytest.mark.timeout(300)


def test_the_dag_in_one_process(
    tmp_path: Path, postgres: Server, airflow_database: Callable[[str], str]
) -> None:
    """Five partitions in two mapped tasks: the labels say which; each partition is a step of its own in the ledger."""
    warehouse = postgres.create_database("dag_test_warehouse")
    metadata = airflow_database("dag_test_metadata")
    sample.make_dimension(warehouse, 2_000)
    (tmp_path / "inbox").mkdir()
    expected = sample.make_workbook(tmp_path / "inbox/sales_2026-11-05.xlsx", 10_000, 2_000)
    feeds = tmp_path / "include/feeds"
    feeds.mkdir(parents=True)
    feed = (PROJECT / "include/feeds/sales.yaml").read_text(encoding="utf-8")
    (feeds / "sales.yaml").write_text(changed(feed, {"max_rejects": "5%", "rows_per_partition": 2_000}))
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/collects.py").write_text(COLLECTS_LINEAGE)
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW_CONN_WAREHOUSE": connection_uri(warehouse),
        "FACTLOAD_HOME": str(tmp_path),
        "PYTHONPATH": str(PROJECT / "include"),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, str(PROJECT / "dags"), "2026-11-05", "2"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "state: success" in done.stdout
    server = "postgres://localhost:5432/dag_test_warehouse/public"
    reads = [f"file://{tmp_path}/inbox/sales_2026-11-05.xlsx", f"{server}/dim_product"]
    assert f"lineage: {reads} {[f'{server}/fact_sales']}" in done.stdout
    with create_engine(metadata, poolclass=NullPool).connect() as connection:
        labels = connection.scalars(
            text(
                "SELECT rendered_map_index FROM task_instance WHERE task_id = 'load_partition' ORDER BY map_index"
            )
        ).all()
        handed = {
            (task, index): value
            for task, index, value in connection.execute(
                text("SELECT task_id, map_index, value FROM xcom WHERE key = 'return_value'")
            )
        }
    assert handed["split_workbook", -1] == [
        {"label": labels[0], "first": 0, "number": 2},
        {"label": labels[1], "first": 2, "number": 3},
    ]
    told = [handed["load_partition", index] for index in (0, 1)]
    assert [set(rows) for rows in told] == [{"source", "blank", "left_out", "rejected", "staged"}] * 2
    assert sum(rows["source"] for rows in told) == expected.source
    assert sum(rows["staged"] for rows in told) == expected.staged
    engine = create_engine(warehouse, poolclass=NullPool)
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT count(*), sum(metric)::text FROM fact_sales WHERE load_id = 'sales@2026-11-05'")
        ).one()
        loaded = connection.scalars(
            text("SELECT item FROM factload.steps WHERE step = 'load_partition'")
        ).all()
    assert tuple(found) == (expected.staged, expected.control_total)
    # In the sheet's order: which of the two mapped tasks runs first is Airflow's choice.
    bounds = sorted([int(row) for row in label.removeprefix("Facts ").split("–")] for label in loaded)
    assert labels == [
        f"Facts {bounds[0][0]}–{bounds[1][1]} (2 partitions)",
        f"Facts {bounds[2][0]}–{bounds[4][1]} (3 partitions)",
    ]
    assert len(loaded) == 5
