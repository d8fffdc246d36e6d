"""The Arrow type of each declared SQL type."""

from __future__ import annotations

import pyarrow as pa

from factload.sql_types import SqlType


def arrow_type(declared: SqlType) -> pa.DataType:
    """The Arrow type in which a partition file holds a column of this SQL type."""
    if declared.kind == "numeric":
        return pa.decimal128(declared.precision, declared.scale)
    if declared.zoned:
        return pa.timestamp("us", "UTC")
    return pa.type_for_alias(declared.arrow)
