"""The rules of one column, judged against its declared type when the feed is read, not when its rows are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from factload.rules.rule import Rule
from factload.sql_types import SqlType


@dataclass(frozen=True, slots=True)
class AskedRule:
    """A rule that a column has, and what it asks of the column's values, as the rule has parsed it."""

    rule: Rule
    value: Any


def asked_rules(declared: SqlType, written: Iterable[tuple[Rule, object]]) -> tuple[AskedRule, ...]:
    """The rules of a column of this type, with their values as ``written`` in the feed file.

    Raises ``ValueError`` for a rule that doesn't go with the type, a value by which nothing could be judged, and rules
    that contradict each other.
    """
    found = tuple(written)
    for rule, _ in found:
        if declared.kind not in rule.goes_with.kinds:
            raise ValueError(f"`{rule.name}` goes with {rule.goes_with.words}, and this column is {declared}")
    asked = tuple(AskedRule(rule, rule.parse(value, declared)) for rule, value in found)
    parsed: Mapping[str, Any] = {one.rule.name: one.value for one in asked}
    for rule, _ in found:
        rule.require_consistent(parsed, {rule.name: value for rule, value in found})
    return asked
