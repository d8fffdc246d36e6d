"""An existing fact table: which column of the sheet may fill which of its columns.

By name first, by what the rows hold where names don't say: a column whose values are members of a dimension holds
its keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from factload.dimension.normalize import normalize
from factload.propose.column_types import Reading
from factload.propose.dimensions_seen import BusinessKey, business_keys, may_be_created
from factload.propose.names import IS_FACT, has_key_end, identifier, plain, stem, unused
from factload.propose.proposal import (
    LOAD_COLUMN,
    OTHER_LOAD_COLUMN,
    Proposal,
    ProposedColumn,
    ProposedDimension,
)
from factload.propose.sheet_seen import SeenColumn, SeenSheet
from factload.propose.tables_seen import SeenTable, TableColumn, Warehouse
from factload.propose.text_shapes import truth_words
from factload.sql_types import SqlType
from factload.vectors import texts as texts_array

_KEYS_ASKED = 1_000
_ISO = "%Y-%m-%d"
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
        header = _named(column.name, free)
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
        found = _key_headers(column_name, table, free, warehouse)
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


@dataclass(frozen=True, slots=True)
class _Match:
    """A business key and the headers that may hold it: how many of the values are members, of how many; and whether
    they have to be compared as numbers for that."""

    key: BusinessKey
    headers: tuple[str, ...]
    why: str
    members: int
    asked: int
    as_numbers: bool = False


def _key_headers(
    column: str, table: SeenTable, free: Mapping[str, SeenColumn], warehouse: Warehouse
) -> ProposedDimension | None:
    """The dimension with the headers that hold its business key: by name, else by whose values are its members."""
    keys = business_keys(table, warehouse)
    matches = [m for key in keys if (m := _by_name(key, column, table, free, warehouse))]
    if not any(m.members for m in matches):
        matches += [m for key in keys if (m := _by_members(key, table, free, warehouse))]
    if not matches:
        return None
    best = max(matches, key=lambda m: (m.members, -len(m.headers)))
    why = best.why
    if best.asked and best.members < best.asked and why == "the same name":
        why += f"; {best.members} of the {best.asked} values seen are members"
    create = best.key.history is None and may_be_created(table, best.key.columns, warehouse)
    return ProposedDimension(
        "",
        table.name,
        best.key.columns,
        "",
        best.headers,
        why,
        type="integer" if best.as_numbers else best.key.type,
        create=create,
        history=best.key.history,
        inclusive=_is_inclusive(table, best.key, warehouse),
        date_format=_date_format(free[best.headers[0]]) if best.key.type == "date" else "",
    )


def _is_inclusive(table: SeenTable, key: BusinessKey, warehouse: Warehouse) -> bool:
    """Whether the end of validity is a member's last day, as far as the table shows it."""
    ends = [table.column(name) for name in key.history or ()]
    dated = bool(ends) and all(end and end.type and end.type.kind == "date" for end in ends)
    return (
        dated
        and key.history is not None
        and warehouse.ends_on_last_days(table.name, key.columns, key.history)
    )


def _date_format(seen: SeenColumn) -> str:
    """How a column's texts write dates; nothing where its cells are dates."""
    return seen.reading.written.date or _ISO if seen.reading.parse_text else ""


def _by_name(
    key: BusinessKey,
    column: str,
    table: SeenTable,
    free: Mapping[str, SeenColumn],
    warehouse: Warehouse,
) -> _Match | None:
    if len(key.columns) > 1:
        found = [_named(part, free) for part in key.columns]
        headers = tuple(header for header in found if header)
        return _Match(key, headers, "the same names", 0, 0) if len(set(headers)) == len(found) else None
    for wanted in (column, key.columns[0], table.called):
        header = _named(wanted, free)
        if header and _may_hold(free[header], key):
            return _matched(key, table, header, free[header], warehouse, "the same name")
    return None


def _by_members(
    key: BusinessKey, table: SeenTable, free: Mapping[str, SeenColumn], warehouse: Warehouse
) -> _Match | None:
    if len(key.columns) > 1:
        return None
    best = None
    for header, seen in free.items():
        if not _may_hold(seen, key):
            continue
        match = _matched(key, table, header, seen, warehouse, "")
        if match.members > (best.members if best else 0):
            best = replace(match, why=f"{match.members} of its {match.asked} values seen are members")
    return best


def _matched(
    key: BusinessKey, table: SeenTable, header: str, seen: SeenColumn, warehouse: Warehouse, why: str
) -> _Match:
    name = key.columns[0]
    texts, column = seen.keys[:_KEYS_ASKED], table.column(name)
    members = warehouse.members_among(table.name, name, texts)
    if members < len(texts) and column and column.type and column.type.kind == "integer":
        numbers = list(dict.fromkeys(normalize(texts_array(texts), (), "integer").to_pylist()))
        counted = 0 if None in numbers else warehouse.members_among(table.name, name, numbers)
        if counted > members:
            return _Match(key, (header,), why, counted, len(numbers), as_numbers=True)
    return _Match(key, (header,), why, members, len(texts))


def _may_hold(seen: SeenColumn, key: BusinessKey) -> bool:
    """Whether a load can read the column's cells as such a key."""
    dated = seen.reading.type.kind == "date"
    return dated if key.type == "date" else bool(seen.cells)


def _named(name: str, free: Mapping[str, SeenColumn]) -> str | None:
    exact = next((h for h in free if plain(h) == plain(name) or identifier(h) == name), None)
    return exact or next((h for h in free if stem(h) and stem(h) == stem(name)), None)
