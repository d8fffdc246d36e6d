"""What a feed may say of a witness, and how the two numbers are compared."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from factload.errors import FeedError
from factload.feed.file import read_feed_file
from factload.feed.model import Feed
from factload.load import WitnessValue
from factload.reconcile.witness import Compared, Counted, by_measure, compare
from tests.feeds import SALES, changed


def feed_of(tmp_path: Path, changes: dict[str, Any]) -> Feed:
    path = tmp_path / "sales.yaml"
    path.write_text(changed(SALES, changes), encoding="utf-8")
    return read_feed_file(path)


ENDS = {"workbook.ends": "totals_row"}
SUM = {"at": "totals_row", "sum": "metric"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"witness": SUM}, "`totals_row`, and nothing says which row that is"),
        ({**ENDS, "witness": {"sum": "metric"}}, "expected `at` or `file`"),
        ({**ENDS, "witness": {**SUM, "file": "a.csv"}}, "expected `at` or `file`"),
        ({**ENDS, "witness": {"at": "totals_row"}}, "expected `sum: COLUMN` or `count: rows`"),
        ({**ENDS, "witness": {**SUM, "count": "rows"}}, "expected `sum: COLUMN` or `count: rows`"),
        (
            {**ENDS, "witness": {**SUM, "sum": "metrics"}},
            "names no column of exact numbers .* Did you mean metric",
        ),
        ({**ENDS, "witness": {**SUM, "sum": "dimension_id"}}, "names no column of exact numbers"),
        ({**ENDS, "witness": {"at": "totals_row", "count": "rows"}}, "needs `column` or `field`"),
        (
            {"witness": {"at": "Cover!B3", "count": "rows", "column": "a"}},
            "go with `at: totals_row` or `file`",
        ),
        ({**ENDS, "witness": {**SUM, "column": "a", "field": 1}}, "both say where"),
        ({**ENDS, "witness": {**SUM, "sheet": "North"}}, "`sheet` goes with a cell or `file`"),
        ({**ENDS, "witness": {**SUM, "tolerance": -1}}, "expected a number from 0"),
        (
            {"workbook.path": "inbox/a.csv", "witness": {"at": "Cover!B3", "sum": "metric"}},
            "is a cell, and a csv file has no other",
        ),
        ({"workbook.ends": "blank_row", "witness": SUM}, "nothing says which row that is"),
        (
            {**ENDS, "witness": [SUM, {**SUM, "sum": "metrics"}]},
            r"yaml:\d+: witness\.1\.sum: names no column",
        ),
        ({**ENDS, "witness": [SUM, {"at": "Cover!B3"}]}, r"witness\.1: expected `sum: COLUMN` or"),
        ({**ENDS, "witness": [SUM, SUM]}, r"witness\.1: is there twice"),
        ({**ENDS, "witness": "totals_row"}, "witness: expected fields below it: at, file"),
    ],
)
def test_a_witness_that_says_nothing_is_refused_in_one_line(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(FeedError, match=words):
        feed_of(tmp_path, changes)


def test_a_sum_is_named_by_its_fact_column_or_by_its_sheets(tmp_path: Path) -> None:
    changes = {**ENDS, "fact.columns.metric": {"column": "Net amount", "type": "numeric(18,4)"}}
    for name in ("metric", "Net amount", "net  amount"):
        feed = feed_of(tmp_path, {**changes, "witness": {**SUM, "sum": name}})
        assert [witness.measure(feed.fact) for witness in feed.witness] == ["metric"]
        assert feed.cells.rows.watched == ("Net amount",)
    twice = {**changes, "fact.columns.other": {"column": "Net amount", "type": "integer"}}
    with pytest.raises(FeedError, match="names several columns"):
        feed_of(tmp_path, {**twice, "witness": {**SUM, "sum": "Net amount"}})


def test_a_feed_without_a_witness_is_what_it_was(tmp_path: Path) -> None:
    plain = feed_of(tmp_path, {})
    assert plain.cells == plain.workbook.cells
    assert plain.fingerprint != feed_of(tmp_path, {**ENDS, "witness": SUM}).fingerprint


def counted(workbook: str, sheet: str, rows: int, total: str) -> Counted:
    return Counted(workbook, sheet, rows, rows - 1, {"metric": total}, {"metric": "1"})


def values(*numbers: tuple[str, str, str]) -> list[WitnessValue]:
    return [WitnessValue(workbook, sheet, "F!B9", number, "") for workbook, sheet, number in numbers]


def outcome(compared: list[Compared]) -> list[tuple[str, str, bool]]:
    return [(one.found, one.difference, one.equal) for one in compared]


def test_each_number_is_compared_with_the_rows_that_it_speaks_of(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, {**ENDS, "witness": SUM})
    partitions = [
        counted("a", "N", 2, "1.5"),
        counted("a", "N", 2, "2"),
        counted("a", "S", 2, "4"),
        counted("b", "N", 1, "8"),
    ]
    found = compare(
        feed, values(("a", "N", "3.5"), ("a", "S", "5"), ("b", "", "8"), ("", "", "15.5")), partitions
    )
    assert [one.equal for one in found] == [True, False, True, True]
    assert outcome(found)[1] == ("4", "-1.0000", False)
    assert by_measure([asdict(one) for one in found]) == {"metric": "32.0000"}


def test_rows_are_counted_before_or_after_rejects(tmp_path: Path) -> None:
    for rows, number in (("delivered", "5"), ("loaded", "3")):
        witness = {"at": "totals_row", "count": "rows", "column": "metric", "rows": rows}
        feed = feed_of(tmp_path, {**ENDS, "witness": witness})
        partitions = [counted("a", "N", 2, "1"), counted("a", "N", 3, "1")]
        assert outcome(compare(feed, values(("a", "N", number)), partitions)) == [(number, "0", True)]


@pytest.mark.parametrize(
    ("number", "total", "equal"),
    [
        ("30.5", "30.5000", True),
        ("30.50004", "30.5000", False),
        ("1763477430.69002", "1763477430.69", True),  # what a double's sum leaves behind four decimals
        ("1763477430.6901", "1763477430.69", False),
        ("1" + "0" * 300, "1", False),
        ("-0.0001", "0", False),
    ],
)
def test_only_what_adding_doubles_leaves_is_no_difference(
    tmp_path: Path, number: str, total: str, equal: bool
) -> None:
    feed = feed_of(tmp_path, {**ENDS, "witness": SUM})
    [one] = compare(feed, values(("a", "N", number)), [counted("a", "N", 2, total)])
    assert one.equal is equal


def test_one_witness_is_the_same_feed_as_a_list_of_it_and_an_empty_list_as_none(tmp_path: Path) -> None:
    one, listed = (feed_of(tmp_path, {**ENDS, "witness": said}) for said in (SUM, [SUM]))
    assert (one, one.fingerprint) == (listed, listed.fingerprint)
    assert feed_of(tmp_path, {**ENDS, "witness": []}).fingerprint == feed_of(tmp_path, ENDS).fingerprint


def test_several_witnesses_are_each_compared_with_their_own_numbers(tmp_path: Path) -> None:
    count = {"at": "Cover!B3", "count": "rows", "sheet": "N"}
    cover, other = {"at": "Cover!B4", "sum": "metric"}, {"at": "Cover!B5", "sum": "metric", "rows": "loaded"}
    feed = feed_of(tmp_path, {**ENDS, "witness": [SUM, count, cover, other]})
    read = [("N", "3", 0), ("S", "5", 0), ("N", "2", 1), ("", "8", 2)]
    values = [WitnessValue("", sheet, "F!B9", number, "", which) for sheet, number, which in read]
    found = compare(feed, values, [counted("a", "N", 2, "3"), counted("a", "S", 9, "5")])
    assert [(one.witness, one.equal) for one in found] == [
        *((0, True), (0, True), (1, True), (2, True)),
        (3, False),  # nothing was read for it
    ]
    assert by_measure([asdict(one) for one in found]) == {}
    assert by_measure([asdict(one) for one in found[:4]]) == {"metric": "8.0000"}  # of one total, not of both
    [*_, wrong] = compare(feed, [*values[:3], replace(values[3], number="9")], [counted("a", "N", 2, "8")])[
        :4
    ]
    assert (wrong.equal, by_measure([asdict(found[0]), asdict(found[1]), asdict(wrong)])) == (
        False,
        {"metric": "9.0000"},
    )


def test_a_witness_of_which_nothing_was_read_is_not_equal(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, {**ENDS, "witness": SUM})
    [one] = compare(feed, [], [counted("a", "N", 2, "0")])
    assert (one.equal, one.words) == (False, "the witness can't be read: nothing was read that could hold it")
    assert by_measure([asdict(one)]) == {}
    assert compare(feed_of(tmp_path, {}), [], []) == []
