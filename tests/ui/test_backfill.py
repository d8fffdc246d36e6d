"""A week without loads, backfilled in the browser: from the gap on the calendar through Airflow's own form and back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import datetime

import pytest
from playwright.sync_api import expect

from tests.ui.airflow_pages import MISSING_AND_FAILED, BackfillForm
from tests.ui.plant import Plant
from tests.ui.window import WEEK, Window, back, path_of, spelled

ROWS = 40
WITHOUT_WORKBOOK = 4  # days back

expect.set_options(timeout=30_000)
pytestmark = pytest.mark.timeout(540)


def test_a_week_is_backfilled_with_one_workbook_missing(plant: Plant, window: Callable[..., Window]) -> None:
    for days in WEEK:
        if days != WITHOUT_WORKBOOK:
            plant.workbook(str(back(days)), ROWS, feed="stock")

    # Before: a week of gaps, and what would fill it.
    seen = window()
    seen.loads()
    for look in seen.looks():
        seen.photograph(f"backfill-before-{look}")
    page = seen.open("/plugin/loads")
    frame = page.frame_locator("iframe")
    for days in WEEK:
        expect(frame.get_by_role("link", name=f"stock, {spelled(days)}: missing")).to_be_visible()
    frame.get_by_role("button", name="Backfill 7 days of stock").click()
    dialog = frame.get_by_role("dialog")
    [begin, end] = dialog.locator("td code").all_text_contents()
    command = dialog.locator(".command code").inner_text()

    # The command means just these days.
    planned = plant.airflow(*shlex.split(command)[1:], "--dry-run")
    assert re.findall(r"\d{4}-\d\d-\d\d(?= 02:00)", planned) == [str(back(days)) for days in WEEK]

    # And so does Airflow's form, filled in as the dialog says.
    dialog.get_by_role("link", name="open load_stock").click()
    page.wait_for_url("**/dags/load_stock")
    form = BackfillForm.on(page)
    form.moment("From", datetime.strptime(begin, "%Y/%m/%d %H:%M"))
    form.moment("To", datetime.strptime(end, "%Y/%m/%d %H:%M"))
    form.choose(MISSING_AND_FAILED)
    form.at_once(len(WEEK))
    expect(form.dialog.get_by_text("7 runs will be triggered.")).to_be_visible()
    seen.photograph("airflow-backfill-light-1280")
    form.press()
    seen.complaints.clear()  # Airflow's own page may have some

    # While it runs, days that have no load yet are no gap.
    page = seen.loads()
    expect(page.get_by_role("link", name=re.compile("stock, .*: (waiting|running)")).first).to_be_visible()


@pytest.mark.runs_last
def test_six_days_are_published_and_one_is_still_to_be_had(
    plant: Plant, window: Callable[..., Window]
) -> None:
    plant.wait_for_end("load_stock")
    seen = window()
    page = seen.loads()
    for days in WEEK:
        state = "failed, no load was opened" if days == WITHOUT_WORKBOOK else f"published, {ROWS} rows"
        expect(page.get_by_role("link", name=f"stock, {spelled(days)}: {state}")).to_be_visible()
    expect(page.get_by_role("button", name="Backfill 1 day of stock")).to_be_visible()
    for look in seen.looks():
        seen.photograph(f"backfill-after-{look}")
    page = seen.loads(path_of(back(WITHOUT_WORKBOOK), "stock"))
    expect(page.get_by_text("failed before it opened a load")).to_be_visible()
    expect(page.get_by_role("link", name="Run in Airflow")).to_have_attribute(
        "href", re.compile("/dags/load_stock/runs/backfill")
    )
