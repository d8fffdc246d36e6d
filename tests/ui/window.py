"""A browser's window on the page, and the days that the tests speak of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from playwright.sync_api import Page

from demo.setup import PROJECT

SCREENSHOTS = PROJECT / ".demo/screenshots"
TODAY = datetime.now(UTC).date()
# Days back from today: the gap, and what went wrong in the past of `sales`.
PAST: dict[int, str | None] = {0: None, 4: None, 5: None, 6: None, 9: "held", 15: "failed", 22: "refused"}


@dataclass
class Window:
    """A logged-in page of the browser, and what its console complained of."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a path below Airflow's address."""
        self.page.goto(self.url + path)
        return self.page

    def loads(self, path: str = "") -> Page:
        """Go to a page of the plugin, by itself, and wait until it shows what it has."""
        self.open(f"/factload/{path}")
        self.page.locator("main:not([aria-busy])").wait_for()
        self.page.wait_for_load_state("networkidle")
        return self.page

    def photograph(self, name: str) -> None:
        """Keep a picture of the whole page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def back(days: int) -> date:
    """So many days before today."""
    return TODAY - timedelta(days=days)


def path_of(period: date, feed: str = "sales") -> str:
    """The page of a load."""
    return f"dags/load_{feed}/loads/{period}"
