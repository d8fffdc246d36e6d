"""Which business date a DAG run is for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any

from factload.errors import FeedError


def period_of(run: Any, params: Mapping[str, Any], timezone: tzinfo) -> date:
    """The period of ``run``: the parameter, else the run's own date, in the DAG's timezone.

    In this order, for the first that is set: the parameter ``period``; the partition date; the start of the data
    interval; the logical date; the time after which the run may start, which every run has (a manual run may
    have none of the others). Raises ``FeedError`` when the parameter is not a date.
    """
    if chosen := params.get("period"):
        try:
            return date.fromisoformat(str(chosen))
        except ValueError:
            raise FeedError(
                "period_invalid", "the parameter `period` is not a date", expected="YYYY-MM-DD"
            ) from None
    moments = (
        getattr(run, name, None)
        for name in ("partition_date", "data_interval_start", "logical_date", "run_after")
    )
    moment: datetime = next(m for m in moments if m is not None)
    return moment.astimezone(timezone).date()
