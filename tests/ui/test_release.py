"""A held load, released by a person on Airflow's own page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.ui.plant import ROWS_PER_PARTITION, Plant, run_of
from tests.ui.window import TODAY, Window, path_of

REASON = "known test amounts, agreed with the owner"

expect.set_options(timeout=30_000)
pytestmark = pytest.mark.timeout(540)


def test_a_person_s_word_publishes_it_and_is_kept(plant: Plant, window: Callable[..., Window]) -> None:
    path = path_of(TODAY, "claims")
    plant.wait_for_question("load_claims", run_of(str(TODAY)))

    # The load's page leads to the question.
    seen = window()
    page = seen.open(f"/plugin/loads/factload/{path}")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".head .badge")).to_contain_text("held")
    frame.get_by_role("link", name="Decide in Airflow").click()
    page.wait_for_url("**/tasks/release/required_actions")
    expect(page.get_by_text("More rows were rejected, or fewer came, than the feed allows")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("hold a number not_a_number 12"))).to_be_visible()
    expect(page.get_by_text("the feed allows 0 rows")).to_be_visible()
    expect(page.get_by_role("link", name="The load's page")).to_have_attribute(
        "href", re.compile("/dags/load_claims/runs/.*/plugin/load-of-run")
    )
    # The form itself asks for a reason.
    expect(page.get_by_text(re.compile(r"^Reason\s*\*$"))).to_be_visible()
    publish = page.get_by_role("button", name="Publish as it is")
    expect(publish).to_be_disabled()
    page.locator("#element_reason").fill(REASON)
    seen.photograph("airflow-release-light-1280")

    # The load's page, open meanwhile, follows without being loaded again.
    other = window()
    watched = other.loads(path)
    watched.evaluate("window.sameDocument = true")
    publish.click()
    expect(watched.locator(".head .badge")).to_contain_text("released", timeout=90_000)
    expect(watched.get_by_role("region", name="Release")).to_contain_text(REASON)
    assert watched.evaluate("window.sameDocument") is True
    attempts = watched.get_by_role("region", name="Attempts, newest first")
    expect(attempts).to_contain_text("admin, ")
    expect(attempts).to_contain_text(REASON)
    expect(watched.get_by_text(f"{ROWS_PER_PARTITION + 12:,} = 0 blank + 12 rejected")).to_be_visible()
    other.photograph("load-released-light-1280")
    seen.complaints.clear()  # Airflow's own page may have some
