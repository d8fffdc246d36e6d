"""The published JSON Schema and the model of a feed file agree, field by field, on a wide table of spellings.

The schema may never refuse what the model takes: an editor would mark a right feed as wrong. What the model refuses,
the schema refuses too, except for the rules in ``BEYOND_A_SCHEMA``, each with its reason.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from factload.feed.model import Feed
from factload.feed.schema import feed_schema

FEED = """
feed: sales
schedule: "0 2 * * *"
run: {notify: {email: [a@example.com]}}
workbook: {path: "inbox/{period}.csv", csv: {}, skip_rows: [{column: Name, equals: Total}],
  unpivot: {columns: [Jan, Feb], name: Name, value: Amount}}
dimensions:
  product: {table: dim_product, business_key: sku, surrogate_key: id, column: SKU}
  day: {table: dim_day, business_key: day, surrogate_key: id, column: Day, type: date}
  price: {table: dim_price, business_key: sku, surrogate_key: id, column: SKU, as_of: {valid_from: a, valid_to: b}}
fact:
  connection: warehouse
  table: fact_sales
  load_column: load_id
  columns:
    product_id: {dimension: product}
    day_id: {dimension: day}
    price_id: {dimension: price}
    amount: {column: Amount, type: "numeric(18,2)", negative: {minus: [H], plus: [S]}}
    name: {column: Name, type: text}
    at: {column: At, type: date}
    paid: {column: Paid, type: boolean}
    code: {value: 1}
    period: {period: true}
    book: {provenance: workbook}
witness: {file: "inbox/{period}.control.csv", count: rows, column: Rows}
"""
MORE = [
    "fact.columns.code.value",
    "fact.columns.period.period",
    "fact.columns.book.provenance",
    "fact.columns.product_id.dimension",
    "fact.columns.another",
    "fact.columns.paid.true",
    "fact.columns.paid.false",
    "dimensions.another",
    "dimensions.price.unmatched",
]
RIGHT = yaml.safe_load(FEED)
# Where each part of the schema is in that feed; the keys are the parts' names.
PLACES = {
    "Feed": [""],
    "Run": ["run."],
    "Notify": ["run.notify."],
    "WorkbookPart": ["workbook."],
    "CsvPart": ["workbook.csv."],
    "SkippedRows": ["workbook.skip_rows.0."],
    "Unpivot": ["workbook.unpivot."],
    "Dimension": ["dimensions.product.", "dimensions.day."],
    "AsOf": ["dimensions.price.as_of."],
    "Fact": ["fact."],
    "Witness": ["witness."],
    "SignWords": ["fact.columns.amount.negative."],
    "FactColumn": ["fact.columns.amount.", "fact.columns.name.", "fact.columns.at."],
}
ANYTHING = [
    "",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1.5",
    "100",
    "3000",
    ".inf",
    ".nan",
    '""',
    '" "',
    "a",
    '" a "',
    "no",
    '"1"',
    '"-1"',
    "[]",
    "[a]",
    "[a, a]",
    "[a, b]",
    '["", a]',
    "[1]",
    "[1, 1]",
    "[true]",
    "[null]",
    "[[a]]",
    "{}",
    "{a: 1}",
    "{a: b}",
    "2026-01-31",
    '"2026-01-31"',
    "2026-01-31 10:00:00",
    '"é"',
    '"a b-c.d"',
    "'\"x\"'",
    '"%"',
    '"*"',
    '"🙂"',
    "99999999999999999999",
    "1e3",
    "1.0",
    "2000.0",
    '[a, "*"]',
    "[0, 1]",
    "[0, 0]",
    "[0, 0.0]",
    "[1, true]",
    "{total: 1}",
    "a.b",
]
TYPES = [
    "numeric(18,4)",
    "NUMERIC(18,4)",
    "DECIMAL(18,4)",
    "Decimal ( 18 , 4 )",
    "decimal(18)",
    "numeric(0,0)",
    "numeric(38,38)",
    "numeric(39,2)",
    "numeric(4,5)",
    "numeric(018,04)",
    "numeric(18,)",
    "numeric",
    "INTEGER",
    "Int",
    "int2",
    "int4",
    "int8",
    "BIGINT",
    "smallint",
    "double precision",
    "DOUBLE  PRECISION",
    '" double\tprecision "',
    "float8",
    "float",
    "real",
    "TEXT",
    "text",
    "varchar(40)",
    "VARCHAR ( 40 )",
    "character varying(40)",
    "Character  Varying (40)",
    "varchar(0)",
    "varchar",
    "char(3)",
    "DATE",
    "Timestamp",
    "timestamp without time zone",
    "TIMESTAMP  WITHOUT  TIME ZONE",
    "timestamptz",
    "timestamp with time zone",
    "timestamp(3)",
    "boolean",
    "BOOL",
    "money",
    "serial",
    '"numeric(18,4)\\n"',
    '"\\u0131nt"',
    '"numeric(\\u0661,\\u0661)"',
    '"int\\u00a0"',
    '"double\\u00a0precision"',
    "numeric(18;4)",
    "numeric 18,4",
    "numeric(-1,2)",
    '"\\u212Aint"',
    '"varchar(4)\\u2028"',
]
DURATIONS = [
    "6h",
    "90m",
    "1d12h",
    "6 h",
    '"6 h 30 m"',
    '" 6h "',
    "6",
    "0h",
    "0d0h",
    "00h1s",
    "6H",
    "1.5h",
    "-6h",
    "6h6h",
    "h",
    "1w",
    '"6\\th"',
    '"6\\nh"',
    '"\\u0666h"',
    '"6h\\n"',
    '"1d 12h"',
    "999999999d",
    "9999999999d",
    '"0s 1s"',
    "1 2h",
    '"1 2h"',
    "3650d",
    "3651d",
    '"3650d1s"',
]
SHARES = [
    "0.5%",
    "50%",
    "100%",
    "101%",
    "100.0%",
    "0%",
    '" 5 % "',
    "5 %",
    "-5%",
    "5",
    "5.%",
    ".5%",
    "1e1%",
    "5%%",
    '"\\u0665%"',
    '"5%\\n"',
    "000.5%",
    '"100.01%"',
    '"0099%"',
    '"0100%"',
    '"5\\u00a0%"',
    "5.55555%",
    "7.0",
    '"7"',
    "{total: 5}",
    "{unmatched_key: 5%}",
    "{unmatched_key: 500%}",
    "{total: 1%, unmatched_key: 2}",
    "{total: null}",
    "{unmatched_key: null}",
    "{total: true}",
    "{nonsense: 5}",
    "{total: {total: 1}}",
]
OWN: dict[str, list[str]] = {
    "feed": [
        "Sales",
        "sales_1",
        "1sales",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "sälès",
        '"sales\\n"',
        "_a",
        "a-b",
    ],
    "schedule": [
        '"@daily"',
        '"@hourly"',
        '"@nonsense"',
        '"* * * * * *"',
        '"61 * * * *"',
        '"0 2 * * MON"',
        '"0 2 * *"',
        '" 0 2 * * * "',
        '"0 0 31 2 *"',
        '"0 2 * * 1-5"',
        '"@reboot"',
        '"@Daily"',
        '"*/5 * * * *"',
        '"0 2 L * *"',
        '"0 2 * * mon#1"',
        '"H 2 * * *"',
    ],
    "run.timezone": ["UTC", "Europe/Berlin", "europe/berlin", "CET", "+01:00", "Mars/Phobos", '"../etc"'],
    "run.deadline": [
        '"06:00"',
        "06:00",
        '"6:00"',
        '"24:00"',
        '"23:59"',
        '"06:00:00"',
        '"06:60"',
        '"06:00\\n"',
        '" 06:00"',
    ],
    "run.priority": ["1", "1000", "1001"],
    "run.retries": ["0", "20", "21"],
    "run.loads_at_once": ["64", "65"],
    "run.notify.email": [
        "a@b",
        "[a@b, c@d]",
        "[ab]",
        "[a@b, a@b]",
        "[a b@c]",
        '["a@b\\n"]',
        '["a@@b"]',
        '["@"]',
    ],
    "run.notify": ["{}", "{email: []}", "{email: [a@b]}"],
    "run.start": ["2026-12-31", "1999-01-01", "0001-01-01"],
    "workbook.path": [
        '"{period}"',
        '"{date}"',
        '"{period:%Y}"',
        '"{period!r}"',
        '"{period"',
        '"}"',
        '"{}"',
        '"{0}"',
        '"{period:{x}}"',
        '"{{x}}"',
        "s3://b/{period}.csv",
        '"a{period.year}"',
        '"a{period:%Y%m%d}.csv"',
    ],
    "workbook.table": [
        "[{table: a}, {from: 2019-01-01, table: b}, {from: 2020-01-01, table: null}]",
        "[{table: a}, {table: b}]",
        "[{table: a}, b]",
        "[{table: a, until: 2019-01-01}]",
        "[{from: 2019-01-01}]",
        "[{from: x, table: a}]",
        "[{from: 2019-01-01, table: a}, {from: 2019-01-01, table: b}]",
        "[{from: 2019-01-01, table: true}]",
    ],
    "fact.columns.amount.column": [
        "[{column: a}, {from: 2019-01-01, column: [b, c]}]",
        "[{column: a}, {from: 2019-01-01, column: null}]",
        "[{column: a}, {from: 2019-01-01, column: [b, b]}]",
    ],
    "workbook.unpivot": [
        "{columns: [a, b], name: Name, value: Amount}",
        "{pattern: '20.*', name: Name, value: Amount, blanks: keep}",
        "{pattern: '20.*', columns: [a], name: Name, value: Amount}",
        "{columns: [a, A], name: Name, value: Amount}",
        "{columns: [a], name: Name, value: Amount, above: year}",
        "{columns: [a], value: Amount}",
        "[{unpivot: null}, {from: 2019-01-01, unpivot: {columns: [a], name: Name, value: Amount}}]",
    ],
    "workbook.unpivot.columns": ["[Jan]", "[Jan, '']", "[1]", "[Jan, Amount]"],
    "workbook.unpivot.above": ["At", "Code"],
    "workbook.ends": [
        "[{ends: null}, {from: 2019-01-01, ends: {first: Total, column: [a, b]}}]",
        "blank_row",
        "totals_row",
        "{first: Total}",
        "{first: Total, column: a}",
        "{first: ' '}",
        "{first: 1}",
        "{column: a}",
        "{first: a, column: null}",
        "{first: a, field: 1}",
        "{first: a, field: 0}",
        "{first: a, field: true}",
        "{first: a, field: 1, column: b}",
        "{first: a, x: 1}",
    ],
    "workbook.skip_rows": [
        "[{column: a, pattern: b}]",
        "[{column: a}]",
        "[{column: a, equals: b, pattern: b}]",
        "[{field: 1, pattern: b}]",
        "[{field: 1, column: a, pattern: b}]",
        "[{pattern: b}]",
    ],
    "witness": [
        "[{witness: null}, {from: 2019-01-01, witness: {at: Cover!B3, count: rows}}]",
        "[{witness: {sum: amount}}]",
        "{at: totals_row, sum: amount}",
        "{at: Cover!B3, sum: Amount}",
        "{file: a.csv, sum: amount}",
        "{file: a.csv, sum: Amount, field: 3, rows: loaded, tolerance: 0.5}",
        "{file: a.csv, sum: amount, rows: all}",
        "{at: totals_row, count: rows, column: Rows}",
        "[{file: a.csv, sum: amount}]",
    ],
    "witness.tolerance": ["0", "0.05", '"0.05"', '" 1 "', '"-1"', "-0.5", '"1e3"', '"."', '"1."'],
    "witness.file": ["a.csv", '"{period}.csv"', '"{day}.csv"', '"{period:x}.csv"', '"{"'],
    "witness.field": ["3", "0", "16384", "16385"],
    "workbook.merged": ["reject", "blank", "repeat", "Reject"],
    "workbook.stale_formulas": ["reject", "take"],
    "workbook.csv.encoding": [
        "utf-8",
        "UTF8",
        "cp1252",
        "latin-1",
        "utf-7",
        "base64",
        "rot13",
        "nonsense",
        "utf-16",
        "idna",
    ],
    "workbook.csv.delimiter": ['","', '";"', '"\\t"', '"|"', '";;"', "x", '"5"', '"é"', '"\\n"', "'\"'"],
    "workbook.csv.quote": ['"\'"', '""', "'\"'", '","', "x"],
    "workbook.csv.decimal": ['","', '"."'],
    "workbook.csv.thousands": ['"."', '","', '"\'"', '" "', '""', '"\\u00a0"', "_"],
    "workbook.csv.date_format": [
        '"%d.%m.%Y"',
        '"%Y-%m-%d"',
        '"%d.%m"',
        '"%H:%M"',
        '"%q"',
        '"%"',
        '"d.m.Y"',
        '"%d.%m.%y"',
        '"%Y%m%d"',
        '"%Y-%m-%dT%H:%M:%S"',
        '"%d%d%m%Y"',
        '"%b %d %Y"',
        '"%y%Y%m%d"',
        '"%-d.%m.%Y"',
        '"%Y%m%d%%"',
    ],
    "fact.columns.at.date_format": ['"%d.%m.%Y"', '"%d.%m"', '"%q"'],
    "dimensions.product.business_key": ["[sku]", "[sku, code]", "[]", "[sku, sku]"],
    "dimensions.product.type": [
        "text",
        "date",
        "Text",
        "[text]",
        "[date]",
        "[text, date]",
        "[]",
        "[text, text]",
        "integer",
        "[decimal]",
        "number",
    ],
    "dimensions.product.normalize": [
        "[trim]",
        "[Trim]",
        "[trim, trim]",
        "trim",
        "[{zero_pad: 8}]",
        "[{zero_pad: 0}]",
        "[{zero_pad: 201}]",
        '[{zero_pad: "8"}]',
        "[zero_pad]",
        "[{zero_pad: true}]",
        "[{zero_pad: 8.0}]",
        "[{strip_prefix: K-}]",
        '[{strip_prefix: ""}]',
        "[{trim: }]",
        "[{trim: 1}]",
        "[{zero_pad: 8, trim: }]",
        "{sku: [trim]}",
        "{sku: trim}",
        "{other: [trim]}",
        "{sku: }",
        "[upper, lower, casefold, nfc, collapse_spaces]",
        "[{strip_prefix: 5}]",
    ],
    "dimensions.product.unmatched": [
        "reject",
        "fail",
        "create",
        "unknown",
        "Reject",
        "{unknown: -1}",
        "{unknown: x}",
        "{unknown: }",
        "{unknown: true}",
        "{unknown: 1.5}",
        "{unknown: 1.0}",
        "{create: {inferred: c}}",
        "{create: {inferred: }}",
        "{create: {}}",
        "{create: c}",
        "{reject: }",
        "{unknown: 1, create: c}",
        "{create: {inferred: c, x: y}}",
        "{create: {attributes: {name: Name}}}",
        "{create: {inferred: c, attributes: {name: [Name, Nom], city: City}, disagree: last}}",
        "{create: {attributes: {name: [Name, 1]}}}",
        "{create: {attributes: {name: }}}",
        "{create: {attributes: {}}}",
        "{create: {attributes: [name]}}",
        "{create: {attributes: {name: Name}, disagree: later}}",
        "{create: {disagree: first}}",
        "{action: reject}",
        "{action: unknown, member: 1}",
    ],
    "dimensions.product.as_of": [
        "{valid_from: a, valid_to: b}",
        "{valid_from: a}",
        "{valid_from: a, valid_to: b, date: Day, timezone: UTC}",
        "{valid_from: a, valid_to: b, timezone: Mars}",
    ],
    "fact.mode": [
        "replace",
        "exchange",
        "append_once",
        "upsert",
        "{upsert: [code]}",
        "{upsert: code}",
        "{upsert: []}",
        "{upsert: [code, code]}",
        "{upsert: [code], x: 1}",
        "{replace: }",
        "{upsert: [1]}",
        "Replace",
    ],
    "fact.connection": ["warehouse", "postgresql://u:p@h/d", "postgresql://u@h/d"],
    "fact.columns": ["{}", "{a: {value: 1}}", '{"": {value: 1}, p: {dimension: product}}'],
    "fact.columns.amount.min": ["-5", "0", "1.25", "1.255", '"5"', "1e30", "123456789012345678", "1e-3"],
    "fact.columns.amount.max": ["-5", "1.25"],
    "fact.columns.at.min": ["2026-01-01", '"2026-01-01"', '"yesterday"', "5"],
    "fact.columns.amount.allowed": [
        "[1, 2]",
        "[1.5]",
        '["1"]',
        "[]",
        "1",
        "[1, 1]",
        "[1, null]",
        "[true]",
        "[1, 1.0]",
    ],
    "fact.columns.name.allowed": [
        "[EUR, USD]",
        "[]",
        "[EUR, EUR]",
        "[no]",
        "[1]",
        '[""]',
        "[2026-01-01]",
        "EUR",
    ],
    "fact.columns.name.not_allowed": ["[EUR]", "[]", "[EUR, EUR]", "[[x]]", "[{a: b}]"],
    "fact.columns.at.allowed": ["[2026-01-01]", '["2026-01-01"]'],
    "fact.columns.name.pattern": ['"[A-Z]+"', '"["', '""', '"(?=x)"', '"\\\\d+"'],
    "fact.columns.code.value": [
        "1",
        "1.5",
        "web",
        "true",
        "2026-01-31",
        "2026-01-31 10:00:00",
        "[1]",
        "{a: b}",
        "",
        ".inf",
        "-.inf",
        ".nan",
        '"1"',
    ],
    "fact.columns.period.period": ["true", "false", '"%Y%m%d"', '"%"', "Y", '"%Q"', "1", "1.0"],
    "fact.columns.book.provenance": ["workbook", "sheet", "row", "Row", "file"],
    "fact.columns.amount.decimal": ['","', '"."', '";"'],
    "fact.columns.amount.negative": [
        *("leading", "trailing", "parentheses", "Trailing", "-", "{minus: [H], plus: S}", "{minus: Dr}"),
        *(
            "{plus: [S]}",
            "{minus: [1]}",
            "{}",
            "{minus: [H], other: [S]}",
            '{minus: ["–"]}',
            '{minus: ["5"]}',
        ),
        *('{column: S/H, minus: ["50"]}', "{column: [D/C, S/H], minus: [H]}", "{column: Amount, minus: [H]}"),
    ],
    "fact.columns.amount.strip": [
        *(
            '["€", "%"]',
            "€",
            '["Fr.", "Fr"]',
            '["."]',
            '["(a)"]',
            '["-"]',
            '["USD 2"]',
            '["e"]',
            '["\\u200b"]',
        ),
        *('["a b", "a  b"]', '["a\\u00b2"]'),
    ],
    "fact.columns.paid.true": ["[ja]", "ja", '["0"]', '["FALSE"]', "[yes]"],
    "fact.columns.paid.false": ['["no", "n"]', '["1"]'],
    "fact.columns.amount.percent": ["true", "false", '"%"'],
    "fact.columns.name.nulls": ['["-", "N/A"]', "[-999]", "NULL", '["\\u00a0"]', '["NA", "na"]'],
    "workbook.csv.nulls": ['["-", "N/A"]', "[null]"],
    "workbook.csv.negative": ["leading", "trailing", "parentheses", "", "{column: S/H, minus: [H]}"],
    "dimensions.day.date_format": ['"%d.%m.%Y"', '"%d.%m"', '"%b %y"', '"%b %y %H:%M"'],
    "dimensions.price.as_of.valid_to": [
        "b",
        "{inclusive: b}",
        "{inclusive: }",
        "{inclusive: b, x: c}",
        "{exclusive: b}",
    ],
    "fact.columns.amount.thousands": ['"."', '""', '","'],
    "fact.columns.at.timezone": ["UTC", "Europe/Berlin", "Mars/Phobos"],
    "insert": ["core", "copy", "COPY"],
    "workbook.sheet": [
        "Facts",
        "0",
        "-1",
        "[North, South]",
        "[North, North]",
        '["*"]',
        '["*", a]',
        "[0, 1]",
        "[0, 0]",
        "[0, North]",
        "[-1]",
        '[" "]',
        '"\\u00a0"',
        '"\\t"',
        "[0, false]",
        "[]",
        "1.0",
        "[1.0]",
        '["a", "a "]',
    ],
}

OWN["fact.columns.amount.type"] = OWN["fact.columns.at.type"] = TYPES
OWN["dimensions.price.unmatched"] = [
    "create",
    "reject",
    "{unknown: 1}",
    "{create: {attributes: {name: Name}, on_change: new_version}}",
    "{create: {attributes: {name: Name}, on_change: update}}",
]
OWN["run"] = ['{deadline: "06:00"}', '{deadline: "06:00", notify: {email: [a@b]}}']
OWN["fact.mode"] += ["{upsert: [amount]}", "{upsert: [nothing]}"]
OWN["fact.load_column"] = ["amount", "load_id"]
OWN["run.approval"] = DURATIONS
OWN["workbook.missing"] = [
    "fail",
    "skip",
    "Fail",
    "wait",
    "{then: skip}",
    "{then: Skip}",
    "{wait: }",
    "{then: }",
]
OWN["workbook.missing"] += ["{wait: 6h, then: skip}", "{wait: 6h, than: skip}"]
OWN["workbook.missing"] += [f"{{wait: {duration}}}" for duration in DURATIONS]
OWN["max_rejects"] = OWN["min_rows"] = SHARES
OWN["max_change"] = [
    "{rows: 20%}",
    "{amount: 1.5 %}",
    "{nothing: 5%}",
    "{rows: 20}",
    "{rows: -5%}",
    "{rows: 250%}",
]
OWN["keep_previous"] = DURATIONS
OWN["compare_by"] = ["amount", "[amount]", "[nothing]"]


@dataclass(frozen=True)
class Beyond:
    """A rule of the model that a JSON Schema can't say. ``said``: how its messages read (an expression)."""

    rule: str
    reason: str
    said: str
    fields: str = ".*"


_NOT_JSON = "JSON has no dates: in the schema's eyes a date is its text, with or without quotes"
_ONE_NUMBER = "in JSON 1.0 is the integer 1, and infinity is no value at all"
_OTHER_FIELD = "it compares one field with another"
_LIST_OF_NAMES = "the names are those of a library on this machine"
_SYNTAX = "it is a grammar of its own, read by its own parser"
BEYOND_A_SCHEMA = [
    Beyond(
        "a text is not a date",
        _NOT_JSON,
        "Input should be a valid (string|tuple)|expected a date such as|expected texts, such as|"
        "expected a column of the dimension",
    ),
    Beyond("nor is it a word", _NOT_JSON, "Input should be 'leading'", r".*negative\.column"),
    Beyond("a sheet is not a date", _NOT_JSON, "expected a sheet's name", r"workbook\.sheet"),
    Beyond("a whole number has no fraction", _ONE_NUMBER, "Input should be a valid integer"),
    Beyond("a count has no fraction", _ONE_NUMBER, "expected a number of rows", "max_rejects|min_rows"),
    Beyond("a width has no fraction", _ONE_NUMBER, "zero_pad takes a width", ".*normalize"),
    Beyond("names of marks differ", "it compares texts", "differ in what may be a decimal mark", ".*strip"),
    Beyond("a word stands for one thing", _OTHER_FIELD, "would be true and false"),
    Beyond("words differ as a person sees them", "it compares texts", "is in the list twice"),
    Beyond("white space and what has no width is no word", "JSON has no classes of Unicode", "is no word"),
    Beyond("a surrogate key has no fraction", _ONE_NUMBER, "expected `reject`, `fail`", ".*unmatched"),
    Beyond("a constant is finite", _ONE_NUMBER, "expected one value", ".*value"),
    Beyond("a length of time is at most ten years", "it is a sum", "expected a length of time"),
    Beyond("a column has one source", _OTHER_FIELD, "a fact column is filled by one of"),
    Beyond(
        "a column of the sheet has a type",
        _OTHER_FIELD,
        "`(type|timezone)` is missing|`type` and `required` go with",
    ),
    Beyond(
        "versions of members have a validity",
        _OTHER_FIELD,
        "`on_change: (new_version` goes|update` does not go) with `as_of`",
    ),
    Beyond(
        "rules fit the column's type",
        _OTHER_FIELD,
        "go(es)? with|is for numbers|is no value of a column of type",
    ),
    Beyond("only known dimensions, and all of them", _OTHER_FIELD, "names dimension|fills no column"),
    Beyond(
        "a key has as many columns as parts", _OTHER_FIELD, "`business_key` has|one for all, or one for each"
    ),
    Beyond("steps are for columns of the key", _OTHER_FIELD, "`normalize` names"),
    Beyond(
        "a column of signs is another one, of one column",
        _OTHER_FIELD,
        "the number's own column|a column of its own for the signs",
    ),
    Beyond("marks differ", _OTHER_FIELD, "are the same character"),
    Beyond("what replace needs", _OTHER_FIELD, "`load_column` is missing|filled by the load itself"),
    Beyond("what upsert needs", _OTHER_FIELD, "which `columns` does not fill|mode `upsert` names"),
    Beyond(
        "what is compared is there",
        _OTHER_FIELD,
        "which `fact.columns` does not fill|neither `rows` nor a fact column",
        "compare_by|max_change",
    ),
    Beyond("a deadline tells somebody", _OTHER_FIELD, "a `deadline` needs `notify`"),
    Beyond("scale is at most precision", "it compares two numbers in one text", "scale at most precision"),
    Beyond(
        "a witness says one thing of one place",
        _OTHER_FIELD,
        "`sheet` goes with a cell|expected `at` or `file`|expected `sum: COLUMN`|`column` and `field`|`count: rows` needs|"
        "names (no column|several columns) of exact numbers|is `totals_row`, and|is a cell, and",
    ),
    Beyond("a tolerance is finite", _ONE_NUMBER, "expected a number from 0", r"witness\.tolerance"),
    Beyond(
        "ranges of periods ascend",
        "it compares two entries",
        "has .* (twice|after .*): entries stand in the order",
    ),
    Beyond(
        "names of an unpivot",
        _OTHER_FIELD,
        r"expected `columns: \[NAME|expected names that are not blank|has .* twice: its columns|and nothing reads it|"
        "goes with a sheet|needs another column|which has a number in each column",
    ),
    Beyond(
        "one text is looked for", _OTHER_FIELD, "expected `equals` or `pattern`|expected `column` or `field`"
    ),
    Beyond("time zones", _LIST_OF_NAMES, "IANA time zone"),
    Beyond("encodings", _LIST_OF_NAMES, "is not a text encoding"),
    Beyond("schedules", _SYNTAX, "expected a cron expression"),
    Beyond("formats of dates", _SYNTAX, "is not a date format"),
    Beyond(
        "placeholders in a path",
        _SYNTAX,
        "is not known here|stands alone|is not a format of dates",
        r".*path|witness\.file",
    ),
    Beyond("regular expressions", _SYNTAX, "is not a regular expression"),
    Beyond("no password in a URL", _SYNTAX, "a URL that holds a password"),
]


def _ecma_pattern(_: Any, pattern: str, text: object, __: Any) -> Iterator[jsonschema.ValidationError]:
    """As editors read it: in Python's expressions a ``$`` also matches before a line end."""
    if isinstance(text, str) and not re.search(pattern.replace("$", r"\Z"), text):
        yield jsonschema.ValidationError(f"{text!r} does not match {pattern!r}")


SCHEMA = feed_schema()
VALIDATOR = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _ecma_pattern})(
    SCHEMA, format_checker=jsonschema.FormatChecker()
)


def refused_by_model(document: object) -> list[str]:
    try:
        Feed.model_validate(document)
    except ValidationError as error:
        return [defect["msg"] for defect in error.errors()]
    return []


def refused_by_schema(document: object) -> list[str]:
    as_json = json.loads(json.dumps(document, default=str))  # an editor's YAML has no dates
    return [error.message for error in islice(VALIDATOR.iter_errors(as_json), 1)]


def with_field(field: str, written: str) -> dict[str, Any]:
    """The feed with one field as it is written in YAML."""
    document: dict[str, Any] = copy.deepcopy(RIGHT)
    *parts, name = field.split(".")
    at: Any = document
    for part in parts:
        at = at[int(part) if part.isdecimal() else part]
    at[name] = yaml.load(written, yaml.CSafeLoader)
    return document


def fields() -> list[str]:
    parts = {"Feed": SCHEMA, **SCHEMA["$defs"]}
    return [
        place + name
        for part, places in PLACES.items()
        for place in places
        for name in (*parts[part]["properties"], "a field that there is not")
    ] + MORE


def beyond(field: str, message: str) -> Beyond | None:
    return next(
        (b for b in BEYOND_A_SCHEMA if re.fullmatch(b.fields, field) and re.search(b.said, message)), None
    )


def test_the_feed_is_right_and_every_part_has_its_place() -> None:
    assert (refused_by_model(RIGHT), refused_by_schema(RIGHT)) == ([], [])
    assert set(PLACES) == {"Feed", *SCHEMA["$defs"]}
    assert set(OWN) <= set(fields())


@cache
def refused(field: str) -> list[tuple[str, list[str], list[str]]]:
    """Each spelling, and what the model and the schema say against it."""
    tried = [
        (written, with_field(field, written)) for written in dict.fromkeys([*ANYTHING, *OWN.get(field, [])])
    ]
    return [(written, refused_by_model(document), refused_by_schema(document)) for written, document in tried]


@pytest.mark.parametrize("field", fields())
def test_schema_and_model_agree(field: str) -> None:
    differences = []
    for written, model, schema in refused(field):
        if not model and schema:
            differences.append(f"{written}: only the schema refuses it: {schema[0]}")
        if model and not schema and not all(beyond(field, message) for message in model):
            differences.append(f"{written}: only the model refuses it: {model}")
    assert differences == []


def test_every_rule_beyond_the_schema_is_one_that_the_model_has() -> None:
    met = {
        beyond(field, message) for field in fields() for _, model, _ in refused(field) for message in model
    }
    assert [each.rule for each in BEYOND_A_SCHEMA if each not in met] == []
