"""Generated sheets of which a feed reads a part: a range or a table, without totals, subtotals and what is below the end.

What is read, and what is left out for which reason, is what the oracle's cells come to, looked at one by one.
"""

from __future__ import annotations

import tempfile
from html import escape
from itertools import zip_longest
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from factload.feed.left_out import SkippedRows, end_of_data
from factload.sheet.choices import AreaChoice, CellChoices, RowChoices
from factload.sheet.xlsx import source as xlsx_source
from tests import expected, oracle, sheetxml
from tests import generated_sheets as generated

_LAST_COLUMN = expected.letters(len(generated.FIELDS))  # further cells of a row are beside the range
_LABELS = ["alpha", "spaced", "line feed", "R&D"]
_LABELLED = "t"
# A row's cell in the column of labels; None: what it has without one.
_labels = st.sampled_from(
    [None, None, *(("inline", f" {label}", True) for label in _LABELS), ("str", "alphas", False)]
)


def table(reference: str, *, totals: bool) -> str:
    """The table Orders over these cells."""
    columns = "".join(f'<tableColumn id="{i}" name="{name}"/>' for i, name in enumerate(generated.NAMES, 1))
    return (
        f'<table xmlns="{sheetxml.TRANSITIONAL}" id="1" name="Orders" displayName="Orders" ref="{reference}" '
        f'totalsRowCount="{int(totals)}"><tableColumns count="{len(generated.NAMES)}">{columns}</tableColumns></table>'
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=generated.sheet_rows,
    dialect=st.sampled_from(generated.DIALECTS),
    oddness=st.sampled_from([0.0, 0.0, 0.3, 1.0]),
    seed=st.integers(0, 1000),
    window_bytes=st.sampled_from([300, 2000, 1 << 20]),
    above=st.integers(0, 3),
    area=st.sampled_from(["sheet", "range", "table", "table with totals"]),
    length=st.integers(1, 40),
    end=st.sampled_from([None, "blank_row", "totals_row", *({"first": label, "column": _LABELLED} for label in _LABELS)]),
    labels=st.lists(_labels, max_size=25),
    skipped=st.lists(st.sampled_from(_LABELS), max_size=2, unique=True),
    stale=st.booleans(),
)  # fmt: skip
def test_what_is_read_and_what_is_left_out_is_what_the_oracle_says(
    rows: list,  # type: ignore[type-arg]
    dialect: str,
    oddness: float,
    seed: int,
    window_bytes: int,
    above: int,
    area: str,
    length: int,
    end: object,
    labels: list,  # type: ignore[type-arg]
    skipped: list[str],
    stale: bool,
) -> None:
    header = above + 1
    totals = area == "table with totals"
    last = header + length if area != "sheet" else 10**6
    assume(not (totals and length == 1))  # it would hold no row of data
    assume(not (area == "table" and end == "totals_row"))  # refused: the table has none
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_source, "WINDOW_BYTES", window_bytes)
        at = generated.NAMES.index(_LABELLED) + 1
        labelled = [
            (gap, {**row, **({at: label} if label else {})})
            for (gap, row), label in zip_longest(rows, labels[: len(rows)])
        ]
        reference = f"A{header}:{_LAST_COLUMN}{last}"
        body = generated.sheet_xml(labelled, dialect, oddness, seed, above)
        tables = {"Facts": table(reference, totals=totals)} if area.startswith("table") else {}
        xml = sheetxml.sheet(body, tail=sheetxml.TABLE_PART if tables else "")
        strings = sheetxml.shared(
            [f'<t xml:space="preserve">{escape(text)}</t>' for text in generated.SHARED]
        )
        path = sheetxml.write(
            Path(folder, "w.xlsx"),
            generated.in_dialect(xml, dialect),
            strings=strings,
            stale=stale,
            tables=tables,
        )
        choice = (
            {"range": f"Facts!{reference}"} if area == "range" else {"table": "Orders"} if tables else None
        )
        cells = CellChoices(
            area=AreaChoice(**choice) if choice else None,
            rows=RowChoices(
                end_of_data(end),  # type: ignore[arg-type]
                tuple(SkippedRows(column=_LABELLED, equals=label).skip for label in skipped),
            ),
        )
        workbook = oracle.Workbook(path)
        wanted, left_out = expected.data(
            workbook,
            expected.rows(workbook, header, generated.PLACED, generated.FIELDS),
            last,
            column=at,
            header_row=header,
            totals=totals,
            end=end,
            skipped=skipped,
        )
        done, found = expected.split(path, generated.FIELDS, cells=cells, rows_per_partition=3)
        assert [defect.code for defect in done.defects] == ([] if wanted is not None else ["end_missing"])
        if wanted is None:
            return
        assert list(map(expected.clean, found)) == list(map(expected.clean, wanted))
        assert done.left_out == left_out
        assert done.source == sum(header < number <= last for number in workbook.sheet())
        assert done.source == done.blank + sum(left_out.values()) + len(wanted)
