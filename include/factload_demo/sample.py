"""The sample: a product dimension, its fact table, and a workbook of sales whose right outcome is known.

    python -m factload_demo.sample --rows 800000 --members 400000 --out sales.xlsx

The workbook has what arrives in practice: keys that no product has, blank keys, amounts that are missing,
text, an error value or too large for their column, rows with nothing but a remark, and blank rows in between.
Beside it lies `<name>.expected.json`, counted as the rows are written: what a load has to publish and reject.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

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
    text,
)
from sqlalchemy.dialects.postgresql import insert

ROWS = 800_000
MEMBERS = 400_000
SEED = 20261105
SMALLEST = 2_000  # below it, one row of each kind of reject would exceed the demo feed's limit
SHEET = "Facts"
HEADER = ("business_key", "metric", "note")
_FORMAT = 2  # part of a cached workbook's name: raise it when the same parameters give other rows
_TOO_LARGE = 1e15  # numeric(18,4) ends below 1e14

_metadata = MetaData()
dim_product = Table(
    "dim_product",
    _metadata,
    Column("primary_synthetic_key", BigInteger, Identity(always=False), primary_key=True),
    Column("business_key", Text, nullable=False, unique=True),
    Column("name", Text),
)
fact_sales = Table(
    "fact_sales",
    _metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("dimension_id", BigInteger, nullable=False),
    Column("metric", Numeric(18, 4), nullable=False),
    Column("load_id", Text, nullable=False, index=True),
)


@dataclass(frozen=True)
class Expected:
    """What a load of the workbook must come to. Row numbers are Excel's: the header is row 1."""

    source: int
    blank: int
    rejected: int
    staged: int
    control_total: str  # exact sum of the published metrics, four decimals
    rejected_rows: dict[str, list[int]]  # the engine's reason code -> rows

    @classmethod
    def read(cls, workbook: Path) -> Expected:
        """The expectation that lies beside a workbook made here."""
        return cls(**json.loads(_beside(workbook).read_text()))


class _Row(NamedTuple):
    """One row below the header: three cells, None where there is none, and what is wrong with it."""

    key: str | None = None
    metric: float | str | None = None
    note: str | None = None
    fault: str = ""


_BLANK = _Row()


def make_dimension(url: str, members: int = MEMBERS) -> None:
    """Make the demo's tables, and the members that are missing from the dimension.

    Surrogate keys are given out in a scattered order, so that no arithmetic on a business key finds one.
    """
    numbers = func.generate_series(0, members - 1).table_valued("number").render_derived()
    digits = func.lpad(numbers.c.number.cast(Text), 7, "0")
    fresh = select(func.concat("P", digits), func.concat("Product ", digits)).order_by(func.md5(digits))
    engine = create_engine(url)
    with engine.begin() as connection:
        _metadata.create_all(connection)
        if connection.scalar(select(func.count()).select_from(dim_product)) != members:
            names = ["business_key", "name"]
            connection.execute(insert(dim_product).from_select(names, fresh).on_conflict_do_nothing())
            connection.execute(text("ANALYZE dim_product"))
    engine.dispose()


def make_workbook(
    path: Path,
    rows: int = ROWS,
    members: int = MEMBERS,
    seed: int = SEED,
    progress: Callable[[int], None] | None = None,
) -> Expected:
    """Write the workbook and, beside it, its expectation. The same parameters give the same bytes.

    `rows` counts those with at least one value; blank rows come on top. `progress` is told the rows written.
    """
    if rows < SMALLEST:
        raise ValueError(f"A sample has at least {SMALLEST} rows, not {rows}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".sample-") as folder:
        fresh = Path(folder) / "fresh.xlsx"
        expected = _write(fresh, _rows(rng, rows, members), progress or (lambda _: None))
        _beside(path).write_text(json.dumps(asdict(expected), indent=1))
        fresh.replace(path)
    return expected


def cached_workbook(
    cache: Path,
    rows: int = ROWS,
    members: int = MEMBERS,
    seed: int = SEED,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """The workbook of these parameters, made unless the cache folder has it."""
    path = cache / f"sales-{rows}-{members}-{seed}-v{_FORMAT}.xlsx"
    if not (path.exists() and _beside(path).exists()):
        make_workbook(path, rows, members, seed, progress)
    return path


def place(workbook: Path, target: Path) -> Path:
    """Put a copy of the workbook at `target`, at once: nobody ever sees a part of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    fresh.write_bytes(workbook.read_bytes())
    fresh.replace(target)
    return target


def _rows(rng: random.Random, rows: int, members: int) -> Iterator[_Row]:
    """The rows in order; `_BLANK` is a blank row of the sheet."""
    few = max(1, rows // 2_000)
    amounts = {
        "unmatched_key": max(1, rows // 1_000),
        "blank_key": min(7, few),
        "blank_value": min(5, few),
        "not_a_number": min(6, few),
        "error_cell": min(3, few),
        "number_out_of_range": min(2, few),
        "only_a_note": min(9, few),
        "spaces": min(8, few),
    }
    special = iter(rng.sample(range(rows), sum(amounts.values())))
    kinds = {next(special): kind for kind, count in amounts.items() for _ in range(count)}
    gaps = set(rng.sample(range(rows), min(20, few)))
    for position in range(rows):
        if position in gaps:
            yield from (_BLANK, _BLANK)
        key = f"P{rng.randrange(members):07d}"
        cents = rng.randrange(-50_000, 500_000)
        metric = cents / 100 if cents % 50 else cents / 10_000
        kind = kinds.get(position)
        yield _Row(key, metric) if kind is None else _SPECIAL[kind](key, metric)


# What a row of each kind holds, made of an ordinary row's key and metric.
_SPECIAL: dict[str, Callable[[str, float], _Row]] = {
    "unmatched_key": lambda key, metric: _Row(key.replace("P", "X"), metric, fault="unmatched_key"),
    "blank_key": lambda key, metric: _Row(None, metric, fault="blank_key"),
    "blank_value": lambda key, metric: _Row(key, None, "amount to follow", fault="blank_value"),
    "not_a_number": lambda key, metric: _Row(key, "n/a", fault="not_a_number"),
    "error_cell": lambda key, metric: _Row(key, "#DIV/0!", fault="error_cell"),
    "number_out_of_range": lambda key, metric: _Row(key, _TOO_LARGE, fault="number_out_of_range"),
    "only_a_note": lambda key, metric: _Row(note="checked by hand"),
    "spaces": lambda key, metric: _Row(f"  {key} ", metric),  # trimmed and found: no fault
}


def _write(path: Path, rows: Iterator[_Row], progress: Callable[[int], None]) -> Expected:
    """Write row by row in constant memory: each row goes to disk as the next one begins."""
    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    workbook = xlsxwriter.Workbook(str(path), options)
    workbook.set_properties({"created": datetime(2026, 1, 1, tzinfo=UTC)})
    sheet = workbook.add_worksheet(SHEET)
    sheet.write_row(0, 0, HEADER)
    source = blank = ten_thousandths = 0
    rejected: dict[str, list[int]] = {}
    for index, row in enumerate(rows, start=1):
        if row is _BLANK:
            continue
        source += 1
        _write_row(sheet, index, row)
        if row.fault:
            rejected.setdefault(row.fault, []).append(index + 1)
        elif row.key is None:
            blank += 1
        else:
            assert isinstance(row.metric, float)  # noqa: S101 - a row without fault has an amount
            ten_thousandths += round(row.metric * 10_000)
        if source % 10_000 == 0:
            progress(source)
    workbook.close()
    faults = sum(map(len, rejected.values()))
    total = Decimal(ten_thousandths).scaleb(-4)
    return Expected(source, blank, faults, source - blank - faults, f"{total:.4f}", rejected)


def _write_row(sheet: Any, index: int, row: _Row) -> None:
    if row.key is not None:
        sheet.write_string(index, 0, row.key)
    if isinstance(row.metric, float):
        sheet.write_number(index, 1, row.metric)
    elif row.metric == "#DIV/0!":
        sheet.write_formula(index, 1, "=1/0", None, row.metric)
    elif row.metric is not None:
        sheet.write_string(index, 1, row.metric)
    if row.note is not None:
        sheet.write_string(index, 2, row.note)


def _beside(workbook: Path) -> Path:
    return workbook.with_suffix(".expected.json")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one workbook as the command line says, and print what a load of it must come to."""
    parser = argparse.ArgumentParser(
        prog="python -m factload_demo.sample", description="Write a sample workbook."
    )
    parser.add_argument("--rows", type=int, default=ROWS, help="rows with a value (default: %(default)s)")
    parser.add_argument(
        "--members", type=int, default=MEMBERS, help="of the dimension (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="another seed, other rows (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, required=True, help="the workbook to write")
    parser.add_argument("--url", help="also make the dimension and the fact table in this database")
    chosen = parser.parse_args(arguments)
    if chosen.url:
        make_dimension(chosen.url, chosen.members)
    expected = make_workbook(chosen.out, chosen.rows, chosen.members, chosen.seed)
    rows = {name: value for name, value in asdict(expected).items() if name != "rejected_rows"}
    print(json.dumps(rows | {"rejects": {kind: len(at) for kind, at in expected.rejected_rows.items()}}))


if __name__ == "__main__":
    main()
