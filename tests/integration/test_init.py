"""`factload init`: what is proposed for a workbook, with the tables that there are, and that it then loads."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from openpyxl.worksheet.table import Table

from factload.errors import FeedError, WorkbookError
from factload.propose.ddl import ddl_text
from factload.propose.first import propose_feed, write_feed
from factload.propose.written import feed_text
from tests.integration.commands import factload
from tests.integration.place import Place
from tests.workbooks import first_sheet, write_rows

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


def write_workbook(path: Path, *rows: tuple[Any, ...], sheet: str = "Orders") -> Path:
    return write_rows(path, rows, sheet)


def text_of(place: Place, workbook: Path, **asked: Any) -> str:
    """The proposed feed file."""
    return feed_text(propose_feed(workbook, database=place.url, **asked), None)


def proposed(place: Place, workbook: Path, **asked: Any) -> dict[str, Any]:
    """The proposed feed, read as YAML."""
    text = feed_text(propose_feed(workbook, database=place.url, **asked), "feed.schema.json")
    feed: dict[str, Any] = yaml.safe_load(text)
    return feed


def test_a_star_schema_is_recognised_by_its_foreign_keys_names_and_members(place: Place) -> None:
    place.execute(STAR)
    workbook = write_workbook(
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
    write_workbook(
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
    workbook = write_workbook(
        place.home / "inbox/orders.xlsx", ("Customer No", "Amount", "Clerk"), ("C1", 1, "X")
    )
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
    workbook = write_workbook(place.home / "inbox/measures.xlsx", ("meter", "reading"), ("m1", 5), ("m2", 6))
    proposal = propose_feed(workbook, table="measures", database=place.url)
    assert ddl_text(proposal) == "ALTER TABLE measures ADD COLUMN load_id TEXT;\n"
    place.execute(ddl_text(proposal))
    assert ddl_text(propose_feed(workbook, table="measures", database=place.url)) == ""


def test_without_tables_they_are_proposed_too(place: Place) -> None:
    workbook = write_workbook(
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


def test_a_partitioned_table_is_proposed_where_it_is_asked_for_and_loads(place: Place) -> None:
    workbook = write_workbook(
        place.home / "inbox/orders_2026-11-05.xlsx", ("Customer No", "Amount"), ("C1", 10.5), ("C2", 3)
    )
    asked = ["init", str(workbook), "--url", place.url, "--partitioned"]
    output = place.home / "include/feeds/orders.yaml"
    said = factload(*asked, "--output", str(output))
    assert "--partitioned --url" in said.stderr
    assert "mode: exchange" in output.read_text()
    place.execute(factload(*asked, "--ddl").stdout)
    for _ in range(2):
        ended = factload("run", "orders", "--period", "2026-11-05", "--url", place.url, "--reload")
        assert ended.returncode == 0, ended.stderr
    assert place.rows("SELECT tableoid::regclass::text, amount::float FROM fact_orders ORDER BY 2") == [
        ("fact_orders_orders_2026_11_05", 3.0),
        ("fact_orders_orders_2026_11_05", 10.5),
    ]


def test_a_table_that_is_there_is_not_proposed_as_a_partitioned_one(place: Place) -> None:
    place.execute(STAR)
    workbook = write_workbook(place.home / "inbox/orders.xlsx", ("Customer No", "Amount"), ("C1", 10.5))
    with pytest.raises(FeedError, match="fact_orders is there already, and --partitioned") as refused:
        propose_feed(workbook, database=place.url, table="fact_orders", partitioned=True)
    assert refused.value.code == "table_there"


def test_decimals_are_those_that_excel_shows(place: Place) -> None:
    rows = [(f"A{i}", i + 0.99) for i in range(60, 100)]  # openpyxl writes 71.99 as 71.98999999999999
    workbook = write_workbook(place.home / "inbox/prices.xlsx", ("Item Code", "Price"), *rows)
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
    workbook = write_workbook(place.home / "inbox/sales.xlsx", ("business_key", "metric"), ("A1", 1))
    before = place.feed_file().read_text()
    with pytest.raises(FeedError, match="is there already"):
        write_feed(propose_feed(workbook, database=place.url), place.feed_file())
    assert place.feed_file().read_text() == before


def test_a_workbook_without_a_header_is_told_so(place: Place) -> None:
    workbook = write_workbook(place.home / "inbox/sales.xlsx", (1, 2), (3, 4))
    with pytest.raises(WorkbookError, match="has a row that looks like a header"):
        propose_feed(workbook, database=place.url)


def test_hostile_names_are_quoted(place: Place) -> None:
    workbook = write_workbook(
        place.home / "inbox/odd.xlsx", ('x"; DROP TABLE dim_product; --', "a: {b}", "no"), ("k", 1, True)
    )
    proposal = propose_feed(workbook, database=place.url)
    place.execute(ddl_text(proposal))
    assert place.rows("SELECT count(*) FROM dim_product") == [(7,)]
    feed = yaml.safe_load(feed_text(proposal, "feed.schema.json"))
    assert [c.get("column") for c in feed["fact"]["columns"].values()][1:] == ["a: {b}", "no"]


@pytest.mark.parametrize(
    "header", ["Customer ID", "Customer Id", "CustomerID", "customer_id", "CUSTOMER ID", "Id", "Customer Key"]
)
def test_a_key_and_its_surrogate_never_have_one_name(place: Place, header: str) -> None:
    workbook = write_workbook(
        place.home / "inbox/orders_2026-11-05.xlsx", (header, "Amount"), ("C1", 1.5), ("C1", 2.5)
    )
    proposal = propose_feed(workbook, database=place.url, output=Path("visits.yaml"))
    [dimension] = proposal.dimensions
    assert dimension.headers == (header,)
    assert dimension.surrogate_key not in dimension.business_key
    place.execute(ddl_text(proposal))
    assert place.rows("SELECT count(*) FROM fact_visits") == [(0,)]


def test_a_key_of_what_happens_once_is_no_dimension(place: Place) -> None:
    rows = [(f"O{n}", f"P{n}", n % 3) for n in range(30)]
    text = text_of(
        place, write_workbook(place.home / "inbox/orders.xlsx", ("Order No", "Product Code", "Qty"), *rows)
    )
    assert list(yaml.safe_load(text)["dimensions"]) == ["product"]
    assert "# named like a key, but different in every row: no dimension" in text


ROLES = """
CREATE TABLE dim_date (date_key int PRIMARY KEY, day date NOT NULL UNIQUE);
CREATE TABLE dim_region (region_key int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, country text NOT NULL,
    state text NOT NULL, city text NOT NULL, region text, UNIQUE (country, state, city));
CREATE TABLE fact_ship (
    order_date_key int NOT NULL REFERENCES dim_date, ship_date_key int NOT NULL REFERENCES dim_date,
    region_key int NOT NULL REFERENCES dim_region, amount numeric(18,4) NOT NULL, note text,
    created_at timestamp NOT NULL DEFAULT now(), load_id text NOT NULL);
INSERT INTO dim_date SELECT to_char(d, 'YYYYMMDD')::int, d FROM generate_series('2026-11-01'::date, '2026-11-30', '1 day') d;
INSERT INTO dim_region (country, state, city) VALUES ('US', 'KY', 'Henderson'), ('US', 'CA', 'Los Angeles');
"""


def test_two_roles_of_a_date_dimension_and_a_key_of_several_columns_load(place: Place) -> None:
    place.execute(ROLES)
    workbook = write_workbook(
        place.home / "inbox/ship_2026-11-05.xlsx",
        ("Order Date", "Ship Date", "Region", "Country", "State", "City", "Amount"),
        *(
            (date(2026, 11, n), date(2026, 11, n + 2), "South", "US", "KY", "Henderson", n * 1.5)
            for n in range(1, 9)
        ),
    )
    output = place.home / "include/feeds/ship.yaml"
    result = factload("init", str(workbook), "--table", "fact_ship", "--output", str(output))
    assert result.returncode == 0, result.stderr
    text = output.read_text(encoding="utf-8")
    feed = yaml.safe_load(text)
    assert {n: (d["column"], d.get("type")) for n, d in feed["dimensions"].items()} == {
        "order_date": ("Order Date", "date"),
        "ship_date": ("Ship Date", "date"),
        "region": (["Country", "State", "City"], None),
    }
    assert [line.split("#")[2] for line in text.splitlines() if "# created_at" in line] == [
        " takes its default"
    ]
    assert [line.split("#")[2] for line in text.splitlines() if "# note" in line] == [" stays null"]
    assert "--ddl" not in result.stderr
    assert factload("run", "ship", "--period", "2026-11-05").returncode == 0
    assert place.rows("SELECT min(order_date_key), max(ship_date_key), sum(amount)::text FROM fact_ship") == [
        (20261101, 20261110, "54.0000")
    ]


def test_a_dimension_with_a_history_is_looked_up_in_the_loads_period(place: Place) -> None:
    place.execute(
        "CREATE TABLE dim_member (member_id int PRIMARY KEY, member_no text NOT NULL, valid_from date NOT NULL, "
        "valid_to date, UNIQUE (member_no, valid_from));"
        "CREATE TABLE fact_visits (member_id int NOT NULL REFERENCES dim_member, visits int, load_id text);"
        "INSERT INTO dim_member VALUES (1, 'M1', '2020-01-01', '2026-06-01'), (2, 'M1', '2026-06-01', NULL);"
    )
    workbook = write_workbook(place.home / "inbox/visits.xlsx", ("Member No", "Visits"), ("M1", 3))
    [dimension] = proposed(place, workbook)["dimensions"].values()
    assert dimension["business_key"] == "member_no"
    assert dimension["as_of"] == {"valid_from": "valid_from", "valid_to": "valid_to"}


def test_last_days_numbers_and_dates_in_texts_are_recognised_by_the_members(place: Place) -> None:
    place.execute(
        "CREATE TABLE dim_tariff (tariff_id int PRIMARY KEY, tariff_no int NOT NULL, valid_from date NOT NULL, "
        "valid_to date, UNIQUE (tariff_no, valid_from));"
        "CREATE TABLE dim_date (date_id int PRIMARY KEY, day date NOT NULL UNIQUE);"
        "CREATE TABLE fact_uses (tariff_id int NOT NULL REFERENCES dim_tariff, day_id int NOT NULL REFERENCES dim_date,"
        " uses numeric(9,2), paid boolean, load_id text);"
        "INSERT INTO dim_tariff VALUES (1, 7, '2020-01-01', '2026-10-31'), (2, 7, '2026-11-01', '9999-12-31');"
        "INSERT INTO dim_date VALUES (1, '2026-11-05'), (2, '2026-11-13');"
    )
    header, days = ("Tariff No", "Day", "Uses", "Paid"), ("05.11.2026", "13.11.2026")
    rows = [("007", day, "3,50-", paid) for day, paid in zip(days, ("ja", "nein"), strict=True)]
    workbook = write_workbook(place.home / "inbox/uses_2026-11-05.xlsx", header, *rows)
    output = place.home / "include/feeds/uses.yaml"
    assert factload("init", str(workbook), "--output", str(output)).returncode == 0
    feed = yaml.safe_load(output.read_text(encoding="utf-8"))
    tariff, day = feed["dimensions"]["tariff"], feed["dimensions"]["day"]
    assert (tariff["type"], tariff["as_of"]["valid_to"]) == ("integer", {"inclusive": "valid_to"})
    assert (day["type"], day["date_format"]) == ("date", "%d.%m.%Y")
    assert factload("run", "uses", "--period", "2026-11-05").returncode == 0
    loaded = place.rows("SELECT tariff_id, day_id, uses::text, paid FROM fact_uses ORDER BY 2")
    assert loaded == [(2, 1, "-3.50", True), (2, 2, "-3.50", False)]


def test_a_load_id_of_the_sheet_s_own_is_not_the_load_column(place: Place) -> None:
    workbook = write_workbook(
        place.home / "inbox/trips.xlsx", ("Load ID", "Weight"), *((f"L{n}", n) for n in range(30))
    )
    proposal = propose_feed(workbook, database=place.url)
    assert proposal.load_column == "factload_load_id"
    place.execute(ddl_text(proposal))
    again = propose_feed(workbook, database=place.url)
    assert (again.table, again.load_column, again.new_load_column) == (
        "fact_trips",
        "factload_load_id",
        False,
    )
    assert [c.name for c in again.columns] == ["load_id", "weight"]
    place.execute("CREATE TABLE fact_freight (load_id text, weight numeric)")
    freight = propose_feed(workbook, database=place.url, table="fact_freight")
    assert [c.header for c in freight.columns] == ["Load ID", "Weight"]
    assert ddl_text(freight) == "ALTER TABLE fact_freight ADD COLUMN factload_load_id TEXT;\n"


def test_a_table_with_one_name_in_common_is_not_taken_and_is_named(place: Place) -> None:
    place.execute("CREATE TABLE fact_af (region text, a int, b int, c int, d int, e int, load_id text)")
    workbook = write_workbook(
        place.home / "inbox/prices.xlsx", ("Region", "Units", "Price"), ("North", 1, 2.5)
    )
    text = text_of(place, workbook)
    assert "table: fact_prices " in text
    assert "fact_af is there, with 1 of its names: --table takes it" in text
    assert yaml.safe_load(text_of(place, workbook, table="fact_af"))["fact"]["table"] == "fact_af"


def test_the_feed_is_called_as_its_file(place: Place) -> None:
    workbook = write_workbook(place.home / "inbox/sales_2026-11-05.xlsx", ("Code", "Amount"), ("A", 1))
    output = place.home / "include/feeds/retail.yaml"
    result = factload("init", str(workbook), "--output", str(output))
    assert yaml.safe_load(output.read_text(encoding="utf-8"))["feed"] == "retail"
    assert result.stderr.splitlines()[-2:] == [
        "  factload check retail --period 2026-11-05",
        "  factload run retail --period 2026-11-05",
    ]
    elsewhere = place.home / "Other Feeds.yaml"
    named = factload("init", str(workbook), "--output", str(elsewhere)).stderr.splitlines()[-1]
    assert named == f"  factload run '{elsewhere}' --period 2026-11-05"
    assert yaml.safe_load(elsewhere.read_text(encoding="utf-8"))["feed"] == "other_feeds"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "schema.sql",
            b"create table x (a int, b int);\ninsert into x values (1, 2, 3);\n",
            "is no workbook",
        ),
        ("page.xls", b"<html><table><tr><td>a</td></tr></table></html>", "is no workbook"),
        ("photo.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01", "is no workbook"),
        ("empty.csv", b"", "it holds nothing"),
        ("header.csv", b"Code,Amount\n", "a header and no rows"),
        ("bare.csv", b"A1,5\nA2,6\n", "no line of it looks like a header"),
        ("wide.csv", b"a,b\n1,2,\n3,4,\n5,6,\n", "has 2 fields, and the lines below it have 3"),
        ("cut.xlsx", b"PK\x03\x04 and no more", "Deliver it again"),
        ("cut.csv.gz", b"\x1f\x8b\x08\x00 and no more", "can't be inflated"),
    ],
)
def test_what_is_no_workbook_is_said_in_one_line_and_nothing_is_written(
    place: Place, name: str, content: bytes, words: str
) -> None:
    path = place.home / "inbox" / name
    path.write_bytes(content)
    output = place.home / "include/feeds/new.yaml"
    result = factload("init", str(path), "--output", str(output))
    assert result.returncode == 3
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not output.exists()


def test_rows_of_which_none_could_be_loaded_are_no_proposal(place: Place) -> None:
    rows = [("Code", "A", "B"), *((f"K{n}", "#N/A", "#REF!") for n in range(9))]
    text = text_of(place, write_workbook(place.home / "inbox/errors.xlsx", *rows))
    assert "column A: 9 of its cells show errors" in text
    with pytest.raises(WorkbookError, match="no rows below its header"):
        propose_feed(write_workbook(place.home / "inbox/none.xlsx", ("Code", "Amount")), database=place.url)
    alone = write_workbook(
        place.home / "inbox/alone.xlsx", ("A", "B"), *(("#N/A", "#REF!") for _ in range(9))
    )
    with pytest.raises(WorkbookError, match="no column of sheet 'Orders' can fill"):
        propose_feed(alone, database=place.url)


def test_a_folder_that_is_not_there_is_not_made(place: Place) -> None:
    workbook = write_workbook(place.home / "inbox/sales_2026-11-05.xlsx", ("Code", "Amount"), ("A", 1))
    result = factload("init", str(workbook), "--output", str(place.home / "no/such/retail.yaml"))
    assert result.returncode == 2
    assert result.stderr.endswith(f"mkdir -p {place.home / 'no/such'}.\n")
    assert not (place.home / "no").exists()


def test_the_schema_is_named_where_there_is_one(place: Place) -> None:
    workbook = write_workbook(place.home / "inbox/sales_2026-11-05.xlsx", ("Code", "Amount"), ("A", 1))
    assert "$schema" not in factload("init", str(workbook)).stdout
    (place.home / "docs").mkdir()
    (place.home / "docs/feed.schema.json").write_text("{}", encoding="utf-8")
    assert factload("init", str(workbook)).stdout.startswith(
        "# yaml-language-server: $schema=../../docs/feed.schema.json\n"
    )


def test_names_in_merged_cells_and_formulas_never_computed_are_left_out(place: Place) -> None:
    path = place.home / "inbox/merged.xlsx"
    write_workbook(
        path, ("Code", "Amount", None, "Double", "Qty"), *(("A", n, n, f"=E{n + 2}*2", n) for n in range(9))
    )
    opened = openpyxl.load_workbook(path)
    first_sheet(opened).merge_cells("B1:C1")
    opened.save(path)
    text = text_of(place, path)
    assert list(yaml.safe_load(text)["fact"]["columns"]) == ["merged_id", "qty"]
    assert "column Amount: its name is in merged cells" in text
    assert "column Double: 9 of its cells hold formulas whose values were never saved" in text


def test_totals_and_notes_are_left_out_where_a_text_or_a_blank_row_tells_them(place: Place) -> None:
    rows: list[tuple[object, ...]] = [(f"R{n % 4}", n * 1.5, "EUR") for n in range(20)]
    header = ("Region", "Amount", "Currency")
    parts = [("North Total", 1, None), ("South Total", 2, None), ("East Total", 3, None)]
    between: list[tuple[object, ...]] = [*rows[:5], parts[0], *rows[5:10], parts[1], *rows[10:], parts[2]]
    between.append(("Grand Total", 285, None))
    noted = [*rows, (None, None, None), ("Source: ERP", None, None)]
    found = {}
    for name, below in {"full": between, "noted": noted, "total": [*rows, (None, 285, "Total")]}.items():
        workbook = write_workbook(place.home / f"inbox/{name}.xlsx", header, *below)
        feed = yaml.safe_load(text_of(place, workbook))
        assert feed["max_rejects"] == "0.5%"
        found[name] = {field: feed["workbook"].get(field) for field in ("ends", "skip_rows")}
    assert found == {
        "full": {
            "ends": {"first": "Grand Total"},
            "skip_rows": [{"column": "Region", "pattern": ".* Total"}],
        },
        "noted": {"ends": "blank_row", "skip_rows": None},
        "total": {"ends": {"first": "Total", "column": "Currency"}, "skip_rows": None},
    }


def test_a_closing_balance_below_a_blank_row_is_no_data(place: Place) -> None:
    rows: list[tuple[object, ...]] = [(f"{1 + n}.11.2026", "fee", n * 1.5, "EUR") for n in range(20)]
    below = [(None,) * 4, ("Balance on 30 November", None, 285, None)]
    header = ("Booked", "What", "Amount", "Currency")
    feed = yaml.safe_load(text_of(place, write_workbook(place.home / "inbox/b.xlsx", header, *rows, *below)))
    assert (feed["workbook"]["ends"], feed["fact"]["columns"]["booked"]["type"]) == ("blank_row", "date")


def test_a_blank_row_is_no_end_where_a_row_of_data_may_be_blank_in_what_is_read(place: Place) -> None:
    place.execute("CREATE TABLE fact_fees (amount numeric(12,2), load_id text)")
    rows: list[tuple[object, ...]] = [(f"R{n % 3}", n * 1.5 if n % 7 else None, "EUR") for n in range(20)]
    below = [(None, None, None), (None, 285, None)]
    header = ("Region", "Amount", "Currency")
    text = text_of(
        place, write_workbook(place.home / "inbox/fees.xlsx", header, *rows, *below), table="fact_fees"
    )
    assert "ends" not in yaml.safe_load(text)["workbook"]
    assert "# ATTENTION: row 23 looks like a note and would be loaded as a row" in text


def test_the_last_part_s_total_is_no_end(place: Place) -> None:
    north, south = [("North", 1.5, "EUR")] * 3, [("South", 2, "EUR")] * 3
    rows = [*north, ("North Total", 4.5, None), *south, ("South Total", 6, None)]
    workbook = write_workbook(place.home / "inbox/parts.xlsx", ("Region", "Amount", "Currency"), *rows * 3)
    feed = yaml.safe_load(text_of(place, workbook))
    equals = [{"column": "Region", "equals": f"{name} Total"} for name in ("North", "South")]
    assert (feed["workbook"].get("ends"), feed["workbook"]["skip_rows"]) == (None, equals)


def test_rows_in_an_excel_table_are_found_by_its_name(place: Place) -> None:
    path = place.home / "inbox/tables.xlsx"
    rows = [(f"R{n % 4}", n * 1.5, None, "beside") for n in range(20)]
    write_workbook(path, ("Sales",), (None,), ("Region", "Amount", None, "Notes"), *rows, ("Total", 285))
    opened = openpyxl.load_workbook(path)
    sheet = first_sheet(opened)
    table = Table(displayName="Sales", ref="A3:B24", totalsRowCount=1)
    sheet.add_table(table)
    opened.save(path)
    feed = yaml.safe_load(text_of(place, path))
    assert (feed["workbook"]["table"], feed["workbook"].keys() & {"sheet", "ends"}) == ("Sales", set())
    assert feed["max_rejects"] == "0.5%"
    assert {c.get("column") for c in feed["fact"]["columns"].values()} <= {"Region", "Amount", None}


def test_a_total_that_no_text_tells_is_a_reject_where_something_is_blank_in_it(place: Place) -> None:
    rows = [(f"R{n % 4}" if n else "Total", n * 1.5, "EUR") for n in range(20)]
    workbook = write_workbook(
        place.home / "inbox/part.xlsx", ("Region", "Amount", "Currency"), *rows, ("Total", 285, None)
    )
    feed = yaml.safe_load(text_of(place, workbook))
    assert feed["fact"]["columns"]["currency"] == {"column": "Currency", "type": "text", "required": True}
    assert "ends" not in feed["workbook"]


def test_a_total_that_would_be_loaded_as_a_row_is_called_out(place: Place) -> None:
    place.execute("CREATE TABLE fact_units (amount numeric(12,2), load_id text)")
    rows = [(f"R{n % 4}" if n else "Total", n * 1.5) for n in range(20)]
    workbook = write_workbook(place.home / "inbox/units.xlsx", ("Region", "Amount"), *rows, ("Total", 285))
    text = text_of(place, workbook, table="fact_units")
    assert "# ATTENTION: row 22 looks like a total and would be loaded as a row" in text
    output = str(place.home / "include/feeds/units.yaml")
    said = factload("init", str(workbook), "--table", "fact_units", "--output", output).stderr
    assert said.startswith("ATTENTION: row 22 looks like a total")


def test_a_column_that_no_type_can_read_is_left_out_and_the_others_load(place: Place) -> None:
    rows = [(4111111111111110 + n * 10, 12345678901234567000 + n * 10**5, n) for n in range(30)]
    workbook = write_workbook(place.home / "inbox/cards.xlsx", ("Card Number", "Tracking ID", "Qty"), *rows)
    text = text_of(place, workbook)
    assert list(yaml.safe_load(text)["fact"]["columns"]) == ["qty"]
    assert "of which Excel has cut the last: keys of that length must be texts" in text


def test_rows_that_the_table_cannot_take_are_named_by_their_first_cell(place: Place) -> None:
    place.execute("CREATE TABLE fact_levels (level numeric(12,2) NOT NULL, load_id text)")
    workbook = write_workbook(
        place.home / "inbox/levels.xlsx", ("Level", "Place"), *(("high", "x") for _ in range(9))
    )
    with pytest.raises(WorkbookError, match=r"none of the 9 rows .*: not_a_number 9, the first at A2"):
        propose_feed(workbook, database=place.url, table="fact_levels")


BUDGET = [("Region", "Jan", "Feb", "Mar"), *((f"R{n}", n, n + 0.5, None) for n in range(4))]


@pytest.mark.parametrize(
    ("columns", "unpivot", "filled"),
    [
        ("region text, month text, amount numeric(10,2)", {"name": "month", "value": "amount"}, 8),
        ("region text, period text, planned numeric(10,2)", {"name": "period", "value": "planned"}, 8),
        ("region text, jan numeric, feb numeric, mar numeric", None, 4),  # the table has the sheet's columns
        ("region text, jan numeric, note text", None, 4),  # nothing could take the months' names
    ],
)
def test_months_become_rows_where_the_table_has_columns_for_them(
    place: Place, columns: str, unpivot: dict[str, str] | None, filled: int
) -> None:
    place.execute(f"CREATE TABLE fact_plan ({columns}, load_id text)")
    workbook = write_workbook(place.home / "inbox/plan_2026-11-05.xlsx", *BUDGET)
    output = place.home / "include/feeds/plan.yaml"
    made = factload("init", str(workbook), "--output", str(output), "--table", "fact_plan")
    assert made.returncode == 0, made.stderr
    asked = yaml.safe_load(output.read_text(encoding="utf-8"))["workbook"].get("unpivot")
    assert (asked and {field: asked[field] for field in ("name", "value")}) == unpivot
    assert factload("run", "plan", "--period", "2026-11-05").returncode == 0
    assert place.rows("SELECT count(*) FROM fact_plan") == [(filled,)]


def test_a_proposed_witness_holds_a_load_that_comes_to_another_sum(place: Place) -> None:
    rows = [(f"R{n}", n, n + 0.5, None, 2 * n + 0.5) for n in range(6)]
    total = ("Total", 15, 18, None, 33)
    header = ("Region", "Jan", "Feb", "Mar", "Sum")
    workbook = write_workbook(place.home / "inbox/plan_2026-11-05.xlsx", header, *rows, total)
    output = place.home / "include/feeds/plan.yaml"
    made = factload("init", str(workbook), "--output", str(output))
    assert made.returncode == 0, made.stderr
    place.execute(ddl_text(propose_feed(workbook, database=place.url)))
    assert factload("run", "plan", "--period", "2026-11-05").returncode == 0
    assert place.rows("SELECT count(*), sum(amount)::float FROM fact_plan") == [(12, 33.0)]
    write_workbook(place.home / "inbox/plan_2026-11-05.xlsx", header, *rows[1:], total)
    held = factload("run", "plan", "--period", "2026-11-05")
    assert held.returncode == 3
    assert place.rows("SELECT count(*) FROM fact_plan") == [(12,)]
