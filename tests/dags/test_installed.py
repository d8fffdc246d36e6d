"""The wheel in an Airflow that a team has: installed by pip's rules, two lines of DAG, a connection, a feed, a load.

Everything lies in a folder of its own, and nothing of this checkout can be imported there. Airflow keeps its metadata
where it does by itself, in SQLite, and has no triggerer. Its packages have the versions of this repository's lock, which
stands for the constraints that Airflow publishes; `TEST_AIRFLOW="apache-airflow==3.2.0 sqlalchemy==2.0.48"` takes these
instead, and for the rest whatever the resolver gives.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright
from sqlalchemy import create_engine, func, make_url, select
from sqlalchemy.pool import NullPool

from factload.version import __version__
from factload_demo import airflow_site, sample
from factload_demo.airflow_api import AirflowApi
from factload_demo.airflow_place import Place, environment_of
from factload_demo.install import as_pip_is_set_up, pip_setting
from factload_demo.postgres import Server
from factload_demo.setup import PROJECT

ROWS, MEMBERS, PERIOD = 50_000, 20_000, "2026-11-05"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OTHER_AIRFLOW = os.environ.get("TEST_AIRFLOW", "").split()
DAG_FILE = "from factload.airflow import feed_dags\nglobals().update(feed_dags())\n"
# What a team's Airflow doesn't get from factload: other people's packages, and this repository's own tools.
ABSENT = [
    "airflow.providers.celery", "airflow.providers.fab", "airflow.providers.postgres", "asyncpg", "celery",
    "factload_demo", "factload_deployment", "factload_docs", "flask_appbuilder", "pandas", "redis", "s3fs", "xlsxwriter",
]  # fmt: skip
FIND = """
import importlib.util, json, sys
def there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
print(json.dumps([name for name in sys.argv[1:] if there(name)]))
"""

pytestmark = [pytest.mark.installs, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Team:
    """A team's Airflow: its folder, which is AIRFLOW_HOME, and its Python."""

    place: Place
    warehouse: str
    expected: sample.Expected

    def run(self, *arguments: str) -> str:
        """What this Python prints."""
        done = subprocess.run(
            [str(self.place.python), *arguments],
            env=environment_of(self.place, 0),
            cwd=self.place.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout


def install(folder: Path) -> Path:
    """A fresh environment with the wheel and its extra; returns its Python."""
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=120)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True, timeout=120)
    [wheel] = folder.glob("*.whl")
    wanted = [f"{wheel}[airflow]"]
    if OTHER_AIRFLOW:
        wanted += OTHER_AIRFLOW
    else:
        lock = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
        constraints = folder / "constraints.txt"
        constraints.write_text("\n".join(re.findall(r"^[\w.-]+==[^\\\n]+", lock, re.MULTILINE)))
        wanted += ["--constraint", str(constraints)]
    python = environment / "bin/python"
    command = [Path(sys.executable).with_name("uv"), "pip", "install", "--python", python, *wanted]
    variables = {**os.environ, **as_pip_is_set_up(os.environ, pip_setting)}
    # What was installed into this checkout's environment lies in uv's cache, and needs no registry.
    for more in (["--offline"], []):
        done = subprocess.run(
            [*map(str, command), *more],
            env=variables,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode == 0:
            return python
    raise AssertionError(f"the wheel could not be installed: {done.stderr[-3000:]}")


@pytest.fixture(scope="module")
def team(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Team:
    home = tmp_path_factory.mktemp("a team's airflow")
    warehouse = postgres.create_database("a_teams_warehouse")
    sample.make_dimension(warehouse, MEMBERS)
    expected = sample.make_workbook(home / f"inbox/sales_{PERIOD}.xlsx", ROWS, MEMBERS)
    (home / "dags").mkdir()
    (home / "dags/loads.py").write_text(DAG_FILE)
    (home / "include/feeds").mkdir(parents=True)
    shutil.copy(PROJECT / "include/feeds/sales.yaml", home / "include/feeds")
    place = Place(
        project=home,
        folder=home,
        metadata_url=f"sqlite:///{home}/airflow.db",
        # AIRFLOW_HOME alone says where things lie.
        variables={"FACTLOAD_HOME": "", "AIRFLOW__CORE__PARALLELISM": "4"},
        port=0,
        python=install(tmp_path_factory.mktemp("environment")),
    )
    return Team(place, warehouse, expected)


@pytest.fixture(scope="module")
def api(team: Team) -> Iterator[AirflowApi]:
    with airflow_site.running(team.place) as site:
        api = AirflowApi(site)
        api.call("POST", "/api/v2/connections", json=as_in_the_form(team.warehouse))
        yield api


def as_in_the_form(url: str) -> dict[str, Any]:
    """A database as a person enters it on Airflow's page of connections."""
    named = make_url(url)
    return {
        "connection_id": "warehouse",
        "conn_type": "generic",  # the type postgres needs a package that factload doesn't
        "login": named.username,
        "password": named.password,
        "host": named.host,
        "port": named.port,
        "schema": named.database,
        "extra": json.dumps(dict(named.query)),
    }


def test_nothing_comes_along_that_factload_does_not_need(team: Team) -> None:
    assert json.loads(team.run("-c", FIND, *ABSENT)) == []
    where = team.run("-c", "import factload; print(factload.__file__)").strip()
    assert Path(where).is_relative_to(team.place.python.parents[1])


def test_airflow_knows_the_provider_and_one_plugin(api: AirflowApi) -> None:
    providers = api.call("GET", "/api/v2/providers", params={"limit": 100})["providers"]
    assert [p["version"] for p in providers if p["package_name"] == "factload"] == [__version__]
    plugins = api.call("GET", "/api/v2/plugins", params={"limit": 100})["plugins"]
    assert [plugin["name"] for plugin in plugins if "factload" in str(plugin)] == ["factload"]
    assert api.call("GET", "/api/v2/plugins/importErrors")["import_errors"] == []
    assert api.call("GET", "/api/v2/importErrors")["import_errors"] == []


def test_two_lines_of_dag_load_a_workbook_exactly_and_the_page_shows_it(team: Team, api: AirflowApi) -> None:
    api.trigger("load_sales", "first", {"period": PERIOD})
    deadline = time.monotonic() + 240
    while (state := api.run_state("load_sales", "first")) in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert state == "success", [(t.task_id, t.state) for t in api.task_instances("load_sales", "first")]

    facts = sample.fact_sales
    of_load = select(func.count(), func.sum(facts.c.metric)).where(facts.c.load_id == f"sales@{PERIOD}")
    engine = create_engine(team.warehouse, poolclass=NullPool)
    with engine.connect() as connection:
        count, total = connection.execute(of_load).one()
    assert (count, str(total)) == (team.expected.staged, team.expected.control_total)

    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": "_token", "value": api.token, "url": api.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{api.url}/dags/load_sales/runs/first/plugin/load-of-run")
        frame = page.frame_locator("iframe")
        frame.get_by_text(f"{team.expected.staged:,}").first.wait_for()
        frame.locator("main:not([aria-busy])").wait_for()
        pictures = PROJECT / ".demo/screenshots"
        pictures.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=pictures / "installed.png")
        browser.close()
