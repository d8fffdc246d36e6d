"""What stands in the cells of duplicate rows. Staged rows hold surrogate keys; the partition files still have the
sheet's own values, and know in which column they stand.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from factload.feed.model import Feed
from factload.load import Load
from factload.split.fields import key_fields, value_field
from factload.split.partitions import file_of
from factload.staging.folders import folder_of

_TRAILING_ZEROS = r"(\.[0-9]*?)0+$"


def cells_of(
    load: Load, feed: Feed, partition_id: str, keys: Sequence[str], rows: pa.Array
) -> tuple[str | None, pa.Array | None]:
    """The letter of the sheet's column that the first key comes from, and what stands in the cells of the keys in
    these rows of the partition. Nothing where its file is gone."""
    path = file_of(folder_of(load), partition_id)
    fields = _fields(feed, keys)
    if path is None or not fields:
        return None, None
    with pa.memory_map(str(path)) as source:
        whole = pa.ipc.open_file(source).read_all()
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
