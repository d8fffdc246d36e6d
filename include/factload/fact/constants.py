"""What the load itself writes into a fact row: constants, the period, and where the row comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import Column, Table, types
from sqlalchemy.dialects.postgresql import ENUM

from factload.errors import FeedError
from factload.feed.columns import FactColumn
from factload.feed.model import Feed
from factload.load import PartitionFile
from factload.postgres.type_names import is_short_text, type_name

_BITS = {"SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}
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
    kind = column.type
    if source.value is not None and not _holds(kind, source.value):
        return f"the constant {source.value!r}", "a column of its type, wide enough"
    if source.period is not None and _period_value(source.period, kind, _ANY_PERIOD) is None:
        return (
            "the period",
            'a date, a timestamp or a text; or an integer, for a format of digits such as period: "%Y%m%d"',
        )
    if source.provenance == "row" and _BITS.get(str(kind), 0) <= _ROW_BITS:
        return "the row's number", "integer or bigint"
    if source.provenance in ("workbook", "sheet") and not _is_text(kind):
        return f"the name of the {source.provenance}", "text"
    return None


def constant_values(table: Table, feed: Feed, period: date, partition: PartitionFile) -> dict[str, Any]:
    """Fact column → its value, for those columns that are the same in every row of a partition.

    ``table``: the fact table, or a staging table with its types.
    """
    values: dict[str, Any] = {}
    for name, source in feed.fact.columns.items():
        kind = table.c[name].type
        if source.value is not None:
            values[name] = float(source.value) if isinstance(kind, types.Float) else source.value
        elif source.period is not None:
            values[name] = _period_value(source.period, kind, period)
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


def _period_value(
    form: str, kind: types.TypeEngine[object], period: date
) -> date | datetime | str | int | None:
    """The period as a column of type ``kind`` holds it; None where it can't."""
    if form:
        text = period.strftime(form)
        if _is_integer(kind):
            return int(text) if text.isdecimal() and _holds(kind, int(text)) else None
        return text if _holds(kind, text) and isinstance(kind, types.String) else None
    if isinstance(kind, types.DateTime):
        return None if kind.timezone else datetime.combine(period, time())
    if isinstance(kind, types.Date):
        return period
    return period.isoformat() if _holds(kind, period.isoformat()) and isinstance(kind, types.String) else None


def _holds(kind: types.TypeEngine[object], value: object) -> bool:
    """Whether a column of type ``kind`` holds ``value`` exactly."""
    if isinstance(value, bool):
        return isinstance(kind, types.Boolean)
    if isinstance(value, str):
        return _holds_text(kind, value)
    if isinstance(value, datetime):
        return isinstance(kind, types.DateTime) and kind.timezone == (value.tzinfo is not None)
    if isinstance(value, date):
        return isinstance(kind, types.Date)
    return isinstance(value, int | Decimal) and _holds_number(kind, Decimal(value))


def _holds_text(kind: types.TypeEngine[object], value: str) -> bool:
    if isinstance(kind, ENUM):
        return value in kind.enums
    wide = isinstance(kind, types.String) and (kind.length is None or len(value) <= kind.length)
    return wide and not is_short_text(kind)


def _holds_number(kind: types.TypeEngine[object], value: Decimal) -> bool:
    if isinstance(kind, types.Float):
        return True
    if _is_integer(kind):
        bits = _BITS.get(str(kind), 0)
        return (
            bits > 0 and value == value.to_integral_value() and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
        )
    if isinstance(kind, types.Numeric):
        if kind.precision is None:
            return True
        scale = kind.scale or 0
        _, digits, exponent = value.normalize().as_tuple()
        fits = value == 0 or len(digits) + int(exponent) <= kind.precision - scale
        return fits and -int(exponent) <= scale
    return False


def _is_integer(kind: types.TypeEngine[object]) -> bool:
    return isinstance(kind, types.Integer)


def _is_text(kind: types.TypeEngine[object]) -> bool:
    return isinstance(kind, types.String) and kind.length is None and not is_short_text(kind)
