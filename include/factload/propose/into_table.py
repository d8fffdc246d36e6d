"""An existing fact table: which column of the sheet may fill which of its columns.

By name first, by what the rows hold where names don't say: a column whose values are members of a dimension holds
its keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from factload.propose.column_types import Reading
from factload.propose.columns_seen import SeenColumn
from factload.propose.keys_matched import key_headers, named
from factload.propose.names import IS_FACT, has_key_end, plain, stem, unused
from factload.propose.proposal import (
    LOAD_COLUMN,
    OTHER_LOAD_COLUMN,
    Proposal,
    ProposedColumn,
    ProposedDimension,
)
from factload.propose.sheet_seen import SeenSheet
from factload.propose.tables_seen import SeenTable, TableColumn, Warehouse
from factload.propose.text_shapes import truth_words
from factload.sql_types import SqlType

_NUMBERS, _MOMENTS = ("integer", "numeric", "double"), ("date", "timestamp")


def likely_fact(sheet: SeenSheet, tables: Mapping[str, SeenTable]) -> tuple[SeenTable | None, str]:
    """The table that points at dimensions, or is called a fact, and has most of the sheet's names; and the reason, or
    which one is near."""
    facts = [t for t in tables.values() if t.refers or IS_FACT.match(t.called)]
    best = max(facts, key=lambda t: len(_shared(sheet, t)), default=None)
    if best is None or not (shared := len(_shared(sheet, best))):
        return None, ""
    fillable = [c for c in best.columns if not c.generated and c.name != best.primary_key and not c.default]
    alike = shared * 2 >= min(len(sheet.columns), len(fillable) - 1)
    if alike and (shared > 1 or shared == len(sheet.columns)):
        return best, f"{shared} of the sheet's {len(sheet.columns)} names; --table names another"
    return None, f"new: see --ddl. {best.name} is there, with {shared} of its names: --table takes it"


def _shared(sheet: SeenSheet, table: SeenTable) -> list[str]:
    names = {plain(c.name) for c in table.columns} | {stem(c.name) for c in table.columns}
    return [c.header for c in sheet.columns if plain(c.header) in names or stem(c.header) in names]


def into(
    fact: SeenTable,
    feed: str,
    path: str,
    period: date | None,
    sheet: SeenSheet,
    warehouse: Warehouse,
    **more: Any,
) -> Proposal:
    """The sheet's columns in the columns of ``fact``."""
    load_column = _load_column(fact, sheet)
    free = {c.header: c for c in sheet.columns}
    dimensions: list[ProposedDimension] = []
    columns: list[ProposedColumn] = []
    left: list[TableColumn] = []
    keys = {c.name: key for c in fact.columns if (key := _dimension_of(c, fact, warehouse.tables))}
    # Measures and text by their names first: what is left over are the candidates for keys.
    for column in fact.columns:
        if column.generated or column.name in (load_column, *keys):
            continue
        header = named(column.name, free)
        if header is None or column.type is None:
            if column.name != fact.primary_key or column.needed:
                left.append(column)
            continue
        seen = free.pop(header)
        reading = _as_declared(seen, column.type, all_text=sheet.csv is not None)
        labels = seen.not_allowed if column.type.kind == "text" else ()
        required = column.needed or seen.required
        columns.append(ProposedColumn(column.name, None, header, reading, required, reading.notes, labels))
    for column_name, (table, surrogate) in keys.items():
        key_column = fact.column(column_name)
        found = key_headers(column_name, table, free, warehouse)
        if found is None or key_column is None:
            left += [key_column] if key_column else []
            continue
        for header in found.headers:
            free.pop(header)
        called = unused(stem(column_name), [d.name for d in dimensions])
        dimensions.append(replace(found, name=called, surrogate_key=surrogate))
        columns.append(ProposedColumn(column_name, called))
    order = [c.name for c in fact.columns]
    columns.sort(key=lambda c: order.index(c.name))
    unused_headers = [*((h, "") for h in free), *sheet.left_out.items()]
    return Proposal(
        feed,
        path,
        period,
        sheet,
        fact.name,
        new_table=False,
        load_column=load_column
        or unused(LOAD_COLUMN if LOAD_COLUMN not in order else OTHER_LOAD_COLUMN, order),
        new_load_column=load_column is None,
        dimensions=tuple(dimensions),
        columns=tuple(columns),
        open_columns=tuple(left),
        unused_headers=tuple(unused_headers),
        **more,
    )


def called_as_in(fact: SeenTable, sheet: SeenSheet) -> SeenSheet:
    """The sheet with the names of ``fact`` for what columns that become rows make, where but one can be meant; and
    without such rows where the table has those columns itself."""
    if sheet.unpivot is None:
        return sheet
    headers = {c.header: c for c in sheet.columns}
    periods = {c.header: c for c in sheet.unpivot.plain.columns if c.header not in headers}
    if any(named(c.name, periods) for c in fact.columns):
        return sheet.unpivot.plain
    load_column = _load_column(fact, sheet)
    free = [
        c
        for c in fact.columns
        if c.type
        and not (
            c.generated or c.default or c.name in (load_column, fact.primary_key) or c.name in fact.refers
        )
        and not named(c.name, headers)
    ]
    numbers = [c.name for c in free if c.type and c.type.is_number]
    others = [c.name for c in free if c.name not in numbers]
    name, value = sheet.unpivot.name, sheet.unpivot.value
    there = {
        made for made in (name, value) if any(named(c.name, {made: headers[made]}) for c in fact.columns)
    }
    return sheet.with_names(
        others[0] if name not in there and len(others) == 1 else name,
        numbers[0] if value not in there and len(numbers) == 1 else value,
    )


def _load_column(fact: SeenTable, sheet: SeenSheet) -> str | None:
    """A text column called like a load that the sheet doesn't have."""
    headers = {plain(c.header) for c in sheet.columns}
    texts = [
        c.name for c in fact.columns if c.type and c.type.kind == "text" and plain(c.name) not in headers
    ]
    named = [n for n in (OTHER_LOAD_COLUMN, LOAD_COLUMN) if n in texts]
    return next(iter(named), next((n for n in texts if "load" in n.lower()), None))


def _as_declared(seen: SeenColumn, declared: SqlType, *, all_text: bool) -> Reading:
    """The column's own type, and what the sheet's texts write where they write such values."""
    reading = seen.reading
    if declared.kind == "boolean" and (words := truth_words(seen.cells)):
        return Reading(declared, parse_text=not all_text, written=words)
    same = any(
        {reading.type.kind, declared.kind} <= set(kinds) for kinds in (_NUMBERS, _MOMENTS, ("boolean",))
    )
    if same:
        return replace(reading, type=declared, notes=())
    doubts = reading.notes if declared.kind != "text" else ()
    return Reading(declared, notes=doubts)


def _dimension_of(
    column: TableColumn, fact: SeenTable, tables: Mapping[str, SeenTable]
) -> tuple[SeenTable, str] | None:
    """The dimension that a column of the fact table points at, by foreign key or else by name; its surrogate key."""
    if column.name in fact.refers:
        table, surrogate = fact.refers[column.name]
        return (tables[table], surrogate) if table in tables else None
    about = stem(column.name) if has_key_end(column.name) else None
    for other in tables.values():
        alike = about == stem(other.called) or column.name == other.primary_key
        if other is not fact and other.primary_key and alike and not IS_FACT.match(other.called):
            return other, other.primary_key
    return None
