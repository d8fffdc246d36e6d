"""Airflow on this machine: its own web server and scheduler as child processes, metadata in PostgreSQL.

Not `airflow standalone`, which leaves its children behind when it is ended and never notices a dead
scheduler. Each component leads a session of its own and has a log file of its own; `stop` ends all.

| component       | needed for                                                             |
| --------------- | ---------------------------------------------------------------------- |
| `api-server`    | the web page, the REST interface, and every running task               |
| `scheduler`     | starting tasks (LocalExecutor)                                         |
| `dag-processor` | noticing changed DAG and feed files; without it they are read once     |
| `triggerer`     | deferred tasks                                                         |
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil
import requests
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from factload_demo.airflow_place import USER, Place, environment_of, secrets_of, write_private
from factload_demo.errors import AirflowError
from factload_demo.processes import end_family, spawn

ESSENTIAL = ("api-server", "scheduler")
WHOLE = ("api-server", "scheduler", "dag-processor", "triggerer")
_ARGUMENTS = {"scheduler": ["--skip-serve-logs"], "triggerer": ["--skip-serve-logs"]}
_SECONDS_TO_START = 180.0
_RECORD = "site.json"
_MIGRATED = "migrated"
_DAGS_READ = "serialized"
_READS_DAGS = "dag-processor"
_HEALTH = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}


@dataclass(frozen=True)
class Site:
    """A running Airflow: its address, its login, and its processes as {component: (id, start time)}.

    `attached`: it ends with the process that started it.
    """

    url: str
    user: str
    password: str = field(repr=False)
    attached: bool
    processes: dict[str, tuple[int, float]]

    def alive(self) -> list[str]:
        """The components that still run; a process id that was given out again doesn't count."""
        return [name for name, (pid, born) in self.processes.items() if _is_alive(pid, born)]

    def stop(self) -> None:
        """End every component and all that they started."""
        end_family([self.processes[name][0] for name in self.alive()], grace_seconds=8.0)


def migrate(place: Place) -> None:
    """Make Airflow's tables in the place's database, or bring those that are there up to this version."""
    _run(place, environment_of(place, 0), "db", "migrate")
    (place.folder / _DAGS_READ).unlink(missing_ok=True)
    note_migrated(place)


def note_migrated(place: Place) -> None:
    """Spare the place its migration: its database is a copy of one that this version of Airflow has migrated."""
    (place.folder / _MIGRATED).write_text(_fingerprint(place))


def find(folder: Path) -> Site | None:
    """The Airflow that was started in this folder to stay, if all of it still runs."""
    site = _recorded(folder)
    return site if site and not site.attached and len(site.alive()) == len(site.processes) else None


def stop(folder: Path) -> bool:
    """Stop what runs of the Airflow of this folder; False if nothing did."""
    site = _recorded(folder)
    if site is None or not site.alive():
        return False
    site.stop()
    return True


def start(
    place: Place,
    components: Sequence[str] = ESSENTIAL,
    *,
    attached: bool = True,
    progress: Callable[[str], None] = lambda step: None,
) -> Site:
    """Start Airflow and wait until it answers and every component is healthy.

    `attached`: it ends with this process, even if that is killed (Linux). `progress` is told each step.
    Raises AirflowError, and leaves nothing running, when a component ends or isn't ready in three minutes.
    """
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stop(place.folder)  # what is left of one whose starter was killed
    port = _free_port(place.port)
    password = secrets_of(place.folder)["password"]
    environment = environment_of(place, port)
    if not _migrated(place):
        progress("making Airflow's metadata tables")
        migrate(place)
    progress("starting " + ", ".join(components))
    processes: dict[str, psutil.Popen] = {}

    def begin(*names: str) -> Site:
        for name in names:
            processes[name] = _spawn(place, environment, name, attached)
        born = {name: (process.pid, process.create_time()) for name, process in processes.items()}
        site = Site(f"http://127.0.0.1:{port}", USER, password, attached, born)
        write_private(place.folder / _RECORD, json.dumps(asdict(site)))
        return site

    try:
        # Whoever reads the DAG files beside the DAG processor may end it: both note the same assets.
        site = begin(*(name for name in components if name != _READS_DAGS))
        if _noted(place, _DAGS_READ) != _dags_digest(place):
            _run(place, environment, "dags", "reserialize")
            (place.folder / _DAGS_READ).write_text(_dags_digest(place))
        site = begin(*(name for name in components if name == _READS_DAGS))
        _wait_until_healthy(place, site, processes)
    except BaseException:
        end_family([process.pid for process in processes.values()], grace_seconds=3.0)
        raise
    return site


@contextlib.contextmanager
def running(
    place: Place, components: Sequence[str] = ESSENTIAL, progress: Callable[[str], None] = lambda step: None
) -> Iterator[Site]:
    """Airflow for the length of a block."""
    site = start(place, components, progress=progress)
    try:
        yield site
    finally:
        site.stop()


def what_is_wrong_with_the_dags(place: Place) -> str:
    """Read the DAG files anew; returns what Airflow says of those that it can't import.

    The next start reads them again, though none may have changed by then.
    """
    (place.folder / _DAGS_READ).unlink(missing_ok=True)
    try:
        _run(place, environment_of(place, 0), "dags", "list-import-errors", "--local", "--output", "plain")
    except AirflowError as error:  # its status tells that there are some, its log which
        return str(error)
    return "All DAG files can be imported."


def _spawn(place: Place, environment: dict[str, str], name: str, attached: bool) -> psutil.Popen:
    log = _log_of(place, name)
    log.unlink(missing_ok=True)
    return spawn(
        [str(place.python), "-m", "airflow", name, *_ARGUMENTS.get(name, [])],
        log=log,
        attached=signal.SIGTERM if attached else None,
        env=environment,
        cwd=place.folder,
    )


def _run(place: Place, environment: dict[str, str], *arguments: str) -> None:
    """One Airflow command to its end; its output goes to a log file."""
    name = "-".join(arguments[:2])
    with _log_of(place, name).open("wb") as log:
        ended = subprocess.run(
            [str(place.python), "-m", "airflow", *arguments],
            env=environment,
            cwd=place.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode != 0:
        said = " ".join(arguments)
        raise AirflowError(f"`airflow {said}` ended with status {ended.returncode}.{_tail(place, name)}")


def _wait_until_healthy(place: Place, site: Site, processes: Mapping[str, psutil.Popen]) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    waiting = list(processes)
    while time.monotonic() < deadline:
        for name, process in processes.items():
            if process.poll() is not None:
                raise AirflowError(f"Airflow's {name} ended as it started.{_tail(place, name)}")
        # Of two that start at once one gets the port, and the other would take its answers for its own.
        ours = _listens(processes["api-server"], int(site.url.rpartition(":")[2]))
        waiting = _unhealthy(site.url, processes) if ours else list(processes)
        if not waiting:
            return
        time.sleep(0.25)
    raise AirflowError(
        f"Airflow's {waiting[0]} was not ready within {_SECONDS_TO_START:.0f} s.{_tail(place, waiting[0])}"
    )


def _listens(process: psutil.Process, port: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        for member in (process, *process.children(recursive=True)):
            if any(at.laddr and at.laddr.port == port for at in member.net_connections("tcp")):
                return True
    return False


def _unhealthy(url: str, components: Mapping[str, object]) -> list[str]:
    with requests.Session() as session:
        session.trust_env = False  # no proxy between this machine and itself
        try:
            health = session.get(f"{url}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return list(components)
    return [
        name
        for name in components
        if name in _HEALTH and (health.get(_HEALTH[name]) or {}).get("status") != "healthy"
    ]


def _free_port(wanted: int) -> int:
    """The wanted port, or any other when somebody listens there already."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise AirflowError("This machine has no free port on 127.0.0.1.")


def _fingerprint(place: Place) -> str:
    return f"{version('apache-airflow-core')} {place.metadata_url}"


def _migrated(place: Place) -> bool:
    """Whether this version made its tables in this database. Asking Airflow takes eight seconds."""
    engine = create_engine(place.metadata_url, poolclass=NullPool)
    return _noted(place, _MIGRATED) == _fingerprint(place) and inspect(engine).has_table("dag_run")


def _dags_digest(place: Place) -> str:
    """Changes with whatever the DAGs are made of: all code and feed files, and where they lie."""
    digest = hashlib.sha256(_fingerprint(place).encode())
    folders = (place.dags or place.project / "dags", place.project / "include")
    files = [
        path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".yaml", ".yml")
    ]
    for path in sorted(files):
        digest.update(os.fsencode(path) + path.read_bytes())
    return digest.hexdigest()


def _noted(place: Place, name: str) -> str:
    try:
        return (place.folder / name).read_text()
    except FileNotFoundError:
        return ""


def _recorded(folder: Path) -> Site | None:
    try:
        values = json.loads((folder / _RECORD).read_text())
    except FileNotFoundError:
        return None
    values["processes"] = {name: (pid, born) for name, (pid, born) in values["processes"].items()}
    return Site(**values)


def _is_alive(pid: int, born: float) -> bool:
    try:
        process = psutil.Process(pid)
        return process.create_time() == born and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _log_of(place: Place, name: str) -> Path:
    return place.folder / f"{name}.log"


def _tail(place: Place, name: str, lines: int = 25) -> str:
    path = _log_of(place, name)
    tail = path.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f" The end of {path}:", *tail])
