"""Cutting a sheet's bytes, and counting rows by the look of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factload.sheet.limits import Limits
from factload.sheet.pieces import NotPlain
from factload.sheet.xlsx import source as xlsx_source
from factload.sheet.xlsx.counting import count_valued
from factload.sheet.xlsx.windows import Windows
from factload.sheet.xlsx.xml_bytes import row_ends
from tests import expected, sheetxml

HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
FOOT = "</sheetData><mergeCells/></worksheet>"


def row(number: int, cells: str | None = None) -> str:
    return f'<row r="{number}">{cells or f"<c r=%sA{number}%s><v>1</v></c>" % (chr(34), chr(34))}</row>'


def cut(xml: str, **options: int) -> list[tuple[str, bool]]:
    options = {
        "skip_to_row": 0,
        "rows_per_partition": 10**9,
        "rows_per_window": 10**9,
        "window_bytes": 1 << 20,
        **options,
    }
    return [
        (window.xml.decode(), window.ends_partition)
        for window in Windows(io.BytesIO(xml.encode()), limits=Limits(row_bytes=1 << 20), **options)
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


NO_ROWS = [
    '<!-- <row r="1"> -->',
    '<!-- <row r="3"><c r="A3"><v>1</v></c></row> -->',
    "<!-- </row> -->",
    "<!-- </sheetData></worksheet> -->",
    "<!-- <sheetData/> -->",
    '<?note <row r="1"> ?>',
    "<?note </sheetData> ?>",
]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(note=st.sampled_from(NO_ROWS), place=st.integers(0, 8), window_bytes=st.integers(60, 700))
def test_what_looks_like_rows_in_a_comment_takes_no_row_away(
    note: str, place: int, window_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    texts = [sheetxml.text_row(1, ["k"]), *(sheetxml.text_row(i, [f"key {i}"]) for i in range(2, 8))]
    before = note if place == 8 else ""
    rows = "".join([*texts[:place], "" if before else note, *texts[place:]])
    path = tmp_path_factory.mktemp("notes") / "w.xlsx"
    sheetxml.write(path, sheetxml.sheet(rows, head=before))
    with windows_of(window_bytes):
        done, found = expected.split(path, [expected.field("k", "text", key=True)])
    assert [row["row"] for row in found] == [2, 3, 4, 5, 6, 7]
    assert done.source == 6


@pytest.mark.parametrize(
    "opening",
    ['<row spans="1:2" r="1">', "<row r='1'>", '<row  r="1" >', '<row ht="15" x14ac:dyDescent="0.25" r="1">'],
)
def test_the_header_row_may_write_its_attributes_as_it_likes(opening: str, tmp_path: Path) -> None:
    header = sheetxml.text_row(1, ["k"]).replace('<row r="1">', opening)
    part = sheetxml.sheet(header + sheetxml.text_row(2, ["x"])).replace(
        "<worksheet", '<worksheet xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac"'
    )
    _, found = expected.split(
        sheetxml.write(tmp_path / "w.xlsx", part), [expected.field("k", "text", key=True)]
    )
    assert [row["row"] for row in found] == [2]


def test_a_row_number_in_another_attribute_is_none(tmp_path: Path) -> None:
    rows = sheetxml.text_row(1, ["k"]) + sheetxml.text_row(2, ["x"]).replace("<row ", "<row x=' r=\"1\" ' ")
    _, found = expected.split(
        sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(rows)), [expected.field("k", "text", key=True)]
    )
    assert [row["row"] for row in found] == [2]


@contextmanager
def windows_of(window_bytes: int) -> Iterator[None]:
    """Windows of the .xlsx reader as small as this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_source, "WINDOW_BYTES", window_bytes)
        yield
