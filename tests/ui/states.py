"""Loads in states that are seldom seen, written into the ledger and Airflow's own database: no load runs for them.

All are of the feed `visits`, whose DAG stays paused, so that the scheduler leaves its runs as they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, insert

from factload.ledger.migrations import install
from factload.ledger.tables import STAGING_SCHEMA, attempts, kept, loads, partitions, rejects, steps
from factload.load import Load
from factload.postgres.database import engine_for
from tests.ui.plant import SEEN_BEFORE, Plant
from tests.ui.window import back

FEED, DAG_ID = "visits", "load_visits"
CONTENT = "c0ffee"
# What each day back from today is.
(
    UNDONE,
    STAGED,
    PLAIN,
    DEAD,
    DRY,
    RELOAD,
    RELEASED,
    LARGE,
    WAITING,
    ENDED,
    SEVERAL,
    DECLINED,
    VERIFIED,
    ALTERED,
) = SEEN_BEFORE
REASON = "the twelve visits of the closed branch in Graz, agreed with the head of controlling on Tuesday"
ERROR = "there is no workbook at inbox/visits.xlsx. Put it there, then run the load again."
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Ledger:
    """Writes loads of the feed."""

    url: str

    def load(self, day: date, epoch: int = 1, published: int | None = None) -> None:
        """A load, whose newest attempt is `epoch`."""
        values = {"load_id": load_id(day), "feed": FEED, "period": day, "epoch": epoch}
        self._add(loads, values | {"target": "fact_sales", "published_epoch": published})

    def attempt(self, day: date, state: str, epoch: int = 1, **more: Any) -> None:
        """An attempt; it began at two in the night, and took a minute if it has ended."""
        began = more.pop("opened_at", at(day))
        ended = began + MINUTE if state not in ("loading", "reconciled") else None
        self._add(
            attempts,
            {
                "load_id": load_id(day),
                "epoch": epoch,
                "state": state,
                "content": CONTENT,
                "workbook": f"inbox/visits_{day}.xlsx",
                "workbook_sha256": "ab" * 32,
                "workbook_bytes": 4_200_000,
                "opened_at": began,
                "ended_at": ended,
            }
            | more,
        )

    def partition(self, day: date, number: int, loaded: int | None, workbook: str = "visits.xlsx") -> None:
        """The partition of 1,000 rows of this number, from 0; `loaded`: the epoch that staged it."""
        first = 2 + number * 1_000
        self._add(
            partitions,
            {
                "load_id": load_id(day),
                "content": CONTENT,
                "partition_id": f"p{number}",
                "label": label(number),
                "sheet": "Visits",
                "workbook": workbook,
                "first_row": first,
                "last_row": first + 999,
                "source_rows": 1_000,
                "blank_rows": 0,
                "rejected_rows": None if loaded is None else 0,
                "staged_rows": None if loaded is None else 1_000,
                "loaded_epoch": loaded,
                "worker": None if loaded is None else f"worker-{number % 2 + 1}",
            },
        )

    def step(
        self, day: date, name: str, began: timedelta, took: timedelta, item: str = "", epoch: int = 1
    ) -> None:
        """A step that has ended, so long after two in the night."""
        start = at(day) + began
        values = {"load_id": load_id(day), "epoch": epoch, "step": name, "item": item, "peak_rss_mb": 99.0}
        self._add(steps, values | {"started_at": start, "finished_at": start + took})

    def reject(self, day: date, row: int, workbook: str, **more: Any) -> None:
        """A rejected row."""
        values = {"load_id": load_id(day), "content": CONTENT, "partition_id": "p0", "sheet": "Visits"}
        self._add(rejects, values | {"row": row, "workbook": workbook} | more)

    def kept(self, day: date, epoch: int = 1) -> None:
        """The rows that the load's last change took the place of, for another week."""
        values = {
            "load_id": load_id(day),
            "epoch": epoch,
            "of_epoch": epoch - 1,
            "table_name": f"kept_{epoch}",
        }
        self._add(kept, values | {"keep_until": datetime.now(UTC) + timedelta(days=7)})

    def staging(self, day: date) -> None:
        """The table of the load's staged rows."""
        staging = Table(Load.staging_table_of(load_id(day), CONTENT), MetaData(schema=STAGING_SCHEMA))
        staging.append_column(Column("factload_row", Integer))
        with engine_for(self.url).begin() as connection:
            staging.create(connection)

    def _add(self, table: Any, values: dict[str, Any]) -> None:
        with engine_for(self.url).begin() as connection:
            install(connection)
            connection.execute(insert(table), values)


def load_id(day: date) -> str:
    """The load of a day."""
    return f"{FEED}@{day}"


def label(number: int) -> str:
    """What a partition is called."""
    return f"Visits {2 + number * 1_000}–{1_001 + number * 1_000}"


def at(day: date) -> datetime:
    """Two in the night."""
    return datetime.combine(day, time(2), UTC)


def write_states(plant: Plant) -> None:
    """Write them all."""
    ledger = Ledger(plant.warehouse)
    _published(ledger, back(PLAIN), 1_289_436, {"amount": "1289436.2500"})
    _dead_worker(plant, ledger)
    _reload(ledger)
    _released(ledger)
    _large_totals(ledger)
    plant.ended_run(DAG_ID, back(LARGE), "success")
    _two_workbooks(ledger)
    _declined(plant, ledger)
    _verified(ledger)
    _staged(ledger)
    _undone(ledger)
    plant.ended_run(DAG_ID, back(DRY), "success", conf={"dry_run": True}, report=DRY_REPORT)
    plant.ended_run(DAG_ID, back(ENDED), "failed", error=ERROR)
    until = datetime.combine(back(WAITING), time(8), UTC).isoformat()
    waits = {"workbook": f"inbox/visits_{back(WAITING)}.xlsx", "until": until}
    plant.ended_run(DAG_ID, back(WAITING), None, waits=waits)


def _counts(source: int, rejected: int = 0, published: bool = True) -> dict[str, int]:
    good = source - rejected
    return {
        "source_rows": source,
        "rejected_rows": rejected,
        "staged_rows": good,
        "published_rows": good if published else 0,
    }


def _published(ledger: Ledger, day: date, rows: int, totals: dict[str, str], **more: Any) -> None:
    ledger.load(day, published=1)
    both = {"source_totals": totals, "published_totals": totals}
    ledger.attempt(day, "published", **(_counts(rows) | both | more))


def _dead_worker(plant: Plant, ledger: Ledger) -> None:
    """Killed as it loaded: the ledger says `loading`, and Airflow that the run failed."""
    day = back(DEAD)
    ledger.load(day)
    ledger.attempt(day, "loading", source_rows=3_000)
    ledger.step(day, "open_load", SECOND, SECOND)
    ledger.step(day, "split_workbook", 3 * SECOND, 4 * SECOND)
    for number in range(3):
        ledger.partition(day, number, 1 if number == 0 else None)
    ledger.step(day, "load_partition", 8 * SECOND, 2 * SECOND, label(0))
    plant.ended_run(DAG_ID, day, "failed", return_value={"load_id": load_id(day), "epoch": 1})


def _reload(ledger: Ledger) -> None:
    """The same workbook once more: its split has not ended, and the partitions are those of the first attempt."""
    day = back(RELOAD)
    ledger.load(day, epoch=2, published=1)
    ledger.attempt(day, "published", **_counts(2_000))
    ledger.attempt(day, "loading", epoch=2, opened_at=datetime.now(UTC))
    for number in range(2):
        ledger.partition(day, number, loaded=1)
        ledger.step(day, "load_partition", 8 * SECOND, 2 * SECOND, label(number))


def _released(ledger: Ledger) -> None:
    """Held for an hour, until a person let it be published."""
    day = back(RELEASED)
    totals = {"amount": "499750.0000"}
    _published(
        ledger, day, 2_012, totals,
        **_counts(2_012, rejected=12), ended_at=at(day) + timedelta(hours=1, seconds=20),
        released_by="maria", released_at=at(day) + timedelta(hours=1, seconds=12), release_reason=REASON,
    )  # fmt: skip
    ledger.step(day, "open_load", SECOND, SECOND)
    ledger.step(day, "split_workbook", 3 * SECOND, 4 * SECOND)
    ledger.step(day, "reconcile", 9 * SECOND, SECOND)
    ledger.step(day, "release", timedelta(hours=1, seconds=11), SECOND, "maria")
    ledger.step(day, "publish", timedelta(hours=1, seconds=15), 4 * SECOND)


def _large_totals(ledger: Ledger) -> None:
    """Ten billions and more; of an integer the published sum has the decimals of the database's numeric."""
    totals = {
        "amount": "10000000000000.1200",
        "tax": "28123456789012.4000",
        "quantity": "98765432109876",
    }
    published = {**totals, "quantity": "98765432109876.000000"}
    _published(ledger, back(LARGE), 800_000, totals, published_totals=published)


def _two_workbooks(ledger: Ledger) -> None:
    """A load of two workbooks, 41 rows of the first rejected and one of the second."""
    day = back(SEVERAL)
    files = [
        {"path": f"inbox/{name}.xlsx", "sha256": "ab" * 32, "bytes": 2_100_000, "corrects": False}
        for name in ("north", "south")
    ]
    _published(
        ledger, day, 2_000, {"amount": "1.0000"}, **_counts(2_000, rejected=42), sources=files, workbook="inbox/*.xlsx"
    )  # fmt: skip
    ledger.partition(day, 0, loaded=1, workbook="north.xlsx")
    for row in range(2, 43):
        ledger.reject(
            day, row, "north.xlsx", cell=f"C{row}", column="Amount", raw="n/a", reason="not_a_number"
        )
    ledger.reject(day, 71, "south.xlsx", column="Ticket", reason="duplicate_value")


def _declined(plant: Plant, ledger: Ledger) -> None:
    """Held, and a person has decided to leave it so."""
    day = back(DECLINED)
    ledger.load(day)
    ledger.attempt(
        day, "held", **_counts(60_000, rejected=3_000, published=False), error_code="too_many_rejects",
        error_message="3,000 of 60,000 rows were rejected. Expected: at most max_rejects, 0.5%. Nothing was published.",
        source_totals={"amount": "1.0000"},
    )  # fmt: skip
    plant.ended_run(
        DAG_ID, day, "failed", decision=f"maria decided to leave {load_id(day)} held: ask the owner first"
    )


def _verified(ledger: Ledger) -> None:
    """Two loads that were verified a night later: one stands, and its rows before are kept; of the other a row is gone."""
    totals = {"amount": "2000.0000"}
    for days, found in ((VERIFIED, "stands"), (ALTERED, "differs")):
        day = back(days)
        _published(
            ledger, day, 2_000, totals, verified_at=at(day) + timedelta(days=1), verified_as=found, witness=[WITNESS]
        )  # fmt: skip
    ledger.kept(back(VERIFIED))


def _staged(ledger: Ledger) -> None:
    """Staged and proved two days ago on the command line, by the feed as it was then; nobody has published it."""
    day = back(STAGED)
    ledger.load(day)
    began = datetime.now(UTC) - timedelta(days=2)
    ledger.attempt(day, "reconciled", opened_at=began, **_counts(2_000, published=False))
    ledger.staging(day)


def _undone(ledger: Ledger) -> None:
    """Published, and taken back by a person an hour later: nothing had stood before."""
    day = back(UNDONE)
    ledger.load(day, epoch=2)
    ledger.attempt(day, "published", **_counts(2_000))
    taken_back = {"undoes": 1, "undone_by": "maria", "undo_reason": "the branch sent October again"}
    ledger.attempt(day, "undone", epoch=2, opened_at=at(day) + timedelta(hours=1), **taken_back)
    ledger.kept(day, epoch=2)


WITNESS = {
    "workbook": "", "sheet": "Visits", "place": "Cover!B3", "says": "sum of amount", "measure": "amount",
    "rows": "delivered", "number": "2100.0000", "found": "2000.0000", "difference": "-100.0000", "problem": "",
    "equal": False,
}  # fmt: skip
DRY_REPORT: dict[str, Any] = {
    "state": "ready",
    "rows": {"source": 60_000, "blank": 0, "rejected": 7, "staged": 59_993, "published": 0},
    "rejects": {"unmatched_key": 7},
    "warnings": [],
    "problems": [],
    "change": {
        "of": "in visits@2026-10-02",
        "rows": {"before": 61_200, "after": 59_993},
        "totals": {"amount": {"before": "1289436.25", "after": "1264000.5000"}},
    },
    "difference": {
        "workbooks": ["inbox/visits.xlsx"],
        "key": ["branch_id"],
        "rows": {
            "before": 61_200,
            "after": 59_993,
            "added": 12,
            "removed": 1_219,
            "changed": 204,
            "unchanged": 59_777,
        },
        "totals": {"amount": {"before": "1289436.25", "after": "1264000.5000"}},
        "notes": ["not compared: source_row, which say where in the workbook a row stood"],
        "largest": [
            {
                "kind": "changed",
                "workbook": "inbox/visits.xlsx",
                "sheet": "Visits",
                "row": 7,
                "cells": {"branch_id": "A7", "amount": "B7"},
                "columns": ["amount"],
            },
            {
                "kind": "removed",
                "workbook": None,
                "sheet": None,
                "row": None,
                "cells": {},
                "columns": ["branch_id", "amount"],
            },
        ],
        "vanishing": {"branch_id": {"members": 3}},
    },
}
