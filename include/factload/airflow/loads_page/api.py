"""The questions that the page asks. All of them read; none changes anything (``upload`` does).

What they do with databases runs in a few threads of their own, so that a slow warehouse never holds up Airflow.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import IO, Annotated, Any

from airflow.api_fastapi.common.db.common import SessionDep
from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import FileResponse, JSONResponse

from factload.airflow.loads_page import answers
from factload.airflow.loads_page.access import MAY_SEE_RUNS, DagsToSee, MayTrigger
from factload.airflow.loads_page.answered import answered, the_feed
from factload.airflow.loads_page.asked import Day
from factload.airflow.loads_page.comparison import by_this_feed
from factload.airflow.loads_page.downloads import Headers, downloaded
from factload.airflow.loads_page.expected import expected_periods
from factload.airflow.loads_page.feed_days import days_of_feeds
from factload.airflow.loads_page.feeds import feeds_of, zone_of
from factload.airflow.loads_page.gaps import gaps_of
from factload.airflow.loads_page.runs import runs_of_day
from factload.airflow.loads_page.threads import a_download, off_the_loop
from factload.airflow.loads_page.warehouse import reading
from factload.diff.of_load import staged_load
from factload.errors import FeedError
from factload.ledger.rejects import rejects_by_reason
from factload.reports.detail import load_detail
from factload.reports.history import recent_loads
from factload.reports.months import months_of
from factload.reports.reject_pages import page_of_rejects
from factload.reports.rejects_workbook import write_rejects

LONGEST_RANGE = timedelta(days=400)
LAST_LOADS = 60
LAST_MONTHS = timedelta(days=150)  # and the month in which that begins
REJECTS_PER_PAGE = 20
NARROWER = "Choose a reason, or search for less; when nothing else helps, another session may hold a lock"
MOST_ROWS = 2**31 - 1  # what the ledger counts rows with; a csv file may have more than a sheet
# A workbook of so many rejects takes this process ten seconds; more are the command line's.
REJECTS_IN_A_WORKBOOK = 100_000

router = APIRouter(prefix="/api")
of_dag = APIRouter(prefix="/api/dags/{dag_id}", dependencies=[MAY_SEE_RUNS])


@router.get("/calendar")
@off_the_loop
def calendar(
    dags: DagsToSee, session: SessionDep, first: Day, last: Day, dag_id: str | None = None
) -> JSONResponse:
    """Every feed that the user may see, or the one of ``dag_id``: its loads from ``first`` to ``last``."""
    if not timedelta(0) <= last - first <= LONGEST_RANGE:
        raise HTTPException(422, f"`first` to `last` is at most {LONGEST_RANGE.days} days")
    now = datetime.now(UTC)
    feeds = feeds_of(dags if dag_id is None else dags & {dag_id})
    rows = days_of_feeds(session, feeds, first, last, now)
    # Thousands of days: as they are, without FastAPI's look at each value.
    return JSONResponse({"feeds": [answers.feed_days(row, now) for row in rows]})


@of_dag.get("/trend")
@off_the_loop
def trend(dag_id: str, until: Day | None = None) -> dict[str, Any]:
    """The feed's last loads up to a period, with the outliers among them."""
    feed = the_feed(dag_id)
    with answered(), reading(feed.fact.connection) as connection:
        found = recent_loads(connection, feed.feed, until=until, limit=LAST_LOADS)
    return answers.trend(found, datetime.now(UTC))


@of_dag.get("/months")
@off_the_loop
def months(dag_id: str) -> list[dict[str, Any]]:
    """The feed's last months, newest first: what stands of them, and how much of it was verified."""
    feed = the_feed(dag_id)
    today = datetime.now(zone_of(feed)).date()
    with answered(), reading(feed.fact.connection) as connection:
        found = list(months_of(connection, feed.feed, (today - LAST_MONTHS).replace(day=1)))
    return answers.months(found)


@of_dag.get("/loads/{period}")
@off_the_loop
def load(dag_id: str, session: SessionDep, period: Day, may_trigger: MayTrigger) -> dict[str, Any]:
    """One load in full, and the last runs that were for it.

    ``load`` is null when there is none; ``expected`` says whether there should be one, ``gaps`` what a backfill takes.
    """
    feed = the_feed(dag_id)
    now = datetime.now(UTC)
    with answered(), reading(feed.fact.connection) as connection:
        detail = load_detail(connection, feed.feed, feed.load_id(period))
        staged = staged_load(connection, feed.load_id(period))
        try:
            plain = feed.at(period)
        except FeedError:  # before the first of the feed's ranges of periods, as they are written today
            if detail is None:
                raise
            comparable, workbook = False, detail.attempts[0].workbook
        else:
            comparable = staged is not None and by_this_feed(staged, plain)
            workbook = plain.workbook.for_period(period)
    zone = zone_of(feed)
    runs = runs_of_day(session, dag_id, period, zone)
    return {
        "feed": feed.feed,
        "period": period.isoformat(),
        "max_rejects": str(feed.max_rejects),
        "table": feed.fact.table,
        "workbook": workbook,
        "may_trigger": may_trigger,
        "approval": feed.run.approval is not None,
        "to_come": period > now.astimezone(zone).date(),
        "expected": bool(expected_periods(feed.schedule, period, period, now, zone)),
        "gaps": [answers.gap(gap) for gap in gaps_of([period], zone)],
        "runs": [answers.run(run) for run in runs],
        "load": answers.load(detail, runs, now, staged=staged is not None, comparable=comparable)
        if detail
        else None,
    }


@of_dag.get("/loads/{period}/reasons")
@off_the_loop
def reasons(dag_id: str, period: Day) -> list[dict[str, Any]]:
    """The load's rejects by reason."""
    feed = the_feed(dag_id)
    with answered(), reading(feed.fact.connection) as connection:
        return answers.reasons(rejects_by_reason(connection, feed.load_id(period)))


@of_dag.get("/loads/{period}/rejects")
@off_the_loop
def rejects(
    dag_id: str,
    period: Day,
    reason: str | None = None,
    search: Annotated[str, Query(max_length=200)] = "",
    workbook: str = "",
    sheet: str = "",
    row: Annotated[int, Query(ge=0, le=MOST_ROWS)] = 0,
) -> dict[str, Any]:
    """A page of the load's rejects: those after ``workbook``, ``sheet`` and ``row``."""
    feed = the_feed(dag_id)
    with answered(), reading(feed.fact.connection, if_slow=NARROWER) as connection:
        found = page_of_rejects(
            connection,
            feed.load_id(period),
            reason=reason,
            search=search.strip(),
            after=(workbook, sheet, row) if row else None,
            limit=REJECTS_PER_PAGE,
        )
    return answers.rejects(found)


@of_dag.get("/loads/{period}/rejects.xlsx", response_class=FileResponse)
@a_download
def rejects_workbook(dag_id: str, period: Day) -> FileResponse:
    """The load's rejects as a workbook to send back; a list of them where the load's workbooks are out of reach."""
    feed = the_feed(dag_id)
    load_id = feed.load_id(period)
    with answered(), reading(feed.fact.connection, timeout="60s") as connection:
        if sum(rejects_by_reason(connection, load_id).values()) > REJECTS_IN_A_WORKBOOK:
            raise FeedError(
                "too_many_rejects_here",
                f"{load_id} has more than {REJECTS_IN_A_WORKBOOK:,} rejects",
                remedy=f"Write the workbook with `factload rejects {load_id} --xlsx rejects.xlsx`",
            )

        def write(file: IO[bytes]) -> tuple[str, Headers]:
            whole = write_rejects(file, connection, feed, load_id).whole
            return f"{load_id}-{'rejects' if whole else 'list-of-rejects'}.xlsx", {}

        return downloaded(write)
