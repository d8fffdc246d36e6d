"""`factload doctor` on a real database: what it sees, what it says to do, and that it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from factload.errors import FeedError
from factload.ledger.migrations import VERSION
from tests.feeds import SALES, changed
from tests.integration.commands import doctor, factload, report
from tests.integration.ledgers import OLDER
from tests.integration.opened import Opened
from tests.integration.place import Place

ROWS = [("A1", 1.5), ("B2", 2)]


def states(findings: dict[str, dict[str, Any]]) -> set[str]:
    return {finding["state"] for finding in findings.values()}


@pytest.fixture
def loader(place: Place) -> Iterator[str]:
    """The URL of a user with the rights that the docs ask for, and no more."""
    place.execute("CREATE ROLE loader LOGIN")
    place.execute(f"GRANT CREATE ON DATABASE {place.engine.url.database} TO loader")
    place.execute("GRANT SELECT, INSERT, DELETE ON fact_sales TO loader")
    place.execute("GRANT SELECT ON dim_product TO loader")
    yield place.engine.url.set(username="loader").render_as_string()
    place.execute("DROP OWNED BY loader CASCADE")
    place.execute("DROP ROLE loader")


def test_all_is_well_before_and_after_the_first_load_and_nothing_was_written(place: Place) -> None:
    place.workbook(ROWS)
    status, found = doctor()
    assert (status, states(found)) == (0, {"ok"})
    assert set(found) == {
        "feed file", "staging", "database", "clock", "ledger rights", "ledger", "rights", "tables"
    }  # fmt: skip
    assert place.rows("SELECT 1 FROM pg_namespace WHERE nspname LIKE 'factload%'") == []
    assert sorted(p.name for p in place.home.iterdir()) == ["inbox", "include"]
    place.load()
    status, found = doctor()
    assert (status, states(found)) == (0, {"ok"})
    assert found["ledger"]["seen"] == f"the ledger in schema factload has version {VERSION}"
    assert found["left-overs"]["seen"] == "none"


def test_for_people_it_is_a_line_a_finding(place: Place) -> None:
    place.workbook(ROWS)
    result = factload("doctor")
    assert (result.returncode, result.stderr) == (0, "")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ok"] * 8
    assert "\x1b" not in result.stdout


def test_a_broken_feed_and_the_others_are_looked_at_all_the_same(place: Place) -> None:
    (place.home / "include/feeds/broken.yaml").write_text("feed: broken\nworkbook: {path: 3}\n")
    (place.home / "include/feeds/lost.yaml").write_text(
        changed(SALES, {"feed": "lost", "fact.connection": "elsewhere"})
    )
    status, found = doctor()
    assert status == 2
    assert found["feed file"]["about"] == "broken"
    assert "broken.yaml:2" in found["feed file"]["seen"]
    assert found["database"]["seen"].startswith("connection elsewhere is not known here")
    assert found["tables"]["state"] == found["clock"]["state"] == "ok"


def test_a_user_with_the_rights_that_loads_need(place: Place, loader: str) -> None:
    place.workbook(ROWS)
    assert doctor("--url", loader)[0] == 0
    Place(place.home, loader, place.engine).load()
    assert doctor("--url", loader)[0] == 0


@pytest.mark.parametrize(
    ("revoked", "check", "lacks"),
    [
        ("INSERT, DELETE ON fact_sales", "rights", "INSERT, DELETE on fact_sales"),
        ("SELECT ON dim_product", "rights", "SELECT on dim_product"),
        ("CREATE ON DATABASE {database}", "ledger rights", "CREATE on database {database}"),
    ],
)
def test_a_right_that_is_missing_is_named(
    place: Place, loader: str, revoked: str, check: str, lacks: str
) -> None:
    names = {"database": place.engine.url.database}
    place.execute(f"REVOKE {revoked.format(**names)} FROM loader")
    status, found = doctor("--url", loader)
    assert status == 2
    assert found[check]["seen"] == f"user loader lacks {lacks.format(**names)}"
    assert found[check]["remedy"] == "GRANT it to loader"


def test_the_right_to_compare_is_looked_for_and_granted_by_the_statement_that_is_told(
    place: Place, loader: str
) -> None:
    place.execute(f"REVOKE TEMPORARY ON DATABASE {place.engine.url.database} FROM PUBLIC")
    status, found = doctor("--url", loader)
    assert (status, found["temporary tables"]["state"]) == (0, "warning")
    statement = f"GRANT TEMPORARY ON DATABASE {place.engine.url.database} TO loader"
    assert found["temporary tables"]["remedy"] == f"`{statement}`"
    place.workbook(ROWS)
    refused = factload("diff", "sales", "--period", "2026-11-05", "--url", loader)
    assert refused.returncode == 2
    assert "permission denied to create temporary tables" in refused.stderr
    place.execute(statement)
    assert "temporary tables" not in doctor("--url", loader)[1]
    assert factload("diff", "sales", "--period", "2026-11-05", "--url", loader).returncode == 0


def test_foreign_keys_that_take_rows_of_others_along_are_named(place: Place) -> None:
    place.workbook(ROWS)
    remark = "fact bigint REFERENCES fact_sales ON DELETE"
    place.execute("CREATE TABLE kept (fact bigint REFERENCES fact_sales)")
    assert "foreign keys" not in doctor()[1]
    place.execute(f"CREATE TABLE remarks ({remark} CASCADE); CREATE TABLE links ({remark} SET NULL)")
    status, found = doctor()
    assert (status, found["foreign keys"]["state"]) == (0, "warning")
    named = "links_fact_fkey of links (ON DELETE SET NULL), remarks_fact_fkey of remarks (ON DELETE CASCADE)"
    assert named in found["foreign keys"]["seen"]
    assert named in " ".join(report()[1]["warnings"])


@pytest.mark.parametrize("kind", ["bigserial", "bigint GENERATED BY DEFAULT AS IDENTITY"])
def test_a_serial_column_asks_for_its_sequence(place: Place, loader: str, kind: str) -> None:
    place.execute(f"ALTER TABLE fact_sales ADD number {kind}")
    place.workbook(ROWS)
    mine = Place(place.home, loader, place.engine)
    if kind == "bigserial":
        status, found = doctor("--url", loader)
        assert (status, found["rights"]["seen"]) == (
            2, "user loader lacks USAGE on sequence fact_sales_number_seq")  # fmt: skip
        with pytest.raises(FeedError, match="a right is missing: user loader lacks USAGE on sequence"):
            mine.load()
        assert place.rows("SELECT to_regclass('factload.loads')") == [(None,)]
        place.execute("GRANT USAGE ON SEQUENCE fact_sales_number_seq TO loader")
    assert doctor("--url", loader)[0] == 0
    mine.load()


def test_rights_on_the_columns_are_enough(place: Place, loader: str) -> None:
    place.execute("REVOKE SELECT ON dim_product FROM loader")
    place.execute("GRANT SELECT (primary_synthetic_key) ON dim_product TO loader")
    assert doctor("--url", loader)[1]["rights"]["seen"] == "user loader lacks SELECT on dim_product"
    place.execute("GRANT SELECT (business_key) ON dim_product TO loader")
    assert doctor("--url", loader)[0] == 0


def test_a_ledger_of_somebody_else(place: Place, loader: str) -> None:
    place.workbook(ROWS)
    place.load()
    assert "USAGE on schema factload;" in doctor("--url", loader)[1]["ledger rights"]["seen"]
    place.execute("GRANT USAGE, CREATE ON SCHEMA factload, factload_staging TO loader")
    place.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA factload TO loader")
    assert doctor("--url", loader)[0] == 0
    place.execute("REVOKE DELETE ON factload.partitions FROM loader")
    assert doctor("--url", loader)[1]["ledger rights"]["seen"] == (
        "user loader lacks DELETE on factload.partitions"
    )


def test_a_table_of_another_shape(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales RENAME metric TO metrics")
    status, found = doctor()
    assert status == 2
    assert "fact_sales has no column metric" in found["tables"]["seen"]
    assert "Did you mean metrics?" in found["tables"]["seen"]


@pytest.mark.parametrize(
    ("version", "status", "state"), [(VERSION + 1, 2, "problem"), (VERSION - 1, 0, "warning")]
)
def test_a_ledger_of_another_version(place: Place, version: int, status: int, state: str) -> None:
    place.execute(OLDER[-1].read_text(encoding="utf-8"))
    place.execute(f"UPDATE factload.schema_version SET version = {version}")
    found = doctor()
    assert (found[0], found[1]["ledger"]["state"]) == (status, state)
    assert f"has version {version}" in found[1]["ledger"]["seen"]
    assert place.rows("SELECT version FROM factload.schema_version") == [(version,)]


def test_a_staging_folder_that_can_t_be_made(place: Place) -> None:
    (place.home / "a file").write_text("")
    status, found = doctor(FACTLOAD_STAGING="a file/below")
    assert (status, found["staging"]["state"]) == (2, "problem")
    assert found["staging"]["seen"] == f"{place.home / 'a file'} is no folder"


def test_a_database_that_does_not_answer(place: Place) -> None:
    status, found = doctor("--url", "postgresql://somebody:secret@/nowhere?host=/no/such/folder")
    assert (status, found["database"]["state"]) == (4, "problem")
    assert "did not answer while connecting" in found["database"]["seen"]
    assert "secret" not in str(found)


def test_commits_that_wait_for_no_disk_are_told(place: Place) -> None:
    place.execute(f'ALTER DATABASE "{make_url(place.url).database}" SET synchronous_commit = off')
    found = [line for line in factload("doctor").stdout.splitlines() if line.startswith("warning")]
    assert len(found) == 1
    assert "synchronous_commit is off" in found[0]


def test_what_loads_left_behind(place: Place) -> None:
    place.workbook(ROWS)
    opened = Opened(place, place.feed())
    assert doctor()[1]["left-overs"]["seen"] == "none"
    place.execute("UPDATE factload.attempts SET opened_at = now() - interval '2 hours'")
    place.execute("UPDATE factload.steps SET finished_at = now() - interval '2 hours'")
    found = doctor()[1]["left-overs"]
    assert found["state"] == "warning"
    assert found["seen"].startswith("sales@2026-11-05 is loading, and no step of it has ended since ")
    opened.load_all()
    opened.reconcile()
    opened.publish()
    assert doctor()[1]["left-overs"]["seen"] == "none"
    place.execute(
        "UPDATE factload.attempts SET opened_at = opened_at - interval '1 day', ended_at = opened_at, "
        "worked_at = NULL"
    )
    place.execute("UPDATE factload.steps SET finished_at = finished_at - interval '1 day'")
    seen = doctor()[1]["left-overs"]["seen"]
    assert seen.endswith(
        f" left table {opened.staging} and folder {place.home / '.staging/sales@2026-11-05'}"
    )


def test_settings_that_can_t_be_read(place: Place) -> None:
    status, found = doctor(FACTLOAD_WAREHOUSE_SLOTS="0")
    assert (status, list(found), found["setting"]["state"]) == (2, ["setting"], "problem")
    assert found["setting"]["seen"] == (
        "the environment's FACTLOAD_WAREHOUSE_SLOTS is not a number of slots (found '0'); "
        "expected a whole number from 1 to 10000, or -1 for no bound, such as 16"
    )
