"""One partition's rows, told apart: those that become fact rows, and those that are rejected, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from factload.errors import RowsRefused
from factload.feed import Feed
from factload.lookup import look_up, normalize

REJECT_SCHEMA = pa.schema(
    [
        ("row", pa.int32()),
        ("cell", pa.string()),
        ("column", pa.string()),
        ("raw", pa.string()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """``rows``: ``row`` (Excel row number) and the fact table's columns. ``rejects``: ``REJECT_SCHEMA``."""

    rows: pa.Table
    rejects: pa.Table


def resolve(partition: pa.Table, feed: Feed, maps: Mapping[str, pa.Table]) -> Resolved:
    """Look every business key of a partition file up, and part its rows.

    ``partition``: a partition file. ``maps``: dimension → its staged map. A row has one reject: what the reader
    found, else the first key, in the order of the fact's columns, that is blank or matches no member.
    Raises ``RowsRefused`` where a dimension's ``unmatched`` is ``fail``.
    """
    readable = pc.is_null(partition["reason"])
    rejects = [partition.filter(pc.invert(readable)).select(REJECT_SCHEMA.names).cast(REJECT_SCHEMA)]
    rows = partition.filter(readable)
    letters = partition.schema.metadata
    for name, source in feed.fact.columns.items():
        if source.dimension is None:
            continue
        dimension = feed.dimensions[source.dimension]
        raw = rows[name].combine_chunks()
        keys = normalize(raw, dimension.normalize)
        surrogates = look_up(keys, maps[source.dimension])
        matched = pc.is_valid(surrogates)
        if not pc.all(matched, min_count=0).as_py():
            lost = pc.invert(matched)
            if dimension.unmatched == "fail":
                raise _no_member(source.dimension, pc.sum(lost).as_py())
            reason = pc.if_else(pc.is_valid(keys), "unmatched_key", "blank_key")
            rejects.append(
                _rejects(rows["row"], letters[name.encode()].decode(), dimension.column, raw, reason, lost)
            )
        rows = rows.set_column(rows.schema.get_field_index(name), name, surrogates).filter(matched)
    ordered = pa.concat_tables(rejects).sort_by("row")
    return Resolved(rows.select(["row", *feed.fact.columns]), ordered)


def _rejects(
    row: pa.ChunkedArray, letter: str, column: str, raw: pa.Array, reason: pa.Array, lost: pa.Array
) -> pa.Table:
    cell = pc.binary_join_element_wise(letter, pc.cast(row, pa.string()), "")
    columns = [row, cell, pa.repeat(column, len(raw)), raw, reason]
    return pa.table(columns, schema=REJECT_SCHEMA).filter(lost)


def _no_member(dimension: str, count: int) -> RowsRefused:
    return RowsRefused(
        "unmatched_key",
        f"{count} rows of one partition have a business key without a member in dimension {dimension}",
        expected="a member for every key, since `unmatched` is `fail`",
        remedy="Add the members, or let the feed say `unmatched: reject`",
    )


def measures(feed: Feed) -> list[str]:
    """The fact columns that have a control total: exact numbers out of the sheet."""
    return [n for n, c in feed.fact.columns.items() if c.type is not None and c.type.is_exact_number]


def control_totals(rows: pa.Table, names: list[str]) -> dict[str, str]:
    """The exact sum of each of the columns ``names``, as decimal text."""
    return {name: f"{Decimal(_sum(rows[name])):f}" for name in names}


def _sum(values: pa.ChunkedArray) -> Decimal | int:
    total: Decimal | int | None = pc.sum(values).as_py()
    return total if total is not None else 0
