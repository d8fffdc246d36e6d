"""`factload verify`: what was published still stands, or the load is named, and where it doesn't."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, Table, select, text, update

from factload.ledger.tables import attempts
from factload.reconcile.read_back import content_of, hash_probe
from factload.verify.judgement import Verdict
from factload.verify.proof import prove
from factload.verify.published import published_loads
from tests.feeds import ABSENT
from tests.integration.commands import factload
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"
ROWS = [("A1", 1.5), ("B2", 2), ("A1", 3), ("00123", 4), ("B2", 2)]
# Each fact row says which row it was; a partition has the least rows that it may have.
PARTITION = 2_000
NUMBERED = {"fact.columns.source_row": {"provenance": "row"}, "rows_per_partition": PARTITION}


def verified(*arguments: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Exit status; load id → what is said of it; standard error."""
    result = factload("verify", "--json", *arguments)
    if not result.stdout:
        return result.returncode, {}, result.stderr
    found = json.loads(result.stdout)
    return result.returncode, {load["load_id"]: load for load in found["loads"]}, result.stderr


@pytest.fixture
def published(place: Place) -> Place:
    place.workbook(ROWS)
    place.load()
    return place


def test_what_stands_is_proved_by_rows_totals_and_digest_and_noted_in_the_ledger(published: Place) -> None:
    status, loads, said = verified()
    assert (status, said) == (0, "")
    assert (loads[LOAD]["state"], loads[LOAD]["proved_by"]) == ("stands", ["rows", "totals", "digest"])
    assert published.rows("SELECT verified_as, verified_at IS NOT NULL FROM factload.attempts") == [
        ("stands", True)
    ]
    assert "UTC: stands" in factload("status", "--load", LOAD).stdout


@pytest.mark.parametrize(
    ("tamper", "differs"),
    [
        (
            "DELETE FROM fact_sales WHERE id = 1",
            "5,999 of its rows are in fact_sales, and 6,000 were published",
        ),
        (
            "INSERT INTO fact_sales (dimension_id, metric, load_id) VALUES (1, 0, 'sales@2026-11-05')",
            "6,001 of its rows",
        ),
        ("UPDATE fact_sales SET metric = metric + 0.0001 WHERE id = 1", "metric is off by 0.0001"),
        ("UPDATE fact_sales SET dimension_id = 5 - dimension_id WHERE id = 1", "values are not those"),
        (
            "UPDATE fact_sales SET metric = CASE id WHEN 1 THEN 7 ELSE 8 END WHERE id IN (1, 2)",
            "control total",
        ),
        (
            "UPDATE fact_sales SET metric = CASE id WHEN 1 THEN 5.125 ELSE 5 END WHERE id IN (1, 2)",
            "values are not those that were published",
        ),
        ("UPDATE fact_sales SET load_id = 'sales@2026-11-08' WHERE id = 1", "5,999 of its rows"),
        ("DROP TABLE fact_sales", "there is no table fact_sales any more"),
        ("ALTER TABLE fact_sales DROP COLUMN load_id", "has no column load_id any more"),
        ("ALTER TABLE fact_sales DROP COLUMN metric", "has no column metric any more"),
        ("ALTER TABLE fact_sales ALTER metric TYPE text", "metric of fact_sales is text now"),
    ],
)
def test_what_was_changed_by_others_is_named(tampered: Tampered, tamper: str, differs: str) -> None:
    verdicts = tampered.verdicts(tamper)
    assert {load: verdict.state for load, verdict in verdicts.items()} == {
        LOAD: "differs",
        "sales@2026-11-06": "differs" if tamper.startswith(("DROP", "ALTER")) else "stands",
        "sales@2026-11-07": "differs" if tamper.startswith(("DROP", "ALTER")) else "stands",
    }
    assert differs in "; ".join(verdicts[LOAD].differences)


def test_a_load_that_differs_ends_the_command_with_3_and_is_noted(published: Place) -> None:
    published.execute("DELETE FROM fact_sales WHERE id = 1")
    status, loads, said = verified()
    assert (status, loads[LOAD]["state"]) == (3, "differs")
    assert "1 load does not stand as published" in said
    assert published.rows("SELECT verified_as FROM factload.attempts") == [("differs",)]


def test_the_rows_of_a_load_are_told_from_those_that_others_wrote(published: Place) -> None:
    published.execute("UPDATE fact_sales SET metric = 0 WHERE id = 1")
    published.execute("DELETE FROM fact_sales WHERE id = 2")
    assert "at least 2 are gone or were written again" in " ".join(verified()[1][LOAD]["where"])
    assert "at least 1 were written since" in " ".join(verified()[1][LOAD]["where"])


def test_what_one_transaction_wrote_again_is_not_taken_for_what_was_published(tampered: Tampered) -> None:
    verdict = tampered.verdicts("UPDATE fact_sales SET metric = metric + 1")[LOAD]
    assert (verdict.state, verdict.where) == ("differs", ())


@pytest.mark.parametrize(
    ("retyped", "differs"),
    [
        ("metric TYPE double precision", "1,999 of 2,000 rows; control total of metric is off by -5.1250"),
        ("metric TYPE text", "1,999 of 2,000 rows"),
        ("source_row TYPE text", None),
    ],
)
def test_a_partition_whose_rows_are_all_there_is_not_named_since_a_column_has_another_type(
    tampered: Tampered, retyped: str, differs: str | None
) -> None:
    tamper = f"DELETE FROM fact_sales WHERE id = 2; ALTER TABLE fact_sales ALTER {retyped}"
    verdict = tampered.verdicts(tamper)[LOAD]
    assert verdict.state == "differs"
    assert verdict.partitions == ((f"Facts 2–2001: {differs}",) if differs else ())


def test_what_stands_in_text_is_said_in_a_line_a_load(published: Place) -> None:
    published.execute("UPDATE fact_sales SET metric = 0 WHERE id = 1")
    result = factload("verify")
    assert result.returncode == 3
    assert result.stdout.splitlines()[0] == "differs  sales@2026-11-05: 5 rows in fact_sales"
    assert "control total of metric is off by -1.5000" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 not as published"


def test_a_partition_is_named_where_the_fact_table_has_the_number_of_a_row(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ADD source_row integer, ADD written text")
    place.workbook([("A1", number) for number in range(PARTITION + 3)])
    written = {"column": "business_key", "type": "text"}
    place.load(place.feed({**NUMBERED, "fact.columns.written": written}))
    assert verified()[0] == 0
    for changed, back in (("dimension_id = 5", "dimension_id = 1"), ("written = 'A1 '", "written = 'A1'")):
        place.execute(f"UPDATE fact_sales SET {changed} WHERE source_row = 2003")
        status, loads, _ = verified()
        differs = f"Facts 2002–2004: values of {changed.split()[0]} differ"
        assert (status, loads[LOAD]["partitions"]) == (3, [differs])
        # Blanks at the end of a text had no weight before.
        place.execute("UPDATE factload.attempts SET factload_version = '0.4.0'")
        assert verified()[1][LOAD]["partitions"] == ([differs] if "5" in changed else [])
        place.execute("UPDATE factload.attempts SET factload_version = '0.5.0'")
        place.execute(f"UPDATE fact_sales SET {back} WHERE source_row = 2003")


def test_any_single_change_is_found_with_its_load_and_partition(tampered: Tampered) -> None:
    rows = tampered.place.rows("SELECT id, dimension_id, load_id, source_row FROM fact_sales ORDER BY id")
    chance = random.Random(9)  # noqa: S311 - the same ones in every run
    for number in range(100):
        row, key, load, source_row = chance.choice(rows)
        tamper = (
            f"UPDATE fact_sales SET metric = metric + 0.0001 WHERE id = {row}",
            f"UPDATE fact_sales SET dimension_id = {1 + key % 5} WHERE id = {row}",
            f"DELETE FROM fact_sales WHERE id = {row}",
            f"INSERT INTO fact_sales (dimension_id, metric, load_id, source_row) "
            f"SELECT dimension_id, metric, load_id, source_row FROM fact_sales WHERE id = {row}",
        )[number % 4]
        differing = {
            name: verdict.partitions
            for name, verdict in tampered.verdicts(tamper).items()
            if verdict.state == "differs"
        }
        first = 2 + (source_row - 2) // PARTITION * PARTITION
        assert list(differing) == [load], tamper
        [partition] = differing[load]
        assert partition.startswith(f"Facts {first}–"), tamper


@dataclass(frozen=True)
class Tampered:
    """Three days of three partitions each, in a database that every change leaves as it was."""

    place: Place

    def verdicts(self, tamper: str) -> dict[str, Verdict]:
        """Load → what is found while the change stands."""
        with self.place.engine.connect() as connection:
            connection.execute(text(tamper))
            loads = published_loads(connection)
            found = prove(connection, loads, loads).verdicts
            connection.rollback()
        return {verdict.load.load_id: verdict for verdict in found}


@pytest.fixture(scope="module")
def tampered(module_place: Place) -> Tampered:
    place = module_place
    place.execute("ALTER TABLE fact_sales ADD source_row integer")
    feed = place.feed(NUMBERED)
    for day in range(5, 8):
        period = date(2026, 11, day)
        rows = [(("A1", "B2", "123")[n % 3], n % 997 / 8 + day) for n in range(3 * PARTITION)]
        place.workbook(rows, period)
        place.load(feed, period)
    return Tampered(place)


def test_loads_from_before_digests_are_proved_by_rows_and_totals_and_that_is_said(published: Place) -> None:
    published.execute(
        "UPDATE factload.attempts SET published_digest = NULL, published_columns = NULL, hash_probe = NULL"
    )
    published.execute("UPDATE fact_sales SET dimension_id = 5 WHERE id = 1")
    status, loads, _ = verified()
    assert (status, loads[LOAD]["proved_by"]) == (0, ["rows", "totals"])
    assert "published before digests were kept" in loads[LOAD]["notes"][0]
    published.execute("DELETE FROM fact_sales WHERE id = 1")
    assert verified()[0] == 3


def test_signs_that_changed_are_seen_though_the_total_is_the_same(place: Place) -> None:
    place.workbook([("A1", 5), ("B2", -5)])
    place.load()
    place.execute("UPDATE fact_sales SET metric = -metric")
    status, loads, _ = verified()
    assert (status, loads[LOAD]["totals"]["metric"]) == (3, {"published": "0.0000", "found": "0.0000"})
    # A digest of before is proved by such a one, and what that leaves out is said.
    with place.engine.begin() as connection:
        fact = Table("fact_sales", MetaData(), autoload_with=connection)
        rows = select(fact.c.dimension_id, fact.c.metric)
        digest = content_of(connection, rows, ["dimension_id", "metric"], ["metric"], signed=False).digest
        older = {"published_digest": f"{digest:f}", "hash_probe": hash_probe(signed=False)}
        connection.execute(update(attempts).values(**older))
    place.execute("UPDATE fact_sales SET metric = -metric")
    status, loads, _ = verified()
    assert (status, loads[LOAD]["proved_by"]) == (0, ["rows", "totals", "digest"])
    assert "leaves out the sign of decimals" in loads[LOAD]["notes"][0]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            "ALTER TABLE fact_sales ALTER metric TYPE double precision",
            "was numeric(18, 4) and is double precision now",
        ),
        ("UPDATE factload.attempts SET hash_probe = 'another'", "this server hashes values in another way"),
    ],
)
def test_where_digests_cannot_be_compared_that_is_said(published: Place, change: str, note: str) -> None:
    published.execute(change)
    status, loads, _ = verified()
    assert (status, loads[LOAD]["proved_by"]) == (0, ["rows", "totals"])
    assert note in loads[LOAD]["notes"][0]


def test_rows_of_no_load_are_counted_and_are_no_fault_of_a_load(published: Place) -> None:
    published.execute("INSERT INTO fact_sales (dimension_id, metric, load_id) VALUES (1, 1, 'by hand')")
    result = factload("verify", "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["rows_of_no_load"] == [{"table": "fact_sales", "rows": 1}]


def test_loads_are_asked_for_by_feed_and_period(published: Place) -> None:
    published.workbook(ROWS, date(2026, 11, 6))
    published.load(period=date(2026, 11, 6))
    assert list(verified("sales")[1]) == [LOAD, "sales@2026-11-06"]
    assert list(verified("--since", "2026-11-06")[1]) == ["sales@2026-11-06"]
    status, _, said = verified("costs", "--url", published.url)
    assert status == 2
    assert "the ledger has no load of costs" in said


def test_a_load_that_is_under_way_is_proved_as_it_was_published(published: Place) -> None:
    from factload import steps

    published.workbook(ROWS[:2])
    steps.open_load(published.feed(), PERIOD, database=published.url)
    assert verified()[1][LOAD]["rows"] == {"published": 5, "found": 5}


def test_a_ledger_that_takes_no_changes_is_read_all_the_same(published: Place) -> None:
    [(name,)] = published.rows("SELECT current_database()")
    published.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert verified()[0] == 0
    assert published.rows("SELECT verified_as FROM factload.attempts") == [(None,)]


# --- other modes -------------------------------------------------------------------------------------------------


def test_rows_that_are_appended_with_a_load_column_are_proved(place: Place) -> None:
    place.workbook(ROWS)
    place.load(place.feed({"fact.mode": "append_once"}))
    assert verified()[1][LOAD]["proved_by"] == ["rows", "totals", "digest"]
    place.execute("UPDATE fact_sales SET dimension_id = 5 WHERE id = 1")
    assert verified()[0] == 3


def test_rows_that_are_appended_without_one_are_proved_together(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ALTER load_id DROP NOT NULL")
    feed = place.feed({"fact.mode": "append_once", "fact.load_column": ABSENT})
    for day in (5, 6):
        place.workbook(ROWS[: day - 2], date(2026, 11, day))
        place.load(feed, date(2026, 11, day))
    status, loads, _ = verified()
    assert (status, {load["state"] for load in loads.values()}) == (0, {"stands"})
    assert "proved together" in loads[LOAD]["notes"][0]
    place.execute("UPDATE fact_sales SET dimension_id = 5 WHERE id = 1")
    assert verified()[0] == 3
    place.execute("INSERT INTO fact_sales (dimension_id, metric) VALUES (1, 1)")
    status, loads, _ = verified()
    assert (status, {load["state"] for load in loads.values()}) == (0, {"unproved"})
    place.execute("DELETE FROM fact_sales WHERE id <= 2")
    assert verified()[0] == 3


def test_an_upsert_is_proved_until_later_loads_may_have_taken_rows_over(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ADD UNIQUE (dimension_id)")
    feed = place.feed({"fact.mode": {"upsert": ["dimension_id"]}})
    place.workbook([("A1", 1), ("B2", 2)])
    place.load(feed)
    assert verified()[1][LOAD]["state"] == "stands"
    place.workbook([("00123", 3)], date(2026, 11, 6))
    place.load(feed, date(2026, 11, 6))
    assert {load["state"] for load in verified()[1].values()} == {"stands"}
    place.workbook([("A1", 5)], date(2026, 11, 7))
    place.load(feed, date(2026, 11, 7))
    status, loads, _ = verified()
    assert status == 0
    assert {name[-1]: load["state"] for name, load in loads.items()} == {
        "5": "unproved",
        "6": "stands",
        "7": "stands",
    }
    assert "2 loads were published since" in loads[LOAD]["notes"][0]
    place.execute("DELETE FROM fact_sales WHERE load_id = 'sales@2026-11-07'")
    assert verified()[0] == 3


def test_rows_that_an_upsert_leaves_of_an_earlier_delivery_are_no_difference(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ADD UNIQUE (dimension_id)")
    feed = place.feed({"fact.mode": {"upsert": ["dimension_id"]}})
    for rows in ([("A1", 1), ("B2", 2)], [("A1", 1)]):
        place.workbook(rows)
        place.load(feed)
    status, loads, _ = verified()
    assert (status, loads[LOAD]["state"]) == (0, "unproved")
    assert "rows of then that it no longer has stay" in loads[LOAD]["notes"][0]
    place.execute("DELETE FROM fact_sales WHERE dimension_id = 2")
    assert verified()[1][LOAD]["state"] == "stands"
    place.execute("UPDATE fact_sales SET metric = 7")
    assert verified()[0] == 3


def test_an_exchanged_partition_is_proved_and_named(place: Place) -> None:
    place.partition()
    place.workbook(ROWS)
    place.load(place.feed({"fact.mode": "exchange"}))
    assert verified()[1][LOAD]["proved_by"] == ["rows", "totals", "digest"]
    place.execute("UPDATE fact_sales SET dimension_id = 5 WHERE metric = 4")
    status, loads, _ = verified()
    assert status == 3
    assert "public.fact_sales_sales_2026_11_05 (5)" in loads[LOAD]["where"][-1].replace(
        "in fact_sales_", "in public.fact_sales_"
    )


# --- receipts ------------------------------------------------------------------------------------------------------


def test_a_receipt_is_proved_without_the_ledger(published: Place, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    result = factload("verify", "--receipt", str(receipt))
    assert result.returncode == 0
    assert "not signed: FACTLOAD_RECEIPT_KEY is not set" in result.stdout
    [said] = json.loads(receipt.read_text())["statement"]["loads"]
    assert (said["rows"], said["totals"], said["workbooks"][0]["path"]) == (
        5,
        {"metric": "12.5000"},
        "inbox/sales_2026-11-05.xlsx",
    )
    assert said["feed_fingerprint"] == published.feed().fingerprint
    published.execute("DROP SCHEMA factload CASCADE")
    assert verified("--receipt-of", str(receipt))[0] == 0
    published.execute("UPDATE fact_sales SET dimension_id = 5 WHERE id = 1")
    assert verified("--receipt-of", str(receipt))[0] == 3


def test_no_receipt_is_written_for_what_does_not_stand(published: Place, tmp_path: Path) -> None:
    published.execute("DELETE FROM fact_sales WHERE id = 1")
    result = factload("verify", "--receipt", str(tmp_path / "receipt.json"))
    assert result.returncode == 3
    assert "No receipt was written" in result.stderr
    assert not (tmp_path / "receipt.json").exists()


@pytest.mark.parametrize("key", ["", "a secret of thirty-two characters"])
def test_a_receipt_altered_by_a_byte_is_refused(published: Place, tmp_path: Path, key: str) -> None:
    from factload.errors import FactloadError
    from factload.verify.receipt import read_receipt

    receipt = tmp_path / "receipt.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACTLOAD_RECEIPT_KEY", key)
        assert factload("verify", "--receipt", str(receipt)).returncode == 0
        whole = receipt.read_bytes()
        assert [load.load_id for load in read_receipt(receipt)] == [LOAD]
        altered = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
        for other in [*altered, whole + b"\n", whole[:-1], b"", b"[]", b"{}"]:
            receipt.write_bytes(other)
            with pytest.raises(
                FactloadError, match=r"is not as factload wrote it|can't be read as a receipt"
            ):
                read_receipt(receipt)


def test_a_receipt_that_says_what_none_can_say_is_refused(published: Place, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    assert factload("verify", "--receipt", str(receipt)).returncode == 0
    whole = receipt.read_text()
    for field, value in [
        ("rows", "5"),
        ("rows", None),
        ("digest", "NaN"),
        ("totals", []),
        ("totals", {"metric": "1e999999"}),
        ("columns", ["id"]),
        ("workbooks", [7]),
        ("published_at", "2026-11-05"),
        ("period", "2026-13-01"),
        ("more", 1),
    ]:
        document = json.loads(whole)
        document["statement"]["loads"][0][field] = value
        said = json.dumps(document["statement"], sort_keys=True, indent=1) + "\n"
        document["seal"]["value"] = hashlib.sha256(said.encode()).hexdigest()
        receipt.write_text(json.dumps(document, sort_keys=True, indent=1) + "\n")
        status, _, error = verified("--receipt-of", str(receipt))
        assert (status, "is not as factload wrote it" in error) == (3, True), (field, value)


def test_a_signature_needs_its_key(published: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receipts = {"": tmp_path / "plain.json", "one key": tmp_path / "signed.json"}
    for key, path in receipts.items():
        monkeypatch.setenv("FACTLOAD_RECEIPT_KEY", key)
        assert factload("verify", "--receipt", str(path)).returncode == 0
    for path, key, status, said in [
        (receipts["one key"], "one key", 0, ""),
        (receipts["one key"], "another", 3, "signed with another key"),
        (receipts["one key"], "", 2, "is signed with a key"),
        (receipts[""], "one key", 3, "is not signed"),
    ]:
        monkeypatch.setenv("FACTLOAD_RECEIPT_KEY", key)
        found, _, error = verified("--receipt-of", str(path))
        assert found == status
        assert said in error
