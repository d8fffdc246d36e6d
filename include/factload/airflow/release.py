"""A held load waits for a person: Airflow's own page asks for a decision and a reason, both kept with the load."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

from factload import steps
from factload.airflow.connection import database_url
from factload.airflow.failures import errors_noted, one_sentence
from factload.airflow.links import LoadLink, load_page
from factload.airflow.names import DECISION, RELEASE_TASK, SHORTEST_REASON
from factload.feed.file import read_feed
from factload.feed.model import Feed
from factload.load import Load
from factload.reasons import REASONS
from factload.reports.report import Report, read_report

# What the page asks for beside the decision. Of type string, the page takes no decision without it. Airflow checks the
# default too, before anybody is asked, so that a shortest length can't be told here.
QUESTION = {
    "reason": Param(
        "",
        type="string",
        title="Reason",
        description="Why the decision is right. The load's page shows it from then on.",
    )
}


class ReleaseHeldLoad(ApprovalOperator):
    """Passes a load that reconciled. For one that is held it waits, without a worker slot, for a person.

    Approved, the load is released in that person's name and for the reason given, and published. Left held, or not
    decided within ``waits``, the task fails. A decision without a reason is asked for again: Airflow's page checks
    what is typed there, its REST interface does not. ``load``: the load as JSON.
    """

    template_fields = (*ApprovalOperator.template_fields, "load")
    operator_extra_links = (LoadLink(),)

    # What the buttons say. "Reject", beside rejected rows, could be taken for either.
    APPROVE = "Publish as it is"
    REJECT = "Leave it held"

    def __init__(self, *, load: Any, waits: timedelta, **options: Any) -> None:
        super().__init__(
            subject="More rows were rejected, or fewer came, than the feed allows. Publish the load as it is?",
            response_timeout=waits,
            **options,
        )
        self.load = load

    def execute(self, context: Any) -> Any:
        """Ask, if there is something to ask."""
        load = Load.from_json(self.load)
        with errors_noted(context), one_sentence():
            feed = read_feed(load.feed).at(load.period_date)
            report = read_report(database_url(feed.fact.connection), load.load_id)
        if report.state != "held":
            return None
        self.body = question(report, feed, load_page(context["dag"].dag_id, context["run_id"]))
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Release the load, or leave it held."""
        given = str((event.get("params_input") or {}).get("reason") or "").strip()
        with errors_noted(context):
            if event.get("error_type") == "timeout":
                raise AirflowFailException(
                    f"Nobody decided in time: {Load.from_json(self.load).load_id} stays held"
                )
            if "error" not in event and len(given) < SHORTEST_REASON:
                self.log.warning(
                    "The decision came without a reason, which is kept with the load: asking again"
                )
                return self.execute(context)
            return self._decided(
                context, super(ApprovalOperator, self).execute_complete(context, event), given
            )

    def _decided(self, context: Any, answer: Any, reason: str) -> None:
        load = Load.from_json(self.load)
        who = (answer["responded_by_user"] or {}).get("name") or "somebody"
        if answer["chosen_options"] != [self.APPROVE]:
            decision = f"{who} decided to leave {load.load_id} held: {reason}"
            context["ti"].xcom_push(DECISION, decision)
            raise AirflowFailException(decision)
        with one_sentence():
            feed = read_feed(load.feed).at(load.period_date)
            url = database_url(feed.fact.connection)
            steps.release_load(load, feed, reason=reason, by=who, database=url)
        self.log.info("%s was released by %s", load.load_id, who)


def release_task(feed: Feed, load: Any, waits: timedelta) -> ReleaseHeldLoad:
    """The task between reconcile and publish that asks, in a feed with ``run.approval``."""
    notifiers = []
    if feed.run.notify is not None:
        from factload.airflow.mail import held

        notifiers = [held(feed, feed.run.notify)]
    return ReleaseHeldLoad(
        task_id=RELEASE_TASK,
        load=load,
        waits=waits,
        params=QUESTION,
        notifiers=notifiers,
        retries=0,  # a person's no is no fault, and whoever clears the task is asked again
    )


def question(report: Report, feed: Feed, page: str) -> str:
    """What a person is told before the decision, as Markdown: how many rows, why, the limit, and where to look."""
    rows = report.rows
    told = [
        f"**{report.load_id}**: {rows['rejected']:,} of {rows['source']:,} rows were rejected; "
        f"the feed allows {feed.max_rejects}. {rows['staged']:,} rows would be published."
    ]
    match report.error:
        case {"code": "too_few_rows"}:
            told.append("Fewer rows came than the feed asks for.")
        case {"code": "too_much_change", "message": message}:
            told.append(f"More has changed than the feed allows, {feed.max_change}: {message}")
        case {"code": "witness_differs", "message": message}:
            told.append(f"The owner's own number is another one: {message}")
    if report.rejects:
        by_reason = (f"| {REASONS.get(code, '')} | {code} | {n:,} |" for code, n in report.rejects.items())
        told.append("\n".join(["| what is wrong | code | rows |", "| --- | --- | ---: |", *by_reason]))
    told.append(f"[The load's page]({page}) says more, and has the rejected rows with their values.")
    return "\n\n".join(told)
