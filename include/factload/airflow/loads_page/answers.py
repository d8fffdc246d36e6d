"""What the page is told, as plain values: dates as ISO text, exact sums as decimal text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from factload.airflow.loads_page.feed_days import FeedDays
from factload.airflow.loads_page.gaps import Gap
from factload.airflow.loads_page.runs import DayRun
from factload.airflow.names import DECISION, ERROR, REPORT, SKIPPED, WAITS
from factload.errors import FactloadError
from factload.reasons import REASONS
from factload.reconcile.witness import by_measure
from factload.reports.detail import LoadDetail
from factload.reports.history import RUNNING, LoadSummary, days_with_unusual_rows, outlying
from factload.reports.months import Month
from factload.reports.reject_pages import RejectPage

OUTLIER_RULE = "modified z-score above 3.5 (median absolute deviation), from eight loads on"
SLOW_RULE = "less than half the median rows per second; short partitions don't count"


def problem(error: FactloadError) -> dict[str, str]:
    """An error that a person can do something about."""
    return {"code": error.code, "message": str(error)}


def feed_days(row: FeedDays, now: datetime) -> dict[str, Any]:
    """One row of the calendar."""
    feed = row.known.feed
    odd = days_with_unusual_rows(row.loads)
    return {
        "feed": row.known.name,
        "dag_id": row.known.dag_id,
        "workbook": feed.workbook.path if feed else None,
        "problem": problem(row.problem) if row.problem else None,
        "first": row.first.isoformat() if row.first else None,
        "fresh": _plain(asdict(row.fresh)) if row.fresh else None,
        "days": [day(load, _state(load, row, now), odd=load.period in odd) for load in row.loads],
        "absent": {period.isoformat(): state for period, state in row.absent.items()},
        "gaps": [gap(each) for each in row.gaps()],
    }


def _state(load: LoadSummary, row: FeedDays, now: datetime) -> str:
    if load.period in row.gone:
        return "failed"
    return "reconciled" if load.period in row.staged else load.shown_state(now)


def day(load: LoadSummary, state: str, *, odd: bool) -> dict[str, Any]:
    """One cell of the calendar, without what would say nothing: there are thousands.

    ``state``: as a person is told it. ``odd``: its rows are an unusual number.
    """
    cell: dict[str, Any] = {"period": load.period.isoformat(), "state": state}
    if load.state == "published":
        cell["published"] = load.published
    elif load.published_epoch is not None:
        cell["older"] = True  # readers still see what an earlier attempt published
    if load.rejected:
        cell["rejected"] = load.rejected
        cell["share"] = round(load.reject_share() or 0, 6)
    if odd:
        cell["odd"] = True
    if load.verified_as == "differs":
        cell["altered"] = True
    elif load.verified_at is not None and load.verified_as == "stands":
        cell["verified"] = load.verified_at.date().isoformat()
    return cell


def gap(found: Gap) -> dict[str, str]:
    """Days in a row without a load; the moments are those of Airflow's backfill."""
    return {name: value.isoformat() for name, value in asdict(found).items()}


def trend(loads: list[LoadSummary], now: datetime) -> dict[str, Any]:
    """The feed's last loads, each with what is unusual about it."""
    unusual = {
        "rows": outlying([float(load.source) for load in loads]),
        "seconds": outlying([load.seconds() for load in loads]),
        "reject_share": outlying([load.reject_share() for load in loads]),
    }
    return {
        "rule": OUTLIER_RULE,
        "loads": [
            {
                "period": load.period.isoformat(),
                "state": load.shown_state(now),
                "rows": load.source,
                "seconds": load.seconds(),
                "rejected": load.rejected,
                "reject_share": load.reject_share(),
                "unusual": [name for name, flags in unusual.items() if flags[position]],
            }
            for position, load in enumerate(loads)
        ],
    }


def run(found: DayRun) -> dict[str, Any]:
    """A run of the day, and what its tasks noted."""
    plain = {"run_id": found.run_id, "state": found.state, "at_work": found.at_work, "dry": found.dry}
    return plain | {
        "began": found.began.isoformat() if found.began else None,
        "asks": found.asks,
        "opened": found.opened,
        **{name: found.noted.get(name) for name in (ERROR, WAITS, SKIPPED, DECISION)},
        "report": _report(found.noted[REPORT]) if found.dry and REPORT in found.noted else None,
    }


def _report(report: dict[str, Any]) -> dict[str, Any]:
    """What a dry run found out."""
    names = ("state", "rejects", "warnings", "problems", "change", "difference")
    told = {name: report.get(name) for name in names}
    left_out = sum((report.get("left_out") or {}).values())
    told["rejected"] = [
        {name: cell.get(name) for name in ("workbook", "address", "column", "reason", "explanation")}
        for cell in report.get("rejected") or []
    ]
    return told | {"rows": report["rows"] | {"left_out": left_out} if report.get("rows") else None}


def load(
    detail: LoadDetail, runs: Sequence[DayRun], now: datetime, *, staged: bool, comparable: bool
) -> dict[str, Any]:
    """A load in full. ``gone``: the ledger takes it for running, and the run that opened its attempt has ended.
    ``staged``: its rows wait to be published; they are ``comparable`` with what stands if the feed as it is now staged
    them, and while no run is about to publish them."""
    newest = detail.attempts[0]
    through = detail.partitions if newest.ended_at else [part for part in detail.partitions if part.done]
    witness = [one for one in newest.witness if "equal" in one]
    said = by_measure(witness)
    # A release opens again what an earlier run has held.
    opened = [run for run in runs if run.opened == newest.epoch]
    gone = newest.state in RUNNING and bool(opened) and not any(run.at_work for run in opened)
    waits = staged and (newest.state == "held" or not any(run.at_work and not run.dry for run in runs))
    left = waits and newest.state == "reconciled" and not gone  # as `factload diff` leaves a load
    return {
        "load_id": detail.summary.load_id,
        "state": "failed" if gone else "reconciled" if left else detail.summary.shown_state(now),
        "gone": gone,
        "comparable": waits and comparable,
        "epoch": detail.summary.epoch,
        "published_epoch": detail.summary.published_epoch,
        "seconds": detail.summary.seconds(),
        "paused": detail.summary.paused,
        "running_seconds": (now - newest.opened_at).total_seconds(),
        "is_split": detail.is_split,
        "kept_until": detail.kept_until.isoformat() if detail.kept_until else None,
        "rows_done": detail.rows_done(),
        "rows": {
            "source": newest.source_rows,
            "blank": newest.blank_rows,
            "left_out": sum(newest.left_out_rows.values()),
            "rejected": newest.rejected_rows or sum(p.rejected or 0 for p in through),
            "staged": newest.staged_rows or sum(p.staged or 0 for p in through),
            "published": newest.published_rows,
        },
        "totals": [
            {
                "measure": name,
                "source": total,
                "published": newest.published_totals.get(name),
                "witness": said.get(name),
            }
            for name, total in newest.source_totals.items()
        ],
        "witness": witness,
        "slow_rule": SLOW_RULE,
        "attempts": [_plain(asdict(attempt)) for attempt in detail.attempts],
        "partitions": [_plain(asdict(partition)) for partition in detail.partitions],
        "steps": [_plain(asdict(step) | {"seconds": step.seconds()}) for step in detail.steps],
    }


def months(found: Sequence[Month]) -> list[dict[str, Any]]:
    """A line for each month."""
    return [_plain(asdict(month)) for month in found]


def reasons(counted: dict[str, int]) -> list[dict[str, Any]]:
    """The rejects by reason, most frequent first."""
    return [
        {"reason": reason, "explanation": REASONS.get(reason, ""), "rows": rows}
        for reason, rows in counted.items()
    ]


def rejects(page: RejectPage) -> dict[str, Any]:
    """One page of rejected rows, and where the next begins."""
    return {"rows": [row.to_json() for row in page.rows], "next": page.next}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in values.items()
    }
