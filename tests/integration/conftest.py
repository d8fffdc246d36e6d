"""The fixture `place`: a warehouse, an inbox and a feed of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.integration.place import TABLES, Place


@pytest.fixture
def place(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "include/feeds").mkdir(parents=True)
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.setenv("FACTLOAD_CONN_WAREHOUSE", database)
    for name in ("FACTLOAD_FEEDS", "FACTLOAD_STAGING", "FACTLOAD_ALLOWED_ROOTS"):
        monkeypatch.delenv(name, raising=False)
    engine = create_engine(database, poolclass=NullPool)
    place = Place(tmp_path, database, engine)
    place.execute(TABLES)
    place.feed_file()
    yield place
    engine.dispose()
