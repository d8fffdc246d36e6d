"""What stands before a load can run: the databases, the sample in them and in the inbox, and Airflow."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shlex
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from sqlalchemy import make_url

from factload.settings import named_connections
from factload_demo import airflow_site, postgres, sample
from factload_demo.airflow_place import Place, write_private
from factload_demo.airflow_site import Site
from factload_demo.display import Steps
from factload_demo.errors import BusyError

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / ".demo"
FEED = "sales"
DAG_ID = f"load_{FEED}"
AIRFLOW = FOLDER / "airflow"
SHELL_SETTINGS = FOLDER / "env"


@dataclass(frozen=True)
class Sizes:
    """How large the sample is, and the period it is for."""

    rows: int = sample.ROWS
    members: int = sample.MEMBERS
    period: date = date(2026, 11, 5)

    @property
    def load_id(self) -> str:
        """The identity of the demo's load."""
        return f"{FEED}@{self.period.isoformat()}"


@dataclass(frozen=True)
class Ready:
    """All that a load needs, up and running. ``warehouse_url`` is the demo's own database.

    ``own_warehouse``: the connection ``warehouse`` of this Airflow is that one, not a database that the shell names.
    """

    warehouse_url: str
    own_warehouse: bool
    expected: sample.Expected
    site: Site
    place: Place


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Keep a second call out of this project for the length of a block. Raises BusyError."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                "Another `make demo`, `make up` or `make down` is at work in this folder."
            ) from None
        yield


@contextlib.contextmanager
def everything(sizes: Sizes, steps: Steps, *, stay: bool) -> Iterator[Ready]:
    """Set up all that is missing, and afterwards stop what was started here.

    What `make up` left running is used, and left running. `stay`: leave it all running unless the block
    fails, with a dag-processor and a triggerer too, and with the connections that the shell names.
    """
    with contextlib.ExitStack() as cleanup:
        steps.update("PostgreSQL", "starting")
        server = postgres.start(postgres.data_folder(PROJECT), attached=not stay)
        if server.started_here:
            cleanup.callback(postgres.stop, server.data_dir)
        warehouse_url = server.create_database("warehouse")
        connections = {"warehouse": connection_uri(warehouse_url)} | (named_connections() if stay else {})
        place = _place(server, connections)
        steps.finish("PostgreSQL", "ready" if server.started_here else "was running")
        with _sample_in_background(sizes, warehouse_url, steps) as sample_made:
            site = running_site()
            if site is not None and _warehouse_in_use() != connections["warehouse"]:
                raise BusyError(
                    "The Airflow that `make up` left running loads into another warehouse than this would. "
                    "Run `make down` first."
                )
            if site is None:
                site = airflow_site.start(
                    place,
                    airflow_site.WHOLE if stay else airflow_site.ESSENTIAL,
                    attached=not stay,
                    progress=lambda step: steps.update("Airflow", step),
                )
                cleanup.callback(site.stop)
                _write_shell_settings(connections)
            steps.finish("Airflow", f"at {site.url}")
            workbook = sample_made()
        own = connections["warehouse"] == connection_uri(warehouse_url)
        yield Ready(warehouse_url, own, sample.Expected.read(workbook), site, place)
        if stay:
            cleanup.pop_all()


def running_site() -> Site | None:
    """The Airflow that `make up` left running, if all of it still runs."""
    return airflow_site.find(AIRFLOW)


def stop_all() -> bool:
    """Stop what `make up` left running; False if nothing was."""
    stopped = airflow_site.stop(AIRFLOW)
    return postgres.stop(postgres.data_folder(PROJECT)) or stopped


def say_login(site: Site, console: Console) -> None:
    """Where the page is, and who may enter."""
    console.print(
        f"\nAirflow    {site.url}/dags/{DAG_ID}\nuser       {site.user}\npassword   {site.password}"
        f"\nwarehouse  {make_url(_warehouse_in_use()).render_as_string(hide_password=True)}",
        soft_wrap=True,
        markup=False,
    )
    console.print("\nmake down stops it. For the command line: [bold]. .demo/env[/bold]")


def remove_all() -> None:
    """Stop everything, and delete the databases and the copies of the sample workbook in the inbox."""
    stop_all()
    made = {_digest(path) for path in (FOLDER / "cache").glob("*.xlsx")}
    for path in (PROJECT / "inbox").glob(f"{FEED}_*.xlsx"):
        if _digest(path) in made:  # a workbook that somebody put there stays
            path.unlink()
    shutil.rmtree(postgres.data_folder(PROJECT).parent, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def connection_uri(url: str) -> str:
    """A database's URL as Airflow and the command line take it for a connection: without a driver's name."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _place(server: postgres.Server, connections: Mapping[str, str]) -> Place:
    return Place(
        project=PROJECT,
        folder=AIRFLOW,
        metadata_url=server.create_database("airflow"),
        variables={
            **{f"AIRFLOW_CONN_{name.upper()}": url for name, url in connections.items()},
            "FACTLOAD_STAGING": str(FOLDER / "staging"),
        },
    )


@contextlib.contextmanager
def _sample_in_background(sizes: Sizes, url: str, steps: Steps) -> Iterator[Callable[[], Path]]:
    """Make the sample while the block runs, which waits for it by calling what it is given."""
    given_up = threading.Event()

    def written(rows: int) -> None:
        if given_up.is_set():
            raise InterruptedError("the demo was interrupted")
        steps.update("workbook", f"{rows:,} of {sizes.rows:,} rows written", rows, sizes.rows)

    def make() -> Path:
        steps.update("dimension", f"{sizes.members:,} members")
        sample.make_dimension(url, sizes.members)
        steps.finish("dimension")
        steps.update("workbook", f"{sizes.rows:,} rows")
        cached = sample.cached_workbook(FOLDER / "cache", sizes.rows, sizes.members, progress=written)
        placed = sample.place(cached, PROJECT / "inbox" / f"{FEED}_{sizes.period.isoformat()}.xlsx")
        steps.finish("workbook", f"{sizes.rows:,} rows in {placed.relative_to(PROJECT)}")
        return cached

    with ThreadPoolExecutor(max_workers=1) as pool:
        made = pool.submit(make)
        try:
            yield made.result
        finally:
            given_up.set()


def _write_shell_settings(connections: Mapping[str, str]) -> None:
    """A file that a shell reads, so that `factload` finds the databases that this Airflow has."""
    settings = {f"FACTLOAD_CONN_{name.upper()}": url for name, url in connections.items()}
    settings["FACTLOAD_HOME"] = str(PROJECT)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    write_private(SHELL_SETTINGS, "\n".join([*lines, ""]))


def _warehouse_in_use() -> str:
    """The URL behind the connection ``warehouse`` of the Airflow that was started last."""
    for word in shlex.split(SHELL_SETTINGS.read_text()):
        name, _, url = word.partition("=")
        if name == "FACTLOAD_CONN_WAREHOUSE":
            return url
    raise BusyError(f"{SHELL_SETTINGS} names no warehouse. Run `make down`, then the same command again.")
