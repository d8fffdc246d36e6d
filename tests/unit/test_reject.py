"""What a reject is, is said once: the Arrow columns and the ledger's table follow its fields."""

from __future__ import annotations

from typing import get_type_hints

import pyarrow as pa

from factload.ledger.tables import rejects
from factload.reasons import REASONS
from factload.sheet.reject import FIELDS, NOTED, REJECT_SCHEMA, Reject, noted_rejects, reject_table


def test_the_ledger_s_table_has_the_fields_of_a_reject_and_says_whose_they_are() -> None:
    assert {column.name for column in rejects.columns} == {"load_id", "content", "partition_id", *FIELDS}
    kinds = get_type_hints(Reject)
    for name in FIELDS:
        column = rejects.c[name]
        assert (column.type.python_type | None if column.nullable else column.type.python_type) == kinds[name]


def test_the_rejects_of_a_partition_have_every_field_but_its_own_workbook_and_sheet() -> None:
    assert ("workbook", "sheet", *REJECT_SCHEMA.names) == FIELDS
    assert set(NOTED) < set(REJECT_SCHEMA.names)


def test_what_a_partition_file_notes_becomes_whole_rejects() -> None:
    noted = {
        "row": pa.array([2, 3], pa.int32()),
        "value:a": pa.array([None, 1]),
        "reason": ["not_a_number", None],
    }
    file = pa.table({**noted, "cell": ["C2", None], "column": ["Amount", None], "raw": ["n/a", None]})
    [row] = noted_rejects(file).to_pylist()
    found = Reject(workbook="w.xlsx", sheet="Facts", **row)
    assert found == Reject("w.xlsx", "Facts", 2, "C2", "Amount", "n/a", "not_a_number")
    assert found.told == ("Facts!C2", "Amount", "n/a", "not_a_number", REASONS["not_a_number"])


def test_a_reject_without_a_cell_is_addressed_by_its_row() -> None:
    rows = pa.array([71], pa.int32())
    first = pa.array(["Facts row 4"])
    [row] = reject_table(rows, column="Ticket", reason="duplicate_value", duplicate_of=first).to_pylist()
    found = Reject(workbook="", sheet="My Sheet", **row)
    assert found.address == "'My Sheet'!71:71"
    assert found.explanation.endswith(": Facts row 4")


def test_each_reject_of_a_table_has_its_own_cell_and_may_have_its_own_reason() -> None:
    rows = pa.array([5, 9], pa.int32())
    reasons = pa.array(["blank_key", "unmatched_key"])
    table = reject_table(rows, column="Key", reason=reasons, letter="B", raw=pa.array([None, "A1"]))
    assert [(r["cell"], r["raw"], r["reason"]) for r in table.to_pylist()] == [
        ("B5", None, "blank_key"),
        ("B9", "A1", "unmatched_key"),
    ]
