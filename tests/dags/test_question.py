"""What a person is told before they decide about a held load."""

from __future__ import annotations

from pathlib import Path

from factload.airflow.release import question
from factload.feed.file import read_feed_file
from factload.reports.report import Report

FEED = read_feed_file(Path(__file__).parents[2] / "include/feeds/sales.yaml")
PAGE = "https://airflow/dags/load_sales/runs/1/plugin/load-of-run"


def report(rejects: dict[str, int], source: int, code: str) -> Report:
    rejected = sum(rejects.values())
    rows = {
        "source": source,
        "blank": 0,
        "rejected": rejected,
        "staged": source - rejected,
        "published": 0,
    }
    return Report(
        feed="sales",
        period="2026-11-05",
        load_id="sales@2026-11-05",
        state="held",
        error={"code": code, "message": "it is held"},
        rows=rows,
        rejects=rejects,
    )


def test_rejects_are_told_with_their_limit_and_what_is_wrong() -> None:
    asked = question(report({"unmatched_key": 3_000, "blank_key": 1}, 60_000, "too_many_rejects"), FEED, PAGE)
    assert asked.startswith(
        "**sales@2026-11-05**: 3,001 of 60,000 rows were rejected; the feed allows 0.5%. "
        "56,999 rows would be published.\n\n| what is wrong | code | rows |\n"
    )
    assert "| unmatched_key | 3,000 |" in asked
    assert "Fewer rows" not in asked
    assert asked.endswith(
        f"[The load's page]({PAGE}) says more, and has the rejected rows with their values."
    )


def test_too_few_rows_are_told_without_an_empty_table() -> None:
    asked = question(report({}, 12, "too_few_rows"), FEED, PAGE)
    assert "12 rows would be published" in asked
    assert "Fewer rows came than the feed asks for." in asked
    assert "| what is wrong" not in asked


def test_a_witness_that_differs_is_told_with_what_it_says() -> None:
    asked = question(report({}, 12, "witness_differs"), FEED, PAGE)
    assert "The owner's own number is another one: it is held" in asked
