"""Sheet and database matched: which column of the sheet may fill which column of the fact table.

By name first, by what the first rows hold where names don't say: a column whose values are members of a dimension
holds its keys. What stays open is said in the proposal, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from factload.feed.sql_types import SqlType
from factload.propose.names import (
    IS_FACT,
    IS_KEY,
    KEY_END,
    feed_name,
    identifier,
    period_path,
    plain,
    stem,
    unused,
)
from factload.propose.sheet_seen import SeenColumn, SeenSheet
from factload.propose.tables_seen import SeenTable, TableColumn

LOAD_COLUMN = "load_id"

_BIGINT = SqlType("integer", bits=64)

# (table, business key column, texts) → how many of the texts are members
Members = Callable[[str, str, Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class ProposedDimension:
    """One dimension; ``new`` when its table is yet to be made."""

    name: str
    table: str
    business_key: str
    surrogate_key: str
    header: str
    why: str
    key_type: SqlType = _BIGINT
    new: bool = False


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """One column of the fact table, filled by a dimension or by a column of the sheet."""

    name: str
    dimension: str | None = None
    header: str | None = None
    type: SqlType | None = None
    required: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A feed, proposed. ``open_columns`` of the fact table nothing fills yet, ``unused_headers`` fill nothing."""

    feed: str
    path: str
    period: date | None
    sheet: SeenSheet
    table: str
    new_table: bool
    load_column: str
    new_load_column: bool
    dimensions: tuple[ProposedDimension, ...]
    columns: tuple[ProposedColumn, ...]
    open_columns: tuple[TableColumn, ...] = ()
    unused_headers: tuple[str, ...] = ()


def propose(
    workbook: Path,
    path: str,
    sheet: SeenSheet,
    tables: Mapping[str, SeenTable],
    table: str | None,
    members: Members,
) -> Proposal:
    """The feed that seems to be meant. ``path``: where the feed will find the workbook; ``table``: the fact table."""
    name = feed_name(workbook)
    placed, period = period_path(path)
    fact = tables.get(table) if table else _likely_fact(sheet, tables)
    if fact is not None:
        return _into(fact, name, placed, period, sheet, tables, members)
    return _from_nothing(table or f"fact_{name}", name, placed, period, sheet, tables)


def _likely_fact(sheet: SeenSheet, tables: Mapping[str, SeenTable]) -> SeenTable | None:
    """The table that points at dimensions, or is called a fact, and has most of the sheet's names."""

    def score(table: SeenTable) -> int:
        names = {plain(c.name) for c in table.columns} | {stem(c.name) for c in table.columns}
        return sum(plain(c.header) in names or stem(c.header) in names for c in sheet.columns)

    facts = [t for t in tables.values() if t.refers or IS_FACT.match(t.name)]
    best = max(facts, key=score, default=None)
    return best if best is not None and score(best) else None


def _into(
    fact: SeenTable,
    name: str,
    path: str,
    period: date | None,
    sheet: SeenSheet,
    tables: Mapping[str, SeenTable],
    members: Members,
) -> Proposal:
    load_column = _load_column(fact, sheet)
    free = {c.header: c for c in sheet.columns}
    dimensions: list[ProposedDimension] = []
    columns: list[ProposedColumn] = []
    left: list[TableColumn] = []
    keys = {c.name: key for c in fact.columns if (key := _dimension_of(c, fact, tables))}
    # Measures and text by their names first: what is left over are the candidates for keys.
    for column in fact.columns:
        if column.generated or column.name in (load_column, *keys):
            continue
        header = _named(column.name, free)
        if header is None or column.type is None:
            if column.name != fact.primary_key or column.needed:
                left.append(column)
            continue
        free.pop(header)
        columns.append(ProposedColumn(column.name, None, header, column.type, column.needed, "the same name"))
    for column_name, (dimension, surrogate) in keys.items():
        found = _key_header(column_name, dimension, free, members)
        key_column = fact.column(column_name)
        if found is None or key_column is None:
            left += [key_column] if key_column else []
            continue
        header, business_key, why = found
        free.pop(header)
        called = unused(stem(column_name), [d.name for d in dimensions])
        dimensions.append(ProposedDimension(called, dimension.name, business_key, surrogate, header, why))
        columns.append(ProposedColumn(column_name, called, why=why))
    order = [c.name for c in fact.columns]
    columns.sort(key=lambda c: order.index(c.name))
    return Proposal(
        name,
        path,
        period,
        sheet,
        fact.name,
        False,
        load_column or LOAD_COLUMN,
        load_column is None,
        tuple(dimensions),
        tuple(columns),
        tuple(left),
        tuple(free),
    )


def _load_column(fact: SeenTable, sheet: SeenSheet) -> str | None:
    """A text column called like a load that the sheet doesn't have."""
    headers = {plain(c.header) for c in sheet.columns}
    texts = [
        c.name for c in fact.columns if c.type and c.type.kind == "text" and plain(c.name) not in headers
    ]
    return next((n for n in texts if n == LOAD_COLUMN), next((n for n in texts if "load" in n.lower()), None))


def _dimension_of(
    column: TableColumn, fact: SeenTable, tables: Mapping[str, SeenTable]
) -> tuple[SeenTable, str] | None:
    """The dimension that a column of the fact table points at, by foreign key or else by name; its surrogate key."""
    if column.name in fact.refers:
        table, surrogate = fact.refers[column.name]
        return (tables[table], surrogate) if table in tables else None
    about = stem(column.name) if KEY_END.search(column.name) else None
    for other in tables.values():
        alike = about == stem(other.name.rpartition(".")[2]) or column.name == other.primary_key
        if other is not fact and other.primary_key and alike:
            return other, other.primary_key
    return None


def _key_header(
    column: str, dimension: SeenTable, free: Mapping[str, SeenColumn], members: Members
) -> tuple[str, str, str] | None:
    """(header, business key, why) for a dimension: by name, else by whose values are its members."""
    business_keys = [*dimension.unique, *_text_columns(dimension)]
    if not business_keys:
        return None
    for wanted in (column, business_keys[0], dimension.name.rpartition(".")[2]):
        if header := _named(wanted, free):
            return header, business_keys[0], "the same name"
    best: tuple[int, str, str] = (0, "", "")
    for business_key in dict.fromkeys(business_keys[:3]):
        for header, seen in free.items():
            if seen.texts and (count := members(dimension.name, business_key, seen.texts)) > best[0]:
                best = (count, header, business_key)
    count, header, business_key = best
    return (header, business_key, f"{count} of its values are members") if count else None


def _text_columns(table: SeenTable) -> list[str]:
    texts = [
        c.name for c in table.columns if c.type and c.type.kind == "text" and c.name != table.primary_key
    ]
    return sorted(texts, key=lambda name: not IS_KEY.search(name))


def _from_nothing(
    table: str,
    name: str,
    path: str,
    period: date | None,
    sheet: SeenSheet,
    tables: Mapping[str, SeenTable],
) -> Proposal:
    """Tables that are yet to be made: a dimension for each column of keys, a column for each of the others."""
    texts = [c.header for c in sheet.columns if c.type().kind == "text"]
    keys = [h for h in texts if IS_KEY.search(h)] or texts[:1]
    dimensions: list[ProposedDimension] = []
    columns: list[ProposedColumn] = []
    for seen in sheet.columns:
        taken = [LOAD_COLUMN, *(c.name for c in columns)]
        if seen.header in keys:
            called = unused(stem(seen.header) or "key", [d.name for d in dimensions])
            surrogate = f"{called}_id"
            dimensions.append(_dimension(called, seen.header, tables))
            columns.append(ProposedColumn(unused(surrogate, taken), called))
        else:
            columns.append(
                ProposedColumn(
                    unused(identifier(seen.header), taken),
                    None,
                    seen.header,
                    seen.type(),
                    seen.always_filled and seen.type().kind != "text",
                )
            )
    return Proposal(
        name, path, period, sheet, table, True, LOAD_COLUMN, False, tuple(dimensions), tuple(columns)
    )


def _dimension(called: str, header: str, tables: Mapping[str, SeenTable]) -> ProposedDimension:
    why = "texts, named like a key" if IS_KEY.search(header) else "the first column of texts"
    there = tables.get(f"dim_{called}")
    if there and there.primary_key and (keys := [*there.unique, *_text_columns(there)]):
        key = there.column(there.primary_key)
        kind = key.type if key and key.type else SqlType("text")
        return ProposedDimension(called, there.name, keys[0], there.primary_key, header, why, kind)
    return ProposedDimension(
        called, f"dim_{called}", identifier(header), f"{called}_id", header, why, new=True
    )


def _named(name: str, free: Mapping[str, SeenColumn]) -> str | None:
    exact = next((h for h in free if plain(h) == plain(name)), None)
    return exact or next((h for h in free if stem(h) and stem(h) == stem(name)), None)
