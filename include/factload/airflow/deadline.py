"""The hour by which a period has to be published, and who hears of it when it isn't."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from airflow.sdk.definitions.deadline import BaseDeadlineReference

_SCHEDULED = "scheduled"


@dataclass(frozen=True)
class PeriodDeadline(BaseDeadlineReference):
    """The first ``hour`` ("06:00", wall clock of ``timezone``) at or after the moment when a run was due.

    Only nightly runs have one: a backfilled period is late by its nature, and who starts a run by hand is there.
    """

    required_kwargs = frozenset({"dag_id", "run_id"})

    hour: str
    timezone: str

    def serialize_reference(self) -> dict[str, Any]:
        """As Airflow keeps it beside the DAG."""
        return {**super().serialize_reference(), "hour": self.hour, "timezone": self.timezone}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> Self:
        """What ``serialize_reference`` wrote."""
        return cls(hour=reference_data["hour"], timezone=reference_data["timezone"])

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str) -> datetime | None:
        from airflow.models import DagRun
        from sqlalchemy import select

        run = session.execute(
            select(DagRun.run_type, DagRun.run_after).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        ).one_or_none()
        if run is None or str(run.run_type) != _SCHEDULED:
            return None
        return next_hour(run.run_after, time.fromisoformat(self.hour), ZoneInfo(self.timezone))


def next_hour(moment: datetime, hour: time, zone: ZoneInfo) -> datetime:
    """The first time at or after ``moment`` (aware) when clocks in ``zone`` show ``hour``."""
    local = moment.astimezone(zone)
    that_day = datetime.combine(local.date(), hour, tzinfo=zone)
    if that_day.astimezone(moment.tzinfo) >= moment:
        return that_day
    return datetime.combine(local.date() + timedelta(days=1), hour, tzinfo=zone)
