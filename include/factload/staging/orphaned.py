"""Staging tables and files that are no longer needed: removed once a load is published, swept by age otherwise.

Epochs are never reused, so files of older epochs, and of published ones, may always be deleted. A staging table
belongs to a content, which a later attempt may go on with; so tables are dropped under the lock that keeps attempts
from opening, and never while a step works on them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, MetaData, Table, func, inspect, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from factload.errors import FactloadError, Superseded
from factload.ledger import ledger
from factload.ledger.conditions import last_step
from factload.ledger.tables import STAGING_SCHEMA, attempts, partitions
from factload.load import Load
from factload.postgres.errors import sqlstate
from factload.settings import settings
from factload.staging import kept
from factload.staging.in_use import held_for_sweeping, held_if_free
from factload.staging.store import delete_older, staging_store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OrphanedStaging:
    """Staging tables and files of one load. ``epoch`` and ``state`` are its newest attempt's; ``last_sign`` is
    any attempt's: opened, ended, or a step begun or done. ``idle``: since then, by the database's clock. ``files``:
    where its files lie, if it has any."""

    load_id: str
    epoch: int
    state: str
    last_sign: datetime
    idle: timedelta
    tables: tuple[str, ...]
    files: str | None

    @property
    def what(self) -> str:
        """In words."""
        named = [f"table {STAGING_SCHEMA}.{name}" for name in self.tables]
        return " and ".join([*named, *([f"folder {self.files}"] if self.files else [])])


def drop_tables(connection: Connection, load_id: str) -> None:
    """Drop the staging tables of all contents that this load ever had."""
    contents = select(attempts.c.content).where(attempts.c.load_id == load_id).distinct()
    names: list[str] = []
    for content in connection.scalars(contents).all():
        names += [Load.staging_table_of(load_id, content), Load.members_table_of(load_id, content)]
    there = inspect(connection).get_table_names(schema=STAGING_SCHEMA)
    for name in sorted({*names} & {*there}):
        Table(name, MetaData(schema=STAGING_SCHEMA)).drop(connection)


def remove_kept(engine: Engine, load: Load) -> None:
    """Remove what a published load still has because it was cut short before ``clean_staging``.

    What can't be removed now, in a database that takes no changes for one, stays and is logged.
    """
    try:
        with engine.begin() as connection:
            if any(left.tables for left in _find(connection, {}, [load.load_id])):
                ledger.fence(connection, load, "published", lock="update")
                drop_tables(connection, load.load_id)
    except Superseded:
        return
    except DBAPIError as error:
        _log.warning(
            "what %s left could not be removed: SQLSTATE %s", load.load_id, sqlstate(error) or "none"
        )
    delete_older(load, published=True)


def find(connection: Connection) -> list[OrphanedStaging]:
    """Staging tables and files of the loads in this ledger, in use or not. Raises what the staging store raises."""
    return _find(connection, staging_store().loads())


def _find(
    connection: Connection, files: Mapping[str, str], load_ids: Collection[str] | None = None
) -> list[OrphanedStaging]:
    """The same, only ``load_ids``, where it is known which loads have ``files``."""
    tables = set(inspect(connection).get_table_names(schema=STAGING_SCHEMA))
    if not files and not tables:
        return []
    joined = func.convert_to(func.concat(attempts.c.load_id, " ", attempts.c.content), "UTF8")
    table = func.concat("load_", func.left(func.encode(func.sha256(joined), "hex"), 24))
    known = select(attempts.c.load_id).where(or_(table.in_(tables), attempts.c.load_id.in_(files)))
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
            files.get(row.load_id),
        )
    return [left for left in found.values() if left.tables or left.files]


def is_left(found: OrphanedStaging) -> bool:
    """Whether there is anything of it: some stores name the loads that had files, too."""
    return bool(found.tables) or staging_store().age(found.load_id) is not None


def sweep(engine: Engine) -> None:
    """Remove the staging of loads without activity for ``FACTLOAD_STAGING_DAYS`` that no step works on, and kept rows
    whose time is over.

    What can't be removed now is left to the next load that opens, and logged.
    """
    bound = timedelta(days=settings().staging_days)
    try:
        files = staging_store().loads()
        with engine.begin() as connection:
            aged = [left for left in _find(connection, files) if left.idle > bound]
            over = kept.expired(connection)
        for left in filter(is_left, aged):
            with engine.begin() as connection:
                _sweep(connection, files, left.load_id, bound)
        for load_id in over:
            with engine.begin() as connection:
                kept.forget_expired(connection, load_id)
    except DBAPIError as error:
        _log.warning("orphaned staging could not be removed: SQLSTATE %s", sqlstate(error) or "none")
    except FactloadError as error:
        _log.warning("orphaned staging could not be removed: %s", error)


def _sweep(connection: Connection, files: Mapping[str, str], load_id: str, bound: timedelta) -> None:
    if not held_if_free(connection, load_id) or not held_for_sweeping(connection, load_id):
        return
    for left in _find(connection, files, [load_id]):
        if left.idle > bound:  # it may have been opened again meanwhile
            drop_tables(connection, load_id)
            connection.execute(
                update(partitions).where(partitions.c.load_id == load_id).values(staged_from=None)
            )
            if left.files is not None and _is_untouched(load_id, bound):
                staging_store().delete(load_id, below=left.epoch + 1)
            _log.info("swept what %s left on %s: %s", load_id, left.last_sign.date(), left.what)


def _is_untouched(load_id: str, bound: timedelta) -> bool:
    """Whether no file of it is younger: another database's load of the same name may use the same place."""
    return (staging_store().age(load_id) or 0.0) > bound.total_seconds()
