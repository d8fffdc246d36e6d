"""Which row of a sheet is the header, and how a csv file is written: told from what stands there alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factload.errors import WorkbookError
from factload.propose.csv_seen import look_at_csv
from factload.propose.header import find_table
from factload.sheet.block import Kind
from factload.sheet.rows import Row


def rows(*written: Sequence[Any]) -> list[Row]:
    """Rows as the reader gives them: texts, numbers, nothing."""
    return [
        Row(number, True, {i: _cell(value) for i, value in enumerate(values, 1) if value is not None})
        for number, values in enumerate(written, 1)
        if values
    ]


def _cell(value: Any) -> tuple[Kind, str]:
    return (Kind.TEXT, value) if isinstance(value, str) else (Kind.NUMBER, str(value))


DATA = [(f"C{n}", f"Name {n}", n, n * 1.5) for n in range(20)]
TEXTS = [(f"C{n}", f"Name {n}", f"Street {n}", f"City {n % 3}") for n in range(20)]


@pytest.mark.parametrize(
    ("sheet", "header"),
    [
        ([("No", "Name", "Qty", "Price"), *DATA], 1),
        ([("Report",), ("Created by", "JSMITH"), (), ("No", "Name", "Qty", "Price"), *DATA], 4),
        ([("Period", "November 2026"), ("No", "Name", "Qty", "Price"), *DATA], 2),
        ([(None, None, "Stock", None), ("No", "Name", "Qty", "Price"), *DATA], 2),
        ([("No", None, "Qty", "Price"), *DATA], 1),
        ([("No", "Name", 2025, 2026), *DATA], 1),
        ([("No", "Name", "0-30", "31-60"), *DATA], 1),
        ([("No", "Name", 1, 2), *DATA], 1),
        ([("No", "Name", "Qty", "Price"), *DATA[:9], ("No", "Name", "Qty", "Price"), *DATA[9:]], 1),
        ([("No", "Name", "Street", "City"), *TEXTS], 1),
        ([("Addresses",), ("No", "Name", "Street", "City"), *TEXTS], 2),
        ([("No", "Name", None, "City"), *TEXTS], 1),
        ([("Key",), *((f"C{n}",) for n in range(9))], 1),
        ([*((n, n * 2, n * 3) for n in range(9))], None),
        ([*((f"C{n}", n) for n in range(9))], None),
        ([("only a note",)], None),
        ([("No", "Name")], None),
        ([], None),
    ],
)
def test_the_header_is_the_row_with_the_most_names_above_values(sheet: list[Any], header: int | None) -> None:
    found = find_table(rows(*sheet), "Sheet1")
    assert (found.row if found else None) == header


def test_columns_that_hold_something_and_have_no_name_are_noted() -> None:
    found = find_table(rows(("No", None, "Qty"), *((f"C{n}", "x", n) for n in range(9))), "S")
    assert found is not None
    assert (found.names, found.blank) == ({1: "No", 3: "Qty"}, (2,))


def test_a_sheet_called_a_note_weighs_less() -> None:
    table = rows(("No", "Name", "Qty", "Price"), *DATA)
    weights = [found.weight for name in ("Data", "README") if (found := find_table(table, name))]
    assert weights[0] > weights[1]


_FIELD = st.text("abcdefg XYZäöü", min_size=1, max_size=8).filter(lambda text: text.strip() == text)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"]),
    st.sampled_from(["\n", "\r\n"]),
    st.lists(
        st.tuples(_FIELD, st.integers(-999, 999), st.decimals(0, 99, places=2)), min_size=3, max_size=20
    ),
)
def test_delimiter_and_encoding_are_found(
    tmp_path_factory: pytest.TempPathFactory,
    delimiter: str,
    encoding: str,
    end: str,
    data: list[tuple[str, int, Any]],
) -> None:
    mark = "," if delimiter in ";\t" else "."
    lines = [delimiter.join(("Größe", "Count", "Price"))]
    lines += [delimiter.join((f'"{text}"', str(n), str(price).replace(".", mark))) for text, n, price in data]
    path = tmp_path_factory.mktemp("csv") / "some.txt"
    path.write_bytes((end.join(lines) + end).encode(encoding))
    seen = look_at_csv(path)
    assert seen is not None
    assert seen.dialect.delimiter == delimiter
    assert path.read_bytes().decode(seen.dialect.encoding).lstrip("\ufeff") == end.join(lines) + end


@pytest.mark.parametrize(
    ("content", "delimiter", "quote"),
    [
        ("Kunde;Betrag;Datum\nA;1,5;05.11.2026\nB;2,5;06.11.2026\n", ";", '"'),
        ('"Umsatzanzeige";"vom 05.11."\nBuchung;Betrag\n05.11.2026;1,5\n', ";", '"'),
        ("name;places\nx;a,b,c\ny;d,e,f\n", ";", '"'),
        ('a,b\n"x;y;z",1\n"u;v;w",2\n', ",", '"'),
        ('Item\tSize\n1\t5" pipe\n2\t"6"" pipe\n', "\t", ""),
        ("a|b|c\n1|x,y|2\n3|u,v|4\n", "|", '"'),
        ("'a';'b'\n'x;y';1\n'u;v';2\n", ";", "'"),
        ("Key\nA\nB\n", ",", '"'),
    ],
)
def test_the_delimiter_is_the_one_that_makes_the_best_table(
    tmp_path: Path, content: str, delimiter: str, quote: str
) -> None:
    path = tmp_path / "some.csv"
    path.write_text(content, encoding="utf-8")
    seen = look_at_csv(path)
    assert seen is not None
    assert (seen.dialect.delimiter, seen.dialect.quote) == (delimiter, quote)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Müller, Zürich; größer – 5 €", "cp1252"),
        ("Молоток большой стальной", "cp1251"),
        ("Młotek duży żółty ślusarski", "cp1250"),
    ],
)
def test_bytes_that_are_not_utf_8_are_guessed_and_said_to_be(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes("\n".join(["Code;Name", *(f"{n};{text} {n}" for n in range(60))]).encode(encoding))
    seen = look_at_csv(path)
    assert seen is not None
    assert path.read_bytes().decode(seen.dialect.encoding) == path.read_bytes().decode(encoding)
    assert "guessed" in seen.doubt


def test_a_letter_far_below_tells_that_a_file_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"code,name\n" + b"A,plain\n" * 700_000 + "B,Müller\n".encode("cp1252"))
    seen = look_at_csv(path)
    assert seen is not None
    assert seen.dialect.encoding == "cp1252"


def test_no_text_is_no_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    with pytest.raises(WorkbookError, match="can't be read as a csv file"):
        look_at_csv(path)
