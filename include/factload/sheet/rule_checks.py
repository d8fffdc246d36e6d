"""Which typed values break the rules of their column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.rules import Rules
from factload.vectors import Flags, as_flags


def broken_rules(values: pa.Array[Any], rules: Rules) -> Iterator[tuple[str, Flags]]:
    """For each rule the reason's code, and which of the typed ``values`` break it."""
    if rules.minimum is not None:
        yield "below_minimum", _true(pc.less(values, pa.scalar(rules.minimum, values.type)))
    if rules.maximum is not None:
        yield "above_maximum", _true(pc.greater(values, pa.scalar(rules.maximum, values.type)))
    if rules.allowed:
        known = pc.is_in(values, value_set=pa.array(rules.allowed, values.type))
        yield "not_allowed", as_flags(pc.and_(pc.invert(known), pc.is_valid(values)))
    if rules.not_allowed:
        yield "not_allowed", _true(pc.is_in(values, value_set=pa.array(rules.not_allowed, values.type)))
    if rules.whole_pattern is not None:
        matched = pc.match_substring_regex(values, rules.whole_pattern)
        yield "pattern_mismatch", _true(pc.invert(matched))


def _true(found: pa.Array[Any]) -> Flags:
    return as_flags(pc.fill_null(found, False))
