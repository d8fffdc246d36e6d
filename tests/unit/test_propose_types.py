"""The type that is proposed for a column: it takes every value seen, and is certain or a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factload.propose.column_types import Reading, reading_of
from factload.sheet.block import Column, Kind
from factload.sheet.codes import CODES
from factload.sheet.convert import convert
from factload.sheet.dates import GREGORIAN
from factload.sheet.field import SheetField
from factload.sheet.text_format import TextFormat
from factload.vectors import texts

Cell = tuple[Kind, str]


def read(
    cells: Sequence[Cell], header: str = "Quantity", *, all_text: bool = False, decimal: str | None = None
) -> Reading:
    return reading_of(header, Counter(cells), all_text=all_text, decimal=decimal)


def numbers(*values: object) -> list[Cell]:
    return [(Kind.NUMBER, str(value)) for value in values]


def written(*values: str) -> list[Cell]:
    return [(Kind.TEXT, value) for value in values]


_CELLS = st.one_of(
    st.tuples(st.just(Kind.NUMBER), st.integers(-(10**12), 10**12).map(str)),
    st.tuples(st.just(Kind.NUMBER), st.floats(-1e9, 1e9, allow_nan=False).map(repr)),
    st.tuples(st.just(Kind.SERIAL), st.integers(36_526, 47_000).map(str)),
    st.tuples(st.just(Kind.NUMBER), st.integers(10**14, 10**19).map(str)),
    st.tuples(st.just(Kind.TIME), st.floats(0, 1, exclude_max=True).map(repr)),
    st.tuples(st.just(Kind.ELAPSED), st.floats(0, 400).map(repr)),
    st.tuples(st.just(Kind.BOOLEAN), st.sampled_from("01")),
    st.tuples(st.just(Kind.TEXT), st.from_regex(r"\A-?[0-9]{1,3}([.,' ][0-9]{3}){0,2}([.,][0-9]{1,3})?\Z")),
    st.tuples(st.just(Kind.TEXT), st.dates().map(lambda day: day.strftime("%d.%m.%Y"))),
    st.tuples(st.just(Kind.TEXT), st.dates().map(str)),
    st.tuples(
        st.just(Kind.TEXT),
        st.from_regex(r"\A[(-]?(€ )?[0-9]{1,3}(,[0-9]{3}){0,1}(\.[0-9]{1,2})?( %| USD)?[)-]?\Z"),
    ),
    st.tuples(st.just(Kind.TEXT), st.sampled_from(["-", "n/a", " NULL"])),
    st.tuples(st.just(Kind.TEXT), st.text("ab1-/. ", min_size=1, max_size=6).filter(str.strip)),
)


@settings(deadline=None, max_examples=300)
@example(cells=[(Kind.TIME, "0.0"), (Kind.TEXT, "01.01.2000")], all_text=False, sort=0)
@given(st.lists(_CELLS, min_size=1, max_size=12), st.booleans(), st.integers(0, 7))
@example([(Kind.NUMBER, "9007199254740990"), (Kind.TEXT, "0")], False, 0)  # Excel may have cut the number
def test_what_is_proposed_rejects_nothing_that_was_seen(cells: list[Cell], all_text: bool, sort: int) -> None:
    kinds = [kind for kind, _ in cells]
    cells = [cell for cell in cells if cell[0] == kinds[sort % len(kinds)]] if sort else cells
    if all_text:
        cells = [(Kind.TEXT, text) for _, text in cells]
    reading = read(cells, all_text=all_text)
    field = SheetField(
        "v",
        "V",
        "value",
        reading.type,
        parse_text=reading.parse_text or (all_text and reading.type.kind != "text"),
        text_format=reading.written,
        nulls=reading.nulls,
    )
    column = Column(np.array([kind for kind, _ in cells], np.uint8), texts(text for _, text in cells))
    _, codes = convert(column, np.zeros(len(cells), np.bool_), field, calendar=GREGORIAN)
    cut = codes == CODES["number_may_be_cut"]
    assert not codes[~cut].any(), reading
    assert not cut.any() or (reading.type.kind == "text" and "may have cut" in reading.notes[-1])


@pytest.mark.parametrize(
    ("values", "proposed"),
    [
        ((1, 2, 3), "bigint"),
        ((1.5, 2, 3), "numeric(18,4)"),
        ((1.123456, 2), "numeric(18,6)"),
        ((71.98999999999999, 12.5), "numeric(18,4)"),  # what Excel shows has 15 digits
        ((*(n / 100 for n in range(1, 200)), 0.999499999999999), "numeric(18,4)"),  # one noisy value
        ((*(n / 7 for n in range(1, 50)),), "numeric(20,15)"),  # all of them were computed
        ((10**15 - 1, 1), "bigint"),
        ((10**15, 1), "numeric(38,0)"),  # as a bigint Excel may have cut it
        ((1234567890123456, 1), "bigint"),
        ((10**20, 1), "numeric(38,0)"),
        (("1e-30", 1), "double precision"),
        (("1e300", 1), "double precision"),
        ((0, 0), "bigint"),
    ],
)
def test_scales_come_of_nearly_all_numbers(values: tuple[object, ...], proposed: str) -> None:
    assert str(read(numbers(*values)).type) == proposed


@pytest.mark.parametrize(("typed", "proposed"), [(10**15, "numeric(38,0)"), (10**15 - 1, "bigint")])
def test_a_number_that_excel_may_have_cut_is_an_amount_beside_texts_too(typed: int, proposed: str) -> None:
    reading = read([*numbers(typed), *written("7", "1000000000000000")])
    assert (str(reading.type), reading.parse_text) == (proposed, True)


def test_a_text_that_is_nearly_whole_has_a_fraction() -> None:
    reading = read(written("0.9999999999999999"), all_text=True)
    assert reading.type.kind == "numeric"
    assert str(read(written("1.0", "2"), all_text=True).type) == "bigint"


def test_amounts_have_fractions_sooner_or_later() -> None:
    assert str(read(numbers(1, 2), "Net amount").type) == "numeric(18,4)"
    assert str(read(numbers(1, 2), "Bestellwert").type) == "numeric(18,4)"
    assert str(read(numbers(1, 2), "Quantity").type) == "bigint"
    assert str(read(numbers(42420, 1067), "Postal Code").type) == "text"


@pytest.mark.parametrize(
    ("values", "proposed", "how"),
    [
        (("1.234,50", "2"), "numeric(18,4)", TextFormat(",", ".")),
        (("1,234.50", "2"), "numeric(18,4)", TextFormat(".", ",")),
        (("1 234,5", "2"), "numeric(18,4)", TextFormat(",", " ")),
        (("1'234.5", "2"), "numeric(18,4)", TextFormat(".", "'")),
        (("0,125", "12,5"), "numeric(18,4)", TextFormat(",", "")),
        (("1.234.567", "1"), "bigint", TextFormat(",", ".")),
        (("12", "-3"), "bigint", TextFormat()),
        (("1.234", "2.500"), "text", TextFormat()),  # thousands, or a fraction
        (("00123", "00124"), "text", TextFormat()),
        (("+49301234", "+49305678"), "text", TextFormat()),
        (("12345678901234567890", "1"), "text", TextFormat()),
        (("(12.50)", "3.00"), "numeric(18,4)", TextFormat(negative="parentheses")),
        (("12%", "3%"), "numeric(18,4)", TextFormat(percent=True)),
        (("12,5 %", "3 %-"), "numeric(18,4)", TextFormat(",", percent=True, negative="trailing")),
        (("12%", "3"), "text", TextFormat()),
        (("€ 12.50", "€ 3"), "numeric(18,4)", TextFormat(strip=("€",))),
        (
            ("1.234,50 EUR", "17,30- EUR"),
            "numeric(18,4)",
            TextFormat(",", ".", negative="trailing", strip=("EUR",)),
        ),
        (("€ 12.50", "$ 3"), "text", TextFormat()),
        (("12.50-", "3.00"), "numeric(18,4)", TextFormat(negative="trailing")),
        (("12.50-", "(3.00)"), "text", TextFormat()),
        (("\N{MINUS SIGN}12.50", "3.00"), "numeric(18,4)", TextFormat()),
        (("3,00\N{MINUS SIGN}", "1.200,50"), "numeric(18,4)", TextFormat(",", ".", negative="trailing")),
        (("–12.50", "3.00"), "numeric(18,4)", TextFormat(minus=("–",))),
        (("5.00 S", "3.00 H"), "text", TextFormat()),  # which of them is the minus?
        (("5.00 H", "3.00 H"), "text", TextFormat()),  # hours
        (("1", "n/a"), "bigint", TextFormat()),
        (("1", "oops"), "text", TextFormat()),
        (("true", "FALSE"), "boolean", TextFormat()),
    ],
)
def test_numbers_in_texts_are_read_only_where_one_way_fits(
    values: tuple[str, ...], proposed: str, how: TextFormat
) -> None:
    reading = read(written(*values), all_text=True)
    assert (str(reading.type), reading.written if proposed != "text" else how) == (proposed, how)


def test_other_columns_tell_which_mark_is_meant() -> None:
    assert read(written("1.234", "2.500"), decimal=",", all_text=True).written == TextFormat(",", ".")
    assert read(written("1.234", "2.500"), decimal=".", all_text=True).written == TextFormat(".", "")


@pytest.mark.parametrize(
    ("values", "proposed", "date_format"),
    [
        (("2026-11-05",), "date", ""),
        (("2026-11-05 10:30", "2026-11-05"), "timestamp", ""),
        (("05.11.2026", "6.1.2026"), "date", "%d.%m.%Y"),
        (("05.11.26",), "date", "%d.%m.%y"),
        (("05.11.2026 10:30",), "timestamp", "%d.%m.%Y %H:%M"),
        (("13/11/2026", "01/02/2026"), "date", "%d/%m/%Y"),
        (("11/13/2026", "01/02/2026"), "date", "%m/%d/%Y"),
        (("01/02/2026", "03/04/2026"), "text", ""),  # the day or the month first
        (("31.02.2026",), "text", ""),
        (("13/13/2026",), "text", ""),
        (("5 Nov 2026",), "date", "%d %b %Y"),
        (("5 May 2026",), "date", "%d %b %Y"),
        (("05-NOV-2026 02:30 PM",), "timestamp", "%d-%b-%Y %I:%M %p"),
        (("5 Mai 2026",), "text", ""),
        (("2026-11-05T10:30:00+02:00",), "text", ""),
    ],
)
def test_dates_in_texts_are_read_only_where_one_way_fits(
    values: tuple[str, ...], proposed: str, date_format: str
) -> None:
    reading = read(written(*values), all_text=True)
    assert (str(reading.type), reading.written.date) == (proposed, date_format)


def test_eight_digits_are_a_date_only_where_the_name_says_so() -> None:
    assert read(written("20261105", "20261106"), "Posting date", all_text=True).written.date == "%Y%m%d"
    assert str(read(written("20261105", "20261106"), "Document", all_text=True).type) == "bigint"


def test_what_is_not_certain_is_said() -> None:
    assert "may part fractions or thousands" in read(written("1.234", "2.500"), all_text=True).notes[0]
    assert "several currencies" in read(written("€ 1", "$ 2"), all_text=True).notes[0]
    assert "12 % is 0.12" in read(written("12 %"), all_text=True).notes[0]
    assert "%d/%m/%Y or %m/%d/%Y" in read(written("01/02/2026"), all_text=True).notes[0]
    assert "times of day or durations" in read([(Kind.SERIAL, "0.354")]).notes[0]
    assert "several kinds" in read([*numbers(1), (Kind.SERIAL, "46000")]).notes[0]


def test_words_for_a_sign_are_named_with_what_to_write() -> None:
    [note] = read(written("EUR 1.234,50 S", "17,30 H")).notes
    assert 'decimal: ",", thousands: ".", strip: [\'EUR\'], negative: {minus: [S], plus: [H]}' in note
    assert not read(written("5.00 H", "3.00 H")).notes
    assert "negative: {minus: [Dr], plus: [Cr]}" in read(written("5,000.00 Cr", "3.00 Cr")).notes[0]


def test_few_odd_cells_do_not_decide() -> None:
    reading = read([*numbers(*range(1000)), *written("oops")])
    assert str(reading.type) == "bigint"
    assert reading.notes == ("1 of 1,001 cells seen hold something else: rejects",)
    assert str(read([*numbers(*range(50)), *written("oops")]).type) == "text"


def test_words_for_nothing_among_values_are_nulls() -> None:
    reading = read([*numbers(1, 2), *written("n/a", "- ")])
    assert (str(reading.type), reading.nulls, reading.notes) == ("bigint", ("-", "n/a"), ())
    dates = read(written("05.11.2026", "k.A."), all_text=True)
    assert (str(dates.type), dates.written.date, dates.nulls) == ("date", "%d.%m.%Y", ("k.A.",))
    assert read(written("north", "-")).nulls == ()
    assert read(written("-", "n/a")).nulls == ()
