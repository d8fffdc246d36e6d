"""Who takes part, and the command line of each."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROJECT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).resolve().parent / "peers"
PERIOD = "2026-11-05"

Kind = Literal["load", "copy", "read", "factload"]


@dataclass(frozen=True)
class Contestant:
    """`kind`: `load` takes the workbook to the fact table, `copy` the rows that are ready; `read` only reads.

    `slow` ones run once. `driver` is the URL's, where a peer goes through SQLAlchemy.
    """

    name: str
    kind: Kind
    script: str = ""
    slow: bool = False
    driver: str = ""
    insert: str = ""  # the feed's own setting, of `factload` only

    def command(self, workbook: Path, ready_rows: Path, url: str) -> list[str]:
        """The whole command line."""
        if self.kind == "factload":
            factload = str(Path(sys.executable).with_name("factload"))
            options = ["--workbook", str(workbook), "--period", PERIOD, "--url", url, "--json"]
            return [factload, "run", "sales", *options]
        if self.driver:
            url = url.replace("postgresql:", f"postgresql+{self.driver}:", 1)
        source = ready_rows if self.kind == "copy" else workbook
        database = [] if self.kind == "read" else [url]
        return [sys.executable, str(PEERS / self.script), str(source), *database]

    def environment(self, folder: Path) -> Mapping[str, str]:
        """What it needs in its environment: for factload, the demo's feed with this contestant's insert."""
        if self.kind != "factload":
            return {}
        feeds = folder / "feeds" / self.insert
        feeds.mkdir(parents=True, exist_ok=True)
        feed = (PROJECT / "include" / "feeds" / "sales.yaml").read_text()
        if "insert: core" not in feed:
            raise ValueError("include/feeds/sales.yaml has no line `insert: core` to change")
        (feeds / "sales.yaml").write_text(feed.replace("insert: core", f"insert: {self.insert}"))
        return {
            "FACTLOAD_HOME": str(folder),
            "FACTLOAD_FEEDS": str(feeds),
            "FACTLOAD_ALLOWED_ROOTS": str(folder),
            "FACTLOAD_STAGING": str(folder / "staging"),
        }


ALL = (
    Contestant("factload_core", "factload", insert="core"),
    Contestant("factload_copy", "factload", insert="copy"),
    Contestant("polars_adbc", "load", "polars_adbc.py"),
    Contestant("pygrametl", "load", "pygrametl_bulk.py"),
    Contestant("dlt", "load", "dlt_pipeline.py", slow=True),
    Contestant("pandas", "load", "pandas_to_sql.py", slow=True, driver="psycopg2"),
    Contestant("accepted_answer", "load", "accepted_answer.py", slow=True, driver="psycopg2"),
    Contestant("orm", "load", "orm.py", slow=True, driver="psycopg2"),
    Contestant("petl", "load", "petl_appenddb.py", slow=True),
    Contestant("floor", "copy", "copy_floor.py"),
    Contestant("split", "read", "split.py"),
    Contestant("fastexcel_read", "read", "fastexcel_read.py"),
    Contestant("openpyxl_read", "read", "openpyxl_read.py", slow=True),
)
# Its place is the plot of memory alone.
PANDAS_READ = Contestant("pandas_read", "read", "pandas_read.py", slow=True)
BY_NAME = {contestant.name: contestant for contestant in ALL}
