"""A past for the ledger: loads as they would have been noted, written straight into its tables."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import insert

from factload.ledger.migrations import install
from factload.ledger.tables import attempts, loads
from factload.postgres.database import engine_for

_BATCH = 5_000


def write_past(
    url: str, feed: str, last: date, days: int, states: dict[int, str | None], seed: int = 1
) -> None:
    """Note a load of `feed` for each of the `days` up to `last`.

    All are published, but those in `states`, which counts days back from `last`; None there leaves the day out.
    Every twentieth is far larger than the others, and every thirtieth has many rejects.
    """
    periods = [last - timedelta(days=back) for back in range(days)]
    write_loads(url, _attempts(feed, periods, states, random.Random(seed)))  # noqa: S311 - no secret


def write_loads(url: str, found: Iterable[dict[str, Any]]) -> None:
    """Note these attempts, each the newest of its load; makes the ledger where there is none."""
    rows = list(found)
    with engine_for(url).begin() as connection:
        install(connection)
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            connection.execute(insert(loads), [_load(row) for row in batch])
            connection.execute(
                insert(attempts), [{k: v for k, v in row.items() if k in attempts.c} for row in batch]
            )


def _load(row: dict[str, Any]) -> dict[str, Any]:
    published = row["epoch"] if row["state"] == "published" else None
    names = ("load_id", "feed", "period", "epoch")
    return {name: row[name] for name in names} | {"target": "fact_sales", "published_epoch": published}


def _attempts(
    feed: str, periods: list[date], states: dict[int, str | None], rng: random.Random
) -> Iterator[dict[str, Any]]:
    for back, period in enumerate(periods):
        state = states.get(back, "published")
        if state is None:
            continue
        source = int(rng.gauss(400_000, 15_000) * (2.2 if back % 20 == 13 else 1))
        rejected = int(source * rng.uniform(0.0006, 0.0014) * (9 if back % 30 == 5 else 1))
        began = datetime.combine(period, time(2, 0, 4), UTC)
        done = state in ("published", "held")
        yield {
            "load_id": f"{feed}@{period}",
            "feed": feed,
            "period": period,
            "epoch": 1,
            "state": state,
            "content": f"{period:%Y%m%d}",
            "workbook": f"inbox/{feed}_{period}.xlsx",
            "workbook_sha256": "0" * 64,
            "workbook_bytes": source * 21,
            "source_rows": source if done else 0,
            "blank_rows": 9 if done else 0,
            "rejected_rows": rejected if done else 0,
            "staged_rows": source - rejected - 9 if done else 0,
            "published_rows": source - rejected - 9 if state == "published" else 0,
            "error_code": None if done else "workbook_unreadable",
            "error_message": None if state == "published" else f"{feed}@{period} is {state}. Correct the workbook.",
            "opened_at": began,
            "ended_at": began + timedelta(seconds=max(3.0, rng.gauss(14, 1.2) * (3 if back % 25 == 7 else 1))),
        }  # fmt: skip
