"""Columns as the text of PostgreSQL arrays."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from factload.vectors import characters

_MOMENTS = pa.timestamp("us")


def array_text(values: pa.Array) -> str:
    """The text of a PostgreSQL array of ``values``: ``{1,NULL,"a \\"b\\""}``.

    https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO: text elements are quoted, quotes and
    backslashes in them escaped, so that no value can be taken for NULL or for a delimiter.
    """
    values = _one_array(values)
    if pa.types.is_string(values.type):
        texts = pc.binary_join_element_wise('"', _escaped(values), '"', "")
    elif pa.types.is_timestamp(values.type) and values.type.tz is not None:
        # Moments of another zone than UTC there are none: their text says so, whatever the session's zone is.
        texts = pc.binary_join_element_wise(pc.cast(values.view(_MOMENTS), pa.string()), "Z", "")
    else:
        texts = pc.cast(values, pa.string())
    joined = pc.binary_join(_one_list(pc.fill_null(texts, "NULL")), ",")
    return "{" + (joined[0].as_py() or "") + "}"


def _escaped(values: pa.Array) -> pa.Array:
    held = characters(values)
    if b'"' in held or b"\\" in held:
        return pc.replace_substring_regex(values, r'(["\\])', r"\\\1")
    return values


def _one_array(values: pa.Array) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _one_list(texts: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
