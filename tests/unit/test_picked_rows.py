"""Some rows of a sheet by their numbers: the same rows that reading all of them gives, however the sheet is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from factload.sheet.rows import Row, chosen
from factload.sheet.source import open_source
from factload.sheet.xlsx.picked import Wanted
from factload.sheet.xlsx.source import XlsxSource
from tests import sheetxml

HEADER = '<row r="1"><c r="A1" t="str"><v>k</v></c><c r="B1" t="str"><v>m</v></c></row>'
ROWS = {
    "plain": '<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="str"><v>text {n}</v></c></row>',
    "empty": '<row r="{n}" ht="20"/>',
    "styled": '<row r="{n}" s="1" customFormat="1"><c r="A{n}" s="1"/></row>',
    "spaced": '\n  <row  r="{n}" spans="1:2" >\n<c r="A{n}"><v>{n}</v></c></row>\n',
    "rich": '<row r="{n}"><c r="A{n}" t="inlineStr"><is><r><t>a</t></r><r><t xml:space="preserve"> b</t></r></is></c></row>',
    "formula": '<row r="{n}"><c r="A{n}"><f>1+1</f></c><c r="B{n}"><f>A{n}&lt;row r="7"</f><v>2</v></c></row>',
    "array": '<row r="{n}"><c r="A{n}"><f t="array" ref="A{n}:A{n}0">1+1</f></c></row>',
    "comment": '<row r="{n}"><!-- <row r="3"> --><c r="A{n}"><v>{n}</v></c></row>',
    "cdata": '<row r="{n}"><c r="A{n}" t="str"><v><![CDATA[</row><row r="4">]]></v></c></row>',
    "quoted": "<row r='{n}'><c r='A{n}'><v>{n}</v></c></row>",
    "unnumbered": '<row><c t="str"><v>next</v></c></row>',
}


def sheet(path: Path, kinds: Sequence[str], gaps: Sequence[int]) -> Path:
    number, rows = 1, [HEADER]
    for kind, gap in zip(kinds, gaps, strict=False):
        number += gap if kind != "unnumbered" else 1
        rows.append(ROWS[kind].replace("{n}", str(number)))
    return sheetxml.write(path, sheetxml.sheet("".join(rows)))


def read(path: Path, wanted: Sequence[int]) -> tuple[list[Row], list[Row]]:
    below = {"header_row": 1, "columns": {1, 2}}
    with open_source(path) as opened:
        part = opened.sheets[0]
        picked = list(opened.some_rows(part, wanted, **below))  # type: ignore[arg-type]
        return picked, [row for row in opened.all_rows(part, **below) if row.number in wanted]  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(sorted(ROWS)), max_size=12),
    st.lists(st.integers(1, 5), min_size=12, max_size=12),
    st.sets(st.integers(2, 40)),
)
@example(["empty", "empty", "quoted"], [1] * 12, {4})  # the row before, without cells, is not this one
@example(
    ["empty", "empty", "formula", "empty"], [3, 5, 5, 1], {14}
)  # what follows the last picked row is not plain
def test_picked_rows_are_those_that_reading_all_gives(
    tmp_path: Path, kinds: list[str], gaps: list[int], wanted: set[int]
) -> None:
    picked, every = read(sheet(tmp_path / "w.xlsx", kinds, gaps), sorted(wanted))
    assert picked == every


def test_plain_rows_are_picked_without_reading_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sheet(tmp_path / "w.xlsx", ["plain", "empty", "rich", "spaced", "formula"] * 60, [2] * 300)

    def never(*_: object, **__: object) -> Iterator[Row]:
        raise AssertionError("all rows were read")

    _, every = read(path, range(2, 500, 7))
    monkeypatch.setattr(XlsxSource, "all_rows", never)
    with open_source(path) as opened:
        rows = opened.some_rows(opened.sheets[0], range(2, 500, 7), header_row=1, columns={1, 2})
        assert list(rows) == every
    assert len(every) > 20


def test_numbers_are_taken_one_window_at_a_time() -> None:
    wanted = Wanted(iter([2, 3, 7, 9]))
    assert wanted.through(3) == [2, 3]
    assert list(wanted.not_found_yet()) == [2, 3, 7, 9]
    rows = (Row(number) for number in (1, 2, 4, 7))
    assert [row.number for row in chosen(rows, [2, 3, 7, 9])] == [2, 7]
