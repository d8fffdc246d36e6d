"""A page in all its looks, light and dark, wide and narrow: what is kept of them, and what is asked of each."""

from __future__ import annotations

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.ui.window import Window

SCROLLS_SIDEWAYS = "document.documentElement.scrollWidth > window.innerWidth"


def violations(page: Page) -> list[str]:
    """What axe-core finds, each with the element it finds it at."""
    found = Axe().run(page)
    return [
        f"{each['id']}: {json.dumps([node['target'] for node in each['nodes']])}"
        for each in found.response["violations"]
    ]


def photographed(seen: Window, name: str) -> None:
    """In all its looks, none of which may scroll sideways."""
    for look in seen.looks():
        seen.photograph(f"{name}-{look}")
        assert not seen.page.evaluate(SCROLLS_SIDEWAYS), look


def flawless(seen: Window, name: str) -> None:
    """The same, and assistive technology finds nothing lacking in any."""
    found = {}
    for look in seen.looks():
        seen.photograph(f"{name}-{look}")
        found[look] = violations(seen.page)
        assert not seen.page.evaluate(SCROLLS_SIDEWAYS), look
    assert found == {look: [] for look in found}
