"""What the ledger keeps of a publication's digest, so that it can be taken again years later: of which columns it is,
and how this server hashes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Table

from factload.feed.columns import FactColumn
from factload.feed.model import Feed
from factload.postgres.types import type_name
from factload.reconcile.read_back import hash_probe

ROW_OF_CELLS = "row of cells"
"""The provenance ``row`` of an unpivoted sheet, where several fact rows have one number."""


def columns_filled(table: Table, feed: Feed) -> list[ColumnElement[Any]]:
    """The columns that the feed fills, by names of their own: SQLAlchemy cuts those of more than 57 characters."""
    return [table.c[name].label(f"column_{number}") for number, name in enumerate(feed.fact.columns)]


def digest_values(digest: Decimal, feed: Feed, fact: Table) -> dict[str, Any]:
    """The columns of an attempt in the ledger that say what its rows are known by. ``digest``: of the columns that the
    feed fills, in the feed's order."""
    return {
        "published_digest": f"{digest:f}",
        "published_columns": [
            {"name": name, "type": type_name(fact.c[name].type), "provenance": _provenance(feed, source)}
            for name, source in feed.fact.columns.items()
        ],
        "hash_probe": hash_probe(),
    }


def _provenance(feed: Feed, source: FactColumn) -> str | None:
    if source.provenance == "row" and feed.workbook.unpivot is not None:
        return ROW_OF_CELLS
    return source.provenance
