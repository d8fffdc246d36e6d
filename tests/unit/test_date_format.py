"""Texts that write a date as a feed declares: what Python's calendar reads of the same text is what comes out."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factload.sheet.block import Column, Kind
from factload.sheet.convert import convert
from factload.sheet.date_format import parse_date_format
from factload.sheet.dates import GREGORIAN
from factload.sheet.field import SheetField
from factload.sheet.text_format import TextFormat
from factload.sql_types import parse_sql_type
from factload.vectors import texts

_FORMATS = [
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%Y%m%d",
    "%d-%m-%y",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y, %H:%M:%S",
    "%Y%m%dT%H%M%S",
    "%d-%b-%Y",
    "%B %d, %Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S.%f",
    "%d%b%y",
    "%b %y",
    "%B %Y",
    "%Y-%m",
    "%Y%m",
]


def read(written: list[str], date_format: str, kind: str = "timestamp") -> list[object]:
    field = SheetField(
        "v", "V", "value", parse_sql_type(kind), parse_text=True, text_format=TextFormat(date=date_format)
    )
    column = Column(np.full(len(written), Kind.TEXT, np.uint8), texts(written))
    values, codes = convert(column, np.zeros(len(written), np.bool_), field, calendar=GREGORIAN)
    return [None if code else value for value, code in zip(values.to_pylist(), codes.tolist(), strict=True)]


@settings(deadline=None)
@given(
    st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), min_size=1, max_size=6),
    st.sampled_from(_FORMATS),
)
def test_a_date_is_read_as_its_format_says(moments: list[datetime], date_format: str) -> None:
    written = [moment.strftime(date_format) for moment in moments]
    assert read(written, date_format) == [datetime.strptime(text, date_format) for text in written]


@settings(deadline=None)
@given(st.lists(st.text("0123456789./- T:", min_size=1, max_size=11), min_size=1, max_size=6))
def test_what_the_format_does_not_write_is_no_date(written: list[str]) -> None:
    for text, value in zip(written, read(written, "%d.%m.%Y", "date"), strict=True):
        try:
            day = datetime.strptime(text.strip(" "), "%d.%m.%Y").date()
        except ValueError:
            day = None
        if value is not None or len(text.strip(" ").rpartition(".")[2]) == 4:
            assert value == day


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("31.02.2026", "%d.%m.%Y"),  # a day that never was
        ("2026-11-05", "%d.%m.%Y"),  # ISO 8601, where another way is declared
        ("05.11.26", "%d.%m.%Y"),
        ("5.11.2026 10:30", "%d.%m.%Y"),
        ("13/25/2026", "%m/%d/%Y"),
        ("2026115", "%Y%m%d"),
        ("\u0660\u0665.11.2026", "%d.%m.%Y"),
        ("5-Sept-2026", "%d-%b-%Y"),
        ("5-November-2026", "%d-%b-%Y"),
        ("5-Mai-2026", "%d-%b-%Y"),
        ("05.11.2026 13:30 pm", "%d.%m.%Y %I:%M %p"),
        ("05.11.2026 00:30 am", "%d.%m.%Y %I:%M %p"),
    ],
)
def test_no_date_is_guessed(text: str, date_format: str) -> None:
    assert read([text, "x"], date_format, "date") == [None, None]


def test_one_digit_is_enough_where_something_parts_it() -> None:
    assert [str(day) for day in read(["5.1.2026", " 05.01.2026 "], "%d.%m.%Y", "date")] == ["2026-01-05"] * 2


@pytest.mark.parametrize(
    "date_format",
    [
        "",
        "%d.%m",
        "dd.mm.yyyy",
        "%d %m %b %Y",
        "%d.%m.%Y %Z",
        "%d.%d.%Y",
        "%d.%m.%Y %S",
        "%Y-%j",
        "100%",
        "%d.%m.%Y %I:%M",
        "%d.%m.%Y %H:%M %p",
        "%d.%m.%Y %z",
        "%d.%m.%Y %H:%M.%f",
    ],
)
def test_a_format_that_leaves_a_day_open_is_refused(date_format: str) -> None:
    with pytest.raises(ValueError, match=r"expected %d, %m \(or %b, %B\) and %Y"):
        parse_date_format(date_format)


def test_names_of_months_and_halves_of_a_day_are_read_in_any_case() -> None:
    assert [str(day) for day in read(["05-NOV-2026", "5-nov-2026"], "%d-%b-%Y", "date")] == ["2026-11-05"] * 2
    noon = read(["5.11.2026 12:00 AM", "5.11.2026 12:00 p.m.", "5.11.2026 1:00 PM"], "%d.%m.%Y %I:%M %p")
    assert [str(moment) for moment in noon] == [
        "2026-11-05 00:00:00",
        "2026-11-05 12:00:00",
        "2026-11-05 13:00:00",
    ]
