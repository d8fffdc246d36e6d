"""### Load a spreadsheet's rows into a fact table

One DAG for each feed file: `load_<feed>`.

| you want | do this |
| --- | --- |
| tonight's load | nothing: the feed's `schedule` runs it |
| one period now | **Trigger**, and fill in `period` (and `workbook`, if it lies elsewhere) |
| the same period again, with a corrected workbook | **Trigger** with the same `period`: its rows are replaced |
| the rejected rows again, the dimension having caught up | **Trigger** with `replay` |
| the rejected rows as they came back corrected | **Trigger** with `replay`, and their workbook as `workbook` |
| to know what a load would come to | **Trigger** with `dry_run`; the report is in the log of `open_load` |
| the same again although nothing changed | **Trigger** with `reload` |
| a held load published as it is | **Trigger** with `release`: why (a feed with `run.approval` asks by itself) |
| many periods | **Trigger → Backfill**, or `airflow backfill create` |

A load is one feed × one period: a retry, a manual run and a backfill of the same two replace each other's rows and
never add to them. Until `publish` has ended, readers of the fact table see what they saw before.

`open_load` is deferred while it waits for a late workbook (`workbook.missing` in the feed), and skipped when there is
nothing to do; its log says why. DAGs whose schedule is the asset of the fact table start when `publish` has ended; one
that is partitioned by day starts once for each published day and content.

**When a task fails**, its last line says what was seen, what was expected and what to do next; the link `Load` beside
each task (*Details*) leads to the load's page, which says it too. `factload status`
shows the ledger, `factload rejects FEED@PERIOD` every rejected row with its reason. After the cause is gone, clear
the failed task; to take up a changed workbook, trigger the period again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import DAG, chain

from factload.airflow import tasks
from factload.airflow.assets import fact_asset, workbook_asset
from factload.airflow.dag_options import at_once, dag_options
from factload.airflow.feeds import readable_feeds
from factload.airflow.names import OPEN_TASK
from factload.airflow.open_load import OpenLoad
from factload.feed.model import Feed

steps: Any = tasks  # called with what other tasks will return, not with the values that their types name


def feed_dags(*, default_args: Mapping[str, Any] | None = None) -> dict[str, DAG]:
    """The DAG of every feed file in the feeds folder that is right, by its id. A DAG file takes them all at once::

        from factload.airflow import feed_dags

        globals().update(feed_dags())

    ``default_args``: for all their tasks, over what the feed files say: ``{"queue": "warehouse"}``, for one.
    Raises ``FeedError`` when there is no feeds folder. A feed file with a defect is left out; ``check_feeds`` tells.
    """
    return {dag.dag_id: dag for dag in (load_dag(f, default_args=default_args) for f in readable_feeds())}


def load_dag(feed: Feed, *, default_args: Mapping[str, Any] | None = None) -> DAG:
    """The flow of one feed; every arrow carries paths, counts and ids, never rows.

    ``feed``: of the feeds folder, where each task reads it anew. ``default_args``: as for ``feed_dags``.
    """
    with DAG(schedule=feed.schedule, doc_md=__doc__, **dag_options(feed, default_args or {})) as dag:
        load = OpenLoad(task_id=OPEN_TASK, feed=feed.feed).output
        extract = steps.extract_dimension_map.partial(load=load)
        # Without dimensions there is no task: one that is skipped would skip all that follows.
        maps = extract.expand(dimension=feed.maps) if feed.maps else []
        shares = steps.split_workbook(load)
        loaded = (
            steps.load_partition.override(**at_once(feed)).partial(load=load, maps=maps).expand(share=shares)
        )
        reads, writes = [workbook_asset(feed)], [fact_asset(feed)]
        published = steps.publish.override(inlets=reads, outlets=writes)(load)
        # Not as a teardown: Airflow then lets a run that a person marked failed end as a success.
        chain(loaded, steps.reconcile(load), *_approval(feed, load), published, steps.clean_staging(load))
    return dag


def _approval(feed: Feed, load: Any) -> list[Any]:
    waits = feed.run.approval
    if waits is None:
        return []
    # The provider takes its time to import, and few feeds ask.
    from factload.airflow.release import release_task

    return [release_task(feed, load, waits)]
