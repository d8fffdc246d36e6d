"""The trigger form: what a person may ask of a run, checked by Airflow before the run begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from factload.airflow.names import SHORTEST_REASON
from factload.feed.model import Feed

_LONGEST_PATH = 1024
_LONGEST_REASON = 1000
_INSERTS = {"core": "Core inserts of arrays", "copy": "COPY"}

# Where the feed has `run.approval`, the run that holds the load asks for a decision instead.
_RELEASE_SECTION = "Release a held load"  # which Airflow's forms show folded
_RELEASE = {
    "release": Param(
        None,
        type=["null", "string"],
        minLength=SHORTEST_REASON,
        maxLength=_LONGEST_REASON,
        title="Release",
        section=_RELEASE_SECTION,
        description="Why the held load of the period is to be published as it is staged. Nothing is read again; reason "
        "and name are kept with the load. Empty: nothing is released.",
    ),
    "attempt": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Attempt",
        section=_RELEASE_SECTION,
        description="With a release: the number of the attempt that was looked at. If a newer one has begun, the "
        "run fails, and nothing is released.",
    ),
}


def parameters(feed: Feed) -> dict[str, Param]:
    """The fields of the form, in the order in which they are asked. Left alone, they load the run's own period.

    Airflow shows descriptions as they stand, without markup.
    """
    return {
        "period": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Period",
            description="The business date to load. Empty: the run's own date.",
        ),
        "workbook": Param(
            None,
            type=["null", "string"],
            maxLength=_LONGEST_PATH,
            pattern=r"^[^\x00-\x1f]+$",
            title="Workbook",
            description=f"A path inside the allowed roots, or a pattern for several. Empty: {feed.workbook.path}",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Read everything and report what a load would come to, and what publishing would change, in "
            "rows, totals and cells: in the log of the task open_load, and on the day's page. Nothing is written.",
        ),
        "reload": Param(
            False,
            type="boolean",
            title="Reload",
            description="Load again what is published already, though neither workbook nor feed has changed.",
        ),
        "replay": Param(
            False,
            type="boolean",
            title="Replay rejects",
            description="Try the rejected rows of the period again, after the dimension has caught up. With a "
            "workbook named above: as that corrected workbook has them.",
        ),
        "insert": Param(
            None,
            type=["null", "string"],
            enum=[None, "core", "copy"],
            values_display={"null": f"As the feed says: {feed.insert}", **_INSERTS},
            title="Insert method",
            description="How rows get into the staging table.",
        ),
        **({} if feed.run.approval else _RELEASE),
    }


def asked_of(feed: Feed, params: Mapping[str, Any]) -> Feed:
    """The feed as this run uses it: what was asked for on the form goes before the file."""
    insert = params.get("insert")
    return feed.model_copy(update={"insert": insert}) if insert else feed
