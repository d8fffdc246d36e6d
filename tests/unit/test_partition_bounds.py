"""The bounds of partitions, as PostgreSQL writes them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest

from factload.fact.exchange.bounds import Value, after, read_bound

DAY = date(2026, 11, 5)


@pytest.mark.parametrize(
    ("definition", "value", "takes"),
    [
        ("FOR VALUES IN ('sales@2026-11-05')", "sales@2026-11-05", True),
        ("FOR VALUES IN ('sales@2026-11-05')", "sales@2026-11-0", False),
        ("FOR VALUES IN ('a', 'it''s (odd), isn''t it', NULL)", "it's (odd), isn't it", True),
        ("FOR VALUES IN ('a', 'it''s (odd), isn''t it', NULL)", "odd", False),
        ("FOR VALUES IN (5, 7)", 7, True),
        ("FOR VALUES IN ('-5', '7')", -5, True),
        ("FOR VALUES IN ('-5', '7')", 5, False),
        ("FOR VALUES IN ('2026-11-05')", DAY, True),
        ("FOR VALUES IN ('2026-11-05 00:00:00')", datetime(2026, 11, 5), True),
        (
            "FOR VALUES IN ('6c1f5b0e-0f2b-5d0c-9c0b-5d6d0f4a7e11')",
            UUID("6C1F5B0E0F2B5D0C9C0B5D6D0F4A7E11"),
            True,
        ),
        ("FOR VALUES FROM ('2026-11-05') TO ('2026-11-06')", DAY, True),
        ("FOR VALUES FROM ('2026-11-06') TO ('2026-11-07')", DAY, False),
        ("FOR VALUES FROM ('2026-11-01') TO ('2026-11-05')", DAY, False),
        ("FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')", DAY, True),
        ("FOR VALUES FROM (MINVALUE) TO ('2026-11-05')", DAY, False),
        ("FOR VALUES FROM (MINVALUE) TO ('2026-11-06')", DAY, True),
        ("FOR VALUES FROM ('2026-11-05') TO (MAXVALUE)", DAY, True),
        ("FOR VALUES FROM ('-infinity') TO ('infinity')", DAY, True),
        ("FOR VALUES FROM (20261105) TO (20261106)", 20261105, True),
        ("FOR VALUES FROM ('99') TO ('20261105')", 20261105, False),
        ("FOR VALUES FROM ('2026-11-05 00:00:00') TO ('2026-11-05 12:00:00')", datetime(2026, 11, 5), True),
        ("DEFAULT", "sales@2026-11-05", False),
        ("FOR VALUES WITH (modulus 4, remainder 1)", "sales@2026-11-05", False),
    ],
)
def test_a_partition_takes_what_lies_in_its_bound(definition: str, value: Value, takes: bool) -> None:
    assert read_bound(definition).takes(value) is takes


@pytest.mark.parametrize(
    ("value", "next_one"),
    [
        (date(2026, 12, 31), date(2027, 1, 1)),
        (datetime(2026, 2, 28), datetime(2026, 3, 1)),
        (20261105, 20261106),
    ],
)
def test_a_range_of_one_value_ends_where_the_next_one_begins(value: Value, next_one: Value) -> None:
    assert after(value) == next_one
