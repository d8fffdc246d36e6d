"""### Load a spreadsheet's rows into a fact table

One DAG for each file in `include/feeds`: `load_<feed>`.

| you want | do this |
| --- | --- |
| tonight's load | nothing: the feed's `schedule` runs it |
| one period now | **Trigger**, and fill in `period` (and `workbook`, if it lies elsewhere) |
| the same period again, with a corrected workbook | **Trigger** with the same `period`: its rows are replaced |
| the rejected rows again, the dimension having caught up | **Trigger** with `replay` |
| the rejected rows as they came back corrected | **Trigger** with `replay`, and their workbook as `workbook` |
| to know what a load would come to | **Trigger** with `dry_run`; the report is in the log of `open_load` |
| the same again although nothing changed | **Trigger** with `reload` |
| many periods | **Trigger → Backfill**, or `airflow backfill create` |

A load is one feed × one period: a retry, a manual run and a backfill of the same two replace each other's rows and
never add to them. Until `publish` has ended, readers of the fact table see what they saw before.

`open_load` is deferred while it waits for a late workbook (`workbook.missing` in the feed), and skipped when there is
nothing to do; its log says why. DAGs whose schedule is the asset of the fact table start when `publish` has ended.

**When a task fails**, its last line says what was seen, what was expected and what to do next; the link `Load` beside
each task (*Details*) leads to the load's page, which says it too. `factload status`
shows the ledger, `factload rejects FEED@PERIOD` every rejected row with its reason. After the cause is gone, clear
the failed task; to take up a changed workbook, trigger the period again.
"""

from __future__ import annotations

from airflow.sdk import DAG, chain

from factload.airflow import tasks
from factload.airflow.approval import approval
from factload.airflow.assets import fact_asset, workbook_asset
from factload.airflow.dag_options import dag_options
from factload.airflow.feeds import readable_feeds
from factload.airflow.open_load import OpenLoad
from factload.feed.model import Feed


def load_dag(feed: Feed) -> DAG:
    """The flow of one feed; every arrow carries paths, counts and ids, never rows."""
    with DAG(schedule=feed.schedule, doc_md=__doc__, **dag_options(feed)) as dag:
        load = OpenLoad(task_id="open_load", feed=feed.feed).output
        extract = tasks.extract_dimension_map.partial(load=load)
        maps = (
            extract.expand(dimension=feed.maps) if feed.maps else []
        )  # none: a skip would skip all that follows
        partitions = tasks.split_workbook(load)
        loaded = (
            tasks.load_partition.override(max_active_tis_per_dagrun=feed.parallelism)
            .partial(load=load, maps=maps)
            .expand(partition=partitions)
        )
        reads, writes = [workbook_asset(feed)], [fact_asset(feed)]
        published = tasks.publish.override(inlets=reads, outlets=writes)(load)
        # Not as a teardown: Airflow then lets a run that a person marked failed end as a success.
        chain(loaded, tasks.reconcile(load), *approval(feed, load), published, tasks.clean_staging(load))
    return dag


for _feed in readable_feeds():
    globals()[f"load_{_feed.feed}"] = load_dag(_feed)
