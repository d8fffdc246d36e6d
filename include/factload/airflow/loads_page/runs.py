"""What Airflow knows of a day: the runs that are for it, whatever they came to in the ledger.

A run may end, or wait, before it opens a load. The ledger then has nothing, and Airflow alone can tell such a day from
one that nobody ran. A run may also end without a word to the ledger, since its process was killed: Airflow alone can
tell such a load from one that is at work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from factload.airflow.names import OPEN_TASK, RELEASE_TASK
from factload.airflow.period import period_of
from factload.errors import FeedError

MISSING, WAITING, FAILED, SKIPPED = "missing", "waiting", "failed", "skipped"

_AT_WORK = ("queued", "running")
_A_DAY = timedelta(days=1)
_MOST = 10_000  # runs looked at for one answer, the newest first
_SHOWN = 5
_OPENED = "return_value"  # of the task that opens a load: the load
_FIELDS = (
    DagRun.dag_id,
    DagRun.run_id,
    DagRun.run_type,
    DagRun._state.label("state"),
    DagRun.conf,
    DagRun.partition_date,
    DagRun.data_interval_start,
    DagRun.logical_date,
    DagRun.run_after,
    DagRun.start_date,
)


@dataclass(frozen=True, slots=True)
class DayRun:
    """A run of a feed's DAG for one day.

    ``asks``: it waits for a person's word about a held load. ``dry``: it only says what a load would come to.
    ``opened``: the attempt that it opened. ``noted``: what its tasks noted (``factload.airflow.noted``).
    """

    run_id: str
    state: str
    run_type: str
    began: datetime | None
    dry: bool
    asks: bool = False
    opened: int | None = None
    noted: Mapping[str, Any] = field(default_factory=dict)

    @property
    def at_work(self) -> bool:
        """Whether it has not ended."""
        return self.state in _AT_WORK


def days_without_load(
    session: Session, zones: Mapping[str, tzinfo], days: Mapping[str, Collection[date]]
) -> dict[tuple[str, date], str]:
    """(DAG, day) → what its runs came to: waiting, failed or skipped; days that no run was for are left out.

    ``zones``: DAG → its time zone. ``days``: DAG → the days of which the ledger has no load.
    """
    wanted = [day for its in days.values() for day in its]
    if not wanted:
        return {}
    found: dict[tuple[str, date], str] = {}
    for run in _runs(session, days, min(wanted), max(wanted)):
        period = _period(run, zones[run.dag_id])
        if period is None or period not in days[run.dag_id] or _is_dry(run):
            continue
        if run.state in _AT_WORK:
            found[run.dag_id, period] = WAITING
        else:  # the newest comes first
            found.setdefault((run.dag_id, period), FAILED if run.state == "failed" else SKIPPED)
    return found


def runs_of_day(session: Session, dag_id: str, day: date, zone: tzinfo) -> list[DayRun]:
    """The last runs of the DAG that were for the day, newest first."""
    found = [run for run in _runs(session, [dag_id], day, day) if _period(run, zone) == day][:_SHOWN]
    asking = set(
        session.scalars(
            select(TaskInstance.run_id).where(
                TaskInstance.dag_id == dag_id,
                TaskInstance.run_id.in_([run.run_id for run in found if run.state in _AT_WORK]),
                TaskInstance.task_id == RELEASE_TASK,
                TaskInstance.state.in_(("awaiting_input", "deferred")),  # deferred: before Airflow 3.3
            )
        )
    )
    told = _told(session, [dag_id], [run.run_id for run in found])
    return [
        DayRun(
            run.run_id,
            run.state,
            run.run_type,
            run.start_date,
            dry=_is_dry(run),
            asks=run.run_id in asking,
            opened=_epoch(told.get((dag_id, run.run_id), {}).get(_OPENED)),
            noted=told.get((dag_id, run.run_id), {}),
        )
        for run in found
    ]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What Airflow knows of attempts that have not ended, as (DAG, day). ``given_up``: their run has ended, so that no
    process works on them; ``at_work``: a run of the day has not."""

    given_up: frozenset[tuple[str, date]] = frozenset()
    at_work: frozenset[tuple[str, date]] = frozenset()


def under_way(
    session: Session, zones: Mapping[str, tzinfo], attempts: Mapping[str, Mapping[date, int]]
) -> UnderWay:
    """What the runs of these attempts' days come to.

    ``zones``: DAG → its time zone. ``attempts``: DAG → day → the epoch that the ledger takes for being at work. One
    that no run of Airflow opened is left alone: it may be at work elsewhere.
    """
    wanted = [day for its in attempts.values() for day in its]
    if not wanted:
        return UnderWay()
    found = {
        (run.dag_id, run.run_id): (period, _is_at_work(run))
        for run in _runs(session, attempts, min(wanted), max(wanted))
        if (period := _period(run, zones[run.dag_id])) in attempts[run.dag_id]
    }
    told = _told(session, attempts, [run_id for _, run_id in found])
    opened: dict[bool, set[tuple[str, date]]] = {True: set(), False: set()}
    for (dag_id, run_id), (period, at_work) in found.items():
        if period and _epoch(told.get((dag_id, run_id), {}).get(_OPENED)) == attempts[dag_id][period]:
            opened[at_work].add((dag_id, period))
    working = frozenset(
        (dag_id, period) for (dag_id, _), (period, works) in found.items() if period and works
    )
    return UnderWay(frozenset(opened[False] - opened[True]), working)


def _told(
    session: Session, dag_ids: Collection[str], run_ids: Collection[str]
) -> dict[tuple[str, str], dict[str, Any]]:
    """(DAG, run) → what its tasks that open and release the load handed on, by its name."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    query = select(XComModel.dag_id, XComModel.run_id, XComModel.key, XComModel.value).where(
        XComModel.dag_id.in_(dag_ids),
        XComModel.run_id.in_(run_ids),
        (XComModel.task_id == OPEN_TASK) | ((XComModel.task_id == RELEASE_TASK) & (XComModel.key != _OPENED)),
    )
    for dag_id, run_id, key, value in session.execute(query) if run_ids else ():
        found.setdefault((dag_id, run_id), {})[key] = value
    return found


def _epoch(load: Any) -> int | None:
    """The attempt in a load as JSON; None where a store of the deployment's own keeps it elsewhere."""
    epoch = load.get("epoch") if isinstance(load, dict) else None
    return epoch if isinstance(epoch, int) else None


def _runs(session: Session, dag_ids: Collection[str], first: date, last: date) -> list[Any]:
    """The runs that may be for a day from ``first`` to ``last``; which day each is for, ``period_of`` says."""
    early, late = _midnight(first) - _A_DAY, _midnight(last) + 2 * _A_DAY  # whatever the time zone
    by_date: list[ColumnElement[bool]] = [
        moment.between(early, late) for moment in (DagRun.logical_date, DagRun.partition_date)
    ]
    by_hand = (DagRun.run_type == "manual") | DagRun.logical_date.is_(None)
    query = (
        select(*_FIELDS)
        .where(DagRun.dag_id.in_(dag_ids), or_(*by_date, by_hand & (DagRun.run_after >= early)))
        .order_by(DagRun.run_after.desc(), DagRun.id.desc())
        .limit(_MOST)
    )
    return list(session.execute(query))


def _period(run: Any, zone: tzinfo) -> date | None:
    try:
        return period_of(run, run.conf or {}, zone)
    except FeedError:  # its parameter is no date
        return None


def _is_at_work(run: Any) -> bool:
    return run.state in _AT_WORK and not _is_dry(run)


def _is_dry(run: Any) -> bool:
    return bool((run.conf or {}).get("dry_run"))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
