"""The sample workbook holds what its expectation says, counted by an independent reader."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from factload_demo import sample

ROWS, MEMBERS = 5_000, 700


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "sales.xlsx"
    sample.make_workbook(path, ROWS, MEMBERS, seed=7)
    return path


def reason_of(key: Any, metric: Any, note: Any) -> str:
    """What is wrong with a row, judged from its cells alone."""
    if key is None and metric is None:
        return "blank" if note is not None else "nothing"
    if key is None:
        return "blank_key"
    if not 0 <= int(str(key).strip()[1:]) < MEMBERS or not str(key).strip().startswith("P"):
        return "unmatched_key"
    if metric is None:
        return "blank_value"
    if isinstance(metric, str):
        return "error_cell" if metric.startswith("#") else "not_a_number"
    return "number_out_of_range" if metric >= 10**14 else "good"


def test_the_expectation_is_what_openpyxl_counts(workbook: Path) -> None:
    with closing(openpyxl.load_workbook(workbook, read_only=True, data_only=True)) as opened:
        header, *rows = opened[sample.SHEET].iter_rows(values_only=True)
    reasons = [reason_of(*row) for row in rows]
    counted = Counter(reasons)
    total = sum(Decimal(repr(row[1])) for row, reason in zip(rows, reasons, strict=True) if reason == "good")
    rejected = {
        reason: [number for number, found in enumerate(reasons, start=2) if found == reason]
        for reason in counted.keys() - {"good", "blank", "nothing"}
    }
    expected = sample.Expected.read(workbook)

    assert header == sample.HEADER
    assert counted["nothing"] > 0, "there are blank rows in between"
    assert expected.source == ROWS == len(rows) - counted["nothing"]
    assert expected.blank == counted["blank"]
    assert expected.staged == counted["good"]
    assert Decimal(expected.control_total) == total
    assert expected.rejected_rows == rejected
    assert expected.source == expected.blank + expected.rejected + expected.staged


def test_the_same_parameters_give_the_same_bytes(workbook: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.xlsx"
    sample.make_workbook(again, ROWS, MEMBERS, seed=7)
    other = tmp_path / "other.xlsx"
    sample.make_workbook(other, ROWS, MEMBERS, seed=8)

    assert again.read_bytes() == workbook.read_bytes()
    assert other.read_bytes() != workbook.read_bytes()


def test_a_cached_workbook_is_not_made_again(tmp_path: Path) -> None:
    first = sample.cached_workbook(tmp_path, 2_000, 50)
    made = first.stat().st_mtime_ns

    assert sample.cached_workbook(tmp_path, 2_000, 50) == first
    assert first.stat().st_mtime_ns == made
    assert sample.cached_workbook(tmp_path, 2_000, 51) != first


def test_too_small_a_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 2000 rows, not 10"):
        sample.make_workbook(tmp_path / "tiny.xlsx", 10, 5)
