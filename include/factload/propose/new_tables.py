"""New tables: a dimension for each key column, a fact column for each of the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from factload.propose.column_types import Reading
from factload.propose.columns_seen import SeenColumn
from factload.propose.dimensions_seen import may_be_created, single_keys
from factload.propose.names import identifier, is_bare_key, is_counted, is_key, is_of_an_event, stem, unused
from factload.propose.proposal import (
    LOAD_COLUMN,
    OTHER_LOAD_COLUMN,
    Proposal,
    ProposedColumn,
    ProposedDimension,
)
from factload.propose.sheet_seen import SeenSheet
from factload.propose.tables_seen import Warehouse
from factload.sql_types import SqlType

_MOST_DIMENSIONS = 20
_LONGEST_NAME = 40
_TOLD_APART_FROM = 20  # rows: with fewer, values that are all different may come again in the next delivery
_TOO_MANY = 5_000  # members that a first load would make, one a row
_TEXT = SqlType("text")


def from_nothing(
    table: str, feed: str, path: str, period: date | None, sheet: SeenSheet, warehouse: Warehouse, **more: Any
) -> Proposal:
    """The sheet's columns as a fact table called ``table``, with dimensions."""
    load_column = OTHER_LOAD_COLUMN if _has_load_id(sheet) else LOAD_COLUMN
    keys = _keys(sheet)
    dimensions: list[ProposedDimension] = []
    for key, why in keys.items():
        dimensions.append(_dimension(sheet, sheet.column(key), table, why, dimensions, warehouse))
    of_key = {d.headers[0]: d for d in dimensions}
    attributes = {header for d in dimensions for _, header in d.attributes}
    columns: list[ProposedColumn] = []
    for seen in sheet.columns:
        taken = [load_column, *(c.name for c in columns)]
        if dimension := of_key.get(seen.header):
            columns.append(ProposedColumn(unused(dimension.surrogate_key, taken), dimension.name))
        elif seen.header not in attributes:
            reading, notes = _plain(seen)
            required = seen.required or (seen.always_filled and reading.type.kind != "text")
            name = unused(identifier(seen.header), taken)
            columns.append(
                ProposedColumn(name, None, seen.header, reading, required, notes, seen.not_allowed)
            )
    return Proposal(
        feed,
        path,
        period,
        sheet,
        table,
        new_table=True,
        load_column=load_column,
        new_load_column=False,
        dimensions=tuple(dimensions),
        columns=tuple(columns),
        unused_headers=tuple(sheet.left_out.items()),
        **more,
    )


def _has_load_id(sheet: SeenSheet) -> bool:
    return any(identifier(c.header) == LOAD_COLUMN for c in sheet.columns)


def _keys(sheet: SeenSheet) -> dict[str, str]:
    """The columns that are keys of dimensions, each with the reason."""
    named = [c for c in sheet.columns if is_key(c.header) and c.holds_keys and not _one_a_row(c)]
    if named:
        return {c.header: "named like a key, and filled in every row" for c in named[:_MOST_DIMENSIONS]}
    repeating = (
        c
        for c in sheet.columns
        if c.reading.type.kind == "text"
        and c.holds_keys
        and len(c.cells) * 2 <= c.rows
        and not c.reading.notes
    )
    first = next(repeating, None)
    return {first.header: "the first column of texts that come again and again"} if first else {}


def _one_a_row(column: SeenColumn) -> bool:
    """Whether the key is another in every row, and of something that happens once, such as an order."""
    once = column.rows >= _TOLD_APART_FROM and len(column.keys) == column.rows
    return once and (is_of_an_event(column.header) or column.rows >= _TOO_MANY)


def _plain(column: SeenColumn) -> tuple[Reading, tuple[str, ...]]:
    """How a column is read that is no dimension: keys are texts, as their sum says nothing."""
    reading = column.reading
    if not is_key(column.header):
        return reading, reading.notes
    why = () if column.cells.total() == 0 else (_no_dimension(column),)
    if reading.type.is_number and not is_counted(column.header):
        return Reading(_TEXT, notes=why), why
    return reading, (*reading.notes, *why)


def _no_dimension(column: SeenColumn) -> str:
    blank = column.rows - column.cells.total()
    if blank:
        return f"named like a key, but blank in {blank:,} of {column.rows:,} rows: no dimension"
    if _one_a_row(column):
        return "named like a key, but different in every row: no dimension"
    return "named like a key, but holds values that are not keys: no dimension"


def _dimension(
    sheet: SeenSheet,
    column: SeenColumn,
    table: str,
    why: str,
    others: Sequence[ProposedDimension],
    warehouse: Warehouse,
) -> ProposedDimension:
    header = column.header
    about = stem(header)
    if is_bare_key(header):  # of what the table is about
        about = stem(table.rpartition(".")[2])
    called = unused(about.encode()[:_LONGEST_NAME].decode("utf-8", "ignore"), [d.name for d in others])
    there = warehouse.tables.get(f"dim_{called}")
    business_key = identifier(header)
    if there and there.primary_key and (keys := single_keys(there)):
        known = business_key if business_key in keys else keys[0]
        key = there.column(there.primary_key)
        if key and key.type and (len(keys) == 1 or known == business_key):
            return ProposedDimension(
                called,
                there.name,
                (known,),
                there.primary_key,
                (header,),
                why,
                key.type,
                create=may_be_created(there, (known,), warehouse),
            )
    surrogate = f"{called}_id" if business_key != f"{called}_id" else f"{called}_key"
    name = unused(f"dim_{called}", [*warehouse.tables, *(d.table for d in others)])
    attributes = _attributes(sheet, header, (surrogate, business_key))
    return ProposedDimension(
        called,
        name,
        (business_key,),
        surrogate,
        (header,),
        why,
        new=True,
        create=True,
        attributes=attributes,
    )


def _attributes(sheet: SeenSheet, key: str, taken: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The columns of a new dimension for what the sheet repeats of a key; not for what rows are refused by."""
    found: dict[str, str] = {}
    for column in sheet.columns:
        if column.header in sheet.attributes.get(key, ()) and not (column.required or column.not_allowed):
            found[unused(identifier(column.header), [*taken, *found])] = column.header
    return tuple(found.items())
