"""Which typed values break the rules of their column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.rules.asked import AskedRule
from factload.vectors import Flags, as_flags


def broken_rules(values: pa.Array[Any], rules: Iterable[AskedRule]) -> Iterator[tuple[str, Flags]]:
    """For each rule the reason's code, and which of the typed ``values`` break it."""
    for asked in rules:
        broken = asked.rule.broken(values, asked.value)
        yield asked.rule.reason.code, as_flags(pc.fill_null(broken, False))
