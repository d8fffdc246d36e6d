"""Which rows of a later delivery are those that people corrected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factload.corrections.same_rows import chains_of, corrections_of
from factload.ledger.corrections import Correction, sha256_of_row
from factload.load import SourceFile
from factload.sheet.block import Kind
from factload.sheet.field import SheetField
from factload.sheet.rows import Row
from factload.sheet.source import open_source
from factload.sql_types import SqlType


def row(number: int, text: str) -> Row:
    return Row(number, True, {1: (Kind.TEXT, text), 2: (Kind.TEXT, "n/a")})


def corrected(number: int, text: str, to: str, delivery: str = "old", epoch: int = 2) -> Correction:
    digest = sha256_of_row(row(number, text))
    return Correction("w.xlsx", "S", number, delivery, digest, {2: (Kind.TEXT, to)}, "sent.xlsx", epoch)


def found(texts: Sequence[str | None], *corrections: Correction) -> dict[int, str]:
    """Row → what it was corrected to, in a delivery with one of ``texts`` in each row from the second on; None: blank."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "S.csv"
        path.write_text(
            "k,m\n" + "".join(f"{text},n/a\n" if text else "\n" for text in texts), encoding="utf-8"
        )
        with open_source(path) as opened:
            chains = chains_of(opened, "S", FIELDS, SourceFile("w.xlsx", "new", 1), corrections)
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


def test_corrections_are_of_a_workbook_by_its_bytes_or_its_name_or_as_it_is_the_only_one() -> None:
    one, two = SourceFile("w.xlsx", "new", 1), SourceFile("v.xlsx", "old", 1)
    assert corrections_of(one, [one, two], [A3]) == [A3]  # its name
    assert corrections_of(two, [one, two], [A3]) == [A3]  # its bytes
    other = SourceFile("u.xlsx", "newer", 1)
    assert corrections_of(other, [one, other], [A3]) == []
    assert corrections_of(other, [other], [A3]) == [A3]
