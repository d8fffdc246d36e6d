"""One cell, one declared type: the value that comes of it, or the reason why none does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from factload.reasons import CELLS
from factload.sheet.text_format import TextFormat
from tests import expected, sheetxml


def cell(body: str) -> str:
    return f'<row r="2"><c r="A2"{body}</c><c r="B2"><v>1</v></c></row>'


def number(digits: str) -> str:
    return f"><v>{digits}</v>"


def dated(digits: str) -> str:
    """A number in the format of a date."""
    return f' s="2"><v>{digits}</v>'


def timed(digits: str) -> str:
    """A number that is shown as h:mm."""
    return f' s="4"><v>{digits}</v>'


def elapsed(digits: str) -> str:
    """A number that is shown as [h]:mm."""
    return f' s="5"><v>{digits}</v>'


def iso(text: str) -> str:
    return f' t="d"><v>{text}</v>'


def text(content: str, keep: bool = False) -> str:
    return f' t="inlineStr"><is><t{" xml:space=" + chr(34) + "preserve" + chr(34) if keep else ""}>{content}</t></is>'


def read(
    folder: Path,
    body: str,
    kind: str,
    *,
    key: bool = False,
    required: bool = True,
    serials: bool = False,
    **options: Any,
) -> Any:
    path = sheetxml.write(
        folder / "w.xlsx", sheetxml.sheet(sheetxml.text_row(1, ["v", "other"]) + cell(body)), **options
    )
    fields = [
        expected.field("v", kind, key=key, required=required, serials=serials),
        expected.field("other", "integer"),
    ]
    _, rows = expected.split(path, fields)
    return rows[0]


@pytest.mark.parametrize(
    ("digits", "kind", "value"),
    [
        # rounding half even, of the number that the digits say
        ("0.00005", "numeric(18,4)", "0.0000"),
        ("0.00015", "numeric(18,4)", "0.0002"),
        ("0.00025", "numeric(18,4)", "0.0002"),
        ("-0.00025", "numeric(18,4)", "-0.0002"),
        ("0.000250000000000000000000001", "numeric(18,4)", "0.0003"),
        ("2.5", "numeric(5,0)", "2"),
        ("8933.170400000001", "numeric(18,4)", "8933.1704"),
        ("1E-7", "numeric(18,8)", "0.00000010"),
        ("1.5E3", "numeric(18,4)", "1500.0000"),
        ("99999999999999.99994", "numeric(18,4)", "99999999999999.9999"),
        ("123456789012345678901234567890.5", "numeric(38,4)", "123456789012345678901234567890.5000"),
        ("0.123456789012345678901234567890", "numeric(38,30)", "0.123456789012345678901234567890"),
        ("0.99", "numeric(2,2)", "0.99"),
    ],
)
def test_decimals_are_exact(digits: str, kind: str, value: str, tmp_path: Path) -> None:
    row = read(tmp_path, number(digits), kind)
    assert (row["v"], row["reason"]) == (Decimal(value), None)
    assert f"{row['v']:f}" == value


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        (number("42"), "integer", 42),
        (number("42.0"), "bigint", 42),
        (number("1E3"), "smallint", 1000),
        (number("9223372036854775807"), "bigint", 2**63 - 1),
        (number("0.1"), "double precision", 0.1),
        (number("1.7976931348623157E308"), "double precision", 1.7976931348623157e308),
        (dated("1"), "date", date(1900, 1, 1)),
        (dated("59"), "date", date(1900, 2, 28)),
        (dated("61"), "date", date(1900, 3, 1)),
        (dated("45351"), "date", date(2024, 2, 29)),
        (dated("2958465"), "date", date(9999, 12, 31)),
        (' t="d"><v>2024-02-29</v>', "date", date(2024, 2, 29)),
        (' t="d"><v>2024-02-29T23:59:58.5</v>', "timestamp", datetime(2024, 2, 29, 23, 59, 58, 500000)),
        (dated("45351.4374999999"), "timestamp", datetime(2024, 2, 29, 10, 30)),
        (dated("45351.99999999999"), "timestamp", datetime(2024, 3, 1)),
        (' t="b"><v>1</v>', "boolean", True),
        (' t="b"><v>0</v>', "boolean", False),
        (text("007"), "text", "007"),
        (text(" x "), "text", "x"),
        (text(" x ", keep=True), "text", " x "),
        (text("R&amp;D &#65;"), "text", "R&D A"),
        (text("a_x000D_b"), "text", "a\rb"),
        (text("_x005F_x000D_"), "text", "_x000D_"),
        (text("_xD83D__xDE00_"), "text", "😀"),
        (' t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh><t>no</t></rPh></is>', "text", "ab"),
        (number("1.50"), "text", "1.5"),
        (' t="b"><v>1</v>', "text", "TRUE"),
        (' s="1"><v>45351</v>', "text", "2024-02-29"),
        (' s="2"><v>45351.5</v>', "text", "2024-02-29 12:00:00"),
        (' s="3"><v>45351</v>', "text", "45351"),  # its format has a "d", in quotes
    ],
)
def test_a_cell_of_the_declared_type(body: str, kind: str, value: object, tmp_path: Path) -> None:
    row = read(tmp_path, body, kind)
    assert (row["v"], row["reason"]) == (value, None)


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("123", "123"),
        ("123.0", "123"),
        ("1.5", "1.5"),
        ("-0", "0"),
        ("1E5", "100000"),
        ("123456789012345", "123456789012345"),
    ],
)
def test_a_number_as_a_key_is_its_shortest_text(digits: str, shown: str, tmp_path: Path) -> None:
    assert read(tmp_path, number(digits), "text", key=True)["v"] == shown


@pytest.mark.parametrize(
    ("body", "kind", "reason", "raw"),
    [
        ("/><c r='C2'>", "integer", "blank_value", None),
        (text("  ", keep=True), "integer", "blank_value", "  "),
        (text("12"), "integer", "not_a_number", "12"),
        (text("abc"), "numeric(18,4)", "not_a_number", "abc"),
        (' t="b"><v>1</v>', "integer", "not_a_number", "TRUE"),
        (number("abc"), "numeric(18,4)", "not_a_number", "abc"),
        (number("NaN"), "numeric(18,4)", "not_a_number", "NaN"),
        (number("100000000000000"), "numeric(18,4)", "number_out_of_range", "100000000000000"),
        (number("99999999999999.99995"), "numeric(18,4)", "number_out_of_range", "99999999999999.99995"),
        (number("32768"), "smallint", "number_out_of_range", "32768"),
        (number("2147483648"), "integer", "number_out_of_range", "2147483648"),
        (number("9223372036854775808"), "bigint", "number_out_of_range", "9223372036854775808"),
        (number("1.5"), "integer", "not_an_integer", "1.5"),
        (dated("0"), "date", "not_a_date", "00:00:00"),
        (number("45351"), "date", "not_a_date", "45351"),
        (dated("60"), "date", "not_a_date", "60"),
        (dated("2958466"), "date", "not_a_date", "2958466"),
        (dated("-1"), "date", "not_a_date", "-1"),
        (' s="1"><v>45351.5</v>', "date", "not_a_date", "2024-02-29 12:00:00"),
        (text("2024-02-29"), "date", "not_a_date", "2024-02-29"),
        (' t="d"><v>10:10:10</v>', "timestamp", "not_a_date", "10:10:10"),
        (number("1"), "boolean", "not_a_boolean", "1"),
        (text("TRUE"), "boolean", "not_a_boolean", "TRUE"),
        (text("abcdef"), "varchar(5)", "text_too_long", "abcdef"),
        (' t="e"><v>#DIV/0!</v>', "integer", "error_cell", "#DIV/0!"),
        (' t="e"><v>#N/A</v>', "text", "error_cell", "#N/A"),
        ("><f>A1+1</f>", "integer", "formula_without_value", "=A1+1"),
        ("><f>A1+1</f><v></v>", "text", "formula_without_value", "=A1+1"),
        (' t="str"><f>A1</f><v></v>', "text", "blank_value", None),
    ],
)
def test_a_cell_of_another_kind_is_rejected(
    body: str, kind: str, reason: str, raw: str | None, tmp_path: Path
) -> None:
    row = read(tmp_path, body, kind)
    assert (row["reason"], row["raw"], row["column"], row["cell"]) == (reason, raw, "v", "A2")
    assert reason in CELLS


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (text(" ", keep=True), "blank_key"),
        (number("1234567890123456"), "key_too_long_number"),
        (number("0.1234567890123456"), "key_too_long_number"),
        (' t="e"><v>#N/A</v>', "error_cell"),
    ],
)
def test_a_key_that_is_none(body: str, reason: str, tmp_path: Path) -> None:
    assert read(tmp_path, body, "text", key=True)["reason"] == reason


@pytest.mark.parametrize(
    ("digits", "value"), [("0", date(1904, 1, 1)), ("60", date(1904, 3, 1)), ("43889", date(2024, 2, 29))]
)
def test_the_1904_date_system(digits: str, value: date, tmp_path: Path) -> None:
    assert read(tmp_path, dated(digits), "date", date1904=True)["v"] == value


def test_a_blank_that_is_not_required_is_null(tmp_path: Path) -> None:
    row = read(tmp_path, "/><c r='C2'>", "integer", required=False)
    assert (row["v"], row["reason"]) == (None, None)


@pytest.mark.parametrize(
    ("content", "kind", "decimal", "thousands", "value"),
    [
        ("-1.234.567,5", "numeric(18,4)", ",", ".", Decimal("-1234567.5000")),
        ("1234567,5", "numeric(18,4)", ",", ".", Decimal("1234567.5000")),
        ("1.234", "integer", ",", ".", 1234),
        ("1 234 567", "integer", ".", " ", 1234567),
        ("1'234.5", "double precision", ".", "'", 1234.5),
        ("1,5E3", "numeric(18,4)", ",", "", Decimal("1500.0000")),
        ("2024-02-29", "date", ".", "", date(2024, 2, 29)),
        ("true", "boolean", ".", "", True),
        # what is written otherwise than declared
        ("1.23,4", "numeric(18,4)", ",", ".", None),
        ("1.2345", "integer", ",", ".", None),
        ("12.34.567", "integer", ",", ".", None),
        (".234", "integer", ",", ".", None),
        ("1,234.5", "numeric(18,4)", ",", ".", None),
        ("1,234", "integer", ".", "", None),
        ("1.234,5.6", "numeric(18,4)", ",", ".", None),
        ("12 EUR", "numeric(18,4)", ".", " ", None),
    ],
)
def test_text_is_a_number_only_as_declared(
    content: str, kind: str, decimal: str, thousands: str, value: object, tmp_path: Path
) -> None:
    path = sheetxml.write(
        tmp_path / "w.xlsx",
        sheetxml.sheet(sheetxml.text_row(1, ["v", "other"]) + cell(text(content, keep=True))),
    )
    field = expected.field("v", kind)
    written = TextFormat(decimal, thousands)
    fields = [replace(field, parse_text=True, text_format=written), expected.field("other", "integer")]
    _, (row,) = expected.split(path, fields)
    assert (row["v"], row["reason"] is None) == (value, value is not None)
    assert row["raw"] == (None if value is not None else content)
    _, (row,) = expected.split(path, [field, fields[1]])
    assert row["reason"] in ("not_a_number", "not_a_date", "not_a_boolean")
