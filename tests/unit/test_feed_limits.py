"""`max_rejects`, in all and for a reason; `min_rows`; `max_change`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from factload.feed.limits import (
    ChangeLimits,
    LeastRows,
    RejectLimits,
    change_limits,
    least_rows,
    reject_limits,
)


@pytest.mark.parametrize(
    ("limits", "rejects", "exceeded"),
    [
        (0, {}, ()),
        (0, {"blank_key": 1}, ("1 of 1,000 rows were rejected",)),
        ("1%", {"blank_key": 6, "not_a_date": 4}, ()),
        ("1%", {"blank_key": 6, "not_a_date": 5}, ("11 of 1,000 rows were rejected",)),
        ({"total": 20, "unmatched_key": 5}, {"unmatched_key": 5, "blank_key": 15}, ()),
        ({"total": 20, "unmatched_key": 5}, {"unmatched_key": 6}, ("6 of 1,000 rows are unmatched_key",)),
        (
            {"total": 20, "unmatched_key": "0.5%"},
            {"unmatched_key": 6, "blank_key": 15},
            ("21 of 1,000 rows were rejected", "6 of 1,000 rows are unmatched_key"),
        ),
        ({"unmatched_key": 100}, {"unmatched_key": 100}, ()),
        ({"unmatched_key": 100}, {"blank_key": 1}, ("1 of 1,000 rows are blank_key",)),
        ({"total": "100%", "blank_key": 0}, {"unmatched_key": 900}, ()),
    ],
)
def test_what_is_too_much(limits: Any, rejects: dict[str, int], exceeded: tuple[str, ...]) -> None:
    made = reject_limits(limits)
    assert isinstance(made, RejectLimits)
    assert made.exceeded(rejects, 1000) == exceeded


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1, "expected a number of rows such as 100"),
        (True, "expected a number of rows such as 100"),
        ({}, "expected a number of rows such as 100"),
        ({"total": "2"}, "expected a number of rows such as 100"),
        ({"unmatchd_key": 1}, "'unmatchd_key' is neither total nor a reason.*Did you mean unmatched_key?"),
        ({"xyz": 1}, "There are ragged_row, blank_key"),
    ],
)
def test_what_is_no_limit(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reject_limits(value)


@pytest.mark.parametrize(
    ("said", "rows", "published", "replaces", "missed"),
    [
        (None, 0, 0, True, ""),
        (None, 0, 5, True, "0 rows are left to publish, and 5 rows of this load are published now"),
        (None, 1, 5_000, True, ""),
        (None, 0, 5, False, ""),
        (0, 0, 5, True, ""),
        (100, 99, 0, True, "99 rows are left to publish"),
        (100, 100, 5_000, False, ""),
        ("50%", 499, 1_000, True, "499 rows are left to publish, and 1,000 rows of this load are published now"),
        ("50%", 500, 1_000, True, ""),
        ("50%", 0, 0, True, ""),
    ],
)  # fmt: skip
def test_how_few_rows_may_be_published(
    said: Any, rows: int, published: int, replaces: bool, missed: str
) -> None:
    least = LeastRows() if said is None else least_rows(said)
    assert isinstance(least, LeastRows)
    assert least.missed(rows, published, replaces=replaces) == missed


@pytest.mark.parametrize("said", [-1, 1.5, True, "many", "200%", {"total": 1}])
def test_min_rows_is_a_number_or_a_share(said: Any) -> None:
    with pytest.raises(ValueError, match="expected a number of rows such as 1000, or a share"):
        least_rows(said)


def test_a_change_is_measured_to_the_last_digit_of_totals_that_are_longer_than_pythons_own_28() -> None:
    limits, before = ChangeLimits({"amount": Decimal("0.1")}), {"amount": Decimal("1" + "0" * 33)}
    at_the_limit = Decimal("11" + "0" * 32)

    assert limits.exceeded({"amount": at_the_limit}, before, "yesterday") == ()
    assert limits.exceeded({"amount": Decimal(f"{at_the_limit}.01")}, before, "yesterday") != ()


def test_a_share_that_is_met_exactly_is_kept() -> None:
    before = {"rows": Decimal(1000)}
    for met in range(1, 1000):
        percent = f"{Decimal(met) / 10}%"
        rejects, least = reject_limits(percent), least_rows(percent)
        change = change_limits({"rows": percent})
        assert isinstance(rejects, RejectLimits)
        assert isinstance(least, LeastRows)
        assert isinstance(change, ChangeLimits)
        assert rejects.exceeded({"blank_key": met}, 1000) == (), percent
        assert rejects.exceeded({"blank_key": met + 1}, 1000), percent
        assert least.missed(met, 1000, replaces=True) == "", percent
        assert least.missed(met - 1, 1000, replaces=True), percent
        for sign in (1, -1):
            assert change.exceeded({"rows": Decimal(1000 + sign * met)}, before, "now") == (), percent
            assert change.exceeded({"rows": Decimal(1000 + sign * (met + 1))}, before, "now"), percent


@pytest.mark.parametrize(
    ("limit", "before", "now", "said"),
    [
        ("20%", "5000", "6002", "20.04%"),
        ("20%", "-5000", "-6002", "20.04%"),
        ("20%", "100", "150", "50.0%"),
        ("0%", "5", "5.0001", "0.002%"),
        ("0%", "1e30", "1000000000000000000000000000001", "more than 0%"),
        ("250%", "1", "-2", "300.0%"),
        ("0.05%", "10000", "9994", "0.1%"),
        ("999999%", "0", "0.01", "from nothing"),
        ("0%", "12345678901234567890123456789.1234", "12345678901234567890123456789.1235", "more than 0%"),
    ],
)
def test_a_change_is_told_apart_from_its_limit(limit: str, before: str, now: str, said: str) -> None:
    change = change_limits({"metric": limit})
    assert isinstance(change, ChangeLimits)
    [told] = change.exceeded({"metric": Decimal(now)}, {"metric": Decimal(before)}, "in sales@2026-11-04")
    assert told.startswith(f"the total of metric is {Decimal(now):,f}, and in sales@2026-11-04 it is ")
    assert told.endswith(said if said.startswith("from") else f"a change of {said}")
    assert change.exceeded({"metric": Decimal(before)}, {"metric": Decimal(before)}, "before") == ()
