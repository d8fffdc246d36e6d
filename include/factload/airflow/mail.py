"""Mails that Airflow sends about a feed: a failed run, a load that waits for a person, a missed deadline."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import Any

from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from factload.airflow.deadline import PeriodDeadline
from factload.airflow.links import load_page
from factload.airflow.names import ERROR
from factload.feed.model import Feed
from factload.feed.schedule import Notify

_RUN = "{{ dag_run.dag_id | e }}, run {{ dag_run.run_id | e }}"
_PAGE = load_page("{{ dag_run.dag_id | urlencode }}", "{{ dag_run.run_id | urlencode }}")
_WHERE = f'<p><a href="{_PAGE}">The load\'s page</a>: {_PAGE}</p>'


class FailureMail(SmtpNotifier):
    """The mail about a run that failed, with the sentence that its failed task ended in."""

    def notify(self, context: Any) -> None:
        """Send it."""
        reason = self._reason(context)
        if reason:
            # After the rendering: what an error says is no template, and no markup.
            self.html_content = f"<p>{escape(reason)}</p>{self.html_content}"
        super().notify(context)

    def _reason(self, context: Any) -> str:
        """What the failed task noted; nothing when its worker was killed, or a person ended the run."""
        instance, dag = context.get("ti"), context.get("dag")
        if instance is None or dag is None:
            return ""
        for task_id in dag.task_ids:
            noted = instance.xcom_pull(task_ids=task_id, key=ERROR)
            if said := next(filter(None, noted if isinstance(noted, list) else [noted]), None):
                return str(said)
        return ""


def failed(feed: Feed, notify: Notify) -> SmtpNotifier:
    """The mail about a run that failed."""
    return FailureMail(
        **_to(notify),
        subject=f"{feed.feed}: a load failed",
        html_content=f"<p>{_RUN} failed. The load's page says how far it came and what to do next.</p>{_WHERE}",
    )


def held(feed: Feed, notify: Notify) -> SmtpNotifier:
    """The mail about a load that waits for a person's decision."""
    return SmtpNotifier(
        **_to(notify),
        subject=f"{feed.feed}: a load is held",
        html_content=f"<p>{_RUN} has more rejected rows, or fewer rows, than the feed allows, and waits for a "
        f"decision: <b>Decide in Airflow</b> on the load's page leads to the question.</p>{_WHERE}",
    )


def deadline(feed: Feed, notify: Notify) -> DeadlineAlert | None:
    """The mail that goes out when a period isn't published by the hour that the feed states."""
    hour = feed.run.deadline
    if hour is None:
        return None
    text = f"{feed.feed}: not published by {hour:%H:%M}"
    return DeadlineAlert(
        reference=PeriodDeadline(f"{hour:%H:%M}", feed.run.timezone),
        interval=timedelta(0),
        callback=AsyncCallback(
            SmtpNotifier,
            kwargs={
                **_to(notify),
                "subject": text,
                "html_content": f"<p>{text} ({feed.run.timezone}): {_RUN}.</p>{_WHERE}",
            },
        ),
    )


def _to(notify: Notify) -> dict[str, Any]:
    return {"to": list(notify.email), "smtp_conn_id": notify.connection}
