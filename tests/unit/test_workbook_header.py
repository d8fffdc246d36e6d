"""Finding the sheet and its header row by name, and saying what is there when it isn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from factload.errors import WorkbookError
from factload.sheet.source import inspect
from tests import expected, sheetxml

FIELDS = [expected.field("Business Key", "text", key=True), expected.field("metric", "integer")]


def rows(*rows: list[str]) -> str:
    written = [sheetxml.text_row(number, texts) for number, texts in enumerate(rows, 1) if texts]
    return sheetxml.sheet("".join(written))


def refusal(path: Path, **options: object) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        expected.split(path, FIELDS, **options)
    return caught.value


@pytest.mark.parametrize(
    "above",
    [[], [["A title"]], [["A title"], [], ["Business Key", "of whom"]], [[]] * 40],
    ids=["first row", "title", "title and a lookalike", "far down"],
)
@pytest.mark.parametrize(
    "names", [["Business Key", "metric"], [" business key ", "METRIC"], ["x", "metric", "Business Key"]]
)
def test_the_header_is_the_row_with_all_names(
    above: list[list[str]], names: list[str], tmp_path: Path
) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", rows(*above, names, ["a", "b", "c"]))
    done, found = expected.split(path, FIELDS)
    assert done.source == 1
    assert [(r["row"], r["reason"], r["column"]) for r in found] == [
        (len(above) + 2, "not_a_number", "metric")
    ]


def test_an_exact_name_wins_over_one_in_another_case(tmp_path: Path) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", rows(["Metric", "Business Key", "metric"], ["a", "b", "c"]))
    assert expected.split(path, FIELDS)[1][0]["cell"] == "C2"


def test_a_missing_name_lists_what_is_there(tmp_path: Path) -> None:
    error = refusal(sheetxml.write(tmp_path / "w.xlsx", rows(["busines key", "metric"], ["a", "b"])))
    assert error.code == "header_missing"
    assert "'Business Key'" in error.seen
    assert "row 1 holds 'busines key', 'metric'" in error.seen
    assert "Did you mean 'busines key'?" in error.remedy


@pytest.mark.parametrize(
    "names", [["Business Key", "metric", "metric"], ["Business Key", "Metric", "METRIC"]]
)
def test_a_name_that_is_there_twice_is_refused_with_its_places(names: list[str], tmp_path: Path) -> None:
    error = refusal(sheetxml.write(tmp_path / "w.xlsx", rows(names, ["a", "b"])))
    assert error.code == "header_duplicate"
    assert "B1 and C1" in error.seen


def test_an_empty_sheet(tmp_path: Path) -> None:
    assert refusal(sheetxml.write(tmp_path / "w.xlsx", rows())).code == "header_missing"


def test_a_header_alone_makes_no_partition(tmp_path: Path) -> None:
    done, _ = expected.split(sheetxml.write(tmp_path / "w.xlsx", rows(["Business Key", "metric"])), FIELDS)
    assert (done.partitions, done.source) == ((), 0)


def test_a_sheet_by_name_or_position(tmp_path: Path) -> None:
    good = rows(["Business Key", "metric"], ["a"])
    path = sheetxml.write(tmp_path / "w.xlsx", {"Notes": rows(["x"]), "Facts": good})
    for sheet in ("Facts", "facts", 1):
        assert expected.split(path, FIELDS, sheet=sheet)[0].source == 1
    for sheet in ("Fact", 2, -1):
        error = refusal(path, sheet=sheet)
        assert error.code == "sheet_missing"
        assert "'Notes', 'Facts'" in error.seen


def test_inspect_shows_sheets_and_headers(tmp_path: Path) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", {"Notes": rows(), "Facts": rows(["title"], ["k", "m"])})
    notes, facts = inspect(path)
    assert (notes.name, notes.header) == ("Notes", None)
    assert facts.header is not None
    assert (facts.header.row, facts.header.names) == (2, {1: "k", 2: "m"})


def test_merged_header_cells_are_named(tmp_path: Path) -> None:
    part = rows(["title"], ["Business Key"], ["a"]).replace(
        "</sheetData>",
        '</sheetData><mergeCells><mergeCell ref="A2:B2"/><mergeCell ref="A9:B9"/></mergeCells>',
    )
    error = refusal(sheetxml.write(tmp_path / "w.xlsx", part))
    assert error.code == "header_missing"
    assert "merged there: A2:B2" in str(error)
    assert "A9" not in str(error)


def test_cells_of_a_workbook_without_any_of_the_columns_stay_out_of_the_message(tmp_path: Path) -> None:
    error = refusal(
        sheetxml.write(tmp_path / "w.xlsx", rows(["ID", "Alice Miller", "Salary 123,456"], ["7"]))
    )
    assert error.code == "header_missing"
    assert "no row holds any of them" in error.seen
    assert not [word for word in ("Alice", "Salary", "123", "ID") if word in str(error)]


def test_a_misspelt_name_is_shown_even_where_no_other_is_right(tmp_path: Path) -> None:
    error = refusal(sheetxml.write(tmp_path / "w.xlsx", rows(["BUSINES KEY", "Metric sum", "Alice"])))
    assert error.remedy.startswith("Did you mean 'BUSINES KEY'? ")


def test_what_is_no_text_in_a_header_is_counted(tmp_path: Path) -> None:
    part = rows(["metric", "x"]).replace("</row>", '<c r="C1"><v>2024</v></c><c r="D1"><v>7</v></c></row>')
    error = refusal(sheetxml.write(tmp_path / "w.xlsx", part))
    assert "row 1 holds 'metric', 'x', and 2 cells without text" in error.seen
    assert "2024" not in str(error)


@pytest.mark.parametrize(("columns", "length"), [(1, 1_000_000), (16_000, 10), (300, 50_000)])
def test_a_message_is_short_whatever_a_header_holds(columns: int, length: int, tmp_path: Path) -> None:
    cells = "".join(f'<c r="{expected.letters(i)}1" t="s"><v>1</v></c>' for i in range(2, columns + 2))
    path = sheetxml.write(
        tmp_path / "w.xlsx",
        sheetxml.sheet(f'<row r="1"><c r="A1" t="s"><v>0</v></c>{cells}</row>'),
        strings=sheetxml.shared(["<t>metric</t>", f"<t>{'x' * length}</t>"]),
    )
    error = refusal(path)
    assert error.seen.startswith("Sheet 'Facts' has no column 'Business Key'")
    assert len(str(error)) < 3_000


def test_a_message_is_short_whatever_a_feed_asks_for(tmp_path: Path) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", rows(["a", "b"]))
    with pytest.raises(WorkbookError) as caught:
        expected.split(path, [expected.field(f"column {i}", "text") for i in range(1_000)])
    assert "'column 29' and 970 more" in caught.value.seen
    assert len(str(caught.value)) < 2_000


def test_a_long_name_is_compared_by_case_too(tmp_path: Path) -> None:
    """In another case a name may have more characters, or fewer."""
    path = sheetxml.write(tmp_path / "w.xlsx", rows(["STRASSE", "ﬃ"], ["x", "y"]))
    done, _ = expected.split(
        path, [expected.field("straße", "text", key=True), expected.field("FFI", "text")]
    )
    assert done.source == 1


def test_a_sheet_whose_name_is_a_page_long_is_refused(tmp_path: Path) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", {"x" * 100_000: rows(["Business Key", "metric"])})
    for sheet in (0, "*"):
        error = refusal(path, sheet=sheet)
        assert (error.code, "100,000 characters" in error.seen) == ("workbook_hostile", True)
    assert len(str(refusal(path, sheet="other"))) < 12_000


def test_every_sheet_is_no_number_of_sheets_without_end(tmp_path: Path) -> None:
    from factload.sheet.sheets import SheetPart, choose

    with pytest.raises(WorkbookError, match="10,001 visible sheets"):
        choose([SheetPart(f"S{i}", "visible", "", "worksheet") for i in range(10_001)], "*")


SPELT = [
    "Net\nAmount",
    "Net  Amount",
    "Net\u00a0Amount",
    " Net\u2003\tAmount ",
    "Net\u200b Amount\ufeff",
    "net\namount",
]


@pytest.mark.parametrize("there", SPELT)
@pytest.mark.parametrize("wanted", ["Net Amount", "Net\nAmount"])
def test_a_name_is_what_a_person_sees(tmp_path: Path, there: str, wanted: str) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", rows([there], ["7"]))
    assert expected.split(path, [expected.field(wanted, "text")])[1][0][wanted] == "7"


@pytest.mark.parametrize(
    ("there", "wanted"), [("Gro\u0308ße", "Größe"), ("Größe", "Gro\u0308ße"), ("GRÖSSE", "Größe")]
)
def test_composed_and_decomposed_letters_are_the_same(tmp_path: Path, there: str, wanted: str) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", rows([there], ["7"]))
    assert expected.split(path, [expected.field(wanted, "text")])[1][0][wanted] == "7"
    csv = tmp_path / "w.csv"
    csv.write_text(f"{there}\n7\n", encoding="utf-8")
    assert expected.split(csv, [expected.field(wanted, "text")])[1][0][wanted] == "7"


def test_the_nearest_spelling_wins_and_two_alike_are_refused(tmp_path: Path) -> None:
    field = [expected.field("Net Amount", "text")]
    path = sheetxml.write(
        tmp_path / "w.xlsx", rows(["NET AMOUNT", "Net\nAmount", "Net Amount"], ["1", "2", "3"])
    )
    assert expected.split(path, field)[1][0]["Net Amount"] == "3"
    path = sheetxml.write(tmp_path / "w.xlsx", rows(["NET AMOUNT", "Net\nAmount"], ["1", "2"]))
    assert expected.split(path, field)[1][0]["Net Amount"] == "2"
    path = sheetxml.write(tmp_path / "w.xlsx", rows(["Net\u00a0Amount", "Net\nAmount"], ["1", "2"]))
    with pytest.raises(WorkbookError) as caught:
        expected.split(path, field)
    assert (caught.value.code, "A1 and B1" in caught.value.seen) == ("header_duplicate", True)
