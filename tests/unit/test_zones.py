"""Times by the clocks of a zone: one moment, or none, or two, as a search over the moments themselves finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factload.postgres.arrays import array_text
from factload.sheet.block import Column, Kind
from factload.sheet.codes import REASON_OF
from factload.sheet.convert import convert
from factload.sheet.dates import GREGORIAN
from factload.sheet.field import SheetField
from factload.sql_types import parse_sql_type
from factload.vectors import texts

BERLIN = "Europe/Berlin"


def read(cells: list[tuple[Kind, str]], zone: str) -> list[object]:
    """The moments, or the reasons why there are none."""
    field = SheetField("v", "V", "value", parse_sql_type("timestamptz"), parse_text=True, timezone=zone)
    column = Column(np.array([kind for kind, _ in cells], np.uint8), texts(text for _, text in cells))
    values, codes = convert(column, np.zeros(len(cells), np.bool_), field, calendar=GREGORIAN)
    assert values.type == pa.timestamp("us", "UTC")
    return [REASON_OF[c] if c else v for v, c in zip(values.to_pylist(), codes.tolist(), strict=True)]


def moments_shown_as(local: datetime, zone: str) -> list[datetime]:
    """Every moment at which the clocks of the zone show this, tried with all offsets of the days around it."""
    there = ZoneInfo(zone)
    about = local.replace(tzinfo=UTC)
    offsets = {(about + timedelta(hours=h)).astimezone(there).utcoffset() for h in range(-48, 49)}
    tried = {about - offset for offset in offsets if offset is not None}
    return [moment for moment in sorted(tried) if moment.astimezone(there).replace(tzinfo=None) == local]


@settings(deadline=None, max_examples=150)
@given(
    st.one_of(
        st.datetimes(datetime(1950, 1, 1), datetime(2037, 1, 1)),
        st.datetimes(datetime(2026, 3, 28, 22), datetime(2026, 3, 29, 6)),
        st.datetimes(datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 6)),
        st.datetimes(datetime(2018, 11, 3, 20), datetime(2018, 11, 4, 3)),
    ),
    st.sampled_from(
        [BERLIN, "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC"]
    ),
)
def test_a_time_is_the_one_moment_at_which_the_clocks_show_it(local: datetime, zone: str) -> None:
    moments = moments_shown_as(local, zone)
    expected = moments[0] if len(moments) == 1 else "ambiguous_time" if moments else "nonexistent_time"
    assert read([(Kind.TEXT, local.isoformat())], zone) == [expected]


def test_an_offset_says_which_of_two_times_is_meant() -> None:
    twice = [(Kind.TEXT, f"2026-10-25T02:30{offset}") for offset in ("", "+02:00", "+01:00", "Z")]
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert read(twice, BERLIN) == [
        "ambiguous_time",
        first,
        first + timedelta(hours=1),
        first + timedelta(hours=2),
    ]


def test_a_date_of_the_sheet_is_told_by_the_clocks_of_the_zone() -> None:
    cells = [(Kind.SERIAL, "46331.5"), (Kind.TEXT, "2026-11-05"), (Kind.TEXT, "0001-01-01"), (Kind.TEXT, "x")]
    noon, midnight = datetime(2026, 11, 5, 11, tzinfo=UTC), datetime(2026, 11, 4, 23, tzinfo=UTC)
    assert read(cells, BERLIN) == [noon, midnight, "not_a_date", "not_a_date"]


@pytest.mark.parametrize("zone", ["UTC", None])
def test_the_text_of_a_moment_says_its_zone(zone: str | None) -> None:
    moments = pa.array([1_000_000, None], pa.timestamp("us", zone))
    assert array_text(moments) == "{1970-01-01 00:00:01.000000" + ("Z" if zone else "") + ",NULL}"
