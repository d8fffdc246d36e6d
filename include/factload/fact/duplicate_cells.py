"""What stands in the cells of duplicate rows. Staged rows hold surrogate keys; the partition files still have the
sheet's own values, and know in which column they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Row

from factload.errors import TransientError
from factload.feed.model import Feed
from factload.load import Load
from factload.split.fields import key_fields, value_field
from factload.split.partitions import file_name
from factload.staging.files import mapped, name_with
from factload.staging.store import place_of
from factload.staging.whole import STAGING_LOST

_TRAILING_ZEROS = r"(\.[0-9]*?)0+$"


def cells_of(
    load: Load, feed: Feed, partition: Row[Any], keys: Sequence[str], rows: pa.Array
) -> tuple[str | None, pa.Array | None]:
    """The letter of the sheet's column that the first key comes from, and what stands in the cells of the keys in
    these rows of the partition, which is its row of the ledger. Nothing where its file is gone."""
    fields, sha256 = _fields(feed, keys), partition.file_sha256
    if sha256 is None or not fields:
        return None, None
    address = place_of(load).address(name_with(sha256, file_name(partition.partition_id)))
    try:
        with mapped(address, sha256) as file:
            whole = file.read_all()
    except TransientError as error:
        if error.code not in STAGING_LOST:
            raise
        return None, None
    at = pc.index_in(rows, value_set=whole["row"].combine_chunks())
    letter = whole.schema.metadata[fields[0].encode()].decode()
    return letter, _shown(whole.select(fields).take(at), fields).combine_chunks()


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
