"""Public workbooks, each odd in its own way, where they are on this machine: read as the oracle does, or refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from factload.errors import WorkbookError
from factload.sheet.field import SheetField
from factload.sheet.source import inspect
from factload.sql_types import SqlType
from tests import expected, oracle

_HERE = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("FACTLOAD_TEST_CORPUS", _HERE.parent / "shared" / "corpus"))
WORKBOOKS = sorted(CORPUS.rglob("*.xlsx"))

REFUSED = {
    "agile_AES256_SHA512_CBC_pwd_password.xlsx": "workbook_encrypted",
    "clusterfuzz-testcase-minimized-XLSX2CSVFuzzer-5636439151607808.xlsx": "workbook_truncated",
    "duplicate-filename.xlsx": "workbook_damaged",
    "issue252.xlsx": "workbook_damaged",
    "poc-shared-strings.xlsx": "workbook_damaged",
    "Test_git_issue_324.xlsx": "duplicate_row",
}


@pytest.mark.skipif(not WORKBOOKS, reason="the corpus is not on this machine")
@pytest.mark.parametrize("path", WORKBOOKS, ids=lambda path: path.name)
def test_read_as_the_oracle_reads_or_refused(path: Path) -> None:
    if path.name in REFUSED:
        with pytest.raises(WorkbookError) as refusal:
            read_all(path)
        assert refusal.value.code == REFUSED[path.name]
        assert refusal.value.remedy
    else:
        read_all(path)


def read_all(path: Path) -> None:
    for position, sheet in enumerate(inspect(path)):
        if sheet.header is None:
            continue
        names = list(sheet.header.names.values())
        once = {
            index: name
            for index, name in sheet.header.names.items()
            if folded(names).count(name.casefold()) == 1
        }
        fields = [SheetField(f"c{index}", name, "value", SqlType("text")) for index, name in once.items()]
        if not fields:
            continue
        done, found = expected.split(path, fields, sheet=sheet.name)
        wanted = expected.rows(oracle.Workbook(path), sheet.header.row, list(once), fields, position)
        assert list(map(expected.clean, found)) == list(map(expected.clean, wanted))
        assert done.source == done.blank + len(wanted)


def folded(names: list[str]) -> list[str]:
    return [name.casefold() for name in names]
