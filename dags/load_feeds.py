"""### Load a spreadsheet's rows into a fact table

One DAG for each file in `include/feeds`: `load_<feed>`.

| you want | do this |
| --- | --- |
| tonight's load | nothing: the feed's `schedule` runs it |
| one period now | **Trigger**, and fill in `period` (and `workbook`, if it lies elsewhere) |
| the same period again, with a corrected workbook | **Trigger** with the same `period`: its rows are replaced |
| the same again although nothing changed | **Trigger** with `reload` |
| many periods | **Trigger → Backfill**, or `airflow backfill create` |

A load is one feed × one period: a retry, a manual run and a backfill of the same two replace each other's rows and
never add to them. Until `publish` has ended, readers of the fact table see what they saw before.

**When a task fails**, its last line says what was seen, what was expected and what to do next. `factload status`
shows the ledger, `factload rejects FEED@PERIOD` every rejected row with its reason. After the cause is gone, clear
the failed task; to take up a changed workbook, trigger the period again.
"""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param

from airflow_edge import tasks
from airflow_edge.feeds import readable_feeds
from factload.feed import Feed

RETRIES = {
    "retries": 4,  # only for faults that a retry helps; the others fail at once
    "retry_delay": pendulum.duration(seconds=15),
    "retry_exponential_backoff": True,
    "max_retry_delay": pendulum.duration(minutes=10),
}

PARAMETERS = {
    "period": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Period",
        description="The business date to load. Empty: the run's own date",
    ),
    "workbook": Param(
        None,
        type=["null", "string"],
        title="Workbook",
        description="A path inside the allowed roots, or a pattern for several. Empty: the feed's own for the period",
    ),
    "reload": Param(
        False,
        type="boolean",
        title="Reload",
        description="Load again what is published already, though neither workbook nor feed has changed",
    ),
}


def load_dag(feed: Feed) -> DAG:
    """The flow of one feed; every arrow carries paths, counts and ids, never rows."""
    with DAG(
        dag_id=f"load_{feed.feed}",
        description=f"{feed.workbook.path} → {feed.fact.table}",
        doc_md=__doc__,
        schedule=feed.schedule,
        start_date=pendulum.datetime(2020, 1, 1, tz="UTC"),
        catchup=False,
        default_args=RETRIES,
        params=PARAMETERS,
        tags=["factload"],
    ) as dag:
        load = tasks.open_load(feed.feed)
        maps = tasks.extract_dimension_map.partial(load=load).expand(dimension=list(feed.dimensions))
        partitions = tasks.split_workbook(load)
        loaded = (
            tasks.load_partition.override(max_active_tis_per_dagrun=feed.parallelism)
            .partial(load=load, maps=maps)
            .expand(partition=partitions)
        )
        reconciled = tasks.reconcile(load)
        published = tasks.publish(load)
        loaded >> reconciled >> published >> tasks.clean_staging(load).as_teardown()
    return dag


for _feed in readable_feeds():
    globals()[f"load_{_feed.feed}"] = load_dag(_feed)
