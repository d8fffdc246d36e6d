"""All loads of a ledger, or of a receipt, proved in one snapshot of the database."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.load_column import load_column_defect
from factload.fact.modes.registry import mode_named
from factload.ledger.migrations import install, installed_version, is_installed
from factload.ledger.tables import attempts
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.postgres.tables import sql_name
from factload.verify.evidence import partitions_that_differ, where_it_differs
from factload.verify.found import Tables, digest_forms, find, no_digest, strays, whole_table
from factload.verify.judgement import State, Verdict, judge, judge_together
from factload.verify.published import PublishedLoad, knows_feed, note_verified, published_loads

_TOGETHER = "proved together with all other loads of the table: nothing in a row says which load it came from"
_TAKEN_OVER = (
    "a load that was published since may have written over its rows, and a receipt doesn't know of it: "
    "`factload verify {feed}` asks the ledger"
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a verification came to. ``strays``: (table, rows) that carry no load that the ledger knows as published:
    rows of others, or what somebody added."""

    verdicts: tuple[Verdict, ...]
    strays: tuple[tuple[str, int], ...] = ()

    @property
    def stands(self) -> bool:
        """Whether nothing was found that isn't as it was published."""
        return all(verdict.state != "differs" for verdict in self.verdicts)

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        return {
            "stands": self.stands,
            "loads": [verdict.to_json() for verdict in self.verdicts],
            "rows_of_no_load": [{"table": table, "rows": rows} for table, rows in self.strays],
        }


def together(proofs: Iterable[Proof]) -> Proof:
    """Those of several databases as one."""
    known = list(proofs)
    return Proof(
        tuple(verdict for proof in known for verdict in proof.verdicts),
        tuple(stray for proof in known for stray in proof.strays),
    )


def verify_loads(database: str, feed: str | None = None, since: date | None = None) -> Proof:
    """Prove all published loads in the ledger at the URL ``database``, and note in it how each was found.

    ``feed``: this feed's only; ``since``: of this period and later ones. Raises ``FeedError`` for a feed that the
    ledger has no load of.
    """
    engine = engine_for(database)
    with database_errors("verifying what was published"):
        with engine.begin() as connection:
            if installed_version(connection) is None:
                return Proof(())
            may_write = _may_write(connection)
            if may_write:
                install(connection)
            else:
                is_installed(connection)
        with engine.connect() as connection:
            snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
            if feed is not None and not knows_feed(snapshot, feed):
                raise _feed_unknown(feed)
            everything = published_loads(snapshot)
            proof = prove(snapshot, [load for load in everything if is_asked(load, feed, since)], everything)
        if may_write:
            with engine.begin() as connection:
                note_verified(connection, [(verdict.load, verdict.state) for verdict in proof.verdicts])
    return proof


def verify_receipt(database: str, loads: Sequence[PublishedLoad]) -> Proof:
    """Prove the loads of a receipt against the database at the URL ``database``: no ledger is read or written."""
    with database_errors("verifying a receipt"), engine_for(database).connect() as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        proof = prove(snapshot, loads, loads, ledger=False)
    return Proof(tuple(map(_without_the_ledger, proof.verdicts)))


def _without_the_ledger(verdict: Verdict) -> Verdict:
    if verdict.state != "differs" or not mode_named(verdict.load.mode).takes_over:
        return verdict
    return replace(verdict, where=(*verdict.where, _TAKEN_OVER.format(feed=verdict.load.feed)))


def server_version(database: str) -> str:
    """The version of PostgreSQL at the URL ``database``."""
    with database_errors("asking for the server's version"), engine_for(database).connect() as connection:
        return str(connection.scalar(select(func.current_setting("server_version"))))


def is_asked(load: PublishedLoad, feed: str | None, since: date | None) -> bool:
    """Whether a load is of this feed, and of this period or a later one, where they are given."""
    return (feed is None or load.feed == feed) and (since is None or load.period >= since.isoformat())


def prove(
    connection: Connection,
    asked: Sequence[PublishedLoad],
    everything: Sequence[PublishedLoad],
    *,
    ledger: bool = True,
) -> Proof:
    """Prove the loads that are ``asked`` for; ``everything``: all that are published, whose rows are not strays;
    ``ledger``: whether it may be asked for the partitions of a load."""
    tables = Tables(connection)
    found = find(connection, tables, asked)
    verdicts = []
    upserts = _upserts(tables, everything)
    for load in asked:
        seen = found[load.load_id]
        if mode_named(load.mode).takes_over:
            lost = _later(upserts[tables.oid(load.table)], load)
            seen = replace(seen, may_have_lost=lost, may_have_more=load.times_before > 0)
        verdict = judge(load, seen)
        table = tables.called(load.table)
        if verdict.state == "differs" and seen.content is not None and table is not None:
            verdict = replace(
                verdict,
                partitions=partitions_that_differ(connection, table, load) if ledger else (),
                where=where_it_differs(connection, table, load),
            )
        verdicts.append(verdict)
    judged = _judged_together(connection, tables, verdicts, everything)
    return Proof(tuple(judged), tuple(_strays(connection, tables, asked, everything)))


def _may_write(connection: Connection) -> bool:
    """Whether the ledger can be written: by this user, in a database that takes changes."""
    read_only, may = connection.execute(
        select(
            func.current_setting("transaction_read_only"),
            func.has_table_privilege(sql_name(connection, attempts), "UPDATE"),
        )
    ).one()
    return bool(read_only == "off" and may)


def _feed_unknown(feed: str) -> FeedError:
    return FeedError(
        "load_unknown",
        f"the ledger has no load of {feed}",
        expected="a feed that was loaded into this database",
        remedy="See `factload status`",
    )


def _upserts(tables: Tables, everything: Sequence[PublishedLoad]) -> dict[int | None, list[datetime]]:
    """Table → when the loads were published that write over rows of others, in order."""
    found: dict[int | None, list[datetime]] = defaultdict(list)
    for load in everything:
        if mode_named(load.mode).takes_over and load.published_at is not None:
            found[tables.oid(load.table)].append(load.published_at)
    for moments in found.values():
        moments.sort()
    return found


def _later(upserts: Sequence[datetime], load: PublishedLoad) -> int:
    """How many of these were published after the load, which is one of them."""
    if load.published_at is None:
        return len(upserts)
    return len(upserts) - bisect_left(upserts, load.published_at) - 1


def _judged_together(
    connection: Connection, tables: Tables, verdicts: Sequence[Verdict], everything: Sequence[PublishedLoad]
) -> Iterator[Verdict]:
    """The verdicts, where rows of loads that nothing tells apart are judged by the whole table."""
    judged: dict[str, tuple[State, str]] = {}
    for verdict in verdicts:
        load = verdict.load
        table = tables.called(load.table)
        if verdict.state != "unproved" or not _appended_unmarked(load) or table is None:
            yield verdict
            continue
        if load.table not in judged:
            oid = tables.oid(load.table)
            there = [other for other in everything if tables.oid(other.table) == oid]
            judged[load.table] = _judge_table(connection, table, load, there)
        state, why = judged[load.table]
        if state == "stands":
            yield replace(verdict, state=state, proved_by=("rows", "totals", "digest"), notes=(_TOGETHER,))
        elif state == "differs":
            yield replace(verdict, state=state, differences=(why,), notes=())
        else:
            yield replace(verdict, notes=(*verdict.notes, why) if why else verdict.notes)


def _judge_table(
    connection: Connection, table: Table, load: PublishedLoad, there: Sequence[PublishedLoad]
) -> tuple[State, str]:
    """``there``: all loads that were published to the table."""
    alike = all(
        _appended_unmarked(other) and other.columns == load.columns and other.probe == load.probe
        for other in there
    )
    forms = digest_forms(connection)
    if not alike or no_digest(table, load, forms):
        return "unproved", ""
    return judge_together(load.table, there, whole_table(connection, table, load, forms))


def _appended_unmarked(load: PublishedLoad) -> bool:
    return load.load_column is None and not mode_named(load.mode).repeatable


def _strays(
    connection: Connection,
    tables: Tables,
    asked: Sequence[PublishedLoad],
    everything: Sequence[PublishedLoad],
) -> Iterator[tuple[str, int]]:
    """The tables that loads were asked for with rows of no published load, and how many."""
    marked = dict.fromkeys((load.table, load.load_column) for load in asked if load.load_column is not None)
    for name, load_column in marked:
        table = tables.called(name)
        if table is None or load_column not in table.c or load_column_defect(table.c[load_column]):
            continue
        oid = tables.oid(name)
        known = [load.load_id for load in everything if tables.oid(load.table) == oid]
        if rows := strays(connection, table, load_column, known):
            yield name, rows
