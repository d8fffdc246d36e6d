"""What is loaded: a workbook without faults, as most peers stop at the first, and the same rows ready for COPY."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import xlsxwriter
from sqlalchemy import create_engine, select

from factload_demo.sample import HEADER, MEMBERS, SEED, SHEET, dim_product

MOST_ROWS = 1_048_575  # of a sheet, below its header
_FORMAT = 1  # part of a cached file's name: raise it when the same parameters give other rows


@dataclass(frozen=True)
class Sample:
    """A workbook of `rows` fact rows, all of which find their product; `total` is the exact sum of the metrics."""

    workbook: Path
    rows: int
    total: Decimal


def sample(cache: Path, rows: int) -> Sample:
    """The sample of so many rows, made unless the cache folder has it."""
    path = cache / f"clean-{rows}-{MEMBERS}-{SEED}-v{_FORMAT}.xlsx"
    note = path.with_suffix(".json")
    if not note.exists():
        cache.mkdir(parents=True, exist_ok=True)
        total = _write(path, rows)
        note.write_text(json.dumps({"total": str(total)}))
    return Sample(path, rows, Decimal(json.loads(note.read_text())["total"]))


def _write(path: Path, rows: int) -> Decimal:
    """Keys as inline strings, as a writer in constant memory leaves them."""
    rng = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    workbook = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})
    sheet = workbook.add_worksheet(SHEET)
    sheet.write_row(0, 0, HEADER[:2])
    total = 0
    for index in range(1, rows + 1):
        cents = rng.randrange(-50_000, 500_000)
        sheet.write_string(index, 0, f"P{rng.randrange(MEMBERS):07d}")
        sheet.write_number(index, 1, cents / 100)
        total += cents
    workbook.close()
    return Decimal(total).scaleb(-2)


def write_ready_rows(path: Path, rows: int, url: str) -> int:
    """The sample's rows as CSV with the keys looked up: the same draws again, no workbook read.

    Returns the sum of the surrogate keys.
    """
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(select(dim_product.c.business_key, dim_product.c.primary_synthetic_key))
        keys = dict(found.tuples().all())
    engine.dispose()
    rng = random.Random(SEED)  # noqa: S311
    total = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for _ in range(rows):
            cents = rng.randrange(-50_000, 500_000)
            key = keys[f"P{rng.randrange(MEMBERS):07d}"]
            writer.writerow((key, f"{cents / 100:.2f}", "floor"))
            total += key
    return total
