"""Whether the fact table holds exactly the rows that were drawn: asked in SQL, of a second drawing of them.

Neither the workbooks nor the engine have a part in it: the rows are drawn anew, as when the workbooks were written, and
compared one by one, with their keys looked up by a join.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from sqlalchemy import Connection, TextClause, create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks.contestants import LOAD
from benchmarks.data import Part

_LINES_AT_ONCE = 20_000
# Nobody vacuums or analyses it beside a load, whose cost that would be.
_DRAWN = """
    CREATE UNLOGGED TABLE drawn (part integer, business_key text, metric numeric(18,4))
    WITH (autovacuum_enabled = false)
"""
_SUMS = text("""
    SELECT count(*), coalesce(sum(metric), 0), count(DISTINCT dimension_id), count(*) FILTER (WHERE load_id = :load)
    FROM fact_sales
""")
_DRAWN_SUMS = text("""
    SELECT count(*), coalesce(sum(metric), 0), count(DISTINCT business_key), count(*) FROM drawn WHERE part < :parts
""")
_MISSING = text("""
    SELECT count(*) FROM (
        SELECT business_key, metric FROM drawn WHERE part < :parts
        EXCEPT ALL
        SELECT d.business_key, f.metric
        FROM fact_sales f JOIN dim_product d ON d.primary_synthetic_key = f.dimension_id
    ) AS missing
""")


@dataclass(frozen=True)
class Compared:
    """``rows``, exact ``total`` and number of different ``keys`` in the fact table; ``missing``: rows that were drawn
    and are not there; ``equal``: whether all is as it was drawn."""

    rows: int
    total: str
    keys: int
    missing: int
    equal: bool


def draw(url: str, parts: Sequence[Part], members: int) -> None:
    """The rows of the parts, drawn again into the table `drawn` of the database at this URL (SQLAlchemy's)."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS drawn"))
        connection.execute(text(_DRAWN))
        with closing(connection.connection.cursor()) as cursor:
            for number, part in enumerate(parts):
                lines = (f"{number},{key},{cents / 100:.2f}\n" for key, cents in part.draws(members))
                while some := "".join(islice(lines, _LINES_AT_ONCE)):
                    cursor.copy_expert("COPY drawn FROM STDIN (FORMAT csv)", io.StringIO(some))
        connection.execute(text("ANALYZE drawn"))


def compare(url: str, parts: int) -> Compared:
    """The fact table against the rows of the first ``parts`` parts."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        found = _sums(connection, _SUMS, {"load": LOAD})
        drawn = _sums(connection, _DRAWN_SUMS, {"parts": parts})
        missing = int(connection.scalar(_MISSING, {"parts": parts}) or 0)
    rows, total, keys, _ = found
    return Compared(rows, f"{total:f}", keys, missing, found == drawn and missing == 0)


def _sums(
    connection: Connection, query: TextClause, values: dict[str, object]
) -> tuple[int, Decimal, int, int]:
    rows, total, keys, own = connection.execute(query, values).one()
    return int(rows), Decimal(total), int(keys), int(own)
