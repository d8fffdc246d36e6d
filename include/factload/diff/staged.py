"""Rows that wait to be published: those of a load in its staging table, or others that have the same columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Table

from factload.diff.cells import Origin


@dataclass(frozen=True, slots=True)
class Staged:
    """What is compared with what stands.

    ``state``: of the attempt that the rows are of; ``held``: why it is held, where it is; ``table``: with a slice and a
    number for each row, and the fact columns that the feed fills; ``origins``: numbers of slices → where their rows
    came from.
    """

    load_id: str
    period: str
    workbooks: tuple[str, ...]
    state: str
    held: str
    table: Table
    origins: Callable[[Collection[int]], Mapping[int, Origin]]
