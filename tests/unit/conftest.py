"""Fixtures of the unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with an empty `inbox/`, from which alone workbooks are read."""
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.delenv("FACTLOAD_ALLOWED_ROOTS", raising=False)
    (tmp_path / "inbox").mkdir()
    return tmp_path
