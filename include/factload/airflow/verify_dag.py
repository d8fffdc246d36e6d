"""### Prove that the fact tables still hold what was published

One task for each database that feeds load into. As `factload verify` does, it compares all that is published there with
the ledger: rows, control totals, and a digest of each load. It notes with each load when it was verified and what was
found, which the load's page shows.

**When a task fails**, its last line names the loads that are not as they were published, and how; the lines before it
say in which partitions. Somebody, or another program, has changed the fact table since, or one of table and ledger was
put back to an earlier time. Nothing is mended: the parameter `reload` of a feed's DAG loads a workbook again.

The setting `FACTLOAD_VERIFY_SCHEDULE` says when it runs, as a cron expression in UTC. Without it there is no such DAG.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowFailException

from factload.airflow.connection import database_url
from factload.airflow.failures import one_sentence, said_last
from factload.airflow.feeds import readable_feeds
from factload.airflow.names import TAG, VERIFY_DAG
from factload.airflow.pools import pool_of
from factload.environment import VERIFY_SCHEDULE, cron
from factload.feed.file import read_feed

if TYPE_CHECKING:
    from factload.feed.model import Feed
    from factload.verify.judgement import Verdict

_NAMED = 10  # loads that the task's last line names
_log = logging.getLogger(__name__)


def verify_dags() -> dict[str, DAG]:
    """The DAG that verifies what feeds have published, by its id; none without FACTLOAD_VERIFY_SCHEDULE.

    Raises ``FeedError`` for a schedule that is none.
    """
    schedule = cron(VERIFY_SCHEDULE)
    if schedule is None:
        return {}
    with DAG(
        VERIFY_DAG,
        description="Do the fact tables still hold what was published?",
        schedule=schedule,
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        tags=[TAG],
        doc_md=__doc__,
        default_args={
            "retries": 2,  # only for faults that a retry helps
            "retry_delay": pendulum.duration(minutes=1),
            "on_failure_callback": said_last,
            "on_retry_callback": said_last,
        },
    ) as dag:
        for number, feed in enumerate(_one_for_each_database(readable_feeds())):
            connection = feed.fact.connection
            # A connection that is a URL holds a password: its feed's name stands for it.
            name = connection if "://" not in connection else f"database_{number}"
            verify.override(task_id=f"verify_{name}", pool=pool_of(feed))(feed.feed)
    return {dag.dag_id: dag}


@task
def verify(feed: str) -> dict[str, Any]:
    """Verify all loads in the database that ``feed`` loads into; returns how many there are of each state."""
    return verify_database(feed)


def verify_database(feed: str) -> dict[str, Any]:
    """As ``verify``. Raises ``AirflowFailException`` that names the loads that are not as they were published."""
    from factload.memory import save_memory
    from factload.verify.proof import verify_loads

    save_memory()
    with one_sentence():
        verdicts = verify_loads(database_url(read_feed(feed).fact.connection)).verdicts
        differing = [verdict for verdict in verdicts if verdict.state == "differs"]
        for verdict in differing:
            sentences = (*verdict.differences, *verdict.partitions, *verdict.where)
            _log.error("%s: %s", verdict.load.load_id, "; ".join(sentences))
        if differing:
            raise AirflowFailException(_summary(differing, len(verdicts)))
    unproved = sum(verdict.state == "unproved" for verdict in verdicts)
    _log.info(
        "loads that stand as published: %s; that can't be proved: %s", len(verdicts) - unproved, unproved
    )
    return {"stands": len(verdicts) - unproved, "unproved": unproved}


def _one_for_each_database(feeds: Sequence[Feed]) -> list[Feed]:
    return list({feed.fact.connection: feed for feed in reversed(feeds)}.values())[::-1]


def _summary(differing: Sequence[Verdict], of: int) -> str:
    named = "; ".join(_told(verdict) for verdict in differing[:_NAMED])
    more = len(differing) - _NAMED
    others = f"; and {more:,} more, in the lines above" if more > 0 else ""
    one = len(differing) == 1
    return f"{len(differing):,} of {of:,} loads {'does' if one else 'do'} not stand as published: {named}{others}"


def _told(verdict: Verdict) -> str:
    return f"{verdict.load.load_id}: {', '.join(verdict.differences)}"
