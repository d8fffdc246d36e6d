"""A browser's window on the page, and the days that the tests speak of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from playwright.sync_api import Page

from factload_demo.setup import PROJECT

# Airflow's page keeps the theme as a class of its root, the Loads page as an attribute.
_WEAR = """theme => {
    const root = document.documentElement;
    root.classList.remove('light', 'dark');
    root.classList.add(theme);
    root.dataset.theme = theme;
}"""
_SETTLED = 400  # milliseconds, until a page has drawn itself anew for another width

SCREENSHOTS = PROJECT / ".demo/screenshots"
# The newest day on which the feeds' schedule, two o'clock, has been due.
TODAY = (datetime.now(UTC) - timedelta(hours=2)).date()
# Days back from today: the gap, and what went wrong in the past of `sales`.
PAST: dict[int, str | None] = {0: None, 4: None, 5: None, 6: None, 9: "held", 15: "failed", 22: "refused"}
WEEK = range(7, 0, -1)  # days back: what `stock` lacks
THEMES = ("light", "dark")
WIDTHS = (1280, 390)


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

    def close(self) -> None:
        """Leave nothing of what Airflow and the page keep in the browser to the next window."""
        if not self.page.is_closed():
            if self.page.url.startswith(self.url):
                self.page.evaluate("localStorage.clear()")
            self.page.close()

    def looks(self) -> Iterator[str]:
        """The page light and dark, wide and narrow, one after the other; each as the end of a picture's name."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.wait_for_timeout(_SETTLED)
            for theme in THEMES:
                self.page.evaluate(_WEAR, theme)
                yield f"{theme}-{width}"
        self.page.set_viewport_size({"width": WIDTHS[0], "height": 900})


def back(days: int) -> date:
    """So many days before today."""
    return TODAY - timedelta(days=days)


def spelled(days: int) -> str:
    """So many days before today, as the page says it."""
    when = back(days)
    return f"{when:%a}, {when.day} {when:%B} {when.year}"


def path_of(period: date, feed: str = "sales") -> str:
    """The page of a load."""
    return f"dags/load_{feed}/loads/{period}"
