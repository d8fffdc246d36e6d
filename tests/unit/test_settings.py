"""Where workbooks may lie, and which database a connection means."""

from __future__ import annotations

from pathlib import Path

import pytest

from factload.environment import SETTINGS, NumberSetting, default_number, number, text, wrong_numbers
from factload.errors import FeedError, WorkbookError
from factload.settings import connection_url, settings, wrong_settings
from factload.split.allowed import workbook_path


@pytest.fixture
def home(home: Path) -> Path:
    (home / "elsewhere").mkdir()
    for place in ("inbox", "elsewhere"):
        (home / place / "sales.xlsx").write_bytes(b"")
    return home


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


NUMBERS = [setting for setting in SETTINGS if isinstance(setting, NumberSetting)]


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.name)
def test_every_number_is_read_alike_and_refused_alike(
    setting: NumberSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for written in ("", "  "):
        monkeypatch.setenv(setting.name, written)
        assert number(setting.name) == setting.default
    for written, meant in (("1", 1), (" 1_2 ", 12), (str(setting.most), setting.most)):
        monkeypatch.setenv(setting.name, written)
        assert number(setting.name) == meant
    for written in (
        "0",
        "-3",
        "lots",
        "1.5",
        "1e3",
        "90s",
        "4 2",
        "²",
        "४",
        "0x10",
        "_1",
        str(setting.most + 1),
    ):
        monkeypatch.setenv(setting.name, written)
        with pytest.raises(FeedError) as refused:
            number(setting.name)
        error = refused.value
        assert error.code == "setting_invalid"
        assert error.seen.startswith(f"the environment's {setting.name} is not a ")
        assert error.seen.endswith(f"(found {written!r})")
        assert error.expected == f"{setting.values}, such as {setting.default}"
        assert error.remedy == "Correct it in the environment, or leave it out"
        assert list(map(str, wrong_numbers())) == [str(error)]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_what_is_not_set_has_its_default(setting: NumberSetting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(setting.name, raising=False)
    read = number if isinstance(setting, NumberSetting) else text
    assert read(setting.name) == setting.default


def test_a_number_much_too_long_is_shown_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_STAGING_DAYS", "9" * 10_000)
    with pytest.raises(FeedError) as refused:
        settings()
    assert len(refused.value.seen) < 200


def test_only_the_warehouse_may_be_unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in NUMBERS:
        monkeypatch.setenv(setting.name, "-1")
    assert number("FACTLOAD_WAREHOUSE_SLOTS") == -1
    assert len(wrong_numbers()) == len(NUMBERS) - 1
    assert default_number("FACTLOAD_WAREHOUSE_SLOTS") == 16


def test_all_settings_that_are_wrong_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong_settings() == []
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", "inbox,sftp://loader:hunter2@host/in,file:///srv")
    monkeypatch.setenv("FACTLOAD_LIMIT_CELLS", "many")
    monkeypatch.setenv("FACTLOAD_WORKBOOKS", "inbox")
    told = list(map(str, wrong_settings()))
    assert [next(s.name for s in SETTINGS if s.name in line) for line in told] == [
        "FACTLOAD_WORKBOOKS",
        "FACTLOAD_ALLOWED_ROOTS",
        "FACTLOAD_ALLOWED_ROOTS",
        "FACTLOAD_LIMIT_CELLS",
    ]
    assert "hunter2" not in "".join(told)
