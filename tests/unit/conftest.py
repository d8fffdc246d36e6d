"""Fixtures of the unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is: speed is measured elsewhere, and never asserted.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with an empty `inbox/`, from which alone workbooks are read."""
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.delenv("FACTLOAD_ALLOWED_ROOTS", raising=False)
    (tmp_path / "inbox").mkdir()
    return tmp_path
