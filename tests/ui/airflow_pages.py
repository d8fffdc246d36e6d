"""Airflow's own pages, as a person uses them: its trigger form, its backfill form, its question about a held load."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.ui.window import Window

# Airflow's own words for what a backfill does with days that have a run already.
MISSING_AND_FAILED = "Missing and Errored Runs"


@dataclass(frozen=True)
class TriggerForm:
    """The dialog behind the button Trigger of a DAG's page."""

    page: Page
    dialog: Locator

    @classmethod
    def of(cls, window: Window, dag_id: str) -> TriggerForm:
        """Open the DAG's page, and the form from there."""
        return cls.on(window.open(f"/dags/{dag_id}"))

    @classmethod
    def on(cls, page: Page) -> TriggerForm:
        """Open the form on a DAG's page that is there."""
        page.get_by_role("button", name="Trigger").first.click()
        form = cls(page, page.get_by_role("dialog").first)
        expect(form.dialog.get_by_text("Run Parameters")).to_be_visible()
        return form

    def field(self, name: str) -> Locator:
        """The input of a parameter; Airflow's labels don't name it."""
        return self.dialog.locator(f"#element_{name}")

    def titled(self, title: str) -> Locator:
        """The title of a parameter; one that may not be empty has a star."""
        return self.dialog.get_by_text(re.compile(rf"^{re.escape(title)}\s*\*?$"))

    def choose(self, title: str, option: str) -> None:
        """One of a list."""
        self.dialog.get_by_role("combobox", name=title).click()
        self.page.get_by_role("option", name=option).click()

    def unfold(self, section: str) -> None:
        """Show the parameters of a section of their own."""
        self.dialog.get_by_role("button", name=section).click()

    def write_json(self, name: str, value: str) -> None:
        """The parameters as text, below the advanced options: this one alone, with whatever value."""
        self.dialog.get_by_role("button", name="Advanced Options").click()
        lines = self.dialog.locator(".view-lines")
        expect(lines).to_contain_text(name)
        self.dialog.get_by_role("textbox", name="Editor content").focus()
        self.page.keyboard.press("ControlOrMeta+A")
        # At once: what is typed letter by letter meets the page's own answer to the letters before. The editor
        # closes quote and brace by itself.
        self.page.keyboard.insert_text(f'{{"{name}": "{value}')
        expect(lines).to_have_text(re.compile(rf'^{{"{name}":\s"{value}"}}$'))

    def press(self) -> Any:
        """Press Trigger; returns Airflow's answer."""
        with self.page.expect_response(
            lambda answer: answer.request.method == "POST" and answer.url.endswith("/dagRuns")
        ) as answered:
            self.dialog.get_by_role("button", name="Trigger", exact=True).click()
        return answered.value


@dataclass(frozen=True)
class BackfillForm:
    """The same dialog, with Backfill chosen."""

    page: Page
    dialog: Locator

    @classmethod
    def on(cls, page: Page) -> BackfillForm:
        """Open the form on a DAG's page that is there."""
        form = TriggerForm.on(page)
        form.dialog.get_by_text("Run this Dag for a range of dates").click()
        expect(form.dialog.get_by_text("Date Range")).to_be_visible()
        return cls(page, form.dialog)

    def moment(self, label: str, when: datetime) -> None:
        """Fill in From or To."""
        self.dialog.get_by_role("group").filter(has_text=label).locator("p").first.click()
        self.page.get_by_placeholder("YYYY/MM/DD").fill(f"{when:%Y/%m/%d}")
        self.page.get_by_placeholder("HH:mm").fill(f"{when:%H:%M}")
        self.page.keyboard.press("Escape")
        expect(self.page.get_by_placeholder("HH:mm")).to_be_hidden()

    def choose(self, behavior: str) -> None:
        """What becomes of days that have a run already."""
        self.dialog.get_by_text(behavior, exact=True).click()

    def at_once(self, runs: int) -> None:
        """How many runs work side by side."""
        self.dialog.locator("input[name=max_active_runs]").fill(str(runs))

    def press(self) -> None:
        """Press Run Backfill, and wait until Airflow has taken it."""
        with self.page.expect_response(
            lambda answer: answer.request.method == "POST" and answer.url.endswith("/backfills")
        ) as answered:
            self.dialog.get_by_role("button", name="Run Backfill").click()
        assert answered.value.ok, answered.value.text()


def parameters_shown(form: TriggerForm, details: dict[str, Any]) -> dict[str, bool]:
    """For each parameter that the DAG has: whether its title and its description are on the form."""
    return {
        name: form.titled(param["schema"]["title"]).is_visible()
        and form.dialog.get_by_text(param["description"], exact=True).is_visible()
        for name, param in details["params"].items()
    }


def conf_sent(answer: Any) -> dict[str, Any]:
    """The parameters that a press on Trigger sent."""
    return dict(json.loads(answer.request.post_data)["conf"])
