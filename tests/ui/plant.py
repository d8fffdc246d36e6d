"""An Airflow with users and two small feeds, for the tests of the Loads page.

FAB's users, not the all-admins mode, which would answer every route: `admin` sees everything, `reader` only the
DAG `load_sales`, `stranger` no DAG at all.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl

from demo import airflow_site, sample
from demo.airflow_api import AirflowApi
from demo.airflow_place import Place, environment_of
from demo.airflow_site import Site
from demo.postgres import Server
from demo.setup import PROJECT, connection_uri

MEMBERS = 2_000
ROWS_PER_PARTITION = 2_000
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
# The resources and actions of FAB's permissions: what a role may do.
_ANYBODY = [("can_read", "Website"), ("can_read", "Plugins"), ("menu_access", "Plugins")]
ROLES = {
    "reader": [*_ANYBODY, ("can_read", "DAG:load_sales"), ("can_read", "DAG Run:load_sales"), ("can_read", "Task Instances"), ("can_read", "DAG Runs")],
    "stranger": _ANYBODY,
}  # fmt: skip


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

    def workbook(self, period: str, rows: int, bad: Sequence[str]) -> None:
        """Put the workbook of a period of the feed `sales` into the inbox: good rows, then one for each bad amount."""
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Facts")
        sheet.append(["business_key", "metric"])
        for number in range(rows):
            sheet.append([f"P{number % MEMBERS:07d}", number / 4])
        for amount in bad:
            sheet.append(["P0000001", amount])
        (self.home / "inbox").mkdir(exist_ok=True)
        book.save(self.home / f"inbox/sales_{period}.xlsx")

    def trigger(self, dag_id: str, period: str) -> str:
        """Start a run; returns its id."""
        run_id = f"test__{period}"
        self.api.trigger(dag_id, run_id, {"period": period})
        return run_id

    def bearer(self, user: str) -> dict[str, str]:
        """A request's header that says it comes from `user`."""
        if user not in self._tokens:
            login = {"username": user, "password": self.passwords[user]}
            self._tokens[user] = self.api.call("POST", "/auth/token", json=login)["access_token"]
        return {"Authorization": f"Bearer {self._tokens[user]}"}


def write_feeds(home: Path) -> None:
    """`sales` and `returns` like the demo's feed, with small partitions, and `orders`, whose warehouse is unknown."""
    feed = (PROJECT / "include/feeds/sales.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("rows_per_partition: 100000", f"rows_per_partition: {ROWS_PER_PARTITION}"),
        ("rows_per_chunk: 20000", "rows_per_chunk: 500"),
        ("max_rejects: 0.5%", "max_rejects: 5%"),
    ):
        assert old in feed
        feed = feed.replace(old, new)
    folder = home / "include/feeds"
    folder.mkdir(parents=True)
    (folder / "sales.yaml").write_text(feed, encoding="utf-8")
    assert "connection: warehouse" in feed
    (folder / "returns.yaml").write_text(feed.replace("sales", "returns"), encoding="utf-8")
    orders = feed.replace("sales", "orders").replace("connection: warehouse", "connection: archive")
    (folder / "orders.yaml").write_text(orders, encoding="utf-8")


@contextmanager
def running(server: Server, home: Path, database: str, port: int = 0) -> Iterator[Plant]:
    """The plant for the length of a block; `home` is an empty folder, `database` an empty database of the server."""
    warehouse = server.create_database(database)
    sample.make_dimension(warehouse, MEMBERS)
    write_feeds(home)
    place = Place(
        project=PROJECT,
        folder=home / "airflow",
        metadata_url=server.create_database(f"{database}_airflow"),
        variables={
            "AIRFLOW__CORE__AUTH_MANAGER": FAB,
            # No run that a test didn't start: a new DAG with a schedule would begin with one.
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW_CONN_WAREHOUSE": connection_uri(warehouse),
            "FACTLOAD_HOME": str(home),
        },
        port=port,
    )
    with airflow_site.running(place) as site:
        _make_admin(place, site)
        api = AirflowApi(site)
        passwords = {site.user: site.password} | {name: _make_user(api, name) for name in ROLES}
        for dag in ("load_sales", "load_returns"):
            api.call("PATCH", f"/api/v2/dags/{dag}", json={"is_paused": False})
        yield Plant(place, site, api, warehouse, home, passwords)


def _make_admin(place: Place, site: Site) -> None:
    named = ["--firstname", "A", "--lastname", "B", "--email", "admin@localhost.localdomain"]
    subprocess.run(
        [sys.executable, "-m", "airflow", "users", "create", "--role", "Admin", "--username", site.user,
         f"--password={site.password}", *named],  # one argument: a random password may begin with a dash
        env=environment_of(place, 0), cwd=place.folder, check=True, capture_output=True, timeout=120,
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
