"""A person loads a workbook from the page alone: sent, checked, held, marked, corrected, sent again, published."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest
import requests
from playwright.sync_api import Page, expect

from tests.ui.looks import flawless
from tests.ui.plant import Plant
from tests.ui.window import TODAY, Window, back, path_of

DEFECTS = {
    "A3": "unmatched_key",
    "B5": "not_a_number",
    "A7": "blank_key",
    "B8": "blank_value",
    "B9": "not_a_number",
}
PLACE = f"inbox/refunds_{TODAY}.xlsx"
REASON = "the sender corrects it"
RELEASED = "two credits are late, agreed with the owner"

expect.set_options(timeout=60_000)
pytestmark = pytest.mark.timeout(540)


def sent(folder: Path) -> Path:
    book = openpyxl.Workbook()
    sheet: Any = book.worksheets[0]
    sheet.title = "Facts"
    for row in [
        ["business_key", "metric", "twice"],
        *(["P0000001", n, f"=B{n + 1}*2"] for n in range(1, 12)),
    ]:
        sheet.append(row)
    sheet["A3"], sheet["B5"], sheet["A7"], sheet["B8"], sheet["B9"] = "nobody", "n/a", None, None, "?"
    path = folder / "from the sender.xlsx"
    book.save(path)
    return path


def corrected(path: Path) -> Path:
    book = openpyxl.load_workbook(path)
    sheet: Any = book["Facts"]
    marked = {c.coordinate: c.comment.text for row in sheet.iter_rows() for c in row if c.fill.fill_type}
    assert {cell: words.rpartition("(")[2].rstrip(")") for cell, words in marked.items()} == DEFECTS
    assert sheet["C5"].value == "=B5*2"
    for cell in DEFECTS:
        sheet[cell] = "P0000002" if cell[0] == "A" else 7
    book.save(path)
    return path


def choose(page: Page, path: Path) -> None:
    page.get_by_label("A workbook to put there").set_input_files(path)
    page.get_by_role("button", name="Upload").click()


def downloaded(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the workbook, marked").last.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def done_by_admin(plant: Plant, dag_id: str) -> dict[str, int]:
    """What Airflow's audit log has of the person, and how often."""
    logged = plant.api.call("GET", f"/api/v2/eventLogs?dag_id={dag_id}&limit=100")["event_logs"]
    events = ("factload_upload", "trigger_dag_run", "update_hitl_detail")
    return dict(Counter(e["event"] for e in logged if e["owner"] == "admin" and e["event"] in events))


def test_a_workbook_with_defects_is_corrected_and_published_from_the_page_alone(
    plant: Plant, window: Callable[..., Window], tmp_path: Path
) -> None:
    seen = window()
    page = seen.loads(path_of(TODAY, "refunds"))
    choose(page, sent(tmp_path))
    expect(page.get_by_text(f"Uploaded: {PLACE}")).to_be_visible()
    assert (plant.home / PLACE).is_file()

    # The check: a dry run, its defects on the page.
    page.get_by_role("button", name="Check it").click()
    cells = page.get_by_role("table", name="The first rejected cells of each reason")
    expect(cells.locator("tbody tr")).to_have_count(len(DEFECTS), timeout=90_000)
    for cell, reason in DEFECTS.items():
        expect(cells.get_by_role("row", name=f"Facts!{cell}")).to_contain_text(reason)
    flawless(seen, "upload-checked")
    assert openpyxl.load_workbook(downloaded(page, tmp_path))["Facts"]["B5"].comment is not None

    # Loaded all the same, it is held, and asks; it is left held for a reason.
    page.get_by_role("button", name="Load it").click()
    expect(page.locator(".head .badge")).to_contain_text("held", timeout=90_000)
    expect(page.get_by_role("button", name="Leave it held")).to_be_visible()
    expect(page.locator("#difference")).to_contain_text("6 added, 0 removed, 0 changed")
    [run_id] = re.findall(r"runs/([^/?]+)/tasks", str(page.get_by_role("link", name="Decide in Airflow").get_attribute("href")))  # fmt: skip
    plant.wait_for_question("load_refunds", unquote(run_id))
    page.get_by_role("button", name="Leave it held").click()
    expect(page.get_by_text("Say why")).to_be_visible()
    page.get_by_label("Why the decision is right").fill(REASON)
    flawless(seen, "upload-decide")
    page.get_by_role("button", name="Leave it held").click()
    expect(page.get_by_text(f"admin decided to leave refunds@{TODAY} held: {REASON}")).to_be_visible(
        timeout=90_000
    )

    # Its own workbook comes back marked, and takes its place again, once that is said.
    choose(page, corrected(downloaded(page, tmp_path)))
    expect(page.get_by_text("Shall yours take its place?")).to_be_visible()
    flawless(seen, "upload-replace")
    page.get_by_role("button", name="Replace it").click()
    expect(page.get_by_text(f"Uploaded: {PLACE}")).to_be_visible()
    page.get_by_role("button", name="Load it").click()
    expect(page.locator(".head .badge")).to_contain_text("published", timeout=90_000)
    expect(page.get_by_text("11 = 0 blank + 0 rejected + 11 staged")).to_be_visible()

    # Airflow's audit log says who.
    done = done_by_admin(plant, "load_refunds")
    assert done == {"factload_upload": 2, "trigger_dag_run": 3, "update_hitl_detail": 1}


def test_a_held_load_is_released_and_its_corrected_rejects_replayed_from_the_page(
    plant: Plant, window: Callable[..., Window], tmp_path: Path
) -> None:
    # Staged to be compared, and left so.
    plant.workbook(str(TODAY), 5, feed="credits")
    assert plant.factload("diff", "credits", "--period", str(TODAY)) == 0
    seen = window()
    page = seen.loads(path_of(TODAY, "credits"))
    difference = page.locator("#difference")
    expect(page.locator(".head .badge")).to_have_text("▫ staged, not published")
    expect(difference).to_contain_text("5 added, 0 removed, 0 changed")
    expect(page.get_by_role("region", name="What to do next")).to_contain_text(
        f"factload run credits --period {TODAY}"
    )
    assert plant.factload("run", "credits", "--period", str(TODAY)) == 0

    # Held without a question: what would change is there to be seen, and a run publishes it for a reason.
    plant.workbook(str(TODAY), 4, ["n/a", "?"], feed="credits")
    assert plant.factload("run", "credits", "--period", str(TODAY)) == 3
    page = seen.loads(path_of(TODAY, "credits"))
    expect(difference).to_contain_text("0 added, 1 removed, 0 changed, 4 as they are")
    expect(
        difference.get_by_role("row", name="removed dimension_id P0000004 metric: 1.0000 → (nothing)")
    ).to_be_visible()
    expect(difference.get_by_role("row", name="rows after 4")).to_be_visible()
    page.get_by_label("Why the decision is right").fill(RELEASED)
    flawless(seen, "release")
    page.get_by_role("button", name="Publish as it is").click()
    expect(page.locator(".head .badge")).to_contain_text("released", timeout=90_000)
    expect(page.get_by_role("region", name="Release")).to_contain_text("Released by admin, ")
    expect(page.get_by_role("region", name="Release")).to_contain_text(RELEASED)

    # Its rejects come back corrected.
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as workbook").click()
    rejects = tmp_path / "rejects.xlsx"
    download.value.save_as(rejects)
    book = openpyxl.load_workbook(rejects)
    for number in (2, 3):
        book.worksheets[0].cell(number, 2).value = 7
    book.save(rejects)
    page.get_by_label("It is the workbook of rejects, corrected").check()
    choose(page, rejects)
    expect(page.get_by_text("6 = 0 blank + 0 rejected + 6 staged")).to_be_visible(timeout=90_000)
    expect(page.locator(".head .badge")).to_have_text("✓ published")
    assert done_by_admin(plant, "load_credits") == {"factload_upload": 1, "trigger_dag_run": 2}


def test_who_may_not_start_runs_has_no_buttons(plant: Plant, window: Callable[..., Window]) -> None:
    held = path_of(back(9))
    expect(window().loads(held).get_by_role("button", name="Publish as it is")).to_have_count(1)
    page = window("reader").loads(held)
    expect(page.get_by_text("You may not start runs")).to_be_visible()
    for name in ("Upload", "Check it", "Load it", "Publish as it is"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    session = requests.Session()
    session.trust_env = False
    refused = session.post(
        f"{plant.site.url}/api/v2/dags/load_sales/dagRuns",
        headers=plant.bearer("reader"),
        json={"logical_date": None, "conf": {"period": str(back(9)), "release": RELEASED}},
        timeout=60,
    )
    assert refused.status_code == 403
