"""``factload init``: from a workbook and a database to a proposal, to a file, and to what to type next."""

from __future__ import annotations

import math
import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import inspect

from factload.errors import FeedError, WorkbookError
from factload.feed.file import read_feed_file
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.postgres.tables import split_name
from factload.postgres.url import holds_secret, shown
from factload.propose.csv_seen import look_at_csv
from factload.propose.ddl import ddl_text
from factload.propose.into_table import called_as_in, into, likely_fact
from factload.propose.names import feed_name, period_path, unused
from factload.propose.new_tables import from_nothing
from factload.propose.proposal import Proposal
from factload.propose.sheet_seen import SeenSheet
from factload.propose.tables_seen import SeenTable, Warehouse, look_at_tables
from factload.propose.tried import Trial, changed_by, nothing_loads, told, try_feed
from factload.propose.workbook_seen import look_at_sheet
from factload.propose.written import feed_text
from factload.settings import connection_url, connection_variable, connection_variables, settings

CONNECTION = "warehouse"
_SCHEMA = "feed.schema.json"
_TRIALS = 5
_USUAL_REJECTS = 0.005


def propose_feed(
    workbook: Path,
    *,
    sheet: str | None = None,
    table: str | None = None,
    database: str | None = None,
    output: Path | None = None,
    partitioned: bool = False,
) -> Proposal:
    """What a feed for this workbook may look like. ``database``: its URL, default that of ``warehouse``; without
    one, tables are proposed as new. ``output``: the file that it is for, which gives it its name. ``partitioned``: the
    new fact table has a partition for each load, and mode ``exchange``. Writes nothing.

    Raises ``FeedError`` where ``partitioned`` is asked of a fact table that is there.
    """
    if not workbook.is_file():
        raise WorkbookError(
            "workbook_missing", f"there is no workbook {workbook}", remedy="Name one that is there"
        )
    seen = look_at_sheet(workbook, sheet, look_at_csv(workbook))
    name = feed_name((output or workbook).name.partition(".")[0] if output else _stem(workbook))
    with _warehouse(database or _known_url(), table) as warehouse:
        place = _place(workbook)
        for _ in range(_TRIALS):
            proposal = _propose(name, place, seen, warehouse, table, partitioned)
            seen = proposal.sheet
            if seen.leaves.blank_row and not proposal.fills_every_row:
                seen = seen.without_blank_row()
                proposal = replace(proposal, sheet=seen)
            trial = _tried(workbook, proposal)
            before, seen = seen, changed_by(trial, seen, proposal)
            if seen == before:
                break
    if not trial.loaded:
        raise nothing_loads(workbook, trial)
    share = trial.rejected / max(1, trial.source - trial.blank)
    allowed = "0.5%" if share <= _USUAL_REJECTS else f"{math.ceil(share * 110)}%"
    return replace(proposal, max_rejects=allowed, notes=tuple(told(trial, seen)))


def _stem(workbook: Path) -> str:
    return Path(workbook.name.removesuffix(".gz")).stem


@contextmanager
def _warehouse(url: str | None, table: str | None) -> Iterator[Warehouse]:
    if url is None:
        yield Warehouse({})
        return
    engine = engine_for(url).execution_options(postgresql_readonly=True)
    with database_errors("looking at the tables"), engine.connect() as connection:
        tables = look_at_tables(connection)
        schemas = frozenset(inspect(connection).get_schema_names())
        if table and (schema := split_name(table)[0]) and schema in schemas:
            tables |= look_at_tables(connection, schema)
        yield Warehouse(tables, connection, schemas)


def _propose(
    name: str, place: str, seen: SeenSheet, warehouse: Warehouse, table: str | None, partitioned: bool
) -> Proposal:
    """The feed that seems to be meant. ``place``: where the feed will find the workbook; ``table``: the fact table."""
    path, period = period_path(place)
    fact: SeenTable | None
    if table:
        fact, why = warehouse.tables.get(table), ""
    else:
        fact, why = likely_fact(seen, warehouse.tables)
        if fact is None and seen.unpivot:
            fact, why = likely_fact(seen.unpivot.plain, warehouse.tables)
    if fact is not None and partitioned:
        raise FeedError(
            "table_there",
            f"{fact.name} is there already, and --partitioned is for a table that is yet to be made",
            expected="a fact table that is not there",
            remedy="Name a new one with --table; or leave --partitioned out, and write `mode: exchange` into the feed "
            "if the table is partitioned by its load column",
        )
    if fact is not None:
        proposal = into(fact, name, path, period, called_as_in(fact, seen), warehouse, why_table=why)
        if seen.unpivot is None or proposal.reads_what_is_made:
            return proposal
        return into(fact, name, path, period, seen.unpivot.plain, warehouse, why_table=why)
    named = table or unused(f"fact_{name}", warehouse.tables)
    schema = split_name(named)[0]
    new_schema = schema if schema and schema not in warehouse.schemas else None
    more: dict[str, Any] = {
        "why_table": why or "new: see --ddl",
        "new_schema": new_schema,
        "partitioned": partitioned,
    }
    return from_nothing(named, name, path, period, seen, warehouse, **more)


def _tried(workbook: Path, proposal: Proposal) -> Trial:
    """Every row of the workbook, read as the feed of this proposal reads it."""
    if not proposal.columns:
        raise WorkbookError(
            "columns_missing",
            f"no column of sheet {proposal.sheet.name!r} can fill a column of {proposal.table}",
            expected="a column with a name of its own and values that are no errors",
            remedy="Name another sheet with --sheet, or the table with --table",
        )
    with tempfile.TemporaryDirectory(prefix="factload-init-") as folder:
        file = Path(folder) / "proposed.yaml"
        file.write_text(feed_text(proposal, None), encoding="utf-8")
        return try_feed(workbook, read_feed_file(file), proposal.sheet.unpivot)


def _known_url() -> str | None:
    try:
        return connection_url(CONNECTION)
    except FeedError:
        return None


def _place(workbook: Path) -> str:
    """Where a feed finds the workbook: below the project's folder if it lies in an allowed root, else in the first."""
    here = settings()
    path = workbook.resolve()
    if not any(path.is_relative_to(root.resolve()) for root in here.allowed_roots):
        first = here.allowed_roots[0] if here.allowed_roots else here.home
        path = first.resolve() / workbook.name
    home = here.home.resolve()
    return str(path.relative_to(home) if path.is_relative_to(home) else path)


def schema_beside(folder: Path) -> str | None:
    """The published JSON Schema as a feed file in ``folder`` names it; nothing outside a checkout, where none is."""
    published = settings().home / "docs" / _SCHEMA
    return os.path.relpath(published, folder) if published.is_file() else None


def write_feed(proposal: Proposal, output: Path) -> None:
    """Write the feed file; raises ``FeedError`` when there is one already, or it can't be written."""
    text = feed_text(proposal, schema_beside(output.parent))
    made = False
    try:
        with output.open("x", encoding="utf-8") as file:
            made = True
            file.write(text)
    except FileExistsError:
        raise FeedError(
            "feed_exists",
            f"{output} is there already",
            expected="a new file: an existing feed is never overwritten",
            remedy="Name another, or delete it first",
        ) from None
    except OSError as error:
        if made:
            output.unlink(missing_ok=True)
        raise FeedError(
            "feed_unwritten",
            f"{output} can't be written: {error.strerror}",
            expected="a file in an existing folder",
            remedy=f"mkdir -p {shlex.quote(str(output.parent))}" if not output.parent.is_dir() else "",
        ) from None


def next_commands(proposal: Proposal, workbook: Path, feed: Path, database: str | None) -> list[str]:
    """What to type from here to a published load, in order. A password is not printed."""
    commands = []
    if database and holds_secret(database):
        variable, _ = connection_variables(CONNECTION)
        commands.append(
            f"export {variable}={shlex.quote(shown(database))}  # with what it hides in the place of ***"
        )
        database = None
    url = f" --url {shlex.quote(database)}" if database else ""
    in_feeds = feed.resolve().parent == settings().feeds.resolve() and feed.suffix in (".yaml", ".yml")
    named = proposal.feed if in_feeds and feed.stem == proposal.feed else shlex.quote(str(feed))
    period = f" --period {proposal.period}" if proposal.period else ""
    target = settings().home / proposal.path.format(period=proposal.period)
    if workbook.resolve() != target.resolve():
        commands.append(
            f"mkdir -p {shlex.quote(str(target.parent))} && cp {shlex.quote(str(workbook))} {shlex.quote(str(target))}"
        )
    if ddl_text(proposal):
        commands.append(
            f"factload init {shlex.quote(str(workbook))}{_asked(proposal)}{url} --ddl | psql {_for_psql(database)}"
        )
    return [*commands, f"factload check {named}{period}{url}", f"factload run {named}{period}{url}"]


def _for_psql(database: str | None) -> str:
    """The database as psql understands it: without the driver's name in the URL."""
    if database:
        scheme, _, rest = database.partition("://")
        return shlex.quote(f"{scheme.partition('+')[0]}://{rest}")
    variable, url = connection_variable(CONNECTION)
    driver = url.partition("://")[0].partition("+")[2]
    return f'"${{{variable}/+{driver}/}}"' if driver else f'"${variable}"'


def _asked(proposal: Proposal) -> str:
    sheet = "" if proposal.sheet.csv else f" --sheet {shlex.quote(proposal.sheet.name)}"
    partitioned = " --partitioned" if proposal.partitioned else ""
    return f"{sheet} --table {shlex.quote(proposal.table)}{partitioned}"
