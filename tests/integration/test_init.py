"""`factload init`: what is proposed for a workbook, with the tables that there are, and that it then loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from test_cli import factload

from conftest import Place
from factload.errors import FeedError, WorkbookError
from factload.propose.ddl import ddl_text
from factload.propose.first import propose_feed, write_feed
from factload.propose.written import feed_text

STAR = """
CREATE TABLE dim_customer (
    customer_sk integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_no text NOT NULL UNIQUE, name text);
CREATE TABLE dim_store (store_id smallint PRIMARY KEY, label varchar(20) NOT NULL);
CREATE TABLE fact_orders (
    order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_sk integer NOT NULL REFERENCES dim_customer,
    store_id smallint NOT NULL REFERENCES dim_store,
    amount numeric(12,2) NOT NULL,
    note varchar(100),
    loaded_at timestamptz NOT NULL DEFAULT now(),
    load_id text NOT NULL);
INSERT INTO dim_customer (customer_no) VALUES ('C1'), ('C2');
INSERT INTO dim_store VALUES (1, 'North'), (2, 'South');
"""


def book(path: Path, *rows: tuple[Any, ...], sheet: str = "Orders") -> Path:
    made = openpyxl.Workbook()
    made.active.title = sheet
    for row in rows:
        made.active.append(row)
    made.save(path)
    return path


def proposed(place: Place, workbook: Path, **asked: str) -> dict[str, Any]:
    """The proposed feed, read as YAML."""
    text = feed_text(propose_feed(workbook, database=place.url, **asked), "feed.schema.json")
    feed: dict[str, Any] = yaml.safe_load(text)
    return feed


def test_a_star_schema_is_recognised_by_its_foreign_keys_names_and_members(place: Place) -> None:
    place.execute(STAR)
    workbook = book(
        place.home / "inbox/orders_2026-11-05.xlsx",
        ("Customer No", "Where", "Amount", "Note", "Clerk"),
        ("C1", "North", 10.5, "a", "X"),
        ("C2", "South", 3, None, "Y"),
    )
    feed = proposed(place, workbook)
    assert feed["workbook"] == {"path": "inbox/orders_{period}.xlsx", "sheet": "Orders"}
    assert {
        n: (d["table"], d["business_key"], d["surrogate_key"], d["column"])
        for n, d in feed["dimensions"].items()
    } == {
        "customer": ("dim_customer", "customer_no", "customer_sk", "Customer No"),
        "store": ("dim_store", "label", "store_id", "Where"),  # the name says nothing, the values do
    }
    assert feed["fact"]["table"] == "fact_orders"
    assert feed["fact"]["load_column"] == "load_id"
    assert feed["fact"]["columns"] == {
        "customer_sk": {"dimension": "customer"},
        "store_id": {"dimension": "store"},
        "amount": {"column": "Amount", "type": "numeric(12,2)", "required": True},
        "note": {"column": "Note", "type": "varchar(100)"},
    }


def test_what_is_proposed_for_tables_that_are_there_loads(place: Place) -> None:
    place.execute(STAR)
    book(
        place.home / "inbox/orders_2026-11-05.xlsx", ("Customer No", "Where", "Amount"), ("C1", "North", 10.5)
    )
    place.execute("UPDATE dim_customer SET name = 'x'")
    workbook = str(place.home / "inbox/orders_2026-11-05.xlsx")
    written = place.home / "include/feeds/orders.yaml"
    result = factload("init", workbook, "--output", str(written))
    assert result.returncode == 0, result.stderr
    assert [line.strip() for line in result.stderr.splitlines()[1:]] == [
        "factload check orders --period 2026-11-05",
        "factload run orders --period 2026-11-05",
    ]
    assert factload("check", "orders", "--period", "2026-11-05").returncode == 0
    assert factload("run", "orders", "--period", "2026-11-05").returncode == 0
    assert place.rows("SELECT customer_sk, store_id, amount::text, load_id FROM fact_orders") == [
        (1, 1, "10.50", "orders@2026-11-05")
    ]


def test_what_nothing_fills_is_said_and_check_names_it(place: Place) -> None:
    place.execute(STAR)
    workbook = book(place.home / "inbox/orders.xlsx", ("Customer No", "Amount", "Clerk"), ("C1", 1, "X"))
    text = feed_text(propose_feed(workbook, database=place.url), "feed.schema.json")
    assert "# store_id: {column: HEADER" in text
    assert "may not be null: say what fills it" in text
    assert "nothing takes the sheet's column Clerk" in text
    (place.home / "include/feeds/orders.yaml").write_text(text, encoding="utf-8")
    result = factload("check", "orders", "--period", "2026-11-05")
    assert result.returncode == 2
    assert "store_id" in result.stderr


def test_a_fact_table_without_a_load_column_gets_one_by_ddl(place: Place) -> None:
    place.execute("CREATE TABLE measures (reading bigint NOT NULL, meter text)")
    workbook = book(place.home / "inbox/measures.xlsx", ("meter", "reading"), ("m1", 5), ("m2", 6))
    proposal = propose_feed(workbook, table="measures", database=place.url)
    assert ddl_text(proposal) == "ALTER TABLE measures ADD COLUMN load_id TEXT;\n"
    place.execute(ddl_text(proposal))
    assert ddl_text(propose_feed(workbook, table="measures", database=place.url)) == ""


def test_without_tables_they_are_proposed_too(place: Place) -> None:
    workbook = book(
        place.home / "inbox/stock.xlsx",
        ("Inventory of the night", None, None, None),
        ("Item Code", "Quantity", "Price, €", "Counted on"),
        ("00123", 5, 1.25, None),
        ("00124", 6, 1.123456, None),
    )
    proposal = propose_feed(workbook, table="warehouse.stock", database=place.url)
    place.execute("CREATE SCHEMA warehouse")
    place.execute(ddl_text(proposal))
    columns = place.rows(
        "SELECT column_name, data_type, numeric_scale, is_nullable FROM information_schema.columns "
        "WHERE table_name = 'stock' ORDER BY ordinal_position"
    )
    assert columns == [
        ("item_id", "bigint", 0, "NO"),
        ("quantity", "bigint", 0, "NO"),
        ("price", "numeric", 6, "NO"),
        ("counted_on", "text", None, "YES"),
        ("load_id", "text", None, "NO"),
    ]
    assert proposed(place, workbook, table="warehouse.stock")["dimensions"]["item"]["column"] == "Item Code"


def test_decimals_are_those_that_excel_shows(place: Place) -> None:
    rows = [(f"A{i}", i + 0.99) for i in range(60, 100)]  # openpyxl writes 71.99 as 71.98999999999999
    workbook = book(place.home / "inbox/prices.xlsx", ("Item Code", "Price"), *rows)
    assert proposed(place, workbook)["fact"]["columns"]["price"]["type"] == "numeric(18,4)"


def test_a_csv_file_s_texts_are_told_apart(place: Place) -> None:
    path = place.home / "inbox/stock_20261105.csv"
    path.write_text(
        "Item Code,Quantity,Price,Counted\n00123,5,1.5,2026-11-05\n00124,-6,2,2026-11-05\n", encoding="utf-8"
    )
    feed = proposed(place, path)
    assert feed["workbook"] == {"path": "inbox/stock_{period:%Y%m%d}.csv"}
    assert {n: c.get("type") for n, c in feed["fact"]["columns"].items()} == {
        "item_id": None,
        "quantity": "bigint",
        "price": "numeric(18,4)",
        "counted": "date",
    }


def test_a_feed_that_somebody_wrote_is_never_overwritten(place: Place) -> None:
    workbook = book(place.home / "inbox/sales.xlsx", ("business_key", "metric"), ("A1", 1))
    before = place.feed_file().read_text()
    with pytest.raises(FeedError, match="is there already"):
        write_feed(propose_feed(workbook, database=place.url), place.feed_file())
    assert place.feed_file().read_text() == before


def test_a_workbook_without_a_header_is_told_so(place: Place) -> None:
    workbook = book(place.home / "inbox/sales.xlsx", (1, 2), (3, 4))
    with pytest.raises(WorkbookError, match="has a row that looks like a header"):
        propose_feed(workbook, database=place.url)


def test_hostile_names_are_quoted(place: Place) -> None:
    workbook = book(
        place.home / "inbox/odd.xlsx", ('x"; DROP TABLE dim_product; --', "a: {b}", "no"), ("k", 1, True)
    )
    proposal = propose_feed(workbook, database=place.url)
    place.execute(ddl_text(proposal))
    assert place.rows("SELECT count(*) FROM dim_product") == [(7,)]
    feed = yaml.safe_load(feed_text(proposal, "feed.schema.json"))
    assert [c.get("column") for c in feed["fact"]["columns"].values()][1:] == ["a: {b}", "no"]
