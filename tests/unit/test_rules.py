"""Rules on the values of a column: what the feed may ask, and which values keep it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from factload.feed.columns import FactColumn
from factload.feed.documentation import field_texts
from factload.reasons import REASONS
from factload.rules import RULES
from factload.sheet.arrow_types import arrow_type
from factload.sheet.rule_checks import broken_rules
from factload.sql_types import parse_sql_type


def broken(kind: str, values: list[Any], **asked: Any) -> dict[str, list[int]]:
    """Reason → positions of the values that break the rule."""
    column = FactColumn.model_validate({"column": "c", "type": kind} | asked)
    found = broken_rules(pa.array(values, arrow_type(parse_sql_type(kind))), column.rules)
    return {reason: flags.nonzero()[0].tolist() for reason, flags in found}


BREAKS: list[tuple[str, list[Any], dict[str, Any], dict[str, list[int]]]] = [
    ("integer", [1, 0, None, -1], {"min": 0}, {"below_minimum": [3]}),
    ("numeric(8,2)", [Decimal("0.10"), Decimal("0.09"), None], {"min": 0.1}, {"below_minimum": [1]}),
    ("numeric(8,2)", [Decimal("100.00"), Decimal("100.01")], {"max": 100}, {"above_maximum": [1]}),
    ("double precision", [0.5, 1.5], {"min": 0, "max": 1}, {"below_minimum": [], "above_maximum": [1]}),
    ("numeric(2,2)", [Decimal("-0.01"), Decimal("0.99")], {"min": 0, "max": 0.99}, {"below_minimum": [0], "above_maximum": []}),
    ("numeric(8,2)", [Decimal("999999.99")], {"max": 1e5}, {"above_maximum": [0]}),
    ("bigint", [2**63 - 1], {"min": -(2**63), "max": 2**63 - 1}, {"below_minimum": [], "above_maximum": []}),
    ("date", [date(2026, 1, 1), date(2025, 12, 31)], {"min": date(2026, 1, 1)}, {"below_minimum": [1]}),
    ("timestamp", [datetime(2026, 1, 1, 0, 0, 1)], {"max": date(2026, 1, 1)}, {"above_maximum": [0]}),
    ("text", ["EUR", "eur", None, ""], {"allowed": ["EUR", "USD"]}, {"not_allowed": [1, 3]}),
    ("smallint", [1, 3], {"allowed": [1, 2]}, {"not_allowed": [1]}),
    ("text", ["Total", "total", None, ""], {"not_allowed": ["Total"]}, {"not_allowed": [0]}),
    ("integer", [0, 1], {"not_allowed": [0]}, {"not_allowed": [0]}),
    ("boolean", [True, False], {"allowed": [True]}, {"not_allowed": [1]}),
    ("text", ["A-1", "xA-1", "A-1\n", None, "B"], {"pattern": "[A-Z]-[0-9]"}, {"pattern_mismatch": [1, 2, 4]}),
    ("text", ["a", "b", "ab"], {"pattern": "a|b"}, {"pattern_mismatch": [2]}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "asked", "expected"), BREAKS)
def test_what_breaks_a_rule(
    kind: str, values: list[Any], asked: dict[str, Any], expected: dict[str, list[int]]
) -> None:
    assert broken(kind, values, **asked) == expected


@pytest.mark.parametrize(
    ("kind", "asked", "message"),
    [
        ("text", {"min": 1}, "`min` goes with numbers and dates, and this column is text"),
        ("integer", {"pattern": "a"}, "`pattern` goes with text, and this column is integer"),
        ("text", {"pattern": "(a"}, r"`pattern` is not a regular expression \(RE2\)"),
        ("text", {"pattern": "a)|(b"}, r"`pattern` is not a regular expression \(RE2\): unexpected \)"),
        ("text", {"pattern": r"\Qa"}, r"`pattern` is not a regular expression \(RE2\): missing \)"),
        ("text", {"pattern": "["}, r"`pattern` is not a regular expression \(RE2\): missing \]"),
        ("text", {"pattern": "(?=a)"}, r"`pattern` is not a regular expression \(RE2\)"),
        ("integer", {"min": 2, "max": 1}, "`min` 2 is above `max` 1"),
        ("integer", {"min": "1"}, "`min` '1' is no value of a column of type integer"),
        ("integer", {"min": 0.5}, "`min` 0.5 is no value of a column of type integer"),
        ("numeric(8,2)", {"max": 0.001}, "`max` 0.001 is no value of a column of type numeric"),
        ("numeric(8,2)", {"max": 1_000_000}, "`max` 1000000 is no value of a column of type numeric"),
        ("numeric(8,2)", {"max": float("inf")}, "`max` inf is no value of a column of type numeric"),
        ("bigint", {"max": 2**63}, "`max` 9223372036854775808 is no value of a column of type bigint"),
        ("double precision", {"max": 2**53 + 1}, "`max` 9007199254740993 is no value of a column of type double"),
        ("text", {"allowed": [1]}, "`allowed` 1 is no value of a column of type text: put it into quotes"),
        ("text", {"not_allowed": [0]}, "`not_allowed` 0 is no value of a column of type text: put it into quotes"),
        ("text", {"allowed": ["A", "B"], "not_allowed": ["B"]}, "`allowed` and `not_allowed` both name 'B'"),
        ("boolean", {"allowed": [1]}, "`allowed` 1 is no value of a column of type boolean"),
        ("date", {"min": "2026"}, "`min` '2026' is no value of a column of type date"),
    ],
)  # fmt: skip
def test_a_rule_that_no_value_can_be_judged_by(kind: str, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        broken(kind, [], **asked)


_BOUNDS = {
    "integer": st.integers(-3, 3),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "numeric(18,4)": st.sampled_from([0, 0.0, -0.0, 1, -1, 0.5]),
    "double precision": st.sampled_from([0, 0.0, -0.0, 1.5, -1]),
    "date": st.dates(),
}


@given(st.data(), st.sampled_from(sorted(_BOUNDS)), st.sampled_from(["min", "max"]))
def test_a_bound_holds_whatever_its_value_zero_too(data: st.DataObject, kind: str, name: str) -> None:
    bound = data.draw(_BOUNDS[kind])
    column = FactColumn.model_validate({"column": "c", "type": kind, name: bound})
    assert [(asked.rule.name, asked.value) for asked in column.rules] == [(name, bound)]


@pytest.mark.parametrize(
    "rule", [{"min": 0}, {"max": 0}, {"min": 0.0}, {"allowed": [0]}, {"allowed": [False]}]
)
@pytest.mark.parametrize("source", [{"value": 1}, {"period": True}, {"dimension": "product"}])
def test_a_rule_of_zero_goes_with_a_column_of_the_sheet_as_any_other(
    rule: dict[str, Any], source: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError, match="goes with `column`"):
        FactColumn.model_validate({**source, **rule})


def test_a_list_of_allowed_values_is_not_empty() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        FactColumn.model_validate({"column": "c", "type": "text", "allowed": []})


def test_every_rule_is_a_field_with_its_text_in_the_order_in_which_values_are_judged() -> None:
    names = [rule.name for rule in RULES]
    assert [name for name in FactColumn.model_fields if name in names] == names
    assert {name: text for name, text in field_texts(FactColumn).items() if name in names} == {
        rule.name: rule.text for rule in RULES
    }


def test_every_rule_rejects_for_a_reason_that_has_one_meaning() -> None:
    reasons = {rule.reason for rule in RULES}
    assert len({reason.code for reason in reasons}) == len(reasons)
    assert {reason.code: REASONS[reason.code] for reason in reasons} == {r.code: r.words for r in reasons}


def test_every_rule_is_tried_above() -> None:
    assert {name for _, _, asked, _ in BREAKS for name in asked} == {rule.name for rule in RULES}


def test_a_value_that_breaks_several_rules_is_rejected_for_the_first_of_the_feed() -> None:
    found = broken("text", ["Total", "x"], not_allowed=["Total"], pattern="[a-z]")
    assert list(found.items()) == [("not_allowed", [0]), ("pattern_mismatch", [0])]
