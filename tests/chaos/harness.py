"""A small warehouse to break, and one judge for whatever broke it.

``sales@2026-11-05`` is published from the workbook OLD. A test brings the workbook NEW and a fault. ``sales@2026-11-04``
is published too, and nothing that happens may touch it.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from factload import steps
from factload.checksum import sha256_of
from factload.errors import FactloadError
from factload.feed.file import read_feed_file
from factload.feed.model import Feed
from factload.load import Load
from factload.pipeline import run_load
from factload.progress import Quiet
from tests import sheetxml
from tests.driver import SteppedLoad
from tests.feeds import ABSENT, SALES, changed
from tests.integration.place import PARTITIONED as FACTS_BY_LOAD

PERIOD, CONTROL_PERIOD = date(2026, 11, 5), date(2026, 11, 4)
LOAD = f"sales@{PERIOD}"
MEMBERS = 100
ROWS = 4_100  # in three partitions

STEPS = (
    "open_load",
    "extract_dimension_map",
    "split_workbook",
    "load_partition 2",
    "reconcile",
    "publish",
    "clean_staging",
)

TABLES = f"""
CREATE TABLE dim_product (primary_synthetic_key bigint PRIMARY KEY, business_key text UNIQUE);
INSERT INTO dim_product SELECT 1000 + n, 'P' || n FROM generate_series(0, {MEMBERS - 1}) AS n;
CREATE TABLE fact_sales (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dimension_id bigint NOT NULL REFERENCES dim_product,
    metric numeric(18,4) NOT NULL,
    load_id text NOT NULL);
CREATE INDEX fact_sales_by_load ON fact_sales (load_id);
"""

FEED = changed(
    SALES,
    {
        "dimensions.product.normalize": ABSENT,
        "dimensions.product.unmatched": ABSENT,
        "fact.mode": ABSENT,
        "max_rejects": "1%",
        "min_rows": 0,
    },
)

PARTITIONED = f"""
CREATE TABLE dim_product (primary_synthetic_key bigint PRIMARY KEY, business_key text UNIQUE);
INSERT INTO dim_product SELECT 1000 + n, 'P' || n FROM generate_series(0, {MEMBERS - 1}) AS n;
{FACTS_BY_LOAD}
CREATE INDEX ON fact_sales (dimension_id);
CREATE VIEW sales AS SELECT dimension_id, metric, load_id FROM fact_sales;
"""

# Partitions of the fact table; tables that hold fact rows or staged ones; loads that are published.
_TABLES_OF_LOADS = """
    SELECT (SELECT count(*) FROM pg_inherits WHERE inhparent = 'fact_sales'::regclass),
           (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace IN
               ('public'::regnamespace, 'factload_staging'::regnamespace) AND relname LIKE ANY ('{fact%,load%}')),
           (SELECT count(*) FROM factload.loads WHERE published_epoch IS NOT NULL)
"""

EXCHANGE = changed(FEED, {"fact.mode": "exchange"})

Rows = Counter[tuple[int, Decimal]]


@dataclass(frozen=True)
class Workbook:
    """A workbook, and what a load of it must come to. The generator says so: no reader stands in between."""

    name: str
    path: Path
    sha256: str
    source: int
    blank: int
    facts: Rows
    rejects: tuple[tuple[int, str], ...]  # row of the sheet, reason

    @property
    def staged(self) -> int:
        return sum(self.facts.values())

    @property
    def total(self) -> Decimal:
        return sum((metric * times for (_, metric), times in self.facts.items()), Decimal(0))


def make_workbook(
    folder: Path, name: str, seed: int, rows: int = ROWS, rejected_every: int = 500
) -> Workbook:
    """Write a workbook of random rows: some with a key that nobody knows, some with nothing but a note."""
    rng = random.Random(seed)  # noqa: S311 - test data
    written, facts, rejects, blank = [], Rows(), [], 0
    for number in range(2, rows + 2):
        member = rng.randrange(MEMBERS)
        metric = Decimal(rng.randrange(-10_000, 1_000_000)).scaleb(-2)
        if number % 700 == 0:
            blank += 1
            written.append(sheetxml.text_row(number, ["", "", "checked"]))
            continue
        key = f"P{member}"
        if number % rejected_every == 0:
            key = "nobody"
            rejects.append((number, "unmatched_key"))
        else:
            facts[1000 + member, metric] += 1
        written.append(
            f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{key}</t></is></c>'
            f'<c r="B{number}"><v>{metric}</v></c></row>'
        )
    header = sheetxml.text_row(1, ["business_key", "metric", "note"])
    path = sheetxml.write(folder / f"{name}.xlsx", sheetxml.sheet(header + "".join(written)))
    return Workbook(name, path, sha256_of(path), rows, blank, facts, tuple(rejects))


@dataclass(frozen=True)
class Harness:
    """A project folder, a warehouse, and the workbooks that may have been loaded into it."""

    home: Path
    url: str
    engine: Engine
    workbooks: dict[str, Workbook]

    def put(self, name: str, period: date = PERIOD) -> Workbook:
        """Put this workbook into the inbox as that of a period, in one move."""
        target = self.home / f"inbox/sales_{period}.xlsx"
        fresh = target.with_suffix(".fresh")
        fresh.write_bytes(self.workbooks[name].path.read_bytes())
        fresh.replace(target)
        return self.workbooks[name]

    @property
    def feed(self) -> Feed:
        return read_feed_file(self.home / "include/feeds/sales.yaml")

    def change_feed(self, changes: Mapping[str, Any]) -> None:
        """Edit the feed's file (``feeds.changed``)."""
        path = self.home / "include/feeds/sales.yaml"
        path.write_text(changed(path.read_text(), changes))

    def whole_run(self, period: date = PERIOD, **options: Any) -> Callable[[], Load]:
        """The call of ``factload run``: steps in worker processes of their own."""
        return functools.partial(run_load, self.feed, period, database=self.url, progress=Quiet(), **options)

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """What a query answers."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def execute(self, statement: str) -> None:
        """Run SQL and commit."""
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def waiting(self) -> int:
        """How many sessions wait for a lock in this database."""
        statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        [(count,)] = self.rows(statement)
        return int(count)

    def end_connections(self) -> None:
        """End every connection of the engine to this database."""
        self.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name LIKE 'factload%'"
        )

    # The judge ----------------------------------------------------------------------------------------------

    def readers_see(self, period: date = PERIOD) -> str:
        """The name of the workbook whose rows are the facts of a period, every one of them and no other."""
        found = Rows(
            {
                (key, metric): times
                for key, metric, times in self.rows(
                    "SELECT dimension_id, metric, count(*) FROM fact_sales WHERE load_id = :load GROUP BY 1, 2",
                    load=f"sales@{period}",
                )
            }
        )
        for name, workbook in self.workbooks.items():
            if found == workbook.facts:
                return name
        differences = (
            f"{name}: {(workbook.facts - found).total()} lost, {(found - workbook.facts).total()} too many"
            for name, workbook in self.workbooks.items()
        )
        raise AssertionError(f"{found.total()} rows are facts, of no workbook. {'; '.join(differences)}")

    def stands(self, period: date = PERIOD) -> str:
        """The name of the published workbook; readers see what the ledger says, and the control load is unchanged."""
        published = self.rows(
            "SELECT workbook_sha256 FROM factload.loads JOIN factload.attempts USING (load_id) "
            "WHERE load_id = :load AND attempts.epoch = published_epoch AND state = 'published'",
            load=f"sales@{period}",
        )
        seen = self.readers_see(period)
        assert [(self.workbooks[seen].sha256,)] == published, "the ledger says something else than the facts"
        assert self.readers_see(CONTROL_PERIOD) == "control"
        return seen

    def proves(self, name: str, period: date = PERIOD) -> None:
        """``name`` is published, every row of it accounted for, and running it again changes nothing.

        Where the fact table is partitioned by load, no table is left beside the partitions of loads.
        """
        workbook = self.workbooks[name]
        assert self.stands(period) == name
        [counted] = self.rows(
            "SELECT source_rows, blank_rows, rejected_rows, staged_rows, published_rows, "
            "source_totals->>'metric', published_totals->>'metric' FROM factload.loads "
            "JOIN factload.attempts USING (load_id) WHERE load_id = :load AND attempts.epoch = published_epoch",
            load=f"sales@{period}",
        )
        assert counted[:5] == (
            workbook.source,
            workbook.blank,
            len(workbook.rejects),
            workbook.staged,
            workbook.staged,
        )
        assert workbook.source == workbook.blank + len(workbook.rejects) + workbook.staged
        assert [Decimal(total) for total in counted[5:]] == [workbook.total, workbook.total]
        of_load = {"load": f"sales@{period}"}
        rejects = 'SELECT "row", reason FROM factload.rejects WHERE load_id = :load ORDER BY 1'
        assert self.rows(rejects, **of_load) == list(workbook.rejects)
        again = steps.open_load(self.feed, period, database=self.url)
        assert again.already_published, "a second run would load it again"
        assert self.stands(period) == name
        [(partitions, tables, loads)] = self.rows(_TABLES_OF_LOADS)
        assert partitions in (0, tables), f"{tables} tables for {partitions} partitions"
        assert partitions in (0, loads), f"{partitions} partitions for {loads} loads"


class Attempt(SteppedLoad):
    """One attempt at a load of the workbook in the inbox, step by step, as the DAG runs it."""

    def __init__(self, harness: Harness, period: date = PERIOD) -> None:
        super().__init__(_opening(harness.feed, period), harness.feed, harness.url)

    @property
    def staging(self) -> str:
        return f"factload_staging.{self.load.staging_table}"


def refused(call: Callable[[], Any]) -> FactloadError:
    """The error in which a call ends: one that says what to do next."""
    try:
        call()
    except FactloadError as error:
        several = "defects:" in str(error)  # each with a remedy of its own
        assert error.remedy or several, f"{error.code} doesn't say what to do next"
        return error
    raise AssertionError("it went through")


def straight(feed: Feed, url: str) -> None:
    """A whole load in this process."""
    SteppedLoad(_opening(feed, PERIOD), feed, url).go_on()


def _opening(feed: Feed, period: date) -> Callable[..., Load]:
    return functools.partial(steps.open_load, feed, period, reload=True)


def retried(harness: Harness, tries: int = 3) -> None:
    """Load, and again after a fault, as whoever is in charge would."""
    for left in reversed(range(tries)):
        try:
            Attempt(harness).go_on()
        except FactloadError:
            if not left:
                raise
        else:
            return


def place(
    home: Path, url: str, workbooks: dict[str, Workbook], monkeypatch: pytest.MonkeyPatch, feed: str = FEED
) -> Harness:
    """A project's folder, and the environment in which the engine works in it."""
    (home / "inbox").mkdir(parents=True)
    (home / "include/feeds").mkdir(parents=True)
    (home / "include/feeds/sales.yaml").write_text(feed)
    for name in ("FACTLOAD_FEEDS", "FACTLOAD_STAGING", "FACTLOAD_ALLOWED_ROOTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FACTLOAD_HOME", str(home))
    monkeypatch.setenv("FACTLOAD_CONN_WAREHOUSE", url)
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "10")
    return Harness(home, url, create_engine(url, poolclass=NullPool), workbooks)


def publish_old(harness: Harness, tables: str = TABLES) -> None:
    """Make the tables, and publish OLD and the control load."""
    harness.execute(tables)
    harness.put("control", CONTROL_PERIOD)
    Attempt(harness, CONTROL_PERIOD).go_on()
    harness.put("old")
    Attempt(harness).go_on()
    harness.proves("old")
