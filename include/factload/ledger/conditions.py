"""Conditions that queries of the ledger share: which rows are those of a content, of a partition, of an attempt."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Table, func, select

from factload.ledger.tables import attempts, loads, steps
from factload.load import Load

NEWEST_ATTEMPT = (attempts.c.load_id == loads.c.load_id) & (attempts.c.epoch == loads.c.epoch)
"""Joins ``loads`` and ``attempts``: a load, and the newest attempt at it."""

PUBLISHED_ATTEMPT = (attempts.c.load_id == loads.c.load_id) & (attempts.c.epoch == loads.c.published_epoch)
"""The same with the attempt whose rows readers see."""


def of_content(table: Table, load_id: str, content: str | ScalarSelect[str]) -> ColumnElement[bool]:
    """Rows of ``partitions`` or ``rejects`` that belong to this content of a load."""
    return (table.c.load_id == load_id) & (table.c.content == content)


def of_partition(table: Table, load: Load, partition_id: str) -> ColumnElement[bool]:
    """Rows of ``partitions`` or ``rejects`` that belong to one partition of the load's content."""
    return of_content(table, load.load_id, load.content) & (table.c.partition_id == partition_id)


def of_attempt(load: Load) -> ColumnElement[bool]:
    """The row of ``attempts`` that is this attempt's."""
    return (attempts.c.load_id == load.load_id) & (attempts.c.epoch == load.epoch)


def last_step() -> ScalarSelect[Any]:
    """When the last step of an attempt ended, for a query on ``attempts``; NULL before the first."""
    return (
        select(func.max(steps.c.finished_at))
        .where(steps.c.load_id == attempts.c.load_id, steps.c.epoch == attempts.c.epoch)
        .scalar_subquery()
    )
