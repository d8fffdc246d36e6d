"""States that are seldom seen, each as the calendar and the load's page tell it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from factload.postgres.database import engine_for
from tests.ui.looks import SCROLLS_SIDEWAYS, flawless, photographed
from tests.ui.plant import FEEDS, Plant, run_of
from tests.ui.states import (
    ALTERED,
    DAG_ID,
    DEAD,
    DECLINED,
    DRY,
    ENDED,
    ERROR,
    FEED,
    LARGE,
    PLAIN,
    REASON,
    RELEASED,
    RELOAD,
    SEVERAL,
    STAGED,
    UNDONE,
    VERIFIED,
    WAITING,
    load_id,
)
from tests.ui.window import TODAY, WIDTHS, Window, back, path_of, spelled

NewWindow = Callable[..., Window]
OLD = f"?last={back(min(PLAIN, ALTERED))}"
CUT_OFF = """box => {
    const inner = box.getBoundingClientRect();
    let outer = box.parentElement;
    while (outer && !outer.classList.contains('scroll')) outer = outer.parentElement;
    const seen = (outer ?? document.documentElement).getBoundingClientRect();
    return inner.right > Math.min(seen.right, innerWidth) + 0.5 || inner.left < seen.left - 0.5;
}"""

expect.set_options(timeout=30_000)
pytestmark = pytest.mark.timeout(540)


def page_of(seen: Window, days: int) -> Page:
    return seen.loads(path_of(back(days), FEED))


def badge(page: Page) -> Locator:
    return page.locator(".head .badge")


def test_the_calendar_tells_them_apart(window: NewWindow) -> None:
    page = window().loads(OLD)
    for days, told in {
        UNDONE: "undone",
        STAGED: "staged, not published",
        PLAIN: "published, 1,289,436 rows",
        DEAD: "failed",
        DRY: "missing",
        RELOAD: "running, an earlier attempt's rows are published",
        RELEASED: "released, 2,000 rows, 12 rejected (0.6%)",
        WAITING: "waiting",
        ENDED: "failed, no load was opened",
        DECLINED: "held, 3,000 rejected (5.0%)",
        VERIFIED: f"published, 2,000 rows, verified on {short(VERIFIED - 1)}",
        ALTERED: "not as published, 2,000 rows",
    }.items():
        expect(page.get_by_role("link", name=f"{FEED}, {spelled(days)}: {told}", exact=True)).to_have_count(1)


def test_a_staged_load_says_that_nobody_publishes_it(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, STAGED)
    expect(badge(page)).to_have_text(re.compile("staged, not published"))
    steps = page.get_by_role("region", name="What to do next")
    expect(steps).to_contain_text(f"factload run {FEED} --period {back(STAGED)}")
    photographed(seen, "staged")


def test_an_undone_load_says_who_took_it_back_and_why(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, UNDONE)
    expect(badge(page)).to_have_text(re.compile("undone"))
    expect(page.get_by_text("A person took the load's rows back, and nothing stood before.")).to_be_visible()
    told = page.get_by_role("region", name="Undo")
    expect(told).to_contain_text("Attempt 1 was taken back by maria")
    expect(told).to_contain_text("the branch sent October again")
    expect(page.get_by_role("region", name="Attempts, newest first")).to_contain_text("attempt 1, by maria")
    steps = page.get_by_role("region", name="What to do next")
    expect(steps).to_contain_text("If it should not have been taken back: until")
    expect(page.locator("#totals")).to_contain_text("No row of it stands.")
    expect(steps).to_contain_text(f'factload undo {load_id(back(UNDONE))} --reason "why"')
    flawless(seen, "undone")


def short(days: int) -> str:
    """So many days before today, as the calendar says it in short."""
    return f"{back(days).day} {back(days):%b}"


def test_a_verified_load_says_so_and_how_it_is_taken_back(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, VERIFIED)
    published = page.locator(".tile", has_text="Published")
    expect(published).to_contain_text("into fact_sales, verified on")
    expect(published).to_contain_text("02:00:00 UTC: as published")
    expect(page.get_by_role("region", name="What to do next")).to_contain_text(
        f'factload undo {load_id(back(VERIFIED))} --reason "why"'
    )
    # What the owner's own number says is drawn beside the load's.
    totals = page.get_by_role("table", name="The owner's number, what was counted, and what was published")
    for told in ("owner's number, Cover!B3 2,100", "delivered rows 2,000", "published 2,000"):
        expect(totals.get_by_role("row", name=f"sum of amount {told}")).to_be_visible()
    flawless(seen, "verified")


def test_a_load_whose_rows_were_changed_since_says_it_first(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, ALTERED)
    expect(badge(page)).to_have_text(re.compile("not as published"))
    told = page.get_by_role("region", name="Verification")
    expect(told).to_contain_text("are no longer in the fact table as they were")
    expect(told).to_contain_text(f"factload verify {FEED} --since {back(ALTERED)}")
    photographed(seen, "altered")


def test_what_verify_finds_meanwhile_is_shown(window: NewWindow, plant: Plant) -> None:
    seen = window(alone=True)
    seen.page.clock.install()
    page = page_of(seen, VERIFIED)
    told = page.get_by_role("region", name="Verification")
    expect(badge(page)).to_have_text(re.compile("published"))
    expect(told).to_have_count(0)
    found = text("UPDATE factload.attempts SET verified_as = :found WHERE load_id = :load_id")
    with engine_for(plant.warehouse).begin() as connection:
        connection.execute(found, {"found": "differs", "load_id": load_id(back(VERIFIED))})
    try:
        page.clock.fast_forward(15_000)
        expect(told).to_contain_text("are no longer in the fact table as they were")
    finally:
        with engine_for(plant.warehouse).begin() as connection:
            connection.execute(found, {"found": "stands", "load_id": load_id(back(VERIFIED))})


def test_a_load_whose_process_is_gone_is_failed_not_running(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, DEAD)
    expect(badge(page)).to_have_text(re.compile("failed"))
    expect(page.get_by_text("Its run in Airflow has ended without ending the load")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    steps = page.get_by_role("region", name="What to do next")
    expect(steps).to_contain_text(f"factload run {FEED} --period {back(DEAD)}")
    expect(page.get_by_text("1,000 of 3,000 rows are accounted for")).to_be_visible()
    photographed(seen, "dead-worker")


def test_a_dry_run_is_no_load_and_its_report_is_on_the_day_s_page(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, DRY)
    expect(badge(page)).to_have_text(re.compile("missing"))
    told = page.get_by_role("region", name="The last dry run")
    expect(told).to_contain_text("A load would be ready: 60,000 rows = 0 blank + 7 rejected + 59,993")
    expect(told).to_contain_text("7 unmatched_key")
    expect(told).to_contain_text("Before: in visits@2026-10-02. After: as this workbook has it.")
    for line in (
        "rows before 61,200",
        "rows after 59,993",
        "amount before 1,289,436.25",
        "amount after 1,264,000.50",
    ):
        expect(
            told.get_by_role("row", name=re.compile(rf"^{re.escape(line).replace(' ', ' ?')}$"))
        ).to_be_visible()
    expect(told).to_contain_text("12 added, 1,219 removed, 204 changed, 59,777 as they are")
    expect(told.get_by_role("row", name="changed amount Visits!A7, B7")).to_be_visible()
    expect(told).to_contain_text("3 members of branch_id would have no row any more.")
    expect(told).to_contain_text(f"factload diff {FEED} --period {back(DRY)}")
    expect(page.get_by_text(f"factload run {FEED} --period {back(DRY)}")).to_be_visible()
    photographed(seen, "dry-run")


def test_a_reload_has_done_nothing_before_its_workbook_is_read(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, RELOAD)
    expect(page.get_by_role("status")).to_have_text("Reading the workbook …")
    assert page.get_by_role("progressbar").get_attribute("value") is None
    expect(page.get_by_role("row", name=re.compile("^staged"))).to_contain_text("0")
    expect(page.get_by_text("Readers of the fact table still see the rows of attempt 1")).to_be_visible()
    photographed(seen, "reload")


def test_a_released_load_says_first_who_let_it_go_and_why(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, RELEASED)
    expect(badge(page)).to_have_text(re.compile("released"))
    told = page.get_by_role("region", name="Release")
    expect(told).to_contain_text("Released by maria")
    expect(told).to_contain_text(REASON)
    expect(told).to_contain_text("12 of 2,012 rows were rejected; the feed allows 0 rows")
    photographed(seen, "released")


def test_the_hour_that_a_person_took_is_not_the_load_s(window: NewWindow) -> None:
    page = page_of(window(), RELEASED)
    expect(page.locator(".tile", has_text="Took")).to_contain_text("attempt 1, and waited 1 h 0 min")
    took = page.locator(".tile", has_text="Took").locator("dd").inner_text()
    assert re.match(r"\d\d s", took)
    # The steps have the axis to themselves; the pause is a mark on it.
    widths = page.locator("#steps rect.span").evaluate_all("all => all.map(bar => bar.width.baseVal.value)")
    assert max(widths) > 100
    expect(page.locator("#steps").get_by_text("1 h 0 min later")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 1280, 1024, 768, 390, 320])
def test_the_verdict_on_large_totals_is_in_sight(window: NewWindow, width: int) -> None:
    seen = window(width=width)
    page = page_of(seen, LARGE)
    expect(page.locator("#totals h2")).to_contain_text("✓ all 3 equal")
    verdicts = page.get_by_text("✓ equal", exact=True)
    expect(verdicts).to_have_count(3)
    assert [verdicts.nth(i).evaluate(CUT_OFF) for i in range(3)] == [False] * 3
    assert not page.evaluate(SCROLLS_SIDEWAYS)
    # An integer's sum has as many digits before as after.
    assert page.get_by_text("98,765,432,109,876", exact=True).count() == 2
    assert page.get_by_text("10,000,000,000,000.12", exact=True).count() == 2
    if width in WIDTHS:
        seen.photograph(f"large-totals-light-{width}")


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("page", f"/plugin/loads/factload/{path_of(back(LARGE), FEED)}"),
        ("tab", f"/dags/{DAG_ID}/runs/{run_of(str(back(LARGE)))}/plugin/load-of-run"),
    ],
)
def test_in_airflow_s_own_page_and_in_the_tab_of_a_run_the_verdict_is_in_sight(
    window: NewWindow, place: str, address: str
) -> None:
    seen = window()
    page = seen.open(address)
    frame = page.frame_locator("iframe")
    verdicts = frame.get_by_text("✓ equal", exact=True)
    expect(verdicts).to_have_count(3)
    assert [verdicts.nth(i).evaluate(CUT_OFF) for i in range(3)] == [False] * 3
    frame.locator("#totals").scroll_into_view_if_needed()
    seen.photograph(f"airflow-{place}-large-totals-light-1280")
    seen.complaints.clear()  # Airflow's own page may have some


def test_a_day_that_waits_says_for_what_and_until_when(window: NewWindow) -> None:
    page = page_of(window(), WAITING)
    expect(badge(page)).to_have_text(re.compile("waiting"))
    told = page.get_by_text("Its run waits for the workbook")
    expect(told).to_contain_text(f"inbox/visits_{back(WAITING)}.xlsx until")
    expect(told).to_contain_text("08:00:00 UTC")


def test_a_run_that_failed_before_its_load_says_why_and_where_its_log_is(window: NewWindow) -> None:
    page = page_of(window(), ENDED)
    expect(badge(page)).to_have_text(re.compile("failed"))
    expect(page.get_by_text(ERROR)).to_be_visible()
    expect(page.get_by_role("link", name="the log of its task open_load")).to_have_attribute(
        "href", re.compile(f"/dags/{DAG_ID}/runs/.*/tasks/open_load$")
    )
    # One day is not sent through the form for many.
    expect(page.get_by_text("press Trigger, and fill in the period")).to_be_visible()
    expect(page.get_by_text("Backfill and Missing")).to_have_count(0)


def test_a_day_to_come_offers_nothing(window: NewWindow) -> None:
    page = window().loads(path_of(TODAY + timedelta(days=9), FEED))
    expect(page.get_by_text("This day is still to come.")).to_be_visible()
    expect(page.get_by_text("press Trigger")).to_have_count(0)


def test_a_decision_to_leave_it_held_is_told(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, DECLINED)
    steps = page.get_by_role("region", name="What to do next")
    expect(steps).to_contain_text(
        f"maria decided to leave {load_id(back(DECLINED))} held: ask the owner first"
    )
    expect(steps.get_by_role("link", name="its task release")).to_be_visible()
    photographed(seen, "declined")


def test_each_reject_names_its_workbook_where_the_load_has_several(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, SEVERAL)
    rows = page.get_by_role("region", name="Rejected rows").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("north.xlsx")
    page.get_by_label("Search the rejects").fill("Ticket")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("south.xlsx")
    expect(rows.nth(1)).not_to_contain_text("(nothing)")
    expect(page.locator("#totals")).to_contain_text("2 workbooks: north.xlsx, south.xlsx")


def test_each_reject_has_the_address_that_excel_knows(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, SEVERAL)
    rows = page.get_by_role("region", name="Rejected rows").get_by_role("row")
    expect(rows.nth(1).get_by_role("cell").filter(has_text="Visits!")).to_have_text("Visits!C2")
    with page.expect_response(re.compile("rejects\\?search=Ticket")) as answered:
        page.get_by_label("Search the rejects").fill("Ticket")
    [row] = answered.value.json()["rows"]
    assert (row["cell"], row["address"]) == (None, "Visits!71:71")
    expect(rows.nth(1)).to_contain_text("Visits!71:71")
    for look in seen.looks():
        seen.photograph(f"rejects-{look}")


def test_on_a_phone_a_reject_says_first_what_is_wrong(window: NewWindow) -> None:
    seen = window(width=390)
    page = page_of(seen, SEVERAL)
    first = page.get_by_role("region", name="Rejected rows").get_by_role("row").nth(1)
    for words in ("n/a", "not_a_number", "C2"):
        cell = first.get_by_text(words, exact=True)
        expect(cell).to_be_visible()
        assert cell.evaluate(CUT_OFF) is False
    assert (first.bounding_box() or {"height": 0})["height"] < 220
    seen.photograph("rejects-light-390")


def test_what_is_chosen_stands_in_the_address(window: NewWindow) -> None:
    seen = window()
    page = page_of(seen, SEVERAL)
    page.get_by_role("button", name=re.compile("^not_a_number")).click()
    page.get_by_role("button", name="Next →").click()
    expect(page.get_by_text("Page 2")).to_be_visible()
    page.get_by_label("Search the rejects").fill("n/a")
    expect(page).to_have_url(re.compile("reason=not_a_number&search=n%2Fa$"))
    page.get_by_role("button", name="Next →").click()
    expect(page.get_by_text("Page 2")).to_be_visible()

    other = window().loads(page.url.partition("/factload/")[2])
    expect(other.get_by_role("button", name=re.compile("^not_a_number"))).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(other.get_by_label("Search the rejects")).to_have_value("n/a")
    expect(other.get_by_text("Page 2")).to_be_visible()
    other.get_by_role("button", name="← Previous").click()
    expect(other.get_by_text("Page 1")).to_be_visible()


def test_the_calendar_s_choice_survives_the_way_to_a_load_and_back(window: NewWindow) -> None:
    page = window().loads(OLD)
    page.get_by_role("button", name=re.compile(r"\d+ released")).click()
    page.get_by_role("link", name=re.compile(f"{FEED}, .*: released")).click()
    expect(badge(page)).to_have_text(re.compile("released"))
    page.go_back()
    expect(page.get_by_role("button", name=re.compile(r"\d+ released"))).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_role("row", name="sales")).to_be_hidden()


def test_the_address_of_airflow_around_it_has_the_choice_too(window: NewWindow) -> None:
    seen = window()
    page = seen.open(f"/plugin/loads/factload/{OLD}")
    page.frame_locator("iframe").get_by_role("button", name=re.compile(r"\d+ released")).click()
    page.wait_for_url("**/plugin/loads/factload/**state=released*")
    page.reload()
    expect(
        page.frame_locator("iframe").get_by_role("button", name=re.compile(r"\d+ released"))
    ).to_have_attribute("aria-pressed", "true")
    seen.complaints.clear()  # Airflow's own page may have some


def test_the_numbers_are_the_same_at_every_width(window: NewWindow) -> None:
    told = set()
    for width in (1440, 1280, 600, 390, 320):
        page = window(width=width).loads(OLD)  # days on which nothing happens meanwhile
        expect(page.locator("thead tr").last.locator("th").nth(31)).to_have_count(1)
        told.add(page.locator("#summary").inner_text().replace("\n", " "))
        assert not page.evaluate(SCROLLS_SIDEWAYS)
    assert len(told) == 1
    assert "in 31 days" in told.pop()


def test_on_a_phone_the_newest_day_and_the_names_are_in_sight(window: NewWindow) -> None:
    page = window(width=390).loads()
    newest = page.get_by_role("link", name=f"sales, {spelled(0)}", exact=False).first
    name = page.get_by_role("link", name="sales", exact=True)
    for mark in (newest, name):
        box = mark.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize("places", [(0.25, 0), (0.5, 0), (0.75, 0)])
def test_a_click_in_the_trend_opens_the_load_that_is_nearest(
    window: NewWindow, places: tuple[float, int]
) -> None:
    share, _ = places
    page = window().loads("dags/load_sales")
    points = page.locator("figure").first.locator("a.point")
    number = points.count()
    wanted = points.nth(int(number * share))
    box = wanted.locator(".dot").bounding_box()
    assert box
    told = wanted.get_attribute("href")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(f"**/factload/{told}")


def test_every_dot_of_the_trend_is_hit_by_its_own_link(window: NewWindow) -> None:
    page = window().loads("dags/load_sales")
    page.locator("#trend").scroll_into_view_if_needed()
    missed = page.locator("a.point").evaluate_all(
        """all => all.filter(link => {
            const dot = link.querySelector('.dot').getBoundingClientRect();
            const hit = document.elementFromPoint(dot.x + dot.width / 2, dot.y + dot.height / 2);
            return hit?.closest('a') !== link;
        }).length"""
    )
    assert missed == 0


def test_on_paper_a_failed_day_is_not_the_palest(window: NewWindow) -> None:
    page = window(theme="dark").loads(OLD)
    page.emulate_media(media="print")
    failed = page.get_by_role("link", name=re.compile("failed")).first
    style = failed.evaluate(
        "mark => [getComputedStyle(mark).printColorAdjust, getComputedStyle(document.documentElement)"
        ".getPropertyValue('--fg').trim(), getComputedStyle(mark).backgroundColor]"
    )
    assert style[:2] == ["exact", "#111"]
    assert style[2] == "rgb(187, 0, 0)"
    expect(page.get_by_role("button", name=re.compile("Backfill")).first).to_be_hidden()


def test_a_browser_that_is_refused_gets_a_page_with_a_way_on(window: NewWindow, plant: object) -> None:
    seen = window("reader", alone=True)
    page = seen.open("/factload/dags/load_returns")
    expect(page.get_by_role("heading", name="This is not yours to see")).to_be_visible()
    page = seen.open("/factload/dags/load_sales/loads/2026-02-30")
    expect(page.get_by_role("heading", name="This address can't be right")).to_be_visible()
    page.get_by_role("link", name="See all loads").click()
    expect(page.get_by_role("heading", name="Loads", exact=True)).to_be_visible()
    page.context.clear_cookies()
    page = seen.open(f"/factload/{path_of(back(1))}")
    expect(page.get_by_role("link", name="Log in")).to_have_attribute(
        "href", re.compile(r"/auth/login.*next=%2Ffactload")
    )
    seen.complaints.clear()  # the browser notes refusals by itself


def test_a_page_that_can_t_be_brought_up_to_date_keeps_what_it_shows(window: NewWindow) -> None:
    seen = window()
    page = seen.loads(path_of(back(PLAIN), FEED))
    expect(badge(page)).to_have_text(re.compile("published"))
    page.route("**/api/dags/**", lambda route: route.abort())
    told = page.get_by_text("What you see is not up to date since")
    expect(told).to_be_visible(timeout=40_000)
    expect(badge(page)).to_have_text(re.compile("published"))
    page.unroute("**/api/dags/**")
    page.get_by_role("button", name="Try again").first.click()
    expect(told).to_be_hidden()
    seen.complaints.clear()  # the browser notes a request that was cut off


def test_moments_are_in_the_zone_that_is_chosen_in_airflow(window: NewWindow) -> None:
    page = window().open("/factload/")
    page.evaluate("localStorage.setItem('timezone', JSON.stringify('America/Los_Angeles'))")
    page.goto(page.url + path_of(back(PLAIN), FEED))
    attempts = page.get_by_role("region", name="Attempts, newest first")
    expect(attempts).to_contain_text("America/Los_Angeles")
    expect(attempts).to_contain_text(re.compile(r"(18|19):00:00"))


def test_a_ledger_that_is_locked_is_told_once_and_seen_again_afterwards(
    window: NewWindow, plant: Plant
) -> None:
    engine = engine_for(plant.warehouse)
    seen = window()
    with engine.connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE factload.loads IN ACCESS EXCLUSIVE MODE"))
        page = seen.loads()
        one_warehouse = len(FEEDS) - 2  # two feeds have none that answers
        told = page.get_by_text(f"The warehouse takes too long: {one_warehouse} feeds.")
        expect(told).to_have_count(1)
        expect(page.get_by_text("Another session may hold a lock on the ledger")).to_have_count(1)
        expect(page.get_by_text("Choose a reason")).to_have_count(0)
        expect(page.get_by_role("row", name="sales")).to_contain_text("not known: see above")
        expect(page.get_by_role("button", name=f"{len(FEEDS)} not known")).to_be_visible()
        seen.photograph("locked-light-1280")
    expect(page.get_by_role("link", name=f"sales, {spelled(1)}: published", exact=False)).to_be_visible(
        timeout=60_000
    )
    expect(told).to_have_count(0)


def test_rejects_that_could_not_be_read_are_asked_for_again(window: NewWindow, plant: Plant) -> None:
    seen = window()
    page = page_of(seen, SEVERAL)
    rows = page.get_by_role("region", name="Rejected rows").get_by_role("row")
    expect(rows).to_have_count(21)
    with engine_for(plant.warehouse).connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE factload.rejects IN ACCESS EXCLUSIVE MODE"))
        page.get_by_label("Search the rejects").fill("Ticket")
        card = page.locator("#rejects")
        expect(card.get_by_role("alert")).to_contain_text("Choose a reason, or search for less")
        expect(page.get_by_label("Search the rejects")).to_be_visible()
    card.get_by_role("button", name="Try again").click()
    expect(rows).to_have_count(2)
    seen.complaints.clear()  # the browser notes an answer of 503 by itself


def test_who_may_not_start_runs_is_told_so(window: NewWindow) -> None:
    told = "You may not start runs of load_sales in Airflow"
    failed, missing = path_of(back(15)), path_of(back(5))
    for path in (failed, missing):
        expect(window("reader").loads(path).get_by_text(told)).to_be_visible()
        page = window("admin").loads(path)
        expect(page.get_by_text(f"factload run sales --period {path[-10:]}")).to_be_visible()
        expect(page.get_by_text(told)).to_have_count(0)
