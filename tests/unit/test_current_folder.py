"""Factload may be started in a folder that others write into: none of the Python files there runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import xlwt

from factload.sheet.source import inspect

WORKER = """
import os
from factload.runtime.processes import Workers, warm_up

if __name__ == "__main__":
    warm_up()
    with Workers(1, print) as workers:
        print("worker", *workers.start([(os.getpid, ())]).results())
"""
# What Python's own processes and factload's import first, and last.
MODULES = ["json", "signal", "socket", "threading", "python_calamine", "pyarrow", "factload"]


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that every module in the current folder would leave."""
    folder, left = tmp_path / "inbox", tmp_path / "ran"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text(f"open({str(left)!r}, 'a').write({name!r})\nraise SystemExit(3)\n")
    monkeypatch.chdir(folder)
    return left


def test_the_process_that_reads_an_xls_workbook_runs_none_of_it(planted: Path, tmp_path: Path) -> None:
    workbook = xlwt.Workbook()
    workbook.add_sheet("Facts").write(0, 0, "k")
    workbook.save(str(tmp_path / "w.xls"))
    assert [sheet.name for sheet in inspect(tmp_path / "w.xls")] == ["Facts"]
    assert not planted.exists()


def test_a_workbook_is_found_where_it_was_named_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbook = xlwt.Workbook()
    workbook.add_sheet("Facts").write(0, 0, "k")
    workbook.save(str(tmp_path / "w.xls"))
    monkeypatch.chdir(tmp_path)
    assert [sheet.name for sheet in inspect(Path("w.xls"))] == ["Facts"]


def test_the_server_of_worker_processes_runs_none_of_it(planted: Path, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(WORKER)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
    )
    assert "worker" in done.stdout, done.stderr
    assert not planted.exists()
