"""Which columns of the sheet hold a dimension's business key: by name, else by whose values are its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from factload.dimension.normalize import normalize
from factload.propose.columns_seen import SeenColumn
from factload.propose.dimensions_seen import BusinessKey, business_keys, may_be_created
from factload.propose.names import identifier, plain, stem
from factload.propose.proposal import (
    ProposedDimension,
)
from factload.propose.tables_seen import SeenTable, Warehouse
from factload.vectors import texts as texts_array

_KEYS_ASKED = 1_000
_ISO = "%Y-%m-%d"


def named(name: str, free: Mapping[str, SeenColumn]) -> str | None:
    """The header that is called like a column, up to case, punctuation and what only says that it is a key."""
    exact = next((h for h in free if plain(h) == plain(name) or identifier(h) == name), None)
    return exact or next((h for h in free if stem(h) and stem(h) == stem(name)), None)


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


def key_headers(
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
        found = [named(part, free) for part in key.columns]
        headers = tuple(header for header in found if header)
        return _Match(key, headers, "the same names", 0, 0) if len(set(headers)) == len(found) else None
    for wanted in (column, key.columns[0], table.called):
        header = named(wanted, free)
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
