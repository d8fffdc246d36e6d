"""Staging tables and folders that are no longer needed: removed once a load is published, swept by age otherwise.

Epochs are never reused, so folders of older epochs, and of published ones, may always be deleted. A staging table
belongs to a content, which a later attempt may go on with; so tables are dropped under the lock that keeps attempts
from opening, and never while a step works on them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, MetaData, Table, func, inspect, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from factload.errors import Superseded
from factload.ledger import ledger
from factload.ledger.conditions import last_step
from factload.ledger.tables import STAGING_SCHEMA, attempts, loads, partitions
from factload.load import Load
from factload.postgres.errors import sqlstate
from factload.settings import settings
from factload.staging.folders import folder_of, remove_folders
from factload.staging.in_use import held_for_sweeping

_log = logging.getLogger(__name__)

_PATIENCE = "1s"  # with a person who reads a staging table


@dataclass(frozen=True, slots=True)
class OrphanedStaging:
    """Staging tables and the folder of one load. ``epoch`` and ``state`` are its newest attempt's; ``last_sign`` is
    any attempt's: opened, ended, or a step begun or done. ``idle``: since then, by the database's clock."""

    load_id: str
    epoch: int
    state: str
    last_sign: datetime
    idle: timedelta
    tables: tuple[str, ...]
    folder: Path | None

    @property
    def what(self) -> str:
        """In words."""
        named = [f"table {STAGING_SCHEMA}.{name}" for name in self.tables]
        return " and ".join([*named, *([f"folder {self.folder}"] if self.folder else [])])


def drop_tables(connection: Connection, load_id: str) -> None:
    """Drop the staging tables of all contents that this load ever had."""
    contents = select(attempts.c.content).where(attempts.c.load_id == load_id).distinct()
    for content in connection.scalars(contents).all():
        name = Load.staging_table_of(load_id, content)
        Table(name, MetaData(schema=STAGING_SCHEMA)).drop(connection, checkfirst=True)


def remove_kept(engine: Engine, load: Load) -> None:
    """Remove what a published load still has because it was cut short before ``clean_staging``.

    What can't be removed now, in a database that takes no changes for one, stays and is logged.
    """
    try:
        with engine.begin() as connection:
            if any(left.tables for left in find(connection, [load.load_id])):
                ledger.fence(connection, load, "published", lock="update")
                drop_tables(connection, load.load_id)
    except Superseded:
        return
    except DBAPIError as error:
        _log.warning(
            "what %s left could not be removed: SQLSTATE %s", load.load_id, sqlstate(error) or "none"
        )
    remove_folders(folder_of(load).parent, below=load.epoch + 1)


def find(connection: Connection, load_ids: Collection[str] | None = None) -> list[OrphanedStaging]:
    """Staging tables and folders of the loads in this ledger (only ``load_ids``), in use or not."""
    folders = _folders()
    tables = set(inspect(connection).get_table_names(schema=STAGING_SCHEMA))
    if not folders and not tables:
        return []
    joined = func.convert_to(func.concat(attempts.c.load_id, " ", attempts.c.content), "UTF8")
    table = func.concat("load_", func.left(func.encode(func.sha256(joined), "hex"), 24))
    known = select(attempts.c.load_id).where(or_(table.in_(tables), attempts.c.load_id.in_(folders)))
    query = (
        select(
            attempts.c.load_id,
            attempts.c.epoch,
            attempts.c.state,
            table.label("name"),
            func.greatest(attempts.c.opened_at, attempts.c.worked_at, attempts.c.ended_at, last_step()).label(
                "sign"
            ),
            func.clock_timestamp().label("now"),
        )
        .where(attempts.c.load_id.in_(known if load_ids is None else load_ids))
        .order_by(attempts.c.load_id, attempts.c.epoch)
    )
    found: dict[str, OrphanedStaging] = {}
    for row in connection.execute(query):
        earlier = found.get(row.load_id)
        named = [*(earlier.tables if earlier else ()), *([row.name] if row.name in tables else [])]
        last = max(row.sign, earlier.last_sign) if earlier else row.sign
        found[row.load_id] = OrphanedStaging(
            row.load_id,
            row.epoch,
            row.state,
            last,
            row.now - last,
            tuple(dict.fromkeys(named)),
            folders.get(row.load_id),
        )
    return [left for left in found.values() if left.tables or left.folder]


def _folders() -> dict[str, Path]:
    place = settings().staging
    return {path.parent.name: path.parent for path in place.glob("*@*/*") if path.name.isdecimal()}


def sweep(engine: Engine) -> None:
    """Remove the staging of loads without activity for ``FACTLOAD_STAGING_DAYS`` that no step works on.

    What can't be removed now is left to the next load that opens, and logged.
    """
    bound = timedelta(days=settings().staging_days)
    try:
        with engine.begin() as connection:
            aged = [left for left in find(connection) if left.idle > bound]
        for left in aged:
            with engine.begin() as connection:
                _sweep(connection, left.load_id, bound)
    except DBAPIError as error:
        _log.warning("orphaned staging could not be removed: SQLSTATE %s", sqlstate(error) or "none")


def _sweep(connection: Connection, load_id: str, bound: timedelta) -> None:
    connection.execute(select(func.set_config("lock_timeout", _PATIENCE, True)))
    held = select(loads.c.load_id).where(loads.c.load_id == load_id).with_for_update(skip_locked=True)
    if connection.scalar(held) is None or not held_for_sweeping(connection, load_id):
        return
    for left in find(connection, [load_id]):
        if left.idle > bound:  # it may have been opened again meanwhile
            drop_tables(connection, load_id)
            connection.execute(
                update(partitions).where(partitions.c.load_id == load_id).values(staged_from=None)
            )
            if left.folder is not None and _untouched(left.folder, bound):
                remove_folders(left.folder, below=left.epoch + 1)
            _log.info("swept what %s left on %s: %s", load_id, left.last_sign.date(), left.what)


def _untouched(folder: Path, bound: timedelta) -> bool:
    """Whether nothing in it is younger: another database's load of the same name may use the same folder."""
    newest = max((path.stat().st_mtime for path in _walk(folder)), default=0.0)
    return newest < time.time() - bound.total_seconds()


def _walk(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.rglob("*")
