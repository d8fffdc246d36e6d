"""The Loads page in a browser, from a gap through Airflow's trigger form to a load followed live and its rejects."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.ui.airflow_pages import TriggerForm, conf_sent, parameters_shown
from tests.ui.looks import flawless, violations
from tests.ui.plant import FEEDS, ROWS_PER_PARTITION, Plant, run_of
from tests.ui.states import VERIFIED
from tests.ui.window import TODAY, Window, back, path_of, spelled

NewWindow = Callable[..., Window]

SCRIPT = "<script>window.caught = true</script><img src=x onerror='window.caught=true'>"
FORMULA = "=cmd|' /C calc'!A0"
GOOD = 3 * ROWS_PER_PARTITION
BAD = [SCRIPT, FORMULA, *("n/a" for _ in range(28))]

expect.set_options(timeout=30_000)
pytestmark = pytest.mark.timeout(540)


def day(page: Page, words: str) -> Any:
    return page.get_by_role("link", name=words)


def test_a_load_from_the_gap_to_the_rejects_workbook(
    plant: Plant, window: NewWindow, tmp_path_factory: pytest.TempPathFactory
) -> None:
    seen = window()
    page = seen.loads()
    expect(day(page, f"sales, {spelled(0)}: missing")).to_be_visible()

    # Live: the page of the day that has no load yet is open when the run begins, and is never reloaded.
    day(page, f"sales, {spelled(0)}: missing").click()
    expect(page.get_by_text("the ledger has no load of it")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    plant.workbook(str(TODAY), GOOD, BAD)
    run_id = trigger_by_hand(plant, window())
    expect(page.locator(".head .badge")).to_contain_text(re.compile("waiting|running"))
    expect(page.get_by_role("progressbar", name="Progress by rows")).to_be_visible(timeout=90_000)
    expect(page.get_by_role("status")).to_contain_text(f"of {GOOD + len(BAD):,} rows", timeout=90_000)
    for look in seen.looks():
        seen.photograph(f"running-{look}")
    expect(page.get_by_role("heading", name=f"{len(BAD)} rejects")).to_be_visible(timeout=300_000)
    assert page.evaluate("window.sameDocument") is True
    expect(page.locator(".head .badge")).to_contain_text("published")

    # Where the rows went, and the totals.
    expect(page.get_by_text(f"0 blank + {len(BAD)} rejected + {GOOD:,} staged")).to_be_visible()
    expect(page.locator("#totals")).to_contain_text("equal")
    page.get_by_text("All 4 partitions as a table").click()
    expect(page.get_by_role("region", name="Partitions").get_by_role("row")).to_have_count(5)
    expect(page.get_by_role("region", name="Partitions").get_by_text(socket.gethostname())).to_have_count(4)

    # Rejects: paged, searched, and what looks like markup is text.
    rows = page.get_by_role("region", name="Rejected rows").locator("tbody tr")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="Next →").click()
    expect(rows).to_have_count(len(BAD) - 20)
    page.get_by_label("Search the rejects").fill("onerror")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text(SCRIPT)
    assert page.evaluate("window.caught") is None
    page.get_by_label("Search the rejects").fill("")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download as workbook").click()
    file = tmp_path_factory.mktemp("download") / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == f"sales@{TODAY}-rejects.xlsx"
    sheet = openpyxl.load_workbook(file).active
    assert sheet is not None
    values = {cell.value for row in sheet.iter_rows(min_row=2) for cell in row}
    assert sheet.max_row == 1 + len(BAD)
    assert {SCRIPT, FORMULA, "n/a"} <= values
    assert {
        cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row if cell.value == FORMULA
    } == {"s"}

    # The calendar afterwards, and the tab of the run in Airflow's own page.
    page = seen.loads()
    expect(day(page, f"sales, {spelled(0)}: published, {GOOD:,} rows, {len(BAD)} rejected")).to_be_visible()
    seen.open(f"/dags/load_sales/runs/{run_id}/plugin/load-of-run")
    expect(page.frame_locator("iframe").get_by_role("heading", name=spelled(0))).to_be_visible()


def trigger_by_hand(plant: Plant, seen: Window) -> str:
    """Fill in Airflow's trigger form, first with a value that it refuses; returns the run's id."""
    details = plant.api.call("GET", "/api/v2/dags/load_sales/details")
    form = TriggerForm.of(seen, "load_sales")
    usual, release = ["period", "workbook", "dry_run", "reload", "replay", "insert"], ["release", "attempt"]
    assert parameters_shown(form, details) == dict.fromkeys(usual, True) | dict.fromkeys(release, False)
    expect(form.dialog.get_by_text("As the feed says: core")).to_be_visible()
    for look in seen.looks():
        seen.photograph(f"airflow-trigger-{look}")
    form.unfold("Release a held load")  # the section that was open folds up meanwhile, sooner or later
    expect(form.titled("Attempt")).to_be_visible()
    shown = parameters_shown(form, details)
    assert [shown[name] for name in release] == [True, True]

    form.write_json("period", "yesterday")
    assert form.press().status == 400
    expect(form.dialog.get_by_text("'yesterday' is not a 'date'")).to_be_visible()

    form = TriggerForm.of(seen, "load_sales")
    form.field("period").fill(str(TODAY))
    form.field("workbook").fill(f"inbox/sales_{TODAY}.xlsx")
    form.choose("Insert method", "COPY")
    answer = form.press()
    assert answer.ok
    assert conf_sent(answer) == {
        "period": str(TODAY),
        "workbook": f"inbox/sales_{TODAY}.xlsx",
        "dry_run": False,
        "reload": False,
        "replay": False,
        "insert": "copy",
        "release": None,
        "attempt": None,
    }
    run_id = str(answer.json()["dag_run_id"])
    seen.complaints.clear()  # that one request was refused; and Airflow's own page may have some
    seen.close()  # it would ask for its own news for as long as the load takes
    return run_id


def test_in_airflow_s_own_page_with_its_theme(window: NewWindow) -> None:
    seen = window(theme="dark")
    page = seen.open("/")
    page.get_by_role("link", name="Loads").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Loads", exact=True)).to_be_visible()
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    seen.photograph("airflow-dark-1280")

    # A theme chosen in Airflow is the frame's at once.
    page.evaluate("document.documentElement.classList.replace('dark', 'light')")
    expect(frame.locator("html")).to_have_attribute("data-theme", "light")

    # A load has an address of Airflow's; a link to a page of Airflow leads there.
    frame.get_by_role("link", name=f"sales, {spelled(5)}: missing").click()
    page.wait_for_url(f"**/plugin/loads/factload/{path_of(back(5))}")
    frame.get_by_role("link", name="open load_sales").click()
    page.wait_for_url("**/dags/load_sales")
    seen.open("/dags/load_sales/plugin/feed-loads")
    expect(frame.get_by_role("heading", name="sales", exact=True)).to_be_visible()
    seen.complaints.clear()  # Airflow's own pages may have some


def test_a_gap_offers_the_backfill(window: NewWindow) -> None:
    seen = window()
    page = seen.loads()
    page.get_by_role("button", name="Backfill 2 days of returns").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("td code")).to_have_text([f"{back(9):%Y/%m/%d} 00:00", f"{back(8):%Y/%m/%d} 23:59"])
    expect(dialog).to_contain_text(
        "airflow backfill create --dag-id load_returns "
        f"--from-date {back(9)}T00:00:00+00:00 --to-date {back(8)}T23:59:00+00:00"
    )
    flawless(seen, "offer")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_failed_load_says_how_it_runs_again(window: NewWindow) -> None:
    page = window().loads(path_of(back(15)))
    steps = page.get_by_role("region", name="What to do next")
    expect(steps).to_contain_text("press Trigger and choose the period")
    expect(steps).to_contain_text(f"factload run sales --period {back(15)}")


def test_the_calendar_shows_only_the_feeds_in_trouble(window: NewWindow) -> None:
    page = window().loads()
    failed = page.get_by_role("button", name=re.compile(r"\d+ refused"))
    failed.click()
    expect(page.get_by_role("status")).to_have_text(f"1 of {len(FEEDS)} feeds")
    expect(page.get_by_role("row", name="sales")).to_be_visible()
    expect(page.get_by_role("row", name="returns")).to_be_hidden()
    failed.click()
    expect(page.get_by_role("row", name="returns")).to_be_visible()


def test_the_keyboard_reaches_every_day_with_one_stop(window: NewWindow) -> None:
    page = window().loads()
    links = page.locator("a.day")
    assert [links.nth(i).get_attribute("tabindex") for i in range(links.count())].count("0") == 1
    page.locator('a.day[tabindex="0"]').focus()  # the last day of the first feed with a load
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert (page.locator(":focus").get_attribute("aria-label") or "").startswith(
        f"returns, {spelled(1)}: published"
    )
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=spelled(1))).to_be_visible()


def test_a_warehouse_that_is_not_known_is_said_in_its_row_and_the_others_are_shown(window: NewWindow) -> None:
    page = window().loads()
    expect(page.get_by_role("row", name="orders")).to_contain_text("Airflow has no connection called archive")
    expect(day(page, f"sales, {spelled(1)}: published")).to_be_visible()


def test_a_warehouse_that_does_not_answer_is_said_with_what_to_do(window: NewWindow) -> None:
    seen = window()
    page = seen.loads()
    row = page.get_by_role("row", name="prices")
    expect(row).to_contain_text("reading the ledger")
    expect(day(page, f"sales, {spelled(1)}: published")).to_be_visible()
    row.get_by_role("link").click()
    trouble = page.get_by_role("alert")
    expect(trouble.get_by_role("heading", name="The warehouse does not answer")).to_be_visible()
    expect(trouble.get_by_role("button", name="Try again")).to_be_visible()
    for look in seen.looks():
        seen.photograph(f"no-warehouse-{look}")
    assert violations(page) == []
    seen.complaints.clear()  # the browser notes an answer of 503 by itself


def test_the_calendar_shades_rejects_and_marks_an_unusual_number_of_rows(window: NewWindow) -> None:
    page = window().loads()
    large = day(page, f"sales, {spelled(13)}: published")  # more than twice the rows of the others
    expect(large).to_have_class(re.compile("odd"))
    expect(large).to_have_accessible_name(re.compile(r"rejected \(0\.\d+%\), an unusual number of rows$"))
    expect(day(page, f"sales, {spelled(12)}: published")).not_to_have_class(re.compile("odd|rejects"))
    many = day(page, f"returns, {spelled(5)}: published")  # nine times the rejects of the others
    expect(many).to_have_class(re.compile("rejects-some"))
    legend = page.get_by_role("list", name="What the signs mean")
    expect(legend).to_contain_text("rejected: from 0.5%, 2%, 10% on")
    expect(legend).to_contain_text("an unusual number of rows")


def test_a_feed_s_page_says_how_old_what_readers_see_is(window: NewWindow) -> None:
    page = window().loads("dags/load_returns")
    expect(page.get_by_text(f"Published up to {spelled(0)}, ")).to_be_visible()
    expect(page.get_by_text("Nothing newer has been due.")).to_be_visible()
    months = page.get_by_role("table", name="Months")
    days = months.locator("tbody td:nth-child(2)").all_inner_texts()
    assert sum(map(int, days)) == 22  # of 25, of which two have no load and one failed
    expect(months).to_contain_text("0 of")


def test_the_trend_rings_what_is_unusual(window: NewWindow) -> None:
    page = window().loads("dags/load_sales")
    expect(page.get_by_role("heading", name="The last 60 loads")).to_be_visible()
    assert page.locator("figure").first.locator("a.odd").count() >= 2
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("region", name="The feed's last loads").locator("tbody tr")).to_have_count(60)


def test_a_user_who_may_see_no_feed_is_told_what_to_do(window: NewWindow) -> None:
    expect(window("stranger").loads().get_by_role("heading", name="There is no feed to show")).to_be_visible()


PAGES = {
    "calendar": "",
    "feed": "dags/load_sales",
    "load": path_of(TODAY),
    "held": path_of(TODAY, "claims"),
    "failed": path_of(back(15)),
    "missing": path_of(back(5)),
    "witness": path_of(back(VERIFIED), "visits"),
}


@pytest.mark.parametrize("name", PAGES)
def test_assistive_technology_finds_nothing_lacking(plant: Plant, window: NewWindow, name: str) -> None:
    if name == "held":
        plant.wait_for_question("load_claims", run_of(str(TODAY)))
    seen = window()
    seen.loads(PAGES[name])
    flawless(seen, name)
