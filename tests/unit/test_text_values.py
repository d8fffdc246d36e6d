"""Texts that write a number: many at once are told apart as each alone is, whatever stands beside it."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from factload.sheet.block import Column, Kind
from factload.sheet.text_format import UNGROUPED
from factload.sheet.text_values import read_text
from factload.sql_types import parse_sql_type
from factload.vectors import texts

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


@given(st.lists(st.text("0123456789.-+eE x", min_size=1, max_size=6), min_size=1, max_size=8))
@example(["1", "-2.5", "5."])
@example(["1", ".5", "-.5", "00"])
@example(["1", "1-2"])
@example(["1", "."])
@example(["9" * 400, "-1"])
def test_numbers_among_texts(written: list[str]) -> None:
    column = Column(np.full(len(written), Kind.TEXT, np.uint8), texts(written))
    found = read_text(column, parse_sql_type("numeric(18,4)"), UNGROUPED)
    wanted = [Kind.NUMBER if _NUMBER.fullmatch(one.strip(" ")) else Kind.TEXT for one in written]
    assert found.kind.tolist() == wanted
    for one, kind, text in zip(written, wanted, found.text.to_pylist(), strict=True):
        assert text == (one.strip(" ") if kind == Kind.NUMBER else one)


def test_numbers_of_a_slice() -> None:
    column = Column(np.full(4, Kind.TEXT, np.uint8), texts(["x", "1.5", "2", "3."])).slice(1, 2)
    found = read_text(column, parse_sql_type("numeric(18,4)"), UNGROUPED)
    assert found.kind.tolist() == [Kind.NUMBER, Kind.NUMBER]
