"""The page of faults says what this very run has seen. It runs last (conftest sees to that)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import reliability


def test_the_page_says_what_was_seen(
    pytestconfig: pytest.Config, fault_records: dict[str, reliability.FaultRecord]
) -> None:
    modules = {path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)}
    whole = len(modules) == len({record.section for record in fault_records.values()})
    if pytestconfig.getoption("--write-reliability", False):
        reliability.rewrite(fault_records.values(), whole=whole)
    page = reliability.committed()
    seen = {name: record.line for name, record in fault_records.items() if record.complete}
    assert {name: page.get(name) for name in seen} == seen, "docs/reliability.md is stale: make reliability"
    assert not whole or set(page) <= set(fault_records), (
        "faults that nobody injects any more: make reliability"
    )
