"""Which rows of a later delivery are those that people corrected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factload.afterwards.same_rows import chains_of
from factload.feed.sql_types import SqlType
from factload.ledger.corrections import Correction, sha256_of_row
from factload.sheet.block import Kind
from factload.sheet.cells import Row
from factload.sheet.field import SheetField
from factload.sheet.sheets import SheetPart
from factload.split.sources import SourceFile


@dataclass
class Sheet:
    """An open workbook of one sheet, a text in each row; None: a row without cells."""

    texts: Sequence[str | None]
    sheets = (SheetPart("S", "visible", "S", "worksheet"),)

    def first_rows(self, _: SheetPart) -> list[Row]:
        return [Row(1, True, {1: (Kind.TEXT, "k"), 2: (Kind.TEXT, "m")})]

    def all_rows(self, _: SheetPart, **__: object) -> Iterator[Row]:
        for number, text in enumerate(self.texts, 2):
            if text is not None:
                yield row(number, text)


def row(number: int, text: str) -> Row:
    return Row(number, True, {1: (Kind.TEXT, text), 2: (Kind.TEXT, "n/a")})


def corrected(number: int, text: str, to: str, delivery: str = "old", epoch: int = 2) -> Correction:
    digest = sha256_of_row(row(number, text))
    return Correction("w.xlsx", "S", number, delivery, digest, {2: (Kind.TEXT, to)}, "sent.xlsx", epoch)


def found(texts: Sequence[str | None], *corrections: Correction) -> dict[int, str]:
    chains = chains_of(Sheet(texts), "S", FIELDS, SourceFile("w.xlsx", "new", 1), corrections)  # type: ignore[arg-type]
    return {number: chain[-1].cells[2][1] for number, chain in sorted(chains.items())}


FIELDS = [SheetField("k", "k", "key", SqlType("text"))]
A3, B4, A5 = corrected(3, "a", "1"), corrected(4, "b", "2"), corrected(5, "a", "3")


@pytest.mark.parametrize(
    ("texts", "corrections", "expected"),
    [
        (["x", "a", "b"], (A3, B4), {3: "1", 4: "2"}),  # where they were
        (["a", "b"], (A3, B4), {2: "1", 3: "2"}),  # a row above them is gone
        (["b", None, "x", "a"], (A3, B4), {2: "2", 5: "1"}),  # they changed places
        (["x", "c", "b"], (A3, B4), {4: "2"}),  # one is gone
        (["x"], (A3, B4), {}),
        (["x", "a", "y", "a"], (A3, A5), {3: "1", 5: "3"}),  # two that hold the same
        (["a", "a"], (A3, A5), {2: "3", 3: "1"}),
        (["x", "a", "y", "z"], (A3, A5), {3: "1"}),  # one of them is gone: the other stands where it did
        (["a", "y", "z"], (A3, A5), {}),  # one is gone, and nobody can say which
        (["a", "y", "z"], (A3, corrected(5, "a", "1")), {2: "1"}),  # unless both were corrected alike
        (["x", "a", "a"], (A3,), {3: "1"}),  # one more that nobody has corrected
        (
            ["x", "a"],
            (A3, corrected(3, "a", "9", "later", 3)),
            {3: "9"},
        ),  # corrected again in another delivery
        (
            ["x", "y", "z", "a", "a"],
            (A3, corrected(5, "a", "9", "later", 3)),
            {5: "9"},
        ),  # where it had moved to
        (["x", "a"], (corrected(3, "b", "1", "new"),), {3: "1"}),  # of these very bytes: its number is enough
    ],
)
def test_a_corrected_row_is_the_one_that_holds_the_same(
    texts: Sequence[str | None], corrections: Sequence[Correction], expected: dict[int, str]
) -> None:
    assert found(texts, *corrections) == expected


@given(st.lists(st.sampled_from("abc"), max_size=8), st.sets(st.integers(2, 9)), st.permutations(range(8)))
def test_every_correction_follows_its_row_wherever_it_moves(
    texts: list[str], numbers: set[int], order: list[int]
) -> None:
    unique = [f"{text}{i}" for i, text in enumerate(texts)]
    numbers = {number for number in numbers if number - 2 < len(unique)}
    moved = [unique[i] for i in order if i < len(unique)]
    corrections = [corrected(number, unique[number - 2], f"to {unique[number - 2]}") for number in numbers]
    assert found(moved, *corrections) == {
        moved.index(unique[number - 2]) + 2: f"to {unique[number - 2]}" for number in numbers
    }
