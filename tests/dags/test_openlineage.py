"""What OpenLineage is told of a published load; its own classes carry it, where they are installed."""

from __future__ import annotations

import pytest

from factload.airflow.openlineage import Assertion, assertions, dataset_of
from factload.reports.report import Report

ROWS = {"source": 10, "blank": 1, "rejected": 2, "staged": 6, "published": 6}
TOTALS = {"metric": {"source": "10.50", "published": "10.5"}}


def report(**changed: int) -> Report:
    return Report(
        feed="sales",
        period="2026-11-05",
        load_id="sales@2026-11-05",
        state="published",
        rows=ROWS | changed,
        left_out={"total": 1},
        control_totals=TOTALS,
    )


def test_the_proofs_of_a_load_are_assertions() -> None:
    assert list(assertions(report())) == [
        Assertion("source_rows_accounted_for", success=True),
        Assertion("published_rows_equal_staged_rows", success=True),
        Assertion("control_total_equals_source", success=True, column="metric"),
    ]


@pytest.mark.parametrize(("name", "failed"), [("source", 0), ("blank", 0), ("published", 1)])
def test_a_proof_that_fails_is_an_assertion_that_failed(name: str, failed: int) -> None:
    found = [assertion.success for assertion in assertions(report(**{name: 3}))]
    assert found == [number != failed for number in range(3)]


@pytest.mark.parametrize(
    ("uri", "namespace", "name"),
    [
        ("postgres://db:5432/w/public/fact_sales", "postgres://db:5432", "w.public.fact_sales"),
        ("file:///in%20box/a.xlsx", "file", "/in box/a.xlsx"),
        ("s3://bucket/in/a.xlsx", "s3://bucket", "in/a.xlsx"),
    ],
)
def test_a_dataset_has_the_name_that_openlineage_gives_it(uri: str, namespace: str, name: str) -> None:
    assert dataset_of(uri) == (namespace, name)
