"""Attributes of members that the sheet fills: which columns of a dimension they may be, and as what they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Column, Table

from factload.errors import FeedError
from factload.feed.dimensions import Dimension
from factload.feed.model import Feed
from factload.feed.unmatched import Attribute
from factload.postgres.types import column_type, type_name
from factload.sql_types import SqlType

_TYPES = "text, varchar, a number, a date, a timestamp without time zone or a boolean"


def attribute_defects(field: str, dimension: Dimension, table: Table) -> Iterator[FeedError]:
    """Why the sheet can't fill these columns. ``field``: the feed's field that names them."""
    for name in dimension.unmatched.attributes:
        column, shown = table.c[name], f"{dimension.table}.{name}"
        if column.info["generated"]:
            yield FeedError(
                "attribute_made",
                f"{shown} is filled by the database itself",
                expected=f"a column that an INSERT may fill, for {field}.{name}",
                remedy="Leave this one out",
            )
        elif _read_as(column) is None:
            yield FeedError(
                "attribute_type",
                f"{shown} is {type_name(column.type)}",
                expected=f"{_TYPES}, for {field}.{name}",
                remedy="Leave this one out, or change the column",
            )


def with_attribute_types(feed: Feed, tables: Mapping[str, Table]) -> Feed:
    """The feed, whose attributes are read as the columns of these ``tables``, by the dimensions' names: in their type,
    and never blank where the column may not be null."""
    dimensions = {
        name: _typed(dimension, tables[name]) if name in tables else dimension
        for name, dimension in feed.dimensions.items()
    }
    return feed.model_copy(update={"dimensions": dimensions})


def _typed(dimension: Dimension, table: Table) -> Dimension:
    attributes = {
        name: Attribute(
            column=source.column, type=_read_as(table.c[name]), required=not table.c[name].nullable
        )
        for name, source in dimension.unmatched.attributes.items()
    }
    unmatched = dimension.unmatched.model_copy(update={"attributes": attributes})
    return dimension.model_copy(update={"unmatched": unmatched})


def _read_as(column: Column[object]) -> SqlType | None:
    """What the cells of such a column are read as; None for columns that a sheet can't fill."""
    kind = column_type(column.type)
    return None if kind.family in ("enum", "name") else kind.declared
