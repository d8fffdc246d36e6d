"""An Airflow with users and some small feeds, for the tests of the Loads page.

FAB's users, not the all-admins mode, which would answer every route: `admin` sees everything, `reader` only the
DAG `load_sales`, `stranger` no DAG at all.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import openpyxl

from factload_demo import airflow_site, sample
from factload_demo.airflow_api import AirflowApi
from factload_demo.airflow_place import Place, environment_of
from factload_demo.airflow_site import Site
from factload_demo.postgres import Server
from factload_demo.setup import PROJECT, connection_uri
from tests.airflow_command import airflow
from tests.airflow_tables import FAB
from tests.feeds import changed
from tests.forked_tasks import import_before_the_fork
from tests.ui.window import back

MEMBERS = 2_000
ROWS_PER_PARTITION = 2_000
# The resources and actions of FAB's permissions: what a role may do.
_ANYBODY = [("can_read", "Website"), ("can_read", "Plugins"), ("menu_access", "Plugins")]
ROLES = {
    "reader": [*_ANYBODY, ("can_read", "DAG:load_sales"), ("can_read", "DAG Run:load_sales"), ("can_read", "Task Instances"), ("can_read", "DAG Runs")],
    "stranger": _ANYBODY,
}  # fmt: skip

# Days back from today: before those that the calendar shows first.
SEEN_BEFORE = range(44, 30, -1)


def only_on(days: Iterable[date]) -> str:
    """A schedule that is due on these days, and on few others."""
    dates = list(days)
    of_month, months = ({getattr(day, part) for day in dates} for part in ("day", "month"))
    return f"0 2 {','.join(map(str, sorted(of_month)))} {','.join(map(str, sorted(months)))} *"


# Feed → how it differs from the demo's.
FEEDS: dict[str, dict[str, Any]] = {
    "claims": {"max_rejects": 0, "run": {"approval": "1h"}},  # a person decides
    "credits": {"max_rejects": 0, "schedule": None},  # held without a question
    "orders": {"fact.connection": "archive"},  # which Airflow doesn't know
    "prices": {"fact.connection": "gone"},  # which doesn't answer
    "refunds": {
        "max_rejects": 0,
        "run": {"approval": "1h"},
        "schedule": None,
    },  # as a person loads them by hand
    "returns": {},
    "sales": {},
    "stock": {"run": {"loads_at_once": 7}},  # a week at once
    # whose states are written, and whose DAG stays paused: a person may decide
    "visits": {
        "max_rejects": 0,
        "run": {"approval": "1h"},
        "schedule": only_on(back(days) for days in SEEN_BEFORE),
    },
}
PAUSED = {"visits"}


@dataclass(frozen=True)
class Plant:
    """A running Airflow, its users, its warehouse, and the project folder of its feeds."""

    place: Place
    site: Site
    api: AirflowApi
    warehouse: str
    home: Path
    passwords: Mapping[str, str] = field(repr=False)
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def workbook(self, period: str, rows: int, bad: Sequence[str] = (), feed: str = "sales") -> None:
        """Put the workbook of a feed's period into the inbox: good rows, then one for each bad amount."""
        workbook = openpyxl.Workbook(write_only=True)
        sheet = workbook.create_sheet("Facts")
        sheet.append(["business_key", "metric"])
        for number in range(rows):
            sheet.append([f"P{number % MEMBERS:07d}", number / 4])
        for amount in bad:
            sheet.append(["P0000001", amount])
        (self.home / "inbox").mkdir(exist_ok=True)
        workbook.save(self.home / f"inbox/{feed}_{period}.xlsx")

    def trigger(self, dag_id: str, period: str, **form: Any) -> str:
        """Start a run; returns its id."""
        run_id = run_of(period)
        self.api.trigger(dag_id, run_id, {"period": period, **form})
        return run_id

    def ended_run(
        self,
        dag_id: str,
        period: date,
        state: str | None,
        conf: Mapping[str, Any] = MappingProxyType({}),
        **noted: Any,
    ) -> None:
        """A run of a paused DAG, ended by hand in this state, and what its tasks handed on; None: it is still queued."""
        run_id = self.trigger(dag_id, str(period), **conf)
        run = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        for key, value in noted.items():
            task = "release" if key == "decision" else "open_load"
            entry = {"key": key, "value": value, "map_index": -1}
            self.api.call("POST", f"{run}/taskInstances/{task}/xcomEntries", json=entry)
        if state is not None:
            self.api.call("PATCH", run, json={"state": state})

    def wait_for_question(self, dag_id: str, run_id: str) -> None:
        """Until the task `release` waits for a person, and may be answered."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/release"
        wait_for(lambda: self.api.call("GET", path)["state"] == "awaiting_input", "the question")
        # Airflow takes an answer for a defect that comes before its scheduler heard that the task has paused.
        heard = re.compile(
            f"Received executor event with state success .*'release', run_id='{re.escape(run_id)}'"
        )
        log = self.place.folder / "scheduler.log"
        wait_for(lambda: heard.search(log.read_text()) is not None, "the scheduler to hear of it")

    def wait_for_end(self, dag_id: str) -> None:
        """Until no run of the DAG is at work."""
        wait_for(lambda: not self.api.unfinished_runs(dag_id), f"the end of {dag_id}'s runs")

    def factload(self, *arguments: str) -> int:
        """A command that is typed on a machine without Airflow; returns its exit status."""
        command = [sys.executable, "-m", "factload", *arguments, "--url", self.warehouse, "--json"]
        environment = environment_of(self.place, 0)
        return subprocess.run(
            command, env=environment, capture_output=True, timeout=120, check=False
        ).returncode

    def airflow(self, *arguments: str) -> str:
        """What Airflow's command line says."""
        return airflow(self.place, *arguments)

    def bearer(self, user: str) -> dict[str, str]:
        """A request's header that says it comes from `user`."""
        if user not in self._tokens:
            login = {"username": user, "password": self.passwords[user]}
            self._tokens[user] = self.api.call("POST", "/auth/token", json=login)["access_token"]
        return {"Authorization": f"Bearer {self._tokens[user]}"}


def run_of(period: str) -> str:
    """The id of the run that ``Plant.trigger`` starts for a period."""
    return f"test__{period}"


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 180) -> None:
    """Until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(1.0)  # Airflow's answer takes it some of the processor that its tasks need


def write_feeds(home: Path) -> None:
    """The demo's feed with small partitions, under each of these names, and what is different about it."""
    common = {
        "rows_per_partition": ROWS_PER_PARTITION,
        "rows_per_chunk": 500,
        "max_rejects": "5%",
    }
    folder = home / "include/feeds"
    folder.mkdir(parents=True)
    demo = (PROJECT / "include/feeds/sales.yaml").read_text(encoding="utf-8")
    for name, own in FEEDS.items():
        of_its_own = {"feed": name, "workbook.path": f"inbox/{name}_{{period}}.xlsx"}
        feed = changed(demo, common | own | of_its_own)
        (folder / f"{name}.yaml").write_text(feed, encoding="utf-8")


@contextmanager
def running(
    server: Server, airflow_database: Callable[[str], str], home: Path, database: str, port: int = 0
) -> Iterator[Plant]:
    """The plant for the length of a block; `home` is an empty folder, `database` an empty database of the server."""
    warehouse = server.create_database(database)
    sample.make_dimension(warehouse, MEMBERS)
    write_feeds(home)
    place = Place(
        project=PROJECT,
        folder=home / "airflow",
        metadata_url=airflow_database(f"{database}_airflow"),
        variables={
            "AIRFLOW__CORE__AUTH_MANAGER": FAB,
            # No run that a test didn't start: a new DAG with a schedule would begin with one.
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW_CONN_WAREHOUSE": connection_uri(warehouse),
            "AIRFLOW_CONN_GONE": "postgresql://nobody@127.0.0.1:1/nowhere",
            "FACTLOAD_HOME": str(home),
        },
        port=port,
    )
    import_before_the_fork(place.folder)
    airflow_site.note_migrated(place)
    with airflow_site.running(place) as site:
        _make_admin(place, site)
        api = AirflowApi(site)
        passwords = {site.user: site.password} | {name: _make_user(api, name) for name in ROLES}
        for feed in FEEDS.keys() - PAUSED:
            api.call("PATCH", f"/api/v2/dags/load_{feed}", json={"is_paused": False})
        yield Plant(place, site, api, warehouse, home, passwords)


def _make_admin(place: Place, site: Site) -> None:
    airflow(
        place, "users", "create", "--role", "Admin", "--username", site.user,
        f"--password={site.password}",  # one argument: a random password may begin with a dash
        "--firstname", "A", "--lastname", "B", "--email", "admin@localhost.localdomain",
    )  # fmt: skip


def _make_user(api: AirflowApi, name: str) -> str:
    allowed = [
        {"action": {"name": action}, "resource": {"name": resource}} for action, resource in ROLES[name]
    ]
    api.call("POST", "/auth/fab/v1/roles", json={"name": name, "actions": allowed})
    password = secrets.token_urlsafe(12)
    user = {"username": name, "first_name": name, "last_name": "B", "email": f"{name}@localhost.localdomain"}
    api.call("POST", "/auth/fab/v1/users", json=user | {"roles": [{"name": name}], "password": password})
    return password
