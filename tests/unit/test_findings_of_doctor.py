"""What `factload doctor` makes of what it saw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factload.doctor import exit_status
from factload.doctor.database import clock_finding
from factload.doctor.finding import Finding
from factload.doctor.staging import room_finding, staging_place
from factload.errors import FeedError, TransientError

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("off", "state", "said"),
    [
        (0, "ok", "agree"),
        (2, "ok", "agree"),
        (3, "warning", "3 seconds ahead of"),
        (-60, "warning", "60 seconds behind"),
        (61, "problem", "61 seconds ahead of"),
        (-7200, "problem", "7,200 seconds behind"),
    ],
)
def test_two_clocks(off: int, state: str, said: str) -> None:
    found = clock_finding("warehouse", NOON, NOON + timedelta(seconds=off), NOON)
    assert (found.state, said in found.seen) == (state, True)


def test_a_slow_answer_is_no_wrong_clock() -> None:
    found = clock_finding("warehouse", NOON, NOON + timedelta(seconds=20), NOON + timedelta(seconds=40))
    assert found.state == "ok"


@pytest.mark.parametrize(("free", "state"), [(99, "problem"), (999, "warning"), (1000, "ok")])
def test_room_for_the_biggest_workbook(free: int, state: str) -> None:
    assert room_finding("/staging", free, (100, "inbox/big.xlsx"), "FACTLOAD_STAGING").state == state


def test_a_staging_folder_below_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.setenv("FACTLOAD_STAGING", "file/below")
    (tmp_path / "file").write_text("")
    [found] = staging_place()
    assert (found.state, found.seen) == ("problem", f"{tmp_path / 'file'} is no folder")


def test_the_biggest_workbook_of_all_roots_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", "inbox, elsewhere, nowhere")
    for name, size in (("inbox/a.xlsx", 10_000), ("elsewhere/below/b.xlsx", 2_000_000)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    [found] = staging_place()
    assert found.seen.endswith(f"the biggest workbook has 2.0 MB: {tmp_path}/elsewhere/below/b.xlsx")


def test_the_gravest_problem_decides_how_the_command_ends() -> None:
    fine, odd = Finding.ok("clock", "a", "agree"), Finding.warning("clock", "b", "off", "look")
    wrong = Finding.of("feed file", "sales", FeedError("feed_invalid", "no table"))
    down = Finding.of("database", "a", TransientError("database_unreachable", "no answer"))
    assert exit_status([]) == exit_status([fine, odd]) == 0
    assert exit_status([fine, wrong]) == 2
    assert exit_status([down, wrong]) == 4
