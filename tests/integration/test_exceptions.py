"""No step and no command ends in another exception than those of ``errors``, whatever feed, workbook and database are.

Below the last net: what that would have to catch is a finding here. ``FUZZ_SEEDS=100-300`` tries other cases.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from factload import errors, steps
from factload.check.load import check_load
from factload.doctor import examine
from factload.errors import FactloadError, Unforeseen
from factload.feed.file import read_feed
from factload.progress import Quiet
from factload.propose.first import propose_feed
from factload.release import publish_held
from factload.replay import open_replay
from factload.reports.report import read_report, read_status
from tests.driver import OPEN, SteppedLoad
from tests.feeds import SALES
from tests.integration.place import PERIOD, Place

# What may leave a command or a task; docs/operations.md lists them.
FORESEEN = {
    "FeedError", "WorkbookError", "RowsRefused", "Superseded", "ReconciliationError", "TransientError", "ConnectionLost",
    "NotConnected", "Conflict", "AttemptLost", "ReceiptRefused",
}  # fmt: skip

_first, _last = (int(number) for number in os.environ.get("FUZZ_SEEDS", "0-24").split("-"))
_TOKENS = (
    "", "-", "{", "}", "[", "]", ":", "&a", "*a", "!!python/object:os.system", "null", "0", "-1", "1e400", "no", "'", '"',
    "\t", "2026-02-30", "{period}", "{period}{period}", "../../etc/passwd", "s3://", "a" * 300, "ÿ", "☃", "%s", "{{ x }}",
    "numeric(1,1)", "date", "timestamptz", "text", "public.", '"', ".", "fact_sales", "dim_product", "load_id", "metric",
)  # fmt: skip
_CELLS: tuple[Any, ...] = (
    None, "", " ", "A1", "B2", "nobody", "☃", "a" * 40_000, 0, -1, 1.5, 1e300, -1e-300, 12345678901234567, True, "1,5", "#N/A",
    "=1/0", "=SUM(A1:A2)", "_x0041_", "\u00a0", "2026-11-05", "\ufffe", "it's", "%(a)s", "\\N", "{NULL}", "NaN", "Infinity",
)  # fmt: skip
# Each is done before a load, or between two of its steps; some contradict each other, which is as good.
_STATES = (
    "DROP TABLE fact_sales", "DROP TABLE dim_product CASCADE", "ALTER TABLE fact_sales DROP COLUMN metric",
    "ALTER TABLE fact_sales ALTER metric TYPE text", "ALTER TABLE fact_sales ALTER metric TYPE smallint",
    "ALTER TABLE fact_sales ALTER metric TYPE numeric(3,1)", "ALTER TABLE fact_sales ALTER load_id TYPE varchar(5)",
    "ALTER TABLE fact_sales DROP COLUMN load_id", "ALTER TABLE fact_sales ADD CHECK (metric < 1)",
    "ALTER TABLE fact_sales ADD UNIQUE (dimension_id)", "ALTER TABLE fact_sales ADD extra int NOT NULL",
    "ALTER TABLE fact_sales ALTER dimension_id TYPE text", "ALTER TABLE fact_sales ALTER dimension_id TYPE smallint",
    "ALTER TABLE dim_product ALTER primary_synthetic_key TYPE text",
    "ALTER TABLE dim_product ALTER business_key TYPE varchar(1) USING left(business_key, 1)",
    "ALTER TABLE dim_product DROP COLUMN business_key", "INSERT INTO dim_product VALUES (70, 'A1')",
    "UPDATE dim_product SET primary_synthetic_key = 9223372036854775807 WHERE business_key = 'A1'",
    "ALTER TABLE fact_sales RENAME TO f; CREATE VIEW fact_sales AS SELECT * FROM f",
    "ALTER TABLE fact_sales RENAME TO f; CREATE MATERIALIZED VIEW fact_sales AS SELECT * FROM f WITH NO DATA",
    "ALTER TABLE dim_product RENAME TO d; CREATE MATERIALIZED VIEW dim_product AS SELECT * FROM d WITH NO DATA",
    "CREATE RULE nothing AS ON INSERT TO fact_sales DO INSTEAD NOTHING",
    "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';"
    "CREATE TRIGGER no BEFORE INSERT ON fact_sales FOR EACH ROW EXECUTE FUNCTION no()",
    "CREATE FUNCTION none() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    "CREATE TRIGGER none BEFORE INSERT ON fact_sales FOR EACH ROW EXECUTE FUNCTION none()",
    "ALTER TABLE fact_sales ENABLE ROW LEVEL SECURITY; ALTER TABLE fact_sales FORCE ROW LEVEL SECURITY",
    "DROP SCHEMA factload CASCADE", "DROP SCHEMA factload_staging CASCADE", "DROP TABLE factload.partitions",
    "DROP TABLE factload.steps", "ALTER TABLE factload.attempts DROP COLUMN sources", "TRUNCATE factload.loads CASCADE",
    "UPDATE factload.schema_version SET version = 1", "UPDATE factload.schema_version SET version = 99",
    "DELETE FROM factload.schema_version", "UPDATE factload.attempts SET state = 'published'",
    "UPDATE factload.attempts SET state = 'held'", "UPDATE factload.attempts SET source_totals = '{}'",
    "UPDATE factload.partitions SET weighted = NULL", "UPDATE factload.partitions SET staged_rows = NULL",
    "UPDATE factload.loads SET epoch = epoch + 1", "DELETE FROM factload.attempts",
    "ALTER DATABASE {database} SET default_transaction_read_only = on",
    "ALTER DATABASE {database} SET statement_timeout = '1ms'", "ALTER DATABASE {database} SET search_path = nowhere",
    "ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'",
    "ALTER DATABASE {database} SET datestyle = 'German, DMY'", "ALTER DATABASE {database} SET array_nulls = off",
    "ALTER DATABASE {database} SET standard_conforming_strings = off",
    "ALTER DATABASE {database} SET bytea_output = 'escape'", "ALTER DATABASE {database} SET client_encoding = 'LATIN1'",
    "ALTER DATABASE {database} SET extra_float_digits = -15", "ALTER DATABASE {database} SET lock_timeout = '1ms'",
)  # fmt: skip


class Case:
    """One draw of a feed, a workbook and what happens to the database on the way."""

    def __init__(self, place: Place, seed: int) -> None:
        self.place, self.random, self.did = place, random.Random(seed), [f"seed {seed}"]  # noqa: S311

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def feed(self) -> None:
        lines = SALES.splitlines()
        for _ in range(self.random.choice((0, 0, 1, 2))):
            at = self.random.randrange(len(lines))
            word = self.random.choice(_TOKENS)
            parts = lines[at].split(" ")
            where = self.random.randrange(len(parts))
            lines[at] = " ".join(
                self.random.choice(
                    ([*parts[:where], word, *parts[where + 1 :]], [*parts, word], [], parts[:where], [word])
                )
            )
            self.did.append(f"feed line {at + 1}: {lines[at]!r}")
        (self.place.home / "include/feeds/sales.yaml").write_text("\n".join(lines), encoding="utf-8")

    def workbook(self) -> None:
        rows = [(self.random.choice(_CELLS), self.random.choice(_CELLS)) for _ in range(20)]
        good = [("A1" if n % 2 else "B2", n) for n in range(30)]
        try:
            path = self.place.workbook(good if self.maybe(0.4) else [*good, *rows])
        except Exception:  # openpyxl refuses some cells
            path = self.place.workbook(good)
        how = self.random.choice(("whole",) * 6 + ("bytes", "cut", "gone", "folder", "text", "empty"))
        self.did.append(f"workbook {how}")
        data = bytearray(path.read_bytes())
        path.unlink()
        if how == "bytes":
            for _ in range(self.random.randrange(1, 30)):
                data[self.random.randrange(len(data))] = self.random.randrange(256)
        if how in ("whole", "bytes"):
            path.write_bytes(data)
        elif how == "cut":
            path.write_bytes(data[: self.random.randrange(len(data))])
        elif how == "folder":
            path.mkdir()
        elif how in ("text", "empty"):
            path.write_bytes(b"business_key;metric\nA1;1\n" if how == "text" else b"")

    def happens(self, chance: float) -> None:
        while self.maybe(chance):
            chance /= 2
            state = self.random.choice(_STATES)
            try:
                with self.place.engine.begin() as connection:
                    connection.execute(
                        text("SET LOCAL lock_timeout = 2000; SET LOCAL transaction_read_only = off")
                    )
                    connection.execute(text(state.replace("{database}", str(connection.engine.url.database))))
                self.did.append(state)
            except DBAPIError:
                continue

    @contextmanager
    def foreseen(self, doing: str) -> Iterator[None]:
        """What the block raises is an error of ours, or a finding."""
        try:
            yield
        except FactloadError as error:
            assert type(error).__name__ in FORESEEN, self.did
            assert not isinstance(error, Unforeseen), self.did
            assert "Traceback" not in str(error)
        except Exception as error:
            raise AssertionError(
                f"{doing} raised {type(error).__name__} after: {'; '.join(self.did)}"
            ) from error

    def load(self) -> None:
        """Each step in turn, and something may happen before each."""
        url = self.place.url
        feed = read_feed("sales")
        self.happens(0.3)
        opening = partial(steps.open_load, feed, PERIOD, reload=self.maybe(0.3))
        stepped = SteppedLoad(opening, feed, url)
        stepped.run(OPEN)
        try:
            for name in islice(stepped.steps, 1, None):
                self.happens(0.2 if name.startswith("load_partition") else 0.25)
                stepped.run(name)
            if stepped.load.already_published:
                self.happens(0.25)
                steps.clean_staging(stepped.load, feed, database=url)
        except FactloadError as error:
            steps.record_failure(stepped.load, error, database=url)
            raise

    @property
    def commands(self) -> list[tuple[str, Callable[[], object]]]:
        url, load_id = self.place.url, f"sales@{PERIOD}"
        workbook = self.place.home / f"inbox/sales_{PERIOD}.xlsx"

        def of_feed(call: Callable[..., object], **named: Any) -> Callable[[], object]:
            return lambda: call(read_feed("sales"), PERIOD, database=url, **named)

        return [
            ("check", of_feed(check_load, progress=Quiet())),
            ("doctor", lambda: examine(url)),
            ("status", lambda: read_status(url, None)),
            ("report", lambda: read_report(url, load_id)),
            ("replay", of_feed(open_replay)),
            ("release", of_feed(publish_held, reason="so", by="me")),
            ("init", lambda: propose_feed(workbook, sheet=None, table=None, database=url)),
        ]


@pytest.mark.parametrize("seed", range(_first, _last))
def test_nothing_but_our_own_errors(place: Place, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "3")
    case = Case(place, seed)
    case.feed()
    case.workbook()
    for _ in range(2):
        case.happens(0.3)
        with case.foreseen("a load"):
            case.load()
        for name, command in case.random.sample(case.commands, 3):
            with case.foreseen(name):
                command()


def test_the_list_is_whole() -> None:
    """Every class of ``errors`` is in the list, but for the one that the last net makes."""
    named = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, FactloadError) and kind is not FactloadError
    }
    assert named == FORESEEN | {"Unforeseen"}
