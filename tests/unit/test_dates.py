"""Serial dates by vector against the same dates one by one, from their digits."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from factload.sheet.dates import serial_micros, serial_millis
from factload.vectors import texts

DIGITS = st.one_of(
    st.integers(0, 3_000_000).map(str),
    st.decimals(0, 140_000, places=12).map(lambda number: format(number, "f")),
    st.decimals(0, 60_000, places=3).map(lambda number: format(number, "f")),
    st.floats(0, 140_000).map(repr),
    st.builds(  # half a millisecond, as near to a tie as doubles come
        lambda day, half: repr(day + (half + 0.5) / 86_400_000),
        st.integers(61, 60_000),
        st.integers(0, 10_000),
    ),
)


@given(st.lists(DIGITS, min_size=1, max_size=20), st.booleans())
def test_what_is_certain_is_what_the_digits_say(digits: list[str], date1904: bool) -> None:
    micros, certain = serial_micros(texts(digits), date1904=date1904)
    for raw, found, sure in zip(digits, micros.tolist(), certain.tolist(), strict=True):
        if sure:
            millis = serial_millis(Decimal(raw), date1904=date1904)
            assert millis is not None
            assert found == millis * 1000


def test_common_dates_are_certain() -> None:
    _, certain = serial_micros(texts(["45000", "45000.5", "36526.000011574", "63"]), date1904=False)
    assert certain.all()


def test_what_is_no_common_date_is_left() -> None:
    micros, certain = serial_micros(texts(["45000", None, "60", "0.5", "2958465", "-3"]), date1904=False)
    assert certain.tolist() == [True, False, False, False, False, False]
    assert not np.delete(micros, 0).any()
    assert not serial_micros(texts(["45000", "soon"]), date1904=False)[1].any()
