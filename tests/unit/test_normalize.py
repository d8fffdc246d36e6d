"""The steps that both sides of a lookup go through, and what is said of a list that is not one of them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factload.dimension.normalize import normalize
from factload.feed.dimensions import KeyType
from factload.feed.normalize_steps import parse_steps
from factload.white_space import trimmed


@pytest.mark.parametrize(
    ("steps", "before", "after"),
    [
        ([], [" a ", "A", "", "  ", None], [" a ", "A", None, None, None]),
        (["trim"], ["\u00a0 a\t", "b c "], ["a", "b c"]),
        (["trim", "collapse_spaces"], ["  a \t\n b "], ["a b"]),
        (["upper"], ["strand", "é"], ["STRAND", "É"]),
        (["lower"], ["ÀB"], ["àb"]),
        (["casefold"], ["Straße", "STRASSE", "ABC", None], ["strasse", "strasse", "abc", None]),
        (["nfc"], ["e\u0301"], ["\u00e9"]),
        ([{"zero_pad": 5}], ["12", "123456", "", " "], ["00012", "123456", None, None]),
        ([{"strip_prefix": "K-"}], ["K-1", "k-1", "1", "K-"], ["1", "k-1", "1", None]),
        (["trim", "upper", {"strip_prefix": "K-"}, {"zero_pad": 3}], [" k-7 ", "007"], ["007", "007"]),
    ],
)
def test_normalize(steps: list[Any], before: list[str | None], after: list[str | None]) -> None:
    assert normalize(pa.array(before, pa.string()), parse_steps(steps)).to_pylist() == after


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (
            "integer",
            ["02", "2 ", "2.0", "+2", "-0", "1.5", "1e3", "x", " ", None],
            ["2"] * 4 + ["0"] + [None] * 5,
        ),
        (
            "decimal",
            ["01.50", "1.5", "2.00", "12345678901234567890.10"],
            ["1.5", "1.5", "2", "12345678901234567890.1"],
        ),
    ],
)
def test_keys_that_are_numbers(kind: KeyType, before: list[str | None], after: list[str | None]) -> None:
    assert normalize(pa.array(before, pa.string()), (), kind).to_pylist() == after


@given(
    st.lists(st.text("0123456789.-+ \u00a0", max_size=5)),
    st.sampled_from(list[KeyType](["integer", "decimal"])),
)
def test_two_keys_are_the_same_if_their_numbers_are(keys: list[str], kind: KeyType) -> None:
    def number(key: str) -> Decimal | None:
        try:
            value = Decimal(key.strip(" \u00a0"))
        except InvalidOperation:
            return None
        return value if kind == "decimal" or value == int(value) else None

    found = normalize(pa.array(keys, pa.string()), (), kind).to_pylist()
    numbers = [number(key) for key in keys]
    assert [None if key is None else Decimal(key) for key in found] == numbers
    assert len({key for key in found if key}) == len({value for value in numbers if value is not None})


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]))))
def test_casefold_is_python_s(keys: list[str | None]) -> None:
    expected = [None if key is None or not key.strip() else key.casefold() for key in keys]
    found = normalize(pa.array(keys, pa.string()), parse_steps(["casefold"])).to_pylist()
    # Arrow and Python differ on what is white space for a few control characters: blank or not, never another key.
    assert [f for f, e in zip(found, expected, strict=True) if f and e] == [
        e for f, e in zip(found, expected, strict=True) if f and e
    ]


@given(
    st.lists(st.none() | st.text(st.sampled_from("ab é\u00e0\u3000\u200b\ufeff\x85\xa0\x1c\t\n \x7f漢"))),
    st.integers(0, 3),
)
def test_white_space_goes_from_both_ends(keys: list[str | None], start: int) -> None:
    white = "\u3000\u200b\ufeff\x85\xa0\x1c\t\n "
    found = trimmed(pa.array(keys, pa.string()).slice(start))
    assert found.to_pylist() == [None if key is None else key.strip(white) for key in keys[start:]]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("trim", r"expected a list of steps, such as \[trim, upper\]"),
        (["trimm"], r"'trimm' is not a step. Did you mean trim\?"),
        (["zero_pad"], "the step zero_pad takes a width from 1 to 200, such as {zero_pad: 8}"),
        ([{"zero_pad": "8"}], "takes a width"),
        ([{"zero_pad": 0}], "takes a width"),
        ([{"strip_prefix": ""}], "the step strip_prefix takes a text"),
        ([{"trim": 3}], "the step trim takes nothing: write it without a colon"),
        ([{"zero_pad": 8, "upper": None}], "is not a step. There are trim, collapse_spaces"),
    ],
)
def test_a_list_that_is_not_one_of_steps(steps: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_steps(steps)
