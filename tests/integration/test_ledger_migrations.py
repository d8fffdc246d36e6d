"""The ledger's schema: made once, migrated forward with what is in it, refused when it is newer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from factload.errors import FeedError
from factload.ledger.migrations import VERSION, install, installed_version
from factload.pipeline import run_load
from factload.postgres.database import engine_for
from factload.progress import Quiet
from factload.reports.report import read_report, read_status
from tests.integration.ledgers import OLDER
from tests.integration.place import PERIOD, Place


def shape(place: Place) -> dict[str, Any]:
    """Every table of the ledger: columns, keys and indexes, in no order."""
    found = inspect(place.engine)
    return {
        table: {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"], c["default"], bool(c.get("identity")))
                for c in found.get_columns(table, schema="factload")
            },
            "key": found.get_pk_constraint(table, schema="factload")["constrained_columns"],
            "references": [
                (key["constrained_columns"], key["referred_table"])
                for key in found.get_foreign_keys(table, schema="factload")
            ],
            "indexes": {
                (i["name"], tuple(i["column_names"])) for i in found.get_indexes(table, schema="factload")
            },
        }
        for table in found.get_table_names(schema="factload")
    }


def migrate(place: Place) -> None:
    with engine_for(place.url).begin() as connection:
        install(connection)


def test_there_is_a_ledger_of_every_older_version_to_migrate() -> None:
    assert [path.stem for path in OLDER] == [f"version_{number}" for number in range(1, VERSION)]


@pytest.mark.parametrize("older", OLDER, ids=lambda path: path.stem)
def test_an_older_ledger_becomes_what_a_new_one_is(place: Place, older: Path) -> None:
    migrate(place)
    new = shape(place)
    place.execute("DROP SCHEMA factload CASCADE")
    place.execute("DROP SCHEMA factload_staging CASCADE")
    place.execute(older.read_text(encoding="utf-8"))
    migrate(place)
    assert shape(place) == new
    assert place.rows("SELECT version FROM factload.schema_version") == [(VERSION,)]


def test_what_an_older_ledger_holds_is_kept_and_its_loads_go_on(place: Place) -> None:
    place.execute(OLDER[0].read_text(encoding="utf-8"))
    place.workbook([("A1", 1)])
    run_load(place.feed(), PERIOD, database=place.url, progress=Quiet())
    assert [(line["load_id"], line["epoch"], line["state"]) for line in read_status(place.url, None)] == [
        ("sales@2026-11-05", 3, "published"),
        ("sales@2026-11-04", 1, "published"),
    ]
    assert place.rows("SELECT step FROM factload.steps WHERE epoch = 2") == [("open_load",)]


def test_an_older_ledger_is_not_misread(place: Place) -> None:
    place.execute(OLDER[0].read_text(encoding="utf-8"))
    with pytest.raises(FeedError, match=r"has version 1.*Expected: version .*`factload run`. migrates it"):
        read_report(place.url, "sales@2026-11-05")


def test_a_newer_ledger_is_refused_and_left_alone(place: Place) -> None:
    migrate(place)
    place.execute(f"UPDATE factload.schema_version SET version = {VERSION + 1}")
    before = shape(place)
    for use in (lambda: migrate(place), lambda: read_status(place.url, None)):
        with pytest.raises(FeedError, match=f"has version {VERSION + 1}.*Use the factload that made it"):
            use()
    assert shape(place) == before


def test_a_migration_that_breaks_half_way_leaves_the_older_ledger(place: Place) -> None:
    place.execute(OLDER[0].read_text(encoding="utf-8"))
    before = shape(place)
    place.execute("ALTER TABLE factload.attempts RENAME COLUMN error_code TO released_at")
    with pytest.raises(Exception, match="released_at"):
        migrate(place)
    place.execute("ALTER TABLE factload.attempts RENAME COLUMN released_at TO error_code")
    assert shape(place) == before
    migrate(place)


@pytest.mark.parametrize("start", ["nothing", "older"])
def test_many_processes_at_once_make_or_migrate_it_once(place: Place, start: str) -> None:
    if start == "older":
        place.execute(OLDER[0].read_text(encoding="utf-8"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: migrate(place), range(8)))
    with place.engine.connect() as connection:
        assert installed_version(connection) == VERSION
