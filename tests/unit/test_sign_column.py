"""A sign in a column of its own: what plain Python says of each row is what a split comes to, in any kind of file."""

from __future__ import annotations

import re
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factload.errors import WorkbookError
from factload.feed.model import Feed
from factload.split.fields import sheet_fields
from tests import expected
from tests.workbooks import WRITE, write_rows

HEADER = ("Amount", "S/H")
BOTH = {"column": "S/H", "minus": ["H", "-", "50"], "plus": ["S", "+", "40"]}
ALONE = {"column": "S/H", "minus": ["H", "-", "50"]}
Outcome = tuple[Decimal | None, str | None, str | None]


def feed(negative: dict[str, Any], unpivot: dict[str, Any] | None = None, **amount: Any) -> Feed:
    """A feed that reads a column of amounts with these signs."""
    column = {"column": "Amount", "type": "numeric(12,2)", "negative": negative, **amount}
    columns = {"amount": column, "account": {"column": "Account", "type": "text"}}
    return Feed.model_validate(
        {
            "feed": "f",
            "workbook": {"path": "a.xlsx", "unpivot": unpivot},
            "fact": {"connection": "c", "table": "t", "mode": "append_once", "columns": columns},
        }
    )


def outcomes(path: Path, of: Feed) -> list[Outcome]:
    """The amount of each row, or why it is a reject, and which cell is to blame."""
    _, found = expected.split(path, sheet_fields(of), cells=of.cells)
    return [
        (row["value:amount"] if row["reason"] is None else None, row["reason"], row["cell"]) for row in found
    ]


def plain(number: int, amount: Any, sign: Any, plus: bool) -> Outcome:
    """What a row of this number must come to."""
    word = "" if sign is None else str(sign).strip()
    written = "" if amount is None else str(amount).strip()
    if word not in ("", "H", "-", "50", *(("S", "+", "40") if plus else ())):
        return None, "unknown_sign", f"B{number}"
    if written == "":
        return None, None, None
    if plus and word == "":
        return None, "unknown_sign", f"B{number}"
    if re.fullmatch(r"[+\N{MINUS SIGN}-][0-9]+(\.[0-9]+)?", written):
        return None, "signed_twice", f"A{number}"
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", written):
        return None, "not_a_number", f"A{number}"
    value = Decimal(written).quantize(Decimal("0.01"))
    return (-value if word in ("H", "-", "50") else value), None, None


amounts = st.one_of(
    st.none(),
    st.integers(-1000, 1000),
    st.integers(0, 100_000).map(lambda cents: cents / 100),
    st.integers(0, 100_000).map(lambda cents: f"{cents / 100:.2f}"),
    st.sampled_from(["-5", "+5", "\N{MINUS SIGN}5", " 7 ", "n/a", "0", "-0"]),
)
words = st.sampled_from([None, "S", "H", " H ", "h", "-", "+", "X", 40, 50, 41, "50"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(amounts, words), min_size=1, max_size=20), st.booleans())
@example([(0, "H"), (5, None), (None, "X"), (None, None)], True)
def test_each_row_is_what_plain_python_says_of_it(rows: list[tuple[Any, Any]], plus: bool) -> None:
    told = [(*row, "x") for row in rows]  # no row is blank
    read = feed(BOTH if plus else ALONE, parse_text=True)
    with tempfile.TemporaryDirectory() as folder:
        path = write_rows(Path(folder) / "a.xlsx", [(*HEADER, "Account"), *told])
        assert outcomes(path, read) == [plain(n, *row, plus) for n, row in enumerate(rows, 2)]


@pytest.mark.parametrize("kind", WRITE)
def test_every_kind_of_file_says_it(tmp_path: Path, kind: str) -> None:
    rows = [(*HEADER, "Account"), (17, "H", "a"), (5, "S", "b"), (5, None, "c"), (6, "s", "d")]
    found = outcomes(WRITE[kind](tmp_path / f"a{kind}", rows), feed(BOTH))
    assert found == [
        (Decimal(-17), None, None),
        (Decimal(5), None, None),
        (None, "unknown_sign", "B4"),
        (None, "unknown_sign", "B5"),
    ]


def test_rules_and_ranges_are_those_of_the_signed_number(tmp_path: Path) -> None:
    rows = [(*HEADER, "Account"), (32768, "H", "a"), (32768, "S", "b"), (3, "S", "c")]
    path = write_rows(tmp_path / "a.xlsx", rows)
    found = outcomes(path, feed(BOTH, type="smallint", max=0))
    assert found == [
        (-32768, None, None),
        (None, "number_out_of_range", "A3"),
        (None, "above_maximum", "A4"),
    ]


def test_a_defect_of_the_sign_s_cell_is_told_there(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.xlsx", [(*HEADER, "Account"), (17, "#N/A", "a")])
    assert outcomes(path, feed(BOTH)) == [(None, "error_cell", "B2")]


def test_the_column_has_one_of_several_names_and_must_be_there(tmp_path: Path) -> None:
    read = feed({**BOTH, "column": ["D/C", "S/H"]})
    path = write_rows(tmp_path / "a.xlsx", [(*HEADER, "Account"), (17, "H", "a")])
    assert outcomes(path, read) == [(Decimal(-17), None, None)]
    path = write_rows(tmp_path / "b.xlsx", [("Amount", "Sign", "Account"), (17, "H", "a")])
    with pytest.raises(WorkbookError, match="no column 'D/C' or 'S/H'"):
        outcomes(path, read)


UNPIVOT = {"columns": ["Debit", "Credit"], "name": "side", "value": "Amount"}


def test_names_of_columns_that_become_rows_may_be_the_words(tmp_path: Path) -> None:
    read = feed({"column": "side", "minus": ["Debit"], "plus": ["Credit"]}, UNPIVOT)
    path = write_rows(tmp_path / "a.xlsx", [("Account", "Debit", "Credit"), ("a", 17, None), ("b", None, 5)])
    found = outcomes(path, read)
    assert found == [(Decimal(-17), None, None), (Decimal(5), None, None)]
    path = write_rows(tmp_path / "b.xlsx", [("Account", "Debit", "Credit"), ("a", 17, None)])
    with pytest.raises(WorkbookError, match="'Credit' as the name of column C"):
        outcomes(path, feed({"column": "side", "minus": ["Debit"]}, UNPIVOT))
