"""A load with ten dimensions against one with a single dimension, of as many rows."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    MetaData,
    Numeric,
    Table,
    Text,
    create_engine,
    func,
    select,
)
from sqlalchemy.pool import NullPool

from benchmarks.costs.engine import demo_feed, factload_run, fresh, write_feed
from benchmarks.costs.figure import Line, Measured, Runs, Setting, WrongResult
from benchmarks.costs.members import make_members
from benchmarks.data import sample
from factload_demo.sample import MEMBERS, SEED, SHEET

# Members of each dimension beside the demo's product: as a star schema has them, one large and most of them small.
OTHERS = (100_000, 50_000, 20_000, 10_000, 5_000, 1_000, 365, 100, 12)
_GOAL_TIMES, _GOAL_MB = 2.5, 400.0
_FORMAT = 1  # part of a cached workbook's name: raise it when the same parameters give other rows
_STEP = "load_partition"
_FACT = "fact_wide"

_fact = Table(
    _FACT,
    MetaData(),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("dimension_id", BigInteger, nullable=False),
    *(Column(f"dimension_{number}_id", BigInteger, nullable=False) for number in range(2, len(OTHERS) + 2)),
    Column("metric", Numeric(18, 4), nullable=False),
    Column("load_id", Text, nullable=False, index=True),
)


def measure(setting: Setting) -> Measured:
    """Both by `factload run`, in turns; memory as the command itself reports it of its load tasks."""
    one = sample(setting.folder, setting.rows)
    ten, total = _workbook(setting.folder, setting.rows)
    write_feed(setting.folder, "sales", demo_feed())
    write_feed(setting.folder, "wide", _feed())
    for number, members in enumerate(OTHERS, start=2):
        make_members(setting.warehouse, f"dim_{number}", members, f"D{number}-")
    runs = Runs("ten_dimensions")
    for _ in setting.rounds():
        fresh(setting)
        single, cost_of_one = factload_run(setting, "sales", one.workbooks[0])
        fresh(setting)
        _renew_fact(setting)
        report, cost = factload_run(setting, "wide", ten)
        _require(setting, report["rows"]["published"], total)
        runs.add(
            one=cost_of_one["seconds"],
            ten=cost["seconds"],
            times=cost["seconds"] / cost_of_one["seconds"],
            load_task_mb=report["peak_rss_mb"][_STEP],
            load_task_of_one_mb=single["peak_rss_mb"][_STEP],
            steps_of_one=single["seconds"],
            steps_of_ten=report["seconds"],
        )
    sizes = f"{MEMBERS:,} members and " + ", ".join(f"{size:,}" for size in OTHERS)
    return Measured(
        [
            Line(
                f"ten dimensions, {setting.rows:,} rows, against one",
                runs.median("ten") / runs.median("one"),
                "×",
                _GOAL_TIMES,
                sizes,
            ),
            Line("- with ten", runs.median("ten"), "s"),
            Line("- with one", runs.median("one"), "s"),
            Line("- peak memory of a load task", runs.most("load_task_mb"), "MB", _GOAL_MB),
        ],
        runs.taken,
    )


def _feed() -> dict[str, Any]:
    document = demo_feed()
    columns = document["fact"]["columns"]
    metric = columns.pop("metric")
    for number in range(2, len(OTHERS) + 2):
        document["dimensions"][f"other_{number}"] = {
            "table": f"dim_{number}",
            "business_key": "business_key",
            "surrogate_key": "primary_synthetic_key",
            "column": f"key_{number}",
            "normalize": ["trim"],
            "unmatched": "reject",
        }
        columns[f"dimension_{number}_id"] = {"dimension": f"other_{number}"}
    columns["metric"] = metric
    document["fact"]["table"] = _FACT
    return document


def _rows(rows: int) -> Iterator[tuple[list[str], int]]:
    rng = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    for _ in range(rows):
        keys = [f"P{rng.randrange(MEMBERS):07d}"]
        keys += [f"D{number}-{rng.randrange(size):07d}" for number, size in enumerate(OTHERS, start=2)]
        yield keys, rng.randrange(-50_000, 500_000)


def _workbook(folder: Path, rows: int) -> tuple[Path, Decimal]:
    """The workbook, made unless the folder has it, and the sum of its metrics. Inline strings, as the sample's."""
    path = folder / f"ten-dimensions-{rows}-{SEED}-v{_FORMAT}.xlsx"
    note = path.with_suffix(".json")
    if not note.exists():
        workbook = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(folder)})
        sheet = workbook.add_worksheet(SHEET)
        sheet.write_row(0, 0, ["business_key", *(f"key_{n}" for n in range(2, len(OTHERS) + 2)), "metric"])
        total = 0
        for index, (keys, cents) in enumerate(_rows(rows), start=1):
            for column, key in enumerate(keys):
                sheet.write_string(index, column, key)
            sheet.write_number(index, len(keys), cents / 100)
            total += cents
        workbook.close()
        note.write_text(json.dumps({"total": str(Decimal(total).scaleb(-2))}))
    return path, Decimal(json.loads(note.read_text())["total"])


def _renew_fact(setting: Setting) -> None:
    engine = create_engine(setting.warehouse.sqlalchemy_url, poolclass=NullPool)
    with engine.begin() as connection:
        _fact.drop(connection, checkfirst=True)
        _fact.create(connection)


def _require(setting: Setting, published: int, total: Decimal) -> None:
    engine = create_engine(setting.warehouse.sqlalchemy_url, poolclass=NullPool)
    with engine.connect() as connection:
        found = connection.execute(select(func.count(), func.sum(_fact.c.metric))).one()
    if (published, *found) != (setting.rows, setting.rows, total):
        raise WrongResult(
            f"{published} rows published, {found} in the table; {setting.rows}, {total} expected"
        )
