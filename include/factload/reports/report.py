"""What a load came to, as the ledger has it: the same report for the command line, the DAG and the demo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection

from factload.errors import INTERRUPTED, ConnectionLost, FactloadError
from factload.feed.model import Feed
from factload.ledger.conditions import NEWEST_ATTEMPT, of_content
from factload.ledger.migrations import is_installed
from factload.ledger.opening import no_such_load
from factload.ledger.rejects import rejects_by_reason
from factload.ledger.states import Standing
from factload.ledger.tables import attempts, loads, partitions, steps
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.reconcile.witness import by_measure

STEPS = (
    "open_load",
    "extract_dimension_map",
    "split_workbook",
    "load_partition",
    "reconcile",
    "publish",
    "clean_staging",
)


@dataclass(frozen=True, slots=True)
class Report:
    """The newest attempt at a load.

    ``rows`` and ``rejects`` are counts; ``control_totals`` measure → {source, published} as exact decimal text;
    ``unknown`` dimension → rows with its member for the unknown; ``created`` dimension → members the load made;
    ``updated`` dimension → members brought up to date, ``left`` those that a newer period, or a person, has changed,
    ``added`` new versions of members;
    ``seconds`` step → wall time from its first start to its last end; ``peak_rss_mb`` step → 10^6 bytes;
    ``left_out`` reason → rows that are no data, such as totals; ``witness`` the owner's own numbers, each beside the
    load's, as ``reconcile.witness.Compared`` has them, once it is reconciled;
    ``released`` {by, at, reason}, when a person let it be published though it was held; ``verified`` {at, state}, when
    its fact rows were last compared with what was published; ``undone`` {by, at, reason}, when it is an undo that says
    what stands; ``workers`` host → partitions whose rows it staged.
    """

    feed: str
    period: str
    load_id: str
    state: str
    error: dict[str, str] | None = None
    rows: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("source", "blank", "rejected", "staged", "published"), 0)
    )
    rejects: dict[str, int] = field(default_factory=dict)
    control_totals: dict[str, dict[str, str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    peak_rss_mb: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    released: dict[str, str] | None = None
    verified: dict[str, str] | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    undone: dict[str, str] | None = None
    witness: list[dict[str, Any]] = field(default_factory=list)
    workers: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)

    @property
    def witnessed(self) -> dict[str, str]:
        """Measure → what the owner's numbers come to together, as exact decimal text; only if all can be read."""
        return by_measure(self.witness)

    @property
    def accounted(self) -> int:
        """The rows of which it is known what became of them: as many as the source has, if all is well."""
        rows = self.rows
        return rows["blank"] + sum(self.left_out.values()) + rows["rejected"] + rows["staged"]

    @property
    def exit_status(self) -> int:
        """What the command that printed it ends with."""
        return 3 if self.error else 0

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        return asdict(self)


def report_of(connection: Connection, load_id: str) -> Report:
    """The report of a load's newest attempt; raises ``FeedError`` when the ledger has no such load."""
    if not is_installed(connection):
        raise no_such_load(load_id)
    found = connection.execute(
        select(loads.c.feed, loads.c.period, attempts)
        .join(attempts, NEWEST_ATTEMPT)
        .where(loads.c.load_id == load_id)
    ).one_or_none()
    if found is None:
        raise no_such_load(load_id)
    timed = {
        row.step: row
        for row in connection.execute(
            select(
                steps.c.step,
                func.extract("epoch", func.max(steps.c.finished_at) - func.min(steps.c.started_at)).label(
                    "s"
                ),
                func.max(steps.c.peak_rss_mb).label("mb"),
            )
            .where(steps.c.load_id == load_id, steps.c.epoch == found.epoch)
            .group_by(steps.c.step)
        )
    }
    members = connection.execute(
        select(partitions.c.unknown_rows, partitions.c.created_members, partitions.c.worker).where(
            of_content(partitions, load_id, found.content)
        )
    ).all()
    return Report(
        feed=found.feed,
        period=found.period.isoformat(),
        load_id=load_id,
        state=found.state,
        error={"code": found.error_code, "message": found.error_message} if found.error_code else None,
        rows={
            name: getattr(found, f"{name}_rows")
            for name in ("source", "blank", "rejected", "staged", "published")
        },
        rejects=rejects_by_reason(connection, load_id),
        control_totals={
            name: {"source": total, "published": found.published_totals.get(name, "0")}
            for name, total in found.source_totals.items()
        },
        seconds={step: round(float(timed[step].s), 3) for step in STEPS if step in timed},
        peak_rss_mb={step: float(timed[step].mb) for step in STEPS if step in timed},
        warnings=list(found.warnings),
        unknown=_sum(row.unknown_rows for row in members),
        created=_sum(row.created_members for row in members),
        released=_released(found),
        verified=_verified(found),
        undone=_undone(found),
        left_out=dict(found.left_out_rows),
        witness=[one for one in found.witness if "equal" in one],
        workers=_sum({row.worker: 1} for row in members if row.worker),
        updated={name: counts["updated"] for name, counts in found.member_counts.items()},
        left={name: counts["left"] for name, counts in found.member_counts.items() if counts["left"]},
        added={name: counts["added"] for name, counts in found.member_counts.items() if "added" in counts},
    )


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))


def _released(attempt: Row[Any]) -> dict[str, str] | None:
    if attempt.released_at is None:
        return None
    return {"by": attempt.released_by, "at": _utc(attempt.released_at), "reason": attempt.release_reason}


def _undone(attempt: Row[Any]) -> dict[str, str] | None:
    if attempt.undoes is None:
        return None
    return {"by": attempt.undone_by, "at": _utc(attempt.ended_at), "reason": attempt.undo_reason}


def _verified(attempt: Row[Any]) -> dict[str, str] | None:
    if attempt.verified_at is None:
        return None
    return {"at": _utc(attempt.verified_at), "state": attempt.verified_as}


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def read_report(database: str, load_id: str) -> Report:
    """The report of a load in the ledger at the URL ``database``; raises ``FeedError`` when there is no such load."""
    with database_errors("reading the ledger"), engine_for(database).connect() as connection:
        return report_of(connection, load_id)


def after_failure(
    database: str | None, feed: Feed | None, name: str, period: date, error: FactloadError
) -> Report:
    """The report of a run that ended in ``error``: the ledger's, when the ledger knows this very end.

    Nobody who said stop waits for it, and a database that is away isn't asked.
    """
    load_id = feed.load_id(period) if feed else ""
    said = {"code": error.code, "message": str(error)}
    if feed and database and not isinstance(error, ConnectionLost) and error.code != INTERRUPTED:
        try:
            found = read_report(database, load_id)
            if found.error == said:  # an older attempt may have ended with the same code
                return found
        except FactloadError:
            pass  # the error that is being reported says more than this one
    return Report(
        feed=feed.feed if feed else name,
        period=period.isoformat(),
        load_id=load_id,
        state="refused" if error.exit_status == 3 else "failed",
        error=said,
    )


def read_status(database: str, feed: str | None) -> list[dict[str, Any]]:
    """A mapping for each load in the ledger, newest period first; ``next`` says what resumes it."""
    of_this = (partitions.c.load_id == loads.c.load_id) & (partitions.c.content == attempts.c.content)
    query = (
        select(
            loads.c.load_id,
            attempts.c.epoch,
            attempts.c.state,
            attempts.c.source_rows.label("source"),
            attempts.c.rejected_rows.label("rejected"),
            attempts.c.published_rows.label("published"),
            func.to_char(
                func.timezone("UTC", func.coalesce(attempts.c.ended_at, attempts.c.opened_at)),
                "YYYY-MM-DD HH24:MI:SS",
            ).label("since"),
            attempts.c.error_message.label("error"),
            select(func.count()).where(of_this).scalar_subquery().label("partitions"),
            select(func.count(partitions.c.staged_from)).where(of_this).scalar_subquery().label("staged"),
            select(func.array_agg(partitions.c.worker.distinct()))
            .where(of_this, partitions.c.worker.is_not(None))
            .scalar_subquery()
            .label("workers"),
            loads.c.published_epoch.is_not(None).label("visible"),
        )
        .join(attempts, NEWEST_ATTEMPT)
        .order_by(loads.c.period.desc(), loads.c.feed)
    )
    if feed is not None:
        query = query.where(loads.c.feed == Path(feed).stem)
    with database_errors("reading the ledger"), engine_for(database).connect() as connection:
        if not is_installed(connection):
            return []
        return [_with_next(dict(row._mapping)) for row in connection.execute(query)]


def _with_next(line: dict[str, Any]) -> dict[str, Any]:
    standing = Standing(**{field.name: line[field.name] for field in fields(Standing)})
    return line | {"next": standing.sentence, "workers": line["workers"] or []}
