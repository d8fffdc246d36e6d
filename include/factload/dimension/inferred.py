"""Inferred members (``unmatched: create``): members made for keys that have none, each exactly once.

A short transaction before the partition's own: ``INSERT … ON CONFLICT DO NOTHING`` in the order of the keys, so that
processes which make the same members wait for each other in a row, never in a circle. Run again it finds them there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Column, String, Table, Text, and_, bindparam, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Connection

from factload.dimension.extract import surrogate_type
from factload.dimension.lookup import Members
from factload.dimension.normalize import join_parts
from factload.dimension.validity import always, valid_on
from factload.errors import TransientError
from factload.feed.dimensions import Dimension
from factload.postgres.arrays import array_text
from factload.postgres.types import column_type
from factload.sql_types import integer_range
from factload.vectors import Flags, as_flags, flags

NUMBER = "factload_number"  # a name that no column of a dimension has
_ROOM = 1 << 31  # more members than any workbook makes


@dataclass(frozen=True, slots=True)
class Made:
    """Members that were made: how many, and the surrogate keys, as texts, of those that may get other versions."""

    members: int
    versions: Sequence[str] = ()


def make_members(
    connection: Connection,
    table: Table,
    dimension: Dimension,
    keys: pa.RecordBatch,
    attributes: Mapping[str, pa.Array],
    guard: Callable[[Connection, Made], None],
    chunk: int,
    day: date,
) -> pa.Array:
    """The surrogate key of each of ``keys`` (a column for each part, distinct, in order): of the member that is
    there by now, or of one made here; null where the dimension's columns can't store the key. ``attributes``: what the
    sheet says of each, by the dimension's columns. ``day``: as of when a member with a history is looked for; one that
    is made is always valid.

    ``guard(connection, made)`` runs at the end of each transaction of at most ``chunk`` keys: it may refuse, and
    notes the members that were made.
    """
    fits = storable(table, keys)
    wanted = keys.filter(flags(fits))
    said = {name: values.filter(flags(fits)) for name, values in attributes.items()}
    found: list[Any] = [None] * wanted.num_rows
    for start in range(0, wanted.num_rows, chunk):
        piece = wanted.slice(start, chunk)
        with connection.begin():
            of_piece = {name: values.slice(start, chunk) for name, values in said.items()}
            made = _insert(connection, table, dimension, piece, of_piece)
            guard(connection, made)
        with connection.begin():
            for number, surrogate in _surrogates(connection, table, dimension, piece, day):
                found[start + number - 1] = surrogate
    if None in found:
        raise TransientError(
            "member_not_made",
            f"{found.count(None)} members could neither be found nor made in {dimension.table}",
            expected="an INSERT that only the unique index on the business key can stop"
            + ("" if dimension.as_of is None else ", and a member that is valid then"),
            remedy="Look for other unique indexes, triggers or policies on the dimension; then run the load again",
        )
    kind = surrogate_type(table.c[dimension.surrogate_key].type)
    surrogates = pa.array(found if kind == pa.int64() else map(str, found), kind)
    return pc.replace_with_mask(pa.nulls(keys.num_rows, kind), flags(fits), surrogates)


class WouldBeMembers:
    """In the place of ``make_members`` for a check: makes nothing, and counts the members that a load would make.

    ``tables``: dimension → its table. ``members``: dimension → those that are there, from whose surrogate keys the
    would-be ones are kept apart.
    """

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.members: Mapping[str, Members] = {}
        self._keys: dict[str, dict[str, int]] = defaultdict(dict)
        self._first: dict[str, tuple[int, int]] = {}

    def __call__(self, name: str, keys: pa.RecordBatch, _: Mapping[str, pa.Array]) -> pa.Array:
        fits = storable(self.tables[name], keys)
        known = self._keys[name]
        joined = join_parts(keys.columns).to_pylist()
        numbers = [
            known.setdefault(key, len(known)) if fit else None for key, fit in zip(joined, fits, strict=True)
        ]
        return self._surrogates(name, numbers)

    def _surrogates(self, name: str, numbers: Sequence[int | None]) -> pa.Array:
        """Of each number a surrogate key that no member has, of the type that members' keys have in a map."""
        if pa.types.is_string(self.members[name].surrogate):
            # No text of PostgreSQL's has \0.
            return pa.array([None if n is None else f"\0{n}" for n in numbers], pa.string())
        if name not in self._first:
            self._first[name] = _beside(self.members[name])
        first, step = self._first[name]
        return pa.array([None if n is None else first + step * n for n in numbers], pa.int64())

    @property
    def created(self) -> dict[str, int]:
        """Dimension → members that would be made."""
        return {name: len(keys) for name, keys in self._keys.items() if keys}


def _beside(members: Members) -> tuple[int, int]:
    """A whole number that no member has as its surrogate key, and the step to the next ones: below the least key, or
    above the greatest where there is no room."""
    bounds = [pc.min_max(members.range(number)["surrogate"]).as_py() for number in range(members.ranges)]
    least = min((found["min"] for found in bounds if found["min"] is not None), default=0)
    greatest = max((found["max"] for found in bounds if found["max"] is not None), default=0)
    return (min(least, 0) - 1, -1) if least - _ROOM > -(1 << 63) else (max(greatest, 0) + 1, 1)


def storable(table: Table, keys: pa.RecordBatch) -> Flags:
    """Which keys (a column for each part, named as in the dimension) the dimension's columns can hold."""
    fits = np.ones(keys.num_rows, np.bool_)
    for name in keys.schema.names:
        fits &= _fits(keys[name], table.c[name])
    return fits


def _fits(part: pa.Array, column: Column[Any]) -> Flags:
    kind = column_type(column.type)
    if kind.is_text or kind.family == "name":
        good = ~as_flags(pc.match_substring(part, "\0"))
        return good & as_flags(pc.less_equal(pc.utf8_length(part), kind.length)) if kind.length else good
    if kind.family == "integer":
        held = integer_range(kind.bits)
        canonical = as_flags(pc.match_substring_regex(part, r"\A(0|-?[1-9][0-9]{0,18})\z"))
        pairs = zip(canonical, part.to_pylist(), strict=True)
        return np.array([ok and int(text) in held for ok, text in pairs], np.bool_)
    return np.ones(len(part), np.bool_)  # dates


def rows_of_arrays(
    table: Table, names: Sequence[str], columns: Sequence[pa.Array]
) -> tuple[Any, dict[str, str]]:
    """Values of these columns of the dimension as a table expression with a column ``NUMBER``, from 1, and its
    parameters."""
    arrays = [cast(bindparam(f"key_{name}", type_=String), ARRAY(table.c[name].type)) for name in names]
    rows = func.unnest(*arrays).table_valued(*names, with_ordinality=NUMBER).render_derived()
    return rows, {f"key_{name}": array_text(column) for name, column in zip(names, columns, strict=True)}


def _insert(
    connection: Connection,
    table: Table,
    dimension: Dimension,
    keys: pa.RecordBatch,
    attributes: Mapping[str, pa.Array],
) -> Made:
    names = [*dimension.business_key, *attributes]
    rows, parameters = rows_of_arrays(table, names, [*keys.columns, *attributes.values()])
    values = [rows.c[name] for name in names]
    if dimension.unmatched.inferred is not None:
        names.append(dimension.unmatched.inferred)
        values.append(literal(True))
    made = select(*values).order_by(rows.c[NUMBER])
    once = list(dimension.business_key)
    if dimension.as_of is not None:
        for name, value in always(dimension, table).items():
            names.append(name)
            made = made.add_columns(cast(literal(value), table.c[name].type))
        once.append(dimension.as_of.valid_from)
        same = [table.c[name] == rows.c[name] for name in dimension.business_key]
        made = made.where(~select(literal(1)).select_from(table).where(*same).exists())
    statement = upsert(table).from_select(names, made).on_conflict_do_nothing(index_elements=once)
    if not dimension.unmatched.makes_versions:
        return Made(connection.execute(statement, parameters).rowcount)
    returned = statement.returning(cast(table.c[dimension.surrogate_key], Text))
    versions = connection.scalars(returned, parameters).all()
    return Made(len(versions), versions)


def _surrogates(
    connection: Connection, table: Table, dimension: Dimension, keys: pa.RecordBatch, day: date
) -> list[tuple[int, Any]]:
    rows, parameters = rows_of_arrays(table, dimension.business_key, keys.columns)
    same = [table.c[name] == rows.c[name] for name in dimension.business_key]
    if dimension.as_of is not None:
        same.append(valid_on(dimension, table, day))
    query = select(rows.c[NUMBER], table.c[dimension.surrogate_key]).select_from(
        rows.join(table, and_(*same))
    )
    return [(number, surrogate) for number, surrogate in connection.execute(query, parameters)]
