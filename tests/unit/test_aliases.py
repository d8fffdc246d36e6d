"""A column that has one of several names: found by whichever its sheet has, and refused with two of them or none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from factload.errors import WorkbookError
from factload.feed.model import Feed
from factload.sheet.choices import AreaChoice, CellChoices, Ends, RowChoices, Skip
from factload.sheet.names import pattern_of
from factload.sheet.source import open_source
from factload.split.fields import sheet_fields
from tests import expected
from tests.feeds import SALES, changed
from tests.workbooks import WRITE, write_rows

AMOUNT = replace(expected.field("amount", "integer"), column="Amount", aliases=("Betrag", "Montant"))
SKU = replace(expected.field("sku", "text"), column="SKU")
Rows = list[tuple[Any, ...]]


KINDS = {f"a{ending}": write for ending, write in WRITE.items()}


def read(path: Path, cells: CellChoices | None = None) -> list[dict[str, Any]]:
    with open_source(path, cells=cells or CellChoices()) as source:
        rows = source.rows(source.sheets[0], [SKU, AMOUNT], 1)
        return [row for piece in rows.pieces(1_000) for row in piece.rows.batch.to_pylist()]


@pytest.mark.parametrize(("name", "write"), KINDS.items(), ids=KINDS)
@pytest.mark.parametrize("header", ["Amount", "Betrag", "montant"])
def test_the_name_that_a_sheet_has_is_read_and_told(
    tmp_path: Path, name: str, write: Callable[[Path, Rows], Path], header: str
) -> None:
    found = read(write(tmp_path / name, [("SKU", header), ("a", 1), ("b", "x")]))
    assert [row["amount"] for row in found] == [1, None]
    assert (found[1]["column"].casefold(), found[1]["cell"]) == (header.casefold(), "B3")


@pytest.mark.parametrize(("name", "write"), KINDS.items(), ids=KINDS)
def test_two_of_the_names_in_one_sheet_are_refused(
    tmp_path: Path, name: str, write: Callable[[Path, Rows], Path]
) -> None:
    path = write(tmp_path / name, [("SKU", "Betrag", "Amount"), ("a", 1, 2)])
    with pytest.raises(WorkbookError) as error:
        read(path)
    assert error.value.code == "header_duplicate"
    assert "has 'Amount' and 'Betrag' (B1 and C1), which the feed takes for names of one column" in str(
        error.value
    )


@pytest.mark.parametrize(("name", "write"), KINDS.items(), ids=KINDS)
def test_none_of_the_names_tells_all_and_what_is_alike(
    tmp_path: Path, name: str, write: Callable[[Path, Rows], Path]
) -> None:
    with pytest.raises(
        WorkbookError, match=r"has no column 'Amount' or 'Betrag' or 'Montant' .*holds 'SKU', 'Betrg'"
    ) as error:
        read(write(tmp_path / name, [("SKU", "Betrg"), ("a", 1)]))
    assert "Did you mean 'Betrg'?" in str(error.value)


def test_a_row_above_the_header_that_has_fewer_of_the_columns_is_not_taken(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.xlsx", [("Amount", "of November"), ("SKU", "Betrag"), ("a", 1)])
    assert [row["row"] for row in read(path)] == [3]


def test_another_delimiter_is_told_by_whichever_name_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("SKU;Betrag\na;1\n", encoding="utf-8")
    with pytest.raises(WorkbookError, match=re.escape("csv: {delimiter: ")):
        read(path)


@pytest.mark.parametrize("header", ["Region", "Gebiet"])
def test_ends_and_skipped_rows_know_a_column_by_its_names(tmp_path: Path, header: str) -> None:
    rows: Rows = [("SKU", "Amount", header), ("a", 1, "N"), ("b", 1, "Sub"), ("c", 3, "N"), ("d", 9, "Total")]
    names = ("Region", "Gebiet")
    of_rows = RowChoices(
        Ends("first", pattern_of("Total"), names), (Skip(names, pattern_of("Sub")),), watched=(names,)
    )
    with open_source(write_rows(tmp_path / "a.xlsx", rows), cells=CellChoices(rows=of_rows)) as source:
        sheet = source.rows(source.sheets[0], [SKU, AMOUNT], 1)
        assert sheet.leaves is not None
        found = [piece.rows.batch["sku"].to_pylist() for piece in sheet.leaves.settled(sheet.pieces(1_000))]
        assert (found, sheet.leaves.totals_row) == ([["a", "c"]], 5)


def test_a_range_has_its_header_by_either_name(tmp_path: Path) -> None:
    rows: Rows = [("x", "SKU", "Betrag"), ("y", "a", 1)]
    path = write_rows(tmp_path / "a.xlsx", rows, "Facts")
    area = CellChoices(area=AreaChoice(range="Facts!B1:C2"))
    assert [row["amount"] for row in read(path, area)] == [1]


def feed(**changes: Any) -> Feed:
    return Feed.model_validate(yaml.safe_load(changed(SALES, changes)))


def test_every_column_of_a_feed_may_have_several_names() -> None:
    told = feed(
        **{
            "dimensions.product.column": ["SKU", "Artikel"],
            "fact.columns.metric.column": ["metric", "Betrag"],
            "workbook.ends": {"first": "Total", "column": ["Region", "Gebiet"]},
            "workbook.skip_rows": [{"column": ["Region", "Gebiet"], "equals": "Sub"}],
            "witness": {"at": "totals_row", "sum": "Betrag"},
        }
    )
    assert [field.names for field in sheet_fields(told)] == [("SKU", "Artikel"), ("metric", "Betrag")]
    assert [witness.measure(told.fact) for witness in told.witness] == ["metric"]
    assert told.cells.rows.watched == (("metric", "Betrag"),)
    assert told.cells.rows.ends is not None
    assert told.cells.rows.ends.column == told.cells.rows.skips[0].column == ("Region", "Gebiet")


def test_each_part_of_a_key_may_have_several_names() -> None:
    told = feed(
        **{
            "dimensions.product.business_key": ["country", "code"],
            "dimensions.product.column": [["Country", "Land"], "Code"],
            "dimensions.product.as_of": {"valid_from": "a", "valid_to": "b", "date": ["Day", "Tag"]},
        }
    )
    keys = [field.names for field in sheet_fields(told)][:3]
    assert keys == [("Country", "Land"), "Code", ("Day", "Tag")]


def test_a_list_of_one_name_is_that_name() -> None:
    one, name = feed(**{"fact.columns.metric.column": ["metric"]}), feed()
    assert one.fingerprint == name.fingerprint


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "expected the column's name, or a list of names"),
        (["a", ""], "expected the column's name, or a list of names"),
        (["a", 1], "expected the column's name, or a list of names"),
        (["Net amount", "net  AMOUNT"], "has 'net  AMOUNT' twice"),
    ],
)
def test_a_list_that_names_nothing_or_one_name_twice_is_refused(names: list[Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        feed(**{"fact.columns.metric.column": names})
