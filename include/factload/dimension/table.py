"""A dimension's table as it stands in the database, checked against the feed before anything is read."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Table, select, types
from sqlalchemy.engine import Connection

from factload.dimension.attributes import attribute_defects
from factload.dimension.empty_validity import refused_by
from factload.errors import FeedError
from factload.feed.dimensions import AsOf, Dimension
from factload.feed.model import Feed
from factload.postgres.indexes import unique_indexes
from factload.postgres.tables import reflect
from factload.postgres.types import type_name


def dimension_table(connection: Connection, name: str, dimension: Dimension) -> Table:
    """The dimension's table, with every column that the feed names; raises ``FeedError`` for what isn't there."""
    return reflect(connection, dimension.table, needed_columns(name, dimension))


def needed_columns(name: str, dimension: Dimension) -> dict[str, str]:
    """Column of the dimension's table → the feed's field that names it."""
    field = f"dimensions.{name}"
    needed = dict.fromkeys(dimension.business_key, f"{field}.business_key")
    needed[dimension.surrogate_key] = f"{field}.surrogate_key"
    if dimension.as_of is not None:
        needed[dimension.as_of.valid_from] = f"{field}.as_of.valid_from"
        needed[dimension.as_of.end] = f"{field}.as_of.valid_to"
    if dimension.unmatched.inferred is not None:
        needed[dimension.unmatched.inferred] = f"{field}.unmatched.create.inferred"
    needed |= {name: f"{field}.unmatched.create.attributes.{name}" for name in dimension.unmatched.attributes}
    return needed


def attribute_tables(connection: Connection, feed: Feed) -> dict[str, Table]:
    """The tables of those dimensions whose members the sheet gives attributes."""
    return {
        name: dimension_table(connection, name, dimension)
        for name, dimension in feed.dimensions.items()
        if dimension.unmatched.attributes
    }


def check_dimensions(connection: Connection, feed: Feed) -> dict[str, Table]:
    """The tables of a feed's dimensions, after every check that needs no row of the workbook.

    Raises ``FeedError`` that names every defect.
    """
    tables, defects = {}, []
    for name, dimension in feed.dimensions.items():
        try:
            tables[name] = check_dimension(connection, name, dimension)
        except FeedError as error:
            defects.append(error)
    if defects:
        raise FeedError.together(defects)
    return tables


def check_dimension(connection: Connection, name: str, dimension: Dimension) -> Table:
    """The same of one dimension."""
    table = dimension_table(connection, name, dimension)
    if defects := list(_defects(connection, name, dimension, table)):
        raise FeedError.together(defects)
    return table


def _defects(connection: Connection, name: str, dimension: Dimension, table: Table) -> Iterator[FeedError]:
    field = f"dimensions.{name}"
    for column, declared in zip(dimension.business_key, dimension.types, strict=True):
        yield from _key_type(field, dimension.table, table.c[column], declared)
    if dimension.as_of is not None:
        for column in (dimension.as_of.valid_from, dimension.as_of.end):
            yield from _moment(f"{field}.as_of", dimension.table, table.c[column])
    if dimension.unmatched.action == "unknown":
        yield from _unknown(connection, field, dimension, table)
    if dimension.unmatched.action == "create":
        yield from _creation(connection, f"{field}.unmatched", dimension, table)


def _key_type(field: str, table: str, column: Column[object], declared: str) -> Iterator[FeedError]:
    dated = isinstance(column.type, types.Date)
    if isinstance(column.type, types.DateTime) or dated != (declared == "date"):
        yield FeedError(
            "key_type",
            f"the business key {table}.{column.name} is {type_name(column.type)}",
            expected="a date, for `type: date`"
            if declared == "date"
            else "anything but a date or a timestamp",
            remedy=f"Let {field}.type say `date`: the sheet's cells are then read as dates"
            if dated
            else f"Correct {field}.type or {field}.business_key",
        )
    elif declared in ("integer", "decimal") and not isinstance(
        column.type, types.Integer | types.Numeric | types.String
    ):
        yield FeedError(
            "key_type",
            f"the business key {table}.{column.name} is {type_name(column.type)}",
            expected=f"numbers, or text that writes them, for `type: {declared}`",
            remedy=f"Leave out {field}.type, or correct {field}.business_key",
        )


def _moment(field: str, table: str, column: Column[object]) -> Iterator[FeedError]:
    if not _is_moment(column):
        yield FeedError(
            "as_of_type",
            f"{table}.{column.name} is {type_name(column.type)}",
            expected=f"a date, or a timestamp without time zone, for {field}",
            remedy="Name other columns, or a view that has such",
        )


def _is_moment(column: Column[object]) -> bool:
    kind = column.type
    return isinstance(kind, types.Date) or (isinstance(kind, types.DateTime) and not kind.timezone)


def _unknown(connection: Connection, field: str, dimension: Dimension, table: Table) -> Iterator[FeedError]:
    member, key = dimension.unmatched.member, table.c[dimension.surrogate_key]
    numeric = isinstance(key.type, types.Integer | types.Numeric)
    if numeric == isinstance(member, int) and connection.scalar(select(key).where(key == member)) is not None:
        return
    yield FeedError(
        "unknown_member_missing",
        f"{dimension.table} has no member with {dimension.surrogate_key} {member}, "
        f"which {field}.unmatched.unknown names",
        remedy="Insert that member, or name one that is there",
    )


def _creation(connection: Connection, field: str, dimension: Dimension, table: Table) -> Iterator[FeedError]:
    for column in dimension.business_key:
        if not isinstance(table.c[column].type, types.String | types.Integer | types.Date):
            yield FeedError(
                "create_key_type",
                f"the business key {dimension.table}.{column} is {type_name(table.c[column].type)}",
                expected=f"text, a date or an integer: members are made by {field}: create",
                remedy="Use `reject` or `{unknown: …}` here",
            )
    timed = dimension.as_of
    once = [*dimension.business_key, *([timed.valid_from] if timed else [])]
    if not any(index.columns == frozenset(once) for index in unique_indexes(connection, table)):
        key = ", ".join(once)
        yield FeedError(
            "create_without_unique_index",
            f"{dimension.table} has no unique index on its business key "
            + (f"and {timed.valid_from} ({key})" if timed else f"({key})"),
            expected=f"one on exactly these columns, without a condition: it is what keeps {field}: create from "
            "making a member twice",
            remedy=f"CREATE UNIQUE INDEX ON {dimension.table} ({key}), or use `reject`",
        )
    if dimension.unmatched.on_change != "keep" and not any(
        index.columns == {dimension.surrogate_key} for index in unique_indexes(connection, table)
    ):
        yield FeedError(
            "update_without_unique_index",
            f"{dimension.table} has no unique index on its surrogate key ({dimension.surrogate_key})",
            expected=f"one, without a condition: by it {field}.create.on_change finds the members that it changes",
            remedy=f"CREATE UNIQUE INDEX ON {dimension.table} ({dimension.surrogate_key}), or leave out on_change",
        )
    inferred = dimension.unmatched.inferred
    if inferred is not None and not isinstance(table.c[inferred].type, types.Boolean):
        yield FeedError(
            "inferred_type",
            f"{dimension.table}.{inferred} is {type_name(table.c[inferred].type)}",
            expected=f"boolean, for {field}.create.inferred",
            remedy="Name another column, or change its type",
        )
    surrogate = table.c[dimension.surrogate_key]
    attributes = dimension.unmatched.attributes
    yield from attribute_defects(f"{field}.create.attributes", dimension, table)
    filled = {*dimension.business_key, *([inferred] if inferred else []), *attributes}
    if timed is not None:
        filled |= {timed.valid_from, timed.end}
        yield from _versions(connection, field, dimension, timed, table)
    for other in table.columns:
        must = other is surrogate or not other.nullable
        if other.name not in filled and must and other.server_default is None:
            yield FeedError(
                "create_column_unfilled",
                f"a member made by {field}: create would have no {other.name}: the column has no default"
                + ("" if other is surrogate else " and may not be null"),
                remedy=f"Give {dimension.table}.{other.name} a default, or use `reject` or `{{unknown: …}}`",
            )


def _versions(
    connection: Connection, field: str, dimension: Dimension, timed: AsOf, table: Table
) -> Iterator[FeedError]:
    """Why members can't be made that have a history, or versions of them."""
    validity = (timed.valid_from, timed.end)
    for name in validity:
        if table.c[name].info["generated"]:
            yield FeedError(
                "attribute_made",
                f"{dimension.table}.{name} is filled by the database itself",
                expected=f"a column that an INSERT may fill, for {field}: create with as_of",
                remedy="Name other columns in as_of, or use `reject` or `{unknown: …}`",
            )
    if not dimension.unmatched.makes_versions:
        return
    moments = all(_is_moment(table.c[name]) for name in validity)  # of others `_moment` tells
    for constraint in refused_by(connection, table, timed) if moments else ():
        yield FeedError(
            "versions_empty",
            f"the constraint {constraint} of {dimension.table} refuses a version that is valid at no time",
            expected=f"one that lets {' and '.join(validity)} leave no time, as for a version that was taken back, for "
            f"{field}.create.on_change: new_version",
            remedy="Change the constraint, or leave out on_change",
        )
    for index in unique_indexes(connection, table):
        if not index.columns & {dimension.surrogate_key, *validity}:
            yield FeedError(
                "versions_unique",
                f"{dimension.table} has a unique index on ({', '.join(sorted(index.columns))}), in which the versions "
                "of a member would be the same",
                expected=f"{timed.valid_from} in it, for {field}.create.on_change: new_version",
                remedy=f"Drop the index {index.name}, or leave out on_change",
            )
