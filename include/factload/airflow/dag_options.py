"""What a feed file says of its runs, in the words of Airflow's DAG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pendulum

from factload.airflow.failures import said_last
from factload.airflow.form import parameters
from factload.airflow.names import TAG, dag_id_of
from factload.airflow.pools import pool_of, share_of_pool
from factload.feed.model import Feed


def dag_options(feed: Feed, default_args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the feed's DAG, without schedule and documentation; ``default_args`` go before its own."""
    run = feed.run
    return {
        "dag_id": dag_id_of(feed.feed),
        "description": f"{feed.workbook.path} → {feed.fact.table}",
        "start_date": pendulum.datetime(run.start.year, run.start.month, run.start.day, tz=run.timezone),
        "catchup": run.catchup,
        "max_active_runs": run.loads_at_once,
        "params": parameters(feed),
        "tags": [TAG, *run.tags],
        "default_args": {
            "owner": run.owner,
            "pool": pool_of(feed),
            "priority_weight": run.priority,
            "retries": run.retries,  # only for faults that a retry helps; the others fail at once
            "retry_delay": pendulum.duration(seconds=15),
            "retry_exponential_backoff": True,
            "max_retry_delay": pendulum.duration(minutes=10),
            "on_failure_callback": said_last,
            "on_retry_callback": said_last,
            **default_args,
        },
        **_mails(feed),
    }


def at_once(feed: Feed) -> dict[str, int]:
    """How many mapped copies of one task may run at once: in a run as the feed says, and in all its runs together so
    few that the pool has slots left for other feeds, however long this one is."""
    in_a_run = {"max_active_tis_per_dagrun": feed.parallelism}
    share = share_of_pool(feed)
    return in_a_run if share is None else {**in_a_run, "max_active_tis_per_dag": share}


def _mails(feed: Feed) -> dict[str, Any]:
    if feed.run.notify is None:
        return {}
    from factload.airflow import mail

    return {
        "on_failure_callback": mail.failed(feed, feed.run.notify),
        "deadline": mail.deadline(feed, feed.run.notify),
    }
