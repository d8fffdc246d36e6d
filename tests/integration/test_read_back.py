"""What stands in the fact table is what was staged, whatever acts on its rows; or nothing is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from factload.errors import FactloadError, FeedError, ReconciliationError
from factload.feed.file import read_feed_file
from factload.feed.model import Feed
from factload.reports.report import read_report
from tests.feeds import changed
from tests.integration.place import PERIOD, Place
from tests.workbooks import write_rows

LOAD = "sales@2026-11-05"
MODES: dict[str, dict[str, Any]] = {
    "replace": {"fact.mode": "replace", "fact.load_column": "load_id"},
    "append_once": {"fact.mode": "append_once"},
    "append_once with a load column": {"fact.mode": "append_once", "fact.load_column": "load_id"},
    "upsert": {"fact.mode": {"upsert": ["code"]}},
    "upsert with a load column": {"fact.mode": {"upsert": ["code"]}, "fact.load_column": "load_id"},
}
FEED = """
feed: sales
workbook: {path: "inbox/wide_{period}.xlsx", sheet: Facts}
fact:
  connection: warehouse
  table: wide
  columns:
    code: {column: code, type: text, required: true}
    amount: {column: amount, type: "numeric(18,4)"}
    share: {column: share, type: double precision}
    day: {column: day, type: date}
    seen: {column: seen, type: timestamp}
    open: {column: open, type: boolean}
    note: {column: note, type: varchar(20)}
    channel: {value: web}
    origin: {provenance: row}
"""
WIDE = """
CREATE TABLE wide (
    code text, amount numeric(18,4), share double precision, day date, seen timestamp, open boolean,
    note varchar(20), channel text, origin int, load_id text, touched int);
CREATE UNIQUE INDEX ON wide (code);
"""
HEADER = ("code", "amount", "share", "day", "seen", "open", "note")


def rows(number: int, first: int = 0) -> list[tuple[Any, ...]]:
    from datetime import datetime

    seen = datetime(2026, 11, 5, 10, 30, 15)
    return [
        (f"C{n}", n + 0.25, n / 7, seen.date(), seen, n % 2 == 0, None if n % 3 else f"n{n}")
        for n in range(first, first + number)
    ]


@pytest.fixture
def wide(place: Place) -> Place:
    place.execute(WIDE)
    put(place, rows(5))
    return place


def put(place: Place, of: list[tuple[Any, ...]]) -> None:
    write_rows(place.home / f"inbox/wide_{PERIOD}.xlsx", [HEADER, *of])


def feed(place: Place, mode: str, changes: Mapping[str, Any] | None = None) -> Feed:
    path = place.home / "include/feeds/sales.yaml"
    path.write_text(changed(FEED, MODES[mode] | dict(changes or {})), encoding="utf-8")
    return read_feed_file(path)


def trigger(place: Place, when: str, body: str, *, deferred: bool = False, table: str = "wide") -> None:
    place.execute(
        f"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
        f"CREATE {'CONSTRAINT ' if deferred else ''}TRIGGER act {when} ON {table} "
        f"{'DEFERRABLE INITIALLY DEFERRED ' if deferred else ''}FOR EACH ROW EXECUTE FUNCTION act()"
    )


def count(place: Place) -> int:
    return int(place.rows("SELECT count(*) FROM wide")[0][0])


CHANGES = {
    "text": "code = NEW.code || 'x'",
    "letters of a text": "note = upper(NEW.note)",
    "numeric": "amount = NEW.amount + 0.0001",
    "double": "share = NEW.share * 1.0000001",
    "date": "day = NEW.day + 1",
    "timestamp": "seen = NEW.seen + interval '1 microsecond'",
    "boolean": "open = NOT NEW.open",
    "a value for NULL": "note = coalesce(NEW.note, '')",
    "NULL for a value": "note = NULL",
    "constant": "channel = 'shop'",
    "provenance": "origin = NEW.origin + 1",
}


@pytest.mark.parametrize(
    ("column", "mode"),
    [*((column, "replace") for column in CHANGES), *(("letters of a text", mode) for mode in MODES)],
)
def test_a_change_on_the_way_in_is_seen_in_every_column(wide: Place, column: str, mode: str) -> None:
    name, value = CHANGES[column].split(" = ", 1)
    trigger(wide, "BEFORE INSERT", f"NEW.{name} := {value}; RETURN NEW;")
    with pytest.raises(ReconciliationError, match=r"Nothing was published. Look for triggers"):
        wide.load(feed(wide, mode))
    assert count(wide) == 0


AFTERWARDS = {
    "a row is deleted": "DELETE FROM wide WHERE code = NEW.code AND NEW.code = 'C3'; RETURN NULL;",
    "a text is changed": "UPDATE wide SET note = 'other' WHERE code = NEW.code AND NEW.code = 'C3'; RETURN NULL;",
    "an amount is changed": "UPDATE wide SET amount = amount + 1 WHERE code = NEW.code AND NEW.code = 'C3'; RETURN NULL;",
    "two amounts change places": "UPDATE wide SET amount = CASE code WHEN 'C1' THEN 2.25 ELSE 1.25 END "
    "WHERE code IN ('C1', 'C2') AND NEW.code = 'C4'; RETURN NULL;",
}


@pytest.mark.parametrize(
    ("what", "deferred", "mode"),
    [
        *((what, False, "replace") for what in AFTERWARDS),
        *(("two amounts change places", True, mode) for mode in MODES),
        *(("a row is deleted", False, mode) for mode in ("append_once", "upsert")),
    ],
)
def test_what_a_trigger_does_after_the_insert_is_seen(
    wide: Place, what: str, deferred: bool, mode: str
) -> None:
    trigger(wide, "AFTER INSERT", AFTERWARDS[what], deferred=deferred)
    with pytest.raises(ReconciliationError, match="Nothing was published"):
        wide.load(feed(wide, mode))
    assert count(wide) == 0


def test_a_row_that_takes_the_place_of_another_is_seen(wide: Place) -> None:
    # as many rows and the same total: one is gone, another is there twice
    wide.execute("DROP INDEX wide_code_idx")
    put(wide, [("A", 2, None, None, None, None, None), ("B", 2, None, None, None, None, None)])
    trigger(wide, "BEFORE INSERT", "NEW.code := 'A'; NEW.origin := 2; RETURN NEW;")
    with pytest.raises(ReconciliationError, match=r"other values of code .* other values of origin"):
        wide.load(feed(wide, "replace"))


@pytest.mark.parametrize("mode", MODES)
def test_a_trigger_that_writes_elsewhere_or_fills_other_columns_is_welcome(wide: Place, mode: str) -> None:
    wide.execute("CREATE TABLE journal (code text)")
    trigger(wide, "AFTER INSERT", "INSERT INTO journal VALUES (NEW.code); RETURN NULL;")
    wide.execute(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.touched := 1; RETURN NEW; END';"
        "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON wide FOR EACH ROW EXECUTE FUNCTION touch()"
    )
    wide.load(feed(wide, mode))
    assert wide.rows("SELECT count(*), sum(touched) FROM wide") == [(5, 5)]
    assert wide.rows("SELECT count(*) FROM journal") == [(5,)]


HINDERED = {
    "a trigger that keeps rows": "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    "CREATE TRIGGER keep BEFORE DELETE ON wide FOR EACH ROW EXECUTE FUNCTION keep()",
    "a trigger that keeps some": "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS "
    "$$BEGIN IF OLD.code = 'C2' THEN RETURN NULL; END IF; RETURN OLD; END$$;"
    "CREATE TRIGGER keep BEFORE DELETE ON wide FOR EACH ROW EXECUTE FUNCTION keep()",
    "a trigger that puts them back": "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS "
    "$$BEGIN INSERT INTO wide SELECT OLD.*; RETURN NULL; END$$;"
    "CREATE TRIGGER keep AFTER DELETE ON wide FOR EACH ROW EXECUTE FUNCTION keep()",
    "a rule": "CREATE RULE keep AS ON DELETE TO wide DO INSTEAD NOTHING",
}


@pytest.mark.parametrize("hindered", HINDERED)
def test_rows_that_can_t_be_deleted_stop_the_next_publication(wide: Place, hindered: str) -> None:
    wide.execute("DROP INDEX wide_code_idx")
    wide.load(feed(wide, "replace"))
    before = wide.rows("SELECT * FROM wide ORDER BY code")
    wide.execute(HINDERED[hindered])
    put(wide, rows(4))
    with pytest.raises(ReconciliationError, match="rows of the load are in the fact table, 4 were staged"):
        wide.load(feed(wide, "replace"))
    assert wide.rows("SELECT * FROM wide ORDER BY code") == before


@pytest.mark.parametrize("mode", ["replace", "append_once with a load column", "upsert with a load column"])
@pytest.mark.parametrize("which", ["", "IF NEW.code = 'C3' THEN"], ids=["all", "one"])
def test_a_trigger_that_moves_the_load_column_is_seen(wide: Place, which: str, mode: str) -> None:
    trigger(wide, "BEFORE INSERT", f"{which} NEW.load_id := 'x'; {'END IF;' if which else ''} RETURN NEW;")
    with pytest.raises(ReconciliationError, match="rows of the load are in the fact table, 5 were staged"):
        wide.load(feed(wide, mode))
    assert count(wide) == 0


RULES = {
    "drops rows": "CREATE RULE r AS ON INSERT TO wide WHERE NEW.code = 'C1' DO INSTEAD NOTHING",
    "diverts them": "CREATE TABLE other (LIKE wide); CREATE RULE r AS ON INSERT TO wide DO INSTEAD INSERT INTO other VALUES (NEW.*)",
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_keeps_rows_out_is_seen(wide: Place, rule: str) -> None:
    wide.execute(RULES[rule])
    with pytest.raises(ReconciliationError, match="rows of the load are in the fact table, 5 were staged"):
        wide.load(feed(wide, "replace"))
    assert count(wide) == 0


def test_a_rule_that_does_something_besides_is_welcome(wide: Place) -> None:
    wide.execute("CREATE TABLE journal (code text)")
    wide.execute("CREATE RULE r AS ON INSERT TO wide DO ALSO INSERT INTO journal VALUES (NEW.code)")
    wide.load(feed(wide, "replace"))
    assert (count(wide), wide.rows("SELECT count(*) FROM journal")) == (5, [(5,)])


@pytest.mark.parametrize("mode", ["append_once", "upsert"])
def test_a_rule_that_the_mode_can_t_have_is_told_before_anything_is_read(wide: Place, mode: str) -> None:
    wide.execute("CREATE RULE r AS ON INSERT TO wide DO ALSO NOTHING")
    with pytest.raises(FeedError, match=r"wide has a rule ON INSERT.*Drop the rule"):
        wide.load(feed(wide, mode))


class TestRowSecurity:
    POLICIES = (
        ("hides rows", ["FOR SELECT USING (code <> 'C1')", "FOR INSERT WITH CHECK (true)", "FOR DELETE USING (true)"], FeedError),
        ("shows none", ["FOR INSERT WITH CHECK (true)"], FeedError),
        ("restricts what it shows", ["USING (true)", "AS RESTRICTIVE FOR SELECT USING (code <> 'C1')"], FeedError),
        ("shows all, deletes none", ["FOR SELECT USING (true)", "FOR INSERT WITH CHECK (true)"], ReconciliationError),
        ("shows all, deletes some", ["FOR SELECT USING (true)", "FOR INSERT WITH CHECK (true)", "FOR DELETE USING (code > 'C2')"], ReconciliationError),
        ("allows all", ["USING (true)"], None),
    )  # fmt: skip

    @pytest.mark.parametrize(("policies", "refused"), [p[1:] for p in POLICIES], ids=[p[0] for p in POLICIES])
    def test_what_the_user_can_t_see_or_delete_never_stays_unseen(
        self, wide: Place, policies: list[str], refused: type[FactloadError] | None
    ) -> None:
        wide.execute("DROP INDEX wide_code_idx")
        wide.execute("CREATE ROLE guarded LOGIN")
        try:
            wide.execute(f"GRANT CREATE ON DATABASE {wide.engine.url.database} TO guarded")
            wide.execute("GRANT SELECT, INSERT, DELETE ON wide TO guarded")
            mine = Place(wide.home, wide.engine.url.set(username="guarded").render_as_string(), wide.engine)
            mine.load(feed(wide, "replace"))
            wide.execute("ALTER TABLE wide ENABLE ROW LEVEL SECURITY")
            for number, policy in enumerate(policies):
                wide.execute(f"CREATE POLICY p{number} ON wide {policy}")
            put(wide, rows(6))
            if refused is None:
                mine.load(feed(wide, "replace"))
                assert count(wide) == 6
                return
            with pytest.raises(refused):
                mine.load(feed(wide, "replace"))
            assert count(wide) == 5
        finally:
            wide.execute("DROP OWNED BY guarded CASCADE")
            wide.execute("DROP ROLE guarded")


class TestWhatWasPublishedBefore:
    def test_rows_that_the_ledger_doesn_t_know_are_not_deleted(self, wide: Place) -> None:
        wide.execute(f"INSERT INTO wide (code, load_id) VALUES ('mine', '{LOAD}')")
        with pytest.raises(ReconciliationError, match=r"1 rows of wide carry .* in load_id, and 0 were pub"):
            wide.load(feed(wide, "replace"))
        assert count(wide) == 1

    def test_more_rows_than_were_published_are_not_deleted(self, wide: Place) -> None:
        wide.load(feed(wide, "replace"))
        wide.execute(f"INSERT INTO wide (code, load_id) VALUES ('mine', '{LOAD}')")
        with pytest.raises(ReconciliationError, match=r"6 rows of wide carry .* 5 were published"):
            wide.load(feed(wide, "replace"), reload=True)
        assert count(wide) == 6

    @pytest.mark.parametrize("statement", ["DELETE FROM wide WHERE code < 'C2'", "TRUNCATE wide"])
    def test_rows_that_somebody_deleted_are_told_and_come_back_by_reload(
        self, wide: Place, statement: str
    ) -> None:
        wide.load(feed(wide, "replace"))
        wide.execute(statement)
        with pytest.raises(ReconciliationError, match=r"5 were published.*--reload. puts them back"):
            wide.load(feed(wide, "replace"))
        load = wide.load(feed(wide, "replace"), reload=True)
        assert count(wide) == 5
        [warning] = read_report(wide.url, load.load_id).warnings
        assert warning.startswith("5 rows had been published before, and only")

    def test_another_load_column_leaves_no_rows_behind(self, wide: Place) -> None:
        wide.execute("ALTER TABLE wide ADD l2 text")
        wide.load(feed(wide, "replace"))
        moved = feed(wide, "replace", {"fact.load_column": "l2"})
        with pytest.raises(FeedError, match=r"5 of its rows stand in wide, where load_id says so"):
            wide.load(moved)
        wide.execute("UPDATE wide SET l2 = load_id")
        wide.load(moved)
        assert count(wide) == 5

    @pytest.mark.parametrize("mode", ["replace", "append_once", "upsert"])
    def test_another_table_leaves_no_rows_behind(self, wide: Place, mode: str) -> None:
        wide.execute("CREATE TABLE wider (LIKE wide INCLUDING ALL)")
        wide.load(feed(wide, "replace"))
        moved = feed(wide, mode, {"fact.table": "wider"})
        with pytest.raises(FeedError):
            wide.load(moved)
        assert (count(wide), wide.rows("SELECT count(*) FROM wider")) == (5, [(0,)])
        wide.execute("WITH gone AS (DELETE FROM wide RETURNING *) INSERT INTO wider SELECT * FROM gone")
        if mode == "replace":
            wide.load(moved)
            assert wide.rows("SELECT count(*) FROM wider") == [(5,)]

    def test_the_same_table_by_another_name_is_the_same_table(self, wide: Place) -> None:
        wide.load(feed(wide, "replace"))
        wide.load(feed(wide, "replace", {"fact.table": "public.wide"}))
        wide.execute("ALTER TABLE wide RENAME TO broad")
        wide.load(feed(wide, "replace", {"fact.table": "broad"}))
        assert wide.rows("SELECT count(*) FROM broad") == [(5,)]


def test_a_state_that_somebody_set_by_hand_is_no_publication(wide: Place) -> None:
    load = wide.load(feed(wide, "replace"))
    put(wide, rows(3))
    with pytest.raises(FactloadError):
        wide.load(feed(wide, "replace", {"fact.columns.code.allowed": ["none"]}))
    wide.execute(f"UPDATE factload.attempts SET state = 'published' WHERE epoch > {load.epoch}")
    again = wide.load(feed(wide, "replace"))
    assert (again.already_published, count(wide)) == (False, 3)


def test_an_upsert_writes_its_rows_in_the_order_of_their_keys(wide: Place) -> None:
    # so two that write the same rows wait for each other in turn, never in a circle
    wide.execute("CREATE TABLE journal (number serial, code text)")
    trigger(wide, "BEFORE INSERT", "INSERT INTO journal (code) VALUES (NEW.code); RETURN NEW;")
    put(wide, rows(9)[::-1])
    wide.load(feed(wide, "upsert"))
    assert [row[0] for row in wide.rows("SELECT code FROM journal ORDER BY number")] == [
        f"C{n}" for n in range(9)
    ]
