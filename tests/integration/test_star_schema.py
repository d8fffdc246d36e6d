"""The Star Schema Benchmark's shapes, small: loaded from workbooks, and compared row by row with plain SQL joins.

lineorder with customer, part, supplier and date (in two roles), as in O'Neil, O'Neil and Chen, "The Star Schema
Benchmark"; besides, part has a history. The rows are the same in every run.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import openpyxl
import pytest
import yaml
from sqlalchemy import insert, text
from sqlalchemy.engine import Connection

from factload.feed.file import read_feed_file
from factload.pipeline import run_load
from factload.postgres.tables import reflect
from factload.progress import Quiet
from factload.reports.report import read_report
from tests.integration.place import Place

FIRST, DAYS, LINES = date(1992, 1, 1), 120, 6_000
NATIONS = ("ALGERIA", "BRAZIL", "CHINA", "FRANCE")

TABLES = """
CREATE TABLE customer (
    c_custkey bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, c_nation text, c_name text, c_mktsegment text);
CREATE TABLE supplier (
    s_suppkey bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s_name text NOT NULL UNIQUE,
    s_inferred boolean NOT NULL DEFAULT false);
CREATE TABLE part (
    p_partkey bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, p_code text, p_size integer,
    p_from date, p_to date);
CREATE TABLE dates (d_datekey integer PRIMARY KEY, d_date date UNIQUE);
CREATE TABLE lineorder (
    lo_custkey bigint REFERENCES customer, lo_partkey bigint REFERENCES part, lo_suppkey bigint REFERENCES supplier,
    lo_orderdate integer REFERENCES dates, lo_commitdate integer REFERENCES dates, lo_shipmode varchar(10),
    lo_quantity smallint, lo_extendedprice numeric(12,2), lo_count smallint, lo_line integer, load_id text);
CREATE TABLE sheet (
    line integer, nation text, customer text, part text, supplier text, ordered date, committed date,
    shipmode text, quantity integer, price numeric(12,2));
"""

FEED = """
feed: lineorder
workbook: {path: "inbox/lineorder_{period}.xlsx"}
dimensions:
  customer:
    {table: customer, business_key: [c_nation, c_name], surrogate_key: c_custkey, column: [Nation, Customer],
     normalize: {c_nation: [trim, upper], c_name: [trim, {zero_pad: 9}]}, unmatched: {unknown: 1}}
  part:
    {table: part, business_key: p_code, surrogate_key: p_partkey, column: Part,
     as_of: {valid_from: p_from, valid_to: p_to, date: Ordered}}
  supplier:
    {table: supplier, business_key: s_name, surrogate_key: s_suppkey, column: Supplier, normalize: [casefold],
     unmatched: {create: {inferred: s_inferred}}}
  ordered: &date {table: dates, business_key: d_date, surrogate_key: d_datekey, column: Ordered, type: date}
  committed: {<<: *date, column: Committed}
fact:
  connection: warehouse
  table: lineorder
  columns:
    lo_custkey: {dimension: customer}
    lo_partkey: {dimension: part}
    lo_suppkey: {dimension: supplier}
    lo_orderdate: {dimension: ordered}
    lo_commitdate: {dimension: committed}
    lo_shipmode: {column: Ship mode, type: "varchar(10)"}
    lo_quantity: {column: Quantity, type: smallint}
    lo_extendedprice: {column: Price, type: "numeric(12,2)"}
    lo_count: {value: 1}
    lo_line: {provenance: row}
  load_column: load_id
max_rejects: 20%
rows_per_partition: 2000
"""

# What a row of the sheet must become, in the words of SQL alone.
EXPECTED = """
SELECT coalesce(c_custkey, 1), p_partkey, s_suppkey, o.d_datekey, k.d_datekey, shipmode, quantity, price, 1, line
FROM sheet
LEFT JOIN customer ON upper(trim(nation)) = c_nation AND lpad(trim(customer), 9, '0') = c_name
JOIN part ON part = p_code AND coalesce(p_from <= ordered, true) AND coalesce(ordered < p_to, true)
JOIN supplier ON lower(supplier) = lower(s_name)
JOIN dates o ON ordered = o.d_date
JOIN dates k ON committed = k.d_date
ORDER BY line
"""
FOUND = """
SELECT lo_custkey, lo_partkey, lo_suppkey, lo_orderdate, lo_commitdate, lo_shipmode, lo_quantity, lo_extendedprice,
    lo_count, lo_line FROM lineorder ORDER BY lo_line
"""


def fill(connection: Connection) -> list[tuple[Any, ...]]:
    """The dimensions' members; the rows of the sheet, which also go into the table ``sheet``."""
    chance = random.Random(7)  # noqa: S311 - the same rows in every run
    rows: dict[str, list[dict[str, Any]]] = {
        "customer": [{"c_nation": "?", "c_name": "?"}]
        + [{"c_nation": nation, "c_name": f"{n:09}"} for nation in NATIONS for n in range(150)],
        "supplier": [{"s_name": f"Supplier#{n:03}"} for n in range(80)],
        "dates": [
            {"d_datekey": int(f"{day:%Y%m%d}"), "d_date": day}
            for day in (FIRST + timedelta(days=n) for n in range(DAYS))
        ],
        "part": [],
    }
    for code in (f"P-{n:04}" for n in range(300)):
        cuts = sorted(chance.sample(range(1, DAYS), chance.randint(0, 4)))
        bounds = [None, *(FIRST + timedelta(days=cut) for cut in cuts), None]
        for n, (since, until) in enumerate(pairwise(bounds)):
            if n % 4 != 3:  # the fourth is a gap
                rows["part"].append({"p_code": code, "p_size": n, "p_from": since, "p_to": until})
    lines = [
        (
            number,
            chance.choice(NATIONS).lower() + chance.choice(("", " ")),
            str(chance.randrange(155)),
            f"P-{chance.randrange(303):04}",
            f"SUPPLIER#{chance.randrange(90):03}",
            FIRST + timedelta(days=chance.randrange(DAYS)),
            FIRST + timedelta(days=chance.randrange(DAYS + 2)),
            chance.choice(("AIR", "RAIL", "SHIP", "TRUCK")),
            chance.randint(1, 50),
            chance.randrange(10_000_000) / 100,
        )
        for number in range(2, LINES + 2)
    ]
    names = [column.name for column in reflect(connection, "sheet", {}).columns]
    rows["sheet"] = [dict(zip(names, line, strict=True)) for line in lines]
    for table, members in rows.items():
        connection.execute(insert(reflect(connection, table, {})), members)
    return lines


@pytest.fixture
def lines(place: Place) -> list[tuple[Any, ...]]:
    with place.engine.begin() as connection:
        connection.execute(text(TABLES))
        return fill(connection)


def test_every_line_is_what_a_join_gives(place: Place, lines: list[tuple[Any, ...]]) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Lines")
    sheet.append(
        ["Nation", "Customer", "Part", "Supplier", "Ordered", "Committed", "Ship mode", "Quantity", "Price"]
    )
    for _, nation, customer, *others in lines:
        sheet.append([nation, int(customer), *others])
    workbook.save(place.home / "inbox/lineorder_1992-05-01.xlsx")
    path = place.home / "include/feeds/lineorder.yaml"
    path.write_text(FEED, encoding="utf-8")
    assert yaml.safe_load(FEED)["feed"] == path.stem

    load = run_load(read_feed_file(path), date(1992, 5, 1), database=place.url, progress=Quiet())

    expected = place.rows(EXPECTED)
    assert place.rows(FOUND) == expected
    report = read_report(place.url, load.load_id)
    assert report.rows == {
        "source": LINES,
        "blank": 0,
        "rejected": LINES - len(expected),
        "staged": len(expected),
        "published": len(expected),
    }
    assert set(report.rejects) == {"unmatched_key", "no_member_on_date"}
    assert report.created == {"supplier": 10}
    assert place.rows("SELECT count(*) FROM supplier WHERE s_inferred") == [(10,)]
    unknown = place.rows("SELECT count(*) FROM lineorder WHERE lo_custkey = 1")
    assert [(report.unknown["customer"],)] >= unknown > [(0,)]
