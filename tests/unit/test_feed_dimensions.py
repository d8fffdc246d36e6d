"""Dimensions and fact columns of a feed: what is accepted, and what is said of what is not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from factload.errors import FeedError
from factload.feed.file import read_feed_file
from factload.feed.model import Feed
from factload.split.fields import sheet_fields

FEED = """
feed: sales
workbook: {path: "inbox/{period}.xlsx"}
dimensions:
  customer:
    table: dim_customer
    business_key: [country, code]
    surrogate_key: id
    column: [Country, Code]
    normalize: {code: [trim, {zero_pad: 8}]}
    unmatched: {unknown: -1}
    as_of: {valid_from: since, valid_to: until, date: Order date}
  ordered: &day
    table: dim_date
    business_key: day
    surrogate_key: id
    column: Order date
    type: date
    unmatched: reject
  shipped: {<<: *day, column: Ship date}
fact:
  connection: warehouse
  table: fact_sales
  columns:
    customer_id: {dimension: customer}
    ordered_id: {dimension: ordered}
    shipped_id: {dimension: shipped}
    price: {column: Price, type: "numeric(18,4)"}
    rows: {value: 1}
    rate: {value: 0.1}
    since: {value: 2026-11-05}
    day: {period: true}
    day_key: {period: "%Y%m%d"}
    place: {provenance: row}
  load_column: load_id
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "sales.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return read_feed_file(written(tmp_path, FEED))


def test_a_feed_says_what_it_means(feed: Feed) -> None:
    customer, shipped = feed.dimensions["customer"], feed.dimensions["shipped"]
    assert (customer.business_key, customer.column) == (("country", "code"), ("Country", "Code"))
    assert (customer.types, shipped.types) == (("text", "text"), ("date",))
    assert list(map(str, customer.normalize.of("code"))) == ["trim", "zero_pad: 8"]
    assert customer.normalize.of("country") == ()
    assert (customer.unmatched.action, customer.unmatched.member) == ("unknown", -1)
    assert (customer.key_required, shipped.key_required) == (False, True)
    columns = feed.fact.columns
    assert [columns[name].value for name in ("rows", "rate", "since")] == [
        1,
        Decimal("0.1"),
        date(2026, 11, 5),
    ]
    assert [columns[name].period for name in ("day", "day_key", "place")] == ["", "%Y%m%d", None]


def test_two_roles_of_a_dimension_share_its_map(feed: Feed) -> None:
    assert feed.map_of == {"customer": "customer", "ordered": "ordered", "shipped": "ordered"}
    assert feed.maps == ["customer", "ordered"]


def test_what_is_read_of_the_sheet_in_the_order_of_the_fact_s_columns(feed: Feed) -> None:
    assert [(f.name, f.column, f.role, str(f.type), f.required) for f in sheet_fields(feed)] == [
        ("key:customer:0", "Country", "key", "text", False),
        ("key:customer:1", "Code", "key", "text", False),
        ("date:customer", "Order date", "value", "timestamp", False),
        ("key:ordered:0", "Order date", "key", "date", True),
        ("key:shipped:0", "Ship date", "key", "date", True),
        ("value:price", "Price", "value", "numeric(18,4)", False),
    ]


@pytest.mark.parametrize(
    ("unmatched", "expected"),
    [
        ("reject", ("reject", None, None)),
        ("fail", ("fail", None, None)),
        ("create", ("create", None, None)),
        ({"create": {"inferred": "is_inferred"}}, ("create", None, "is_inferred")),
        ({"unknown": -1}, ("unknown", -1, None)),
        ({"unknown": "00000000-0000-0000-0000-000000000000"}, ("unknown", "0" * 8 + "-0000-0000-0000-" + "0" * 12, None)),
    ],
)  # fmt: skip
def test_the_forms_of_unmatched(tmp_path: Path, unmatched: Any, expected: tuple[Any, ...]) -> None:
    document = yaml.safe_load(FEED)
    document["dimensions"]["ordered"]["unmatched"] = unmatched
    found = read_feed_file(written(tmp_path, yaml.safe_dump(document))).dimensions["ordered"].unmatched
    assert (found.action, found.member, found.inferred) == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[country, code]", "[country, cod]", "sales.yaml:5: dimensions.customer: `normalize` names 'code', which is not a column of `business_key`"),
        ("[Country, Code]", "Country", "sales.yaml:5: dimensions.customer: `business_key` has 2 parts and `column` 1"),
        ("[country, code]", "[code, code]", "`business_key` names a column, or several different ones"),
        ("{zero_pad: 8}", "zero_pad", "sales.yaml:10: dimensions.customer.normalize: the step zero_pad takes a width from 1 to 200"),
        ("[trim, ", "[trimm, ", "sales.yaml:10: dimensions.customer.normalize: 'trimm' is not a step. Did you mean trim?"),
        ("{code: [trim, {zero_pad: 8}]}", "trim", "sales.yaml:10: dimensions.customer.normalize: expected a list of steps, such as [trim, upper]"),
        ("{unknown: -1}", "unknown", "sales.yaml:11: dimensions.customer.unmatched: `unknown` names a member by its surrogate key, such as {unknown: -1}"),
        ("{unknown: -1}", "{unknown: null}", "sales.yaml:11: dimensions.customer.unmatched: expected `reject`, `fail`, `create`"),
        ("{unknown: -1}", "rejct", "Did you mean reject? (found 'rejct')"),
        ("{unknown: -1}", "{create: {marked: x}}", "sales.yaml:11: dimensions.customer.unmatched: `create` has no field 'marked'. There are inferred, attributes, disagree"),
        ("{unknown: -1}", "{create: {atributes: {a: b}}}", "`create` has no field 'atributes'. Did you mean attributes?"),
        ("{unknown: -1}", "{create: {}}", "`{create: {inferred: COLUMN, attributes: {COLUMN: HEADER}}}`"),
        ("{unknown: -1}", "{create: {attributes: [name]}}", "`attributes` maps columns of the dimension to columns of the sheet"),
        ("{unknown: -1}", "{create: {attributes: {}}}", "`attributes` is empty"),
        ("{unknown: -1}", "{create: {attributes: {name: 7}}}", "`attributes.name` names a column of the sheet, or is a list of names"),
        ("{unknown: -1}", "{create: {attributes: {name: N}, disagree: later}}", "`disagree` is `reject`, `first` or `last`"),
        ("unmatched: reject", "unmatched: {create: {attributes: {name: N}}}", "sales.yaml:13: dimensions.ordered: has `attributes` for members of dim_date, and another dimension is on that table"),
        ("unmatched: reject", "unmatched: {create: {attributes: {day: N}}}", "`unmatched.create.attributes` names 'day', which `business_key`"),
        ("{unknown: -1}", "{create: {disagree: first}}", "`disagree` goes with `attributes`"),
        ("{unknown: -1}", "create", "sales.yaml:5: dimensions.customer: `unmatched: create` goes with `as_of.date: period` alone"),
        ("{unknown: -1}", "{create: {attributes: {name: N}, on_change: update}}", "`on_change: update` does not go with `as_of`: a member with a history has several versions"),
        ("unmatched: reject", "unmatched: {create: {attributes: {name: N}, on_change: new_version}}", "`on_change: new_version` goes with `as_of`, which names the columns"),
        ("valid_to: until, ", "", "sales.yaml:12: dimensions.customer.as_of.valid_to: is missing"),
        ("valid_to: until, ", "valid_too: until, ", "sales.yaml:12: dimensions.customer.as_of.valid_too: is not a field here. Did you mean valid_to?"),
        ("type: date", "type: datum", "sales.yaml:18: dimensions.ordered.type: expected text or date or integer or decimal (found 'datum')"),
        ("{value: 1}", "{value: [1]}", "sales.yaml:29: fact.columns.rows.value: expected one value: a number, a text, true or false, or a date"),
        ("{value: 1}", "{value: .nan}", "expected one value"),
        ("{value: 1}", "{value: 1, type: integer}", "sales.yaml:29: fact.columns.rows: `type` and `required` go with `column`, not with `value`"),
        ("{value: 1}", "{}", "here it has none"),
        ("{value: 1}", "{constant: 1}", "fact.columns.rows.constant: is not a field here. There are dimension, column, value, period"),
        ("{period: true}", "{period: false}", "sales.yaml:32: fact.columns.day.period: expected `true`, or a format of dates such as \"%Y%m%d\""),
        ("{provenance: row}", "{provenance: rows}", "sales.yaml:34: fact.columns.place.provenance: expected workbook or sheet or row (found 'rows'). Did you mean row?"),
        ("{dimension: shipped}", "{dimension: ordered}", "dimensions.shipped: fills no column of the fact table"),
    ],
)  # fmt: skip
def test_a_defect_is_named_with_file_line_field_and_remedy(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in FEED
    path = written(tmp_path, FEED.replace(old, new, 1))
    with pytest.raises(FeedError) as caught:
        read_feed_file(path)
    assert message in str(caught.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("mode", "attribute", "message"),
    [
        (
            "append_once",
            "name",
            "customer: has `on_change: new_version`, which goes with the modes `replace` and",
        ),
        ("{upsert: [day_key]}", "name", "with `upsert` a later load may write over a row"),
        ("replace", "until", "`unmatched.create.attributes` names 'until', which `as_of` names already"),
        ("replace", "name", ""),
        ("exchange", "name", ""),
    ],
)
def test_new_versions_go_with_modes_whose_rows_are_a_loads_own(
    tmp_path: Path, mode: str, attribute: str, message: str
) -> None:
    versions = f"{{create: {{attributes: {{{attribute}: N}}, on_change: new_version}}}}"
    told = FEED.replace("{unknown: -1}", versions).replace(", date: Order date", "")
    path = written(tmp_path, f"{told}  mode: {mode}\n")
    if not message:
        assert read_feed_file(path).versioned_dimensions == ["customer"]
        return
    with pytest.raises(FeedError) as caught:
        read_feed_file(path)
    assert message in str(caught.value)
