"""One Airflow for all tests of the Loads page, and a Chromium that is already on the machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, StorageState, sync_playwright

from factload_demo.postgres import Server
from tests.ui import past
from tests.ui.plant import ROWS_PER_PARTITION, Plant, running
from tests.ui.states import write_states
from tests.ui.window import PAST, TODAY, WEEK, Window

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "runs_last: sees the end of what an earlier test began")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("runs_last") is not None)


@pytest.fixture(scope="session")
def plant(
    postgres: Server, airflow_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plant]:
    with running(postgres, airflow_database, tmp_path_factory.mktemp("loads page"), "loads_page") as plant:
        past.write_past(plant.warehouse, "sales", TODAY, 70, PAST)
        past.write_past(plant.warehouse, "returns", TODAY, 25, {3: "failed", 8: None, 9: None}, seed=2)
        past.write_past(plant.warehouse, "stock", TODAY, 20, dict.fromkeys(WEEK), seed=3)
        plant.workbook(str(TODAY), ROWS_PER_PARTITION, ["n/a"] * 12, feed="claims")
        write_states(plant)
        plant.trigger("load_claims", str(TODAY))  # will be held, and wait for a person while other tests run
        yield plant


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        # The sandbox needs rights that a container's root often lacks; the pages are our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def logins(plant: Plant, browser: Browser) -> Callable[[str], StorageState]:
    """A user's cookies, after a login through Airflow's form."""
    known: dict[str, StorageState] = {}

    def login(user: str) -> StorageState:
        if user not in known:
            context = browser.new_context()
            page = context.new_page()
            page.goto(f"{plant.site.url}/auth/login/?next={plant.site.url}/")
            page.fill("input[name=username]", user)
            page.fill("input[name=password]", plant.passwords[user])
            page.click("input[type=submit], button[type=submit]")
            page.wait_for_url(lambda url: "/login" not in url)
            known[user] = context.storage_state()
            context.close()
        return known[user]

    return login


@pytest.fixture(scope="session")
def shared(browser: Browser, logins: Callable[[str], StorageState]) -> Callable[[str], BrowserContext]:
    """What a user's windows share: the login, and files that never change, which are fetched and compiled once."""
    known: dict[str, BrowserContext] = {}

    def of(user: str) -> BrowserContext:
        if user not in known:
            known[user] = browser.new_context(storage_state=logins(user), accept_downloads=True)
        return known[user]

    return of


@pytest.fixture
def window(
    plant: Plant,
    browser: Browser,
    logins: Callable[[str], StorageState],
    shared: Callable[[str], BrowserContext],
) -> Iterator[Callable[..., Window]]:
    """Opens windows: `window(user, theme, width)`. No window may have complained when the test ends.

    `alone`: clock, login and files are the window's own.
    """
    opened: list[Window] = []
    own: list[BrowserContext] = []

    def new(user: str = "admin", theme: str = "light", width: int = 1280, *, alone: bool = False) -> Window:
        if alone:
            own.append(browser.new_context(storage_state=logins(user), accept_downloads=True))
        page = (own[-1] if alone else shared(user)).new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.add_init_script(f"window.localStorage.setItem('theme', '{theme}')")
        page.set_default_timeout(60_000)
        made = Window(page, plant.site.url)
        page.on("console", lambda said: made.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        opened.append(made)
        return made

    yield new
    complaints = [complaint for made in opened for complaint in made.complaints]
    for made in opened:
        made.close()
    for context in own:
        context.close()
    assert complaints == []
