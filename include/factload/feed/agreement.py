"""What the parts of a feed ask of one another. Every function raises ``CrossFieldError``, at the field to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from factload.errors import did_you_mean
from factload.feed.dimensions import Dimension
from factload.feed.fact import Fact
from factload.feed.limits import ROWS, ChangeLimits
from factload.feed.mode import MODES
from factload.feed.part import CrossFieldError


def require_dimensions_used(dimensions: Mapping[str, Dimension], fact: Fact) -> None:
    """Each dimension fills a column, each that a column names is there, and the load's own column is nobody else's."""
    for name, column in fact.columns.items():
        if column.dimension and column.dimension not in dimensions:
            near = did_you_mean(column.dimension, list(dimensions))
            raise CrossFieldError(
                f"names dimension {column.dimension!r}, which `dimensions` does not have. {near}".rstrip(),
                "fact",
                "columns",
                name,
            )
    used = {column.dimension for column in fact.columns.values()}
    if unused := sorted(set(dimensions) - used):
        raise CrossFieldError("fills no column of the fact table", "dimensions", unused[0])
    if fact.load_column in fact.columns:
        raise CrossFieldError(
            "is filled by the load itself; fact.columns may not name it", "fact", "load_column"
        )


def require_limited_columns(limits: ChangeLimits, compare_by: Collection[str], fact: Fact) -> None:
    """What ``max_change`` limits has a control total, and what rows are told apart by is filled."""
    for name in limits.measures:
        if name not in fact.measures:
            near = did_you_mean(name, [ROWS, *fact.columns])
            raise CrossFieldError(
                f"names {name!r}, which is neither `rows` nor a fact column with a control total: an exact number "
                f"out of the sheet. {near}".rstrip(),
                "max_change",
            )
    for name in compare_by:
        if name not in fact.columns:
            near = did_you_mean(name, list(fact.columns))
            raise CrossFieldError(
                f"names {name!r}, which `fact.columns` does not fill. {near}".rstrip(), "compare_by"
            )


def require_kept_rows(keep_previous: object | None, fact: Fact) -> None:
    """Rows that stood before can be kept only where they are a load's own."""
    if keep_previous is not None and not MODES[fact.mode.kind].can_keep:
        raise CrossFieldError(
            f"goes with the modes {_able_to_keep()}: with `{fact.mode.kind}` no row is a load's own",
            "keep_previous",
        )


def require_members_can_change(dimensions: Mapping[str, Dimension], fact: Fact) -> None:
    """Members are changed only where it is known which load a row is of, and get versions where rows are its own."""
    for name, dimension in dimensions.items():
        if dimension.unmatched.on_change != "keep" and fact.load_column is None:
            raise CrossFieldError(
                f"has `on_change: {dimension.unmatched.on_change}`, which needs `fact.load_column`: by it a load finds "
                "the members that rows of a newer period speak of",
                "dimensions",
                name,
            )
        if dimension.unmatched.makes_versions and not MODES[fact.mode.kind].can_keep:
            raise CrossFieldError(
                f"has `on_change: new_version`, which goes with the modes {_able_to_keep()}: with `{fact.mode.kind}` a "
                "later load may write over a row, and nothing says any more which period it was of",
                "dimensions",
                name,
            )


def _able_to_keep() -> str:
    return " and ".join(f"`{name}`" for name, mode in MODES.items() if mode.can_keep)


def require_one_origin(dimensions: Mapping[str, Dimension]) -> None:
    """No two of a feed's dimensions could give the members of a table their attributes."""
    tables = Counter(dimension.table for dimension in dimensions.values())
    for name, dimension in dimensions.items():
        if dimension.unmatched.attributes and tables[dimension.table] > 1:
            raise CrossFieldError(
                f"has `attributes` for members of {dimension.table}, and another dimension is on that table: a "
                "member would have those of whichever makes it first. Name the table once, or leave them out",
                "dimensions",
                name,
            )
