"""Whether a person is asked about a held load."""

from __future__ import annotations

from typing import Any

from factload.feed.model import Feed


def approval(feed: Feed, load: Any) -> list[Any]:
    """The task between reconcile and publish that asks, in the feeds that say so (``run.approval``)."""
    if feed.run.approval is None:
        return []
    from factload.airflow.release import (
        QUESTION,
        ReleaseHeldLoad,
    )  # the provider takes its time to import, and few feeds ask

    notifiers = []
    if feed.run.notify is not None:
        from factload.airflow.mail import held

        notifiers = [held(feed, feed.run.notify)]
    release = ReleaseHeldLoad(
        task_id="release",
        load=load,
        waits=feed.run.approval,
        params=QUESTION,
        notifiers=notifiers,
        retries=0,  # a person's no is no fault, and whoever clears the task is asked again
    )
    return [release]
