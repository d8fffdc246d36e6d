"""What is loaded: workbooks without faults, as most peers stop at the first, and the same rows ready for COPY."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import xlsxwriter
from sqlalchemy import create_engine, select

from benchmarks.contestants import LOAD
from factload_demo.sample import HEADER, MEMBERS, SEED, SHEET, dim_product

MOST_ROWS = 1_048_575  # of a sheet, below its header
_ROWS_OF_ONE_OF_MANY = 800_000
_FORMAT = 1  # part of a cached file's name: raise it when the same parameters give other rows


@dataclass(frozen=True)
class Sample:
    """Workbooks of `rows` fact rows in all, each of which finds its product; `total` is the exact sum of the metrics.

    `pattern` is what the workbooks match, and nothing else in their folder.
    """

    workbooks: tuple[Path, ...]
    pattern: str
    rows: int
    total: Decimal


@dataclass(frozen=True)
class Part:
    """One workbook of a sample."""

    path: Path
    rows: int
    seed: int

    def draws(self, members: int) -> Iterator[tuple[str, int]]:
        """Business key and cents of each row."""
        rng = random.Random(self.seed)  # noqa: S311 - a sample, not a secret
        for _ in range(self.rows):
            cents = rng.randrange(-50_000, 500_000)
            yield f"P{rng.randrange(members):07d}", cents


def sample(cache: Path, rows: int, *, members: int = MEMBERS, workbooks: int = 0) -> Sample:
    """The sample of so many rows, made unless the cache folder has it.

    More rows than a sheet holds are spread over workbooks of 800,000; `workbooks` asks for another number of them.
    """
    parts = parts_of(
        cache, rows, members, workbooks or (1 if rows <= MOST_ROWS else -(-rows // _ROWS_OF_ONE_OF_MANY))
    )
    total = sum((_made(part, members) for part in parts), Decimal(0))
    first = parts[0].path
    pattern = str(first) if len(parts) == 1 else str(first.parent / "*.xlsx")
    return Sample(tuple(part.path for part in parts), pattern, rows, total)


def parts_of(cache: Path, rows: int, members: int, workbooks: int) -> list[Part]:
    """The workbooks of a sample, and how their rows are drawn."""
    if workbooks == 1:
        return [Part(cache / f"clean-{rows}-{members}-{SEED}-v{_FORMAT}.xlsx", rows, SEED)]
    folder = cache / f"clean-{rows}-{members}-{SEED}-v{_FORMAT}-in-{workbooks}"
    ends = [rows * number // workbooks for number in range(workbooks + 1)]
    return [
        Part(folder / f"{number + 1:02d}.xlsx", ends[number + 1] - ends[number], SEED + number)
        for number in range(workbooks)
    ]


def _made(part: Part, members: int) -> Decimal:
    """The sum of a part's metrics; its workbook is written unless it is there."""
    note = part.path.with_suffix(".json")
    if not note.exists():
        part.path.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"total": str(_write(part, members))}))
    return Decimal(json.loads(note.read_text())["total"])


def _write(part: Part, members: int) -> Decimal:
    """Keys as inline strings, as a writer in constant memory leaves them."""
    options = {"constant_memory": True, "tmpdir": str(part.path.parent)}
    workbook = xlsxwriter.Workbook(str(part.path), options)
    sheet = workbook.add_worksheet(SHEET)
    sheet.write_row(0, 0, HEADER[:2])
    total = 0
    for index, (key, cents) in enumerate(part.draws(members), start=1):
        sheet.write_string(index, 0, key)
        sheet.write_number(index, 1, cents / 100)
        total += cents
    workbook.close()
    return Decimal(total).scaleb(-2)


def keys_of(url: str) -> dict[str, int]:
    """The dimension: business key → surrogate key."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(select(dim_product.c.business_key, dim_product.c.primary_synthetic_key))
        keys = dict(found.tuples().all())
    engine.dispose()
    return keys


def write_ready_rows(path: Path, made: Sample, keys: dict[str, int], members: int = MEMBERS) -> int:
    """The sample's rows as CSV with the keys looked up: the same draws again, no workbook read.

    Returns the sum of the surrogate keys.
    """
    total = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for part in parts_of(path.parent, made.rows, members, len(made.workbooks)):
            for business_key, cents in part.draws(members):
                key = keys[business_key]
                writer.writerow((key, f"{cents / 100:.2f}", LOAD))
                total += key
    return total
