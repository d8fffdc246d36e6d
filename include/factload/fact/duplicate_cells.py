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
from factload.feed.model import Feed
from factload.load import Load
from factload.sheet.names import either
from factload.sheet.pivot import CELL
from factload.split.fields import key_fields, value_field
from factload.split.partitions import file_name
from factload.split.places import Places, header_of, letter_of
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
    number = CELL if CELL in whole.column_names else "row"
    those = whole.take(pc.index_in(rows, value_set=whole[number].combine_chunks()))
    noted = whole.schema.metadata
    shown = _shown(those, fields).combine_chunks()
    return KeyCells(_headers_in(noted, feed, keys, those), letter_of(noted, fields[0], those), shown)


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


def _headers_in(noted: Places, feed: Feed, keys: Sequence[str], rows: pa.Table) -> str | pa.Array:
    """The same as a partition file calls them, or perhaps as each of its ``rows`` does."""
    parts = [header_of(noted, fields, rows) if (fields := _fields(feed, [key])) else key for key in keys]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return ", ".join(texts)
    return pc.binary_join_element_wise(*parts, ", ") if len(parts) > 1 else parts[0]


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
