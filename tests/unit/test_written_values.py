"""Texts that write values: offsets, fractions of a second, groups of thousands, and the white space around them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factload.dimension.normalize import normalize
from factload.feed.normalize_steps import parse_steps
from factload.sheet.block import Column, Kind, is_blank_text
from factload.sheet.codes import CODES
from factload.sheet.convert import convert
from factload.sheet.dates import GREGORIAN
from factload.sheet.text_format import TextFormat
from factload.vectors import texts
from tests import expected

REASONS = {code: reason for reason, code in CODES.items()}
WHITE = ["\u00a0", "\u202f", "\u2003", "\u3000", "\u200b", "\ufeff", "\u2060", "\t", " ", "\u2028"]


def value(written: str, kind: str, of: Kind = Kind.TEXT, **options: Any) -> Any:
    one = replace(expected.field("v", kind), parse_text=kind != "text", **options)
    column = Column(np.array([of], np.uint8), texts([written]))
    found, codes = convert(column, is_blank_text(column.text), one, calendar=GREGORIAN)
    return REASONS[int(codes[0])] if codes[0] else found[0].as_py()


@pytest.mark.parametrize("offset", ["Z", "+00:00", "+01:00", "-0330", "+05"])
@pytest.mark.parametrize("of", [Kind.TEXT, Kind.ISO_DATE])
def test_an_offset_is_never_dropped(offset: str, of: Kind) -> None:
    for kind in ("timestamp", "date"):
        assert value(f"2026-11-05T10:30{offset}", kind, of) == "not_a_date"
        assert value(f"2026-11-05T10:30:15.25{offset}", kind, of) == "not_a_date"


@pytest.mark.parametrize(
    ("written", "zone", "moment"),
    [
        ("2026-11-05T10:30Z", "UTC", datetime(2026, 11, 5, 10, 30)),
        ("2026-11-05 10:30:00+00", "UTC", datetime(2026, 11, 5, 10, 30)),  # as PostgreSQL writes it
        ("2026-11-05T10:30Z", "Europe/Berlin", datetime(2026, 11, 5, 11, 30)),
        ("2026-07-05T10:30Z", "Europe/Berlin", datetime(2026, 7, 5, 12, 30)),
        ("2026-11-05T10:30-0330", "UTC", datetime(2026, 11, 5, 14, 0)),
        ("2026-11-05T23:30:00.5+05:45", "Asia/Kathmandu", datetime(2026, 11, 5, 23, 30, 0, 500000)),
        ("2026-11-05T10:30", "Asia/Tokyo", datetime(2026, 11, 5, 10, 30)),  # no offset: the clocks' own
        ("0001-01-01T00:00+05:00", "UTC", "not_a_date"),
        ("2026-11-05T10:30+25:00", "UTC", "not_a_date"),
    ],
)
def test_an_offset_is_told_by_the_declared_clocks(written: str, zone: str, moment: object) -> None:
    assert value(written, "timestamp", timezone=zone) == moment
    if "T" in written:
        assert value(written, "timestamp", Kind.ISO_DATE, timezone=zone) == moment


def test_a_date_of_an_offset_is_a_midnight_of_the_declared_clocks() -> None:
    assert value("2026-11-04T23:00Z", "date", timezone="Europe/Berlin") == date(2026, 11, 5)
    assert value("2026-11-05T00:00Z", "date", timezone="Europe/Berlin") == "not_a_date"


@settings(deadline=None)
@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata"]),
)
def test_offsets_are_added_as_clocks_do(moment: datetime, minutes: int, zone: str) -> None:
    local = moment.replace(microsecond=0)
    sign, (hour, minute) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    wanted = (local - timedelta(minutes=minutes)).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    found = value(f"{local.isoformat()}{sign}{hour:02}:{minute:02}", "timestamp", timezone=zone)
    assert found == wanted.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("fraction", "micros"),
    [
        (".999999999", 1_000_000),
        (".1234565", 123_456),  # a half: to even
        (".1234575", 123_458),
        (".12345650000000000000001", 123_457),
        (".5", 500_000),
    ],
)
def test_fractions_of_a_second_are_rounded_to_microseconds(fraction: str, micros: int) -> None:
    wanted = datetime(2026, 11, 5, 10, 30, 15) + timedelta(microseconds=micros)
    assert value(f"2026-11-05T10:30:15{fraction}", "timestamp") == wanted


@settings(deadline=None)
@given(st.integers(0, 999), st.text("0123456789", min_size=3, max_size=3), st.sampled_from("+- "))
def test_thousands_do_not_begin_with_zero(first: int, group: str, sign: str) -> None:
    """A point between ``0`` and three digits is a fraction's, whatever the feed says of points."""
    german = TextFormat(",", ".")
    sign = sign.strip()
    for leading in (str(first), f"0{first}"):
        written = f"{sign}{leading}.{group}"
        wanted = Decimal(f"{sign}{first}{group}") if leading[0] != "0" else "not_a_number"
        assert value(written, "numeric(18,3)", text_format=german) == wanted


@pytest.mark.parametrize("written", ["0.005", "-0.001", "00.123", "000.250", "0.000.001"])
def test_a_group_of_zeros_is_no_group(written: str) -> None:
    assert value(written, "numeric(18,3)", text_format=TextFormat(",", ".")) == "not_a_number"
    assert value(written.replace(".", " "), "bigint", text_format=TextFormat(".", " ")) == "not_a_number"


@pytest.mark.parametrize(
    ("written", "number"), [("5.", "5"), (".5", "0.5"), ("-5.", "-5"), ("5.E2", "500"), (".", None)]
)
def test_a_number_may_begin_or_end_with_its_point(written: str, number: str | None) -> None:
    assert value(written, "numeric(18,3)") == ("not_a_number" if number is None else Decimal(number))
    european = written.replace(".", ",")
    assert value(european, "numeric(18,3)", text_format=TextFormat(",", ".")) == (
        "not_a_number" if number is None else Decimal(number)
    )


@settings(deadline=None)
@given(st.text(st.sampled_from(WHITE), max_size=3), st.text(st.sampled_from(WHITE), max_size=3))
def test_white_space_around_a_value_does_not_count(before: str, after: str) -> None:
    assert value(f"{before}1.5{after}", "numeric(5,2)") == Decimal("1.50")
    assert value(f"{before}7{after}", "integer") == 7
    assert value(f"{before}2026-11-05{after}", "date") == date(2026, 11, 5)
    assert value(f"{before}TRUE{after}", "boolean") is True


@pytest.mark.parametrize("white", [*WHITE, "  ", "\u200b\u00a0"])
def test_a_text_of_white_space_is_no_value_where_one_is_required(white: str) -> None:
    assert value(white, "text", required=True) == "blank_value"
    assert value(white, "text") == white  # as it stands
    assert value(white, "integer", required=True) == "blank_value"
    assert value(white, "integer") is None


@settings(deadline=None)
@given(st.text(st.sampled_from(WHITE), min_size=1, max_size=3))
def test_trim_and_collapse_spaces_see_the_same_white_space(white: str) -> None:
    def spelt(key: str, *steps: str) -> str | None:
        [found] = normalize(texts([key]), parse_steps(list(steps))).to_pylist()
        return found if found is None else str(found)

    without_width = set(white) <= {"\u200b", "\ufeff", "\u2060"}
    assert spelt(f"{white}A{white}", "trim") == "A"
    assert spelt(f"A{white}B", "collapse_spaces") == ("AB" if without_width else "A B")
    assert spelt(white, "trim") is None
    assert spelt(white) is None
