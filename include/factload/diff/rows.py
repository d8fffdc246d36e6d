"""The rows that differ, found and paired in the database.

Rows that are equal on both sides cancel out first, as often as they are there: by a 64-bit hash of their values, so
that memory and time are those of one aggregation. What is left is paired by the key: the first row of a key before with
the first one after, and so on.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Numeric,
    Select,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateTableAs, DropTable

from factload.diff.sides import Sides, hash_of
from factload.fact.resolve import ROW
from factload.fact.staging_table import SLICE

_SORT_MEMORY = "64MB"
_NAME = "factload_diff_{}"


class DifferingRows:
    """The temporary tables of one comparison, in the caller's transaction: ``pairs`` has a row for each change."""

    def __init__(self, connection: Connection, sides: Sides) -> None:
        self._connection, self._sides = connection, sides
        connection.execute(select(func.set_config("work_mem", _SORT_MEMORY, True)))
        self._made: list[Table] = []
        hashes = self._make("hashes", self._differing_hashes())
        self.staged = self._make("staged", self._only(hashes, staged=True))
        self.standing = self._make("standing", self._only(hashes, staged=False))
        self.pairs = self._make("pairs", self._paired())

    def drop(self) -> None:
        """They are gone with the transaction's end, and not with the session's."""
        for table in self._made:
            self._connection.execute(DropTable(table))

    def _make(self, name: str, rows: Select[Any]) -> Table:
        made = CreateTableAs(rows, _NAME.format(name), temporary=True)
        self._connection.execute(made)
        self._made.append(made.table)
        self._connection.execute(text("ANALYZE pg_temp." + made.table.name))
        return made.table

    def _differing_hashes(self) -> Select[Any]:
        """Hash → how many rows more are staged than stand."""
        sides = self._sides
        both = union_all(
            sides.staged(
                hash_of(sides.staging, sides.compared).label("hash"), literal(1, Integer).label("side")
            ),
            sides.standing(
                hash_of(sides.fact, sides.compared).label("hash"), literal(-1, Integer).label("side")
            ),
        ).subquery("both_sides")
        more = func.sum(both.c.side)
        return select(both.c.hash, more.label("more")).group_by(both.c.hash).having(more != 0)

    def _only(self, hashes: Table, *, staged: bool) -> Select[Any]:
        """The rows of one side that the other doesn't have, or has less often, numbered within their key."""
        sides = self._sides
        table: FromClause = sides.staging if staged else sides.fact
        origin = [table.c[SLICE].label("slice"), table.c[ROW].label("number")] if staged else []
        values = [table.c[name].label(f"column_{n}") for n, name in enumerate(sides.compared)]
        hashed = hash_of(table, sides.compared).label("hash")
        # Without a key no row of one side is paired with one of the other.
        key = hash_of(table, sides.key) if sides.key else literal(int(staged), Integer)
        columns = [hashed, key.label("key"), *origin, *values]
        rows = (sides.staged if staged else sides.standing)(*columns).subquery("side")
        order: list[ColumnElement[Any]] = [rows.c.slice, rows.c.number] if staged else []
        occurrence = func.row_number().over(partition_by=rows.c.hash, order_by=order or None)
        more = hashes.c.more if staged else -hashes.c.more
        joined = (
            select(*rows.c, occurrence.label("occurrence"), more.label("more"))
            .select_from(rows.join(hashes, rows.c.hash == hashes.c.hash))
            .where(more > 0)
            .subquery("occurrences")
        )
        kept = [column for column in joined.c if column.name not in ("occurrence", "more")]
        order = [joined.c.slice, joined.c.number] if staged else self._values(joined)
        nth = func.row_number().over(partition_by=joined.c.key, order_by=order or None)
        return select(*kept, nth.label("nth")).where(joined.c.occurrence <= joined.c.more)

    def _values(self, table: FromClause) -> list[ColumnElement[Any]]:
        return [table.c[f"column_{self._sides.compared.index(name)}"] for name in self._sides.measures]

    def _paired(self) -> Select[Any]:
        new, old = self.staged.alias("new"), self.standing.alias("old")
        kind = case((old.c.hash.is_(None), "added"), (new.c.hash.is_(None), "removed"), else_="changed")
        columns: list[ColumnElement[Any]] = [kind.label("kind"), new.c.slice, new.c.number]
        for n in range(len(self._sides.compared)):
            columns += [old.c[f"column_{n}"].label(f"old_{n}"), new.c[f"column_{n}"].label(f"new_{n}")]
        same = and_(new.c.key == old.c.key, new.c.nth == old.c.nth)
        return select(*columns, *self._deltas(new, old)).select_from(new.join(old, same, full=True))

    def _deltas(self, new: FromClause, old: FromClause) -> list[ColumnElement[Any]]:
        """By how much each measure of a pair changes."""
        return [
            (func.coalesce(cast(after, Numeric), 0) - func.coalesce(cast(before, Numeric), 0)).label(
                f"delta_{n}"
            )
            for n, (after, before) in enumerate(zip(self._values(new), self._values(old), strict=True))
        ]
