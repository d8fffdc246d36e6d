"""What publishing a load would change whose rows are staged and proved: a held one, or one that nobody publishes.

Its values are those of cells, and shown to whoever may see the load's rejects.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from factload.airflow.loads_page.access import MAY_SEE_RUNS
from factload.airflow.loads_page.answered import answered, the_feed
from factload.airflow.loads_page.asked import Day
from factload.airflow.loads_page.threads import comparisons
from factload.airflow.loads_page.warehouse import comparing
from factload.diff.of_load import difference_of, staged_load
from factload.errors import FeedError
from factload.feed.model import Feed
from factload.load import Load, content_of, sha256_of_sources

LONGEST = "30s"  # a statement: where all 800,000 rows of a load change, it takes some twenty

router = APIRouter(prefix="/api/dags/{dag_id}", dependencies=[MAY_SEE_RUNS])


@router.get("/loads/{period}/difference")
@comparisons
def difference(dag_id: str, period: Day) -> dict[str, Any]:
    """What publishing the load would change against what stands now."""
    feed = the_feed(dag_id).at(period)
    command = f"`factload diff {feed.feed} --period {period}`"
    slow = f"It takes longer than a page may: {command} says it"
    with answered(), comparing(feed.fact.connection, timeout=LONGEST, if_slow=slow) as connection:
        load = staged_load(connection, feed.load_id(period))
        if load is None or not by_this_feed(load, feed):
            raise FeedError(
                "nothing_staged",
                f"no rows of {feed.load_id(period)} wait to be published that were staged by the feed as it is now",
                remedy=f"{command} stages them, and says what publishing would change",
            )
        return difference_of(connection, load, feed).to_json()


def by_this_feed(load: Load, feed: Feed) -> bool:
    """Whether this very feed has staged the load: another may have other columns."""
    return content_of(sha256_of_sources(load.sources), feed.fingerprint, load.corrections) == load.content
