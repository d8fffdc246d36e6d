"""The Loads page with 10,000 loads and a million rejects, in Chromium against a running Airflow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks.contestants import PROJECT
from benchmarks.costs.engine import demo_feed, write_feed
from benchmarks.costs.figure import Line, Measured, NotHere, Runs, Setting, WrongResult
from factload.ledger.migrations import install
from factload_demo import airflow_site, postgres
from factload_demo.airflow_place import Place
from factload_demo.airflow_site import Site
from factload_demo.setup import connection_uri

FEEDS = 240
DAYS = 42
REJECTS = 1_000_000
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_FIRST = "area_000"
# The newest day on which the feeds' schedule, two o'clock, has been due.
_TODAY = (datetime.now(UTC) - timedelta(hours=2)).date()
_GOAL_PAINT = 1.0
_GOAL_PAGE = 0.3

_LOADS = """
INSERT INTO factload.loads (load_id, feed, period, target, epoch, published_epoch)
SELECT feed || '@' || period, feed, period, 'fact_sales', 1, 1
  FROM (SELECT 'area_' || lpad(n::text, 3, '0') AS feed FROM generate_series(0, :feeds - 1) n) feeds,
       (SELECT CAST(:today AS date) - d AS period FROM generate_series(0, :days - 1) d) days
"""
_ATTEMPTS = """
INSERT INTO factload.attempts (load_id, epoch, state, content, workbook, workbook_sha256, workbook_bytes,
                               source_rows, rejected_rows, staged_rows, published_rows, opened_at, ended_at)
SELECT load_id, 1, 'published', 'c', 'inbox/w.xlsx', repeat('0', 64), 8000000,
       400000, 400, 399600, 399600, period + time '02:00', period + time '02:00:14'
  FROM factload.loads
"""
_REJECTS = """
INSERT INTO factload.rejects (load_id, content, partition_id, workbook, sheet, row, cell, "column", raw, reason)
SELECT :load_id, 'c', 'p' || n / 100000, 'w.xlsx', 'Facts', n, 'B' || n, 'metric', 'n/a ' || n, 'not_a_number'
  FROM generate_series(2, :rejects + 1) n
"""
# When the first rows of the calendar are on the screen, and when all are: seconds since the page was asked for.
_WATCH = """
const now = (name) => requestAnimationFrame(() => setTimeout(() => { window[name] = performance.now() / 1000; }));
const look = setInterval(() => {
  const days = document.querySelectorAll("a.day").length;
  if (days && !window.begun) { window.begun = true; now("drawn"); }
  const table = document.querySelectorAll(".matrix tbody").length;
  if (table === FEEDS) { clearInterval(look); now("whole"); }
}, 5);
"""
_TURN = """() => new Promise((done) => {
  const began = performance.now();
  new MutationObserver((_, all) => {
    all.disconnect();
    requestAnimationFrame(() => setTimeout(() => done((performance.now() - began) / 1000)));
  }).observe(document.querySelector(".reject-rows"), { childList: true });
  [...document.querySelectorAll("#rejects nav button")].at(-1).click();
})"""


def measure(setting: Setting) -> Measured:
    """From the page asked for to what is on the screen; a page of rejects from the click to the screen."""
    runs = Runs("loads_page")
    rejects = 100_000 if setting.quick else REJECTS
    with _site(setting.folder / "loads page", rejects) as site, _browser(site) as page:
        _calendar(page, site)  # imports, compiles, and connects
        for _ in setting.rounds():
            runs.add(**_calendar(page, site), **_rejects(page, site), answer=_last_page(page, site, rejects))
    loads = FEEDS * DAYS
    return Measured(
        [
            Line(f"first paint of the calendar at {loads:,} loads", runs.median("paint"), "s", _GOAL_PAINT),
            Line("- its first rows are on the screen", runs.median("drawn"), "s", _GOAL_PAINT),
            Line("- all rows are", runs.median("whole"), "s"),
            Line(
                f"the next page of {rejects:,} rejects is on the screen", runs.most("turn"), "s", _GOAL_PAGE
            ),
            Line("- the last page, asked of the server", runs.most("answer"), "s", _GOAL_PAGE),
        ],
        runs.taken,
    )


def _calendar(page: Page, site: Site) -> dict[str, float]:
    page.goto(f"{site.url}/factload/")
    page.locator(".matrix tbody").nth(FEEDS - 1).wait_for()
    page.wait_for_timeout(300)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
    return {"paint": paint, "drawn": page.evaluate("drawn"), "whole": page.evaluate("whole")}


def _rejects(page: Page, site: Site) -> dict[str, float]:
    page.goto(f"{site.url}/factload/dags/load_{_FIRST}/loads/{_TODAY}")
    page.get_by_role("button", name="Next →").wait_for()
    return {"turn": max(page.evaluate(_TURN) for _ in range(5))}


def _last_page(page: Page, site: Site, rejects: int) -> float:
    [cookie] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "_token"]
    session = requests.Session()
    session.trust_env = False
    answer = session.get(
        f"{site.url}/factload/api/dags/load_{_FIRST}/loads/{_TODAY}/rejects",
        params={"workbook": "w.xlsx", "sheet": "Facts", "row": str(rejects - 18)},
        cookies={"_token": cookie},
        timeout=60,
    )
    if answer.status_code != requests.codes.ok or len(answer.json()["rows"]) != 19:
        raise WrongResult(f"the last page of the rejects: {answer.status_code} {answer.text[:500]}")
    return answer.elapsed.total_seconds()


@contextmanager
def _browser(site: Site) -> Iterator[Page]:
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        raise NotHere("there is no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        login = {"username": site.user, "password": site.password}
        session = requests.Session()
        session.trust_env = False
        token = session.post(f"{site.url}/auth/token", json=login, timeout=60).json()["access_token"]
        context.add_cookies([{"name": "_token", "value": token, "url": site.url}])
        context.add_init_script(_WATCH.replace("FEEDS", str(FEEDS)))
        yield context.new_page()
        browser.close()


@contextmanager
def _site(folder: Path, rejects: int) -> Iterator[Site]:
    shutil.rmtree(folder, ignore_errors=True)
    feed = demo_feed()
    for number in range(FEEDS):
        write_feed(folder, f"area_{number:03}", feed)
    with postgres.throwaway() as server:
        warehouse = server.create_database("loads_page")
        _write_ledger(warehouse, rejects)
        variables: dict[str, Any] = {
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW_CONN_WAREHOUSE": connection_uri(warehouse),
            "FACTLOAD_HOME": str(folder),
            "FACTLOAD_FEEDS": str(folder / "feeds" / "costs"),
        }
        metadata = server.create_database("loads_page_airflow")
        place = Place(PROJECT, folder / "airflow", metadata, variables, port=0)
        with airflow_site.running(place) as site:
            yield site


def _write_ledger(url: str, rejects: int) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        install(connection)
        connection.execute(text(_LOADS), {"feeds": FEEDS, "days": DAYS, "today": _TODAY})
        connection.execute(text(_ATTEMPTS))
        connection.execute(text(_REJECTS), {"load_id": f"{_FIRST}@{_TODAY}", "rejects": rejects})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
