"""What the command line prints: nothing cut off, nothing taken for markup, nothing that moves the cursor."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import pytest

from factload.cli import terminal
from factload.cli.options import say
from factload.doctor.finding import Finding
from factload.errors import FactloadError
from factload.reports.report import Report
from factload.sheet.reject import Reject


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_a_terminal_of_any_width_shows_load_ids_and_counts_whole(columns: int) -> None:
    line = {
        "load_id": "customers_of_the_northern_region@2017-12-31",
        "state": "published",
        "source": 9_994_123,
        "rejected": 9_201_456,
        "published": 792_667,
        "since": "2026-11-05 02:00:00",
        "error": None,
        "next": "",
    }
    shown = run_in_terminal(
        columns, f"from factload.cli.terminal import show_status; show_status([{line!r}], None)"
    )
    for part in ("customers_of_the_northern_region@2017-12-31", "9,994,123", "9,201,456", "792,667"):
        assert part in shown
    assert "…" not in shown


def run_in_terminal(columns: int, code: str) -> str:
    """What a Python program writes on a terminal of that width; the terminal's own line breaks are taken out."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "xterm"},
    )
    os.close(theirs)
    written = b""
    with suppress(OSError):  # Linux says so when the other side is closed
        while part := os.read(ours, 4096):
            written += part
    assert process.wait(60) == 0, written
    return written.decode().replace("\r\n", "").replace("\n", "")


def test_texts_that_look_like_markup_or_move_the_cursor_are_shown_as_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    odd = "[/b] left \x1b[2J\x07 :smile: [red]kg[/red]"
    shown = "[/b] left \\x1b[2J\\x07 :smile: [red]kg[/red]"
    report = Report(
        feed="f", period="2026-11-05", load_id="f@2026-11-05", state="published", warnings=[odd], rejects={"not_a_number": 1},
        rows={"source": 1, "blank": 0, "rejected": 0, "staged": 1, "published": 1},
        control_totals={odd: {"source": "1", "published": "1"}}, released={"by": odd, "at": "", "reason": odd},
    )  # fmt: skip
    terminal.show_report(report)
    line = dict.fromkeys(("source", "rejected", "published"), 1)
    terminal.show_status(
        [{**line, "load_id": "f@2026-11-05", "state": "failed", "since": "", "error": odd, "next": odd}], None
    )
    terminal.show_findings([Finding(odd, odd, "warning", odd, odd)])
    terminal.show_rejects(
        [Reject(workbook=odd, sheet=odd, row=1, cell=odd, column=odd, raw=odd, reason="not_a_number")]
    )
    say(FactloadError("code", odd))
    told = capsys.readouterr()
    for text in (told.out, told.err, terminal.rendered(report)):
        assert shown in text
        assert "\x1b" not in text
        assert "\x07" not in text
