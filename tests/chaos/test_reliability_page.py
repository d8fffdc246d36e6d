"""The page of faults says what this very run has seen. It runs last (conftest sees to that)."""

from __future__ import annotations

from pathlib import Path

import faults
import pytest


def test_the_page_says_what_was_seen(
    pytestconfig: pytest.Config, fault_table: dict[str, faults.Fault]
) -> None:
    modules = {path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)}
    whole = len(modules) == len({fault.section for fault in fault_table.values()})
    if pytestconfig.getoption("--write-reliability", False):
        faults.rewrite(fault_table.values(), whole=whole)
    page = faults.committed()
    seen = {name: fault.line for name, fault in fault_table.items() if fault.complete}
    assert {name: page.get(name) for name in seen} == seen, "docs/reliability.md is stale: make reliability"
    assert not whole or set(page) <= set(fault_table), "faults that nobody injects any more: make reliability"
