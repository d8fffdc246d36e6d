"""What stands in the cells of duplicate rows. Staged rows hold surrogate keys; the partition files still have the
sheet's own values, and know in which column they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Integer, Text, bindparam, cast, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from factload.feed.model import Feed
from factload.ledger.conditions import of_partition
from factload.ledger.tables import rejects
from factload.load import Load
from factload.split.fields import key_fields, value_field
from factload.split.partitions import file_of
from factload.staging.folders import folder_of

_TRAILING_ZEROS = r"(\.[0-9]*?)0+$"


def note_cells(
    connection: Connection, load: Load, feed: Feed, partition_id: str, keys: Sequence[str], reason: str
) -> None:
    """Note with each duplicate of the partition its cell and the value there. Nothing where the file is gone."""
    path = file_of(folder_of(load), partition_id)
    fields = _fields(feed, keys)
    if path is None or not fields:
        return
    without_a_cell = (
        of_partition(rejects, load, partition_id),
        rejects.c.reason == reason,
        rejects.c.cell.is_(None),
    )
    wanted = list(connection.scalars(select(rejects.c.row).where(*without_a_cell)))
    rows, letter = _rows_of(path, wanted, fields)
    numbers = rows["row"].to_pylist()
    found = (
        func.unnest(
            cast(bindparam(None, numbers), ARRAY(Integer)),
            cast(bindparam(None, [f"{letter}{row}" for row in numbers]), ARRAY(Text)),
            cast(bindparam(None, _shown(rows, fields).to_pylist()), ARRAY(Text)),
        )
        .table_valued("row", "cell", "raw")
        .render_derived("found")
    )
    connection.execute(
        update(rejects)
        .where(*without_a_cell, rejects.c.row == found.c.row)
        .values(cell=found.c.cell, raw=found.c.raw)
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


def _rows_of(path: Path, wanted: Sequence[int], fields: Sequence[str]) -> tuple[pa.Table, str]:
    """Some rows of a partition file, and the letter of the sheet's column that the first field comes from."""
    with pa.memory_map(str(path)) as source:
        whole = pa.ipc.open_file(source).read_all()
        which = pc.is_in(whole["row"], value_set=pa.array(wanted, pa.int32()))
        rows = whole.select(["row", *fields]).filter(which)
        return rows, whole.schema.metadata[fields[0].encode()].decode()


def _shown(rows: pa.Table, fields: Sequence[str]) -> pa.ChunkedArray:
    """The values of each row as a person reads them, one after another."""
    texts = [_text(rows[field]) for field in fields]
    return pc.binary_join_element_wise(*texts, ", ", null_handling="replace", null_replacement="")


def _text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.cast(values, pa.string())
    if not pa.types.is_decimal(values.type):
        return text
    return pc.replace_substring_regex(pc.replace_substring_regex(text, _TRAILING_ZEROS, r"\1"), r"\.$", "")
