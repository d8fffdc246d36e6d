"""Mails that Airflow sends about a feed: a failed run, a load that waits for a person, a missed deadline."""

from __future__ import annotations

from datetime import timedelta

from airflow.configuration import conf
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from airflow_edge.deadline import PeriodDeadline
from factload.feed.model import Feed
from factload.feed.schedule import Notify

_RUN = "{{ dag_run.dag_id }}, run {{ dag_run.run_id }}"
_PATH = "dags/{{ dag_run.dag_id }}/runs/{{ dag_run.run_id }}"


def failed(feed: Feed, notify: Notify) -> SmtpNotifier:
    """The mail about a run that failed."""
    return _mail(
        notify,
        f"{feed.feed}: a load failed",
        f"<p>{_RUN} failed. Its failed task's last line says what was seen, what was expected and what to do "
        f"next.</p>",
    )


def held(feed: Feed, notify: Notify) -> SmtpNotifier:
    """The mail about a load that waits for a person's decision."""
    return _mail(
        notify,
        f"{feed.feed}: a load is held",
        f"<p>{_RUN} has more rejected rows than the feed allows and waits for a decision: release or refuse "
        "it on the page of its task release.</p>",
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
                "to": list(notify.email),
                "subject": text,
                "html_content": f"<p>{text} ({feed.run.timezone}): {_RUN}.</p>",
                "smtp_conn_id": notify.connection,
            },
        ),
    )


def _mail(notify: Notify, subject: str, text: str) -> SmtpNotifier:
    where = f"<p>{conf.get('api', 'base_url', fallback='').rstrip('/')}/{_PATH}</p>"
    return SmtpNotifier(
        to=list(notify.email), smtp_conn_id=notify.connection, subject=subject, html_content=text + where
    )
