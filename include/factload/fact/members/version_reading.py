"""What the versions of members are, and which rows belong to them, read out of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    Text,
    cast,
    func,
    literal,
    null,
    select,
    union,
    union_all,
)

from factload.dimension.inferred import rows_of_arrays
from factload.errors import RowsRefused
from factload.fact.load_column import load_key
from factload.fact.members.history import ALWAYS, FOREVER, Speaker, Version
from factload.fact.members.version_rows import VersionRows
from factload.ledger.member_versions import kept_of_others
from factload.ledger.tables import STAGING_SCHEMA
from factload.postgres.tables import table_there


@dataclass(frozen=True, slots=True)
class Told:
    """A member that is to be looked at. ``number``: its own in this transaction; ``said``: what the load says of it, as
    the number that its versions have; ``versions``: all that there are; ``texts``: bounds as the columns write them."""

    number: int
    said: int | None
    versions: Sequence[Version]
    texts: Mapping[datetime, str | None]


def told(rows: VersionRows, first: int, last: int) -> Iterator[Told]:
    """The members of these numbers, with their versions."""
    version, owner, members = rows.table.alias("version"), rows.owners(), rows.members
    some = members.c.number.between(first, last)
    begins, ends = version.c[rows.as_of.valid_from], version.c[rows.as_of.end]
    key = cast(rows.surrogate(version), Text)
    there = (
        select(
            members.c.number,
            key.label("key"),
            cast(begins, Text).label("begins"),
            cast(ends, Text).label("ends"),
            rows.said_by(version).label("said"),
            owner.c.load_id,
            owner.c.period,
            owner.c.published,
            owner.c.began,
        )
        .select_from(
            members.join(version, rows.same_member(version, members)).outerjoin(
                owner, owner.c.surrogate == key
            )
        )
        .where(some)
    )
    nothing = [cast(null(), column.type) for column in list(there.selected_columns)[5:]]
    no_text = cast(null(), Text)
    wanted = select(members.c.number, no_text, no_text, no_text, members.c.said, *nothing).where(
        some, members.c.said.is_not(None)
    )
    both = union_all(there, wanted).subquery("both")
    rank = func.dense_rank().over(order_by=both.c.said).label("rank")
    found: dict[int, list[Any]] = {}
    for row in rows.connection.execute(select(both, rank).order_by(both.c.number)):
        found.setdefault(row.number, []).append(row)
    for number in range(first, last + 1):
        there_is = found.get(number, [])
        said = next((row.rank for row in there_is if row.key is None), None)
        texts: dict[datetime, str | None] = {}
        versions = [_version(rows, row, texts) for row in there_is if row.key is not None]
        yield Told(number, said, versions, texts)


def _version(rows: VersionRows, row: Any, texts: dict[datetime, str | None]) -> Version:
    begins, ends = _moment(row.begins, ALWAYS), _moment(row.ends, FOREVER)
    if ends != FOREVER:
        ends += rows.after_end
    if begins == ALWAYS:
        texts[begins] = row.begins
    if ends == FOREVER:
        texts[ends] = row.ends
    owner = None if row.load_id is None else Speaker(row.load_id, _midnight(row.period), row.published)
    if row.began is None:
        return Version(row.key, begins, ends, row.rank, owner)
    return Version(row.key, begins, ends, row.rank, began=_moment(row.began, ALWAYS), replaced_by=owner)


def spoken(
    rows: VersionRows, first: int, last: int, newer: Mapping[Any, Speaker]
) -> dict[str, list[Speaker]]:
    """Version → the loads of newer periods that have rows which belong to it, for the members of these numbers.

    ``newer``: these loads, by what the load column holds."""
    version = rows.table.alias("version")
    found: dict[str, list[Speaker]] = {}
    column = rows.fact.c[rows.feed.fact.load_column or ""]
    of_fills = [
        select(cast(rows.surrogate(version), Text), column)
        .select_from(
            rows.members.join(version, rows.same_member(version, rows.members)).join(
                rows.fact, rows.fact.c[name] == cast(rows.surrogate(version), rows.fact.c[name].type)
            )
        )
        .where(rows.members.c.number.between(first, last), column.in_(list(newer)))
        for name in rows.fills
    ]
    for key, load_key_ in rows.connection.execute(union(*of_fills)):
        found.setdefault(key, []).append(newer[load_key_])
    return found


def held(rows: VersionRows, surrogates: Sequence[str]) -> set[str]:
    """Those of these versions that rows belong to which are not the load's: published ones, and rows that are kept
    to come back for another load."""
    if not surrogates:
        return set()
    name = rows.dimension.surrogate_key
    asked, parameters = rows_of_arrays(rows.table, [name], [pa.array(surrogates, pa.string())])
    others = rows.fact.c[rows.feed.fact.load_column or ""]
    not_ours = others.is_distinct_from(load_key(others, rows.load.load_id))
    places = [(rows.fact, not_ours)]
    for name_of_kept in kept_of_others(rows.connection, rows.load):
        kept = table_there(rows.connection, f'"{STAGING_SCHEMA}"."{name_of_kept}"')
        if kept is not None:  # its time may be over by now
            places.append((kept, literal(value=True)))
    belong = [
        select(cast(asked.c[name], Text)).where(
            select(literal(1))
            .select_from(place)
            .where(place.c[column] == cast(asked.c[name], place.c[column].type), condition)
            .exists()
        )
        for place, condition in places
        for column in rows.fills
        if column in place.c
    ]
    return set(rows.connection.scalars(union(*belong), parameters))


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time())


def _moment(text: str | None, open_: datetime) -> datetime:
    if text is None or text == ("-infinity" if open_ == ALWAYS else "infinity"):
        return open_
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RowsRefused(
            "dimension_interval",
            "a member of the dimension has a validity date outside of the years 1 to 9999",
            expected="years 1 to 9999, null, -infinity as a start or infinity as an end",
            remedy="Correct the dimension",
        ) from None
