"""``factload init``: from a workbook and a database to a proposal, to a file, and to what to type next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from factload.database import database_errors, engine_for, split_name
from factload.errors import FeedError, WorkbookError
from factload.propose.ddl import ddl_text
from factload.propose.proposal import Proposal, propose
from factload.propose.sheet_seen import look_at_sheet
from factload.propose.tables_seen import look_at_tables, members_among
from factload.propose.written import feed_text
from factload.settings import connection_url, settings

CONNECTION = "warehouse"
_SCHEMA = "feed.schema.json"


def propose_feed(
    workbook: Path, *, sheet: str | None = None, table: str | None = None, database: str | None = None
) -> Proposal:
    """What a feed for this workbook may look like. ``database``: its URL, default that of ``warehouse``; without
    one, tables are proposed as new. Reads at most the first rows of a sheet, and writes nothing.
    """
    if not workbook.is_file():
        raise WorkbookError(
            "workbook_missing", f"there is no workbook {workbook}", remedy="Name one that is there"
        )
    seen = look_at_sheet(workbook, sheet)
    path = _place(workbook)
    url = database or _known_url()
    if url is None:
        return propose(workbook, path, seen, {}, table, _nobody)
    engine = engine_for(url).execution_options(postgresql_readonly=True)
    with database_errors("looking at the tables"), engine.connect() as connection:
        tables = look_at_tables(connection)
        if table and (schema := split_name(table)[0]):
            tables |= look_at_tables(connection, schema)
        return propose(workbook, path, seen, tables, table, lambda *asked: members_among(connection, *asked))


def _known_url() -> str | None:
    try:
        return connection_url(CONNECTION)
    except FeedError:
        return None


def _nobody(_: str, __: str, ___: Sequence[str]) -> int:
    return 0


def _place(workbook: Path) -> str:
    """Where a feed finds the workbook: below the project's folder if it lies in an allowed root, else in the first."""
    here = settings()
    path = workbook.resolve()
    if not any(path.is_relative_to(root.resolve()) for root in here.allowed_roots):
        first = here.allowed_roots[0] if here.allowed_roots else here.home
        path = first.resolve() / workbook.name
    home = here.home.resolve()
    return str(path.relative_to(home) if path.is_relative_to(home) else path)


def write_feed(proposal: Proposal, output: Path) -> None:
    """Write the feed file; raises ``FeedError`` when there is one already."""
    published = settings().home / "docs" / _SCHEMA
    schema = os.path.relpath(published, output.parent) if published.is_file() else _SCHEMA
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("x", encoding="utf-8") as file:
            file.write(feed_text(proposal, schema))
    except FileExistsError:
        raise FeedError(
            "feed_exists",
            f"{output} is there already",
            expected="a new file: a feed that somebody wrote is never overwritten",
            remedy="Name another, or delete it first",
        ) from None


def next_commands(proposal: Proposal, workbook: Path, feed: Path, database: str | None) -> list[str]:
    """What to type from here to a published load, in order."""
    url = f" --url {shlex.quote(database)}" if database else ""
    named = proposal.feed if feed.resolve().parent == settings().feeds.resolve() else shlex.quote(str(feed))
    period = f" --period {proposal.period}" if proposal.period else ""
    commands = []
    target = settings().home / proposal.path.format(period=proposal.period)
    if workbook.resolve() != target.resolve():
        commands.append(
            f"mkdir -p {shlex.quote(str(target.parent))} && cp {shlex.quote(str(workbook))} {shlex.quote(str(target))}"
        )
    if ddl_text(proposal):
        warehouse = shlex.quote(database) if database else '"$FACTLOAD_CONN_WAREHOUSE"'
        commands.append(
            f"factload init {shlex.quote(str(workbook))}{_asked(proposal)}{url} --ddl | psql {warehouse}"
        )
    return [*commands, f"factload check {named}{period}{url}", f"factload run {named}{period}{url}"]


def _asked(proposal: Proposal) -> str:
    return f" --sheet {shlex.quote(proposal.sheet.name)} --table {shlex.quote(proposal.table)}"
