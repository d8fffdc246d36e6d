"""Cutting a sheet's bytes, and counting rows by the look of them."""

from __future__ import annotations

import io

import pytest

from factload.sheet.counting import count_valued
from factload.sheet.windows import NotPlain, Windows
from factload.vectors import row_ends

HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
FOOT = "</sheetData><mergeCells/></worksheet>"


def row(number: int, cells: str | None = None) -> str:
    return f'<row r="{number}">{cells or f"<c r=%sA{number}%s><v>1</v></c>" % (chr(34), chr(34))}</row>'


def cut(xml: str, **options: int) -> list[tuple[str, bool]]:
    options = {
        "skip_to_row": 0,
        "rows_per_partition": 10**9,
        "window_bytes": 1 << 20,
        "row_bytes": 1 << 20,
        **options,
    }
    return [
        (window.xml.decode(), window.ends_partition)
        for window in Windows(io.BytesIO(xml.encode()), **options)
    ]


@pytest.mark.parametrize("window_bytes", [150, 1000, 100_000])
@pytest.mark.parametrize("rows_per_partition", [1, 2, 7, 499, 500, 1000])
def test_windows_hold_every_row_once_and_never_two_partitions(
    window_bytes: int, rows_per_partition: int
) -> None:
    rows = [row(number) for number in range(1, 501)]
    windows = cut(
        HEAD + "".join(rows) + FOOT, window_bytes=window_bytes, rows_per_partition=rows_per_partition
    )
    assert "".join(xml for xml, _ in windows) == "".join(rows)
    held = 0
    for xml, ends in windows:
        assert xml.endswith("</row>")
        held += xml.count("</row>")
        assert held <= rows_per_partition
        assert ends == (held == rows_per_partition)
        held = 0 if ends else held


def test_windows_begin_below_the_header() -> None:
    xml = HEAD + "".join(map(row, (1, 3, 7, 8))) + FOOT
    assert cut(xml, skip_to_row=3, window_bytes=150) == [(row(7) + row(8), False)]
    assert cut(xml, skip_to_row=8) == []


@pytest.mark.parametrize("data", ["<sheetData/>", "<sheetData></sheetData>", "<sheetData> </sheetData>"])
def test_a_sheet_without_rows_has_no_windows(data: str) -> None:
    assert cut(HEAD.replace("<sheetData>", data) + "</worksheet>") == []


@pytest.mark.parametrize(
    "xml",
    [
        HEAD.replace("<worksheet xmlns", "<x:worksheet xmlns:x") + row(1) + FOOT,
        '<?xml version="1.0" encoding="windows-1252"?>' + HEAD + row(1) + FOOT,
        HEAD.replace("<sheetData>", "<!-- <sheetData> --><sheetData>") + row(1) + FOOT,
        HEAD + row(1) + "</sheetData><wrong></worksheet>",
    ],
    ids=["prefix", "encoding", "comment", "tail"],
)
def test_what_bytes_cannot_tell_is_left_to_the_exact_reader(xml: str) -> None:
    with pytest.raises(NotPlain):
        cut(xml)


@pytest.mark.parametrize(
    ("cells", "valued"),
    [
        ('<c r="A1"><v>1</v></c>', True),
        ('<c r="A1" t="inlineStr"><is><t>x</t></is></c>', True),
        ('<c r="A1" t="inlineStr"><is><t xml:space="preserve"> </t></is></c>', True),
        ('<c r="A1" t="inlineStr"><is><r><t>x</t></r></is></c>', True),
        ('<c r="A1"><v>1</v></c><c r="B1" s="1"/>', True),
        ('<c r="A1"><f>B1</f></c>', True),
        ('<c r="A1"><f>B1</f><v></v></c>', True),
        ('<c r="A1"><f t="shared" si="0"/><v/></c>', True),
        ('<c r="A1" t="str"><f>B1</f></c>', True),
        ('<c r="A1" t="str"><f>B1</f><v></v></c>', False),
        ('<c r="A1" s="1"/>', False),
        ('<c r="A1" s="1"></c>', False),
        ('<c r="A1"><v></v></c>', False),
        ('<c r="A1"><v/></c>', False),
        ('<c r="A1" t="inlineStr"><is><t></t></is></c>', False),
        ('<c r="A1" t="inlineStr"><is><t/></is></c>', False),
        (" ", False),
    ],
)
def test_a_row_counts_when_it_carries_a_value(cells: str, valued: bool) -> None:
    assert counted(row(1, cells)) == valued
    assert counted(row(1, cells) + '<row r="2"/>' + row(3)) == valued + 1


def counted(xml: str) -> int:
    return count_valued(xml.encode(), row_ends(xml.encode()))
