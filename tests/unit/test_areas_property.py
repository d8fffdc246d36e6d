"""Generated sheets of which a feed reads a part: a range or a table, without totals, subtotals and what is below the end,
by rows or by the cells of columns that become rows.

What is read, and what is left out for which reason, is what the oracle's cells come to, looked at one by one.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from html import escape
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from factload.feed.left_out import SkippedRows, end_of_data
from factload.feed.unpivot import Unpivot
from factload.sheet.choices import AreaChoice, CellChoices, RowChoices
from factload.sheet.field import SheetField
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
_VALUES = [
    expected.field("value", "numeric(12,3)", required=True),
    expected.field("value", "varchar(12)"),
    expected.field("value", "timestamp"),
]


@dataclass(frozen=True)
class Part:
    """What of a sheet is read: ``length`` rows of an ``area``, up to its ``end`` and without those ``skipped``."""

    area: str
    length: int
    end: Any
    skipped: list[str]

    @property
    def totals(self) -> bool:
        return self.area == "table with totals"


@dataclass(frozen=True)
class Across:
    """Columns that become rows; ``above``: what the row above the header has, by column (none: nothing reads it)."""

    columns: list[str]
    by_pattern: bool
    keep_blanks: bool
    value: SheetField
    above: dict[int, str]

    def choice(self) -> Unpivot:
        named: dict[str, Any] = (
            {"pattern": f"[{''.join(self.columns)}]"} if self.by_pattern else {"columns": self.columns}
        )
        above = {"above": "above"} if self.above else {}
        kept = {"blanks": "keep" if self.keep_blanks else "skip"}
        return Unpivot.model_validate({**named, **above, **kept, "name": "name", "value": "value"})

    def below(self, titles: int) -> Across:
        """The same below so many rows: a range has nothing above it, and the first column has something there."""
        above = {self.pivot.columns[0]: "2024", **self.above}
        return replace(self, above=above if titles and self.above else {})

    @property
    def pivot(self) -> expected.Pivot:
        columns = sorted(generated.NAMES.index(name) + 1 for name in self.columns)
        above = [
            next((self.above[at] for at in range(column, columns[0] - 1, -1) if at in self.above), "")
            for column in columns
        ]
        return expected.Pivot(columns, [generated.NAMES[at - 1] for at in columns], above, self.keep_blanks)

    def fields(self) -> tuple[list[SheetField], list[expected.Placed]]:
        """What is read, and where from; the names stand first, their values last."""
        own = [(one, at) for at, one in enumerate(generated.FIELDS, 1) if one.name not in self.columns]
        above = [(expected.field("above", "text"), "above")] if self.above else []
        read = [(expected.field("name", "text", key=True), "name"), *above, *own, (self.value, "value")]
        return [one for one, _ in read], [at for _, at in read]  # type: ignore[misc]


parts = st.builds(
    Part,
    area=st.sampled_from(["sheet", "range", "table", "table with totals"]),
    length=st.integers(1, 40),
    end=st.sampled_from([None, "blank_row", "totals_row", *({"first": label, "column": _LABELLED} for label in _LABELS)]),
    skipped=st.lists(st.sampled_from(_LABELS), max_size=2, unique=True),
)  # fmt: skip
unpivoted = st.builds(
    Across,
    columns=st.lists(st.sampled_from(generated.NAMES[1:]), min_size=1, max_size=6, unique=True),
    by_pattern=st.booleans(),
    keep_blanks=st.booleans(),
    value=st.sampled_from(_VALUES),
    above=st.dictionaries(st.integers(1, len(generated.NAMES)), st.sampled_from(["2025", "a plan"])),
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
    titles=st.integers(0, 3),
    part=parts,
    across=st.none() | unpivoted,
    labels=st.lists(_labels, max_size=25),
    stale=st.booleans(),
)
def test_what_is_read_and_what_is_left_out_is_what_the_oracle_says(
    rows: list,  # type: ignore[type-arg]
    dialect: str,
    oddness: float,
    seed: int,
    window_bytes: int,
    titles: int,
    part: Part,
    across: Across | None,
    labels: list,  # type: ignore[type-arg]
    stale: bool,
) -> None:
    header = titles + 1
    last = header + part.length if part.area != "sheet" else 10**6
    assume(not (part.totals and part.length == 1))  # it would hold no row of data
    assume(not (part.area == "table" and part.end == "totals_row"))  # refused: the table has none
    across = across and across.below(titles if part.area == "sheet" else 0)
    above = across.above if across else {}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_source, "WINDOW_BYTES", window_bytes)
        at = generated.NAMES.index(_LABELLED) + 1
        labelled = [
            (gap, {**row, **({at: label} if label else {})})
            for (gap, row), label in zip_longest(rows, labels[: len(rows)])
        ]
        reference = f"A{header}:{_LAST_COLUMN}{last}"
        body = generated.sheet_xml(labelled, dialect, oddness, seed, titles, above)
        tables = {"Facts": table(reference, totals=part.totals)} if part.area.startswith("table") else {}
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
        area = (
            {"range": f"Facts!{reference}"}
            if part.area == "range"
            else {"table": "Orders"}
            if tables
            else None
        )
        cells = CellChoices(
            area=AreaChoice(**area) if area else None,
            rows=RowChoices(
                end_of_data(part.end),  # type: ignore[arg-type]
                tuple(SkippedRows(column=_LABELLED, equals=label).skip for label in part.skipped)
            ),
            unpivot=across.choice().choice if across else None,
        )  # fmt: skip
        fields, placed = across.fields() if across else (generated.FIELDS, [*generated.PLACED])
        workbook = oracle.Workbook(path)
        left_out = expected.left_out(
            workbook,
            [n for n in expected.filled(workbook, header, generated.PLACED) if n <= last],
            last,
            column=at,
            header_row=header,
            totals=part.totals,
            end=part.end,
            skipped=part.skipped,
        )
        done, found = expected.split(path, fields, cells=cells, rows_per_partition=3)
        assert [defect.code for defect in done.defects] == (["end_missing"] if left_out is None else [])
        if left_out is None:
            return
        made = expected.rows(workbook, header, placed, fields, pivot=across.pivot if across else None)
        inside = [row for row in made if row["row"] <= last]
        wanted = [row for row in inside if row["row"] not in left_out]
        assert list(map(expected.clean, found)) == list(map(expected.clean, wanted))
        assert done.left_out == Counter(left_out[row["row"]] for row in inside if row["row"] in left_out)
        rows_of_one = len(across.columns) if across else 1
        assert done.source == rows_of_one * sum(header < number <= last for number in workbook.sheet())
        assert done.source == done.blank + sum(done.left_out.values()) + len(wanted)
