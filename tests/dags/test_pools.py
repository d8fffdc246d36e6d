"""The pool that the scheduler makes for a feed's first run: whatever the setting holds, tasks can be scheduled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
# A run of a DAG begins, as the scheduler tells its listeners; then what Airflow's table of pools holds.
BEGIN = """
import json, os, sys
from types import SimpleNamespace
from airflow.listeners.listener import get_listener_manager
from airflow.models.pool import Pool
from airflow.utils.session import create_session
told = {}
for number, value in enumerate(json.loads(sys.argv[1])):
    os.environ["FACTLOAD_WAREHOUSE_SLOTS"] = value
    pool = f"factload_{number}"
    dag = SimpleNamespace(tags={"factload"}, tasks=[SimpleNamespace(pool=pool)])
    get_listener_manager().hook.on_dag_run_running(dag_run=SimpleNamespace(dag=dag), msg="")
    with create_session() as session:
        made = Pool.get_pool(pool, session=session)
        told[value] = [made.slots, made.open_slots(session=session) > 0, made.description]
print(json.dumps(told))
"""

pytestmark = pytest.mark.timeout(300)


def test_no_value_of_the_setting_makes_a_pool_without_a_free_slot(
    tmp_path: Path, airflow_database: Callable[[str], str]
) -> None:
    right = {"": 16, "1": 1, " 4 ": 4, "1_000": 1000, "10000": 10_000, "-1": -1}
    wrong = ["lots", "0", "-3", "-2", "4.0", "1e3", "10001", "9" * 30, "४", "16 slots"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEGIN, json.dumps([*right, *wrong])],
        env={
            **os.environ,
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": airflow_database("pools_metadata"),
            "PYTHONPATH": str(PROJECT / "include"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])

    plain = "Warehouse connections of factload's feeds"
    assert {value: told[value] for value in right} == {
        value: [slots, True, plain] for value, slots in right.items()
    }
    for value in wrong:
        slots, free, description = told[value]
        assert (slots, free) == (16, True)
        assert description == (
            f"{plain}. A new pool gets 16 slots: the environment's FACTLOAD_WAREHOUSE_SLOTS is not a number of slots "
            f"(found {value!r}). Expected: a whole number from 1 to 10000, or -1 for no bound, such as 16. "
            "Correct it in the environment, or leave it out."
        )
        assert description.removeprefix(f"{plain}. ") in done.stdout + done.stderr, (
            "the scheduler's log has it"
        )
