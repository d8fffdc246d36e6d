"""What stands in the cells of duplicate rows. Staged rows hold surrogate keys; the partition files still have the
sheet's own values, and know in which column they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Row

from factload.errors import TransientError
from factload.fact.row_numbers import numbers_of
from factload.feed.model import Feed
from factload.load import Load
from factload.sheet.names import either
from factload.split.fields import key_fields, value_field
from factload.split.partitions import file_name
from factload.split.places import header_of, letter_of, one_after_another
from factload.staging.files import mapped, name_with
from factload.staging.store import place_of
from factload.staging.whole import STAGING_LOST

_TRAILING_ZEROS = r"(\.[0-9]*?)0+$"


@dataclass(frozen=True, slots=True)
class KeyCells:
    """``column``: what the sheet calls the columns. ``letter``: that of the first, and ``raw``: what each row has in
    all of them; None where the partition's file is gone."""

    column: str | pa.Array
    letter: str | pa.Array | None = None
    raw: pa.Array | None = None


def cells_of(load: Load, feed: Feed, partition: Row[Any], keys: Sequence[str], rows: pa.Array) -> KeyCells:
    """What stands in these rows of the partition, which is its row of the ledger, in the columns that the keys come
    from."""
    fields, sha256 = _fields(feed, keys), partition.file_sha256
    unknown = KeyCells(", ".join(headers_of(feed, keys)))
    if sha256 is None or not fields:
        return unknown
    address = place_of(load).address(name_with(sha256, file_name(partition.partition_id)))
    try:
        with mapped(address, sha256) as file:
            whole = file.read_all()
    except TransientError as error:
        if error.code not in STAGING_LOST:
            raise
        return unknown
    those = whole.take(pc.index_in(rows, value_set=numbers_of(whole).combine_chunks()))
    shown = _shown(those, fields).combine_chunks()
    return KeyCells(_headers_in(those, feed, keys), letter_of(those, fields[0]), shown)


def headers_of(feed: Feed, keys: Sequence[str]) -> list[str]:
    """The sheet's columns that the keys come from, with every name that they may have."""
    found: list[str] = []
    for key in keys:
        source = feed.fact.columns[key]
        if source.dimension is not None:
            found += map(either, feed.dimensions[source.dimension].column)
        else:
            found.append(either(source.column or key))
    return found


def _headers_in(rows: pa.Table, feed: Feed, keys: Sequence[str]) -> str | pa.Array:
    """The same as the partition file of these ``rows`` calls them, or perhaps each row."""
    return one_after_another(
        [header_of(rows, fields) if (fields := _fields(feed, [key])) else key for key in keys]
    )


def _fields(feed: Feed, keys: Sequence[str]) -> list[str]:
    """The partition file's columns that the keys come from."""
    found: list[str] = []
    for key in keys:
        source = feed.fact.columns[key]
        if source.dimension is not None:
            found += key_fields(feed, source.dimension)
        elif source.column is not None:
            found.append(value_field(key))
    return found


def _shown(rows: pa.Table, fields: Sequence[str]) -> pa.ChunkedArray:
    """The values of each row as a person reads them, one after another."""
    texts = [_text(rows[field]) for field in fields]
    return pc.binary_join_element_wise(*texts, ", ", null_handling="replace", null_replacement="")


def _text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.cast(values, pa.string())
    if not pa.types.is_decimal(values.type):
        return text
    return pc.replace_substring_regex(pc.replace_substring_regex(text, _TRAILING_ZEROS, r"\1"), r"\.$", "")
