"""Rows that are no data: where a sheet's data end, subtotals among them, and that each such row is counted once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factload.errors import WorkbookError
from factload.feed.left_out import SkippedRows, end_of_data
from factload.sheet.block import Kind
from factload.sheet.choices import AreaChoice, CellChoices, RowChoices
from factload.sheet.csv import source as csv_source
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.names import pattern_of
from factload.sheet.pieces import Pieces
from factload.sheet.source import open_source, read_rows
from factload.sheet.xlsx import source as xlsx_source
from factload.vectors import matches, texts
from tests import expected
from tests.workbooks import write_csv, write_ods, write_rows

FIELDS = [expected.field("k", "text"), expected.field("m", "integer")]
HEADER = ("label", "k", "m", "remark")
Row = tuple[Any, ...]
# What each row says: data, a subtotal, a heading of a group, a row with nothing that is read, a total, a row below it.
DATA: Row = ("", "a", 1, "")
SUBTOTAL: Row = ("Sub  total", "", 1, "")
HEADING: Row = ("Sub total", "", "", "")
REMARK: Row = ("", "", "", "seen")
NOTHING: Row = ("", "", "", "")
TOTAL: Row = (" Total", "", 2, "")
BELOW: Row = ("", "b", 9, "")


def choices(end: Any = None, *skips: dict[str, Any], **more: Any) -> CellChoices:
    rows = RowChoices(end_of_data(end), tuple(SkippedRows(**skip).skip for skip in skips))  # type: ignore[arg-type]
    return CellChoices(stale_formulas="take", rows=rows, **more)


def below_header(rows: Sequence[Row]) -> list[Sequence[Any]]:
    return [HEADER, *([None if cell == "" else cell for cell in row] for row in rows)]


def as_csv(path: Path, rows: Sequence[Row]) -> Path:
    return write_csv(path, below_header(rows), ";")


def as_xlsx(path: Path, rows: Sequence[Row]) -> Path:
    return write_rows(path, below_header(rows))


def as_ods(path: Path, rows: Sequence[Row]) -> Path:
    return write_ods(path, below_header(rows))


WRITE = {".xlsx": as_xlsx, ".csv": as_csv, ".ods": as_ods}


def read(path: Path, cells: CellChoices) -> tuple[list[int], dict[str, int]]:
    """The rows that are data, and how many others there are; every row of the source is one of them, or blank."""
    with open_source(path, csv=CsvDialect(delimiter=";"), cells=cells) as source:
        rows = source.rows(source.sheets[0], FIELDS, 2)

        def take(pieces: Pieces) -> tuple[list[int], dict[str, int]]:
            numbers: list[int] = []
            left: Counter[str] = Counter()
            for piece in pieces:
                numbers += piece.rows.batch["row"].to_pylist()
                left.update(piece.left_out)
                gone = sum(piece.left_out.values())
                assert piece.source == piece.rows.blank + piece.rows.batch.num_rows + gone
                assert (
                    piece.rows.rejected == piece.rows.batch.num_rows - piece.rows.batch["reason"].null_count
                )
            return numbers, dict(left)

        fast = read_rows(rows, 3, take)
        assert rows.leaves is not None
        assert take(rows.leaves.settled(rows.exactly(3))) == fast
        if defects := rows.leaves.defects():
            raise WorkbookError.together(defects)
        return fast


CASES: list[tuple[list[Row], Any, list[dict[str, str]], list[int], dict[str, int]]] = [
    ([DATA, DATA, NOTHING, BELOW], "blank_row", [], [2, 3], {"after_end": 1}),
    ([NOTHING, REMARK, DATA, DATA, REMARK, BELOW, NOTHING, BELOW], "blank_row", [], [4, 5], {"after_end": 2}),
    ([DATA, DATA], "blank_row", [], [2, 3], {}),
    (
        [SUBTOTAL, NOTHING, DATA, HEADING, DATA, SUBTOTAL, DATA, NOTHING, BELOW],
        "blank_row",
        [{"column": "label", "equals": "Sub total"}],
        [4, 6, 8],
        {"skipped_row": 2, "after_end": 1},
    ),
    ([DATA, DATA, TOTAL], "totals_row", [], [2, 3], {"totals_row": 1}),
    ([DATA, DATA, TOTAL, NOTHING, REMARK], "totals_row", [], [2, 3], {"totals_row": 1}),
    ([*[DATA] * 7, TOTAL, *[REMARK] * 5], "totals_row", [], [*range(2, 9)], {"totals_row": 1}),
    ([], "totals_row", [], [], {}),
    ([DATA, TOTAL, BELOW, REMARK, TOTAL], {"first": "Total"}, [], [2], {"totals_row": 1, "after_end": 2}),
    ([DATA, BELOW, DATA], {"first": "b", "column": "k"}, [], [2], {"totals_row": 1, "after_end": 1}),
    ([DATA, ("Total", "", "", ""), BELOW], {"first": "Total"}, [], [2], {"after_end": 1}),
    (
        [DATA, SUBTOTAL, DATA, SUBTOTAL, TOTAL],
        {"first": "Total"},
        [{"column": "label", "equals": "Sub total"}],
        [2, 4],
        {"skipped_row": 2, "totals_row": 1},
    ),
    (
        [DATA, SUBTOTAL, TOTAL, BELOW],
        None,
        [{"column": "label", "pattern": "(?i)(sub +)?total"}, {"column": "k", "equals": "b"}],
        [2],
        {"skipped_row": 3},
    ),
    (
        [DATA, TOTAL, SUBTOTAL],
        "totals_row",
        [{"column": "label", "equals": "Sub total"}],
        [2],
        {"totals_row": 1, "after_end": 1},
    ),
    ([DATA, ("Totals", "c", 1, "")], None, [{"column": "label", "pattern": "Total"}], [2, 3], {}),
    (
        [(9, "a", 1, ""), (9.5, "b", 2, ""), ("9", "c", 3, ""), (90, "d", 4, ""), (0.3, "e", 5, "")],
        None,
        [{"column": "label", "equals": "9"}, {"column": "label", "pattern": r"0[.]\d"}],
        [3, 5],
        {"skipped_row": 3},
    ),
]


def test_a_number_is_told_by_what_excel_shows_of_it(tmp_path: Path) -> None:
    rows: list[Row] = [(0.1 + 0.2, "a", 1, ""), (1e-3, "b", 2, ""), (0.30001, "c", 3, ""), (True, "d", 4, "")]
    path = as_xlsx(tmp_path / "a.xlsx", rows)
    skips = [{"column": "label", "equals": text} for text in ("0.3", "0.001", "1")]
    assert read(path, choices(None, *skips)) == ([4, 5], {"skipped_row": 2})


@pytest.mark.parametrize(
    ("ending", "rows", "end", "skips", "data", "left"),
    [
        *((ending, *case) for ending in (".xlsx", ".csv") for case in CASES),
        *((".ods", *case) for case in CASES[5:12:6]),  # a process each
    ],
)
def test_rows_that_are_no_data_are_left_out_and_counted_by_their_reason(
    tmp_path: Path,
    ending: str,
    rows: list[Row],
    end: Any,
    skips: list[dict[str, str]],
    data: list[int],
    left: dict[str, int],
) -> None:
    path = WRITE[ending](tmp_path / f"a{ending}", rows)
    assert read(path, choices(end, *skips)) == (data, left)


@pytest.mark.parametrize("ending", WRITE)
def test_data_that_do_not_end_as_the_feed_says_are_refused(tmp_path: Path, ending: str) -> None:
    path = WRITE[ending](tmp_path / f"a{ending}", [DATA, ("total", "b", 1, "")])
    with pytest.raises(WorkbookError, match="no row that holds the text") as caught:
        read(path, choices({"first": "Total"}))
    assert caught.value.code == "end_missing"


def test_a_record_of_another_length_ends_a_csv_file_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('label;k;m\n;a;1\n;b;2\n"TRAILER";2\n', encoding="utf-8")
    assert read(path, choices({"first": "TRAILER"})) == ([2, 3], {"totals_row": 1})
    assert read(path, choices("totals_row")) == ([2, 3], {"totals_row": 1})


def test_records_of_another_length_are_skipped_by_their_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("label;k;m\n;a;1\nSubtotal;1\n;b;2\nSubtotal;2;;;\n-----\nTotal;3\n", encoding="utf-8")
    skips: list[dict[str, Any]] = [
        {"column": "label", "equals": "Subtotal"},
        {"field": 1, "pattern": "-+"},
    ]
    assert read(path, choices("totals_row", *skips)) == ([2, 4], {"totals_row": 1, "skipped_row": 3})


@pytest.mark.parametrize("ending", WRITE)
def test_a_column_without_a_name_is_told_by_its_position(tmp_path: Path, ending: str) -> None:
    rows = [(None, *HEADER), ("", *DATA), ("*", *DATA), ("", *DATA), ("**", *TOTAL), ("", *BELOW)]
    write: dict[str, Callable[..., Path]] = {
        ".xlsx": write_rows,
        ".csv": partial(write_csv, delimiter=";"),
        ".ods": write_ods,
    }
    path = write[ending](tmp_path / f"a{ending}", [[cell or None for cell in row] for row in rows])
    told = choices({"first": "**", "field": 1}, {"field": 1, "pattern": "[*]"}, {"field": 9, "equals": "x"})
    assert read(path, told) == ([2, 4], {"skipped_row": 1, "totals_row": 1, "after_end": 1})


def test_a_total_is_none_where_its_record_has_more_fields_than_the_header(tmp_path: Path) -> None:
    def total(watched: str | int, record: str) -> Any:
        path = tmp_path / "a.csv"
        path.write_text(f"k;m;x\na;30;\n{record}\n", encoding="utf-8")
        rows = RowChoices(end_of_data("totals_row"), watched=(watched,))  # type: ignore[arg-type]
        with open_source(path, csv=CsvDialect(delimiter=";"), cells=CellChoices(rows=rows)) as source:
            leaves = (read := source.rows(source.sheets[0], FIELDS, 2)).leaves
            assert leaves is not None
            read_rows(read, 3, list)
            return leaves.watched(leaves.watched_columns[0])

    assert total("m", "Total;30;50;1") == (Kind.AMBIGUOUS, "")
    assert total("m", "Total;30") == total("m", "Total;30;;;") == (Kind.TEXT, "30")
    assert total(2, "Total;30;50;1") == (Kind.TEXT, "30")


def test_a_position_outside_of_the_range_is_refused(tmp_path: Path) -> None:
    area = AreaChoice(range="Facts!A1:D2")
    path = write_rows(tmp_path / "a.xlsx", below_header([DATA]), "Facts")
    with pytest.raises(WorkbookError, match=r"Column E .* not one of the range .* from 1 to 4") as caught:
        read(path, choices(None, {"field": 5, "equals": "x"}, area=area))
    assert caught.value.code == "column_unclear"


@pytest.mark.parametrize("size", [1, 3 << 19])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_record_of_several_lines_is_no_blank_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, quote: str
) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", size)
    text = 'label;k;m;remark\n"two\nlines";a;1;\n;"b\n\nc";2;\n;d;3;\n;;;\n;e;4;\n'
    path = tmp_path / "a.csv"
    path.write_text(text.replace('"', quote), encoding="utf-8")
    with open_source(path, csv=CsvDialect(delimiter=";", quote=quote), cells=choices("blank_row")) as source:
        rows = source.rows(source.sheets[0], FIELDS, 2)
        for pieces in (rows.pieces(3), rows.exactly(3)):
            assert rows.leaves is not None
            found = [n for piece in rows.leaves.settled(pieces) for n in piece.rows.batch["row"].to_pylist()]
            assert found == [2, 4, 7]


@pytest.mark.parametrize(("end", "words"), [({"first": "x", "column": "Label2"}, "no column 'Label2'")])
def test_a_column_that_is_not_there_is_named(tmp_path: Path, end: Any, words: str) -> None:
    with pytest.raises(WorkbookError, match=words):
        read(as_xlsx(tmp_path / "a.xlsx", [DATA]), choices(end))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.sampled_from([DATA, SUBTOTAL, HEADING, REMARK, NOTHING, TOTAL, BELOW]), max_size=25),
    end=st.sampled_from(["blank_row", "totals_row", {"first": "Total"}, None]),
    skip=st.booleans(),
    size=st.sampled_from([250, 900, 4 << 20]),
)
def test_what_is_left_out_does_not_hang_on_windows(
    tmp_path: Path, rows: list[Row], end: Any, skip: bool, size: int
) -> None:
    skips = [{"column": "label", "equals": "Sub total"}] if skip or end is None else []
    if end == {"first": "Total"}:
        rows = [*rows, TOTAL]
    filled = [i for i, row in enumerate(rows, 2) if row not in (NOTHING, REMARK, HEADING)]
    skipped = [i for i, row in enumerate(rows, 2) if skips and row in (SUBTOTAL, HEADING)]
    data_rows = [i for i in filled if i not in skipped]
    last = len(rows) + 2  # the first row that is no data
    if end == "blank_row" and data_rows:
        last = next(i for i in range(data_rows[0], len(rows) + 3) if i not in filled + skipped)
    elif end == "totals_row":
        last = max(data_rows, default=last)
    elif isinstance(end, dict):
        last = rows.index(TOTAL) + 2
    wanted = [i for i in data_rows if i < last]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_source, "WINDOW_BYTES", size)
        data, left = read(as_xlsx(tmp_path / "a.xlsx", rows), choices(end, *skips))
    assert data == wanted
    assert sum(left.values()) == len(filled) - len(wanted)


def test_a_table_says_itself_which_row_is_its_total(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path / "a.xlsx", [DATA, DATA, TOTAL])
    cells = choices("totals_row", area=AreaChoice(range="Facts!A1:D4"))
    assert read(path, cells) == ([2, 3], {"totals_row": 1})


@pytest.mark.parametrize(
    ("label", "text", "same"),
    [
        ("Total", " Total\u00a0", True),
        ("Total", "To\u00adtal", True),
        ("Grand Total", "Grand\n\u2003Total", True),
        ("Café", "Cafe\u0301", True),
        ("Cafe\u0301", "Café", True),
        ("Total", "total", False),
        ("Total", "Totals", False),
        ("Total (net)", "Total (net)", True),
        ("a.b", "axb", False),
    ],
)
def test_a_label_is_the_text_that_a_person_sees(label: str, text: str, same: bool) -> None:
    assert matches(texts([text]), pattern_of(label)).tolist() == [same]


@pytest.mark.parametrize(
    "value", ["last_row", {"first": " "}, {"first": 1}, {"column": "a"}, {"first": "a", "row": 1}, 3, []]
)
def test_ends_that_say_nothing_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=re.escape("{first: ")):
        end_of_data(value)
