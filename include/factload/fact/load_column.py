"""The load column of a fact table: which types it may have, and what it holds for a load."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Column, ColumnElement, Table, types

from factload.errors import FeedError
from factload.feed.model import MAX_FEED_NAME
from factload.postgres.types import column_type, type_name

LOAD_ID_LENGTH = MAX_FEED_NAME + len("@2026-11-05")
LOAD_NAMESPACE = UUID("6c1f5b0e-0f2b-5d0c-9c0b-5d6d0f4a7e11")  # any, but never another


def load_key(column: Column[Any], load_id: str) -> str | UUID | int:
    """What the load column holds for ``load_id``; raises ``FeedError`` for a column that can't hold it.

    Text as it is; in a uuid column its UUID version 5 in the namespace ``LOAD_NAMESPACE``; in a bigint column the
    first 63 bits of its SHA-256.
    """
    if refused := load_column_defect(column):
        raise refused
    if isinstance(column.type, types.Uuid):
        return uuid5(LOAD_NAMESPACE, load_id)
    if isinstance(column.type, types.BigInteger):
        return int.from_bytes(hashlib.sha256(load_id.encode()).digest()[:8]) >> 1
    return load_id


def carries(table: Table, load_column: str | None, load_id: str) -> ColumnElement[bool]:
    """The rows of ``table`` that are the load's, as its load column says. Raises as ``load_key`` does."""
    column = table.c[load_column or ""]
    return column == load_key(column, load_id)


def load_column_defect(column: Column[Any]) -> FeedError | None:
    """Why the column can't hold a load's identity; nothing when it can."""
    kind = column.type
    known = column_type(kind)
    if known.family == "text" and (known.length is None or known.length >= LOAD_ID_LENGTH):
        return None
    if isinstance(kind, (types.Uuid, types.BigInteger)) and not column.info["generated"]:
        return None
    return FeedError(
        "load_column_type",
        f"the load column {column.name} is {type_name(kind)}",
        expected=f"text, or varchar of {LOAD_ID_LENGTH} characters or more, for values such as sales@2026-11-05; "
        "or uuid, or bigint",
        remedy="Change the column's type, or name another in fact.load_column",
    )
