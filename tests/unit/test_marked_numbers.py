"""Numbers with marks around them: what plain Python reads of a text, token by token, is what comes out of a column."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factload.reasons import CELLS
from factload.sheet.block import Column, Kind
from factload.sheet.codes import REASON_OF
from factload.sheet.convert import convert
from factload.sheet.dates import GREGORIAN
from factload.sheet.field import NumberKey, SheetField
from factload.sheet.text_format import UNGROUPED, TextFormat
from factload.sql_types import parse_sql_type
from factload.vectors import texts

_WHITE = " \t\u00a0\u3000\u200b\u200e"
FORMATS = [
    TextFormat(negative="trailing"),
    TextFormat(negative="parentheses"),
    TextFormat(strip=("€", "Fr.")),
    TextFormat(",", ".", negative="trailing", strip=("€", "Fr.")),
    TextFormat(",", ".", negative="parentheses", strip=("€", "%")),
    TextFormat(",", "'", strip=("%",)),
    TextFormat(percent=True),
    TextFormat(",", ".", negative="trailing", percent=True),
    TextFormat(negative="parentheses", percent=True),
    TextFormat(",", ".", minus=("H", "Hab. n"), plus=("S",), strip=("€", "Fr.")),
    TextFormat(minus=("–", "DR"), strip=("€",)),
    TextFormat(minus=("D",), plus=("C",), percent=True),
]

WORDS = ["H", "S", "Hab. n", "–", "DR", "D", "C"]


def converted(cells: list[tuple[Kind, str]], field: SheetField) -> list[object]:
    """The value of each cell, or the reason why there is none."""
    column = Column(np.array([kind for kind, _ in cells], np.uint8), texts(text for _, text in cells))
    blank = np.array([not text.strip(_WHITE) for _, text in cells], np.bool_)
    values, codes = convert(column, blank, field, calendar=GREGORIAN)
    return [REASON_OF[c] if c else v for v, c in zip(values.to_pylist(), codes.tolist(), strict=True)]


def read(written: list[str], form: TextFormat, kind: str = "numeric(30,12)") -> list[object]:
    """The values of texts in a column of the type, or the reason why there is none."""
    field = SheetField("v", "V", "value", parse_sql_type(kind), parse_text=True, text_format=form)
    return converted([(Kind.TEXT, text) for text in written], field)


def tokens(text: str, form: TextFormat) -> tuple[str, list[str]] | None:
    """The shape of a text: s a sign, m a mark, w a word for a sign, n digits, ( and ); and its signs, words for minus
    and digits. None for another text."""
    marks = ("%",) if form.percent else form.strip
    shape, at = "", 0
    held: list[str] = []
    while at < len(text):
        mark = next((mark for mark in marks if text.startswith(mark, at)), "")
        words = sorted(form.minus + form.plus, key=len, reverse=True)
        word = next((word for word in words if text.startswith(word, at)), "")
        if text[at] in _WHITE:
            at += 1
        elif word:
            shape, at, held = shape + "w", at + len(word), [*held, "-" if word in form.minus else "+"]
        elif mark:
            shape, at = shape + "m", at + len(mark)
        elif text[at] in "+-":
            shape, held, at = shape + "s", [*held, text[at]], at + 1
        elif text[at] in "()":
            shape, at = shape + text[at], at + 1
        else:
            end = at
            while end < len(text) and text[end] in "0123456789" + form.decimal + form.thousands:
                end += 1
            if end == at:
                return None
            shape, held, at = shape + "n", [*held, text[at:end]], end
    return shape, held


def number(digits: str, form: TextFormat) -> Decimal | None:
    whole, _, fraction = digits.partition(form.decimal)
    if form.decimal in fraction or (form.thousands and form.thousands in fraction) or not (whole + fraction):
        return None
    groups = whole.split(form.thousands) if form.thousands else [whole]
    if len(groups) > 1 and (
        any(len(group) != 3 for group in groups[1:]) or not 1 <= len(groups[0]) <= 3 or groups[0][0] == "0"
    ):
        return None
    return Decimal(f"{''.join(groups) or '0'}.{fraction or '0'}")


def plain(text: str, form: TextFormat) -> Decimal | None:
    found = tokens(text.strip(_WHITE), form)
    if found is None:
        return None
    shape, held = found
    allowed = {before + "n" + after for before in ("", "s", "m", "sm", "ms") for after in ("", "m")}
    if form.negative == "trailing":
        allowed |= {before + "n" + after for before in ("", "m") for after in ("s", "sm", "ms")}
    if form.negative == "parentheses":
        allowed |= {before + "n" + after for before in ("(", "m(", "(m") for after in (")", ")m", "m)")}
    if form.plus:
        allowed = set()
    if form.minus:
        allowed |= {before + "n" + after for before in ("", "m") for after in ("w", "wm", "mw")}
        allowed |= {before + "n" + after for before in ("w", "wm", "mw") for after in ("", "m")}
    if shape not in allowed or (form.percent and shape.count("m") != 1):
        return None
    [digits] = [part for part in held if part not in ("+", "-")]
    value = number(digits, form)
    if value is None:
        return None
    value = -value if "-" in held or "(" in shape else value
    return value / 100 if form.percent else value


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.text("0123456789.,'-+()%€ \u00a0\u200b", max_size=9),
            st.lists(
                st.sampled_from(
                    ["-", "+", "(", ")", "€", "Fr.", "%", " ", "1", "12.5", "1.234", ",5", *WORDS]
                )
            ).map("".join),
        ).filter(lambda text: text.strip(_WHITE)),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(FORMATS),
)
@example(["5-", "-5", "-5-", "5 -", "5-€", "5 € -"], FORMATS[3])
@example(["(5)", "(-5)", "€(5)", "( 5 € )", "((5))", "(5", "%(5)%"], FORMATS[4])
@example(["12,5 %", "12.5%", "%5", "5", "5%%", "5- %"], FORMATS[7])
@example(["5 S", "S 5", "5 H €", "€ 5H", "H-5", "5", "-5 S", "5 SS", "5 H S", "5 Hab. n"], FORMATS[9])
@example(["–5", "5 –", "-5", "–-5", "5", "DR 5", "5 dr", "– € 5"], FORMATS[10])
@example(["Fr.5", "Fr..5", "5.Fr.", "-Fr. 5"], FORMATS[2])
def test_a_number_is_read_as_plain_python_reads_it(written: list[str], form: TextFormat) -> None:
    expected = [plain(text, form) for text in written]
    assert read(written, form) == ["not_a_number" if value is None else value for value in expected]


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("1 234,50-", TextFormat(",", " ", negative="trailing"), Decimal("-1234.50")),
        ("1\u00a0234,50 €", TextFormat(",", "\u00a0", strip=("€",)), Decimal("1234.50")),
        ("(1,234.50)", TextFormat(".", ",", negative="parentheses"), Decimal("-1234.50")),
        ("$5", TextFormat(strip=("€",)), "not_a_number"),  # another currency is no euro
        ("12.5%", TextFormat(strip=("%",)), Decimal("12.5")),
        ("12.5%", TextFormat(percent=True), Decimal("0.125")),
        ("0.000000000001%", TextFormat(percent=True), Decimal("0")),
        ("12.5", TextFormat(percent=True), "not_a_number"),
        ("1e3%", TextFormat(percent=True), "not_a_number"),
        ("5-", TextFormat(), "not_a_number"),
        ("(5)", TextFormat(negative="trailing"), "not_a_number"),
        ("9" * 25 + "-", TextFormat(negative="trailing"), "number_out_of_range"),
        ("\u22125", TextFormat(), -5),
        (" \u22121 234,50 \u20ac", TextFormat(",", " ", strip=("\u20ac",)), Decimal("-1234.50")),
        ("5\u2212", TextFormat(negative="trailing"), -5),
        ("1e\u22121", TextFormat(), Decimal("0.1")),
        ("\u2212-5", TextFormat(), "not_a_number"),
        ("5\u22123", TextFormat(), "not_a_number"),
        ("\u20135", TextFormat(), "not_a_number"),  # an en dash: a feed may declare it
        ("\u20105", TextFormat(), "not_a_number"),
    ],
)
def test_what_a_mark_makes_of_a_number(text: str, form: TextFormat, value: object) -> None:
    assert read([text], form) == [value]


@pytest.mark.parametrize(
    ("text", "value"), [("500%", 5), ("50%", "not_an_integer"), ("100000000000%", 1_000_000_000)]
)
def test_a_percentage_in_a_whole_number(text: str, value: object) -> None:
    assert read([text], TextFormat(percent=True), "integer") == [value]


def test_words_for_true_and_false_stand_in_the_place_of_the_usual_ones() -> None:
    form = TextFormat(true=("ja", "stimmt  so"), false=("nein",))
    written = ["Ja", " NEIN ", "stimmt\u00a0so", "true", "1", "j"]
    assert read(written, form, "boolean") == [True, False, True, *["not_a_boolean"] * 3]
    half = TextFormat(true=("x",))
    assert read(["X", "false", "0", "1"], half, "boolean") == [True, False, False, "not_a_boolean"]


def nulls(
    cells: list[tuple[Kind, str]], kind: str, words: tuple[str, ...], *, required: bool
) -> list[object]:
    return converted(cells, SheetField("v", "V", "value", parse_sql_type(kind), required, nulls=words))


def test_a_cell_that_shows_a_word_for_nothing_is_blank() -> None:
    words = ("-", "N/A", "#N/A", "-999")
    cells = [
        *((Kind.TEXT, "-"), (Kind.TEXT, "\u00a0N/A "), (Kind.TEXT, "n/a"), (Kind.ERROR, "#N/A")),
        *(
            (Kind.ERROR, "#REF!"),
            (Kind.NUMBER, "-999"),
            (Kind.NUMBER, "-9.99E2"),
            (Kind.NUMBER, "-998.99999999999989"),
        ),
        *((Kind.NUMBER, "999"), (Kind.BLANK, ""), (Kind.SERIAL, "-999")),
    ]
    none = [None, None, "not_a_number", None, "error_cell", None, None, None, Decimal(999), None]
    assert nulls(cells, "numeric(9,0)", words, required=False)[:-1] == none
    blank = ["blank_value" if value is None else value for value in none]
    assert nulls(cells, "numeric(9,0)", words, required=True)[:-1] == blank
    assert nulls(cells[:3], "text", words, required=False) == [None, None, "n/a"]
    assert set(filter(lambda value: isinstance(value, str), blank)) < set(CELLS)


def keys(cells: list[tuple[Kind, str]], number: NumberKey, form: TextFormat = UNGROUPED) -> list[object]:
    field = SheetField(
        *("k", "K", "key", parse_sql_type("text"), True), parse_text=True, text_format=form, number=number
    )
    return converted(cells, field)


def test_every_way_of_writing_a_number_is_the_same_key() -> None:
    two = [
        (Kind.NUMBER, "2"),
        (Kind.NUMBER, "2.0"),
        (Kind.NUMBER, "2E0"),
        (Kind.NUMBER, "2.0000000000000004"),
    ]
    two += [(Kind.TEXT, text) for text in ("02", "2 ", "1.0e", "+2", "2.", "2.0", "\u00a02\u200e")]
    assert keys(two, "integer") == ["2"] * 6 + ["not_a_number"] + ["2"] * 4
    assert keys([(Kind.TEXT, "-0"), (Kind.TEXT, "-007")], "integer") == ["0", "-7"]
    half = [(Kind.NUMBER, "1.5"), (Kind.TEXT, "01.50"), (Kind.TEXT, "1.05")]
    assert keys(half, "integer") == ["not_an_integer"] * 3
    assert keys(half, "decimal") == ["1.5", "1.5", "1.05"]
    assert keys([(Kind.TEXT, "1.000,50")], "decimal", TextFormat(",", ".")) == ["1000.5"]


def test_what_is_no_number_is_no_such_key() -> None:
    odd = [(Kind.TEXT, "A2"), (Kind.TEXT, "1E3"), (Kind.SERIAL, "2"), (Kind.BOOLEAN, "1"), (Kind.BLANK, "")]
    assert keys(odd, "integer") == [*["not_a_number"] * 4, "blank_key"]
    long = [(Kind.NUMBER, "1234567890123456"), (Kind.TEXT, "001234567890123456")]
    assert keys(long, "integer") == ["key_too_long_number", "1234567890123456"]
