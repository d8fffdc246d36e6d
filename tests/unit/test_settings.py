"""Where workbooks may lie, and which database a connection means."""

from __future__ import annotations

from pathlib import Path

import pytest

from factload.errors import FeedError, WorkbookError
from factload.settings import connection_url, settings
from factload.split.allowed import workbook_path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.delenv("FACTLOAD_ALLOWED_ROOTS", raising=False)
    for place in ("inbox", "elsewhere"):
        (tmp_path / place / "sales.xlsx").write_bytes(b"")
    return tmp_path


def test_a_workbook_in_the_inbox(home: Path) -> None:
    assert str(workbook_path("inbox/sales.xlsx")) == str(home / "inbox/sales.xlsx")
    assert str(workbook_path(str(home / "inbox/sales.xlsx"))) == str(home / "inbox/sales.xlsx")


@pytest.mark.parametrize(
    "name", ["inbox/../elsewhere/sales.xlsx", "elsewhere/sales.xlsx", "/etc/hostname", "inbox/link.xlsx"]
)
def test_no_path_leads_out_of_the_allowed_roots(home: Path, name: str) -> None:
    (home / "inbox/link.xlsx").symlink_to(home / "elsewhere/sales.xlsx")
    with pytest.raises(WorkbookError, match="outside the allowed roots"):
        workbook_path(name)


def test_folders_and_urls_are_roots(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", "inbox, s3://reports/in/ ,sftp://host/out")
    assert settings().allowed_roots == (home / "inbox",)
    assert settings().allowed_urls == ("s3://reports/in", "sftp://host/out")


def test_a_root_more(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", f"inbox, {home}/elsewhere")
    assert str(workbook_path("elsewhere/sales.xlsx")) == str(home / "elsewhere/sales.xlsx")


def test_a_workbook_that_is_not_there(home: Path) -> None:
    with pytest.raises(WorkbookError, match="there is no workbook") as caught:
        workbook_path("inbox/other.xlsx")
    assert caught.value.code == "workbook_missing"


def test_a_connection_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in ("FACTLOAD", "AIRFLOW"):
        monkeypatch.delenv(f"{prefix}_CONN_WAREHOUSE", raising=False)
    with pytest.raises(FeedError, match="FACTLOAD_CONN_WAREHOUSE"):
        connection_url("warehouse")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgresql://from-airflow/db")
    assert connection_url("warehouse") == "postgresql://from-airflow/db"
    monkeypatch.setenv("FACTLOAD_CONN_WAREHOUSE", "postgresql://own/db")
    assert connection_url("warehouse") == "postgresql://own/db"
    assert connection_url("postgresql://host/db") == "postgresql://host/db"


def test_how_long_to_wait_for_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "5")
    monkeypatch.delenv("FACTLOAD_IDLE_TIMEOUT", raising=False)
    assert (settings().lock_timeout, settings().idle_timeout) == (5, 60)


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "90s", "forever", "86401"])
def test_a_wait_without_bound_is_no_setting(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", value)
    with pytest.raises(FeedError, match="FACTLOAD_LOCK_TIMEOUT is not a number of seconds"):
        settings()
