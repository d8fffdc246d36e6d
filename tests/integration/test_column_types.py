"""A value stands in the fact table as it stands in the sheet, whatever the column's type; or it is told before, or is
a reject."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from factload.errors import FactloadError, FeedError, ReconciliationError
from factload.feed.file import read_feed_file
from factload.reports.report import read_report
from tests.feeds import ABSENT, changed
from tests.integration.commands import report
from tests.integration.place import PERIOD, Place
from tests.workbooks import write_rows

LOAD = "sales@2026-11-05"
FEED = """
feed: sales
workbook: {path: "inbox/sales_{period}.xlsx", sheet: Facts}
fact:
  connection: warehouse
  table: target
  columns:
    v: {column: v}
  load_column: load_id
max_rejects: 100%
min_rows: 0
"""
KEYED = """
feed: sales
workbook: {path: "inbox/sales_{period}.xlsx", sheet: Facts}
dimensions:
  d: {table: member, business_key: k, surrogate_key: id, column: v, unmatched: reject}
fact:
  connection: warehouse
  table: target
  columns:
    d: {dimension: d}
  load_column: load_id
max_rejects: 100%
"""


def put(place: Place, values: list[Any]) -> None:
    rows = [("v", "n"), *((value, 1) for value in values)]
    write_rows(place.home / f"inbox/sales_{PERIOD}.xlsx", rows)


def feed(place: Place, document: str) -> Any:
    path = place.home / "include/feeds/sales.yaml"
    path.write_text(document, encoding="utf-8")
    return read_feed_file(path)


def with_column(**fields: Any) -> str:
    """The feed whose one column has these fields."""
    return changed(FEED, {"fact.columns.v": {"column": "v", **fields}})


def load(place: Place, document: str) -> Any:
    """What a check and a load say of the same: their rejects."""
    of = feed(place, document)
    checked = report()[1]
    place.load(of)
    rejects = read_report(place.url, LOAD).rejects
    assert checked["rejects"] == rejects
    return rejects


def refused(place: Place, document: str) -> FactloadError:
    of = feed(place, document)
    checked = report()[1]
    with pytest.raises(FeedError) as caught:
        place.load(of)
    assert (checked["state"], checked["error"]["code"]) == ("refused", caught.value.code)
    return caught.value


TELLING = {
    '"char"': ("text", r'"char" or name, which cuts longer texts. Change the column to text'),
    "name": ("text", r'"char" or name, which cuts longer texts'),
    "timestamptz": ("timestamp", "is timestamp with time zone, and the moments of a sheet have no zone.*without time zone"),
    "text[]": ("text", r"target.v is text\[\]"),
    "interval": ("text", "target.v is interval"),
    "colour": ("text", r"is the enum colour, .* Declare the column text with `allowed: \[red, green\]`"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TELLING)
def test_a_type_that_can_t_hold_the_values_is_told_by_its_own_name(place: Place, kind: str) -> None:
    place.execute("CREATE TYPE colour AS ENUM ('red', 'green')")
    place.execute(f"CREATE TABLE target (v {kind}, load_id text)")
    put(place, ["x"])
    declared, said = TELLING[kind]
    error = refused(place, with_column(type=declared))
    assert error.code == "column_type"
    assert re.search(said, str(error)), str(error)


@pytest.mark.parametrize(
    ("kind", "declared", "kept", "rounded"),
    [
        ("real", "double precision", [0.1, 1.5, -2, 16777216, 1e30, 123456], [16777217, 1234567.125, 1e60]),
        ("double precision", "double precision", [0.1, 16777217, 1e300], []),
        ("timestamp(0)", "timestamp", [datetime(2026, 11, 5, 10, 30, 15)], [datetime(2026, 11, 5, 10, 30, 15, 700_000)]),
        ("timestamp(3)", "timestamp", [datetime(2026, 11, 5, 10, 30, 15, 700_000)], []),
    ],
)  # fmt: skip
def test_a_value_that_the_column_would_round_is_a_reject(
    place: Place, kind: str, declared: str, kept: list[Any], rounded: list[Any]
) -> None:
    place.execute(f"CREATE TABLE target (v {kind}, load_id text)")
    put(place, [*kept, None, *rounded])
    rejects = load(place, with_column(type=declared))
    assert rejects == ({"not_exact": len(rounded)} if rounded else {})
    found = place.rows("SELECT v FROM target WHERE v IS NOT NULL")
    assert sorted(row[0] for row in found) == sorted(kept)
    cells = place.rows("SELECT cell, raw IS NOT NULL FROM factload.rejects ORDER BY row")
    assert cells == [(f"A{len(kept) + 3 + number}", True) for number in range(len(rounded))]


def test_labels_of_an_enum_are_loaded_and_other_texts_are_rejects(place: Place) -> None:
    place.execute("CREATE SCHEMA s; CREATE TYPE s.colour AS ENUM ('red', 'green', 'Blue')")
    place.execute("CREATE TABLE target (v s.colour, load_id text)")
    put(place, ["red", "blue", "Blue", "pink"])
    rejects = load(place, with_column(type="text", allowed=["red", "Blue"]))
    assert rejects == {"not_allowed": 2}
    assert place.rows("SELECT v::text FROM target ORDER BY 1") == [("Blue",), ("red",)]
    assert place.rows("SELECT count(*) FROM pg_type WHERE typname = 'colour'") == [(1,)]


def test_an_upsert_by_an_enum(place: Place) -> None:
    place.execute("CREATE TYPE colour AS ENUM ('red', 'green'); CREATE TABLE target (v colour PRIMARY KEY)")
    put(place, ["red", "green"])
    document = with_column(type="text", required=True, allowed=["red", "green"])
    upsert = changed(document, {"fact.load_column": ABSENT, "fact.mode": {"upsert": ["v"]}})
    for _ in range(2):
        place.load(feed(place, upsert), reload=True)
    assert place.rows("SELECT count(*) FROM target") == [(2,)]


def test_a_domain_is_what_it_restricts(place: Place) -> None:
    place.execute("CREATE DOMAIN amount AS numeric(10,2) NOT NULL CHECK (VALUE >= 0)")
    place.execute("CREATE DOMAIN money2 AS amount")
    place.execute("CREATE TABLE target (v money2, load_id text)")
    put(place, [1.5, None, 2])
    assert load(place, with_column(type="numeric(10,2)")) == {}
    assert place.rows("SELECT sum(v) FROM target") == [(Decimal("3.50"),)]


SURROGATES: dict[str, tuple[str, str, str, str | None]] = {
    # surrogate key, its value, the fact's column; None: it fits, else what is said
    "text into bigint": (
        "text",
        "'s1'",
        "bigint",
        "member.id is text, and target.d, which it fills, is bigint",
    ),
    "timestamp into timestamp": ("timestamp", "'2026-11-05'", "timestamp", "is timestamp without time zone"),
    "boolean into boolean": ("boolean", "true", "boolean", "is boolean"),
    "bigint into uuid": ("bigint", "7", "uuid", "is bigint"),
    "text into uuid": ("text", "'x'", "uuid", "is text"),
    "text into date": ("text", "'x'", "date", "is text"),
    "double into bigint": ("double precision", "7", "bigint", "is double precision"),
    "numeric into integer": ("numeric", "7", "integer", "is numeric"),
    "text into an array": ("text", "'x'", "text[]", r"is text\[\]"),
    "a large bigint into integer": (
        "bigint",
        "3000000000",
        "integer",
        "and 1 members have a key beyond that",
    ),
    "a large negative into smallint": (
        "integer",
        "-40000",
        "smallint",
        "and 1 members have a key beyond that",
    ),
    "a long text into varchar": ("text", "'12'", "varchar(1)", "and 1 members have a key beyond that"),
    "a large number into numeric": ("bigint", "1000", "numeric(3,0)", "and 1 members have a key beyond that"),
    "a date without end into date": ("date", "'infinity'", "date", "and 1 members have a key beyond that"),
    "bigint into bigint": ("bigint", "7", "bigint", None),
    "bigint into integer": ("bigint", "7", "integer", None),
    "smallint into text": ("smallint", "7", "text", None),
    "text into varchar": ("text", "'s1'", "varchar(5)", None),
    "date into date": ("date", "'2026-11-05'", "date", None),
    "uuid into uuid": ("uuid", "'12345678-9abc-def0-1234-56789abcdef0'", "uuid", None),
    "uuid into text": ("uuid", "'12345678-9abc-def0-1234-56789abcdef0'", "text", None),
    "numeric into numeric": ("numeric(10,0)", "7", "numeric", None),
    "integer into numeric": ("integer", "7", "numeric(12,2)", None),
}


@pytest.mark.parametrize(("key", "value", "column", "said"), SURROGATES.values(), ids=SURROGATES)
def test_a_surrogate_key_fits_the_column_that_it_fills_or_is_told(
    place: Place, key: str, value: str, column: str, said: str | None
) -> None:
    place.execute(f"CREATE TABLE member (id {key}, k text); INSERT INTO member VALUES ({value}, 'A')")
    place.execute(f"CREATE TABLE target (d {column}, load_id text)")
    put(place, ["A"])
    if said is None:
        assert load(place, KEYED) == {}
        assert place.rows(
            f"SELECT d::text = {value}::text OR d::text = {value}::{column}::text FROM target"
        ) == [(True,)]
    else:
        error = refused(place, KEYED)
        assert error.code in ("surrogate_type", "surrogate_out_of_range")
        assert re.search(said, str(error)), str(error)


def test_a_member_without_a_surrogate_key_is_its_own_reason(place: Place) -> None:
    place.execute("CREATE TABLE member (id bigint, k text); INSERT INTO member VALUES (NULL, 'A'), (2, 'B')")
    place.execute("CREATE TABLE target (d bigint, load_id text)")
    put(place, ["A", "B", "C"])
    assert load(place, KEYED) == {"no_surrogate_key": 1, "unmatched_key": 1}


@pytest.mark.parametrize(
    ("kind", "members", "cells"),
    [
        ("numeric(10,2)", ["1.00", "2.50", "-3.10", "100.00"], [1, 2.5, -3.1, 100]),
        ("numeric", ["1.000", "0.5", "12345678901234567890"], [1, 0.5, "12345678901234567890"]),
        ("double precision", ["1e15", "1234567", "0.25", "1e-5"], [10**15, 1234567, 0.25, "0.00001"]),
        ("bigint", ["1", "100"], [1, 100]),
    ],
)
def test_a_number_that_is_a_key_is_spelt_as_a_sheet_writes_it(
    place: Place, kind: str, members: list[str], cells: list[Any]
) -> None:
    listed = ", ".join(f"({number}, {value})" for number, value in enumerate(members, 1))
    place.execute(f"CREATE TABLE member (id bigint, k {kind}); INSERT INTO member VALUES {listed}")
    place.execute("CREATE TABLE target (d bigint, load_id text)")
    put(place, [str(cell) if isinstance(cell, int) and cell >= 10**15 else cell for cell in cells])
    assert load(place, KEYED) == {}
    assert place.rows("SELECT d FROM target ORDER BY 1") == [(n,) for n in range(1, len(members) + 1)]


def test_a_date_that_is_a_surrogate_key_is_proved(place: Place) -> None:
    place.execute("CREATE TABLE member (id date, k text); INSERT INTO member VALUES ('2026-11-05', 'A')")
    place.execute("CREATE TABLE target (d date, load_id text)")
    place.execute(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.d := NEW.d + 1; RETURN NEW; END';"
        "CREATE TRIGGER late BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION late()"
    )
    put(place, ["A"])
    with pytest.raises(ReconciliationError, match="other values of d went into the fact table"):
        place.load(feed(place, KEYED))
    assert date(2026, 11, 5) == PERIOD
