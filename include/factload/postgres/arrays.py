"""Columns as the text of PostgreSQL arrays."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def array_text(values: pa.Array) -> str:
    """The text of a PostgreSQL array of ``values``: ``{1,NULL,"a \\"b\\""}``.

    https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO: text elements are quoted, quotes and
    backslashes in them escaped, so that no value can be taken for NULL or for a delimiter.
    """
    if pa.types.is_string(values.type):
        escaped = pc.replace_substring_regex(values, r'(["\\])', r"\\\1")
        texts = pc.binary_join_element_wise('"', escaped, '"', "")
    else:
        texts = pc.cast(values, pa.string())
    joined = pc.binary_join(_one_list(pc.fill_null(texts, "NULL")), ",")
    return "{" + (joined[0].as_py() or "") + "}"


def _one_list(texts: pa.Array) -> pa.Array:
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    return pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
