"""Every route of the page: who is let in, who isn't, and that one alone changes something."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import text

from factload.postgres.database import engine_for
from factload_demo.airflow_place import environment_of
from tests.ui.plant import FEEDS, Plant, wait_for
from tests.ui.window import back

KIND = "application/octet-stream"
DAY = str(back(1))  # one with a load
LIST = """
import json
from factload.airflow.loads_page.app import app
print(json.dumps([[route.path, sorted(route.methods)] for route in app.routes]))
"""
ROUTES = {
    "/",
    "/api/calendar",
    "/api/dags/{dag_id}/months",
    "/api/dags/{dag_id}/trend",
    "/api/dags/{dag_id}/loads/{period}",
    "/api/dags/{dag_id}/loads/{period}/annotated.xlsx",
    "/api/dags/{dag_id}/loads/{period}/difference",
    "/api/dags/{dag_id}/loads/{period}/reasons",
    "/api/dags/{dag_id}/loads/{period}/rejects",
    "/api/dags/{dag_id}/loads/{period}/rejects.xlsx",
    "/api/dags/{dag_id}/loads/{period}/workbook",
    "/api/dags/{dag_id}/runs/{run_id}/annotated.xlsx",
    "/dags/{dag_id}",
    "/dags/{dag_id}/loads/{period}",
    "/dags/{dag_id}/runs/{run_id}",
    "/static/{name:path}",
}
OF_A_DAG = sorted(path for path in ROUTES if "{dag_id}" in path)
WORKBOOK = "/api/dags/{dag_id}/loads/{period}/workbook"  # the one that something is sent to
# What a reader of this load is answered, which is published and has no reject, and by a run that was no dry run.
WITHOUT = {
    "/api/dags/{dag_id}/loads/{period}/annotated.xlsx": "rejects_none",
    "/api/dags/{dag_id}/loads/{period}/difference": "nothing_staged",
    "/api/dags/{dag_id}/runs/{run_id}/annotated.xlsx": "no_report",
}


def ask(
    plant: Plant,
    path: str,
    user: str | None = None,
    method: str = "GET",
    dag_id: str = "load_sales",
    data: bytes | None = None,
    **headers: str,
) -> requests.Response:
    filled = path.replace(":path", "").format(dag_id=dag_id, period=DAY, run_id="test__1", name="loads.css")
    session = requests.Session()
    session.trust_env = False
    return session.request(
        method,
        f"{plant.site.url}/factload{filled}",
        headers=(plant.bearer(user) if user else {}) | {k.replace("_", "-"): v for k, v in headers.items()},
        data=data,
        params={"first": DAY, "last": DAY} if "calendar" in path else {},
        allow_redirects=False,
        timeout=60,
    )


def test_these_are_all_the_routes_and_all_but_one_of_them_only_read(plant: Plant) -> None:
    listed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LIST],
        env=environment_of(plant.place, 0),
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    routes = json.loads(listed.stdout.splitlines()[-1])
    assert {path for path, _ in routes} == ROUTES
    assert {
        (path, method) for path, methods in routes for method in methods if method not in ("GET", "HEAD")
    } == {(WORKBOOK, "PUT")}


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_nobody_is_let_in_without_a_login(plant: Plant, path: str) -> None:
    assert ask(plant, path).status_code == 401


@pytest.mark.parametrize("path", OF_A_DAG)
def test_a_user_without_the_dag_is_refused(plant: Plant, path: str) -> None:
    assert ask(plant, path, "stranger").status_code == 403
    assert ask(plant, path, "reader", dag_id="load_returns").status_code == 403


@pytest.mark.parametrize("path", sorted(ROUTES - {WORKBOOK}))
def test_a_user_with_the_dag_is_answered_and_the_answer_is_safe(plant: Plant, path: str) -> None:
    answer = ask(plant, path, "reader")
    assert answer.status_code == (409 if path in WITHOUT else 200)
    if path in WITHOUT:
        assert answer.json()["detail"]["code"] == WITHOUT[path]
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", sorted(ROUTES))
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_else_can_be_changed(plant: Plant, path: str, method: str) -> None:
    if (path, method) != (WORKBOOK, "PUT"):
        assert ask(plant, path, "admin", method).status_code == 405


def test_who_may_not_start_runs_may_not_put_a_workbook_anywhere(plant: Plant) -> None:
    for method in ("GET", "PUT"):
        assert ask(plant, WORKBOOK, "reader", method, data=b"x", content_type=KIND).status_code == 403
    assert not (plant.home / f"inbox/sales_{DAY}.xlsx").exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "multipart/form-data; boundary=x"}, 415),
        ({}, 409),  # let in, and no workbook
        ({"sec_fetch_site": "same-origin"}, 409),
    ],
)
def test_another_site_s_page_puts_nothing_anywhere(
    plant: Plant, headers: dict[str, str], status: int
) -> None:
    answer = ask(plant, WORKBOOK, "admin", "PUT", data=b"no workbook", **({"content_type": KIND} | headers))
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["detail"]["code"] == "workbook_not_a_workbook"
    assert not (plant.home / f"inbox/sales_{DAY}.xlsx").exists()


def test_the_calendar_has_only_the_feeds_that_the_user_may_see(plant: Plant) -> None:
    seen = {
        user: [feed["feed"] for feed in ask(plant, "/api/calendar", user).json()["feeds"]]
        for user in plant.passwords
    }
    assert seen == {"admin": sorted(FEEDS), "reader": ["sales"], "stranger": []}


def test_a_dag_that_loads_no_feed_has_no_loads(plant: Plant) -> None:
    answer = ask(plant, "/api/dags/{dag_id}/trend", "admin", dag_id="something_else")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "no_feed")


@pytest.mark.parametrize(
    "name", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", "vendor/../../app.py"]
)
def test_no_file_but_the_page_s_own_is_given(plant: Plant, name: str) -> None:
    address = f"{plant.site.url}/factload/static/{name}"
    answer = requests.Request("GET", address, headers=plant.bearer("admin")).prepare()
    answer.url = address  # as it stands, without the library's tidying up
    session = requests.Session()
    session.trust_env = False
    assert session.send(answer, timeout=60, allow_redirects=False).status_code in {307, 404}


@pytest.mark.parametrize(
    "path",
    [
        "dags/load_sales%00",
        "dags/load_sales/loads/0001-01-01",
        "dags/load_sales/loads/9999-12-31",
        "dags/load_sales/runs/a%00b",
        "api/dags/load_sales%00/trend",
        "api/dags/load_sales/trend?until=9999-12-31",
        "api/dags/load_sales/trend?until=2026-02-30",
        "api/dags/load_sales/loads/0001-01-01",
        "api/dags/load_sales/loads/9999-12-31/reasons",
        "api/dags/load_sales/loads/2026-11-05/rejects?search=%00",
        "api/dags/load_sales/loads/2026-11-05/rejects?reason=a%00",
        "api/dags/load_sales/loads/2026-11-05/rejects?workbook=%00&sheet=a&row=1",
        "api/dags/load_sales/loads/2026-11-05/rejects?workbook=a&sheet=%00&row=1",
        "api/dags/load_sales/loads/2026-11-05/rejects?workbook=a&sheet=a&row=9223372036854775808",
        "api/calendar?first=0001-01-01&last=0001-01-02",
        "api/calendar?first=9999-12-30&last=9999-12-31",
    ],
)
def test_what_no_database_can_be_asked_is_refused_by_name(plant: Plant, path: str) -> None:
    session = requests.Session()
    session.trust_env = False
    answer = session.get(
        f"{plant.site.url}/factload/{path}", headers=plant.bearer("admin"), timeout=60, allow_redirects=False
    )
    assert answer.status_code == 422
    assert "Content-Security-Policy" in answer.headers


def test_an_address_that_nothing_is_at_leads_nowhere_else(plant: Plant) -> None:
    session = requests.Session()
    session.trust_env = False
    answer = session.get(
        f"{plant.site.url}/factload/api/dags/load_sales/trend/",
        headers=plant.bearer("admin") | {"Host": "evil.example"},
        timeout=60,
        allow_redirects=False,
    )
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)


@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-05", "2026-11-04"), ("2020-01-01", "2026-01-01"), ("today", "2026-01-01")]
)
def test_a_senseless_range_is_refused(plant: Plant, first: str, last: str) -> None:
    session = requests.Session()
    session.trust_env = False
    answer = session.get(
        f"{plant.site.url}/factload/api/calendar",
        headers=plant.bearer("admin"),
        params={"first": first, "last": last},
        timeout=60,
    )
    assert answer.status_code == 422


def test_many_downloads_of_one_user_keep_nobody_from_the_page(plant: Plant) -> None:
    download = "/api/dags/{dag_id}/loads/{period}/rejects.xlsx"
    with ThreadPoolExecutor(6) as users, engine_for(plant.warehouse).connect() as connection:
        with connection.begin():
            connection.execute(text("LOCK TABLE factload.rejects IN ACCESS EXCLUSIVE MODE"))
            asked = [users.submit(ask, plant, download, "reader") for _ in range(6)]
            wait_for(lambda: sum(each.done() for each in asked) == 4, "four to be sent away", seconds=30)
            assert {each.result().status_code for each in asked if each.done()} == {503}
            refused = next(each.result() for each in asked if each.done())
            assert (
                refused.json()["detail"]["message"]
                == "Other workbooks are being written. Try again in a minute."
            )
            assert ask(plant, "/api/dags/{dag_id}/trend", "admin").status_code == 200
        assert sorted(each.result().status_code for each in asked) == [200, 200, 503, 503, 503, 503]
