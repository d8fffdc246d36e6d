"""A load's last change taken back, on the word of a person: the rows before it stand again, or none."""

from __future__ import annotations

from datetime import date
from functools import partial

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from factload.errors import FeedError, ReconciliationError
from factload.fact.members.changes import take_back as take_back_members
from factload.fact.members.versions import take_back_versions
from factload.fact.modes.registry import mode_of
from factload.fact.table import fact_table
from factload.fact.taking_out import TakingBack, facts_altered
from factload.feed.model import Feed
from factload.ledger.member_changes import MemberCounts, record_members
from factload.ledger.migrations import install
from factload.ledger.tables import STAGING_SCHEMA
from factload.ledger.undoing import UndoPlan, hold, is_undone, last_change, plan_undo, record_undo
from factload.load import Load, SourceFile
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.postgres.locks import holders_named
from factload.postgres.tables import reflect
from factload.progress import QUIET, Progress
from factload.runtime.retry import PAUSES, again_after_conflict, through_losses
from factload.staging import kept
from factload.verify.found import Tables, find, find_in
from factload.verify.judgement import judge
from factload.verify.published import published_load

_LEFT = "they were changed since, or rows of a newer period speak of them"


def undo_load(
    feed: Feed, period: date, *, reason: str, by: str, database: str, progress: Progress = QUIET
) -> None:
    """Take back the last change of a load, in one transaction: what it had published before stands again, or nothing.

    Who, why and when stay in the ledger, as an attempt of its own. Once, however often the connection is lost: what a
    COMMIT whose answer never came has done is not done again.

    Raises ``FeedError`` where the rows before are not kept, or the mode has none of its own; ``ReconciliationError``
    where what is kept is not what was published; ``Superseded`` where somebody else has changed the load meanwhile.
    """
    load_id = feed.load_id(period)
    take_back = mode_of(feed.fact).take_back
    if take_back is None:
        raise FeedError(
            "undo_mode",
            f"{load_id} can't be undone: with mode `{feed.fact.mode.kind}` no row is a load's own to take back",
            expected="a feed with `mode: replace` or `mode: exchange`",
            remedy="Correct the rows in the fact table, or load a workbook that does",
        )
    undoes = through_losses(partial(_last_change, load_id, database), progress)
    # The database has answered by now: whatever it says nothing to is tried again.
    undoing = partial(_undo, feed, load_id, undoes, reason, by, database)
    through_losses(undoing, progress, iter(PAUSES))


def _last_change(load_id: str, database: str) -> int:
    with database_errors("reading the ledger"), engine_for(database).begin() as connection:
        install(connection)
        return last_change(connection, load_id)


@again_after_conflict
def _undo(feed: Feed, load_id: str, undoes: int, reason: str, by: str, database: str) -> None:
    doing = f"undoing {load_id}"
    with (
        database_errors(doing),
        engine_for(database).connect() as connection,
        holders_named(connection),
        connection.begin(),
    ):
        load = hold(connection, load_id)
        if is_undone(connection, load_id, undoes, reason, by):
            return
        plan = plan_undo(connection, load, undoes)
        _require_place(plan, feed)
        members = _take_back(connection, feed, plan)
        kept.forget(connection, load_id)
        if plan.standing is not None and plan.standing.published_rows:
            keep_for = feed.keep_previous or kept.KEPT_AFTER_UNDO
            kept.record(connection, load_id, plan.epoch, plan.standing.epoch, keep_for)
        record_undo(connection, plan, reason, by)
        record_members(connection, _own_attempt(plan), members, _LEFT)


def _take_back(connection: Connection, feed: Feed, plan: UndoPlan) -> MemberCounts:
    """Returns how many members have again what they had."""
    take_back = mode_of(feed.fact).take_back
    if take_back is None:
        raise TypeError(f"mode {feed.fact.mode.kind} takes nothing back")
    fact = fact_table(connection, feed)
    back = _kept_rows(connection, feed, plan)
    _require_as_published(connection, feed, plan)
    standing = plan.standing
    # Before the rows: an exchanged partition is locked for readers until the end.
    own = _own_attempt(plan)
    versions = take_back_versions(connection, own, plan.undoes, feed, fact, back)
    members = {**versions, **take_back_members(connection, own, plan.undoes, feed, fact)}
    take_back(
        TakingBack(
            connection=connection,
            load=own,
            feed=feed,
            fact=fact,
            standing=0 if standing is None else standing.published_rows,
            back=back,
            aside=kept.table_of(plan.load_id, plan.undoes if standing is None else standing.epoch),
        )
    )
    return members


def _kept_rows(connection: Connection, feed: Feed, plan: UndoPlan) -> Table | None:
    """The table with the rows that come back, if they are what was published."""
    if plan.kept_in is None or plan.previous is None:
        return None
    back = reflect(connection, f'"{STAGING_SCHEMA}"."{plan.kept_in}"', {})
    load = published_load(plan.previous, plan.feed, plan.period, feed.fact.table)
    if judge(load, find_in(connection, back, load)).state != "stands":
        raise ReconciliationError(
            "kept_altered",
            f"the kept rows of {plan.load_id} are not those that attempt {plan.previous.epoch} published",
            remedy="Nothing was undone. Load the workbook that is to stand",
        )
    return back


def _require_as_published(connection: Connection, feed: Feed, plan: UndoPlan) -> None:
    """Raise ``FeedError`` where the rows that stand are not those that were published: only those could be brought back
    by an undo of this one."""
    if plan.standing is None:
        return
    load = published_load(plan.standing, plan.feed, plan.period, feed.fact.table)
    verdict = judge(load, find(connection, Tables(connection), [load])[load.load_id])
    if verdict.state == "differs":
        raise facts_altered(load.load_id, "; ".join(verdict.differences))


def _require_place(plan: UndoPlan, feed: Feed) -> None:
    """Raise ``FeedError`` where the feed names another place, or another mode, than the rows were published with."""
    for attempt in (plan.standing, plan.previous):
        if attempt is None:
            continue
        place = (attempt.target, attempt.load_column, attempt.mode)
        now = (feed.fact.table, feed.fact.load_column, feed.fact.mode.kind)
        if place != now:
            raise FeedError(
                "undo_place",
                f"{plan.load_id} can't be undone: attempt {attempt.epoch} published it to {attempt.target} in mode "
                f"{attempt.mode}, and the feed now names {feed.fact.table} and mode {feed.fact.mode.kind}",
                expected="the table, load column and mode of both publications",
                remedy="Restore the feed for the undo, or load the workbook that is to stand",
            )


def _own_attempt(plan: UndoPlan) -> Load:
    model = plan.model
    return Load(
        load_id=plan.load_id,
        epoch=plan.epoch,
        feed=plan.feed,
        period=str(plan.period),
        workbook=model.workbook,
        workbook_sha256=model.workbook_sha256,
        content=model.content,
        already_published=False,
        sources=tuple(SourceFile(**source) for source in model.sources),
        corrections=model.corrections,
    )
