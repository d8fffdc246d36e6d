"""What a cell's value means to a person who looks at Excel: 15 digits, dates and numbers apart, times without a day."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factload.reasons import CELLS
from factload.sheet.block import Column, Kind
from factload.sheet.codes import CODES
from factload.sheet.convert import convert
from factload.sheet.dates import GREGORIAN, Calendar, iso_micros, iso_time, shown, shown_time
from factload.sheet.doubles import as_excel_shows, may_be_cut, shown_text, without_noise
from factload.sheet.field import SheetField
from factload.sheet.xlsx.number_formats import date_styles, shown_as
from factload.vectors import texts
from tests import expected, oracle, sheetxml

REASONS = {code: reason for reason, code in CODES.items()}


def values(
    raws: list[str], one: SheetField, kind: Kind = Kind.NUMBER, calendar: Calendar = GREGORIAN
) -> list[Any]:
    """What becomes of cells of a kind: a value, or the reason why none does."""
    column = Column(np.full(len(raws), kind, np.uint8), texts(raws))
    found, codes = convert(column, np.zeros(len(raws), np.bool_), one, calendar=calendar)
    pairs = zip(found.to_pylist(), codes.tolist(), strict=True)
    return [REASONS[code] if code else value for value, code in pairs]


def value(raw: str, kind: str, of: Kind = Kind.NUMBER, **options: Any) -> Any:
    calendar = options.pop("calendar", GREGORIAN)
    return values([raw], expected.field("v", kind, **options), of, calendar)[0]


# What Excel writes of numbers that people typed, and of what it calculated.


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("1.1000000000000001", "1.1"),
        ("0.28999999999999998", "0.29"),
        ("1.1499999999999999", "1.15"),
        ("-19.989999999999998", "-19.99"),
        ("4.3499999999999997E-3", "0.00435"),
        ("1.0000000000000001E-5", "0.00001"),
        ("99.999999999999986", "100"),  # 1.1 * 90.9090…: one double below
        ("3.0000000000000004", "3"),
        ("0.30000000000000004", "0.3"),
        ("0.7999999999999999", "0.8"),  # the shortest text, as Python writes it
        ("435.00000000000005", "435"),  # Excel's last digit may be the next one: a double's is ...06
    ],
)
def test_a_number_is_what_excel_shows_of_it(written: str, seen: str) -> None:
    assert value(written, "text") == seen
    assert value(written, "text", key=True) == seen
    assert value(written, "numeric(38,12)") == Decimal(seen)
    whole = Decimal(seen) == int(Decimal(seen))
    assert value(written, "bigint") == (int(Decimal(seen)) if whole else "not_an_integer")
    assert value(written, "double precision") == float(written)


@pytest.mark.parametrize(
    ("written", "kind", "rounded"),
    [
        ("2.6749999999999998", "numeric(18,2)", "2.68"),
        ("1.0049999999999999", "numeric(18,2)", "1.00"),  # half to even
        ("1.0149999999999999", "numeric(18,2)", "1.02"),
        ("0.14499999999999999", "numeric(18,2)", "0.14"),
        ("1234.5674999999999", "numeric(18,3)", "1234.568"),
        ("8.574999999999998", "numeric(18,2)", "8.58"),  # one double below 8.575, in the shortest text
        ("2.4999999999999996", "numeric(5,0)", "2"),
        ("3.4999999999999996", "numeric(5,0)", "4"),
        # Digits that are more than the noise of a double are the file's own.
        ("2.67499999999999", "numeric(18,2)", "2.67"),
        ("2.6749999999999", "numeric(18,2)", "2.67"),
        ("12345678901234.54", "numeric(38,0)", "12345678901235"),
        ("12345678901234.56", "numeric(18,2)", "12345678901234.56"),
        ("123456789012.3456", "numeric(18,4)", "123456789012.3456"),
        ("600000000000.0001", "numeric(18,4)", "600000000000.0001"),
        ("0.1234567890123456", "numeric(38,16)", "0.1234567890123456"),
        ("1234567890.12345678901234567890", "numeric(38,20)", "1234567890.12345678901234567890"),
        ("0.12345678901234567", "numeric(38,17)", "0.12345678901234567"),
        (
            "123456789012345678901234567890.12345678",
            "numeric(38,8)",
            "123456789012345678901234567890.12345678",
        ),
    ],
)
def test_an_exact_column_loses_noise_and_nothing_else(written: str, kind: str, rounded: str) -> None:
    assert value(written, kind) == Decimal(rounded)


@settings(deadline=None)
@given(st.decimals(-(10**9), 10**9, places=6), st.integers(-4, 4), st.integers(0, 8))
@example(Decimal("2.675"), 0, 2)
@example(Decimal("8.575"), -1, 2)
def test_noise_never_decides_a_half(number: Decimal, steps: int, scale: int) -> None:
    double = float(number) + steps * math.ulp(float(number))
    wanted = Decimal(f"{double:.15g}")
    if abs(double - float(wanted)) <= 4 * math.ulp(double):
        found = value(f"{double:.17g}", f"numeric(38,{scale})")
        assert found == oracle.quantized(wanted, scale)


@settings(deadline=None)
@given(st.decimals(-(10**12), 10**12, places=8).map(lambda n: f"{n:f}"), st.integers(0, 8))
def test_decimals_of_more_digits_than_a_doubles_stay_exact(written: str, scale: int) -> None:
    if len(written.strip("-").replace(".", "").strip("0")) > 17:
        assert value(written, f"numeric(38,{scale})") == oracle.quantized(written, scale)


@settings(deadline=None)
@given(st.floats(-1e15, 1e15).map(lambda d: f"{d:.17g}") | st.floats(-1e15, 1e15).map(repr))
@example("0.99999999999999989")
@example("0.99999999999999988")
@example("123456789012345.67")
def test_what_is_shown_is_the_same_by_digits_and_at_once(written: str) -> None:
    number = Decimal(written)
    assert as_excel_shows(number) == oracle.as_excel_shows(written)
    assert without_noise(number, 2) == oracle.for_column(written, 2)
    at_once = shown_text(written, certain=False)
    assert at_once is None or Decimal(at_once) == as_excel_shows(number)


def test_texts_of_numbers_keep_their_digits() -> None:
    """A csv file, or a cell of text: nothing says that a double wrote it."""
    one = replace(expected.field("v", "numeric(38,16)"), parse_text=True)
    assert values(["2.6749999999999998"], one, Kind.TEXT) == [Decimal("2.6749999999999998")]
    one = replace(expected.field("v", "bigint"), parse_text=True)
    assert values(["1234567890123450", "11.000000000000002"], one, Kind.TEXT) == [
        1234567890123450,
        "not_an_integer",
    ]


# Long whole numbers.


@pytest.mark.parametrize(
    "typed",
    [
        "1234567890123450",
        "-1234567890123450",
        "1.23456789012345E+15",
        "1234567890123456",
        "4000000000000000",
        "4.0063813339310002E+17",
        "12345678901234500000",
        "1E15",
        "123456789012345.67",  # 15 digits of it are another number
        "0.1234567890123456",
        "1234567890.12345678901",
    ],
)
def test_a_key_of_more_digits_than_excel_keeps_is_a_reject(typed: str) -> None:
    assert value(typed, "text", key=True) == "key_too_long_number"


@pytest.mark.parametrize(
    "typed", ["999999999999999", "-123456789012345", "0.123456789012345", "12345678.9012345"]
)
def test_a_key_of_fifteen_digits_is_whole(typed: str) -> None:
    assert value(typed, "text", key=True) == typed


@pytest.mark.parametrize(
    ("typed", "certain"),
    [
        ("1234567890123450", False),  # 1234567890123456, typed into Excel
        ("1.23456789012345E+15", False),
        ("-1000000000000000", False),
        ("4.0063813339310002E+17", False),  # a double's 17 digits
        ("1.234567890123457E18", False),
        ("12345678901234567", False),
        ("1234567890123456789E0", True),
        ("999999999999999", True),
        ("1234567890123456", True),  # below 2^53 each whole number is a double
        ("9223372036854775807", True),
        ("-9223372036854775808", True),
        ("1234567890123456789", True),
    ],
)
def test_a_whole_number_that_may_be_cut_is_a_reject(typed: str, certain: bool) -> None:
    whole = int(Decimal(typed))
    assert value(typed, "bigint") == (whole if certain else "number_may_be_cut")
    assert value(typed, "text") == (str(whole) if certain else "number_may_be_cut")
    assert value(typed, "numeric(38,0)") == whole


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1))
@example(-(2**63))
@example(2**53 + 1)
def test_whole_numbers_are_judged_alike_many_at_once_and_alone(number: int) -> None:
    cut = may_be_cut(Decimal(number))
    assert cut == oracle.may_be_cut(Decimal(number))
    assert values([str(number), "7"], expected.field("v", "bigint")) == [
        "number_may_be_cut" if cut else number,
        7,
    ]


# Dates and numbers.


@pytest.mark.parametrize("kind", ["numeric(18,4)", "bigint", "double precision"])
@pytest.mark.parametrize("of", [Kind.SERIAL, Kind.TIME, Kind.ELAPSED])
def test_a_date_is_no_number_unless_the_feed_says_so(kind: str, of: Kind) -> None:
    assert value("45292", kind, of) == "not_a_number"
    assert value("45292", kind, of, serials=True) == 45292


@pytest.mark.parametrize("kind", ["date", "timestamp"])
@pytest.mark.parametrize("typed", ["2024", "150", "1500.0", "45292", "3"])
def test_a_number_is_no_date_unless_the_feed_says_so(kind: str, typed: str) -> None:
    assert value(typed, kind) == "not_a_date"
    counted = value(typed, kind, serials=True)
    assert counted == value(typed, kind, Kind.SERIAL) != "not_a_date"


def test_counted_days_follow_the_date_system() -> None:
    assert value("0", "date", serials=True) == "not_a_date"
    assert value("0", "date", serials=True, calendar=Calendar(date1904=True)) == date(1904, 1, 1)
    assert value("43831", "date", serials=True, calendar=Calendar(date1904=True)) == date(2024, 1, 2)


@pytest.mark.parametrize(
    ("serial", "day"),
    [
        ("41551.9999998", date(2013, 10, 5)),
        ("41551.99999421297", date(2013, 10, 5)),  # half a second before midnight
        ("41551.999994", "not_a_date"),
        ("41551.0000001", date(2013, 10, 4)),
        ("41551.0000058", "not_a_date"),
        ("2958465.9999999", "not_a_date"),  # there is no day after it
    ],
)
def test_a_date_that_misses_its_midnight_by_less_than_excel_shows(serial: str, day: object) -> None:
    assert value(serial, "date", Kind.SERIAL) == day


# Times without a day.


@pytest.mark.parametrize(
    ("serial", "of", "seen"),
    [
        ("0.51388888888888884", Kind.TIME, "12:20:00"),
        ("0.51388888888888884", Kind.SERIAL, "12:20:00"),
        ("0", Kind.TIME, "00:00:00"),
        ("0.999988425925926", Kind.TIME, "23:59:59"),
        ("0.99999999999", Kind.TIME, "00:00:00"),
        ("0.0000173611111", Kind.TIME, "00:00:01.500"),
        ("1.0625", Kind.ELAPSED, "25:30:00"),
        ("0.5", Kind.ELAPSED, "12:00:00"),
        ("41.708333333333336", Kind.ELAPSED, "1001:00:00"),
        ("45292.0625", Kind.TIME, "2024-01-01 01:30:00"),  # the day is there, though the format hides it
        ("-0.5", Kind.TIME, "-0.5"),
        ("12:20:00", Kind.ISO_DATE, "12:20:00"),
        ("09:05", Kind.ISO_DATE, "09:05:00"),
        ("12:00:00.000", Kind.ISO_DATE, "12:00:00"),
        ("PT12H20M0.000S", Kind.ISO_DATE, "12:20:00"),
        ("PT30H", Kind.ISO_DATE, "30:00:00"),
        ("P1DT1H30M", Kind.ISO_DATE, "25:30:00"),
        ("PT", Kind.ISO_DATE, "PT"),
        ("25:00", Kind.ISO_DATE, "25:00"),
    ],
)
def test_a_time_is_read_as_it_is_shown(serial: str, of: Kind, seen: str) -> None:
    assert value(serial, "text", of) == seen
    assert value(serial, "text", of, key=True) == seen


@pytest.mark.parametrize("kind", ["date", "timestamp"])
@pytest.mark.parametrize(
    ("raw", "of"),
    [
        ("0.5", Kind.TIME),
        ("0.5", Kind.SERIAL),
        ("1.0625", Kind.ELAPSED),
        ("45292.5", Kind.ELAPSED),
        ("12:20:00", Kind.ISO_DATE),
        ("PT12H20M", Kind.ISO_DATE),
    ],
)
def test_a_time_without_a_day_is_no_date(kind: str, raw: str, of: Kind) -> None:
    assert value(raw, kind, of) == "not_a_date"
    assert value(raw, kind, of, serials=True) == "not_a_date"


def test_a_time_of_day_in_the_1904_system_is_no_moment_of_its_first_day() -> None:
    system = Calendar(date1904=True)
    assert value("0.5", "timestamp", Kind.TIME, calendar=system) == "not_a_date"
    assert value("0.5", "text", Kind.TIME, calendar=system) == "12:00:00"
    assert value("0.5", "timestamp", Kind.SERIAL, calendar=system) == datetime(1904, 1, 1, 12)


# ISO texts of Strict workbooks.


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2014-01-16T15:59:59.99999979045242400", datetime(2014, 1, 16, 16)),
        ("2009-05-08T11:01:02.00000024400651375", datetime(2009, 5, 8, 11, 1, 2)),
        (
            "2009-05-08T11:01:02.1234567",
            datetime(2009, 5, 8, 11, 1, 2, 123000),
        ),  # a binary fraction: milliseconds
        ("2009-05-08T11:01:02.123456", datetime(2009, 5, 8, 11, 1, 2, 123456)),
        ("2009-12-31T23:59:59.9999999", datetime(2010, 1, 1)),
    ],
)
def test_a_strict_moment_with_many_digits(raw: str, moment: datetime) -> None:
    assert value(raw, "timestamp", Kind.ISO_DATE) == moment
    assert value(raw, "text", Kind.ISO_DATE) == moment.isoformat(sep=" ").removesuffix(" 00:00:00")


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("1899-12-30", "not_a_date"),
        ("1899-12-31", date(1900, 1, 1)),
        ("1900-02-27", date(1900, 2, 28)),
        ("1900-02-28", "not_a_date"),  # the day that never was
        ("1900-03-01", date(1900, 3, 1)),
        ("2024-02-29", date(2024, 2, 29)),
    ],
)
def test_a_strict_workbooks_first_days(raw: str, day: object) -> None:
    assert value(raw, "date", Kind.ISO_DATE, calendar=Calendar(strict=True)) == day
    if "1900-" in raw:
        assert value(raw, "date", Kind.ISO_DATE) == date.fromisoformat(raw)
        assert value(raw, "date", Kind.ISO_DATE, calendar=Calendar(date1904=True, strict=True)) == (
            date.fromisoformat(raw)
        )


def test_a_workbook_is_strict_by_its_own_vocabulary(tmp_path: Path) -> None:
    rows = sheetxml.text_row(1, ["d"]) + '<row r="2"><c r="A2" t="d"><v>1899-12-31</v></c></row>'
    loose = sheetxml.write(tmp_path / "loose.xlsx", sheetxml.sheet(rows))
    assert expected.split(loose, [expected.field("d", "date")])[1][0]["d"] == date(1899, 12, 31)
    strict = sheetxml.write(
        tmp_path / "strict.xlsx",
        sheetxml.sheet(rows, namespace=sheetxml.STRICT),
        extra={"xl/workbook.xml": strict_workbook(loose)},
    )
    assert expected.split(strict, [expected.field("d", "date")])[1][0]["d"] == date(1900, 1, 1)


def strict_workbook(path: Path) -> bytes:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return archive.read("xl/workbook.xml").replace(
            sheetxml.TRANSITIONAL.encode(), sheetxml.STRICT.encode()
        )


@settings(deadline=None)
@given(
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
    st.text("0123456789", min_size=1, max_size=20),
)
def test_fractions_are_rounded_half_to_even(moment: datetime, digits: str) -> None:
    text = f"{moment.replace(microsecond=0).isoformat()}.{digits}"
    wanted = oracle.iso_moment(text, strict=False)
    found = iso_micros(text)
    assert wanted is not None
    assert found is not None
    assert shown(found) == expected.iso(wanted)


@settings(deadline=None)
@given(st.integers(0, 10**13))
def test_a_time_that_is_shown_is_read_again(micros: int) -> None:
    text = shown_time(micros)
    if micros < 24 * 3600 * 1_000_000:
        assert iso_time(text) == micros


# Number formats.


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", Kind.NUMBER),
        ("0.00E+00", Kind.NUMBER),
        ('0" days"', Kind.NUMBER),
        ("[Red]0.00", Kind.NUMBER),
        ("yyyy\\-mm\\-dd", Kind.SERIAL),
        ("d.m", Kind.SERIAL),
        ("mmm", Kind.SERIAL),
        ("m/d/yy h:mm", Kind.SERIAL),
        ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", Kind.SERIAL),
        ("h:mm", Kind.TIME),
        ("[$-F400]h:mm:ss\\ AM/PM", Kind.TIME),
        ("mm:ss.0", Kind.TIME),
        ("[h]:mm:ss", Kind.ELAPSED),
        ("[mm]:ss", Kind.ELAPSED),
        ("[ss]", Kind.ELAPSED),
    ],
)
def test_what_a_format_shows(code: str, kind: Kind) -> None:
    assert shown_as(code) == kind


def test_built_in_formats_of_every_language() -> None:
    ids = "".join(f'<xf numFmtId="{i}"/>' for i in range(100))
    styles = date_styles(
        f'<styleSheet xmlns="{sheetxml.TRANSITIONAL}"><cellXfs>{ids}</cellXfs></styleSheet>'.encode()
    )
    assert {i for i, kind in styles.items() if kind == Kind.ELAPSED} == {46, 79}
    assert {i for i, kind in styles.items() if kind == Kind.TIME} == {
        18,
        19,
        20,
        21,
        32,
        33,
        45,
        47,
        75,
        76,
        78,
        80,
    }
    dates = {14, 15, 16, 17, 22, *range(27, 32), *range(34, 37), *range(50, 59), *range(71, 75), 77, 81}
    assert {i for i, kind in styles.items() if kind == Kind.SERIAL} == dates


# Headers.


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("><v>2024.0</v>", "2024"),
        ("><v>2024</v>", "2024"),
        ("><v>1.1000000000000001</v>", "1.1"),
        (' s="2"><v>45292</v>', "2024-01-01"),
        (' s="2" t="d"><v>2024-01-01T00:00:00</v>', "2024-01-01"),
        (' s="4"><v>0.5</v>', "12:00:00"),
        (' t="b"><v>1</v>', "TRUE"),
    ],
)
def test_a_header_is_named_as_it_is_read(header: str, name: str, tmp_path: Path) -> None:
    xml = f'<row r="1"><c r="A1"{header}</c></row><row r="2"><c r="A2"><v>5</v></c></row>'
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(xml))
    assert expected.split(path, [expected.field(name, "integer")])[1][0][name] == 5


def test_every_reason_here_is_known() -> None:
    assert {"number_may_be_cut", "key_too_long_number", "not_a_date", "not_a_number"} <= set(CELLS)
