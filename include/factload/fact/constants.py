"""What the load itself writes into a fact row: constants, the period, and where the row comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa
from sqlalchemy import Column, Table

from factload.errors import FeedError
from factload.feed.columns import FactColumn
from factload.feed.model import Feed
from factload.load import PartitionFile
from factload.postgres.types import ColumnType, column_type, type_name

_ROW_BITS = 16  # too few for a million rows
_ANY_PERIOD = date(2026, 11, 5)


def constant_defects(fact: Table, feed: Feed) -> Iterator[FeedError]:
    """Each constant, period and provenance that its column of the fact table can't hold."""
    for name, source in feed.fact.columns.items():
        if name in fact.c and (told := _defect(fact.c[name], source)):
            what, expected = told
            yield FeedError(
                "column_type",
                f"{feed.fact.table}.{name} is {type_name(fact.c[name].type)}, and fact.columns.{name} puts "
                f"{what} there",
                expected=expected,
                remedy="Change fact.columns, or the table",
            )


def _defect(column: Column[object], source: FactColumn) -> tuple[str, str] | None:
    """What the column can't hold, and which columns could."""
    kind = column_type(column.type)
    if source.value is not None and not kind.holds(source.value):
        return f"the constant {source.value!r}", "a column of its type, wide enough"
    if source.period is not None and period_value(source.period, kind, _ANY_PERIOD) is None:
        return (
            "the period",
            'a date, a timestamp or a text; or an integer, for a format of digits such as period: "%Y%m%d"',
        )
    if source.provenance == "row" and kind.bits <= _ROW_BITS:
        return "the row's number", "integer or bigint"
    if source.provenance in ("workbook", "sheet") and (kind.family != "text" or kind.length is not None):
        return f"the name of the {source.provenance}", "text"
    return None


def constant_values(table: Table, feed: Feed, period: date, partition: PartitionFile) -> dict[str, Any]:
    """Fact column → its value, for those columns that are the same in every row of a partition.

    ``table``: the fact table, or a staging table with its types.
    """
    values: dict[str, Any] = {}
    for name, source in feed.fact.columns.items():
        kind = column_type(table.c[name].type)
        if source.value is not None:
            values[name] = float(source.value) if kind.family == "double" else source.value
        elif source.period is not None:
            values[name] = period_value(source.period, kind, period)
        elif source.provenance == "workbook":
            values[name] = partition.workbook
        elif source.provenance == "sheet":
            values[name] = partition.sheet
    return values


def with_constants(rows: pa.Table, constants: Mapping[str, Any]) -> pa.Table:
    """``rows`` with a column for each of the ``constants``."""
    for name, value in constants.items():
        rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
    return rows


def period_value(form: str, column: ColumnType, period: date) -> date | datetime | str | int | None:
    """The period as a column holds it, ``form`` being the format that the feed names or ``""``; None where it can't."""
    value: date | datetime | str | int = period.strftime(form) if form else period
    if isinstance(value, str) and column.family == "integer":
        if not value.isdecimal():
            return None
        value = int(value)
    elif not form and column.family == "timestamp":
        value = datetime.combine(period, time())
    elif not form and column.is_text:
        value = period.isoformat()
    return value if column.holds(value) else None
