"""Who takes part, and the command line of each."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROJECT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).resolve().parent / "peers"
PERIOD = "2026-11-05"
LOAD = f"sales@{PERIOD}"  # in the load column, whoever loads: as many bytes for all
SLOW_FROM = 200_000  # rows from which the slow ones run once
SLOW_UP_TO = 1_048_575  # rows above which they would take hours, or more memory than there is

Kind = Literal["load", "copy", "read", "factload"]


@dataclass(frozen=True)
class Contestant:
    """`kind`: `load` takes the workbooks to the fact table, `copy` the rows that are ready; `read` only reads.

    `says` is what the documentation says of it. `slow` ones run once with many rows. `driver` is the URL's, where a
    peer goes through SQLAlchemy. `packages` are what it is made of, for the list of versions.
    """

    name: str
    kind: Kind
    says: str
    script: str = ""
    slow: bool = False
    driver: str = ""
    insert: str = ""  # the feed's own settings, of `factload` only
    mode: str = "replace"
    packages: tuple[str, ...] = ()

    @property
    def makes_partitions(self) -> bool:
        """Whether it makes the partition that it loads into, and can load no other table."""
        return self.mode == "exchange"

    def command(self, workbooks: Sequence[Path], pattern: str, ready_rows: Path, url: str) -> list[str]:
        """The whole command line; `pattern` is what all the workbooks match."""
        if self.kind == "factload":
            factload = str(Path(sys.executable).with_name("factload"))
            options = ["--workbook", pattern, "--period", PERIOD, "--url", url, "--json"]
            return [factload, "run", "sales", *options]
        if self.driver:
            url = url.replace("postgresql:", f"postgresql+{self.driver}:", 1)
        sources = [ready_rows] if self.kind == "copy" else workbooks
        database = [] if self.kind == "read" else [url]
        return [sys.executable, str(PEERS / self.script), *map(str, sources), *database]

    def environment(self, folder: Path) -> Mapping[str, str]:
        """What it needs in its environment: for factload, the demo's feed with this contestant's insert and mode."""
        if self.kind != "factload":
            return {}
        feeds = folder / "feeds" / f"{self.mode}-{self.insert}"
        feeds.mkdir(parents=True, exist_ok=True)
        feed = (PROJECT / "include" / "feeds" / "sales.yaml").read_text()
        (feeds / "sales.yaml").write_text(_with(_with(feed, "insert", self.insert), "mode", self.mode))
        return {
            "FACTLOAD_HOME": str(folder),
            "FACTLOAD_FEEDS": str(feeds),
            "FACTLOAD_ALLOWED_ROOTS": str(folder),
            "FACTLOAD_STAGING": str(folder / "staging"),
        }


_AS_IT_IS = {"insert": "core", "mode": "replace"}  # in the demo's feed


def _with(feed: str, field: str, value: str) -> str:
    line = f"{field}: {_AS_IT_IS[field]}"
    if feed.count(line) != 1:
        raise ValueError(f"include/feeds/sales.yaml has no single `{line}` to change")
    return feed.replace(line, f"{field}: {value}")


_FACTLOAD = "`factload run`: rejects, ledger, reconciliation and one atomic publish included"
_CALAMINE = "python-calamine"

ALL = (
    Contestant("factload_core", "factload", f"{_FACTLOAD}; the demo's feed as it is", insert="core"),
    Contestant("factload_copy", "factload", "the same with `insert: copy`", insert="copy"),
    Contestant(
        "factload_exchange",
        "factload",
        "the same with `mode: exchange`: the rows come in as a partition",
        insert="core",
        mode="exchange",
    ),
    Contestant(
        "factload_exchange_copy",
        "factload",
        "`mode: exchange` and `insert: copy`",
        insert="copy",
        mode="exchange",
    ),
    Contestant(
        "polars_adbc",
        "load",
        "polars `read_excel`, a join, binary COPY by ADBC",
        "polars_adbc.py",
        packages=("polars", "fastexcel", "adbc-driver-postgresql"),
    ),
    Contestant(
        "duckdb",
        "load",
        "DuckDB: `INSERT … SELECT` from `read_xlsx`, joined with the dimension, into the attached database",
        "duckdb_insert.py",
        packages=("duckdb",),
    ),
    Contestant(
        "pygrametl",
        "load",
        "a prefilled `CachedDimension`, `BulkFactTable` by COPY, fed by python-calamine",
        "pygrametl_bulk.py",
        packages=("pygrametl", _CALAMINE),
    ),
    Contestant(
        "dlt",
        "load",
        "a resource of rows fed by python-calamine, loaded as CSV by COPY",
        "dlt_pipeline.py",
        slow=True,
        packages=("dlt", _CALAMINE),
    ),
    Contestant(
        "pandas",
        "load",
        "`read_excel` (calamine), `merge`, `to_sql`",
        "pandas_to_sql.py",
        slow=True,
        driver="psycopg2",
        packages=("pandas", _CALAMINE),
    ),
    Contestant(
        "accepted_answer",
        "load",
        "the known advice: openpyxl read-only, the dimension as tuples in a dict, Core inserts of dicts by 20,000",
        "accepted_answer.py",
        slow=True,
        driver="psycopg2",
        packages=("openpyxl", "SQLAlchemy", "psycopg2-binary"),
    ),
    Contestant(
        "orm",
        "load",
        "the script that the advice was given for: ORM objects for members and facts",
        "orm.py",
        slow=True,
        driver="psycopg2",
        packages=("openpyxl", "SQLAlchemy"),
    ),
    Contestant(
        "petl",
        "load",
        "`fromxlsx`, `hashjoin`, `appenddb`",
        "petl_appenddb.py",
        slow=True,
        packages=("petl", "openpyxl"),
    ),
    Contestant(
        "floor",
        "copy",
        "COPY of rows that are ready: no workbook, no lookup; what this table costs anybody",
        "copy_floor.py",
    ),
    Contestant("split", "read", "factload's reader: typed columns, checked, in partition files", "split.py"),
    Contestant(
        "fastexcel_read", "read", "the whole sheet as Arrow", "fastexcel_read.py", packages=("fastexcel",)
    ),
    Contestant(
        "duckdb_read", "read", "`read_xlsx` into a DuckDB table", "duckdb_read.py", packages=("duckdb",)
    ),
    Contestant(
        "turboxl_read",
        "read",
        "the whole sheet as CSV text; no value is made of a cell",
        "turboxl_read.py",
        packages=("turboxl",),
    ),
    Contestant(
        "calamine_read", "read", "python-calamine row by row", "calamine_read.py", packages=(_CALAMINE,)
    ),
    Contestant(
        "pysheetreader_read",
        "read",
        "SheetReader's Python binding, the whole sheet as columns",
        "pysheetreader_read.py",
        slow=True,
        packages=("pysheetreader",),
    ),
    Contestant(
        "pandas_read",
        "read",
        "`read_excel` (calamine)",
        "pandas_read.py",
        slow=True,
        packages=("pandas", _CALAMINE),
    ),
    Contestant(
        "openpyxl_read",
        "read",
        "openpyxl read-only, row by row",
        "openpyxl_read.py",
        slow=True,
        packages=("openpyxl",),
    ),
)
BY_NAME = {contestant.name: contestant for contestant in ALL}
