"""What makes a load exact: fences, slices, and a reconciliation that sees what was tampered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from factload.errors import ReconciliationError, Superseded, TransientError
from tests.integration.opened import Opened
from tests.integration.place import Place


@pytest.fixture
def opened(place: Place) -> Opened:
    place.workbook([("A1" if i % 2 else "B2", i) for i in range(5_000)] + [("nobody", 1)])
    return Opened(place, place.feed())


def test_a_partition_delivered_twice_ends_the_same(place: Place, opened: Opened) -> None:
    opened.load_all()
    opened.change_dimension()
    opened.load_all()
    opened.reconcile()
    assert opened.publish() == 5_000
    assert place.rows("SELECT count(*), sum(metric)::int FROM fact_sales") == [(5_000, 12_497_500)]
    assert place.rows("SELECT count(*) FROM factload.rejects") == [(1,)]


def test_an_older_attempt_is_refused_inside_the_database(place: Place, opened: Opened) -> None:
    opened.load_partition(0)
    newer = Opened(place, place.feed())
    newer.load_all()
    for late in (lambda: opened.load_partition(1), opened.reconcile, opened.publish):
        with pytest.raises(Superseded, match="attempt 1 at sales@2026-11-05 is no longer the newest"):
            late()
    newer.reconcile()
    newer.publish()
    assert place.rows("SELECT count(*) FROM fact_sales") == [(5_000,)]


def test_a_finished_load_takes_no_more_partitions(place: Place, opened: Opened) -> None:
    opened.load_all()
    opened.reconcile()
    opened.publish()
    before = place.rows("SELECT id FROM fact_sales ORDER BY id")
    opened.change_dimension()
    opened.load_all()
    opened.reconcile()
    assert opened.publish() == 5_000
    assert place.rows("SELECT id FROM fact_sales ORDER BY id") == before
    assert place.rows(f"SELECT count(*) FROM {opened.staging}") == [(5_000,)]


def test_what_is_not_reconciled_is_not_published(opened: Opened) -> None:
    opened.load_all()
    with pytest.raises(Superseded, match="is loading"):
        opened.publish()


def test_a_partition_loaded_again_must_be_reconciled_again(opened: Opened) -> None:
    opened.load_all()
    opened.reconcile()
    opened.change_dimension()
    opened.load_partition(1)
    with pytest.raises(Superseded, match="is loading"):
        opened.publish()


@pytest.mark.parametrize(
    ("tampering", "difference"),
    [
        (
            "DELETE FROM {staging} WHERE factload_row = 7",
            "partition Facts 2–2001: 1999 rows in the staging table, 2000 counted",
        ),
        (
            "INSERT INTO {staging} SELECT * FROM {staging} WHERE factload_row = 3000",
            "partition Facts 2002–4001: 2001 rows",
        ),
        (
            "UPDATE {staging} SET metric = metric + 0.01 WHERE factload_row = 5000",
            "partition Facts 4002–5002: control total of metric is off by 0.0100",
        ),
        (
            "UPDATE {staging} SET dimension_id = 3 - dimension_id WHERE factload_row IN (4500, 4501)",
            "partition Facts 4002–5002: sum of row × dimension_id is off by 1: values are not in the rows",
        ),
        (
            "UPDATE {staging} a SET metric = b.metric FROM {staging} b "
            "WHERE a.factload_row IN (8, 10) AND b.factload_row = 18 - a.factload_row",
            "partition Facts 2–2001: sum of row × metric is off by -4.0000",
        ),
        ("INSERT INTO {staging} VALUES (1, 1, 1, 0)", "1 staged rows belong to no partition"),
    ],
)
def test_tampering_with_staged_rows_is_seen_and_named(
    place: Place, opened: Opened, tampering: str, difference: str
) -> None:
    opened.load_all()
    place.execute(tampering.format(staging=opened.staging))
    with pytest.raises(ReconciliationError, match=difference.replace("(", r"\(")):
        opened.reconcile()
    assert place.facts() == []


def test_a_row_lost_between_reconciliation_and_publish_is_seen(place: Place, opened: Opened) -> None:
    opened.load_all()
    opened.reconcile()
    place.execute(f"DELETE FROM {opened.staging} WHERE factload_row = 7")
    with pytest.raises(
        ReconciliationError, match="partition Facts 2–2001: 1999 rows in the staging table, 2000 counted"
    ):
        opened.publish()
    assert place.facts() == []


def test_a_trigger_that_changes_rows_on_their_way_is_seen(place: Place, opened: Opened) -> None:
    place.execute(
        "CREATE FUNCTION halve() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN NEW.metric := NEW.metric / 2; RETURN NEW; END'"
    )
    place.execute("CREATE TRIGGER halve BEFORE INSERT ON fact_sales FOR EACH ROW EXECUTE FUNCTION halve()")
    opened.load_all()
    opened.reconcile()
    with pytest.raises(ReconciliationError, match="control total of metric is off by"):
        opened.publish()
    assert place.facts() == []


def test_a_missing_partition_does_not_reconcile(opened: Opened) -> None:
    opened.load_partition(0)
    opened.load_partition(2)
    with pytest.raises(ReconciliationError, match="partition Facts 2002–4001: 2000 source rows, but 0 blank"):
        opened.reconcile()


@pytest.mark.parametrize("damage", ["cut", "altered", "gone"])
def test_a_damaged_staging_file_is_noticed(opened: Opened, damage: str) -> None:
    path = Path(opened.split.partitions[1].path)
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[:-100])
    elif damage == "altered":
        path.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    else:
        path.unlink()
    with pytest.raises(TransientError, match="staging file"):
        opened.load_partition(1)


def test_a_feed_that_changed_on_the_way_is_noticed(place: Place, opened: Opened) -> None:
    opened.feed = place.feed({"fact.columns.metric.type": "numeric(18,2)"})
    with pytest.raises(Exception, match="the feed file of sales changed since this load was opened"):
        opened.load_partition(0)


def test_readers_see_the_old_rows_or_the_new_ones(place: Place, opened: Opened) -> None:
    opened.load_all()
    opened.reconcile()
    opened.publish()
    [before] = place.rows("SELECT count(*), sum(metric) FROM fact_sales")
    again = Opened(place, place.feed())
    again.load_all()
    again.reconcile()
    assert place.rows("SELECT count(*), sum(metric) FROM fact_sales") == [before]


def test_everything_that_reads_a_fact_table_survives_a_publish(place: Place, opened: Opened) -> None:
    place.execute("CREATE VIEW totals AS SELECT load_id, sum(metric) AS total FROM fact_sales GROUP BY 1")
    place.execute("CREATE ROLE reader")
    try:
        place.execute("GRANT SELECT ON fact_sales TO reader")
        opened.load_all()
        opened.reconcile()
        opened.publish()
        assert place.rows("SELECT total::int FROM totals") == [(12_497_500,)]
        assert place.rows("SELECT has_table_privilege('reader', 'fact_sales', 'SELECT')") == [(True,)]
    finally:
        place.execute("REVOKE ALL ON fact_sales FROM reader")
        place.execute("DROP ROLE reader")
