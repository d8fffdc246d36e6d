"""A held load waits for a person: Airflow's own page asks for a decision and a reason, both kept with the load."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

from airflow_edge.connection import database_url
from airflow_edge.refusals import one_sentence
from factload import steps
from factload.errors import RowsRefused
from factload.feed.file import read_feed
from factload.load import Load
from factload.reports.report import read_report

_SHORTEST_REASON = 3
# What the page asks for beside the decision.
QUESTION = {
    "reason": Param(
        None,
        type=["null", "string"],
        minLength=_SHORTEST_REASON,
        title="Reason",
        description="Why it is right to publish without these rows. Kept with the load.",
    )
}


class ReleaseHeldLoad(ApprovalOperator):
    """Passes a load that reconciled. For one that is held it waits, without a worker slot, for a person.

    Approved, the load is released in that person's name and for the reason given, and published. Rejected, or not
    decided within ``waits``, the task fails and the load stays held. ``load``: the load as JSON.
    """

    template_fields = (*ApprovalOperator.template_fields, "load")

    def __init__(self, *, load: Any, waits: timedelta, **options: Any) -> None:
        super().__init__(
            subject="More rows were rejected than the feed allows. Publish the load all the same?",
            response_timeout=waits,
            **options,
        )
        self.load = load

    def execute(self, context: Any) -> Any:
        """Ask, if there is something to ask."""
        load = Load.from_json(self.load)
        with one_sentence():
            url = database_url(read_feed(load.feed).fact.connection)
            report = read_report(url, load.load_id)
        if report.state != "held":
            return None
        by_reason = "\n".join(f"| {reason} | {rows:,} |" for reason, rows in report.rejects.items())
        self.body = (
            f"**{load.load_id}**: {report.rows['rejected']:,} of {report.rows['source']:,} rows were rejected.\n\n"
            f"| rejected because | rows |\n| --- | ---: |\n{by_reason}\n"
        )
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Release the load, or leave it held."""
        answer = super(ApprovalOperator, self).execute_complete(context, event)
        load = Load.from_json(self.load)
        who = (answer["responded_by_user"] or {}).get("name") or "somebody"
        if answer["chosen_options"] != [self.APPROVE]:
            raise AirflowFailException(f"{who} decided not to publish {load.load_id}: it stays held")
        with one_sentence():
            feed = read_feed(load.feed)
            reason = str(answer["params_input"].get("reason") or "").strip()
            if len(reason) < _SHORTEST_REASON:
                raise RowsRefused(
                    "reason_missing",
                    f"{load.load_id} was approved without a reason",
                    expected="a reason, which is kept with the load",
                    remedy="Clear this task, and decide again",
                )
            url = database_url(feed.fact.connection)
            steps.release_load(load, feed, reason=reason, by=who, database=url)
        self.log.info("%s was released by %s", load.load_id, who)
        return None
