"""factload's commands, called as a user calls them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from factload.cli import main

FACTLOAD = Path(sys.executable).with_name("factload")


PERIOD = ("--period", "2026-11-05")


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as it is typed: a process of its own, with its start and its end."""
    return subprocess.run(
        [FACTLOAD, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "120", **environment},
        check=False,
        timeout=120,
    )


def factload(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What ``program`` does, called in this process: the same without two seconds of imports, for it and its workers."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, {"COLUMNS": "120", **environment}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            status = main(arguments)
        except SystemExit as ended:  # argparse
            status = int(ended.code or 0)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def check(*arguments: str) -> tuple[int, str, str]:
    """Exit status, output, errors of `factload check sales`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["check", "sales", "--period", "2026-11-05", *arguments])
    return status, out.getvalue(), err.getvalue()


def report(*arguments: str) -> tuple[int, dict[str, Any]]:
    status, out, _ = check("--json", *arguments)
    return status, json.loads(out)


def doctor(*arguments: str, **environment: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status; check → the finding about it, the gravest one where there are several."""
    result = factload("doctor", "--json", *arguments, **environment)
    assert result.stderr == ""
    found: dict[str, dict[str, Any]] = {}
    for finding in sorted(
        json.loads(result.stdout), key=lambda f: ("ok", "warning", "problem").index(f["state"])
    ):
        found[finding["check"]] = finding
    return result.returncode, found
