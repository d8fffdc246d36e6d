"""Which rows hold texts that the database's encoding lacks: one in LATIN1 has no ``€``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.fact.rejected import with_rejects
from factload.feed.model import Feed
from factload.sheet.field import SheetField
from factload.split.fields import key_fields, sheet_fields
from factload.vectors import Flags, as_flags, flags

_REASON = "unstorable_text"


def reject_unencodable(rows: pa.Table, feed: Feed, codec: str | None) -> pa.Table:
    """A partition file's rows, of which those are rejects that hold a text the database can't store, too.

    ``codec``: Python's name for the database's encoding, None for one that holds every text. Keys count only where
    members are made of them: others are compared in our own memory.
    """
    if codec is None:
        return rows
    for field in _stored(feed):
        if field.name in rows.column_names and pa.types.is_string(rows.schema.field(field.name).type):
            rows = _without(rows, field, codec)
    return rows


def _stored(feed: Feed) -> Sequence[SheetField]:
    made = {
        name
        for dimension in feed.dimensions
        if feed.dimensions[dimension].unmatched.action == "create"
        for name in key_fields(feed, dimension)
    }
    return [
        field
        for field in sheet_fields(feed)
        if field.type.kind == "text" and (field.role == "value" or field.name in made)
    ]


def _without(rows: pa.Table, field: SheetField, codec: str) -> pa.Table:
    texts = rows[field.name].combine_chunks()
    bad = as_flags(pc.is_null(rows["reason"].combine_chunks())) & _unencodable(texts, codec)
    return with_rejects(rows, bad, [field.name], _REASON) if bad.any() else rows


def _unencodable(texts: pa.Array, codec: str) -> Flags:
    beyond = as_flags(pc.invert(pc.string_is_ascii(texts)))
    found = np.zeros(len(texts), np.bool_)
    if beyond.any():
        encoded = texts.filter(flags(beyond)).dictionary_encode()
        lacking = np.array([not _holds(text, codec) for text in encoded.dictionary.to_pylist()], np.bool_)
        found[beyond] = lacking[encoded.indices.to_numpy()]
    return found


def _holds(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
