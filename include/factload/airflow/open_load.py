"""The first task: begin this run's attempt at its load, or say why there is nothing to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from factload.airflow.connection import database_url, store_connection
from factload.airflow.failures import errors_noted, one_sentence
from factload.airflow.links import LoadLink
from factload.airflow.names import REPORT, SHORTEST_REASON, SKIPPED, WAITS
from factload.airflow.period import period_of
from factload.airflow.workbook_trigger import WorkbookTrigger
from factload.errors import FeedError, WorkbookError
from factload.feed.file import read_feed
from factload.feed.model import Feed
from factload.load import Load
from factload.staging.connections import also_ask

_BY_HAND = "manual"


class OpenLoad(BaseOperator):
    """Opens the load of the run's period; returns it as JSON.

    Skipped, and everything after it, when the period is published and unchanged, after a dry run, and when the
    feed says to skip a workbook that isn't there. Waits without a worker slot when the feed says to wait for it.
    A run that a person started doesn't wait: they are told.
    """

    operator_extra_links = (LoadLink(),)

    def __init__(self, *, feed: str, **options: Any) -> None:
        super().__init__(**options)
        self.feed = feed

    def execute(self, context: Any) -> dict[str, Any]:
        """Open the load, or end the run as the class says."""
        params = context["params"]
        also_ask(store_connection)
        with errors_noted(context), one_sentence():
            feed = read_feed(self.feed)
            period = period_of(context["dag_run"], params, context["dag"].timezone)
            feed = feed.at(period)
            url = database_url(feed.fact.connection)
            try:
                if params.get("dry_run"):
                    self._report(context, feed, period, url)
                if params.get("release"):
                    load = _released(feed, period, url, context)
                else:
                    load = _opened(feed, period, url, params)
            except WorkbookError as error:
                if error.code != "workbook_missing" or context["dag_run"].run_type == _BY_HAND:
                    raise
                self._without_workbook(context, feed, period, error)
        if load.already_published:
            self._skip(context, f"{load.load_id} is published, and there is nothing to change")
        self.log.info("%s, attempt %s, from %s", load.load_id, load.epoch, load.workbook)
        return load.to_json()

    def workbook_came(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Go on after the wait, with or without the workbook."""
        self.log.info("The workbook is there" if event["there"] else "The wait is over, without a workbook")
        return self.execute(context)

    def _report(self, context: Any, feed: Feed, period: date, url: str) -> NoReturn:
        from factload.airflow.log_report import rejected_cells
        from factload.check.load import check_load
        from factload.cli.terminal import rendered_check

        report = check_load(feed, period, database=url, workbook=context["params"].get("workbook"))
        problems = "".join(f"\nproblem: {problem}" for problem in report.problems)
        self.log.info("\n%s%s%s", rendered_check(report), rejected_cells(report.rejected), problems)
        context["ti"].xcom_push(REPORT, report.to_json())
        self._skip(context, f"Dry run of {report.load_id}: {report.state}. Nothing was written")

    def _without_workbook(self, context: Any, feed: Feed, period: date, error: WorkbookError) -> NoReturn:
        missing = feed.workbook.missing
        until = context["dag_run"].run_after + missing.wait if missing.wait else None
        if until is not None and until > datetime.now(UTC):
            workbook = feed.workbook.for_period(period)
            self.log.info("%s is not there; waiting for it until %s", workbook, until)
            context["ti"].xcom_push(WAITS, {"workbook": workbook, "until": until.isoformat()})
            self.defer(
                trigger=WorkbookTrigger(workbook, until.isoformat()), method_name=self.workbook_came.__name__
            )
        if missing.then == "skip":
            self._skip(context, str(error))
        raise AirflowFailException(str(error)) from None

    def _skip(self, context: Any, reason: str) -> NoReturn:
        self.log.info("%s", reason)  # Airflow itself doesn't say why
        context["ti"].xcom_push(SKIPPED, reason)
        raise AirflowSkipException(reason)


def _opened(feed: Feed, period: date, url: str, params: Mapping[str, Any]) -> Load:
    # Airflow reads the DAG file far more often than it opens a load: the engine is imported here.
    from factload import steps
    from factload.replay import open_replay

    workbook = params.get("workbook")
    if params.get("replay"):
        return open_replay(feed, period, database=url, workbook=workbook)
    return steps.open_load(feed, period, database=url, workbook=workbook, reload=bool(params.get("reload")))


def _released(feed: Feed, period: date, url: str, context: Any) -> Load:
    """The held load, in the name of whoever started the run."""
    from factload.release import open_release

    params = context["params"]
    if feed.run.approval is not None:
        raise FeedError(
            "release_by_decision",
            "this feed has `run.approval`: a run that holds a load asks for a decision itself",
            remedy="Answer the question of its task release; clear the task to be asked again",
        )
    if others := [name for name in ("workbook", "reload", "replay") if params.get(name)]:
        raise FeedError(
            "release_alone",
            f"a release was asked for together with {', '.join(others)}",
            expected="a release alone: it publishes what is staged, and reads nothing",
            remedy="Trigger one of the two",
        )
    reason = params["release"].strip()
    if len(reason) < SHORTEST_REASON:
        raise FeedError(
            "release_without_reason", "the release came without a reason", expected="why it is right"
        )
    by = getattr(context["dag_run"], "triggering_user_name", None) or "somebody"
    return open_release(feed, period, reason=reason, by=by, attempt=params.get("attempt"), database=url)
