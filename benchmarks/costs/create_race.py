"""Eight processes that ask at once for the same new members of a dimension (`unmatched: create`)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import create_engine, delete, func, select
from sqlalchemy.pool import NullPool

from benchmarks.contestants import PERIOD
from benchmarks.costs.engine import demo_feed, fresh, one_step, program, write_feed
from benchmarks.costs.figure import Line, Measured, Runs, Setting, WrongResult
from factload_demo.sample import dim_product

PROCESSES = 8
KEYS = 10_000
_PREFIX = "NEW-"


def measure(setting: Setting) -> Measured:
    """The load steps of eight loads of the same rows, let go at the same moment; the last one's end is what counts."""
    workbook = _workbook(setting.folder)
    feed = demo_feed()
    feed["workbook"]["sheet"] = 0
    feed["dimensions"]["product"]["unmatched"] = "create"
    write_feed(setting.folder, "race", feed)
    states = [setting.folder / f"race-{number}.json" for number in range(PROCESSES)]
    runs = Runs("create_race")
    try:
        for _ in setting.rounds():
            fresh(setting)
            _forget(setting)
            for number, state in enumerate(states):
                period = date.fromisoformat(PERIOD) + timedelta(days=number)
                begins = {"feed": "race", "period": str(period), "workbook": str(workbook)}
                state.write_text(json.dumps(begins))
                one_step(setting, "prepare", state)
            ended, _ = program(setting, "race_run", setting.warehouse.url, *map(str, states))
            if (made := _count(setting)) != (KEYS, KEYS):
                raise WrongResult(f"{made[0]} members of {made[1]} keys were made for {KEYS} keys")
            runs.add(first=min(ended["seconds"]), last=max(ended["seconds"]))
    finally:
        _forget(setting)
    return Measured(
        [
            Line(f"{PROCESSES} processes, the same {KEYS:,} new keys", runs.median("last"), "s"),
            Line("- the first of them has ended after", runs.median("first"), "s"),
        ],
        runs.taken,
    )


def _workbook(folder: Path) -> Path:
    path = folder / "create-race.csv"
    lines = (f"{_PREFIX}{number:05d},{number / 100:.2f}\n" for number in range(KEYS))
    path.write_text("business_key,metric\n" + "".join(lines))
    return path


def _forget(setting: Setting) -> None:
    """Remove the members that a race made: all other figures want the dimension as it was."""
    engine = create_engine(setting.warehouse.sqlalchemy_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(delete(dim_product).where(dim_product.c.business_key.startswith(_PREFIX)))


def _count(setting: Setting) -> tuple[int, int]:
    engine = create_engine(setting.warehouse.sqlalchemy_url, poolclass=NullPool)
    key = dim_product.c.business_key
    query = select(func.count(), func.count(key.distinct())).where(key.startswith(_PREFIX))
    with engine.connect() as connection:
        rows, keys = connection.execute(query).one()
    return rows, keys
