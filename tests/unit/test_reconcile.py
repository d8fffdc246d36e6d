"""Reconciliation: pure functions over counts, each defect named with its partition and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from factload.errors import ReconciliationError, RowsRefused
from factload.fact.resolve import control_totals
from factload.feed.limits import ChangeLimits, LeastRows, RejectLimit, RejectLimits
from factload.load import PartitionCounts
from factload.reconcile.counts import Staged, reconcile, require_agreement, require_within_limits

FIRST = PartitionCounts(
    "a",
    "Facts 2–11",
    source=10,
    blank=1,
    rejected=2,
    staged=7,
    totals={"metric": "70.5000"},
    weighted={"key": "99"},
)
SECOND = PartitionCounts(
    "b", "Facts 12–21", source=10, blank=0, rejected=0, staged=10, totals={"metric": "-3"}
)
KEY = {"key": Decimal(99)}
GOOD = {"a": Staged(7, {"metric": Decimal("70.5")}, KEY), "b": Staged(10, {"metric": Decimal("-3.0000")}, {})}


def test_a_load_that_adds_up() -> None:
    result = reconcile([FIRST, SECOND], GOOD, ["metric"])
    assert (result.source, result.blank, result.rejected, result.staged) == (20, 1, 2, 17)
    assert result.totals == {"metric": Decimal("67.5")}
    assert result.differences == ()
    require_agreement("sales@2026-11-05", result)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"a": Staged(6, {"metric": Decimal("70.5")}, KEY)}, "partition Facts 2–11: 6 rows in the staging table, 7 counted"),
        ({"b": Staged(11, {"metric": Decimal(-3)}, {})}, "partition Facts 12–21: 11 rows in the staging table, 10 counted"),
        ({"a": Staged(7, {"metric": Decimal("70.51")}, KEY)}, "partition Facts 2–11: control total of metric is off by 0.01"),
        ({"b": Staged(0, {}, {})}, "control total of metric is off by 3"),
        ({"a": Staged(7, {"metric": Decimal("70.5")}, {"key": Decimal(101)})}, "partition Facts 2–11: sum of row × key is off by 2"),
        ({"c": Staged(3, {"metric": Decimal(0)}, {})}, "3 staged rows belong to no partition"),
    ],
)  # fmt: skip
def test_a_tampered_staging_table_is_named(change: Mapping[str, Staged], difference: str) -> None:
    result = reconcile([FIRST, SECOND], {**GOOD, **change}, ["metric"])
    assert any(difference in found for found in result.differences), result.differences
    with pytest.raises(ReconciliationError, match="does not add up"):
        require_agreement("sales@2026-11-05", result)


def test_a_row_that_is_nowhere_is_named() -> None:
    lost = PartitionCounts(
        "a",
        "Facts 2–11",
        source=11,
        blank=1,
        rejected=2,
        staged=7,
        totals={"metric": "70.5"},
        weighted={"key": "99"},
    )
    result = reconcile([lost, SECOND], GOOD, ["metric"])
    assert result.differences == (
        "partition Facts 2–11: 11 source rows, but 1 blank + 2 rejected + 7 staged = 10",
    )


def test_a_lost_row_beside_a_doubled_one_is_seen_by_its_partition() -> None:
    staged = {"a": Staged(6, {"metric": Decimal("60.5")}, KEY), "b": Staged(11, {"metric": Decimal(7)}, {})}
    result = reconcile([FIRST, SECOND], staged, ["metric"])
    assert len(result.differences) == 4


@pytest.mark.parametrize(
    ("known", "lacking"),
    [
        ({"totals": {}}, "the ledger has no totals of metric"),
        ({"weighted": {}}, "the ledger has no totals of key"),
    ],
)
def test_a_proof_that_is_missing_is_a_failed_one(known: dict[str, Any], lacking: str) -> None:
    result = reconcile([replace(FIRST, **known), SECOND], GOOD, ["metric"])
    assert result.differing == {"a"}
    assert lacking in result.differences[0]


def test_what_is_too_much_is_refused_in_words() -> None:
    result = reconcile([FIRST, SECOND], GOOD, ["metric"])
    limits = RejectLimits(RejectLimit(share=Decimal("0.05")), {"blank_key": RejectLimit(count=1)})
    require_within_limits("sales@2026-11-05", result, limits, LeastRows(), ChangeLimits())
    too_many = limits.exceeded({"blank_key": 2}, result.source)
    with pytest.raises(RowsRefused) as caught:
        require_within_limits(
            "sales@2026-11-05", replace(result, too_many=too_many), limits, LeastRows(), ChangeLimits()
        )
    assert str(caught.value).startswith(
        "2 of 20 rows were rejected; 2 of 20 rows are blank_key. Expected: at most max_rejects, 5%, blank_key 1 rows."
    )


def test_sums_of_many_digits_are_exact() -> None:
    large = {"metric": "99999999999999999999999999999.999999999"}
    counted = [
        PartitionCounts("a", "Facts 2–2", 1, 0, 0, 1, large),
        PartitionCounts("b", "Facts 3–3", 1, 0, 0, 1, {"metric": "0.000000001"}),
    ]
    staged = {p.partition_id: Staged(1, {"metric": Decimal(p.totals["metric"])}, {}) for p in counted}
    result = reconcile(counted, staged, ["metric"])
    assert (result.totals["metric"], result.differences) == (Decimal(10) ** 29, ())
    off = {**staged, "a": Staged(1, {"metric": Decimal(10) ** 29}, {})}
    assert reconcile(counted, off, ["metric"]).differences != ()


@pytest.mark.parametrize(
    ("kind", "numbers", "total"),
    [
        (pa.int64(), [2**63 - 1, 2**63 - 1, 1], "18446744073709551615"),
        (pa.int64(), [-(2**63), -(2**63), None], "-18446744073709551616"),
        (pa.int64(), [2**63 - 1, -(2**63)], "-1"),
        (pa.decimal128(38, 2), [Decimal("9" * 36 + ".99")] * 3, "2" + "9" * 36 + ".97"),
        (pa.decimal128(38, 0), [Decimal("-" + "9" * 38)] * 2, "-1" + "9" * 37 + "8"),
        (pa.decimal128(37, 4), [Decimal("9" * 33)] * 100, "9" * 33 + "00.0000"),
        (pa.decimal128(18, 4), [None], "0"),
        (pa.int64(), [], "0"),
    ],
)
def test_a_control_total_may_be_larger_than_any_number_of_its_type(
    kind: pa.DataType, numbers: list[Any], total: str
) -> None:
    assert control_totals(pa.table({"amount": pa.array(numbers, kind)}), ["amount"]) == {"amount": total}
