"""Generated sheets, written in every legal way: the split equals what the oracle reads, cell by cell.

The same cells are written plainly (the fast reader's) and oddly (the exact reader's), whole sheets and single
rows, so the two readers are compared with the oracle and through it with one another.
"""

from __future__ import annotations

import tempfile
from html import escape
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factload.sheet.xlsx import source as xlsx_source
from tests import expected, oracle, sheetxml
from tests import generated_sheets as generated


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=generated.sheet_rows,
    dialect=st.sampled_from(generated.DIALECTS),
    oddness=st.sampled_from([0.0, 0.0, 0.3, 1.0]),
    seed=st.integers(0, 1000),
    rows_per_partition=st.sampled_from([1, 2, 3, 1000]),
    window_bytes=st.sampled_from([300, 2000, 1 << 20]),
    date1904=st.booleans(),
    strings_keep_space=st.booleans(),
    stale=st.booleans(),
)
def test_every_cell_is_what_the_oracle_reads(
    rows: list,  # type: ignore[type-arg]
    dialect: str,
    oddness: float,
    seed: int,
    rows_per_partition: int,
    window_bytes: int,
    date1904: bool,
    strings_keep_space: bool,
    stale: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_source, "WINDOW_BYTES", window_bytes)
        xml = generated.in_dialect(sheetxml.sheet(generated.sheet_xml(rows, dialect, oddness, seed)), dialect)
        keep = "" if strings_keep_space else ' xml:space="preserve"'
        strings = sheetxml.shared([f"<t{keep}>{escape(text)}</t>" for text in generated.SHARED])
        if strings_keep_space:
            strings = strings.replace("<sst ", '<sst xml:space="preserve" ')
        path = sheetxml.write(Path(folder, "w.xlsx"), xml, strings=strings, date1904=date1904, stale=stale)
        done, found = expected.split(path, generated.FIELDS, rows_per_partition=rows_per_partition)

        workbook = oracle.Workbook(path)
        wanted = expected.rows(workbook, 1, generated.PLACED, generated.FIELDS)
        assert list(map(expected.clean, found)) == list(map(expected.clean, wanted))
        assert done.source == sum(number > 1 for number in workbook.sheet())
        assert done.blank == done.source - len(wanted)
        assert done.rejected == sum(row["reason"] is not None for row in wanted)
        tiles = [(p.first_row, p.last_row) for p in done.partitions]
        assert all(before[1] + 1 == after[0] for before, after in pairwise(tiles))


@pytest.mark.parametrize("oddness", [0.0, 1.0])
def test_a_row_of_nothing_but_white_space_counts_and_is_blank(oddness: float, tmp_path: Path) -> None:
    rows = [(0, {1: ("inline", "  ", False)}), (0, {1: ("inline", " ", True)}), (0, {2: ("number", "5", 0)})]
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(generated.sheet_xml(rows, "plain", oddness, 1)))
    done, found = expected.split(path, generated.FIELDS)
    assert (done.source, done.blank, [row["row"] for row in found]) == (3, 2, [4])
    assert done.source == len(oracle.Workbook(path).sheet()) - 1
